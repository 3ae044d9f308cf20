// SPDX-License-Identifier: GPL-2.0

//! What a space does to its members.

use super::error::Error;

/// What a space does to its members; each mode contains the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Membership and numbers exist.
    Track,
    /// Also, members find and affect only each other by number or handle.
    Scope,
}

impl Mode {
    /// Returns the mode of a space of this mode that is to have `wanted`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] when that is looser: what holds for a member holds for life.
    pub fn tightened(self, wanted: Self) -> Result<Self, Error> {
        if wanted < self {
            Err(Error::OutOfRange)
        } else {
            Ok(wanted)
        }
    }

    /// Returns whether members are confined to their space.
    pub fn confines(self) -> bool {
        self >= Self::Scope
    }
}

#[cfg(any(test, kernel))]
#[cfg_attr(kernel, kernel::prelude::kunit_tests(pidspace_mode))]
mod tests {
    use super::{Error, Mode};

    #[test]
    fn a_mode_is_tightened_and_never_loosened() {
        use Mode::{Scope, Track};
        assert_eq!(Track.tightened(Scope), Ok(Scope));
        assert_eq!(Scope.tightened(Track), Err(Error::OutOfRange));
        for mode in [Track, Scope] {
            assert_eq!(mode.tightened(mode), Ok(mode));
        }
    }

    #[test]
    fn only_scope_confines() {
        assert!(!Mode::Track.confines());
        assert!(Mode::Scope.confines());
    }
}
