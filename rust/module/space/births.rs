// SPDX-License-Identifier: GPL-2.0

//! Signals to the space as a whole, and the births that they meet.
//!
//! A child has its number before its task can be found, and it stands for the one moment that
//! decides: under the lock of the space either the child is numbered first, or its parent gets the
//! signal first. A child that is numbered first gets the signal itself, as soon as it can be found.
//! A parent that got the signal first, but during the fork, acts on it and then forks again, as the
//! kernel has it with signals that came before: so what the child inherits is what follows from it.

use super::{
    flags::Flag,
    Inner,
    Space, //
};
use crate::{
    binding::Binding,
    logic::{
        Fate,
        Nr, //
    },
    table::TABLE,
    task::{
        current_process,
        current_task,
        TaskRef, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::Full,
        barrier::smp_mb,
        rcu, //
    },
};

/// The signals to the space as a whole, counted.
#[derive(Default)]
pub(super) struct Broadcast {
    number: i16,
    /// The last one.
    sig: u32,
    /// Whether somebody became a member since whom a walk may have missed.
    late: bool,
}

impl Broadcast {
    /// Returns which one is the last. The count may wrap: each of them reaches all members, so that
    /// none is left that remembers an older one.
    pub(super) fn number(&self) -> i16 {
        self.number
    }

    /// Notes that a task becomes a member that was visible before, and may have any number.
    pub(super) fn be_late(&mut self) {
        self.late = true;
    }
}

impl Space {
    /// Begins the signal `sig` to the space as a whole and returns its number. Forks fail until
    /// [`Self::end_broadcast`] if it is `fatal`.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    ///
    /// # Context
    ///
    /// Expects the turn held.
    pub(crate) fn begin_broadcast(&self, sig: u32, fatal: bool) -> Result<i16> {
        let mut inner = self.inner.lock();
        inner.life.must_exist()?;
        if fatal {
            inner.life.begin_kill();
        }
        let number = inner.broadcast.number.wrapping_add(1);
        inner.broadcast = Broadcast {
            number,
            sig,
            late: false,
        };
        self.flags.set(Flag::Broadcasting, true);
        drop(inner);
        // Pairs with the barrier of `born()`: it sees this, or this caller sees the birth.
        smp_mb(Full);
        Ok(number)
    }

    /// Ends what [`Self::begin_broadcast`] began, and returns whether it has: the members have to be
    /// walked over again if somebody came late.
    pub(crate) fn end_broadcast(&self) -> bool {
        let mut inner = self.inner.lock();
        if core::mem::take(&mut inner.broadcast.late) {
            return false;
        }
        inner.life.end_kill();
        self.flags.set(Flag::Broadcasting, false);
        true
    }

    /// Calls `signal` for the process of `nr` if it has not been called for it by the number of
    /// this broadcast, and returns whether it has called it. Waits for a birth that is under way.
    ///
    /// # Context
    ///
    /// Process context, where no signal ends the waiting: it takes as long as a fork takes from
    /// `cgroup_can_fork()` to `task_newtask`. `signal` is called with the lock of the space held.
    pub(crate) fn deliver(
        &self,
        nr: Nr,
        number: i16,
        signal: impl FnOnce(&Binding, &rcu::Guard),
    ) -> bool {
        let mut inner = self.inner.lock();
        loop {
            let guard = rcu::read_lock();
            match self.locals.find(nr, &guard) {
                Some(binding) if binding.has_heard(number) => return false,
                Some(binding) if binding.is_born() => {
                    binding.set_heard(number);
                    signal(binding, &guard);
                    return true;
                }
                Some(_) => drop(guard),
                None => return false,
            }
            self.changed.wait(&mut inner);
        }
    }

    /// Returns the last signal to the space that a child of the calling task is not to get. One that
    /// is `visible` already may have been there before its parent got the signal.
    pub(super) fn heard_by_child(&self, inner: &Inner, visible: bool, guard: &rcu::Guard) -> i16 {
        let number = inner.broadcast.number;
        let is_before = || visible || self.is_ahead(&inner.broadcast, guard);
        if self.flags.has(Flag::Broadcasting) && is_before() {
            number.wrapping_sub(1)
        } else {
            number
        }
    }

    /// Returns whether the calling task forks ahead of a signal: its process has not got it yet.
    fn is_ahead(&self, broadcast: &Broadcast, guard: &rcu::Guard) -> bool {
        self.forker(guard)
            .is_some_and(|parent| !parent.has_heard(broadcast.number))
    }

    /// Returns whether the calling task must act on the last signal to the space before it forks:
    /// it got the signal during the fork, when the memory of the child was copied already.
    pub(super) fn must_restart(&self, broadcast: &Broadcast, guard: &rcu::Guard) -> bool {
        current_task(guard).is_some_and(|task| task.awaits_signal(broadcast.sig))
            && self
                .forker(guard)
                .is_some_and(|parent| parent.has_heard(broadcast.number))
    }

    /// Returns the binding of the calling process if that is a member.
    fn forker<'g>(&self, guard: &'g rcu::Guard) -> Option<&'g Binding> {
        current_process(guard)
            .and_then(|parent| TABLE.find(parent, guard))
            .filter(|parent| parent.is_in(self) && parent.is_member())
    }

    /// Takes notice that the task of `binding` is visible now.
    ///
    /// # Context
    ///
    /// Process context, of the forking task. Does not sleep.
    #[inline]
    pub(crate) fn born(&self, binding: &Binding, child: TaskRef<'_>, guard: &rcu::Guard) {
        binding.set_born();
        smp_mb(Full);
        if self
            .flags
            .has_any(&[Flag::Broadcasting, Flag::Condemned, Flag::Streamed])
        {
            self.announce(binding, child, guard);
        }
    }

    #[cold]
    fn announce(&self, binding: &Binding, child: TaskRef<'_>, guard: &rcu::Guard) {
        if self.flags.has(Flag::Broadcasting) {
            let _inner = self.inner.lock();
            self.changed.notify_all();
        }
        if self.flags.has(Flag::Condemned) {
            child.force_kill();
        }
        self.report_fork(binding, guard);
    }

    /// Ends the space for good: kills every process that there is or is being born, and lets nobody
    /// in any more. No permission is asked.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    ///
    /// # Context
    ///
    /// Process context. Does not sleep, but takes as long as there are members.
    pub(crate) fn condemn(&self) -> Result<Fate> {
        let mut inner = self.inner.lock();
        let fate = inner.life.condemn()?;
        let fate = self.settle(&mut inner, fate);
        self.flags.set(Flag::Condemned, true);
        drop(inner);
        // Pairs with the barrier of `born()`: it sees this, or the walk sees the birth.
        smp_mb(Full);
        self.walk(|nr| {
            let guard = rcu::read_lock();
            if let Some(binding) = self.find(nr, &guard) {
                binding.pid().force_kill();
            }
            Ok(())
        })?;
        Ok(fate)
    }
}
