// SPDX-License-Identifier: GPL-2.0

//! Finding a `struct pid` by number or by file, and the references that finders hand out.
//!
//! None of this calls a function that pidspace hooks: those answer members by other rules.

use crate::task::{
    PidRef,
    TaskRef, //
};
use kernel::{
    bindings,
    fs::LocalFile,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::{
        aref::ARef,
        rcu, //
    },
    task::Task, //
};

extern "C" {
    fn pidspace_get_pid(pid: *mut c_void);
    fn pidspace_next_pid(ns: *mut c_void, nr: *mut c_int) -> *mut c_void;
    fn pidspace_pidfd_pid(file: *mut c_void) -> *mut c_void;
}

/// A pid namespace, good for as long as a hook's call that was handed it, or that of the calling
/// task.
///
/// # Invariants
///
/// The pointer is to a `struct pid_namespace` that is not freed during `'a`.
#[derive(Clone, Copy)]
pub(crate) struct NsRef<'a> {
    ptr: *mut bindings::pid_namespace,
    _alive: core::marker::PhantomData<&'a bindings::pid_namespace>,
}

impl<'a> NsRef<'a> {
    /// Makes a view of `ptr`.
    ///
    /// # Safety
    ///
    /// `ptr` points to a pid namespace that is not freed during `'a`.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::pid_namespace) -> Self {
        // INVARIANT: The caller promises it.
        Self {
            ptr,
            _alive: core::marker::PhantomData,
        }
    }

    /// Returns the pid namespace of the calling task.
    ///
    /// # Context
    ///
    /// Process context, where `current` has not been reaped.
    pub(crate) fn of_current(_guard: &'a rcu::Guard) -> Self {
        // SAFETY: The calling task is alive, and it has not been reaped.
        let ns = unsafe { bindings::task_active_pid_ns(Task::current_raw()) };
        // SAFETY: A task that has not been reaped holds its pid namespace.
        unsafe { Self::from_raw(ns) }
    }

    /// Returns what is called `nr` here, as `find_pid_ns()`.
    pub(crate) fn find(self, nr: c_int, _guard: &rcu::Guard) -> Option<PidRef<'_>> {
        // SAFETY: The guard shows that RCU is held; the namespace is alive by the type invariant.
        let pid = unsafe { bindings::find_pid_ns(nr, self.ptr) };
        // SAFETY: What is found under RCU stays until the guard is gone.
        unsafe { PidRef::from_raw(pid) }
    }

    /// Returns all that have a number from `nr` on here, in that order, as `find_ge_pid()`.
    pub(crate) fn from<'g>(
        self,
        nr: c_int,
        _guard: &'g rcu::Guard,
    ) -> impl Iterator<Item = PidRef<'g>> + use<'a, 'g> {
        let mut next = nr;
        core::iter::from_fn(move || {
            // SAFETY: As for `find()`; the number is written to during this call only.
            let pid = unsafe { pidspace_next_pid(self.ptr.cast(), &raw mut next) };
            next = next.saturating_add(1);
            // SAFETY: What is found under RCU stays until the guard is gone.
            unsafe { PidRef::from_raw(pid.cast()) }
        })
    }
}

/// Returns a reference on the pid namespace of the calling task.
///
/// # Context
///
/// Process context, where `current` has not been reaped.
pub(crate) fn namespace_of_current() -> Option<ARef<PidNamespace>> {
    kernel::current!().active_pid_ns().map(ARef::from)
}

/// Returns what the calling task's pid namespace calls `nr`, as `find_vpid()`.
///
/// # Context
///
/// Process context, where `current` has not been reaped.
pub(crate) fn find_for_current(nr: c_int, guard: &rcu::Guard) -> Option<PidRef<'_>> {
    NsRef::of_current(guard).find(nr, guard)
}

/// Returns the `struct pid` that a pidfd stands for, or [`None`] for another kind of file.
pub(crate) fn pid_of_pidfd(file: &LocalFile) -> Option<PidRef<'_>> {
    // SAFETY: The file is open for as long as it is borrowed.
    let pid = unsafe { pidspace_pidfd_pid(file.as_ptr().cast()) }.cast();
    // SAFETY: A pidfd holds a reference on its `struct pid`.
    unsafe { PidRef::from_raw(pid) }
}

/// Takes a reference on `pid` for somebody else, as `get_pid()`, and returns the address.
pub(crate) fn refer_to_pid(pid: PidRef<'_>) -> usize {
    let ptr = pid.as_ptr().as_ptr();
    // SAFETY: The object is alive by the view's invariant.
    unsafe { pidspace_get_pid(ptr.cast()) };
    ptr as usize
}

/// Takes a reference on the task of `pid` for somebody else, as `get_pid_task()`, and returns the
/// address; 0 when there is no task.
pub(crate) fn refer_to_task(pid: PidRef<'_>) -> usize {
    // SAFETY: The object is alive by the view's invariant.
    let task =
        unsafe { bindings::get_pid_task(pid.as_ptr().as_ptr(), bindings::pid_type_PIDTYPE_PID) };
    task as usize
}

/// Returns the address of `pid`.
pub(crate) fn address_of_pid(pid: PidRef<'_>) -> usize {
    pid.as_ptr().as_ptr() as usize
}

/// Returns the address of `task`.
pub(crate) fn address_of_task(task: TaskRef<'_>) -> usize {
    task.as_ptr().as_ptr() as usize
}
