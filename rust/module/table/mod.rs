// SPDX-License-Identifier: GPL-2.0

//! All bindings, by the number that the initial pid namespace has for their `struct pid`.
//!
//! Every fork, exit and, later, lookup of every task asks here, nearly always to hear "no binding".
//! That takes one load or two: a leaf that is not there, or an entry that is null. Readers hold RCU
//! and nothing else, and to see that no leaf is there not even that.
//!
//! The kernel hands out numbers in order, to whoever forks next in any space. So numbers that follow
//! one another stand in different cache lines, and a birth or an end writes to nothing here but its
//! own entry: a leaf does not count what is in it.
//!
//! Whoever takes an entry out looks whether the leaf is empty then, unless it is the leaf of the latest
//! births, which is looked at when the births have moved on. An empty leaf is marked as leaving. A
//! grace period later all who came before have put in what they were about to: it is freed if it is
//! still empty and nobody has come since.
//!
//! A number may be in use by a `struct pid` whose entry is gone, or the other way round, around
//! `free_pid()`: so an entry counts only for the pid that it names.

mod leaf;

use self::leaf::{
    Entry,
    Leaf,
    ENTRIES, //
};
use crate::{
    binding::Binding,
    error::Refusal,
    logic::PidMax,
    memory::{
        after_grace_period,
        free_after_grace_period,
        rcu_dereference, //
    },
    task::PidRef, //
};
use core::{
    ops::ControlFlow,
    ptr, //
};
use kernel::{
    bindings, container_of,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        rcu,
    },
    types::Opaque,
};

const LEAVES: usize = (PidMax::LIMIT as usize).div_ceil(ENTRIES);
/// The index of no leaf.
const NONE: usize = usize::MAX;

/// All bindings.
pub(crate) static TABLE: Table = Table {
    root: [const { Atomic::new(ptr::null_mut()) }; LEAVES],
    latest: Atomic::new(NONE),
};

/// The type of [`TABLE`].
pub(crate) struct Table {
    root: [Atomic<*mut Leaf>; LEAVES],
    /// The leaf of the latest births.
    latest: Atomic<usize>,
}

/// The right to publish one binding, as long as RCU is held: its leaf stays.
pub(crate) struct Slot<'g> {
    entry: &'g Entry,
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
            && Self::load(root, Leaf::index(nr), &rcu::read_lock()).is_some()
    }

    /// As [`Self::has`], for a caller who holds RCU.
    #[inline]
    pub(crate) fn has_under(&'static self, nr: u32, guard: &rcu::Guard) -> bool {
        let root = self.root.get(nr as usize / ENTRIES);
        root.and_then(|root| Self::load(root, Leaf::index(nr), guard))
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

    /// The rest of [`Self::with`]: what is outside gets here only beside members, and no further than
    /// to the call of `act`, which would have registers saved if it were part of this.
    #[inline(never)]
    fn with_leaf<R>(
        root: &'static Atomic<*mut Leaf>,
        nr: u32,
        act: impl FnOnce(&Binding, &rcu::Guard) -> R,
    ) -> Option<R> {
        #[inline(never)]
        fn run<R>(
            binding: &Binding,
            guard: &rcu::Guard,
            act: impl FnOnce(&Binding, &rcu::Guard) -> R,
        ) -> R {
            act(binding, guard)
        }
        let guard = rcu::read_lock();
        let binding = Self::load(root, Leaf::index(nr), &guard)?;
        Some(run(binding, &guard, act))
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
        (nr as usize / ENTRIES, Leaf::index(nr))
    }

    #[inline]
    fn load<'g>(
        root: &'static Atomic<*mut Leaf>,
        index: usize,
        guard: &'g rcu::Guard,
    ) -> Option<&'g Binding> {
        let leaf = Self::leaf(root, guard)?;
        let binding = rcu_dereference(leaf.entry(index)?);
        // SAFETY: Under RCU a binding found in a leaf is not freed.
        unsafe { binding.as_ref() }
    }

    #[inline]
    fn leaf<'g>(root: &'static Atomic<*mut Leaf>, _guard: &'g rcu::Guard) -> Option<&'g Leaf> {
        // SAFETY: Under RCU a leaf found in the root is not freed.
        unsafe { rcu_dereference(root).as_ref() }
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
    pub(crate) fn reserve<'g>(
        &'static self,
        pid: PidRef<'_>,
        guard: &'g rcu::Guard,
    ) -> Result<Slot<'g>> {
        let (at, index) = Self::split(pid.init_nr());
        let leaf = loop {
            if let ControlFlow::Break(leaf) = self.try_want(at, guard)? {
                break leaf;
            }
        };
        self.move_on_to(at, guard);
        let entry = leaf.entry(index).ok_or(Refusal::BadArgument)?;
        Ok(Slot { entry })
    }

    /// Returns the leaf at `at`, which stays, or makes a step towards that.
    fn try_want<'g>(
        &'static self,
        at: usize,
        guard: &'g rcu::Guard,
    ) -> Result<ControlFlow<&'g Leaf>> {
        let root = self.root.get(at).ok_or(Refusal::BadArgument)?;
        if let Some(leaf) = Self::leaf(root, guard) {
            if leaf.want() {
                return Ok(ControlFlow::Break(leaf));
            }
            unhook(root, leaf);
            return Ok(ControlFlow::Continue(()));
        }
        let leaf = KBox::into_raw(Leaf::new(at)?);
        if root.cmpxchg(ptr::null_mut(), leaf, Full).is_err() {
            // SAFETY: `leaf` came from `into_raw()` above and nobody else has seen it.
            drop(unsafe { KBox::from_raw(leaf) });
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Notes where the latest birth is.
    fn move_on_to(&'static self, at: usize, guard: &rcu::Guard) {
        if self.latest.load(Relaxed) != at {
            self.retire(self.latest.xchg(at, Full), 0, guard);
        }
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
        guard: &rcu::Guard,
    ) -> Option<KBox<Binding>> {
        let found = ptr::from_ref(binding).cast_mut();
        let (at, index) = Self::split(binding.pid().init_nr());
        let leaf = Self::leaf(self.root.get(at)?, guard)?;
        let entry = leaf.entry(index)?;
        entry.cmpxchg(found, ptr::null_mut(), Full).ok()?;
        if self.latest.load(Relaxed) != at {
            self.retire(at, index, guard);
        }
        // SAFETY: `publish()` got it from `into_raw()`, and only this call took it out.
        Some(unsafe { KBox::from_raw(found) })
    }

    /// Begins to free the leaf at `at` if it is empty, as far as the caller can tell after a full
    /// barrier. Whoever is at it already looks once more in the end.
    fn retire(&'static self, at: usize, index: usize, guard: &rcu::Guard) {
        let leaf = self.root.get(at).and_then(|root| Self::leaf(root, guard));
        let Some(leaf) = leaf.filter(|leaf| leaf.is_empty(index)) else {
            return;
        };
        if leaf.begin_leaving() {
            // SAFETY: `rcu` is a field of the leaf and nobody else's, as this call made it
            // leave, and it is not freed before `retired()` was called.
            unsafe { after_grace_period(&leaf.rcu, Self::retired) };
        }
    }

    /// Ends what [`Self::retire`] began.
    ///
    /// Who found the leaf present has put in its entry by now, and who found it leaving has said so.
    ///
    /// # Safety
    ///
    /// `head` must be that of a leaf, from [`Self::retire`].
    unsafe extern "C" fn retired(head: *mut bindings::callback_head) {
        let guard = rcu::read_lock();
        // SAFETY: `retire()` gave the head of a leaf.
        let found = unsafe { container_of!(Opaque::cast_from(head), Leaf, rcu) };
        // SAFETY: The leaf is not freed but below.
        let leaf = unsafe { &*found };
        let at = leaf.at as usize;
        if leaf.is_empty(0) && leaf.end_leaving() {
            if let Some(root) = TABLE.root.get(at) {
                unhook(root, leaf);
            }
            // SAFETY: Leaves come from `KBox`, `rcu` is a field of this one and free again, and
            // only readers under RCU still see it, as it is gone by this call.
            unsafe { free_after_grace_period(found.cast_mut(), leaf.rcu.get().cast()) };
            return;
        }
        leaf.stay();
        if TABLE.latest.load(Relaxed) != at {
            TABLE.retire(at, 0, &guard);
        }
    }

    /// Frees what an empty table still holds. Nothing may use the table any more.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn clear(&'static self) {
        self.move_on_to(NONE, &rcu::read_lock());
        rcu::rcu_barrier();
        // Those that were wanted meanwhile took a second turn.
        rcu::rcu_barrier();
    }
}

/// Takes a leaf that is gone out of the root, if nobody has.
fn unhook(root: &Atomic<*mut Leaf>, leaf: &Leaf) {
    let _ = root.cmpxchg(ptr::from_ref(leaf).cast_mut(), ptr::null_mut(), Full);
}

impl Slot<'_> {
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
        let raw = KBox::into_raw(binding);
        if self.entry.cmpxchg(ptr::null_mut(), raw, Full).is_ok() {
            return Ok(());
        }
        // SAFETY: `raw` came from `into_raw()` above and nobody else has seen it.
        Err(unsafe { KBox::from_raw(raw) })
    }
}
