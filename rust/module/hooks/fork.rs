// SPDX-License-Identifier: GPL-2.0

//! Births: a child of a member gets its number, or is refused, before anybody can find it.

use super::{
    ftrace::{
        Hook,
        Verdict, //
    },
    functions::{
        CgroupCanFork,
        Forking, //
    },
    tracepoint::NewtaskProbe,
};
use crate::{
    membership,
    task::TaskRef, //
};

/// Numbers or refuses a child.
pub(crate) struct Fork;

impl Hook for Fork {
    type Function = CgroupCanFork;

    #[inline]
    fn enter(forking: Forking<'_>) -> Verdict {
        // Whatever the reason is: io_uring repeats a fork for ever on some errors, not on EAGAIN.
        match membership::fork(forking.child, forking.is_thread) {
            Ok(()) => Verdict::Run,
            Err(_) => Verdict::Eagain,
        }
    }
}

/// Catches a child that was being born while its space was killed.
pub(crate) struct Newtask;

impl NewtaskProbe for Newtask {
    #[inline]
    fn newtask(child: TaskRef<'_>) {
        membership::newtask(child);
    }
}
