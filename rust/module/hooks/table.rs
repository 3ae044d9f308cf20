// SPDX-License-Identifier: GPL-2.0

//! All hooks as a table: what each is, and whether it is in force.

use super::{
    arming::{
        self,
        State, //
    },
    functions::{
        CGROUP_CAN_FORK,
        FREE_PID, //
    },
    scope::FAMILIES,
    symbol::Symbol,
    tracepoints::{
        SCHED_PROCESS_EXEC,
        SCHED_PROCESS_EXIT,
        TASK_NEWTASK, //
    },
};
use crate::uapi;
use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    fmt,
    prelude::*, //
};

/// Those that are in force while the module is loaded.
static OF_LIVES: [Symbol; 5] = [
    CGROUP_CAN_FORK,
    FREE_PID,
    TASK_NEWTASK,
    SCHED_PROCESS_EXIT,
    SCHED_PROCESS_EXEC,
];

/// Returns what the hooks in force are for: bits of the uapi's `enum pidspace_hook`.
pub(crate) fn in_force() -> u32 {
    let of_lives = uapi::PIDSPACE_HOOK_FORK
        | uapi::PIDSPACE_HOOK_EXIT
        | uapi::PIDSPACE_HOOK_NEWTASK
        | uapi::PIDSPACE_HOOK_EXITING
        | uapi::PIDSPACE_HOOK_EXEC;
    if arming::is_armed() {
        of_lives | uapi::PIDSPACE_HOOK_SCOPE
    } else {
        of_lives
    }
}

/// Describes hook `index`, counted from 0; [`None`] when there are fewer.
///
/// # Context
///
/// Process context. Sleeps.
pub(crate) fn describe(index: usize) -> Option<uapi::pidspace_hook_info> {
    let (symbol, state, of_scope) = row(index)?;
    let mut flags = 0;
    if symbol.required {
        flags |= uapi::PIDSPACE_HOOK_F_REQUIRED;
    }
    if of_scope {
        flags |= uapi::PIDSPACE_HOOK_F_SCOPE;
    }
    if matches!(state, State::Armed) {
        flags |= uapi::PIDSPACE_HOOK_F_ARMED;
    }
    Some(uapi::pidspace_hook_info {
        flags,
        error: match state {
            State::Failed(error) => error.to_errno().saturating_neg(),
            _ => 0,
        },
        symbol: filled_up(symbol.name.to_bytes()),
        loss: filled_up(symbol.loss.as_bytes()),
    })
}

fn row(index: usize) -> Option<(&'static Symbol, State, bool)> {
    if let Some(symbol) = OF_LIVES.get(index) {
        return Some((symbol, State::Armed, false));
    }
    let index = index.checked_sub(OF_LIVES.len())?;
    let symbol = FAMILIES
        .iter()
        .flat_map(|family| family.symbols)
        .nth(index)?;
    Some((symbol, arming::state(symbol), true))
}

/// Returns as much of `text` as fits before a final NUL.
fn filled_up<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut bytes = text.iter().copied().take(N.saturating_sub(1));
    core::array::from_fn(|_| bytes.next().unwrap_or(0))
}

/// The table as a file of debugfs, which goes when it is dropped.
pub(crate) struct DebugFile {
    _file: Pin<KBox<File<()>>>,
}

impl DebugFile {
    /// Makes the file `pidspace/hooks`; there is none where debugfs does not let it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let dir = Dir::new(c"pidspace");
        let file = dir.read_callback_file(c"hooks", (), &print);
        Ok(Self {
            _file: KBox::pin_init(file, GFP_KERNEL)?,
        })
    }
}

fn print(_: &(), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for index in 0.. {
        let Some((symbol, state, of_scope)) = row(index) else {
            break;
        };
        let name = symbol.name.to_str().unwrap_or("?");
        let part = if of_scope { "scope" } else { "track" };
        let required = if symbol.required {
            "required"
        } else {
            "in depth"
        };
        write!(f, "{name:30} {part:6} {required:9} ")?;
        match state {
            State::Off => write!(f, "{:9}", "off")?,
            State::Armed => write!(f, "{:9}", "armed")?,
            State::Failed(error) => write!(f, "error {:<3}", error.to_errno())?,
        }
        writeln!(f, " {}", symbol.loss)?;
    }
    Ok(())
}
