// SPDX-License-Identifier: GPL-2.0

//! A stand-in for the module that keeps its spaces in memory.
//!
//! It follows `pidspace.h` as far as a single thread of a manager can tell.  No process is behind
//! its members: a test puts them in, and a signal that ends a process takes them out.  Only what
//! is adopted must be there.

mod args;
mod handle;
mod scope;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use nix::errno::Errno;
use pidspace_uapi::*;

use crate::sys::Sys;
use crate::Call;
pub use handle::FakeHandle;

/// A space of the stand-in.
#[derive(Debug)]
struct Space {
    info: pidspace_info,
    members: BTreeMap<u32, pidspace_member>,
    events: Vec<pidspace_event>,
}

impl Space {
    fn describe(&self) -> pidspace_info {
        pidspace_info {
            numbers: u32::try_from(self.members.len()).unwrap_or(u32::MAX),
            ..self.info
        }
    }

    /// Puts a process in as number `nr`, or returns the one that has it.
    fn add(&mut self, nr: u32, global: u32) -> &mut pidspace_member {
        self.info.generation += 1;
        let member = pidspace_member {
            nr,
            flags: PIDSPACE_MEMBER_F_LEADER,
            tgid: nr,
            pgid: nr,
            sid: nr,
            global,
            global_tgid: global,
            generation: self.info.generation,
            ..Default::default()
        };
        self.members.entry(nr).or_insert(member)
    }
}

/// What is true of the stand-in as a whole.
#[derive(Debug, Default)]
struct State {
    abi: pidspace_abi,
    spaces: BTreeMap<u64, Space>,
    last_id: u64,
    failure: Option<(Call, Errno)>,
    marked: Option<u64>,
    spawning: Option<u64>,
    signals: Vec<(i32, u32)>,
    refused: Vec<u32>,
    adoptions: Vec<(u32, bool)>,
    interruptions: u32,
    hooks: Vec<pidspace_hook_info>,
    held: Vec<([u8; PIDSPACE_SYMBOL_SIZE as usize], Errno)>,
    unprivileged: bool,
}

impl State {
    fn check(&self, call: Call) -> Result<(), Errno> {
        match self.failure {
            Some((failing, errno)) if failing == call => Err(errno),
            _ => Ok(()),
        }
    }

    /// Has the next calls that wait interrupted, as often as was asked for.
    fn interrupted(&mut self) -> Result<(), Errno> {
        match self.interruptions.checked_sub(1) {
            None => Ok(()),
            Some(rest) => {
                self.interruptions = rest;
                Err(Errno::EINTR)
            }
        }
    }

    fn add(&mut self, id: u64, global: u32) -> Option<&mut pidspace_member> {
        let space = self.spaces.get_mut(&id)?;
        space.info.last_nr += 1;
        Some(space.add(space.info.last_nr, global))
    }

    fn answer(&self, bound: Option<u64>, op: u32, from: i32) -> Option<(u32, u64, u64)> {
        let from = u32::try_from(from).ok()?;
        let spaces = self.spaces.iter();
        spaces
            .filter(|(id, _)| bound.is_none_or(|bound| bound == **id))
            .find_map(|(id, space)| {
                let mut members = space.members.values();
                let (to, member) = if op == PIDSPACE_LOOKUP_FROM_SPACE {
                    let member = members.find(|member| member.nr == from)?;
                    (member.global, member)
                } else {
                    let member = members.find(|member| member.global == from)?;
                    (member.nr, member)
                };
                Some((to, *id, member.generation))
            })
    }
}

/// The stand-in.  Clones share one state, which outlives them as long as a handle does.
#[derive(Debug, Clone)]
pub struct Fake(Rc<RefCell<State>>);

impl Default for Fake {
    fn default() -> Self {
        let abi = pidspace_abi {
            level: PIDSPACE_ABI_LEVEL,
            modes: (1 << PIDSPACE_MODE_TRACK) | (1 << PIDSPACE_MODE_SCOPE),
            hooks: PIDSPACE_HOOK_FORK
                | PIDSPACE_HOOK_EXIT
                | PIDSPACE_HOOK_NEWTASK
                | PIDSPACE_HOOK_EXITING
                | PIDSPACE_HOOK_EXEC,
            ..Default::default()
        };
        Self(Rc::new(RefCell::new(State {
            abi,
            hooks: scope::hooks(),
            ..Default::default()
        })))
    }
}

impl Fake {
    /// Changes what it says of itself.
    pub fn change_abi(&self, change: impl FnOnce(&mut pidspace_abi)) {
        change(&mut self.0.borrow_mut().abi);
    }

    /// Has `call` fail from now on.
    pub fn fail(&self, call: Call, errno: Errno) {
        self.0.borrow_mut().failure = Some((call, errno));
    }

    /// Makes a space and returns its id; an empty name stands for none.
    pub fn add_space(&self, name: &str) -> u64 {
        let mut state = self.0.borrow_mut();
        state.last_id += 1;
        let id = state.last_id;
        let info = pidspace_info {
            id,
            name: scope::filled_up(name),
            pid_max: PIDSPACE_PID_MAX_DEFAULT,
            ..Default::default()
        };
        let space = Space {
            info,
            members: BTreeMap::new(),
            events: Vec::new(),
        };
        state.spaces.insert(id, space);
        id
    }

    /// Puts a process into space `id`, changed as wanted, and returns its local number; 0 when
    /// there is no such space.
    pub fn add_member(
        &self,
        id: u64,
        global: u32,
        change: impl FnOnce(&mut pidspace_member),
    ) -> u32 {
        let mut state = self.0.borrow_mut();
        state.add(id, global).map_or(0, |member| {
            change(member);
            member.nr
        })
    }

    /// Has every stream of space `id` tell of an event, after those before it and changed as
    /// wanted.  When a stream has told of all, the space counts as gone for its readers.
    pub fn add_event(&self, id: u64, change: impl FnOnce(&mut pidspace_event)) {
        if let Some(space) = self.0.borrow_mut().spaces.get_mut(&id) {
            let mut event = pidspace_event::default();
            change(&mut event);
            space.events.push(event);
        }
    }

    /// Interrupts the next `count` calls that wait.
    pub fn interrupt(&self, count: u32) {
        self.0.borrow_mut().interruptions = count;
    }

    /// Has the hook on `symbol` fail when mode SCOPE is to put it in force.
    pub fn hold(&self, symbol: &str, errno: Errno) {
        let held = (scope::filled_up(symbol), errno);
        self.0.borrow_mut().held.push(held);
    }

    /// Lets hooks be put in force again.
    pub fn release(&self) {
        self.0.borrow_mut().held.clear();
    }

    /// Takes CAP_SYS_ADMIN from the caller: what is confined must have no_new_privs.
    pub fn drop_privilege(&self) {
        self.0.borrow_mut().unprivileged = true;
    }

    /// Has signals to the process with the global number `global`, and its adoption, refused.
    pub fn refuse(&self, global: u32) {
        self.0.borrow_mut().refused.push(global);
    }

    /// The signals asked for so far, as number and signal.
    pub fn signals(&self) -> Vec<(i32, u32)> {
        self.0.borrow().signals.clone()
    }

    /// What was adopted so far: global numbers, and whether the trees below were.
    pub fn adoptions(&self) -> Vec<(u32, bool)> {
        self.0.borrow().adoptions.clone()
    }

    /// Whether the thread is marked.
    pub fn is_marked(&self) -> bool {
        self.0.borrow().marked.is_some()
    }
}

impl Sys for Fake {
    type Handle = FakeHandle;

    fn open(&self) -> Result<FakeHandle, Errno> {
        self.0.borrow().check(Call::OpenDevice)?;
        Ok(FakeHandle::new(Rc::clone(&self.0)))
    }
}
