// SPDX-License-Identifier: GPL-2.0

//! Where memory comes from, and who pays for it.

use crate::logic;
use kernel::{
    alloc::{
        flags::*,
        Flags, //
    },
    bindings,
    prelude::*, //
};

/// How memory is had on the fork path and under a space's lock.
///
/// It must not sleep. It is charged to the caller's memcg, and `GFP_ATOMIC` may exceed the limit
/// of that for a moment: a fork must not fail because the page cache fills the memcg, which is
/// its usual state.
pub(crate) fn atomic_account() -> Flags {
    GFP_ATOMIC | __GFP_NOWARN | (GFP_KERNEL_ACCOUNT & !GFP_KERNEL)
}

/// [`atomic_account()`] as the C functions take it.
pub(crate) const ATOMIC_ACCOUNT: bindings::gfp_t = bindings::GFP_ATOMIC
    | bindings::__GFP_NOWARN
    | (bindings::GFP_KERNEL_ACCOUNT & !bindings::GFP_KERNEL);

/// Lends slab memory to `logic`.
///
/// # Context
///
/// Any context but NMI. Does not sleep.
pub(crate) struct Slab;

impl logic::Store for Slab {
    type Ptr<T> = KBox<T>;

    fn alloc<T>(value: T) -> Result<KBox<T>, logic::Error> {
        KBox::new(value, atomic_account()).map_err(|_| logic::Error::NoMemory)
    }
}
