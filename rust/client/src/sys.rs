// SPDX-License-Identifier: GPL-2.0

//! The boundary to the kernel: what this crate asks of it, and the only unsafe code.

use std::fs::{File, OpenOptions};
use std::mem::{size_of, size_of_val};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{ppoll, PollFd, PollFlags};
use nix::sys::signal::SigSet;
use nix::sys::time::TimeSpec;
use pidspace_uapi::*;

use crate::{Interest, Ready};

const _: () = assert!(size_of::<pidspace_event>() == PIDSPACE_EVENT_SIZE as usize);

/// Where handles come from: the device, or a stand-in for it in tests.
pub trait Sys {
    /// An open file of the device.
    type Handle: Handle;

    /// Opens a handle, bound to no space yet.
    fn open(&self) -> Result<Self::Handle, Errno>;
}

/// What a handle takes: the commands, each as `pidspace.h` describes it, poll(2) and read(2).
///
/// An implementation sets the sizes and addresses inside `arg` itself, from the types and slices
/// that it is given.
pub trait Handle {
    /// `PIDSPACE_IOC_ABI`
    fn abi(&self, arg: &mut pidspace_abi) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_CREATE`
    fn create(&self, arg: &mut pidspace_create) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_OPEN`
    fn open(&self, arg: &mut pidspace_open) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_INFO`
    fn info(&self, arg: &mut pidspace_info) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_LIST`
    fn list(&self, arg: &mut pidspace_list, entries: &mut [pidspace_info]) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_SPAWN`
    fn spawn(&self, arg: &mut pidspace_spawn) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_ADOPT`
    fn adopt(&self, arg: &mut pidspace_adopt) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_MEMBERS`
    fn members(
        &self,
        arg: &mut pidspace_members,
        entries: &mut [pidspace_member],
    ) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_LOOKUP`; without `entries` it is about the number in `arg`.
    fn lookup(&self, arg: &mut pidspace_lookup, entries: &mut [pidspace_nr]) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_KILL`
    fn kill(&self, arg: &mut pidspace_kill) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_SET`
    fn set(&self, arg: &mut pidspace_set) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_DESTROY`
    fn destroy(&self, arg: &mut pidspace_destroy) -> Result<(), Errno>;
    /// `PIDSPACE_IOC_HOOKS`
    fn hooks(
        &self,
        arg: &mut pidspace_hooks,
        entries: &mut [pidspace_hook_info],
    ) -> Result<(), Errno>;
    /// Waits for one of what is of interest, or for the space to be empty, as ppoll(2) does.
    fn poll(&self, interest: Interest<'_>, timeout: Option<Duration>) -> Result<Ready, Errno>;
    /// Reads events into `events` and returns how many, as read(2) does.
    fn read(&self, events: &mut [pidspace_event]) -> Result<usize, Errno>;
}

/// The device of the loaded module.
#[derive(Debug, Clone)]
pub struct Device {
    path: PathBuf,
}

impl Device {
    /// Where the module's device normally is.
    pub const PATH: &'static str = "/dev/pidspace";
}

impl Default for Device {
    fn default() -> Self {
        Self {
            path: Self::PATH.into(),
        }
    }
}

impl Sys for Device {
    type Handle = DeviceHandle;

    fn open(&self) -> Result<DeviceHandle, Errno> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.path)
            .map(DeviceHandle)
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))
    }
}

/// An open file of the device.
#[derive(Debug)]
pub struct DeviceHandle(File);

impl AsFd for DeviceHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for DeviceHandle {
    fn from(fd: OwnedFd) -> Self {
        Self(fd.into())
    }
}

/// The argument of a command that holds no address.
trait Plain {
    const COMMAND: pidspace_ioc;

    fn set_size(&mut self, size: u32);
}

/// The argument of a command that answers with an array.
trait Batch {
    const COMMAND: pidspace_ioc;
    type Entry;

    fn set_array(&mut self, size: u32, address: u64, count: u32, entry_size: u32);
}

macro_rules! plain {
    ($($arg:ident => $command:ident,)*) => {$(
        impl Plain for $arg {
            const COMMAND: pidspace_ioc = $command;

            fn set_size(&mut self, size: u32) {
                self.size = size;
            }
        }
    )*};
}

plain! {
    pidspace_abi => PIDSPACE_IOC_ABI,
    pidspace_create => PIDSPACE_IOC_CREATE,
    pidspace_open => PIDSPACE_IOC_OPEN,
    pidspace_info => PIDSPACE_IOC_INFO,
    pidspace_spawn => PIDSPACE_IOC_SPAWN,
    pidspace_adopt => PIDSPACE_IOC_ADOPT,
    pidspace_kill => PIDSPACE_IOC_KILL,
    pidspace_set => PIDSPACE_IOC_SET,
    pidspace_destroy => PIDSPACE_IOC_DESTROY,
}

macro_rules! batch {
    ($($arg:ident of $entry:ident => $command:ident,)*) => {$(
        impl Batch for $arg {
            const COMMAND: pidspace_ioc = $command;
            type Entry = $entry;

            fn set_array(&mut self, size: u32, address: u64, count: u32, entry_size: u32) {
                self.size = size;
                self.entries = address;
                self.count = count;
                self.entry_size = entry_size;
            }
        }
    )*};
}

batch! {
    pidspace_list of pidspace_info => PIDSPACE_IOC_LIST,
    pidspace_members of pidspace_member => PIDSPACE_IOC_MEMBERS,
    pidspace_hooks of pidspace_hook_info => PIDSPACE_IOC_HOOKS,
}

impl Batch for pidspace_lookup {
    const COMMAND: pidspace_ioc = PIDSPACE_IOC_LOOKUP;
    type Entry = pidspace_nr;

    fn set_array(&mut self, size: u32, address: u64, count: u32, _entry_size: u32) {
        self.size = size;
        self.entries = if count == 0 { 0 } else { address };
        self.count = count;
    }
}

impl DeviceHandle {
    fn plain<T: Plain>(&self, arg: &mut T) -> Result<(), Errno> {
        arg.set_size(size_of_u32::<T>()?);
        // SAFETY: T is the argument of T::COMMAND, is told to the kernel with its true size and
        // holds no address.
        unsafe { ioctl(self.0.as_raw_fd(), T::COMMAND, arg) }
    }

    fn batch<T: Batch>(&self, arg: &mut T, entries: &mut [T::Entry]) -> Result<(), Errno> {
        let count = u32::try_from(entries.len()).map_err(|_| Errno::EINVAL)?;
        let address = entries.as_mut_ptr().expose_provenance() as u64;
        let (size, entry_size) = (size_of_u32::<T>()?, size_of_u32::<T::Entry>()?);
        arg.set_array(size, address, count, entry_size);
        // SAFETY: T is the argument of T::COMMAND, is told to the kernel with its true size, and
        // its only address is that of `entries`, borrowed for the call, with its true length.
        unsafe { ioctl(self.0.as_raw_fd(), T::COMMAND, arg) }
    }
}

fn size_of_u32<T>() -> Result<u32, Errno> {
    u32::try_from(size_of::<T>()).map_err(|_| Errno::E2BIG)
}

/// Issues one command.
///
/// # Safety
///
/// `command` must take a `T`, whose size member and whose addresses must be true, and what is
/// at those addresses must be writable plain data.
unsafe fn ioctl<T>(fd: RawFd, command: pidspace_ioc, arg: &mut T) -> Result<(), Errno> {
    // SAFETY: The kernel reads and writes `arg`, which is borrowed for the call, and what its
    // addresses lead to, which the caller vouches for.
    let result = unsafe { libc::ioctl(fd, command as libc::Ioctl, std::ptr::from_mut(arg)) };
    Errno::result(result).map(drop)
}

impl Handle for DeviceHandle {
    fn abi(&self, arg: &mut pidspace_abi) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn create(&self, arg: &mut pidspace_create) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn open(&self, arg: &mut pidspace_open) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn info(&self, arg: &mut pidspace_info) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn list(&self, arg: &mut pidspace_list, entries: &mut [pidspace_info]) -> Result<(), Errno> {
        self.batch(arg, entries)
    }

    fn spawn(&self, arg: &mut pidspace_spawn) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn adopt(&self, arg: &mut pidspace_adopt) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn members(
        &self,
        arg: &mut pidspace_members,
        entries: &mut [pidspace_member],
    ) -> Result<(), Errno> {
        self.batch(arg, entries)
    }

    fn lookup(&self, arg: &mut pidspace_lookup, entries: &mut [pidspace_nr]) -> Result<(), Errno> {
        self.batch(arg, entries)
    }

    fn kill(&self, arg: &mut pidspace_kill) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn set(&self, arg: &mut pidspace_set) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn destroy(&self, arg: &mut pidspace_destroy) -> Result<(), Errno> {
        self.plain(arg)
    }

    fn hooks(
        &self,
        arg: &mut pidspace_hooks,
        entries: &mut [pidspace_hook_info],
    ) -> Result<(), Errno> {
        self.batch(arg, entries)
    }

    fn poll(&self, interest: Interest<'_>, timeout: Option<Duration>) -> Result<Ready, Errno> {
        let wanted = match interest.events {
            true => PollFlags::POLLIN,
            false => PollFlags::empty(),
        };
        let mut fds = vec![PollFd::new(self.as_fd(), wanted)];
        fds.extend(interest.other.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        ppoll(&mut fds, timeout.map(time_spec), None)?;
        let found = |index| fds.get(index).and_then(PollFd::revents);
        let own = found(0).unwrap_or(PollFlags::empty());
        if own.contains(PollFlags::POLLERR) {
            return Err(Errno::EBADFD);
        }
        Ok(Ready {
            empty: own.contains(PollFlags::POLLHUP),
            events: own.contains(PollFlags::POLLIN),
            other: found(1).is_some_and(|found| !found.is_empty()),
        })
    }

    fn read(&self, events: &mut [pidspace_event]) -> Result<usize, Errno> {
        let (room, address) = (size_of_val(events), events.as_mut_ptr());
        // SAFETY: The kernel writes at most `room` bytes to `events`, which is borrowed for the
        // call, has that size, and holds integers without padding.
        let read = unsafe { libc::read(self.0.as_raw_fd(), address.cast(), room) };
        let bytes = usize::try_from(Errno::result(read)?).map_err(|_| Errno::EPROTO)?;
        let whole = bytes % size_of::<pidspace_event>() == 0;
        whole
            .then_some(bytes / size_of::<pidspace_event>())
            .ok_or(Errno::EPROTO)
    }
}

/// A time as the kernel takes it; what is longer than it can count is as long as it can.
fn time_spec(time: Duration) -> TimeSpec {
    TimeSpec::from_duration(time.min(Duration::from_secs(i32::MAX.unsigned_abs().into())))
}

/// Has `command` start as the leader of a session of its own, with no controlling terminal.
///
/// ```
/// # use std::process::Command;
/// let status = pidspace_client::sys::in_own_session(&mut Command::new("true")).status()?;
/// assert!(status.success());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn in_own_session(command: &mut Command) -> &mut Command {
    let new_session = || {
        nix::unistd::setsid()?;
        Ok(())
    };
    // SAFETY: The closure makes one system call and touches no memory that another thread of
    // the parent might have left locked.
    unsafe { command.pre_exec(new_session) }
}

/// Has `command` start with the signals of `mask` blocked and no others, whatever the thread that
/// starts it has blocked.
pub fn with_signal_mask(command: &mut Command, mask: SigSet) -> &mut Command {
    let set_mask = move || {
        mask.thread_set_mask()?;
        Ok(())
    };
    // SAFETY: The closure makes one system call and touches no memory that another thread of
    // the parent might have left locked.
    unsafe { command.pre_exec(set_mask) }
}
