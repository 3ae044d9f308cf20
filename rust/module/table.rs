// SPDX-License-Identifier: GPL-2.0

//! All bindings, by the number that the initial pid namespace has for their `struct pid`.
//!
//! Every fork, exit and, later, lookup of every task asks here, nearly always to hear "no binding".
//! That takes two loads: a leaf that is not there, or an entry that is null. Readers hold RCU and
//! nothing else.
//!
//! A leaf counts its entries in use and those about to be. Whoever takes the count to zero unhooks
//! the leaf and frees it a grace period later. A count of zero is final: who meets such a leaf
//! in the root helps to unhook it and puts a new one there.
//!
//! A number may be in use by a `struct pid` whose entry is gone, or the other way round, around
//! `free_pid()`: so an entry counts only for the pid that it names.

use crate::{
    binding::Binding,
    error::Refusal,
    logic::PidMax,
    memory::atomic_account,
    task::PidRef, //
};
use core::{
    ops::ControlFlow,
    ptr, //
};
use kernel::{
    alloc::AllocError,
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        rcu,
    },
    types::Opaque,
};

const WORD: usize = size_of::<usize>();
/// As many as make a leaf as large as a page.
const ENTRIES: usize = 4096 / WORD - 3;
const LEAVES: usize = (PidMax::LIMIT as usize).div_ceil(ENTRIES);
const _: () = assert!(size_of::<Leaf>() <= 4096 && 4096 <= PAGE_SIZE);

type Entry = Atomic<*mut Binding>;

struct Leaf {
    users: Atomic<u32>,
    rcu: Opaque<bindings::kvfree_rcu_head>,
    entries: [Entry; ENTRIES],
}

/// All bindings.
pub(crate) static TABLE: Table = Table {
    root: [const { Atomic::new(ptr::null_mut()) }; LEAVES],
};

/// The type of [`TABLE`].
pub(crate) struct Table {
    root: [Atomic<*mut Leaf>; LEAVES],
}

/// The right to publish one binding: its leaf stays.
///
/// # Invariants
///
/// `leaf` points to a leaf that this slot counts as a user of, and `index` is one into it.
pub(crate) struct Slot {
    root: &'static Atomic<*mut Leaf>,
    leaf: *mut Leaf,
    index: usize,
}

// SAFETY: All-zero bytes are no user, a head that means nothing yet, and null pointers.
unsafe impl Zeroable for Leaf {}

impl Leaf {
    /// Makes a leaf with one user.
    fn new() -> Result<KBox<Self>, AllocError> {
        // A leaf is too large to be built on the stack of a fork.
        let leaf = KBox::init(
            init!(Self {
                users: Atomic::new(1),
                ..Zeroable::init_zeroed()
            }),
            atomic_account(),
        );
        leaf.map_err(|_| AllocError)
    }

    /// Counts a user in, unless the leaf is on its way out.
    fn get(&self) -> bool {
        let mut users = self.users.load(Relaxed);
        while users != 0 {
            match self.users.cmpxchg(users, users.wrapping_add(1), Full) {
                Ok(_) => return true,
                Err(now) => users = now,
            }
        }
        false
    }
}

impl Table {
    /// Returns the binding of `pid`, if it has one.
    ///
    /// # Context
    ///
    /// Any context, NMI included.
    #[inline]
    pub(crate) fn find<'g>(
        &'static self,
        pid: PidRef<'_>,
        _guard: &'g rcu::Guard,
    ) -> Option<&'g Binding> {
        let leaf = self.root.get(Self::split(pid).0)?.load(Acquire);
        // SAFETY: Under RCU a leaf found in the root is not freed.
        let leaf = unsafe { leaf.as_ref() }?;
        let binding = leaf.entries.get(Self::split(pid).1)?.load(Acquire);
        // SAFETY: Under RCU a binding found in a leaf is not freed.
        let binding = unsafe { binding.as_ref() }?;
        binding.is_of(pid).then_some(binding)
    }

    /// Returns the place of a pid: which leaf, and which entry of that.
    fn split(pid: PidRef<'_>) -> (usize, usize) {
        let nr = pid.init_nr() as usize;
        (nr / ENTRIES, nr % ENTRIES)
    }

    /// Makes room for the binding of `pid`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    pub(crate) fn reserve(&'static self, pid: PidRef<'_>, guard: &rcu::Guard) -> Result<Slot> {
        let (leaf, index) = Self::split(pid);
        let root = self.root.get(leaf).ok_or(Refusal::BadArgument)?;
        loop {
            if let ControlFlow::Break(leaf) = Self::try_reserve(root, guard)? {
                // INVARIANT: `try_reserve()` counted this slot in, and `index` is a remainder.
                return Ok(Slot { root, leaf, index });
            }
        }
    }

    /// Counts a user of the leaf at `root` in, or makes a step towards being able to.
    fn try_reserve(
        root: &Atomic<*mut Leaf>,
        _guard: &rcu::Guard,
    ) -> Result<ControlFlow<*mut Leaf>, AllocError> {
        let found = root.load(Acquire);
        // SAFETY: Under RCU a leaf found in the root is not freed.
        if let Some(leaf) = unsafe { found.as_ref() } {
            if leaf.get() {
                return Ok(ControlFlow::Break(found));
            }
            let _ = root.cmpxchg(found, ptr::null_mut(), Full);
            return Ok(ControlFlow::Continue(()));
        }
        let leaf = KBox::into_raw(Leaf::new()?);
        if root.cmpxchg(ptr::null_mut(), leaf, Full).is_ok() {
            return Ok(ControlFlow::Break(leaf));
        }
        // SAFETY: `leaf` came from `into_raw()` above and nobody else has seen it.
        drop(unsafe { KBox::from_raw(leaf) });
        Ok(ControlFlow::Continue(()))
    }

    /// Takes the binding of `pid` out. From then on nobody finds it, but who has found it may read
    /// it for the rest of a grace period.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    #[inline]
    pub(crate) fn take(
        &'static self,
        pid: PidRef<'_>,
        guard: &rcu::Guard,
    ) -> Option<KBox<Binding>> {
        let found = ptr::from_ref(self.find(pid, guard)?).cast_mut();
        let (leaf, index) = Self::split(pid);
        let root = self.root.get(leaf)?;
        let leaf = root.load(Acquire);
        // SAFETY: Under RCU a leaf found in the root is not freed.
        let entry = unsafe { leaf.as_ref() }?.entries.get(index)?;
        entry.cmpxchg(found, ptr::null_mut(), Full).ok()?;
        // INVARIANT: A published binding counts as a user of its leaf; this takes that over.
        drop(Slot { root, leaf, index });
        // SAFETY: `publish()` got it from `into_raw()`, and only this call took it out.
        Some(unsafe { KBox::from_raw(found) })
    }
}

impl Slot {
    fn entry(&self) -> Option<&Entry> {
        // SAFETY: By the type invariant the leaf is not freed while the slot counts as its user.
        unsafe { &*self.leaf }.entries.get(self.index)
    }

    /// Lets everybody find `binding` from now on.
    ///
    /// # Errors
    ///
    /// Gives the binding back when the number has one already, which only a missed `free_pid()`
    /// can bring about.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    pub(crate) fn publish(self, binding: KBox<Binding>) -> Result<(), KBox<Binding>> {
        let Some(entry) = self.entry() else {
            return Err(binding);
        };
        let raw = KBox::into_raw(binding);
        if entry.cmpxchg(ptr::null_mut(), raw, Full).is_ok() {
            // The entry counts as the user from now on.
            core::mem::forget(self);
            return Ok(());
        }
        // SAFETY: `raw` came from `into_raw()` above and nobody else has seen it.
        Err(unsafe { KBox::from_raw(raw) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the leaf is not freed before the count goes down below.
        let users = unsafe { &(*self.leaf).users };
        if users.fetch_sub(1, Release) != 1 {
            return;
        }
        let _ = self.root.cmpxchg(self.leaf, ptr::null_mut(), Full);
        // SAFETY: `leaf` is a valid leaf that only readers under RCU still see.
        let head = unsafe { &raw const (*self.leaf).rcu };
        let memory = self.leaf.cast::<c_void>();
        // SAFETY: The memory is slab memory, `head` lies in it, and the count of zero is final.
        unsafe { bindings::kvfree_call_rcu(Opaque::cast_into(head), memory) };
    }
}
