// SPDX-License-Identifier: GPL-2.0

//! The end of a process, and the end of a number: when the kernel frees the `struct pid`, and not
//! before.

use super::{
    ftrace::{
        Entry,
        Hook, //
    },
    functions::FreePid,
};
use crate::{
    adopt,
    membership,
    task::TaskRef, //
};

/// Releases the number of a `struct pid` that nothing uses any more.
pub(crate) struct Exit;

impl Hook for Exit {
    type Function = FreePid;

    #[inline]
    fn enter(entry: Entry<'_, FreePid>) {
        if let Some(pid) = entry.arguments() {
            membership::release(pid);
        }
    }
}

/// Takes notice that `task`, the calling one, ends; it is the `last` thread of its process or not.
#[inline]
pub(crate) fn exiting(task: TaskRef<'_>, last: bool) {
    adopt::exiting(task, last);
    if last {
        membership::exited(task);
    }
}
