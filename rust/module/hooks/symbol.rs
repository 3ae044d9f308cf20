// SPDX-License-Identifier: GPL-2.0

//! What is known of a hook before it is in force.

use kernel::prelude::*;

/// A function or a tracepoint of the kernel that is hooked.
pub(crate) struct Symbol {
    pub(crate) name: &'static CStr,
    /// Whether what it belongs to does not work without it.
    pub(crate) required: bool,
    /// What is lost without it.
    pub(crate) loss: &'static str,
}

impl Symbol {
    /// A hook that must be there.
    pub(crate) const fn required(name: &'static CStr, loss: &'static str) -> Self {
        Self {
            name,
            required: true,
            loss,
        }
    }

    /// A hook that does again what others do: it may be missing.
    pub(crate) const fn in_depth(name: &'static CStr, loss: &'static str) -> Self {
        Self {
            name,
            required: false,
            loss,
        }
    }

    /// Tells the log why the hook is not in force.
    pub(crate) fn report(&self, error: Error, consequence: &str) {
        let name = self.name.to_str().unwrap_or("?");
        let loss = self.loss;
        pr_err!("cannot hook {name} ({error:?}): without it {loss}; {consequence}\n");
    }
}
