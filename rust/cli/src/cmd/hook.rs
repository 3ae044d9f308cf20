// SPDX-License-Identifier: GPL-2.0

//! A hook as a row of a table.

use pidspace_client::{Errno, Hook};

use crate::output::{Column, Row};

impl Row for Hook {
    const KEY: &'static str = "hooks";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("HOOK", "function or tracepoint of the kernel", |hook| {
            Some(hook.symbol.clone())
        }),
        Column::text("STATE", "armed, unarmed, missing, held or failed", |hook| {
            Some(state(hook).to_owned())
        }),
        Column::text("ERROR", "why it could not be armed", |hook| {
            hook.error.map(|errno| format!("{errno:?}"))
        }),
        Column::text("MODE", "what it is for", |hook| {
            Some(if hook.scope { "scope" } else { "track" }.to_owned())
        }),
        Column::flag("REQUIRED", "whether that needs it", |hook| hook.required),
        Column::text("LOSS", "what is lost without it", |hook| {
            Some(hook.loss.clone())
        }),
    ];
}

/// The state of a hook in a word.
fn state(hook: &Hook) -> &'static str {
    match hook.error {
        _ if hook.armed => "armed",
        None => "unarmed",
        Some(Errno::EINVAL) => "missing",
        Some(Errno::EBUSY) => "held",
        Some(_) => "failed",
    }
}

/// What is wrong with a hook that could not be armed, as part of a sentence.
pub(crate) fn complaint(hook: &Hook) -> String {
    let why = match hook.error {
        Some(Errno::EINVAL) => "is missing or cannot be traced",
        Some(Errno::EBUSY) => "is held by another",
        _ => "cannot be hooked",
    };
    let errno = hook.error.map(|errno| format!(" ({errno:?})"));
    format!("{} {why}{}", hook.symbol, errno.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_a_word() {
        let state = |armed, error| {
            state(&Hook {
                symbol: "find_vpid".to_owned(),
                loss: String::new(),
                required: true,
                armed,
                scope: true,
                error,
            })
        };
        assert_eq!(state(true, None), "armed");
        assert_eq!(state(false, None), "unarmed");
        assert_eq!(state(false, Some(Errno::EINVAL)), "missing");
        assert_eq!(state(false, Some(Errno::EBUSY)), "held");
        assert_eq!(state(false, Some(Errno::ENOMEM)), "failed");
    }
}
