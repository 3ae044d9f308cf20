// SPDX-License-Identifier: GPL-2.0

//! A stand-in for the module that keeps its spaces in memory.
//!
//! It follows `pidspace.h` as far as a single thread of a manager can tell.  No process is behind
//! its members: a test puts them in, and a signal that ends a process takes them out.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use nix::errno::Errno;
use nix::libc::{SIGKILL, SIGTERM};
use pidspace_uapi::*;

use crate::sys::{Handle, Sys};
use crate::types::NAME_SIZE;
use crate::Call;

/// A space of the stand-in.
#[derive(Debug)]
struct Space {
    info: pidspace_info,
    members: BTreeMap<u32, pidspace_member>,
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
}

impl State {
    fn check(&self, call: Call) -> Result<(), Errno> {
        match self.failure {
            Some((failing, errno)) if failing == call => Err(errno),
            _ => Ok(()),
        }
    }

    fn add(&mut self, id: u64, global: u32) -> Option<&mut pidspace_member> {
        let space = self.spaces.get_mut(&id)?;
        let nr = space.info.last_nr + 1;
        space.info.last_nr = nr;
        space.info.generation += 1;
        let member = pidspace_member {
            nr,
            flags: PIDSPACE_MEMBER_F_LEADER,
            tgid: nr,
            pgid: nr,
            sid: nr,
            global,
            global_tgid: global,
            generation: space.info.generation,
            ..Default::default()
        };
        Some(space.members.entry(nr).or_insert(member))
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
            modes: 1 << PIDSPACE_MODE_TRACK,
            hooks: PIDSPACE_HOOK_FORK | PIDSPACE_HOOK_EXIT | PIDSPACE_HOOK_NEWTASK,
            ..Default::default()
        };
        Self(Rc::new(RefCell::new(State {
            abi,
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
        let mut raw = [0; NAME_SIZE];
        for (to, from) in raw.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        let mut state = self.0.borrow_mut();
        state.last_id += 1;
        let id = state.last_id;
        let info = pidspace_info {
            id,
            name: raw,
            pid_max: PIDSPACE_PID_MAX_DEFAULT,
            ..Default::default()
        };
        let members = BTreeMap::new();
        state.spaces.insert(id, Space { info, members });
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

    /// Has signals to the process with the global number `global` refused.
    pub fn refuse(&self, global: u32) {
        self.0.borrow_mut().refused.push(global);
    }

    /// The signals asked for so far, as number and signal.
    pub fn signals(&self) -> Vec<(i32, u32)> {
        self.0.borrow().signals.clone()
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
        Ok(FakeHandle {
            state: Rc::clone(&self.0),
            bound: Cell::new(None),
        })
    }
}

/// An open file of the stand-in.
#[derive(Debug)]
pub struct FakeHandle {
    state: Rc<RefCell<State>>,
    bound: Cell<Option<u64>>,
}

impl FakeHandle {
    fn bind(&self, state: &mut State, id: u64) {
        if let Some(space) = state.spaces.get_mut(&id) {
            space.info.handles += 1;
            self.bound.set(Some(id));
        }
    }

    fn with_space<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut Space, &mut Vec<(i32, u32)>, &[u32]) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(call)?;
        let id = self.bound.get().ok_or(Errno::EBADFD)?;
        let space = state.spaces.get_mut(&id).ok_or(Errno::ESTALE)?;
        act(space, &mut state.signals, &state.refused)
    }
}

impl Drop for FakeHandle {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        let Some(id) = self.bound.get() else { return };
        let Some(space) = state.spaces.get_mut(&id) else {
            return;
        };
        space.info.handles -= 1;
        let unused = space.info.handles == 0 && space.members.is_empty();
        if unused && space.info.name[0] == 0 {
            state.spaces.remove(&id);
        }
    }
}

impl Handle for FakeHandle {
    fn abi(&self, arg: &mut pidspace_abi) -> Result<(), Errno> {
        let state = self.state.borrow();
        state.check(Call::Abi)?;
        *arg = state.abi;
        Ok(())
    }

    fn create(&self, arg: &mut pidspace_create) -> Result<(), Errno> {
        self.state.borrow().check(Call::Create)?;
        let pid_max = match arg.pid_max {
            0 => PIDSPACE_PID_MAX_DEFAULT,
            pid_max => pid_max,
        };
        if !(PIDSPACE_PID_MAX_MIN..=PIDSPACE_PID_MAX_LIMIT).contains(&pid_max) {
            return Err(Errno::EINVAL);
        }
        let named = arg.name[0] != 0;
        let taken = |space: &Space| named && space.info.name == arg.name;
        if self.state.borrow().spaces.values().any(taken) {
            return Err(Errno::EEXIST);
        }
        arg.id = Fake(Rc::clone(&self.state)).add_space("");
        let state = &mut *self.state.borrow_mut();
        if let Some(space) = state.spaces.get_mut(&arg.id) {
            space.info.name = arg.name;
            space.info.pid_max = pid_max;
        }
        self.bind(state, arg.id);
        Ok(())
    }

    fn open(&self, arg: &mut pidspace_open) -> Result<(), Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(Call::Open)?;
        let wanted = |space: &&Space| match arg.id {
            0 => space.info.name == arg.name,
            id => space.info.id == id,
        };
        let found = state.spaces.values().find(wanted).ok_or(Errno::ENOENT)?;
        arg.id = found.info.id;
        self.bind(state, arg.id);
        Ok(())
    }

    fn info(&self, arg: &mut pidspace_info) -> Result<(), Errno> {
        self.with_space(Call::Info, |space, _, _| {
            *arg = describe(space);
            Ok(())
        })
    }

    fn list(&self, arg: &mut pidspace_list, entries: &mut [pidspace_info]) -> Result<(), Errno> {
        let state = self.state.borrow();
        state.check(Call::List)?;
        let above = state.spaces.range(arg.cursor + 1..);
        arg.count = 0;
        for (entry, (id, space)) in entries.iter_mut().zip(above) {
            *entry = describe(space);
            arg.cursor = *id;
            arg.count += 1;
        }
        Ok(())
    }

    fn spawn(&self, arg: &mut pidspace_spawn) -> Result<(), Errno> {
        let state = &mut *self.state.borrow_mut();
        let id = self.bound.get().ok_or(Errno::EBADFD)?;
        if arg.flags == PIDSPACE_SPAWN_F_CLEAR {
            let marked = state.marked.take_if(|marked| *marked == id);
            return marked.map(drop).ok_or(Errno::EINVAL);
        }
        state.check(Call::Spawn)?;
        if state.marked.is_some_and(|marked| marked != id) {
            return Err(Errno::EBUSY);
        }
        state.marked = Some(id);
        state.spawning = Some(id);
        Ok(())
    }

    fn members(
        &self,
        arg: &mut pidspace_members,
        entries: &mut [pidspace_member],
    ) -> Result<(), Errno> {
        self.with_space(Call::Members, |space, _, _| {
            let above = space.members.range(arg.cursor + 1..);
            arg.count = 0;
            for (entry, (nr, member)) in entries.iter_mut().zip(above) {
                *entry = *member;
                arg.cursor = *nr;
                arg.count += 1;
            }
            Ok(())
        })
    }

    fn lookup(&self, arg: &mut pidspace_lookup, entries: &mut [pidspace_nr]) -> Result<(), Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(Call::Lookup)?;
        if arg.op == PIDSPACE_LOOKUP_PIDFD {
            return Err(Errno::EBADF);
        }
        let single = entries.is_empty();
        let alone = std::slice::from_mut(&mut arg.nr);
        for entry in if single { alone } else { entries } {
            let bound = self.bound.get();
            let mut answer = state.answer(bound, arg.op, entry.from);
            // The first unknown number after a mark is taken for the process that was started.
            if answer.is_none() && arg.op == PIDSPACE_LOOKUP_IN_SPACE {
                if let Some(id) = state.spawning.take_if(|id| Some(*id) == bound) {
                    state.add(id, entry.from.unsigned_abs());
                    answer = state.answer(bound, arg.op, entry.from);
                }
            }
            let (to, space, generation) = match answer {
                None if single => return Err(Errno::ESRCH),
                answer => answer.unwrap_or_default(),
            };
            entry.to = i32::try_from(to).map_err(|_| Errno::EOVERFLOW)?;
            (entry.space, entry.generation) = (space, generation);
        }
        Ok(())
    }

    fn kill(&self, arg: &mut pidspace_kill) -> Result<(), Errno> {
        self.with_space(Call::Kill, |space, signals, refused| {
            if arg.sig > 64 {
                return Err(Errno::EINVAL);
            }
            let all = arg.flags == PIDSPACE_KILL_F_SPACE || arg.nr == -1;
            let meant = |member: &pidspace_member| {
                let group = arg.nr < 0 && arg.nr.unsigned_abs() == member.pgid;
                all || group || u32::try_from(arg.nr) == Ok(member.nr)
            };
            let (spared, hit): (Vec<_>, Vec<_>) = space
                .members
                .values()
                .copied()
                .filter(meant)
                .partition(|member| refused.contains(&member.global));
            let count = |members: &[_]| u32::try_from(members.len()).map_err(|_| Errno::EOVERFLOW);
            (arg.signalled, arg.refused) = (count(&hit)?, count(&spared)?);
            if hit.is_empty() {
                return Err(if spared.is_empty() {
                    Errno::ESRCH
                } else {
                    Errno::EPERM
                });
            }
            signals.push((arg.nr, arg.sig));
            if [SIGKILL, SIGTERM].map(i32::unsigned_abs).contains(&arg.sig) {
                space
                    .members
                    .retain(|nr, _| !hit.iter().any(|member| member.nr == *nr));
            }
            Ok(())
        })
    }

    fn destroy(&self, arg: &mut pidspace_destroy) -> Result<(), Errno> {
        let id = self.with_space(Call::Destroy, |space, _, _| {
            let kill = arg.flags == PIDSPACE_DESTROY_F_KILL;
            let removable = kill || space.members.is_empty();
            removable.then_some(space.info.id).ok_or(Errno::EBUSY)
        })?;
        self.state.borrow_mut().spaces.remove(&id);
        Ok(())
    }
}

fn describe(space: &Space) -> pidspace_info {
    pidspace_info {
        numbers: u32::try_from(space.members.len()).unwrap_or(u32::MAX),
        ..space.info
    }
}
