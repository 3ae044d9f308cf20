// SPDX-License-Identifier: GPL-2.0

//! What the tool takes as arguments, from its own source: nothing makes it panic, it understands
//! what stands there, and what it prints it understands again.

#![no_main]

#[expect(dead_code)]
#[path = "../../../../rust/cli/src/signal.rs"]
mod signal;
#[expect(dead_code)]
#[path = "../../../../rust/cli/src/target.rs"]
mod target;

/// The one error of the tool that a target can be.
mod error {
    use pidspace_client::{LocalNr, SpaceRef};

    pub(crate) enum Error {
        Recycled {
            #[expect(dead_code)]
            space: SpaceRef,
            #[expect(dead_code)]
            nr: LocalNr,
        },
    }
}

use libfuzzer_sys::fuzz_target;
use signal::Signal;
use target::{Number, Target, Waitable};

fuzz_target!(|text: &str| {
    if let Ok(found) = text.parse::<Target>() {
        let number = text.split_once(':').map(|(_, number)| number);
        let nr = number.and_then(|number| number.split('@').next()?.parse::<i64>().ok());
        let generation = number.and_then(|number| number.split_once('@')?.1.parse::<u128>().ok());
        assert_eq!(found.nr.map(i64::from), nr);
        assert_eq!(found.generation.map(u128::from), generation);
        assert_ne!(generation, Some(0));
        assert_eq!(found.space.to_string().parse(), Ok(found.space));
    }
    if let Ok(Number::Local(local)) = text.parse() {
        let text = local.to_string();
        let text = text
            .strip_suffix(" local")
            .expect("it says which number it is");
        let again = text.parse::<Number>();
        assert!(
            matches!(again, Ok(Number::Local(again)) if again.nr == local.nr && again.space == local.space)
        );
    }
    let _ = text.parse::<Waitable>();
    if let Ok(signal) = text.parse::<Signal>() {
        let text = signal.to_string();
        assert_eq!(
            text.trim_start_matches("signal ").parse::<Signal>().ok(),
            Some(signal)
        );
    }
});
