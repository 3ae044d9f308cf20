// SPDX-License-Identifier: GPL-2.0

//! Safe views of `struct pid` and `struct task_struct`.
//!
//! A view is good for as long as the RCU read-side critical section that it was got in, or for as
//! long as a hook's call that was handed the object. The kernel frees both only a grace period
//! after they were last reachable.
//!
//! None of this calls a function that pidspace may hook: those answer members by other rules.

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::to_result,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::rcu,
    task::Task, //
};

extern "C" {
    fn pidspace_find_init_pid(nr: c_int) -> *mut c_void;
    fn pidspace_in_task() -> bool;
    fn pidspace_no_new_privs(task: *mut c_void) -> bool;
}

/// What a task uses a `struct pid` for, as the kernel's `enum pid_type`.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// Its process, `PIDTYPE_TGID`.
    Tgid,
    /// Its process group, `PIDTYPE_PGID`.
    Pgid,
    /// Its session, `PIDTYPE_SID`.
    Sid,
}

/// A `struct pid`.
///
/// # Invariants
///
/// The pointer is to a `struct pid` that is not freed during `'a`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PidRef<'a> {
    ptr: NonNull<bindings::pid>,
    _alive: PhantomData<&'a bindings::pid>,
}

impl<'a> PidRef<'a> {
    /// Makes a view of `ptr`, or [`None`] of a null pointer.
    ///
    /// # Safety
    ///
    /// `ptr` is null or points to a `struct pid` that is not freed during `'a`.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::pid) -> Option<Self> {
        // INVARIANT: The caller promises it.
        NonNull::new(ptr).map(|ptr| Self {
            ptr,
            _alive: PhantomData,
        })
    }

    /// Returns the pointer, which tells this `struct pid` from every other one.
    pub(crate) fn as_ptr(self) -> NonNull<bindings::pid> {
        self.ptr
    }

    fn upids(self) -> *const bindings::upid {
        // SAFETY: The object is alive by the type invariant; the array is written before the
        // object is published and never after.
        unsafe { &(*self.ptr.as_ptr()).numbers }.as_ptr()
    }

    /// Returns what the initial pid namespace calls it: unique until `free_pid()`.
    pub(crate) fn init_nr(self) -> u32 {
        // SAFETY: Every `struct pid` has a number at level 0.
        unsafe { (*self.upids()).nr as u32 }
    }

    /// Returns what the pid namespace of the calling task calls it, 0 if nothing.
    ///
    /// # Context
    ///
    /// Process context, where `current` has not been reaped.
    pub(crate) fn nr_for_current(self) -> u32 {
        // SAFETY: The calling task is alive, and it has not been reaped.
        self.nr_in_raw(unsafe { bindings::task_active_pid_ns(Task::current_raw()) })
    }

    /// Returns what `ns` calls it, 0 if nothing.
    pub(crate) fn nr_in(self, ns: &PidNamespace) -> u32 {
        self.nr_in_raw(ns.as_ptr())
    }

    fn nr_in_raw(self, ns: *mut bindings::pid_namespace) -> u32 {
        // SAFETY: The callers hold the namespace: a reference, or the calling task's own one.
        let ns_level = unsafe { (*ns).level };
        // SAFETY: The object is alive by the type invariant.
        let level = unsafe { (*self.ptr.as_ptr()).level };
        if ns_level > level {
            return 0;
        }
        // SAFETY: The array has `level + 1` entries.
        let upid = unsafe { &*self.upids().add(ns_level as usize) };
        if upid.ns == ns {
            upid.nr.unsigned_abs()
        } else {
            0
        }
    }

    /// Returns whether a task, a process group or a session uses it.
    pub(crate) fn is_in_use(self) -> bool {
        // SAFETY: The object is alive by the type invariant.
        let tasks = unsafe { &raw const (*self.ptr.as_ptr()).tasks };
        (0..bindings::pid_type_PIDTYPE_MAX as usize).any(|role| {
            // SAFETY: The array has PIDTYPE_MAX entries.
            let head = unsafe { tasks.cast::<bindings::hlist_head>().add(role) };
            // SAFETY: The object is alive by the type invariant.
            let first = unsafe { &raw const (*head).first };
            // SAFETY: The field is written by others at any time, as a whole word.
            !unsafe { first.read_volatile() }.is_null()
        })
    }

    /// Returns the task whose id this is, as `pid_task(pid, PIDTYPE_PID)`.
    pub(crate) fn task(self, guard: &'a rcu::Guard) -> Option<TaskRef<'a>> {
        self.task_as(bindings::pid_type_PIDTYPE_PID, guard)
    }

    /// Returns the leader of the process whose id this is, as `pid_task(pid, PIDTYPE_TGID)`.
    pub(crate) fn process(self, guard: &'a rcu::Guard) -> Option<TaskRef<'a>> {
        self.task_as(bindings::pid_type_PIDTYPE_TGID, guard)
    }

    fn task_as(self, role: bindings::pid_type, _guard: &'a rcu::Guard) -> Option<TaskRef<'a>> {
        // SAFETY: The object is alive by the type invariant, and the guard shows that RCU is
        // held, which `pid_task()` expects and which keeps the task.
        let task = unsafe { bindings::pid_task(self.ptr.as_ptr(), role) };
        // SAFETY: As said above.
        unsafe { TaskRef::from_raw(task) }
    }

    /// Kills the process as the kernel does: nobody's permission is asked.
    ///
    /// # Context
    ///
    /// Process context. Takes the target's siglock. Does not sleep.
    pub(crate) fn force_kill(self) {
        // SAFETY: The object is alive by the type invariant.
        unsafe { bindings::kill_pid(self.ptr.as_ptr(), bindings::SIGKILL as c_int, 1) };
    }

    /// Signals the process as kill(2) does: with the credentials of the calling task.
    ///
    /// # Context
    ///
    /// Process context. Takes the target's siglock. Does not sleep.
    pub(crate) fn kill(self, sig: c_int) -> Result {
        // SAFETY: The object is alive by the type invariant.
        to_result(unsafe { bindings::kill_pid(self.ptr.as_ptr(), sig, 0) })
    }
}

/// A task.
///
/// # Invariants
///
/// The pointer is to a `struct task_struct` that is not freed during `'a`, which keeps its
/// `signal_struct` too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskRef<'a> {
    ptr: NonNull<bindings::task_struct>,
    _alive: PhantomData<&'a bindings::task_struct>,
}

impl<'a> TaskRef<'a> {
    /// Makes a view of `ptr`, or [`None`] of a null pointer.
    ///
    /// # Safety
    ///
    /// `ptr` is null or points to a task that is not freed during `'a`.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::task_struct) -> Option<Self> {
        // INVARIANT: The caller promises it.
        NonNull::new(ptr).map(|ptr| Self {
            ptr,
            _alive: PhantomData,
        })
    }

    /// Returns the pointer, which tells this task from every other one.
    pub(crate) fn as_ptr(self) -> NonNull<bindings::task_struct> {
        self.ptr
    }

    /// Returns whether the task is a thread of the kernel, its workers for processes left out.
    pub(crate) fn is_kernel_thread(self) -> bool {
        // SAFETY: The task is alive by the type invariant.
        let field = unsafe { &raw const (*self.ptr.as_ptr()).flags };
        // SAFETY: The field is written by others at any time, as a whole word.
        unsafe { field.read_volatile() & bindings::PF_KTHREAD != 0 }
    }

    /// Returns what the initial pid namespace calls the task, or called it before it was reaped.
    #[inline]
    pub(crate) fn init_nr(self) -> u32 {
        // SAFETY: The task is alive by the type invariant.
        let field = unsafe { &raw const (*self.ptr.as_ptr()).pid };
        // SAFETY: An execve(2) of another thread may write the field, as a whole word.
        unsafe { field.read_volatile() as u32 }
    }

    /// Returns what the initial pid namespace calls the task's process.
    #[inline]
    pub(crate) fn process_init_nr(self) -> u32 {
        // SAFETY: The task is alive by the type invariant; its process never changes.
        unsafe { (*self.ptr.as_ptr()).tgid as u32 }
    }

    /// Returns the task's own `struct pid`; a reaped task has none.
    pub(crate) fn pid(self) -> Option<PidRef<'a>> {
        // SAFETY: The task is alive by the type invariant.
        let field = unsafe { &raw const (*self.ptr.as_ptr()).thread_pid };
        // SAFETY: The field is written by others at any time, as a whole word.
        let pid = unsafe { field.read_volatile() };
        // SAFETY: A task's pid is freed a grace period after it was taken off the task.
        unsafe { PidRef::from_raw(pid) }
    }

    /// Returns the `struct pid` that the task's process uses in `role`; a reaped one has none.
    pub(crate) fn pid_as(self, role: Role) -> Option<PidRef<'a>> {
        let index = match role {
            Role::Tgid => bindings::pid_type_PIDTYPE_TGID,
            Role::Pgid => bindings::pid_type_PIDTYPE_PGID,
            Role::Sid => bindings::pid_type_PIDTYPE_SID,
        };
        // SAFETY: The task and its `signal_struct` are alive by the type invariant.
        let pids = unsafe { &raw const (*self.signal()).pids };
        // SAFETY: `index` is below the length of the array, PIDTYPE_MAX.
        let field = unsafe { pids.cast::<*mut bindings::pid>().add(index as usize) };
        // SAFETY: The field is written by others at any time, as a whole word.
        let pid = unsafe { field.read_volatile() };
        // SAFETY: As for `pid()`.
        unsafe { PidRef::from_raw(pid) }
    }

    /// Returns the parent that would reap the task.
    pub(crate) fn parent(self) -> Option<TaskRef<'a>> {
        // SAFETY: The task is alive by the type invariant.
        let field = unsafe { &raw const (*self.ptr.as_ptr()).real_parent };
        // SAFETY: The field is written by others at any time, as a whole word.
        let parent = unsafe { field.read_volatile() };
        // SAFETY: A parent is freed a grace period after its children were handed on.
        unsafe { TaskRef::from_raw(parent) }
    }

    /// Returns whether the task has exited and waits to be reaped.
    pub(crate) fn is_zombie(self) -> bool {
        // SAFETY: The task is alive by the type invariant.
        let field = unsafe { &raw const (*self.ptr.as_ptr()).exit_state };
        // SAFETY: The field is written by others at any time, as a whole word.
        unsafe { field.read_volatile() != 0 }
    }

    /// Returns whether every thread of the task's process has exited.
    pub(crate) fn process_has_exited(self) -> bool {
        // SAFETY: The task and its `signal_struct` are alive by the type invariant.
        let field = unsafe { &raw const (*self.signal()).live.counter };
        // SAFETY: The field is written by others at any time, as a whole word.
        unsafe { field.read_volatile() == 0 }
    }

    /// Returns whether the task is to act on signal `sig` as soon as it returns to user mode, where
    /// the signal is pending and not blocked, or is to stop there.
    ///
    /// # Context
    ///
    /// Process context, of the task itself.
    pub(crate) fn awaits_signal(self, sig: u32) -> bool {
        // Without this the kernel would not look for a signal on the way to user mode.
        if !kernel::current!().signal_pending() {
            return false;
        }
        let bit = 1_u64.checked_shl(sig.wrapping_sub(1)).unwrap_or(0);
        let word = |set: *const bindings::sigset_t| {
            // SAFETY: The set is in the task or in its `signal_struct`, which are alive by the type
            // invariant, and written by others at any time, as a whole word.
            unsafe { set.cast::<u64>().read_volatile() }
        };
        let task = self.ptr.as_ptr();
        // SAFETY: The task is alive by the type invariant, here and below.
        let own = word(unsafe { &raw const (*task).pending.signal });
        // SAFETY: As above, and its `signal_struct` too.
        let shared = word(unsafe { &raw const (*self.signal()).shared_pending.signal });
        // SAFETY: As above.
        let blocked = word(unsafe { &raw const (*task).blocked });
        // SAFETY: As above.
        let jobctl = unsafe { (&raw const (*task).jobctl).read_volatile() };
        (own | shared) & !blocked & bit != 0
            || jobctl & bindings::JOBCTL_STOP_PENDING as c_ulong != 0
    }

    /// Returns whether execve(2) grants the task nothing that it has not got, for ever.
    pub(crate) fn has_no_new_privs(self) -> bool {
        // SAFETY: The task is alive by the type invariant.
        unsafe { pidspace_no_new_privs(self.ptr.as_ptr().cast()) }
    }

    /// Returns whether the task is ending: it makes no system calls any more.
    pub(crate) fn is_exiting(self) -> bool {
        // SAFETY: The task is alive by the type invariant.
        let field = unsafe { &raw const (*self.ptr.as_ptr()).flags };
        // SAFETY: The field is written by others at any time, as a whole word.
        unsafe { field.read_volatile() & bindings::PF_EXITING != 0 }
    }

    /// Returns whether the task's process is on its way out as a whole, as after SIGKILL.
    pub(crate) fn process_is_exiting(self) -> bool {
        // SAFETY: The task and its `signal_struct` are alive by the type invariant.
        let field = unsafe { &raw const (*self.signal()).flags };
        // SAFETY: The field is written by others at any time, as a whole word.
        let flags = unsafe { field.read_volatile() };
        flags & bindings::SIGNAL_GROUP_EXIT != 0
    }

    /// Kills a task that cannot run yet, as the kernel does: nobody's permission is asked.
    ///
    /// # Context
    ///
    /// Process context. Takes the target's siglock. Does not sleep.
    pub(crate) fn force_kill(self) {
        // SAFETY: The task is alive by the type invariant.
        unsafe { bindings::send_sig(bindings::SIGKILL as c_int, self.ptr.as_ptr(), 1) };
    }

    /// Returns the `struct pid` of a task that is being forked.
    ///
    /// Between `alloc_pid()` and `init_task_pid()` the task has its number, but `thread_pid` is
    /// still the parent's.
    pub(crate) fn pid_of_unborn(self, _guard: &'a rcu::Guard) -> Option<PidRef<'a>> {
        // SAFETY: The task is alive by the type invariant and not yet visible to others.
        let nr = unsafe { (*self.ptr.as_ptr()).pid };
        // SAFETY: The guard shows that RCU is held.
        let pid = unsafe { pidspace_find_init_pid(nr) }.cast();
        // SAFETY: What is found under RCU stays until the guard is gone.
        unsafe { PidRef::from_raw(pid) }
    }

    /// Returns what the task's process and its threads share.
    pub(crate) fn signal(self) -> *mut bindings::signal_struct {
        // SAFETY: The task is alive by the type invariant; the pointer is set before the task is
        // visible and never changes.
        unsafe { (*self.ptr.as_ptr()).signal }
    }
}

/// Returns what the initial pid namespace calls the calling task.
#[inline]
pub(crate) fn current_init_nr() -> u32 {
    // SAFETY: The calling task outlives everything that it does, and is the only one to write this.
    unsafe { (*Task::current_raw()).pid as u32 }
}

/// Returns what the initial pid namespace calls the calling task's process.
#[inline]
pub(crate) fn current_process_init_nr() -> u32 {
    // SAFETY: The calling task outlives everything that it does; its process never changes.
    unsafe { (*Task::current_raw()).tgid as u32 }
}

/// Returns the calling task's `struct pid`; [`None`] when the task has been reaped, which happens
/// before its last instructions.
pub(crate) fn current_pid(guard: &rcu::Guard) -> Option<PidRef<'_>> {
    current_task(guard)?.pid()
}

/// Returns the `struct pid` of the calling task's process.
pub(crate) fn current_process(guard: &rcu::Guard) -> Option<PidRef<'_>> {
    current_task(guard)?.pid_as(Role::Tgid)
}

/// Returns the calling task.
pub(crate) fn current_task(_guard: &rcu::Guard) -> Option<TaskRef<'_>> {
    // SAFETY: The calling task outlives everything that it does.
    unsafe { TaskRef::from_raw(Task::current_raw()) }
}

/// Returns whether the calling task itself runs, and no interrupt that came upon it.
///
/// # Context
///
/// Any context.
pub(crate) fn in_task() -> bool {
    // SAFETY: May be called in any context.
    unsafe { pidspace_in_task() }
}
