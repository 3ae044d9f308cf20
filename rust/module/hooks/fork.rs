// SPDX-License-Identifier: GPL-2.0

//! Births: a child of a member gets its number, or is refused, before anybody can find it.

use super::{
    ftrace::{
        Entry,
        Hook,
        Verdict, //
    },
    functions::CgroupCanFork, //
};
use crate::{
    adopt,
    membership,
    task::TaskRef, //
};
use kernel::error::code::{
    EAGAIN,
    ERESTARTNOINTR, //
};

/// Numbers or refuses a child.
pub(crate) struct Fork;

impl Hook for Fork {
    type Function = CgroupCanFork;

    #[inline]
    fn enter(entry: Entry<'_, CgroupCanFork>) -> Verdict {
        let Some(forking) = entry.arguments() else {
            return Verdict::Run;
        };
        // io_uring repeats the fork of a worker, which is a thread, for ever on other errors than
        // EAGAIN; a thread is not told to restart.
        match membership::fork(forking.child, forking.is_thread) {
            Ok(()) => Verdict::Run,
            Err(ERESTARTNOINTR) => Verdict::Refuse(ERESTARTNOINTR),
            Err(_) => Verdict::Refuse(EAGAIN),
        }
    }
}

/// Knows the child when it is visible, and takes it in if its parent was adopted during the fork.
#[inline]
pub(crate) fn newtask(child: TaskRef<'_>) {
    if !membership::newtask(child) {
        adopt::newtask(child);
    }
}
