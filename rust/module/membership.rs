// SPDX-License-Identifier: GPL-2.0

//! From tasks to spaces: who is a member of what, and what follows for the tasks they fork.
//!
//! Membership is that of a task's own `struct pid`: all threads of a process are in the same
//! space, as each of them was forked by one that is.

use crate::{
    binding::Binding,
    cred::is_admin,
    error::Refusal,
    logic::Fate,
    registry,
    space::Space,
    table::TABLE,
    task::{
        current_pid,
        current_process,
        current_task,
        PidRef,
        TaskRef, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        barrier::smp_mb,
        rcu, Arc,
    },
};

/// Events that should not happen: the kernel's fork and exit did not do what the hooks rely on.
static ANOMALIES: Atomic<u64> = Atomic::new(0);

/// Returns how many events there were since load that should not happen.
pub(crate) fn anomalies() -> u64 {
    ANOMALIES.load(Relaxed)
}

/// Returns the calling task's binding if the task is a member, not when it is marked to spawn.
///
/// # Context
///
/// Any context.
pub(crate) fn of_current(guard: &rcu::Guard) -> Option<&Binding> {
    of(current_pid(guard)?, guard)
}

/// Returns the binding of `pid` if it is a member's.
///
/// # Context
///
/// Any context.
pub(crate) fn of<'g>(pid: PidRef<'_>, guard: &'g rcu::Guard) -> Option<&'g Binding> {
    TABLE.find(pid, guard).filter(|binding| binding.is_member())
}

/// Returns the binding and the space of the calling task's process if that is a member.
///
/// # Context
///
/// Process context, of a task that has not been reaped.
pub(crate) fn of_current_process(guard: &rcu::Guard) -> Option<(&Binding, &Space)> {
    let binding = of(current_process(guard)?, guard)?;
    // SAFETY: The binding is the calling process's own, and no claim.
    Some((binding, unsafe { binding.space() }))
}

/// Gives the child of the calling task its number, if that task is `parent`'s: a member or marked.
///
/// # Errors
///
/// The fork must fail with `EAGAIN`: the space takes in nobody, or memory is short.
///
/// # Context
///
/// Process context, from `cgroup_can_fork()`. Does not sleep.
pub(crate) fn fork(
    child: TaskRef<'_>,
    is_thread: bool,
    parent: &Binding,
    guard: &rcu::Guard,
) -> Result {
    let is_parent = current_pid(guard).is_some_and(|pid| parent.is_of(pid));
    // Whether the child of a task that is being adopted is a member is told when it is visible.
    if !is_parent || parent.is_claim() || parent.nr().is_none() && is_thread {
        return Ok(());
    }
    let Some(pid) = child.pid_of_unborn(guard) else {
        ANOMALIES.fetch_add(1, Relaxed);
        return Err(Refusal::NoSuchMember.into());
    };
    // SAFETY: The binding is the calling task's own and no claim, and the task cannot be reaped
    // while it forks.
    let space = unsafe { parent.space() };
    let unfit = parent.nr().is_none() && !may_confine_children(space, guard);
    // Nobody waits for a thread to be born: it is never signalled by itself.
    space.bind(pid, is_thread, unfit, guard)
}

/// Returns whether the calling task may let its children into `space` if that confines them: what is
/// born of it gains no privilege by execve(2), or it has the right. The right is asked for only if
/// that matters, as a refusal may be logged.
fn may_confine_children(space: &Space, guard: &rcu::Guard) -> bool {
    current_task(guard).is_some_and(TaskRef::has_no_new_privs)
        || space.mode().confines() && is_admin()
}

/// Takes notice that a new task is visible. Returns whether it has a number.
///
/// # Context
///
/// Process context, from the tracepoint `task_newtask`, where the child cannot run yet.
#[inline]
pub(crate) fn newtask(child: TaskRef<'_>) -> bool {
    TABLE
        .with(child.init_nr(), |binding, guard| {
            born(child, binding, guard)
        })
        .unwrap_or(false)
}

#[inline]
fn born(child: TaskRef<'_>, binding: &Binding, guard: &rcu::Guard) -> bool {
    let is_its = child.pid().is_some_and(|pid| binding.is_of(pid));
    if is_its && !binding.is_born() {
        // SAFETY: The binding is that of a task which cannot run yet, so it cannot be reaped
        // either, and it is no claim, as those are of tasks that are born.
        unsafe { binding.space() }.born(binding, child, guard);
    }
    is_its
}

/// Gives a new task its number whose parent, the calling task, became a member during the fork.
///
/// # Errors
///
/// `EAGAIN`, `ENOMEM`.
pub(crate) fn take_in(pid: PidRef<'_>, parent: &Binding, guard: &rcu::Guard) -> Result {
    // SAFETY: The binding is the calling process's own, and no claim, which it cannot become again.
    let space = unsafe { parent.space() };
    space.bind_visible(pid, guard)
}

/// Takes notice that the calling process runs another program.
///
/// # Context
///
/// Process context, from the tracepoint `sched_process_exec`.
#[inline]
pub(crate) fn exec() {
    let guard = rcu::read_lock();
    if let Some((binding, space)) = of_current_process(&guard) {
        space.report_exec(binding, &guard);
    }
}

/// Takes notice that the last thread of the calling process, `task`, ends.
///
/// # Context
///
/// Process context, from the tracepoint `sched_process_exit`. Does not sleep.
#[inline]
pub(crate) fn exited(task: TaskRef<'_>) {
    TABLE.with(task.process_init_nr(), |binding, guard| {
        member_exited(task, binding, guard);
    });
}

#[inline]
fn member_exited(task: TaskRef<'_>, binding: &Binding, guard: &rcu::Guard) {
    let is_its = current_process(guard).is_some_and(|pid| binding.is_of(pid));
    if !is_its || !binding.is_member() {
        return;
    }
    // SAFETY: The binding is the calling process's own, and no claim.
    let space = unsafe { binding.space() };
    if space.report_exit(binding, task, guard) {
        // The space is there, as the number of this process is in use.
        let fate = space.condemn().unwrap_or(Fate::Keep);
        registry::settle(space.id(), fate);
    }
}

/// Releases the number, or the mark, of a `struct pid` that nothing uses any more.
///
/// # Context
///
/// Process context, from `free_pid()`. Does not sleep.
#[inline]
pub(crate) fn release(pid: PidRef<'_>) {
    // Pairs with the barrier of a claim: either that sees the pid unused, or this sees the claim.
    smp_mb(Full);
    TABLE.with(pid.init_nr(), |binding, guard| {
        if binding.is_of(pid) {
            release_binding(binding, guard);
        }
    });
}

#[inline]
fn release_binding(binding: &Binding, guard: &rcu::Guard) {
    let Some(binding) = TABLE.take(binding, guard) else {
        return;
    };
    // SAFETY: The binding was taken from the table just now, and is not released yet.
    let space = unsafe { binding.space() };
    let fate = match binding.nr() {
        Some(nr) => space.release(nr),
        None => space.remove_spawner(),
    };
    registry::settle(binding.space_id(), fate);
    Binding::free_after_grace_period(binding);
}

/// Marks the calling thread: from now on the processes that it forks are born in `space`.
///
/// # Errors
///
/// `EPERM` when the caller is a member, or may not let anybody into this space; `EBUSY` when it is marked for another space, `ESTALE`
/// when the space is gone, `ENOMEM`.
pub(crate) fn mark_current(space: &Arc<Space>) -> Result {
    let guard = rcu::read_lock();
    let me = current_pid(&guard).ok_or(Refusal::NoSuchMember)?;
    if let Some(binding) = TABLE.find(me, &guard) {
        return match binding.nr() {
            Some(_) => Err(Refusal::IsMember.into()),
            None if binding.is_in(space) => space.status().map(|_| ()),
            None => Err(Refusal::BoundAlready.into()),
        };
    }
    if space.mode().confines() && !may_confine_children(space, &guard) {
        return Err(Refusal::NotPermitted.into());
    }
    let slot = TABLE.reserve(me, &guard)?;
    let mark = Binding::new(me, space, Some(space.clone()))?;
    space.add_spawner()?;
    slot.publish(mark).map_err(|_| {
        registry::settle(space.id(), space.remove_spawner());
        Refusal::BoundAlready.into()
    })
}

/// Takes the mark for `space` off the calling thread.
///
/// # Errors
///
/// `EINVAL` when it has none.
pub(crate) fn unmark_current(space: &Space) -> Result {
    let guard = rcu::read_lock();
    let me = current_pid(&guard).ok_or(Refusal::NoSuchMember)?;
    let mark = TABLE
        .find(me, &guard)
        .filter(|binding| binding.nr().is_none() && binding.is_in(space))
        .ok_or(Refusal::BadArgument)?;
    release_binding(mark, &guard);
    Ok(())
}
