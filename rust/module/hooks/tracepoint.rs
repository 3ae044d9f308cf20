// SPDX-License-Identifier: GPL-2.0

//! Probes on the kernel's tracepoints.

use super::symbol::Symbol;
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*, //
};

extern "C" {
    fn pidspace_tracepoint_synchronize_unregister();
}

/// A tracepoint whose prototype is known, and what is done there.
///
/// # Safety
///
/// `callback()` must be a function of the tracepoint's prototype, after a `void *` of its own.
pub(crate) unsafe trait Probe {
    /// The tracepoint.
    const TRACEPOINT: Symbol;

    /// Returns the function that the tracepoint is to call.
    fn callback() -> *mut c_void;
}

/// A probe in force; dropping it takes the probe off and waits until it does not run any more.
///
/// # Invariants
///
/// The probe is registered at `tracepoint`.
pub(crate) struct TracepointHook<P: Probe> {
    tracepoint: *mut bindings::tracepoint,
    _probe: PhantomData<P>,
}

impl<P: Probe> TracepointHook<P> {
    /// Puts the probe in force.
    ///
    /// # Errors
    ///
    /// `ENOENT` when the kernel has no such tracepoint.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn register() -> Result<Self> {
        let tracepoint = find(P::TRACEPOINT.name).ok_or(ENOENT)?;
        // SAFETY: The tracepoint is the kernel's own, so it stays; the probe has its prototype.
        to_result(unsafe {
            bindings::tracepoint_probe_register(tracepoint, P::callback(), ptr::null_mut())
        })?;
        // INVARIANT: The probe has just been registered.
        Ok(Self {
            tracepoint,
            _probe: PhantomData,
        })
    }
}

impl<P: Probe> Drop for TracepointHook<P> {
    fn drop(&mut self) {
        // SAFETY: The probe is registered by the type invariant.
        unsafe {
            bindings::tracepoint_probe_unregister(self.tracepoint, P::callback(), ptr::null_mut())
        };
        // SAFETY: Process context, which may sleep.
        unsafe { pidspace_tracepoint_synchronize_unregister() };
    }
}

// SAFETY: A registered probe is not tied to a thread.
unsafe impl<P: Probe> Send for TracepointHook<P> {}

// SAFETY: Nothing can be done with a shared reference.
unsafe impl<P: Probe> Sync for TracepointHook<P> {}

/// A search for a tracepoint.
struct Search {
    name: &'static CStr,
    found: *mut bindings::tracepoint,
}

/// Returns the tracepoint of a name.
fn find(name: &'static CStr) -> Option<*mut bindings::tracepoint> {
    let mut search = Search {
        name,
        found: ptr::null_mut(),
    };
    let data = (&raw mut search).cast::<c_void>();
    // SAFETY: `compare()` gets `data` back, which points to a `Search`, during this call only.
    unsafe { bindings::for_each_kernel_tracepoint(Some(compare), data) };
    (!search.found.is_null()).then_some(search.found)
}

/// # Safety
///
/// `tracepoint` must be valid, and `data` the address of a [`Search`] that nobody else uses.
unsafe extern "C" fn compare(tracepoint: *mut bindings::tracepoint, data: *mut c_void) {
    // SAFETY: The caller promises it.
    let search = unsafe { &mut *data.cast::<Search>() };
    // SAFETY: The caller promises a valid tracepoint.
    let name = unsafe { (*tracepoint).name };
    // SAFETY: The name of a tracepoint is a string.
    if unsafe { CStr::from_char_ptr(name) } == search.name {
        search.found = tracepoint;
    }
}
