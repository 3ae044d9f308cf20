// SPDX-License-Identifier: GPL-2.0

//! System calls that are no commands of the device: those that take the number of a process, and
//! those on a handle.

use crate::arg::Area;
use crate::call::Reach;
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// `PIDFD_GET_INFO`, which takes a structure of this size.
const PIDFD_INFO: usize = 64;
const PIDFD_GET_INFO: usize = 0xc000_ff0b | (PIDFD_INFO << 16);

/// A call with its arguments: numbers, and addresses in the area of the caller.
fn system_call(number: libc::c_long, args: [usize; 5]) -> Result<libc::c_long, Errno> {
    // SAFETY: What the kernel writes lands in areas, or in no memory of this process.
    Errno::result(unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4]) })
}

/// Opens a pidfd.
pub(crate) fn pidfd_open(pid: i32) -> Result<OwnedFd, Errno> {
    let fd = system_call(libc::SYS_pidfd_open, [pid as usize, 0, 0, 0, 0])?;
    // SAFETY: The kernel has just opened it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Reads from a handle to any address.
pub(crate) fn read(fd: RawFd, address: u64, room: u16) -> Result<(), Errno> {
    system_call(
        libc::SYS_read,
        [fd as usize, address as usize, room.into(), 0, 0],
    )
    .map(drop)
}

pub(crate) fn set_nonblock(fd: RawFd, nonblock: bool) {
    let flags = if nonblock { libc::O_NONBLOCK } else { 0 };
    let _ = system_call(
        libc::SYS_fcntl,
        [fd as usize, libc::F_SETFL as usize, flags as usize, 0, 0],
    );
}

/// Tries to reach the process of a number or a pidfd, without doing it any harm.
pub(crate) fn reach(
    how: Reach,
    pid: i32,
    pidfd: Option<&OwnedFd>,
    area: &Area,
) -> Result<(), Errno> {
    let (nr, memory) = (pid as usize, area.address(64));
    let pidfd = pidfd.map_or(usize::MAX, |fd| fd.as_raw_fd() as usize);
    let (number, args) = match how {
        Reach::Kill => (libc::SYS_kill, [nr, 0, 0, 0, 0]),
        Reach::KillGroup => (libc::SYS_kill, [pid.wrapping_neg() as usize, 0, 0, 0, 0]),
        Reach::KillEveryone => (libc::SYS_kill, [usize::MAX, 0, 0, 0, 0]),
        Reach::ThreadKill => (libc::SYS_tgkill, [nr, nr, 0, 0, 0]),
        Reach::GetPgid => (libc::SYS_getpgid, [nr, 0, 0, 0, 0]),
        Reach::SetPgid => (libc::SYS_setpgid, [nr, 0, 0, 0, 0]),
        Reach::GetSid => (libc::SYS_getsid, [nr, 0, 0, 0, 0]),
        Reach::GetPriority => (
            libc::SYS_getpriority,
            [libc::PRIO_PROCESS as usize, nr, 0, 0, 0],
        ),
        Reach::GetScheduler => (libc::SYS_sched_getscheduler, [nr, 0, 0, 0, 0]),
        Reach::GetAffinity => (libc::SYS_sched_getaffinity, [nr, 128, memory, 0, 0]),
        Reach::GetLimits => (libc::SYS_prlimit64, [nr, 0, 0, memory, 0]),
        Reach::RobustList => (libc::SYS_get_robust_list, [nr, memory, memory + 8, 0, 0]),
        Reach::Compare => (libc::SYS_kcmp, [nr, std::process::id() as usize, 1, 0, 0]),
        Reach::ReadMemory => (libc::SYS_process_vm_readv, [nr, memory, 0, memory, 0]),
        Reach::Seize => return seize(pid),
        Reach::Wait => (
            libc::SYS_waitid,
            [libc::P_PID as usize, nr, memory, WAIT, 0],
        ),
        Reach::WaitPidfd => (
            libc::SYS_waitid,
            [libc::P_PIDFD as usize, pidfd, memory, WAIT, 0],
        ),
        Reach::PidfdSignal => (libc::SYS_pidfd_send_signal, [pidfd, 0, 0, 0, 0]),
        Reach::PidfdInfo => (libc::SYS_ioctl, [pidfd, PIDFD_GET_INFO, memory, 0, 0]),
        Reach::Proc => {
            let _ = std::fs::read(format!("/proc/{pid}/stat"));
            return Ok(());
        }
        Reach::ProcList => {
            let _ = std::fs::read_dir("/proc").map(Iterator::count);
            return Ok(());
        }
    };
    system_call(number, args).map(drop)
}

const WAIT: usize = (libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) as usize;

/// Traces a process and lets it go. The caller must not pass the fuzzer itself.
fn seize(pid: i32) -> Result<(), Errno> {
    let nr = pid as usize;
    system_call(libc::SYS_ptrace, [libc::PTRACE_SEIZE as usize, nr, 0, 0, 0])?;
    system_call(
        libc::SYS_ptrace,
        [libc::PTRACE_INTERRUPT as usize, nr, 0, 0, 0],
    )?;
    let wait = (libc::WEXITED | libc::WSTOPPED) as usize | libc::__WALL as usize;
    crate::alarm::set(20);
    let _ = system_call(libc::SYS_waitid, [libc::P_PID as usize, nr, 0, wait, 0]);
    crate::alarm::set(0);
    system_call(
        libc::SYS_ptrace,
        [libc::PTRACE_DETACH as usize, nr, 0, 0, 0],
    )
    .map(drop)
}
