// SPDX-License-Identifier: GPL-2.0

//! What can go wrong, in the words of this crate: which errno it becomes is decided elsewhere.

/// Why an operation on numbers or on the life of a space was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Every number that may be handed out is in use.
    Exhausted,
    /// The requested number is in use.
    InUse,
    /// The number lies outside of what a space can hold.
    OutOfRange,
    /// The memory to note the number could not be had.
    NoMemory,
    /// The space is being killed or destroyed and takes in nobody.
    Dying,
    /// The space is gone.
    Dead,
    /// The space still has numbers in use.
    Busy,
}
