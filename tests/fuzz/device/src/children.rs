// SPDX-License-Identifier: GPL-2.0

//! Children that share this process's memory, which makes them cheap to have.
//!
//! They run on stacks of a pool, with every signal blocked, and make system calls only: what the
//! C library keeps for a thread, they share with the thread that made them.

use crate::call::{End, Life};
use nix::errno::Errno;
use nix::libc::{self, c_int, c_void};
use nix::sys::signal::{kill, Signal};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::Pid;
use std::cell::UnsafeCell;
use std::time::{Duration, Instant};

/// How many children one program may have; each is up to three tasks.
const BIRTHS: usize = 32;
const STACK: usize = 16 << 10;

#[repr(C, align(16))]
struct Stack(UnsafeCell<[u8; STACK]>);

/// A child to be, and the stacks of its tasks.
struct Birth {
    life: UnsafeCell<Life>,
    stacks: [Stack; 3],
}

// SAFETY: What is in it is written before the child is made that uses it.
unsafe impl Sync for Birth {}

const UNBORN: Life = Life {
    session: false,
    group: false,
    files: false,
    thread: false,
    child: false,
    end: End::Wait,
};

static BIRTHS_TO_BE: [Birth; BIRTHS] = [const {
    Birth {
        life: UnsafeCell::new(UNBORN),
        stacks: [const { Stack(UnsafeCell::new([0; STACK])) }; 3],
    }
}; BIRTHS];

/// The clock's hand of the pool.
pub(crate) struct Nursery {
    next: usize,
}

impl Nursery {
    /// A pool of which nothing is in use: every child of the one before has ended.
    pub(crate) const fn new() -> Self {
        Self { next: 0 }
    }

    /// Makes a child that leads `life`.
    pub(crate) fn fork(&mut self, life: Life) -> Result<Pid, Errno> {
        let birth = BIRTHS_TO_BE.get(self.next).ok_or(Errno::EAGAIN)?;
        self.next += 1;
        // SAFETY: No child uses it yet.
        unsafe { *birth.life.get() = life };
        let files = if life.files { 0 } else { libc::CLONE_FILES };
        let flags = libc::CLONE_VM | libc::SIGCHLD | files;
        clone(live, &birth.stacks[0], flags, std::ptr::from_ref(birth)).map(Pid::from_raw)
    }
}

type Main = extern "C" fn(*mut c_void) -> c_int;

fn clone(
    main: Main,
    stack: &'static Stack,
    flags: c_int,
    birth: *const Birth,
) -> Result<c_int, Errno> {
    let top = stack.0.get().wrapping_add(1).cast::<c_void>();
    // SAFETY: The stack is this child's alone, and `main` makes system calls only.
    Errno::result(unsafe { libc::clone(main, top, flags, birth.cast_mut().cast()) })
}

extern "C" fn live(birth: *mut c_void) -> c_int {
    // SAFETY: It is the birth that fork() passed, which is static.
    let birth = unsafe { &*birth.cast::<Birth>() };
    // SAFETY: It was written before this child was made.
    let life = unsafe { *birth.life.get() };
    if life.session {
        system_call(libc::SYS_setsid, [0; 3]);
    } else if life.group {
        system_call(libc::SYS_setpgid, [0; 3]);
    }
    let nobody = std::ptr::null();
    if life.thread {
        let _ = clone(
            pause,
            &birth.stacks[1],
            libc::CLONE_VM | libc::CLONE_SIGHAND | libc::CLONE_THREAD,
            nobody,
        );
    }
    if life.child {
        let _ = clone(
            pause,
            &birth.stacks[2],
            libc::CLONE_VM | libc::SIGCHLD,
            nobody,
        );
    }
    match life.end {
        End::Wait => pause(std::ptr::null_mut()),
        End::Exit(status) => system_call(libc::SYS_exit_group, [status.into(), 0, 0]),
        End::Signal => {
            let own = system_call(libc::SYS_getpid, [0; 3]);
            system_call(libc::SYS_kill, [own as usize, 9, 0])
        }
        End::Exec => {
            let argv = [c"true".as_ptr(), std::ptr::null()];
            let (path, argv) = (c"/bin/true".as_ptr().addr(), argv.as_ptr().addr());
            system_call(libc::SYS_execve, [path, argv, argv + size_of::<usize>()])
        }
    }
}

extern "C" fn pause(_nothing: *mut c_void) -> c_int {
    loop {
        system_call(libc::SYS_ppoll, [0; 3]);
    }
}

fn system_call(number: libc::c_long, args: [usize; 3]) -> c_int {
    // SAFETY: The callers pass numbers, and addresses of what is static or on their stack.
    let result = unsafe { libc::syscall(number, args[0], args[1], args[2], 0, 0) };
    result as c_int
}

/// Ends and reaps all children but one, orphans that come meanwhile included. Returns whether
/// that was possible.
pub(crate) fn end_all_but(spared: Option<Pid>) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        let Ok(text) = std::fs::read_to_string("/proc/thread-self/children") else {
            return false;
        };
        let all = text
            .split_whitespace()
            .filter_map(|nr| nr.parse().ok().map(Pid::from_raw));
        let rest: Vec<Pid> = all.filter(|&pid| Some(pid) != spared).collect();
        if rest.is_empty() {
            return true;
        }
        if rest.iter().any(|&pid| kill(pid, Signal::SIGKILL).is_err()) {
            return false;
        }
        if rest.iter().any(|&pid| wait_for(pid).is_err()) {
            return false;
        }
    }
    false
}

/// Waits for the end of a child, whatever signals interrupt that: libFuzzer has an alarm of its own.
pub(crate) fn wait_for(pid: Pid) -> Result<WaitStatus, Errno> {
    loop {
        match waitpid(pid, Some(WaitPidFlag::__WALL)) {
            Err(Errno::EINTR) => {}
            end => return end,
        }
    }
}

/// Reaps one child, if one is dead.
pub(crate) fn reap() -> Option<Pid> {
    match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) => Some(pid),
        _ => None,
    }
}
