// SPDX-License-Identifier: GPL-2.0

//! What the arguments of commands mean to the stand-in.

use std::fs;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{ppoll, PollFd, PollFlags};
use nix::sys::time::TimeSpec;
use pidspace_uapi::*;

/// What a pid_max that is asked for comes to.
pub(super) fn valid_pid_max(pid_max: u32) -> Result<u32, Errno> {
    let pid_max = match pid_max {
        0 => PIDSPACE_PID_MAX_DEFAULT,
        pid_max => pid_max,
    };
    let valid = (PIDSPACE_PID_MAX_MIN..=PIDSPACE_PID_MAX_LIMIT).contains(&pid_max);
    valid.then_some(pid_max).ok_or(Errno::EINVAL)
}

/// The global number of a process that is there.
pub(super) fn target(arg: &pidspace_adopt) -> Result<u32, Errno> {
    let global = match arg.flags & PIDSPACE_ADOPT_F_PIDFD {
        0 => arg.pid,
        _ => pid_of(arg.pid)?,
    };
    let global = u32::try_from(global).map_err(|_| Errno::ESRCH)?;
    let there = Path::new("/proc").join(global.to_string()).exists();
    there.then_some(global).ok_or(Errno::ESRCH)
}

/// The process of a pidfd; -1 when it has been reaped.
pub(super) fn pid_of(fd: i32) -> Result<i32, Errno> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).map_err(|_| Errno::EBADF)?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    pid.and_then(|pid| pid.trim().parse().ok())
        .ok_or(Errno::EBADF)
}

/// Waits for a file to be readable, as long as there is nothing else to tell.
pub(super) fn is_readable(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> Result<bool, Errno> {
    let timeout = timeout.map(TimeSpec::from_duration);
    let ready = ppoll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout, None)?;
    Ok(ready != 0)
}
