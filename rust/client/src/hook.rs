// SPDX-License-Identifier: GPL-2.0

//! The hooks into the kernel: what they are for, and how each of them fares.

use nix::errno::Errno;
use pidspace_uapi::*;

/// What hooks are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    /// Its bit in the mask of [`Abi`](crate::Abi).
    pub bit: u32,
    /// Its name.
    pub name: &'static str,
    /// What is lost while the bit is not set.
    pub loss: &'static str,
    /// Whether the bit is set as soon as the module is loaded.
    pub at_load: bool,
}

const fn at_load(bit: u32, name: &'static str, loss: &'static str) -> Purpose {
    Purpose {
        bit,
        name,
        loss,
        at_load: true,
    }
}

/// What hooks are for, as far as this crate knows.
pub const HOOKS: &[Purpose] = &[
    at_load(PIDSPACE_HOOK_FORK, "fork", "children would get no number"),
    at_load(
        PIDSPACE_HOOK_EXIT,
        "exit",
        "numbers would never be released",
    ),
    at_load(
        PIDSPACE_HOOK_NEWTASK,
        "newtask",
        "a child being born could escape a kill",
    ),
    at_load(
        PIDSPACE_HOOK_EXITING,
        "exiting",
        "exits would be neither told nor acted upon, and could tear an adoption apart",
    ),
    at_load(PIDSPACE_HOOK_EXEC, "exec", "new programs would not be told"),
    Purpose {
        bit: PIDSPACE_HOOK_SCOPE,
        name: "scope",
        loss: "there is no space in mode SCOPE",
        at_load: false,
    },
];

/// A hook: a function or tracepoint of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The name of the function or tracepoint.
    pub symbol: String,
    /// What is lost without it.
    pub loss: String,
    /// Whether what it belongs to does not work without it.
    pub required: bool,
    /// Whether it is in force.
    pub armed: bool,
    /// Whether it belongs to mode SCOPE.
    pub scope: bool,
    /// Why the last try to put it in force failed: EBUSY when another one changes the function
    /// already, EINVAL when the kernel has no such function or cannot trace it.
    pub error: Option<Errno>,
}

impl Hook {
    pub(crate) fn from_raw(raw: &pidspace_hook_info) -> Self {
        let has = |flag| raw.flags & flag != 0;
        Self {
            symbol: text(&raw.symbol),
            loss: text(&raw.loss),
            required: has(PIDSPACE_HOOK_F_REQUIRED),
            armed: has(PIDSPACE_HOOK_F_ARMED),
            scope: has(PIDSPACE_HOOK_F_SCOPE),
            error: (raw.error != 0).then(|| Errno::from_raw(raw.error)),
        }
    }
}

/// Reads text that is filled up with NULs.
fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|&byte| byte == 0).next();
    String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
}
