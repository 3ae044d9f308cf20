// SPDX-License-Identifier: GPL-2.0

//! The bindings of one space, by local number.

use crate::{
    binding::Binding,
    logic::Nr,
    memory::ATOMIC_ACCOUNT, //
};
use core::ptr;
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::rcu,
    types::Opaque, //
};

extern "C" {
    fn pidspace_xa_init_account(xa: *mut bindings::xarray);
    fn pidspace_xa_vacate(xa: *mut bindings::xarray, index: c_ulong);
}

/// How many numbers share a node of an XArray, the kernel's `XA_CHUNK_SIZE`.
const NODE: u32 = 64;

/// A number given up that keeps its node, at most one in a space.
///
/// Numbers are handed out in order, so the next child of a lone parent nearly always needs the node
/// that the last one left empty.
pub(crate) type Vacant = Option<Nr>;

/// The bindings of one space, by local number: an XArray of pointers that it does not own.
///
/// Writers are serialised by the lock of the space, which the XArray's own lock nests in. Readers
/// hold RCU only, hence not the `XArray` of the `kernel` crate, which has no such readers.
#[pin_data(PinnedDrop)]
pub(crate) struct LocalMap {
    #[pin]
    xa: Opaque<bindings::xarray>,
}

impl LocalMap {
    /// An empty map, which owns no memory yet.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: The slot is valid while the closure is called.
            xa <- Opaque::ffi_init(|xa| unsafe { pidspace_xa_init_account(xa) }),
        })
    }

    /// Notes the binding of `nr`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    ///
    /// # Context
    ///
    /// Expects the space's lock held. Does not sleep.
    pub(crate) fn store(&self, nr: Nr, binding: &Binding, vacant: &mut Vacant) -> Result {
        let index = nr.get() as usize;
        let entry = ptr::from_ref(binding).cast_mut().cast::<c_void>();
        // SAFETY: The array is initialised and pinned.
        let old = unsafe { bindings::xa_store(self.xa.get(), index, entry, ATOMIC_ACCOUNT) };
        // SAFETY: `xa_err()` takes any result of `xa_store()`.
        to_result(unsafe { bindings::xa_err(old) })?;
        if *vacant == Some(nr) {
            *vacant = None;
        }
        Ok(())
    }

    /// Forgets the binding of `nr`, which has one.
    ///
    /// # Context
    ///
    /// Expects the space's lock held. Does not sleep.
    pub(crate) fn erase(&self, nr: Nr, vacant: &mut Vacant) {
        match *vacant {
            Some(kept) if kept.get() / NODE == nr.get() / NODE => self.give_up(nr),
            before => {
                // SAFETY: The array is initialised and pinned, and has an entry there.
                unsafe { pidspace_xa_vacate(self.xa.get(), nr.get() as usize) };
                *vacant = Some(nr);
                if let Some(kept) = before {
                    self.give_up(kept);
                }
            }
        }
    }

    fn give_up(&self, nr: Nr) {
        // SAFETY: The array is initialised and pinned.
        unsafe { bindings::xa_erase(self.xa.get(), nr.get() as usize) };
    }

    /// Returns the binding of `nr`.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn find<'g>(&self, nr: Nr, _guard: &'g rcu::Guard) -> Option<&'g Binding> {
        // SAFETY: The array is initialised and pinned.
        let entry = unsafe { bindings::xa_load(self.xa.get(), nr.get() as usize) };
        // SAFETY: A binding is erased before it is freed, which takes a grace period more.
        unsafe { entry.cast::<Binding>().as_ref() }
    }
}

#[pinned_drop]
impl PinnedDrop for LocalMap {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The array is initialised and pinned, and nobody uses it any more.
        unsafe { bindings::xa_destroy(self.xa.get()) };
    }
}

// SAFETY: An XArray may be used and dropped by any thread.
unsafe impl Send for LocalMap {}

// SAFETY: As documented, writers hold a lock and readers RCU.
unsafe impl Sync for LocalMap {}
