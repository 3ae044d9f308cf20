// SPDX-License-Identifier: GPL-2.0

//! The hooks into the kernel: what they are, and all of them in force or none.

mod exit;
mod fork;
mod ftrace;
mod functions;
mod tracepoint;
mod tracepoints;

use self::{
    exit::Exit,
    fork::Fork,
    ftrace::FtraceHook,
    tracepoint::TracepointHook,
    tracepoints::{
        Exec,
        Exiting,
        Newtask, //
    },
};
use crate::uapi;
use kernel::prelude::*;

/// The hooks in force, as they are while a value of this type exists: bits of the uapi's
/// `enum pidspace_hook`.
pub(crate) const IN_FORCE: u32 = uapi::PIDSPACE_HOOK_FORK
    | uapi::PIDSPACE_HOOK_EXIT
    | uapi::PIDSPACE_HOOK_NEWTASK
    | uapi::PIDSPACE_HOOK_EXITING
    | uapi::PIDSPACE_HOOK_EXEC;

/// The hooks in force, by the kernel's names.
pub(crate) const NAMES: &str =
    "cgroup_can_fork(), free_pid(), task_newtask, sched_process_exit, sched_process_exec";

/// All hooks, in force.
///
/// Fields are dropped in declaration order: numbers stop being given out first, and are taken back
/// until the end.
pub(crate) struct Hooks {
    _fork: Pin<KBox<FtraceHook<Fork>>>,
    _newtask: TracepointHook<Newtask>,
    _exec: TracepointHook<Exec>,
    _exiting: TracepointHook<Exiting>,
    _exit: Pin<KBox<FtraceHook<Exit>>>,
}

impl Hooks {
    /// Puts all hooks in force.
    ///
    /// # Errors
    ///
    /// Those of the first hook that fails, which the kernel log names; none is in force then.
    pub(crate) fn arm() -> Result<Self> {
        let exit = KBox::pin_init(FtraceHook::register(), GFP_KERNEL)
            .inspect_err(|error| missing("free_pid()", "numbers would never be released", error))?;
        let exiting = TracepointHook::register().inspect_err(|error| {
            missing(
                "sched_process_exit",
                "the end of a process would be missed",
                error,
            )
        })?;
        let exec = TracepointHook::register().inspect_err(|error| {
            missing("sched_process_exec", "events would lack programs", error)
        })?;
        let newtask = TracepointHook::register()
            .inspect_err(|error| missing("task_newtask", "a kill could miss a newborn", error))?;
        let fork = KBox::pin_init(FtraceHook::register(), GFP_KERNEL).inspect_err(|error| {
            missing("cgroup_can_fork()", "children would get no numbers", error)
        })?;
        Ok(Self {
            _fork: fork,
            _newtask: newtask,
            _exec: exec,
            _exiting: exiting,
            _exit: exit,
        })
    }
}

fn missing(hook: &str, loss: &str, error: &Error) {
    pr_err!("cannot hook {hook} ({error:?}): without it {loss}, so the module is not loaded\n");
}
