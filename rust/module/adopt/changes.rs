// SPDX-License-Identifier: GPL-2.0

//! What the hooks do for an adoption: the tree changes while it is walked over.

use super::{
    adopter,
    IN_PROGRESS, //
};
use crate::{
    membership,
    table::TABLE,
    task::{
        current_process,
        current_process_init_nr,
        current_task,
        Role,
        TaskRef, //
    },
};
use kernel::sync::{
    atomic::{
        Acquire,
        Full, //
    },
    barrier::smp_mb,
    rcu, //
};

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
