// SPDX-License-Identifier: GPL-2.0

//! Processes: all of them, the threads of one, and what one has used.

use crate::{
    logic::CpuTime,
    task::TaskRef, //
};
use core::iter;
use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    sync::rcu, //
};

extern "C" {
    fn pidspace_next_process(task: *mut c_void) -> *mut c_void;
    fn pidspace_cpu_time(task: *mut c_void, user: &mut u64, system: &mut u64, runtime: &mut u64);
    fn pidspace_first_thread(task: *mut c_void) -> *mut c_void;
    fn pidspace_next_thread(task: *mut c_void) -> *mut c_void;
}

/// How a process ended, and what it has used until then.
pub(crate) struct Report {
    /// The status as wait(2) encodes it.
    pub(crate) status: u32,
    pub(crate) cpu: CpuTime,
    /// The largest resident set, in kilobytes.
    pub(crate) max_rss: u64,
}

/// Returns every process in the order of birth, by its leader. A process that is born meanwhile
/// may be left out, one that ends may be in.
///
/// # Context
///
/// Any context.
pub(crate) fn all(guard: &rcu::Guard) -> impl Iterator<Item = TaskRef<'_>> {
    let next = |task: *mut bindings::task_struct, _guard| {
        // SAFETY: `task` is the idle task or one that was got under the same guard.
        let next = unsafe { pidspace_next_process(task.cast()) };
        // SAFETY: What is on the list under RCU is not freed before the guard is gone.
        unsafe { TaskRef::from_raw(next.cast()) }
    };
    iter::successors(next(&raw mut bindings::init_task, guard), move |task| {
        next(task.as_ptr().as_ptr(), guard)
    })
}

/// Returns every thread of the process of `task`.
///
/// # Context
///
/// Any context.
pub(crate) fn threads<'a>(
    task: TaskRef<'a>,
    _guard: &'a rcu::Guard,
) -> impl Iterator<Item = TaskRef<'a>> {
    // SAFETY: The task is alive, and the guard shows that RCU is held.
    let first = unsafe { pidspace_first_thread(task.as_ptr().as_ptr().cast()) };
    // SAFETY: What is on the list under RCU is not freed before the guard is gone.
    iter::successors(unsafe { TaskRef::from_raw(first.cast()) }, |thread| {
        // SAFETY: `thread` was got under RCU, which is still held.
        let next = unsafe { pidspace_next_thread(thread.as_ptr().as_ptr().cast()) };
        // SAFETY: As above.
        unsafe { TaskRef::from_raw(next.cast()) }
    })
}

/// Returns how the process of `task` ended.
///
/// # Context
///
/// Process context, from `sched_process_exit` of the last thread.
pub(crate) fn report(task: TaskRef<'_>, guard: &rcu::Guard) -> Report {
    let signal = task.signal();
    // SAFETY: A task that is alive keeps what its threads share, here and below. The last thread
    // is the only one left to write to it.
    let flags = unsafe { (*signal).flags };
    let status = if flags & bindings::SIGNAL_GROUP_EXIT != 0 {
        // SAFETY: As above.
        unsafe { (*signal).group_exit_code }
    } else {
        // SAFETY: The task is alive, and it is the calling one.
        unsafe { (*task.as_ptr().as_ptr()).exit_code }
    };
    // SAFETY: As above.
    let pages = unsafe { (*signal).maxrss };
    Report {
        status: status as u32,
        cpu: cpu_time(task, guard),
        max_rss: u64::from_ne_bytes(pages.to_ne_bytes()).saturating_mul(PAGE_SIZE as u64 / 1024),
    }
}

fn cpu_time(task: TaskRef<'_>, _guard: &rcu::Guard) -> CpuTime {
    let (mut user, mut system, mut runtime) = (0, 0, 0);
    let task = task.as_ptr().as_ptr().cast();
    // SAFETY: The task is alive, and RCU is held.
    unsafe { pidspace_cpu_time(task, &mut user, &mut system, &mut runtime) };
    CpuTime::divide(runtime, CpuTime { user, system })
}

/// Returns the name of the command of `task`, filled up with NULs.
pub(crate) fn command(task: TaskRef<'_>) -> [u8; 16] {
    // SAFETY: The task is alive by its type's invariant.
    let field = unsafe { &raw const (*task.as_ptr().as_ptr()).comm };
    // SAFETY: The field is written by others at any time, byte by byte.
    let comm: [u8; 16] = unsafe { field.cast::<[u8; 16]>().read_volatile() };
    let mut ended = false;
    comm.map(|byte| {
        ended |= byte == 0;
        if ended {
            0
        } else {
            byte
        }
    })
}

/// Returns the time of CLOCK_MONOTONIC, in nanoseconds.
pub(crate) fn monotonic_ns() -> u64 {
    // SAFETY: May be called in any context but NMI.
    unsafe { bindings::ktime_get() }.unsigned_abs()
}
