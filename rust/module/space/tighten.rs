// SPDX-License-Identifier: GPL-2.0

//! Changing a space that lives: its settings, and its mode, which members have to be fit for.
//!
//! Whoever lacks privilege may confine only tasks with `no_new_privs`: a set-uid program must not be
//! confined by a stranger. That is never taken back and children inherit it. So it is enough to look
//! at every process once, and at whoever is in the middle of a fork meanwhile.

use super::{
    flags::Flag,
    Inner,
    Settings,
    Space, //
};
use crate::{
    error::Refusal,
    logic::Nr,
    process,
    task::{
        current_task,
        TaskRef, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu,
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// Whether the members are being looked at before they are confined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tightening {
    /// They are not.
    None,
    /// They are.
    Checking,
    /// They were, and somebody who is not fit forked meanwhile.
    Failed,
}

impl Space {
    /// Changes the settings, for what comes; a tighter mode holds for all members at once. The
    /// caller is `privileged` or not.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone, `EINVAL` when the mode is looser, `EPERM` when a member may
    /// not be confined; what `change` returns. Nothing has changed then.
    ///
    /// # Context
    ///
    /// Process context. Sleeps. Takes the turn.
    pub(crate) fn set(
        &self,
        privileged: bool,
        change: impl FnOnce(&mut Settings) -> Result,
    ) -> Result {
        let _turn = self.turn.lock();
        let mut inner = self.inner.lock();
        inner.life.must_exist()?;
        let before = self.settings(&inner);
        let mut settings = before;
        change(&mut settings)?;
        settings.mode = before.mode.tightened(settings.mode)?;
        let tightens = settings.mode != before.mode;
        if tightens && !privileged {
            inner.tightening = Tightening::Checking;
            let generation = inner.generation;
            drop(inner);
            let checked = self.check_members(generation);
            inner = self.inner.lock();
            let tightening = core::mem::replace(&mut inner.tightening, Tightening::None);
            checked?;
            if tightening == Tightening::Failed {
                return Err(Refusal::NotPermitted.into());
            }
            inner.life.must_exist()?;
        }
        self.apply(&mut inner, &settings);
        drop(inner);
        if tightens {
            self.let_signals_pass();
        }
        Ok(())
    }

    fn apply(&self, inner: &mut Inner, settings: &Settings) {
        inner.map.set_max(settings.pid_max);
        inner.life.set_limit(settings.max_members);
        inner.no_reuse = settings.no_reuse;
        self.flags.set(Flag::Init, settings.init);
        self.flags.set(Flag::Scope, settings.mode.confines());
    }

    /// Checks that every member up to `generation` may be confined by anybody.
    fn check_members(&self, generation: u64) -> Result {
        self.walk(|nr| {
            while !self.check_member(nr, generation)? {
                // A fork from before the check; those after it check themselves.
                fsleep(Delta::from_millis(1));
            }
            Ok(())
        })
    }

    /// Checks the process of that number, if it is one's. Returns whether that could be told: its
    /// task may not be there yet.
    ///
    /// A thread is looked at with its process, and not by its own number, which it gives up when it
    /// execs. Whoever makes it stays on the list of threads until it is there itself.
    fn check_member(&self, nr: Nr, generation: u64) -> Result<bool> {
        let guard = rcu::read_lock();
        let Some(binding) = self.find(nr, &guard) else {
            return Ok(true);
        };
        let Some(process) = binding.pid().process(&guard) else {
            return Ok(binding.is_born() || binding.generation() > generation);
        };
        if process::threads(process, &guard).all(TaskRef::has_no_new_privs) {
            Ok(true)
        } else {
            Err(Refusal::NotPermitted.into())
        }
    }

    /// Checks the fork of the calling task into the space, under way while the lock is held. A marked
    /// thread without `no_new_privs` is `unfit`, unless it has the right and the space confined when
    /// it was asked.
    ///
    /// # Errors
    ///
    /// `EPERM` when the space confines, and the task is unfit.
    pub(super) fn check_birth(&self, inner: &mut Inner, unfit: bool, guard: &rcu::Guard) -> Result {
        if unfit && self.mode().confines() {
            return Err(Refusal::NotPermitted.into());
        }
        let is_fit = || current_task(guard).is_some_and(TaskRef::has_no_new_privs);
        if inner.tightening == Tightening::Checking && !is_fit() {
            inner.tightening = Tightening::Failed;
        }
        Ok(())
    }

    /// Waits until no signal is under way that was let through before the last change: the kernel
    /// sends one in the RCU read-side critical section in which it asks.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn let_signals_pass(&self) {
        if self.mode().confines() {
            rcu::synchronize_rcu();
        }
    }
}
