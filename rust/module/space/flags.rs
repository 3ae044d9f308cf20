// SPDX-License-Identifier: GPL-2.0

//! What hooks ask of a space at each fork and exit: flags in one word, so that one load answers.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// What a space may be.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Flag {
    /// A signal is being sent to the space as a whole.
    Broadcasting = 1 << 0,
    /// What is born has to die: the space ends with the process of number 1.
    Condemned = 1 << 1,
    /// Somebody wants events.
    Streamed = 1 << 2,
    /// The space ends with the process of number 1.
    Init = 1 << 3,
    /// The mode is SCOPE, which it stays.
    Scope = 1 << 4,
}

/// The flags of a space. Anybody may read them at any time.
pub(super) struct Flags(Atomic<u32>);

impl Flags {
    pub(super) fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Makes `flag` be so, or not.
    ///
    /// # Context
    ///
    /// Expects the space's lock held, or the space not shared yet.
    pub(super) fn set(&self, flag: Flag, is: bool) {
        let others = self.0.load(Relaxed) & !(flag as u32);
        self.0
            .store(if is { others | flag as u32 } else { others }, Relaxed);
    }

    #[inline]
    pub(super) fn has(&self, flag: Flag) -> bool {
        self.has_any(&[flag])
    }

    /// Returns whether one of `flags` is so.
    #[inline]
    pub(super) fn has_any(&self, flags: &[Flag]) -> bool {
        let wanted = flags.iter().fold(0, |bits, &flag| bits | flag as u32);
        self.0.load(Relaxed) & wanted != 0
    }
}
