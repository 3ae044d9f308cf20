// SPDX-License-Identifier: GPL-2.0

//! The hooks into the kernel: those of the lives of tasks, which are in force while the module is
//! loaded, and those of mode SCOPE, from the first such space on.

mod arming;
mod exit;
mod fork;
mod ftrace;
mod functions;
mod scope;
mod scope_functions;
mod symbol;
mod table;
mod tracepoint;
mod tracepoints;

pub(crate) use self::{
    arming::arm as arm_scope,
    table::{
        describe,
        in_force,
        DebugFile, //
    },
};
use self::{
    exit::Exit,
    fork::Fork,
    ftrace::{
        Family,
        FtraceHook, //
    },
    functions::{
        CGROUP_CAN_FORK,
        FREE_PID, //
    },
    symbol::Symbol,
    tracepoint::{
        Probe,
        TracepointHook, //
    },
    tracepoints::{
        Exec,
        Exiting,
        Newtask, //
    },
};
use kernel::prelude::*;

static FORK: Family = Family::of::<Fork>();
static FREE: Family = Family::of::<Exit>();
static FORK_SYMBOL: Symbol = CGROUP_CAN_FORK;
static FREE_SYMBOL: Symbol = FREE_PID;

/// The hooks of the lives of tasks, in force.
///
/// Fields are dropped in declaration order: members are not confined any more, numbers stop being
/// given out, and are taken back until the end.
pub(crate) struct Hooks {
    _scope: arming::Disarm,
    _fork: Pin<KBox<FtraceHook>>,
    _newtask: TracepointHook<Newtask>,
    _exec: TracepointHook<Exec>,
    _exiting: TracepointHook<Exiting>,
    _free: Pin<KBox<FtraceHook>>,
}

impl Hooks {
    /// Puts all of them in force.
    ///
    /// # Errors
    ///
    /// Those of the first hook that fails, which the kernel log names; none is in force then.
    ///
    /// # Safety
    ///
    /// Must be called once, before anything else of this folder.
    pub(crate) unsafe fn arm() -> Result<Self> {
        // SAFETY: The caller promises it.
        let scope = unsafe { arming::Disarm::new() };
        let free = function(&FREE, &FREE_SYMBOL)?;
        let exiting = tracepoint()?;
        let exec = tracepoint()?;
        let newtask = tracepoint()?;
        let fork = function(&FORK, &FORK_SYMBOL)?;
        Ok(Self {
            _scope: scope,
            _fork: fork,
            _newtask: newtask,
            _exec: exec,
            _exiting: exiting,
            _free: free,
        })
    }
}

const NOT_LOADED: &str = "the module is not loaded";

fn function(family: &'static Family, symbol: &'static Symbol) -> Result<Pin<KBox<FtraceHook>>> {
    FtraceHook::register(family, symbol).inspect_err(|error| symbol.report(*error, NOT_LOADED))
}

fn tracepoint<P: Probe>() -> Result<TracepointHook<P>> {
    TracepointHook::register().inspect_err(|error| P::TRACEPOINT.report(*error, NOT_LOADED))
}
