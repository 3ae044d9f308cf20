// SPDX-License-Identifier: GPL-2.0

//! What a handle of the stand-in answers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{SIGKILL, SIGTERM};
use pidspace_uapi::*;

use super::args::{is_readable, pid_of, target, valid_pid_max};
use super::{Fake, Space, State};
use crate::sys::Handle;
use crate::{Call, Interest, Ready};

/// An open file of the stand-in.
#[derive(Debug)]
pub struct FakeHandle {
    state: Rc<RefCell<State>>,
    bound: Cell<Option<u64>>,
    kill_on_close: Cell<bool>,
    /// How many events its stream has told of, where it has one.
    told: Cell<Option<usize>>,
}

impl FakeHandle {
    pub(super) fn new(state: Rc<RefCell<State>>) -> Self {
        Self {
            state,
            bound: Cell::default(),
            kill_on_close: Cell::default(),
            told: Cell::default(),
        }
    }

    fn bind(&self, state: &mut State, id: u64, flags: u32, events: u32) {
        if let Some(space) = state.spaces.get_mut(&id) {
            space.info.handles += 1;
            self.bound.set(Some(id));
            let kill = flags & PIDSPACE_BIND_F_KILL_ON_CLOSE != 0;
            self.kill_on_close.set(kill);
            self.told.set((events > 0).then_some(0));
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

    /// Gives the space a mode, unless that is looser or does not suit a member.
    fn tighten(&self, mode: u32) -> Result<(), Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(Call::SetMode)?;
        let id = self.bound.get().ok_or(Errno::EBADFD)?;
        let space = state.spaces.get(&id).ok_or(Errno::ESTALE)?;
        if mode <= space.info.mode {
            let same = mode == space.info.mode;
            return same.then_some(()).ok_or(Errno::EINVAL);
        }
        let mut members = space.members.values();
        if !members.all(|member| state.may_confine(member.global, mode)) {
            return Err(Errno::EPERM);
        }
        state.enable(mode)?;
        if let Some(space) = state.spaces.get_mut(&id) {
            space.info.mode = mode;
        }
        Ok(())
    }
}

impl Drop for FakeHandle {
    fn drop(&mut self) {
        let state = &mut *self.state.borrow_mut();
        let Some(id) = self.bound.get() else { return };
        let Some(space) = state.spaces.get_mut(&id) else {
            return;
        };
        if self.kill_on_close.get() {
            space.members.clear();
            state.signals.push((0, SIGKILL.unsigned_abs()));
        }
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
        self.state.borrow().check(match arg.mode {
            PIDSPACE_MODE_TRACK => Call::Create,
            _ => Call::CreateConfined,
        })?;
        let pid_max = valid_pid_max(arg.pid_max)?;
        if arg.events > PIDSPACE_EVENTS_MAX {
            return Err(Errno::EINVAL);
        }
        let named = arg.name[0] != 0;
        let taken = |space: &Space| named && space.info.name == arg.name;
        if self.state.borrow().spaces.values().any(taken) {
            return Err(Errno::EEXIST);
        }
        self.state.borrow_mut().enable(arg.mode)?;
        arg.id = Fake(Rc::clone(&self.state)).add_space("");
        let state = &mut *self.state.borrow_mut();
        if let Some(space) = state.spaces.get_mut(&arg.id) {
            space.info.name = arg.name;
            space.info.mode = arg.mode;
            space.info.pid_max = pid_max;
            space.info.policies = arg.policies;
            space.info.max_members = arg.max_members;
        }
        self.bind(state, arg.id, arg.flags, arg.events);
        Ok(())
    }

    fn open(&self, arg: &mut pidspace_open) -> Result<(), Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(Call::Open)?;
        if arg.events > PIDSPACE_EVENTS_MAX {
            return Err(Errno::EINVAL);
        }
        let wanted = |space: &&Space| match arg.id {
            0 => space.info.name == arg.name,
            id => space.info.id == id,
        };
        let found = state.spaces.values().find(wanted).ok_or(Errno::ENOENT)?;
        arg.id = found.info.id;
        self.bind(state, arg.id, arg.flags, arg.events);
        Ok(())
    }

    fn info(&self, arg: &mut pidspace_info) -> Result<(), Errno> {
        self.with_space(Call::Info, |space, _, _| {
            *arg = space.describe();
            Ok(())
        })
    }

    fn list(&self, arg: &mut pidspace_list, entries: &mut [pidspace_info]) -> Result<(), Errno> {
        let state = self.state.borrow();
        state.check(Call::List)?;
        let above = state.spaces.range(arg.cursor + 1..);
        arg.count = 0;
        for (entry, (id, space)) in entries.iter_mut().zip(above) {
            *entry = space.describe();
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
        let mode = state.spaces.get(&id).ok_or(Errno::ESTALE)?.info.mode;
        if !state.may_spawn(mode) {
            return Err(Errno::EPERM);
        }
        if state.marked.is_some_and(|marked| marked != id) {
            return Err(Errno::EBUSY);
        }
        state.marked = Some(id);
        state.spawning = Some(id);
        Ok(())
    }

    fn adopt(&self, arg: &mut pidspace_adopt) -> Result<(), Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(Call::Adopt)?;
        let id = self.bound.get().ok_or(Errno::EBADFD)?;
        let global = target(arg)?;
        let mut members = state.spaces.values().flat_map(|it| it.members.values());
        if members.any(|member| member.global == global) {
            return Err(Errno::EBUSY);
        }
        let mode = state.spaces.get(&id).ok_or(Errno::ESTALE)?.info.mode;
        if state.refused.contains(&global) || !state.may_confine(global, mode) {
            return Err(Errno::EPERM);
        }
        let space = state.spaces.get_mut(&id).ok_or(Errno::ESTALE)?;
        if space.members.contains_key(&global) {
            return Err(Errno::EEXIST);
        }
        let limit = space.info.max_members;
        if limit != 0 && space.describe().numbers >= limit {
            return Err(Errno::EAGAIN);
        }
        space.add(global, global);
        let tree = arg.flags & PIDSPACE_ADOPT_F_TREE != 0;
        state.adoptions.push((global, tree));
        (arg.processes, arg.numbers) = (1, 1);
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
            arg.nr.from = pid_of(arg.nr.from)?;
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
        let call = match arg.flags & PIDSPACE_KILL_F_SPACE {
            0 => Call::Kill,
            _ => Call::KillSpace,
        };
        self.with_space(call, |space, signals, refused| {
            if arg.sig > 64 {
                return Err(Errno::EINVAL);
            }
            let all = arg.flags == PIDSPACE_KILL_F_SPACE || arg.nr == -1;
            let meant = |member: &pidspace_member| {
                let group = arg.nr < 0 && arg.nr.unsigned_abs() == member.pgid;
                all || group || u32::try_from(arg.nr) == Ok(member.nr)
            };
            let number = space.members.get(&arg.nr.unsigned_abs());
            if arg.generation != 0 && number.map(|it| it.generation) != Some(arg.generation) {
                return Err(Errno::ESRCH);
            }
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

    fn set(&self, arg: &mut pidspace_set) -> Result<(), Errno> {
        let given = |flag| arg.flags & flag != 0;
        let pid_max = given(PIDSPACE_SET_F_PID_MAX).then(|| valid_pid_max(arg.pid_max));
        let pid_max = pid_max.transpose()?;
        let call = match given(PIDSPACE_SET_F_MODE) {
            true => self.tighten(arg.mode).map(|()| Call::SetMode)?,
            false => Call::Set,
        };
        self.with_space(call, |space, _, _| {
            space.info.pid_max = pid_max.unwrap_or(space.info.pid_max);
            if given(PIDSPACE_SET_F_POLICIES) {
                space.info.policies = arg.policies;
            }
            if given(PIDSPACE_SET_F_MAX_MEMBERS) {
                space.info.max_members = arg.max_members;
            }
            Ok(())
        })
    }

    fn hooks(
        &self,
        arg: &mut pidspace_hooks,
        entries: &mut [pidspace_hook_info],
    ) -> Result<(), Errno> {
        let state = self.state.borrow();
        state.check(Call::Hooks)?;
        let rest = state.hooks.iter().skip(arg.cursor as usize);
        arg.count = 0;
        for (entry, hook) in entries.iter_mut().zip(rest) {
            *entry = *hook;
            arg.cursor += 1;
            arg.count += 1;
        }
        Ok(())
    }

    /// Where the kernel would wait for ever, this is a deadlock.
    fn poll(&self, interest: Interest<'_>, timeout: Option<Duration>) -> Result<Ready, Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(Call::Poll)?;
        state.interrupted()?;
        let space = state.spaces.get(&self.bound.get().ok_or(Errno::EBADFD)?);
        let told = self.told.get().unwrap_or(usize::MAX);
        let mut ready = Ready {
            empty: space.is_none_or(|space| space.members.is_empty()),
            events: interest.events && space.is_some_and(|space| told < space.events.len()),
            other: false,
        };
        let none = ready == Ready::default();
        let timeout = if none { timeout } else { Some(Duration::ZERO) };
        ready.other = match interest.other {
            Some(fd) => is_readable(fd, timeout)?,
            None if none && timeout.is_none() => return Err(Errno::EDEADLK),
            None => false,
        };
        Ok(ready)
    }

    fn read(&self, events: &mut [pidspace_event]) -> Result<usize, Errno> {
        let state = &mut *self.state.borrow_mut();
        state.check(Call::Read)?;
        state.interrupted()?;
        let id = self.bound.get().ok_or(Errno::EBADFD)?;
        let told = self.told.get().ok_or(Errno::EINVAL)?;
        let all = state.spaces.get(&id).map_or(&[][..], |space| &space.events);
        let rest = all.get(told..).unwrap_or_default();
        let count = rest.len().min(events.len());
        for (to, from) in events.iter_mut().zip(rest) {
            *to = *from;
        }
        self.told.set(Some(told + count));
        Ok(count)
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
