// SPDX-License-Identifier: GPL-2.0

//! All bindings, by the number that the initial pid namespace has for their `struct pid`.
//!
//! Every fork, exit and, later, lookup of every task asks here, nearly always to hear "no binding".
//! That takes one load or two: a leaf that is not there, or an entry that is null. Readers hold RCU
//! and nothing else, and to see that no leaf is there not even that.
//!
//! A leaf counts its entries in use and those about to be. When the count gets to zero the leaf
//! becomes the idle one, and the one that was idle before is freed if it still is: the kernel hands
//! out numbers in order, so the next child of a lone parent nearly always needs the leaf that the
//! last one left empty. A leaf to be freed is counted as [`GONE`], which is final: it is unhooked,
//! by whoever meets it in the root first, and freed a grace period later.
//!
//! A number may be in use by a `struct pid` whose entry is gone, or the other way round, around
//! `free_pid()`: so an entry counts only for the pid that it names.

use crate::{
    binding::Binding,
    error::Refusal,
    logic::PidMax,
    memory::{
        atomic_account,
        free_after_grace_period,
        rcu_dereference,
        RcuHead, //
    },
    task::PidRef, //
};
use core::{
    ops::ControlFlow,
    ptr, //
};
use kernel::{
    alloc::AllocError,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        rcu,
    },
};

const WORD: usize = size_of::<usize>();
/// As many as make a leaf as large as a page.
const ENTRIES: usize = 4096 / WORD - 3;
const LEAVES: usize = (PidMax::LIMIT as usize).div_ceil(ENTRIES);
/// The count of a leaf that is on its way out.
const GONE: u32 = u32::MAX;
/// The index of no leaf.
const NONE: usize = usize::MAX;
const _: () = assert!(size_of::<Leaf>() <= 4096 && 4096 <= PAGE_SIZE);

type Entry = Atomic<*mut Binding>;

struct Leaf {
    users: Atomic<u32>,
    rcu: RcuHead,
    entries: [Entry; ENTRIES],
}

/// All bindings.
pub(crate) static TABLE: Table = Table {
    root: [const { Atomic::new(ptr::null_mut()) }; LEAVES],
    idle: Atomic::new(NONE),
};

/// The type of [`TABLE`].
pub(crate) struct Table {
    root: [Atomic<*mut Leaf>; LEAVES],
    /// The leaf that got empty last.
    idle: Atomic<usize>,
}

/// The right to publish one binding: its leaf stays.
///
/// # Invariants
///
/// `leaf` points to a leaf that this slot counts as a user of and that the root has at `at`.
pub(crate) struct Slot {
    table: &'static Table,
    leaf: *mut Leaf,
    at: usize,
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
        while users != GONE {
            match self.users.cmpxchg(users, users.wrapping_add(1), Full) {
                Ok(_) => return true,
                Err(now) => users = now,
            }
        }
        false
    }
}

impl Table {
    /// Returns whether there is a binding at `nr`, a number of the initial pid namespace.
    ///
    /// # Context
    ///
    /// Any context, NMI included. RCU need not be held, and is not taken where no leaf is.
    #[inline]
    pub(crate) fn has(&'static self, nr: u32) -> bool {
        let Some(root) = self.root.get(nr as usize / ENTRIES) else {
            return false;
        };
        !rcu_dereference(root).is_null()
            && Self::load(root, nr as usize % ENTRIES, &rcu::read_lock()).is_some()
    }

    /// As [`Self::has`], for a caller who holds RCU.
    #[inline]
    pub(crate) fn has_under(&'static self, nr: u32, guard: &rcu::Guard) -> bool {
        let root = self.root.get(nr as usize / ENTRIES);
        root.and_then(|root| Self::load(root, nr as usize % ENTRIES, guard))
            .is_some()
    }

    /// Calls `act` with the binding that stands at `nr`, a number of the initial pid namespace, if
    /// there is one: that of the `struct pid` of this number, or of one that had it before.
    ///
    /// # Context
    ///
    /// Any context, NMI included. RCU need not be held, and is not taken where no leaf is.
    #[inline]
    pub(crate) fn with<R>(
        &'static self,
        nr: u32,
        act: impl FnOnce(&Binding, &rcu::Guard) -> R,
    ) -> Option<R> {
        let root = self.root.get(nr as usize / ENTRIES)?;
        if rcu_dereference(root).is_null() {
            return None;
        }
        Self::with_leaf(root, nr, act)
    }

    /// The rest of [`Self::with`], with `act` as part of it: what is outside does not get here.
    #[inline(never)]
    fn with_leaf<R>(
        root: &'static Atomic<*mut Leaf>,
        nr: u32,
        act: impl FnOnce(&Binding, &rcu::Guard) -> R,
    ) -> Option<R> {
        let guard = rcu::read_lock();
        let binding = Self::load(root, nr as usize % ENTRIES, &guard)?;
        Some(act(binding, &guard))
    }

    /// Returns the binding of `pid`, if it has one.
    ///
    /// # Context
    ///
    /// Any context, NMI included.
    #[inline]
    pub(crate) fn find<'g>(
        &'static self,
        pid: PidRef<'_>,
        guard: &'g rcu::Guard,
    ) -> Option<&'g Binding> {
        let (at, index) = Self::split(pid.init_nr());
        let binding = Self::load(self.root.get(at)?, index, guard)?;
        binding.is_of(pid).then_some(binding)
    }

    /// Returns the place of a number: which leaf, and which entry of that.
    #[inline]
    fn split(nr: u32) -> (usize, usize) {
        let nr = nr as usize;
        (nr / ENTRIES, nr % ENTRIES)
    }

    #[inline]
    fn load<'g>(
        root: &'static Atomic<*mut Leaf>,
        index: usize,
        _guard: &'g rcu::Guard,
    ) -> Option<&'g Binding> {
        // SAFETY: Under RCU a leaf found in the root is not freed.
        let leaf = unsafe { rcu_dereference(root).as_ref() }?;
        let binding = rcu_dereference(leaf.entries.get(index)?);
        // SAFETY: Under RCU a binding found in a leaf is not freed.
        unsafe { binding.as_ref() }
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
        let (at, index) = Self::split(pid.init_nr());
        let root = self.root.get(at).ok_or(Refusal::BadArgument)?;
        loop {
            if let ControlFlow::Break(leaf) = Self::try_reserve(root, guard)? {
                // INVARIANT: `try_reserve()` counted this slot in.
                return Ok(Slot {
                    table: self,
                    leaf,
                    at,
                    index,
                });
            }
        }
    }

    /// Counts a user of the leaf at `root` in, or makes a step towards being able to.
    fn try_reserve(
        root: &Atomic<*mut Leaf>,
        _guard: &rcu::Guard,
    ) -> Result<ControlFlow<*mut Leaf>, AllocError> {
        let found = rcu_dereference(root);
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

    /// Takes `binding` out, unless somebody else has. From then on nobody finds it, but who has found
    /// it may read it for the rest of a grace period.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    pub(crate) fn take(
        &'static self,
        binding: &Binding,
        _guard: &rcu::Guard,
    ) -> Option<KBox<Binding>> {
        let found = ptr::from_ref(binding).cast_mut();
        let (at, index) = Self::split(binding.pid().init_nr());
        let leaf = rcu_dereference(self.root.get(at)?);
        // SAFETY: Under RCU a leaf found in the root is not freed.
        let entry = unsafe { leaf.as_ref() }?.entries.get(index)?;
        entry.cmpxchg(found, ptr::null_mut(), Full).ok()?;
        // INVARIANT: A published binding counts as a user of its leaf; this takes that over.
        drop(Slot {
            table: self,
            leaf,
            at,
            index,
        });
        // SAFETY: `publish()` got it from `into_raw()`, and only this call took it out.
        Some(unsafe { KBox::from_raw(found) })
    }

    /// Makes the leaf at `at`, which has just got empty, the idle one.
    fn set_idle(&self, at: usize) {
        if self.idle.load(Relaxed) != at {
            self.retire(self.idle.xchg(at, Full), &rcu::read_lock());
        }
    }

    /// Frees the leaf at `at` if it is empty.
    fn retire(&self, at: usize, _guard: &rcu::Guard) {
        let Some(root) = self.root.get(at) else {
            return;
        };
        let found = rcu_dereference(root);
        // SAFETY: Under RCU a leaf found in the root is not freed.
        let Some(leaf) = (unsafe { found.as_ref() }) else {
            return;
        };
        if leaf.users.cmpxchg(0, GONE, Full).is_err() {
            return;
        }
        let _ = root.cmpxchg(found, ptr::null_mut(), Full);
        // SAFETY: Leaves come from `KBox`, `rcu` is a field of this one, and only readers under RCU
        // still see it, as this call made it `GONE`.
        unsafe { free_after_grace_period(found, &leaf.rcu) };
    }

    /// Frees what an empty table still holds. Nothing may use the table any more.
    pub(crate) fn clear(&'static self) {
        self.set_idle(NONE);
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
        if users.fetch_sub(1, Full) == 1 {
            self.table.set_idle(self.at);
        }
    }
}
