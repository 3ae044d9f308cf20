// SPDX-License-Identifier: GPL-2.0

//! The end of a number: when the kernel frees the `struct pid`, and not before.

use super::{
    ftrace::{
        Hook,
        Verdict, //
    },
    functions::FreePid,
};
use crate::{
    membership,
    task::PidRef, //
};

/// Releases the number of a `struct pid` that nothing uses any more.
pub(crate) struct Exit;

impl Hook for Exit {
    type Function = FreePid;

    #[inline]
    fn enter(pid: PidRef<'_>) -> Verdict {
        membership::release(pid);
        Verdict::Run
    }
}
