// SPDX-License-Identifier: GPL-2.0

//! What the hooks do for an adoption: the tree changes while it is walked over.

use super::{
    adopter,
    Adopter,
    IN_PROGRESS, //
};
use crate::{
    membership, process,
    space::Number,
    table::TABLE,
    task::{
        current_process,
        current_process_init_nr,
        current_task,
        PidRef,
        Role,
        TaskRef, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        barrier::smp_mb,
        rcu, //
    },
};

/// How often a process was claimed where another one ended.
static CLAIMS_OF_EXITS: Atomic<u64> = Atomic::new(0);

/// Returns how often a process was claimed where another one ended. It is counted before it is
/// claimed, and RCU is held until it has been with all of its threads.
pub(super) fn claims_of_exits() -> u64 {
    CLAIMS_OF_EXITS.load(Acquire)
}

/// Counts a process that is going to be claimed where another one ends.
fn note_claim() {
    CLAIMS_OF_EXITS.fetch_add(1, Full);
}

/// Takes a new task in whose parent is a member, or is being adopted, and was not yet when the fork
/// began.
///
/// # Context
///
/// Process context, from `task_newtask`. Does not sleep.
#[inline]
pub(crate) fn newtask(child: TaskRef<'_>) {
    // Pairs with the barriers of an adoption: it finds this child, or this finds its claim.
    smp_mb(Full);
    TABLE.with(current_process_init_nr(), |_, guard| take_in(child, guard));
}

#[cold]
fn take_in(child: TaskRef<'_>, guard: &rcu::Guard) {
    // Who adopts comes first: a claim that is found after that is its, or a later one's.
    let adopter = adopter();
    let (Some(parent), Some(pid)) = (current_process(guard), child.pid()) else {
        return;
    };
    let Some(binding) = TABLE.find(parent, guard) else {
        return;
    };
    let adopter = adopter.filter(|adopter| binding.is_claim() && binding.is_in(&adopter.space));
    if adopter.is_some_and(|adopter| adopter.claim_newborn(child, pid, guard)) {
        return;
    }
    // Either the parent is a member by now, or its adoption has failed: that is final, and should
    // it be adopted again, that adoption finds the child, which is visible. As a member the parent
    // shows all that was claimed with it.
    if binding.is_member() && TABLE.find(pid, guard).is_none() {
        let bound = membership::take_in(pid, binding, guard);
        let is_lost = bound.is_err() && TABLE.find(pid, guard).is_none();
        // The fork cannot fail any more, but the child has done nothing yet. When its parent was
        // killed as a member, the child was one of those that were meant.
        if is_lost || is_being_killed(guard) {
            child.force_kill();
        }
    }
}

/// Returns whether the calling process was killed.
fn is_being_killed(guard: &rcu::Guard) -> bool {
    current_task(guard).is_some_and(TaskRef::process_is_exiting)
}

/// Claims the children of the calling task, which loses them, if it is in a tree being adopted, and
/// notes the end of its process, if that is `last`.
///
/// # Context
///
/// Process context, from `sched_process_exit`. Does not sleep.
#[inline]
pub(crate) fn exiting(task: TaskRef<'_>, last: bool) {
    if IN_PROGRESS.load(Acquire) {
        part(task, last);
    }
}

#[cold]
fn part(task: TaskRef<'_>, last: bool) {
    let guard = rcu::read_lock();
    let Some(adopter) = adopter() else {
        return;
    };
    if adopter.tree {
        // Nobody else knows who descends from a process once its children are handed on.
        if let Err(error) = adopter.claim_orphans(task, &guard) {
            adopter.space.fail_claiming(adopter.serial, error);
        }
    }
    if let (true, Some(pid)) = (last, task.pid_as(Role::Tgid)) {
        adopter.end(pid, &guard);
    }
}

impl Adopter {
    /// Claims a new task. Returns whether that was decided by this adoption, not too late for it.
    fn claim_newborn(&self, child: TaskRef<'_>, pid: PidRef<'_>, guard: &rcu::Guard) -> bool {
        let kept = self
            .check_fit(child)
            .and_then(|()| self.claim(child, pid, Number::Kept, guard));
        // Nobody knows the number yet, so it need not be the one that is taken.
        let claimed = match kept {
            Err(EEXIST) => self.claim(child, pid, Number::Next, guard),
            other => other,
        };
        claimed.map_or_else(
            |error| self.space.fail_claiming(self.serial, error),
            |()| true,
        )
    }

    /// Claims the process of `task`, if it descends from a claimed one, and who is between the two.
    /// Returns whether it is claimed.
    fn claim_line(&self, task: TaskRef<'_>, guard: &rcu::Guard) -> Result<bool> {
        // Whom the caller may not adopt is found in the end, as it is not the caller who runs.
        let anybody = |_: PidRef<'_>| {
            note_claim();
            Ok(())
        };
        while !self.has_claimed(task, guard) {
            let descends = self.has_ancestor(task, guard);
            if !descends || !self.claim_children(anybody, guard)? {
                break;
            }
        }
        Ok(self.has_claimed(task, guard))
    }

    /// Claims the children of the process of `task`.
    fn claim_children_of(&self, task: TaskRef<'_>, guard: &rcu::Guard) -> Result {
        let Some(pid) = task.pid_as(Role::Tgid) else {
            return Ok(());
        };
        for process in process::all(guard) {
            let parent = process
                .parent()
                .and_then(|parent| parent.pid_as(Role::Tgid));
            if parent == Some(pid) && !self.has_claimed(process, guard) {
                note_claim();
                self.claim_process(process, guard)?;
            }
        }
        Ok(())
    }

    /// Claims the children that the process of `task` leaves behind, if it belongs to what is adopted.
    fn claim_orphans(&self, task: TaskRef<'_>, guard: &rcu::Guard) -> Result {
        if self.claim_line(task, guard)? {
            self.claim_children_of(task, guard)?;
        }
        Ok(())
    }
}
