// SPDX-License-Identifier: GPL-2.0

//! The process of libFuzzer: it has programs run by another one, and judges what they leave.

use crate::alarm;
use crate::arg::{call, Area};
use crate::call::{Program, Shape};
use crate::children::{end_all_but, wait_for};
use crate::kcov::Kcov;
use crate::reach::pidfd_open;
use crate::runner::Runner;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::Signal;
use nix::sys::socket::{recv, send, socketpair, AddressFamily, MsgFlags, SockFlag, SockType};
use nix::sys::wait::WaitStatus;
use nix::unistd::{fork, ForkResult, Pid};
use pidspace_uapi::*;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a program, or what it leaves, may take in a slow guest.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a runner answers when it can run another program.
const AGAIN: u8 = 1;

/// A runner, as its warden knows it.
struct Ward {
    pid: Pid,
    pidfd: OwnedFd,
    socket: OwnedFd,
}

pub(crate) struct Warden {
    kcov: Option<Kcov>,
    log: Option<File>,
    ward: Option<Ward>,
    area: Area,
    arrays: Area,
}

impl Warden {
    pub(crate) fn new() -> Self {
        set_child_subreaper(true).expect("prctl");
        let mut warden = Self {
            kcov: Kcov::open(),
            log: OpenOptions::new().write(true).open("/dev/kmsg").ok(),
            ward: None,
            area: Area::new(2),
            arrays: Area::new(64),
        };
        warden.arm_hooks();
        warden
    }

    /// Has the module arm all of its hooks, for which a program of a slow guest has not the time.
    fn arm_hooks(&mut self) {
        let mut scope = pidspace_create {
            mode: PIDSPACE_MODE_SCOPE,
            ..Default::default()
        };
        let device = device();
        call(&mut self.area, device.as_raw_fd(), &mut scope, Shape::Plain).expect("CREATE");
    }

    /// Runs a program, and panics when what it leaves is not what was there before.
    pub(crate) fn run(&mut self, input: &[u8], program: &Program) {
        self.announce(input);
        let ward = self.ward.take().unwrap_or_else(|| self.fork_runner());
        if let Some(kcov) = &self.kcov {
            kcov.reset();
        }
        send(ward.socket.as_raw_fd(), input, MsgFlags::empty()).expect("the runner listens");
        let again = self.await_answer(&ward, program);
        if let Some(kcov) = &self.kcov {
            kcov.collect();
        }
        let spared = again.then_some(ward.pid);
        assert!(
            end_all_but(spared),
            "a process of {program:?} cannot be ended"
        );
        self.ward = again.then_some(ward);
        self.judge(program);
    }

    /// Writes the program to the kernel's log, where a report of the kernel will follow it.
    fn announce(&mut self, input: &[u8]) {
        if let Some(log) = &mut self.log {
            let _ = log.write_all(format!("<4>fuzz: {}\n", hex(input)).as_bytes());
        }
    }

    fn fork_runner(&self) -> Ward {
        let kind = SockType::SeqPacket;
        let (socket, other) = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)
            .expect("socketpair");
        // SAFETY: The only other threads are libFuzzer's, which hold no lock of an allocator while
        // they sleep.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Child => serve(&other, self.kcov.as_ref()),
            ForkResult::Parent { child } => Ward {
                pid: child,
                pidfd: pidfd_open(child.as_raw()).expect("pidfd_open"),
                socket,
            },
        }
    }

    /// Waits until the runner is done, or dead. Returns whether it can run another program.
    fn await_answer(&self, ward: &Ward, program: &Program) -> bool {
        let mut fds = [
            PollFd::new(ward.socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(ward.pidfd.as_fd(), PollFlags::POLLIN),
        ];
        let deadline = Instant::now() + PATIENCE;
        loop {
            match poll(&mut fds, PollTimeout::from(1000_u16)) {
                Ok(0) | Err(Errno::EINTR) => {}
                answer => {
                    answer.expect("poll");
                    break;
                }
            }
            assert!(Instant::now() < deadline, "no end of {program:?}");
        }
        let mut answer = [0];
        let length = recv(ward.socket.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT);
        if length == Ok(1) && answer[0] == AGAIN {
            return true;
        }
        let end = wait_for(ward.pid);
        let fine = match end {
            Ok(WaitStatus::Exited(_, 0) | WaitStatus::Signaled(_, Signal::SIGKILL, _)) => true,
            // What may fail is also the copy of the frame for an alarm's handler.
            Ok(WaitStatus::Signaled(_, Signal::SIGSEGV, _)) => program.injects_faults(),
            _ => false,
        };
        assert!(fine, "the runner ended with {end:?} in {program:?}");
        false
    }

    /// All processes of the program are gone, and all its handles: so must be its spaces.
    fn judge(&mut self, program: &Program) {
        let deadline = Instant::now() + PATIENCE;
        while self.destroy_spaces() != 0 {
            assert!(Instant::now() < deadline, "a space is left of {program:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut abi = pidspace_abi::default();
        let device = device();
        call(&mut self.area, device.as_raw_fd(), &mut abi, Shape::Plain).expect("ABI");
        assert_eq!(
            abi.anomalies, 0,
            "the module has counted anomalies after {program:?}"
        );
    }

    /// Ends the spaces that only their names keep, and returns how many spaces there were.
    fn destroy_spaces(&mut self) -> u32 {
        let entry_size = size_of::<pidspace_info>() as u32;
        let count = 16;
        let entries = self
            .arrays
            .array((count * entry_size) as usize, Shape::Plain);
        let mut list = pidspace_list {
            entries,
            count,
            entry_size,
            ..Default::default()
        };
        let device = device();
        call(&mut self.area, device.as_raw_fd(), &mut list, Shape::Plain).expect("LIST");
        for at in 0..list.count {
            let space: pidspace_info = self.arrays.entry(entries, at as usize);
            // One without a name has to go by itself, with its last handle, mark and number.
            if space.name[0] != 0 && space.handles == 0 && space.spawners == 0 {
                self.destroy_space(space.id);
            }
        }
        list.count
    }

    fn destroy_space(&mut self, id: u64) {
        let device = device();
        let mut open = pidspace_open {
            id,
            ..Default::default()
        };
        if call(&mut self.area, device.as_raw_fd(), &mut open, Shape::Plain).is_ok() {
            let mut destroy = pidspace_destroy::default();
            let _ = call(
                &mut self.area,
                device.as_raw_fd(),
                &mut destroy,
                Shape::Plain,
            );
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn device() -> File {
    File::open("/dev/pidspace").expect("the module is loaded")
}

/// The runner's whole life.
fn serve(socket: &OwnedFd, kcov: Option<&Kcov>) -> ! {
    // Those of libFuzzer would take this process for their own.
    let _ = std::panic::take_hook();
    let found = std::panic::catch_unwind(|| {
        set_child_subreaper(true).expect("prctl");
        alarm::prepare();
        let mut runner = Runner::new();
        if let Some(kcov) = kcov {
            kcov.enable();
        }
        let mut input = vec![0; 1 << 16];
        while let Ok(length @ 1..) = recv(socket.as_raw_fd(), &mut input, MsgFlags::empty()) {
            let again =
                crate::program_of(&input[..length]).is_none_or(|program| runner.run(&program));
            let _ = send(socket.as_raw_fd(), &[u8::from(again)], MsgFlags::empty());
            if !again {
                return;
            }
        }
    });
    // SAFETY: Ends the process without running what libFuzzer has registered.
    unsafe { nix::libc::_exit(found.is_err().into()) }
}
