// SPDX-License-Identifier: GPL-2.0

//! The kernel tracepoints that are probed, and their arguments.

use super::{
    exit,
    fork,
    symbol::Symbol,
    tracepoint::Probe, //
};
use crate::{
    membership,
    task::TaskRef, //
};
use kernel::{
    bindings,
    prelude::*, //
};

pub(super) const TASK_NEWTASK: Symbol = Symbol::required(
    c"task_newtask",
    "a signal or an adoption could miss a newborn",
);

pub(super) const SCHED_PROCESS_EXIT: Symbol = Symbol::required(
    c"sched_process_exit",
    "the end of a process would be missed",
);

pub(super) const SCHED_PROCESS_EXEC: Symbol =
    Symbol::required(c"sched_process_exec", "events would lack programs");

/// `task_newtask(struct task_struct *task, u64 clone_flags)`, in `copy_process()`, with no locks
/// held: the child is visible and cannot run yet. It fires for every kind of new task, io_uring's
/// and vhost's workers included.
pub(crate) struct Newtask;

/// `sched_process_exit(struct task_struct *p, bool group_dead)`, in `do_exit()` of the task, with no
/// locks held: the task has its children still, and its number.
pub(crate) struct Exiting;

/// `sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`, of the
/// calling task, with no locks held: the task is the leader of its process now, and its only thread.
pub(crate) struct Exec;

// SAFETY: `newtask()` has the prototype that is said above.
unsafe impl Probe for Newtask {
    const TRACEPOINT: Symbol = TASK_NEWTASK;

    fn callback() -> *mut c_void {
        newtask as *mut c_void
    }
}

// SAFETY: `exiting()` has the prototype that is said above.
unsafe impl Probe for Exiting {
    const TRACEPOINT: Symbol = SCHED_PROCESS_EXIT;

    fn callback() -> *mut c_void {
        exiting as *mut c_void
    }
}

// SAFETY: `exec()` has the prototype that is said above.
unsafe impl Probe for Exec {
    const TRACEPOINT: Symbol = SCHED_PROCESS_EXEC;

    fn callback() -> *mut c_void {
        exec as *mut c_void
    }
}

/// # Safety
///
/// Must only be called by the tracepoint `task_newtask`.
unsafe extern "C" fn newtask(
    _data: *mut c_void,
    child: *mut bindings::task_struct,
    _clone_flags: u64,
) {
    // SAFETY: The tracepoint's caller keeps the child during the call.
    if let Some(child) = unsafe { TaskRef::from_raw(child) } {
        fork::newtask(child);
    }
}

/// # Safety
///
/// Must only be called by the tracepoint `sched_process_exit`.
unsafe extern "C" fn exiting(
    _data: *mut c_void,
    task: *mut bindings::task_struct,
    group_dead: bool,
) {
    // SAFETY: The task is the calling one.
    if let Some(task) = unsafe { TaskRef::from_raw(task) } {
        exit::exiting(task, group_dead);
    }
}

/// # Safety
///
/// Must only be called by the tracepoint `sched_process_exec`.
unsafe extern "C" fn exec(
    _data: *mut c_void,
    _task: *mut bindings::task_struct,
    _old_pid: c_int,
    _bprm: *mut c_void,
) {
    membership::exec();
}
