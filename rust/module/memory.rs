// SPDX-License-Identifier: GPL-2.0

//! Where memory comes from, who pays for it, and how it goes back while there are readers under RCU.

use crate::logic;
use kernel::{
    alloc::{
        flags::*,
        Flags, //
    },
    bindings,
    prelude::*,
    sync::atomic::Atomic,
    types::Opaque, //
};

/// How memory is had on the fork path and under a space's lock.
///
/// It must not sleep. It is charged to the caller's memcg, and `GFP_ATOMIC` may exceed the limit
/// of that for a moment: a fork must not fail because the page cache fills the memcg, which is
/// its usual state.
pub(crate) fn atomic_account() -> Flags {
    GFP_ATOMIC | __GFP_NOWARN | (GFP_KERNEL_ACCOUNT & !GFP_KERNEL)
}

/// What an object has in it to be freed by [`free_after_grace_period`].
pub(crate) type RcuHead = Opaque<bindings::kvfree_rcu_head>;

/// Frees an object when nobody can be reading it any more, as `kfree_rcu()`. It is not dropped.
///
/// # Context
///
/// Any context but NMI. Does not sleep.
///
/// # Safety
///
/// `object` must come from [`KBox::into_raw`] and `head` lie in it; only readers under RCU may still
/// use it.
pub(crate) unsafe fn free_after_grace_period<T>(object: *mut T, head: *const RcuHead) {
    // SAFETY: The memory is slab memory; the caller promises the rest.
    unsafe { bindings::kvfree_call_rcu(Opaque::cast_into(head), object.cast::<c_void>()) };
}

/// What an object has in it for [`after_grace_period`]. What follows may use it as an [`RcuHead`].
pub(crate) type CallbackHead = Opaque<bindings::callback_head>;
const _: () = assert!(size_of::<RcuHead>() <= size_of::<CallbackHead>());

/// Has `callback` called with `head` when all critical sections of RCU have ended that there are, as
/// `call_rcu()`.
///
/// # Context
///
/// Any context but NMI. Does not sleep. The callback is called in softirq context, and the module
/// stays until it has been if it calls `rcu_barrier()` before it goes.
///
/// # Safety
///
/// The head must not be in use, and stay until the callback is called.
pub(crate) unsafe fn after_grace_period(
    head: &CallbackHead,
    callback: unsafe extern "C" fn(*mut bindings::callback_head),
) {
    // SAFETY: The caller promises it.
    unsafe { bindings::call_rcu(head.get(), Some(callback)) };
}

/// Reads a pointer that others write, and whose target they have made before, as
/// `rcu_dereference()`: what is read through it is not read before it.
///
/// # Context
///
/// Any context.
#[inline]
pub(crate) fn rcu_dereference<T>(place: &Atomic<*mut T>) -> *mut T {
    // SAFETY: The place is borrowed; it is written by others at any time, as a whole word.
    unsafe { place.as_ptr().read_volatile() }
}

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
