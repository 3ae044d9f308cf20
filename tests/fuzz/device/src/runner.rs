// SPDX-License-Identifier: GPL-2.0

//! The process that runs programs. It may become a member, be killed or be marked: then another
//! one takes its place.

use crate::arg::{call, Area, Argument};
use crate::call::{Call, Program, Reach, Shape, Slot, Who};
use crate::children::{end_all_but, reap, Nursery};
use crate::reach::reach;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::unistd::{getpid, Pid};
use pidspace_uapi::*;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

const SLOTS: usize = 4;

/// A number that no process has in a guest of this size.
const NOBODY: i32 = 4_000_000;

const USER: libc::uid_t = 1000;

pub(crate) struct Runner {
    pub(crate) area: Area,
    pub(crate) arrays: Area,
    fail_nth: Option<File>,
    slots: [Option<OwnedFd>; SLOTS],
    pub(crate) pidfd: Option<OwnedFd>,
    nursery: Nursery,
    children: Vec<Pid>,
    pub(crate) last_id: u64,
    /// The calling thread is marked.
    pub(crate) marked: bool,
    /// What cannot be undone has been done.
    changed: bool,
}

impl Runner {
    pub(crate) fn new() -> Self {
        Self {
            area: Area::new(2),
            arrays: Area::new(1025),
            fail_nth: OpenOptions::new()
                .write(true)
                .open("/proc/thread-self/fail-nth")
                .ok(),
            slots: [const { None }; SLOTS],
            pidfd: None,
            nursery: Nursery::new(),
            children: Vec::new(),
            last_id: 0,
            marked: false,
            changed: false,
        }
    }

    /// Runs a program and ends what it left. Returns whether this process can run another one.
    pub(crate) fn run(&mut self, program: &Program) -> bool {
        self.nursery = Nursery::new();
        let mut fail = 0;
        for &call in &program.calls {
            if let Call::Fail(nth) = call {
                fail = nth;
                continue;
            }
            self.let_fail(fail);
            self.execute(call);
            self.let_fail(0);
            fail = 0;
        }
        self.end()
    }

    /// Lets the n-th fallible step of the kernel in this thread fail, where it can inject faults.
    fn let_fail(&mut self, nth: u8) {
        if let Some(file) = &mut self.fail_nth {
            let _ = file.write_all(nth.to_string().as_bytes());
        }
    }

    fn end(&mut self) -> bool {
        let _ = become_user(0);
        for slot in 0..SLOTS as u8 {
            let _ = self.clear(Slot(slot), Shape::Plain);
        }
        self.slots = [const { None }; SLOTS];
        self.pidfd = None;
        self.children.clear();
        end_all_but(None) && !self.changed && !self.marked && !self.is_member()
    }

    fn is_member(&mut self) -> bool {
        let Ok(device) = File::open("/dev/pidspace") else {
            return true;
        };
        let nr = pidspace_nr {
            from: getpid().as_raw(),
            ..Default::default()
        };
        let mut own = pidspace_lookup {
            op: PIDSPACE_LOOKUP_IN_SPACE,
            nr,
            ..Default::default()
        };
        call(&mut self.area, device.as_raw_fd(), &mut own, Shape::Plain).is_ok()
    }

    pub(crate) fn clear(&mut self, slot: Slot, shape: Shape) -> Result<(), Errno> {
        let flags = PIDSPACE_SPAWN_F_CLEAR;
        let cleared = self.call(
            slot,
            shape,
            &mut pidspace_spawn {
                flags,
                ..Default::default()
            },
        );
        cleared.inspect(|()| self.marked = false)
    }

    pub(crate) fn fd(&self, slot: Slot) -> RawFd {
        let slot = &self.slots[usize::from(slot.0) % SLOTS];
        slot.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    fn set(&mut self, slot: Slot, fd: Option<OwnedFd>) {
        self.slots[usize::from(slot.0) % SLOTS] = fd;
    }

    pub(crate) fn call<T: Argument>(
        &mut self,
        slot: Slot,
        shape: Shape,
        value: &mut T,
    ) -> Result<(), Errno> {
        let fd = self.fd(slot);
        call(&mut self.area, fd, value, shape)
    }

    pub(crate) fn number(&self, who: Who) -> i32 {
        match who {
            Who::Runner => getpid().as_raw(),
            Who::Child(which) if !self.children.is_empty() => {
                self.children[usize::from(which) % self.children.len()].as_raw()
            }
            Who::Fuzzer => Pid::parent().as_raw(),
            Who::Nobody(nr @ ..0) => nr.into(),
            Who::Child(_) | Who::Nobody(_) => NOBODY,
        }
    }

    /// The process to change something of: never the fuzzer itself.
    pub(crate) fn victim(&self, who: Who) -> i32 {
        match who {
            Who::Fuzzer => 0,
            who => self.number(who),
        }
    }

    fn execute(&mut self, call: Call) {
        // What a call answers is the kernel's business; what it leaves behind is judged.
        let _ = match call {
            Call::Open(slot) => self.open(slot),
            Call::Close(slot) => {
                self.set(slot, None);
                Ok(())
            }
            Call::Duplicate(from, to) => self.duplicate(from, to),
            Call::Fork(life) => self
                .nursery
                .fork(life)
                .map(|child| self.children.push(child)),
            Call::Reap => {
                reap();
                Ok(())
            }
            Call::Read {
                slot,
                room,
                wait,
                shape,
            } => self.read(slot, room, wait, shape),
            Call::Poll(slot) => self.poll(slot),
            Call::Fdinfo(slot) => {
                let _ = std::fs::read(format!("/proc/self/fdinfo/{}", self.fd(slot)));
                Ok(())
            }
            Call::Pidfd(who) => self.open_pidfd(who),
            Call::Reach(how, who) => self.reach(how, who),
            Call::User(ordinary) => become_user(if ordinary { USER } else { 0 }),
            Call::NoNewPrivileges => {
                self.changed = true;
                nix::sys::prctl::set_no_new_privs()
            }
            Call::Fail(_) => Ok(()),
            call => self.command(call),
        };
    }

    fn open(&mut self, slot: Slot) -> Result<(), Errno> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK);
        self.set(slot, options.open("/dev/pidspace").ok().map(OwnedFd::from));
        Ok(())
    }

    fn duplicate(&mut self, from: Slot, to: Slot) -> Result<(), Errno> {
        let from = &self.slots[usize::from(from.0) % SLOTS];
        let copy = from.as_ref().and_then(|fd| fd.try_clone().ok());
        self.set(to, copy);
        Ok(())
    }

    fn open_pidfd(&mut self, who: Who) -> Result<(), Errno> {
        self.pidfd = crate::reach::pidfd_open(self.number(who))?.into();
        Ok(())
    }

    fn reach(&mut self, how: Reach, who: Who) -> Result<(), Errno> {
        let pid = match how {
            // The fuzzer could stop later than the runner waits for it, and then for good.
            Reach::Seize => self.victim(who),
            _ => self.number(who),
        };
        reach(how, pid, self.pidfd.as_ref(), &self.area)
    }

    fn read(&mut self, slot: Slot, room: u16, wait: bool, shape: Shape) -> Result<(), Errno> {
        let address = self.arrays.array(room.into(), shape);
        let fd = self.fd(slot);
        crate::reach::set_nonblock(fd, !wait);
        let result = interruptibly(|| crate::reach::read(fd, address, room));
        self.arrays.check_array(address, room.into());
        result
    }

    fn poll(&self, slot: Slot) -> Result<(), Errno> {
        let Some(fd) = &self.slots[usize::from(slot.0) % SLOTS] else {
            return Ok(());
        };
        poll(
            &mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)],
            PollTimeout::ZERO,
        )
        .map(drop)
    }
}

/// Becomes root or another user, and may become root again.
fn become_user(user: libc::uid_t) -> Result<(), Errno> {
    // SAFETY: The call takes numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, -1, user, 0) }).map(drop)
}

/// Makes a call that may wait; signals interrupt it again and again until it gives up.
pub(crate) fn interruptibly<T>(call: impl FnOnce() -> T) -> T {
    crate::alarm::set(20);
    let result = call();
    crate::alarm::set(0);
    result
}
