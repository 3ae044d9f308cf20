// SPDX-License-Identifier: GPL-2.0

//! Mode SCOPE: what a member asks the kernel for is answered as if nobody else was there.
//!
//! A look-up is answered here, and not by the function that is hooked: the number may have been
//! given to somebody else between the two.

#[cfg(CONFIG_IA32_EMULATION)]
use super::scope_functions::PidfdOpen32;
#[cfg(CONFIG_X86_64)]
use super::scope_functions::PidfdOpen64;
use super::{
    ftrace::{
        Entry,
        Family,
        Function,
        Hook,
        Verdict, //
    },
    scope_functions::{
        FileSetOwner,
        FindGePid,
        FindGetPid,
        FindGetTaskByVpid,
        FindTaskByPidNs,
        FindTaskByVpid,
        FindVpid,
        OwningGroup,
        PidRevalidate,
        PidfdIoctl,
        ProcLookup,
        ProcPidPermission,
        SessionToParent,
        TaskAct,
        TaskKill, //
    },
};
use crate::{
    confine::{
        self,
        Confined, //
    },
    error::Refusal,
    lookup::{
        address_of_pid,
        address_of_task,
        refer_to_pid,
        refer_to_task, //
    },
    task::{
        current_task,
        PidRef, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// The type of pidfd's commands, the kernel's `PIDFS_IOCTL_MAGIC`.
const PIDFS_MAGIC: u32 = 0xff;

/// All hooks of mode SCOPE.
pub(super) static FAMILIES: &[Family] = &[
    Family::of::<Find<FindVpid>>(),
    Family::of::<Find<FindGetPid>>(),
    Family::of::<Find<FindTaskByVpid>>(),
    Family::of::<Find<FindGetTaskByVpid>>(),
    Family::of::<FindInNs>(),
    Family::of::<FindNext>(),
    #[cfg(CONFIG_X86_64)]
    Family::of::<Open<PidfdOpen64>>(),
    #[cfg(CONFIG_IA32_EMULATION)]
    Family::of::<Open<PidfdOpen32>>(),
    Family::of::<Signal>(),
    Family::of::<Act>(),
    Family::of::<Ask>(),
    Family::of::<Hide<PidRevalidate>>(),
    Family::of::<Hide<ProcPidPermission>>(),
    Family::of::<Hide<ProcLookup>>(),
    Family::of::<Own>(),
    Family::of::<Keyring>(),
];

/// Lets `decide` decide if the calling task is confined; else the function runs.
#[inline]
fn if_confined<'a, F: Function>(
    entry: Entry<'a, F>,
    decide: impl FnOnce(&Confined<'_>, F::Arguments<'a>, &rcu::Guard) -> Verdict,
) {
    let act = |confined: &Confined<'_>, guard: &rcu::Guard| {
        if let Some(arguments) = entry.arguments() {
            entry.decide(&decide(confined, arguments, guard));
        }
    };
    match entry.guard() {
        Some(guard) => confine::if_confined_under(guard, act),
        None => confine::if_confined(act),
    };
}

fn refuse(refusal: Refusal) -> Verdict {
    Verdict::Refuse(refusal.into())
}

/// What a look-up by number answers with.
trait Found: Function {
    fn found(pid: PidRef<'_>, guard: &rcu::Guard) -> usize;
}

impl Found for FindVpid {
    fn found(pid: PidRef<'_>, _guard: &rcu::Guard) -> usize {
        address_of_pid(pid)
    }
}

impl Found for FindGetPid {
    fn found(pid: PidRef<'_>, _guard: &rcu::Guard) -> usize {
        refer_to_pid(pid)
    }
}

impl Found for FindTaskByVpid {
    fn found(pid: PidRef<'_>, guard: &rcu::Guard) -> usize {
        pid.task(guard).map_or(0, address_of_task)
    }
}

impl Found for FindGetTaskByVpid {
    fn found(pid: PidRef<'_>, _guard: &rcu::Guard) -> usize {
        refer_to_task(pid)
    }
}

/// A look-up by number finds members only.
struct Find<F>(core::marker::PhantomData<F>);

impl<F: for<'a> Function<Arguments<'a> = c_int> + Found> Hook for Find<F> {
    type Function = F;

    #[inline]
    fn enter(entry: Entry<'_, F>) {
        if_confined(entry, |confined, nr, guard| {
            let found = confined.find(nr, guard);
            Verdict::Answer(found.map_or(0, |pid| F::found(pid, guard)))
        });
    }
}

/// So does one in a pid namespace.
struct FindInNs;

impl Hook for FindInNs {
    type Function = FindTaskByPidNs;

    #[inline]
    fn enter(entry: Entry<'_, FindTaskByPidNs>) {
        if_confined(entry, |confined, numbered, guard| {
            let found = numbered.ns.find(numbered.nr, guard);
            let task = found
                .filter(|pid| confined.may_meet(*pid, guard))
                .and_then(|pid| pid.task(guard));
            Verdict::Answer(task.map_or(0, address_of_task))
        });
    }
}

/// A walk over all numbers comes across members only.
struct FindNext;

impl Hook for FindNext {
    type Function = FindGePid;

    #[inline]
    fn enter(entry: Entry<'_, FindGePid>) {
        if_confined(entry, |confined, numbered, guard| {
            let mut pids = numbered.ns.from(numbered.nr, guard);
            let found = pids.find(|pid| confined.may_meet(*pid, guard));
            Verdict::Answer(found.map_or(0, address_of_pid))
        });
    }
}

/// pidfd_open(2) opens members only. The function looks for the number again, which may be another's
/// by then: a pidfd of an outsider, with which as little can be done as with one passed on.
#[cfg(CONFIG_X86_64)]
struct Open<F>(core::marker::PhantomData<F>);

#[cfg(CONFIG_X86_64)]
impl<F: for<'a> Function<Arguments<'a> = c_int>> Hook for Open<F> {
    type Function = F;

    #[inline]
    fn enter(entry: Entry<'_, F>) {
        if_confined(entry, |confined, nr, guard| {
            // What is no number has an error of its own.
            if nr <= 0 || confined.find(nr, guard).is_some() {
                Verdict::Run
            } else {
                refuse(Refusal::NoSuchMember)
            }
        });
    }
}

/// A signal reaches members only, however its target was found.
struct Signal;

impl Hook for Signal {
    type Function = TaskKill;

    #[inline]
    fn enter(entry: Entry<'_, TaskKill>) {
        if_confined(entry, |confined, signalled, guard| {
            // A task that ends sends what its children have asked for, PR_SET_PDEATHSIG.
            let is_asked_for = || current_task(guard).is_some_and(|task| task.is_exiting());
            if signalled.by_proxy
                || confined.may_meet_task(signalled.target, guard)
                || is_asked_for()
            {
                Verdict::Run
            } else {
                refuse(Refusal::NotPermitted)
            }
        });
    }
}

/// So does everything else that is done to a task.
struct Act;

impl Hook for Act {
    type Function = TaskAct;

    #[inline]
    fn enter(entry: Entry<'_, TaskAct>) {
        if_confined(entry, |confined, target, guard| {
            if confined.may_meet_task(target, guard) {
                Verdict::Run
            } else {
                refuse(Refusal::NotPermitted)
            }
        });
    }
}

/// A pidfd tells of members only. One of a process that is gone tells how it ended, whoever it was:
/// its membership is forgotten.
struct Ask;

impl Hook for Ask {
    type Function = PidfdIoctl;

    #[inline]
    fn enter(entry: Entry<'_, PidfdIoctl>) {
        if_confined(entry, |confined, asked, guard| {
            let is_of_pidfds = (asked.command >> 8) & 0xff == PIDFS_MAGIC;
            let may_ask = confined.may_meet(asked.pid, guard) || !asked.pid.is_in_use();
            if may_ask || !is_of_pidfds {
                Verdict::Run
            } else {
                refuse(Refusal::Elsewhere)
            }
        });
    }
}

/// Returns whether a directory of /proc is one of a task that a member may not meet. Of a task that
/// is gone the kernel says so itself, and forgets the name.
fn is_hidden(confined: &Confined<'_>, pid: PidRef<'_>, guard: &rcu::Guard) -> bool {
    pid.task(guard).is_some() && !confined.may_meet(pid, guard)
}

/// A name in /proc that somebody else has looked up is not there for a member, nor is what lies below
/// a directory that it was given. The answer is an error, and not that the name is stale: it stays
/// there for others, with what is mounted on it.
struct Hide<F>(core::marker::PhantomData<F>);

impl<F: for<'a> Function<Arguments<'a> = PidRef<'a>>> Hook for Hide<F> {
    type Function = F;

    #[inline]
    fn enter(entry: Entry<'_, F>) {
        if_confined(entry, |confined, pid, guard| {
            if is_hidden(confined, pid, guard) {
                refuse(Refusal::Hidden)
            } else {
                Verdict::Run
            }
        });
    }
}

/// A file belongs to a process group of members only, or stays with whom it has: the kernel sends its
/// signals, and nobody is asked then.
struct Own;

impl Hook for Own {
    type Function = FileSetOwner;

    #[inline]
    fn enter(entry: Entry<'_, FileSetOwner>) {
        if_confined(entry, |confined, OwningGroup(group), guard| {
            if confined.may_meet_group(group, guard) {
                Verdict::Run
            } else {
                refuse(Refusal::NotPermitted)
            }
        });
    }
}

/// A parent that is no member keeps its keyring.
struct Keyring;

impl Hook for Keyring {
    type Function = SessionToParent;

    #[inline]
    fn enter(entry: Entry<'_, SessionToParent>) {
        if_confined(entry, |confined, (), guard| {
            let parent = current_task(guard).and_then(|task| task.parent());
            if parent.is_some_and(|parent| !confined.may_meet_task(parent, guard)) {
                refuse(Refusal::NotPermitted)
            } else {
                Verdict::Run
            }
        });
    }
}
