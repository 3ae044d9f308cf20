// SPDX-License-Identifier: GPL-2.0

//! Confinement: a member of a space in mode SCOPE finds and affects members of that space only.
//!
//! The mode and the membership of both sides are looked up at each call, by `struct pid`. So it
//! makes no difference how a process was named, and what changes takes effect with the next call.

use crate::{
    error::Refusal,
    lookup::find_for_current,
    process,
    space::Space,
    table::TABLE,
    task::{
        current_init_nr,
        current_pid,
        current_task,
        in_task,
        PidRef,
        Role,
        TaskRef, //
    },
};
use core::ptr;
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu, //
    },
};

kernel::sync::global_lock! {
    // SAFETY: `init()` is called before anything that uses it.
    unsafe(uninit) static ONE_EXEMPTION: Mutex<()> = ();
}

/// The task that is not confined for the moment.
static EXEMPT: Atomic<*mut bindings::task_struct> = Atomic::new(ptr::null_mut());

/// Makes this file usable.
///
/// # Safety
///
/// Must be called once, before any other function of this file.
pub(crate) unsafe fn init() {
    // SAFETY: The caller promises it.
    unsafe { ONE_EXEMPTION.init() };
}

/// The calling task as a member that is confined.
pub(crate) struct Confined<'g> {
    space: &'g Space,
}

impl<'g> Confined<'g> {
    /// Returns the calling task if it is confined. It is not when an interrupt came upon it, nor
    /// when it has exited and the scheduler runs in its place: what those do, they do for somebody
    /// else.
    ///
    /// # Context
    ///
    /// Any context.
    #[inline]
    fn current(guard: &'g rcu::Guard) -> Option<Self> {
        let binding = TABLE.find(current_pid(guard)?, guard)?;
        if !binding.is_member() || !in_task() || current_task(guard)?.is_zombie() {
            return None;
        }
        // SAFETY: The binding is the calling task's own and no claim. Nobody else releases the
        // number of a task that is no zombie.
        let space = unsafe { binding.space() };
        if !space.mode().confines() || is_exempt(guard) {
            return None;
        }
        Some(Self { space })
    }

    /// Returns whether `pid` is that of a member of the space too.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn may_meet(&self, pid: PidRef<'_>, guard: &rcu::Guard) -> bool {
        TABLE
            .find(pid, guard)
            .is_some_and(|binding| binding.is_member() && binding.is_in(self.space))
    }

    /// Returns whether `task` is a member of the space too. A task that has been reaped, which
    /// nothing reaches any more, may be met.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn may_meet_task(&self, task: TaskRef<'_>, guard: &rcu::Guard) -> bool {
        task.pid().is_none_or(|pid| self.may_meet(pid, guard))
    }

    /// Returns whether all processes of the group `group` are members of the space too. It looks
    /// at all processes that there are: somebody who changes groups meanwhile would lead a walk over
    /// the list of the group astray.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn may_meet_group(&self, group: PidRef<'_>, guard: &rcu::Guard) -> bool {
        let is_in_group = |leader: &TaskRef<'_>| {
            let own = leader.pid_as(Role::Pgid);
            own.is_some_and(|own| own.as_ptr() == group.as_ptr())
        };
        process::all(guard)
            .filter(is_in_group)
            .all(|leader| self.may_meet_task(leader, guard))
    }

    /// Returns what the calling task's pid namespace calls `nr`, if that is a member too.
    ///
    /// # Context
    ///
    /// Any context in which `current` has not been reaped.
    pub(crate) fn find<'a>(&self, nr: c_int, guard: &'a rcu::Guard) -> Option<PidRef<'a>> {
        find_for_current(nr, guard).filter(|pid| self.may_meet(*pid, guard))
    }

    /// Returns whether `space` is the one that the task is confined to.
    pub(crate) fn is_in(&self, space: &Space) -> bool {
        ptr::eq(self.space, space)
    }

    /// Returns the id of the space.
    pub(crate) fn space_id(&self) -> u64 {
        self.space.id()
    }
}

/// Calls `act` if the calling task is confined. Nearly everybody is not, and learns so with few
/// instructions.
///
/// # Context
///
/// Any context.
#[inline]
pub(crate) fn if_confined<R>(act: impl FnOnce(&Confined<'_>, &rcu::Guard) -> R) -> Option<R> {
    if TABLE.has(current_init_nr()) {
        bound(&rcu::read_lock(), act)
    } else {
        None
    }
}

/// As [`if_confined`], for a caller who holds RCU.
#[inline]
pub(crate) fn if_confined_under<R>(
    guard: &rcu::Guard,
    act: impl FnOnce(&Confined<'_>, &rcu::Guard) -> R,
) -> Option<R> {
    if TABLE.has_under(current_init_nr(), guard) {
        bound(guard, act)
    } else {
        None
    }
}

#[cold]
fn bound<R>(guard: &rcu::Guard, act: impl FnOnce(&Confined<'_>, &rcu::Guard) -> R) -> Option<R> {
    Confined::current(guard).map(|confined| act(&confined, guard))
}

/// Returns whether the calling task may use `space`: it is not confined to another one.
///
/// # Context
///
/// Process context.
pub(crate) fn may_reach(space: &Space) -> bool {
    if_confined(|confined, _| confined.is_in(space)).unwrap_or(true)
}

/// Returns whether the calling task may be told of members of the space of that id.
///
/// # Context
///
/// Process context.
pub(crate) fn may_reach_id(space: u64) -> bool {
    if_confined(|confined, _| confined.space_id() == space).unwrap_or(true)
}

/// Checks that the calling task may use `space`.
///
/// # Errors
///
/// `EPERM` when it is confined to another one.
pub(crate) fn check_reach(space: &Space) -> Result {
    if may_reach(space) {
        Ok(())
    } else {
        Err(Refusal::NotPermitted.into())
    }
}

/// Calls `act` with the calling task not confined: it does what somebody else has asked for. When
/// the task gets confined in the middle of that, it is called once more.
///
/// # Context
///
/// Process context. Sleeps: there is one confined task at a time that does so in the whole machine,
/// as it is rare.
pub(crate) fn exempted(act: impl Fn()) {
    let is_confined = || if_confined(|_, _| ()).is_some();
    if !is_confined() {
        act();
        if !is_confined() {
            return;
        }
    }
    let _one = ONE_EXEMPTION.lock();
    EXEMPT.store(current_raw(&rcu::read_lock()), Relaxed);
    act();
    EXEMPT.store(ptr::null_mut(), Relaxed);
}

/// Returns whether the calling task is in a call of [`exempted`]. Nobody else writes its address.
fn is_exempt(guard: &rcu::Guard) -> bool {
    EXEMPT.load(Relaxed) == current_raw(guard)
}

fn current_raw(guard: &rcu::Guard) -> *mut bindings::task_struct {
    current_task(guard).map_or(ptr::null_mut(), |task| task.as_ptr().as_ptr())
}
