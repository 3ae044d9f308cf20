// SPDX-License-Identifier: GPL-2.0

//! Births: a child of a member gets its number, or is refused, before anybody can find it.

use super::{
    ftrace::{
        Entry,
        Hook,
        Verdict, //
    },
    functions::{
        CgroupCanFork,
        Forking, //
    },
};
use crate::{
    adopt,
    binding::Binding,
    membership,
    table::TABLE,
    task::{
        current_init_nr,
        TaskRef, //
    },
};
use kernel::{
    error::code::{
        EAGAIN,
        ERESTARTNOINTR, //
    },
    sync::rcu, //
};

/// Numbers or refuses a child.
pub(crate) struct Fork;

impl Hook for Fork {
    type Function = CgroupCanFork;

    #[inline]
    fn enter(entry: Entry<'_, CgroupCanFork>) {
        TABLE.with(current_init_nr(), |parent, guard| {
            if let Some(forking) = entry.arguments() {
                entry.decide(&fork(parent, &forking, guard));
            }
        });
    }
}

#[inline]
fn fork(parent: &Binding, forking: &Forking<'_>, guard: &rcu::Guard) -> Verdict {
    // io_uring repeats the fork of a worker, which is a thread, for ever on other errors than
    // EAGAIN; a thread is not told to restart.
    match membership::fork(forking.child, forking.is_thread, parent, guard) {
        Ok(()) => Verdict::Run,
        Err(ERESTARTNOINTR) => Verdict::Refuse(ERESTARTNOINTR),
        Err(_) => Verdict::Refuse(EAGAIN),
    }
}

/// Knows the child when it is visible, and takes it in if its parent was adopted during the fork.
#[inline]
pub(crate) fn newtask(child: TaskRef<'_>) {
    if !membership::newtask(child) {
        adopt::newtask(child);
    }
}
