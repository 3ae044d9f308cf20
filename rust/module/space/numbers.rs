// SPDX-License-Identifier: GPL-2.0

//! The numbers of a space: given, claimed and taken back.

use super::{
    Adoption,
    Inner,
    Space, //
};
use crate::{
    binding::{
        Binding,
        Standing,
        State, //
    },
    error::Refusal,
    logic::{
        Error as Refused,
        Fate,
        Nr,
        State as Life, //
    },
    table::{
        Slot,
        TABLE, //
    },
    task::{
        current_task,
        PidRef,
        TaskRef, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// Which number a task gets.
pub(crate) enum Number {
    /// The next one.
    Next,
    /// The one that it has in the pid namespace of the space.
    Kept,
}

/// What an adoption has come to.
#[derive(Default)]
pub(crate) struct Adopted {
    pub(crate) processes: u32,
    pub(crate) numbers: u32,
}

impl Space {
    /// Gives `pid` the next number. Nobody can find its task yet; a thread counts as `born` though.
    /// The caller is `unfit` when it may not let anybody in where members are confined.
    ///
    /// # Errors
    ///
    /// `EAGAIN` when the space is full or dying, `EPERM` for an unfit caller, `ENOMEM`,
    /// `ERESTARTNOINTR` when the caller has to act on a signal first, not for a thread; nothing has
    /// changed then.
    ///
    /// # Context
    ///
    /// Process context, of the forking task. Does not sleep.
    pub(crate) fn bind(
        &self,
        pid: PidRef<'_>,
        born: bool,
        unfit: bool,
        guard: &rcu::Guard,
    ) -> Result {
        let slot = TABLE.reserve(pid, guard)?;
        let binding = Binding::new(pid, self, None)?;
        let mut inner = self.inner.lock();
        self.check_birth(&mut inner, unfit, guard)?;
        if !born && self.must_restart(&inner.broadcast, guard) {
            return Err(Refusal::RestartFork.into());
        }
        inner.life.add_number()?;
        let standing = Standing {
            heard: self.heard_by_child(&inner, false, guard),
            born,
            state: State::Member,
        };
        self.admit(&mut inner, slot, binding, None, standing)
    }

    /// As [`Self::bind`], when the task of `pid` is visible, but cannot run yet. It may be one more
    /// than the limit: the fork cannot fail any more.
    pub(crate) fn bind_visible(&self, pid: PidRef<'_>, guard: &rcu::Guard) -> Result {
        let slot = TABLE.reserve(pid, guard)?;
        let binding = Binding::new(pid, self, None)?;
        let is_unfit = |task: TaskRef<'_>| !task.has_no_new_privs();
        // seccomp(2) may have set it for the parent when the child was made already, and the parent
        // was adopted since.
        let child_only =
            pid.task(guard).is_some_and(is_unfit) && !current_task(guard).is_some_and(is_unfit);
        let mut inner = self.inner.lock();
        self.check_birth(&mut inner, child_only, guard)?;
        inner.broadcast.be_late();
        inner.life.add_number_beyond_limit()?;
        let standing = Standing {
            heard: self.heard_by_child(&inner, true, guard),
            born: true,
            state: State::Member,
        };
        self.admit(&mut inner, slot, binding, None, standing)?;
        drop(inner);
        if let Some(binding) = TABLE.find(pid, guard) {
            self.report_fork(binding, guard);
        }
        Ok(())
    }

    /// Gives `pid`, which belongs to a task already, a number, provided that the adoption in
    /// progress does not fail.
    ///
    /// # Errors
    ///
    /// `EBUSY` when it has a binding other than a claim of this space, `EEXIST` when another has
    /// its number here, `EINVAL` when it has none in that namespace, `EAGAIN` when `adoption` is over
    /// or the space is full or dying; `ENOMEM`; what made the adoption fail. Nothing has changed then.
    ///
    /// # Context
    ///
    /// Process context. Does not sleep.
    pub(crate) fn claim(
        &self,
        pid: PidRef<'_>,
        number: Number,
        adoption: u64,
        guard: &rcu::Guard,
    ) -> Result {
        if let Some(claimed) = self.claimed(pid, guard) {
            return claimed;
        }
        let kept = match number {
            Number::Next => None,
            Number::Kept => Some(Nr::new(pid.nr_in(&self.ns)).ok_or(Refusal::BadArgument)?),
        };
        let slot = TABLE.reserve(pid, guard)?;
        let binding = Binding::new(pid, self, None)?;
        let mut inner = self.inner.lock();
        // What another hook has claimed meanwhile may have been the last number there was.
        if let Some(claimed) = self.claimed(pid, guard) {
            return claimed;
        }
        inner.adoption.must_go_on(adoption)?;
        inner.life.add_number()?;
        let standing = Standing {
            heard: inner.broadcast.number(),
            born: true,
            state: State::Claim,
        };
        let result = self.admit(&mut inner, slot, binding, kept, standing);
        drop(inner);
        result.or_else(|error| match self.claimed(pid, guard) {
            // Another space has been faster.
            Some(claimed) => claimed,
            // So somebody was, and the task has been reaped since then.
            None if !pid.is_in_use() => Ok(()),
            None => Err(error),
        })
    }

    /// Returns whether `pid` may count as claimed, if it has a binding.
    fn claimed(&self, pid: PidRef<'_>, guard: &rcu::Guard) -> Option<Result> {
        let binding = TABLE.find(pid, guard)?;
        Some(if binding.is_claim() && binding.is_in(self) {
            Ok(())
        } else {
            Err(Refusal::BoundAlready.into())
        })
    }

    /// Numbers a task: with `kept`, or the next one. Expects the lock held, and the number counted
    /// in, which is taken back when this fails.
    fn admit(
        &self,
        inner: &mut Inner,
        slot: Slot<'_>,
        binding: KBox<Binding>,
        kept: Option<Nr>,
        standing: Standing,
    ) -> Result {
        let numbered = match kept {
            None => inner.map.alloc(),
            Some(nr) => inner.map.alloc_exact(nr).map(|()| nr),
        };
        let admitted = numbered.map_err(Error::from).and_then(|nr| {
            self.publish(nr, slot, binding, standing, inner)
                .inspect_err(|_| inner.map.free(nr))
        });
        if admitted.is_err() {
            // The forking task, or the adopter's handle, keeps the space: this is not its end.
            let _ = inner.life.remove_number();
        }
        admitted
    }

    fn publish(
        &self,
        nr: Nr,
        slot: Slot<'_>,
        mut binding: KBox<Binding>,
        standing: Standing,
        inner: &mut Inner,
    ) -> Result {
        let is_member = matches!(standing.state, State::Member);
        binding.number(nr, standing);
        binding.set_generation(inner.generation.wrapping_add(1));
        self.locals.store(nr, &binding)?;
        slot.publish(binding).map_err(|binding| {
            self.locals.erase(nr, &mut inner.emptied);
            Binding::free_after_grace_period(binding);
            Refusal::NumberTaken
        })?;
        if is_member {
            inner.count_member();
        }
        Ok(())
    }

    /// Takes back `nr`, whose binding nobody can find in the table any more.
    ///
    /// # Context
    ///
    /// Process context. Does not sleep.
    pub(crate) fn release(&self, nr: Nr) -> Fate {
        let mut inner = self.inner.lock();
        self.locals.erase(nr, &mut inner.emptied);
        inner.map.free(nr);
        let fate = inner.life.remove_number();
        self.after_release(&mut inner);
        self.settle(&mut inner, fate)
    }

    /// Returns the binding of a member by its local number.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn find<'g>(&self, nr: Nr, guard: &'g rcu::Guard) -> Option<&'g Binding> {
        self.locals
            .find(nr, guard)
            .filter(|binding| binding.is_member())
    }

    /// Returns the binding of a task that is being adopted by its local number.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn find_claim<'g>(&self, nr: Nr, guard: &'g rcu::Guard) -> Option<&'g Binding> {
        self.locals
            .find(nr, guard)
            .filter(|binding| binding.is_claim())
    }

    /// Fills `batch` with the lowest numbers in use from `from` on and returns how many there are.
    pub(crate) fn numbers_from(&self, from: Option<Nr>, batch: &mut [Nr]) -> usize {
        let inner = self.inner.lock();
        let mut filled = 0;
        let mut from = from;
        for slot in batch {
            let Some(nr) = from.and_then(|nr| inner.map.next_used(nr)) else {
                break;
            };
            *slot = nr;
            filled += 1;
            from = nr.next();
        }
        filled
    }

    /// Calls `visit` for every number that is in use from before the call until it is visited, and
    /// for some of the others.
    ///
    /// # Errors
    ///
    /// Stops at the first error of `visit` and returns it.
    pub(crate) fn walk(&self, mut visit: impl FnMut(Nr) -> Result) -> Result {
        let mut batch = [Nr::FIRST; 64];
        let mut from = Some(Nr::FIRST);
        loop {
            let filled = self.numbers_from(from, &mut batch);
            let Some(numbers) = batch.get(..filled).filter(|numbers| !numbers.is_empty()) else {
                return Ok(());
            };
            for &nr in numbers {
                visit(nr)?;
                from = nr.next();
            }
        }
    }

    /// Lets tasks be claimed for `adoption` from now on.
    ///
    /// # Context
    ///
    /// Expects the turn held, until [`Self::commit`] or [`Self::stop_claiming`].
    pub(crate) fn start_claiming(&self, adoption: u64) -> Result {
        let mut inner = self.inner.lock();
        inner.life.must_exist()?;
        inner.adoption = Adoption::Claiming(adoption);
        Ok(())
    }

    /// Makes `adoption` fail. Returns whether it is still in progress.
    pub(crate) fn fail_claiming(&self, adoption: u64, error: Error) -> bool {
        let mut inner = self.inner.lock();
        let in_progress = inner.adoption.is(adoption);
        if in_progress {
            inner.adoption = Adoption::Failed(adoption, error);
        }
        in_progress
    }

    /// Notes that the process of a claim has ended.
    pub(crate) fn end_claim(&self, claim: &Binding) {
        let _inner = self.inner.lock();
        if claim.is_claim() {
            claim.set_ended();
        }
    }

    /// Lets no task be claimed any more.
    pub(crate) fn stop_claiming(&self) {
        self.inner.lock().adoption = Adoption::None;
    }

    /// Makes all claims members at once, as far as anybody can tell who takes the lock, and ends
    /// the adoption. Does nothing and returns `None` unless it `is_settled` by then.
    ///
    /// # Errors
    ///
    /// Why a hook made the adoption fail, `EAGAIN` when the space is dying; nothing has changed
    /// then.
    pub(crate) fn commit(&self, is_settled: impl FnOnce() -> bool) -> Result<Option<Adopted>> {
        let guard = rcu::read_lock();
        let mut inner = self.inner.lock();
        if let Adoption::Failed(_, error) = inner.adoption {
            return Err(error);
        }
        if inner.life.state() != Life::Live {
            return Err(Refused::Dying.into());
        }
        if !is_settled() {
            return Ok(None);
        }
        let mut adopted = Adopted::default();
        let mut from = Some(Nr::FIRST);
        while let Some(nr) = from.and_then(|nr| inner.map.next_used(nr)) {
            if let Some(claim) = self.find_claim(nr, &guard) {
                self.commit_claim(nr, claim, &mut inner, &mut adopted, &guard);
            }
            from = nr.next();
        }
        inner.adoption = Adoption::None;
        self.activity().notify_all();
        Ok(Some(adopted))
    }

    fn commit_claim(
        &self,
        nr: Nr,
        claim: &Binding,
        inner: &mut Inner,
        adopted: &mut Adopted,
        guard: &rcu::Guard,
    ) {
        if inner.no_reuse {
            inner.map.skip_past(nr);
        }
        adopted.numbers = adopted.numbers.saturating_add(1);
        if claim.pid().process(guard).is_some() {
            adopted.processes = adopted.processes.saturating_add(1);
        }
        claim.set_generation(inner.generation.wrapping_add(1));
        inner.count_member();
        claim.commit();
        self.report_adoption(claim, inner, guard);
    }
}
