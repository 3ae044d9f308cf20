// SPDX-License-Identifier: GPL-2.0

//! The commands that change something, with their arguments made of the values of a call.

use crate::arg::ioctl;
use crate::call::{Call, Pick, Shape, Slot, Who};
use crate::runner::{interruptibly, Runner};
use nix::errno::Errno;
use nix::libc;
use pidspace_uapi::*;
use std::os::fd::AsRawFd;

const SIGNALS: [u32; 8] = [
    0,
    libc::SIGKILL as u32,
    0,
    libc::SIGTERM as u32,
    libc::SIGCHLD as u32,
    34,
    64,
    65,
];
const MODES: [u32; 5] = [0, 0, 1, 2, 3];
const PID_MAXES: [u32; 7] = [0, 301, 302, 32768, 4_194_304, 4_194_305, 300];
const EVENTS: [u32; 6] = [0, 1, 2, 16, 65536, 65537];
const LIMITS: [u32; 5] = [0, 1, 2, 3, 8];
const FLAGS: [u32; 6] = [0, 1, 2, 3, 4, 8];
const NAMES: [&[u8]; 6] = [b"", b"a", b"b", b"-a", b"a/b", &[b'a'; 64]];

/// Adoption and signals by raw numbers could reach the fuzzer itself; a mark is to be taken note of,
/// and an end that is waited for to be interrupted.
const NOT_RAW: [u32; 4] = [
    PIDSPACE_IOC_ADOPT,
    PIDSPACE_IOC_KILL,
    PIDSPACE_IOC_SPAWN,
    PIDSPACE_IOC_DESTROY,
];

impl Runner {
    pub(crate) fn command(&mut self, call: Call) -> Result<(), Errno> {
        match call {
            Call::Create { slot, shape, .. } => {
                let mut arg = create_of(call);
                self.call(slot, shape, &mut arg)
                    .inspect(|()| self.last_id = arg.id)
            }
            Call::Bind {
                slot,
                shape,
                name,
                id,
                flags,
                events,
            } => self.call(
                slot,
                shape,
                &mut pidspace_open {
                    flags: flags.of(&[0, 0, 1, 2]),
                    id: self.id(id),
                    name: name_of(name),
                    events: events.of(&EVENTS),
                    ..Default::default()
                },
            ),
            Call::Mark(slot, shape) => {
                let marked = self.call(slot, shape, &mut pidspace_spawn::default());
                marked.inspect(|()| self.marked = true)
            }
            Call::Clear(slot, shape) => self.clear(slot, shape),
            Call::Adopt {
                slot,
                shape,
                who,
                flags,
            } => self.adopt(slot, shape, who, flags),
            Call::Kill { .. } | Call::KillMember(..) => self.kill(call),
            Call::Info(slot, shape) => self.call(slot, shape, &mut pidspace_info::default()),
            Call::Abi(slot, shape) => self.call(slot, shape, &mut pidspace_abi::default()),
            Call::Destroy(slot, shape, flags) => {
                let flags = flags.of(&[0, 1, 1, 2]);
                let arg = &mut pidspace_destroy {
                    flags,
                    ..Default::default()
                };
                interruptibly(|| self.call(slot, shape, arg))
            }
            Call::Set { slot, shape, .. } => self.call(slot, shape, &mut set_of(call)),
            Call::Raw {
                slot,
                command,
                words,
            } => self.raw(slot, command, words),
            call => self.query(call),
        }
    }

    fn id(&self, which: u8) -> u64 {
        match which {
            0..64 => 0,
            64..192 => self.last_id,
            192.. => which.into(),
        }
    }

    fn adopt(&mut self, slot: Slot, shape: Shape, who: Who, flags: Pick) -> Result<(), Errno> {
        let flags = flags.of(&[0, 1, 2, 3, 4]);
        let pid = if flags & PIDSPACE_ADOPT_F_PIDFD == 0 {
            self.victim(who)
        } else {
            self.own_pidfd(who)?
        };
        self.call(
            slot,
            shape,
            &mut pidspace_adopt {
                flags,
                pid,
                ..Default::default()
            },
        )
    }

    /// Opens the pidfd of a process that may be adopted.
    fn own_pidfd(&mut self, who: Who) -> Result<i32, Errno> {
        self.pidfd = crate::reach::pidfd_open(self.victim(who))?.into();
        Ok(self.pidfd.as_ref().map_or(-1, AsRawFd::as_raw_fd))
    }

    fn kill(&mut self, call: Call) -> Result<(), Errno> {
        let (slot, shape, mut arg) = match call {
            Call::Kill {
                slot,
                shape,
                nr,
                sig,
                flags,
                generation,
            } => {
                let (sig, generation) = (sig.of(&SIGNALS), generation.saturating_sub(200).into());
                let flags = flags.of(&[0, 0, 1, 2]);
                let arg = pidspace_kill {
                    flags,
                    nr: nr.into(),
                    sig,
                    generation,
                    ..Default::default()
                };
                (slot, shape, arg)
            }
            Call::KillMember(slot, who) => {
                let from = self.number(who);
                let nr = pidspace_nr {
                    from,
                    ..Default::default()
                };
                let op = PIDSPACE_LOOKUP_IN_SPACE;
                let mut found = pidspace_lookup {
                    op,
                    nr,
                    ..Default::default()
                };
                self.call(slot, Shape::Plain, &mut found)?;
                let (nr, generation) = (found.nr.to, found.nr.generation);
                let sig = libc::SIGKILL as u32;
                (
                    slot,
                    Shape::Plain,
                    pidspace_kill {
                        nr,
                        sig,
                        generation,
                        ..Default::default()
                    },
                )
            }
            _ => return Ok(()),
        };
        if is_unfit(arg.sig) {
            arg.sig = 0;
        }
        self.call(slot, shape, &mut arg)
    }

    fn raw(&mut self, slot: Slot, command: Pick, words: [u32; 6]) -> Result<(), Errno> {
        let command = command.of(&[0, 13, 14, 255, 0x100, 0xffff]);
        let is = |named: &u32| named & 0xff == command & 0xff;
        let command = if NOT_RAW.iter().any(is) {
            0
        } else {
            0xc000_b900 | command
        };
        let mut bytes = [0_u8; 24];
        for (part, word) in bytes.chunks_mut(4).zip(words) {
            part.copy_from_slice(&word.to_ne_bytes());
        }
        let address = self.area.write(&bytes);
        ioctl(self.fd(slot), command, address)
    }
}

/// A runner that is a member would be stopped for good by SIGSTOP; the two that the C library keeps
/// for itself cannot be blocked, and a wait for who dies of them is an error to nix.
fn is_unfit(sig: u32) -> bool {
    matches!(sig, 32 | 33) || sig == libc::SIGSTOP as u32
}

fn name_of(which: u8) -> [u8; PIDSPACE_NAME_SIZE as usize] {
    let mut name = [0; PIDSPACE_NAME_SIZE as usize];
    let text = NAMES[usize::from(which) % NAMES.len()];
    name[..text.len()].copy_from_slice(text);
    name
}

fn create_of(call: Call) -> pidspace_create {
    let Call::Create {
        name,
        mode,
        pid_max,
        flags,
        events,
        policies,
        max_members,
        ..
    } = call
    else {
        return pidspace_create::default();
    };
    pidspace_create {
        flags: flags.of(&[0, 0, 1, 2]),
        mode: mode.of(&MODES),
        pid_max: pid_max.of(&PID_MAXES),
        name: name_of(name),
        events: events.of(&EVENTS),
        policies: policies.of(&FLAGS),
        max_members: max_members.of(&LIMITS),
        ..Default::default()
    }
}

fn set_of(call: Call) -> pidspace_set {
    let Call::Set {
        flags,
        mode,
        pid_max,
        policies,
        max_members,
        ..
    } = call
    else {
        return pidspace_set::default();
    };
    let flags = flags.of(&[8, 1, 2, 4, 15, 7, 0, 16]);
    let asked = |flag, value| if flags & flag == 0 { 0 } else { value };
    pidspace_set {
        flags,
        mode: asked(PIDSPACE_SET_F_MODE, mode.of(&MODES)),
        pid_max: asked(PIDSPACE_SET_F_PID_MAX, pid_max.of(&PID_MAXES)),
        policies: asked(PIDSPACE_SET_F_POLICIES, policies.of(&FLAGS)),
        max_members: asked(PIDSPACE_SET_F_MAX_MEMBERS, max_members.of(&LIMITS)),
        ..Default::default()
    }
}
