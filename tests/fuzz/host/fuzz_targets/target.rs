// SPDX-License-Identifier: GPL-2.0

//! What the tool takes as arguments, from its own source: nothing makes it panic, and what it
//! understands it prints as something that means the same.

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
        assert_eq!(found.space.to_string().parse(), Ok(found.space.clone()));
        let nr = found.nr.map_or(String::new(), |nr| format!(":{nr}"));
        let generation = found
            .generation
            .map_or(String::new(), |nr| format!("@{nr}"));
        assert_eq!(
            format!("{}{nr}{generation}", found.space).parse(),
            Ok(found)
        );
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
