// SPDX-License-Identifier: GPL-2.0

//! The kernel functions that are hooked, and their arguments.

use super::{
    ftrace::{
        Call,
        Function, //
    },
    symbol::Symbol, //
};
use crate::task::{
    PidRef,
    TaskRef, //
};
use kernel::bindings;

pub(super) const CGROUP_CAN_FORK: Symbol =
    Symbol::required(c"cgroup_can_fork", "children would get no numbers");

pub(super) const FREE_PID: Symbol =
    Symbol::required(c"free_pid", "numbers would never be released");

/// `int cgroup_can_fork(struct task_struct *child, struct kernel_clone_args *kargs)`, called by
/// `copy_process()` only, with no locks held, when the child has its `struct pid` and nobody can
/// find the child yet. When it fails, `copy_process()` undoes everything, `free_pid()` included.
pub(crate) struct CgroupCanFork;

/// The arguments of [`CgroupCanFork`].
pub(crate) struct Forking<'a> {
    /// The child.
    pub(crate) child: TaskRef<'a>,
    /// Whether it is a thread of the caller's process.
    pub(crate) is_thread: bool,
}

// SAFETY: The arguments are read as the prototype above has them; both objects outlive the call.
unsafe impl Function for CgroupCanFork {
    const SYMBOLS: &'static [Symbol] = &[CGROUP_CAN_FORK];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = Forking<'a>;

    fn arguments(call: Call<'_>) -> Option<Forking<'_>> {
        let child = call.argument::<0>() as *mut bindings::task_struct;
        let kargs = call.argument::<1>() as *const bindings::kernel_clone_args;
        // SAFETY: `copy_process()` owns the child during the call.
        let child = unsafe { TaskRef::from_raw(child) }?;
        // SAFETY: `copy_process()`'s callers own the arguments during the call.
        let flags = unsafe { (*kargs).flags };
        Some(Forking {
            child,
            is_thread: flags & u64::from(bindings::CLONE_THREAD) != 0,
        })
    }
}

/// `void free_pid(struct pid *pid)`, called when nothing uses the pid any more, with no locks held;
/// the pid is freed a grace period later.
pub(crate) struct FreePid;

// SAFETY: The argument is read as the prototype above has it; the object outlives the call.
unsafe impl Function for FreePid {
    const SYMBOLS: &'static [Symbol] = &[FREE_PID];
    const MAY_REFUSE: bool = false;
    type Arguments<'a> = PidRef<'a>;

    fn arguments(call: Call<'_>) -> Option<PidRef<'_>> {
        let pid = call.argument::<0>() as *mut bindings::pid;
        // SAFETY: The caller of `free_pid()` hands over a pid that is freed later.
        unsafe { PidRef::from_raw(pid) }
    }
}
