// SPDX-License-Identifier: GPL-2.0

//! Mode SCOPE of the stand-in: its hooks, and who may be confined.

use std::fs;

use nix::errno::Errno;
use nix::sys::prctl::get_no_new_privs;
use pidspace_uapi::*;

use super::State;

/// The hooks of the stand-in, in the state that they have once the module is loaded.
const HOOKS: &[(&str, u32, &str)] = &[
    ("free_pid", AT_LOAD, "numbers would never be released"),
    ("cgroup_can_fork", AT_LOAD, "children would get no number"),
    (
        "find_vpid",
        REQUIRED,
        "kill(2) and more find processes outside",
    ),
    ("do_prlimit", OPTIONAL, "only look-ups guard prlimit(2)"),
];

const OPTIONAL: u32 = PIDSPACE_HOOK_F_SCOPE;
const REQUIRED: u32 = PIDSPACE_HOOK_F_SCOPE | PIDSPACE_HOOK_F_REQUIRED;
const AT_LOAD: u32 = PIDSPACE_HOOK_F_REQUIRED | PIDSPACE_HOOK_F_ARMED;

/// The hooks after loading.
pub(super) fn hooks() -> Vec<pidspace_hook_info> {
    let hooks = HOOKS.iter();
    hooks
        .map(|&(symbol, flags, loss)| pidspace_hook_info {
            flags,
            error: 0,
            symbol: filled_up(symbol),
            loss: filled_up(loss),
        })
        .collect()
}

/// Text with NULs behind it.
pub(super) fn filled_up<const N: usize>(text: &str) -> [u8; N] {
    let mut raw = [0; N];
    for (to, from) in raw.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    raw
}

impl State {
    /// Makes sure that spaces of that mode can be.
    pub(super) fn enable(&mut self, mode: u32) -> Result<(), Errno> {
        match mode {
            PIDSPACE_MODE_TRACK => Ok(()),
            PIDSPACE_MODE_SCOPE => self.arm(),
            PIDSPACE_MODE_VIEW => Err(Errno::EOPNOTSUPP),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Puts the hooks of mode SCOPE in force, unless a required one is held by another.
    fn arm(&mut self) -> Result<(), Errno> {
        if self.abi.hooks & PIDSPACE_HOOK_SCOPE != 0 {
            return Ok(());
        }
        let scope = |hook: &&mut pidspace_hook_info| hook.flags & PIDSPACE_HOOK_F_SCOPE != 0;
        for hook in self.hooks.iter_mut().filter(scope) {
            let held = self.held.iter().find(|(symbol, _)| *symbol == hook.symbol);
            hook.error = held.map_or(0, |&(_, errno)| errno as i32);
        }
        let failed = |hook: &&pidspace_hook_info| {
            hook.flags & PIDSPACE_HOOK_F_REQUIRED != 0 && hook.error != 0
        };
        if let Some(hook) = self.hooks.iter().find(failed) {
            return Err(Errno::from_raw(hook.error));
        }
        for hook in self.hooks.iter_mut().filter(|hook| hook.error == 0) {
            hook.flags |= PIDSPACE_HOOK_F_ARMED;
        }
        self.abi.hooks |= PIDSPACE_HOOK_SCOPE;
        Ok(())
    }

    /// Whether the calling thread may have its children born in a space of that mode.
    pub(super) fn may_spawn(&self, mode: u32) -> bool {
        mode == PIDSPACE_MODE_TRACK || !self.unprivileged || get_no_new_privs() == Ok(true)
    }

    /// Whether a process may be in a space of that mode.
    pub(super) fn may_confine(&self, global: u32, mode: u32) -> bool {
        let status = || fs::read_to_string(format!("/proc/{global}/status")).unwrap_or_default();
        mode == PIDSPACE_MODE_TRACK
            || !self.unprivileged
            || status().lines().any(|line| line == "NoNewPrivs:\t1")
    }
}
