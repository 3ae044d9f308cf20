// SPDX-License-Identifier: GPL-2.0

//! Numbers and their limits.

use super::Error;
use core::num::NonZeroU32;

/// A local number: what a space calls a `struct pid`. At least 1, below [`PidMax::LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nr(NonZeroU32);

impl Nr {
    /// The lowest number.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Returns `nr` as a number, or [`None`] when no space can hold it.
    pub const fn new(nr: u32) -> Option<Self> {
        match NonZeroU32::new(nr) {
            Some(value) if nr < PidMax::LIMIT => Some(Self(value)),
            _ => None,
        }
    }

    /// Returns the number as an integer.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// Returns the number after this one, or [`None`] at the end of the range.
    pub const fn next(self) -> Option<Self> {
        Self::new(self.get().wrapping_add(1))
    }
}

/// The bound of the numbers that a space hands out by itself: they are below it.
///
/// Mirrors the sysctl `kernel.pid_max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidMax(u32);

impl PidMax {
    /// The highest bound, the kernel's `PID_MAX_LIMIT` on 64-bit machines.
    pub const LIMIT: u32 = 4 * 1024 * 1024;

    /// Once a space has handed out more numbers than this, it keeps clear of those below, as
    /// the kernel's `RESERVED_PIDS`.
    pub const RESERVED: u32 = 300;

    /// The bound of a space that asks for none.
    pub const DEFAULT: Self = Self(32768);

    /// Returns `max` as a bound.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] when it is not in `RESERVED + 1..=LIMIT`.
    pub const fn new(max: u32) -> Result<Self, Error> {
        if max > Self::RESERVED && max <= Self::LIMIT {
            Ok(Self(max))
        } else {
            Err(Error::OutOfRange)
        }
    }

    /// Returns the bound as an integer.
    pub const fn get(self) -> u32 {
        self.0
    }
}
