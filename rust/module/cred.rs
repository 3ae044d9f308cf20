// SPDX-License-Identifier: GPL-2.0

//! Credentials: what the calling task may do, and acting with those of another.

use core::marker::PhantomData;
use kernel::{
    bindings,
    fs::LocalFile,
    prelude::*,
    task::Kuid, //
};

extern "C" {
    fn pidspace_override_creds(file: *mut c_void) -> *const c_void;
    fn pidspace_revert_creds(old: *const c_void);
}

/// Returns whether the calling task has CAP_SYS_ADMIN in the initial user namespace.
pub(crate) fn is_admin() -> bool {
    // SAFETY: Reads the credentials of the calling task only.
    unsafe { bindings::capable(bindings::CAP_SYS_ADMIN as c_int) }
}

/// Returns `uid` as a plain number that tells users of the whole machine apart.
pub(crate) fn raw_uid(uid: Kuid) -> u32 {
    uid.into_raw().val
}

/// Returns `uid` as the calling task knows it, like stat(2): the overflow uid if it does not.
pub(crate) fn shown_uid(uid: Kuid) -> u32 {
    // SAFETY: The calling task holds its own user namespace.
    let ns = unsafe { bindings::current_user_ns() };
    // SAFETY: As above, and the calling task does not change it here.
    unsafe { bindings::from_kuid_munged(ns, uid.into_raw()) }
}

/// Lets the calling task act with the credentials of another until it is dropped.
pub(crate) struct Impersonation<'a> {
    own: *const c_void,
    _file: PhantomData<&'a LocalFile>,
}

impl<'a> Impersonation<'a> {
    /// Takes on the credentials that `file` was opened with.
    ///
    /// # Context
    ///
    /// Process context.
    pub(crate) fn of_opener(file: &'a LocalFile) -> Self {
        // SAFETY: The file holds its credentials for as long as it is borrowed.
        let own = unsafe { pidspace_override_creds(file.as_ptr().cast()) };
        Self {
            own,
            _file: PhantomData,
        }
    }
}

impl Drop for Impersonation<'_> {
    fn drop(&mut self) {
        // SAFETY: These are the calling task's own, as a raw pointer keeps this on its thread.
        unsafe { pidspace_revert_creds(self.own) };
    }
}
