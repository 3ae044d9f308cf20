// SPDX-License-Identifier: GPL-2.0

//! What ties a `struct pid` to a space: as a member, or as a thread marked to spawn into it.

use crate::{
    logic::Nr,
    memory::atomic_account,
    space::Space,
    task::PidRef, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// The tie between a `struct pid` and a space.
///
/// It is published in the table of all bindings from before its pid can be found until the hook on
/// `free_pid()`, which runs a grace period before that pid is freed. So whoever finds a binding
/// under RCU may use both it and its pid until the end of that critical section. That is why it
/// counts no reference on the pid.
pub(crate) struct Binding {
    pid: NonNull<bindings::pid>,
    space: NonNull<Space>,
    space_id: u64,
    generation: u64,
    nr: Option<Nr>,
    /// Keeps the space of a mark; nobody reads it but who frees the binding.
    keep: Option<Arc<Space>>,
    rcu: Opaque<bindings::kvfree_rcu_head>,
}

impl Binding {
    /// Makes a binding of `pid` to `space`: of a member, once [`Self::number`] has been called, or
    /// of a marked thread, and then `keep` holds the space. A member needs no such reference: the
    /// space lives while it has numbers in use.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    pub(crate) fn new(
        pid: PidRef<'_>,
        space: &Space,
        keep: Option<Arc<Space>>,
    ) -> Result<KBox<Self>> {
        let binding = Self {
            pid: pid.as_ptr(),
            space: NonNull::from(space),
            space_id: space.id(),
            generation: 0,
            nr: None,
            keep,
            rcu: Opaque::uninit(),
        };
        Ok(KBox::new(binding, atomic_account())?)
    }

    /// Makes the binding a member's, not yet published.
    pub(crate) fn number(&mut self, nr: Nr, generation: u64) {
        self.nr = Some(nr);
        self.generation = generation;
    }

    /// Returns whether this is the binding of `pid`.
    pub(crate) fn is_of(&self, pid: PidRef<'_>) -> bool {
        self.pid == pid.as_ptr()
    }

    /// Returns the pid.
    ///
    /// The borrow is one that was got under RCU, or before the binding was published.
    pub(crate) fn pid(&self) -> PidRef<'_> {
        // SAFETY: While a binding can be borrowed its pid is not freed, as said at the type.
        let pid = unsafe { PidRef::from_raw(self.pid.as_ptr()) };
        match pid {
            Some(pid) => pid,
            // SAFETY: A `NonNull` is not null.
            None => unsafe { core::hint::unreachable_unchecked() },
        }
    }

    /// Returns the local number of a member; [`None`] of a marked thread.
    pub(crate) fn nr(&self) -> Option<Nr> {
        self.nr
    }

    /// Returns what identifies this use of the number in the space, for ever.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the id of the space.
    pub(crate) fn space_id(&self) -> u64 {
        self.space_id
    }

    /// Returns whether the binding is to `space`.
    pub(crate) fn is_in(&self, space: &Space) -> bool {
        self.space == NonNull::from(space)
    }

    /// Returns the space, which the binding keeps.
    ///
    /// # Safety
    ///
    /// The binding must not be released while the result is in use: it is the calling task's own,
    /// or that of a task that cannot run yet, or one that the caller has just taken from the table.
    pub(crate) unsafe fn space(&self) -> &Space {
        // SAFETY: A space is kept by its numbers and marks, and this one is not released.
        unsafe { self.space.as_ref() }
    }

    /// Frees the binding when nobody can be reading it any more.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    pub(crate) fn free_after_grace_period(binding: KBox<Self>) {
        let raw = KBox::into_raw(binding);
        // SAFETY: `raw` is a valid binding that this function owns, and the field is not read again.
        drop(unsafe { (&raw const (*raw).keep).read() });
        // SAFETY: `raw` is a valid binding that this function owns.
        let head = unsafe { &raw const (*raw).rcu };
        // SAFETY: The memory is slab memory, `head` lies in it, and nobody owns it any more.
        unsafe { bindings::kvfree_call_rcu(Opaque::cast_into(head), raw.cast::<c_void>()) };
    }
}

// SAFETY: A binding is not tied to a thread; its pointers are only followed as said at the methods.
unsafe impl Send for Binding {}

// SAFETY: A binding does not change once it is published.
unsafe impl Sync for Binding {}
