// SPDX-License-Identifier: GPL-2.0

//! The commands that only ask.

use super::{
    args::{
        Argument,
        Entries, //
    },
    ioctl::{
        is_owner,
        may_open, //
    },
    Handle,
};
use crate::{
    binding::Binding,
    confine::{
        may_reach,
        may_reach_id, //
    },
    cred::{
        is_admin,
        shown_uid, //
    },
    error::Refusal,
    logic::{
        Mode,
        Nr, //
    },
    lookup::{
        find_for_current,
        pid_of_pidfd, //
    },
    membership, registry,
    space::{
        Settings,
        Space, //
    },
    task::{
        current_task,
        PidRef,
        Role, //
    },
    uapi,
};
use core::num::NonZeroU32;
use kernel::{
    fs::LocalFile,
    prelude::*,
    sync::{
        aref::ARef,
        rcu, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// `PIDSPACE_IOC_ABI`
pub(super) fn abi(arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_abi>::read(arg)?;
    arg.value.level = uapi::PIDSPACE_ABI_LEVEL;
    arg.value.modes = 1 << uapi::PIDSPACE_MODE_TRACK | 1 << uapi::PIDSPACE_MODE_SCOPE;
    arg.value.hooks = crate::hooks_in_force();
    arg.value.anomalies = membership::anomalies();
    arg.write()
}

/// `PIDSPACE_IOC_HOOKS`
pub(super) fn hooks(arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_hooks>::read(arg)?;
    let hooks = &mut arg.value;
    let size = uapi::PIDSPACE_HOOK_INFO_SIZE_VER0;
    let mut entries = Entries::new(hooks.entries, hooks.count, hooks.entry_size, size)?;
    while !entries.is_full() {
        let Some(hook) = crate::describe_hook(hooks.cursor as usize) else {
            break;
        };
        entries.push(&hook)?;
        hooks.cursor = hooks.cursor.saturating_add(1);
    }
    hooks.count = entries.filled();
    arg.write()
}

/// `PIDSPACE_IOC_INFO`
pub(super) fn info(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_info>::read(arg)?;
    let size = arg.value.size;
    arg.value = describe(handle.space()?)?;
    arg.value.size = size;
    arg.write()
}

fn describe(space: &Space) -> Result<uapi::pidspace_info> {
    let status = space.status()?;
    Ok(uapi::pidspace_info {
        size: size_of::<uapi::pidspace_info>() as u32,
        flags: 0,
        id: space.id(),
        generation: status.generation,
        mode: match status.settings.mode {
            Mode::Track => uapi::PIDSPACE_MODE_TRACK,
            Mode::Scope => uapi::PIDSPACE_MODE_SCOPE,
        },
        state: if status.dying {
            uapi::PIDSPACE_STATE_DYING
        } else {
            uapi::PIDSPACE_STATE_LIVE
        },
        pid_max: status.settings.pid_max.get(),
        last_nr: status.last_nr,
        numbers: status.numbers,
        handles: status.handles,
        spawners: status.spawners,
        owner: shown_uid(space.owner()),
        name: space.name().map_or([0; _], |name| name.bytes()),
        policies: policies(&status.settings),
        max_members: status.settings.max_members.map_or(0, NonZeroU32::get),
    })
}

fn policies(settings: &Settings) -> u32 {
    let mut policies = 0;
    if settings.no_reuse {
        policies |= uapi::PIDSPACE_POLICY_NO_REUSE;
    }
    if settings.init {
        policies |= uapi::PIDSPACE_POLICY_INIT;
    }
    policies
}

/// `PIDSPACE_IOC_LIST`
pub(super) fn list(arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_list>::read(arg)?;
    let list = &mut arg.value;
    let size = uapi::PIDSPACE_INFO_SIZE_VER0;
    let mut entries = Entries::new(list.entries, list.count, list.entry_size, size)?;
    let admin = is_admin();
    while !entries.is_full() {
        let Some(space) = registry::next_after(list.cursor) else {
            break;
        };
        list.cursor = space.id();
        // A space that ended since it was found is left out.
        let listed = (admin || is_owner(&space)) && may_reach(&space);
        if let (true, Ok(info)) = (listed, describe(&space)) {
            entries.push(&info)?;
        }
    }
    list.count = entries.filled();
    arg.write()
}

/// `PIDSPACE_IOC_MEMBERS`
pub(super) fn members(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_members>::read(arg)?;
    let space = handle.space()?;
    space.status()?;
    let members = &mut arg.value;
    let size = uapi::PIDSPACE_MEMBER_SIZE_VER0;
    let mut entries = Entries::new(members.entries, members.count, members.entry_size, size)?;
    let mut batch = [Nr::FIRST; 64];
    'fill: loop {
        let from = Nr::new(members.cursor.saturating_add(1));
        let filled = space.numbers_from(from, &mut batch);
        let Some(numbers) = batch.get(..filled).filter(|numbers| !numbers.is_empty()) else {
            break;
        };
        for &nr in numbers {
            if entries.is_full() {
                break 'fill;
            }
            if let Some(member) = describe_member(space, nr) {
                entries.push(&member)?;
            }
            members.cursor = nr.get();
        }
    }
    members.count = entries.filled();
    arg.write()
}

fn describe_member(space: &Space, nr: Nr) -> Option<uapi::pidspace_member> {
    let guard = rcu::read_lock();
    let binding = space.find(nr, &guard)?;
    let mut member = uapi::pidspace_member {
        nr: nr.get(),
        global: binding.pid().nr_for_current(),
        generation: binding.generation(),
        ..Default::default()
    };
    let Some(task) = binding.pid().task(&guard) else {
        member.flags = uapi::PIDSPACE_MEMBER_F_NO_TASK;
        return Some(member);
    };
    let local = |pid: Option<PidRef<'_>>| pid.map_or(0, |pid| nr_in(space, pid, &guard));
    let tgid = task.pid_as(Role::Tgid);
    if tgid == Some(binding.pid()) {
        member.flags |= uapi::PIDSPACE_MEMBER_F_LEADER;
    }
    if task.is_zombie() {
        member.flags |= uapi::PIDSPACE_MEMBER_F_ZOMBIE;
    }
    member.tgid = local(tgid);
    member.global_tgid = tgid.map_or(0, PidRef::nr_for_current);
    member.ppid = local(task.parent().and_then(|parent| parent.pid_as(Role::Tgid)));
    member.pgid = local(task.pid_as(Role::Pgid));
    member.sid = local(task.pid_as(Role::Sid));
    Some(member)
}

/// Returns the local number of `pid` in `space`, 0 when it is not a member's.
fn nr_in(space: &Space, pid: PidRef<'_>, guard: &rcu::Guard) -> u32 {
    membership::of(pid, guard)
        .filter(|binding| binding.is_in(space))
        .and_then(Binding::nr)
        .map_or(0, Nr::get)
}

/// `PIDSPACE_IOC_LOOKUP`
pub(super) fn lookup(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_lookup>::read(arg)?;
    if arg.value.count != 0 {
        return lookup_batch(handle, &arg.value);
    }
    if arg.value.entries != 0 {
        return Err(Refusal::BadArgument.into());
    }
    arg.value.nr = translate(handle, arg.value.op, arg.value.nr.from)?;
    if arg.value.nr.to == 0 {
        return Err(Refusal::NoSuchMember.into());
    }
    arg.write()
}

fn lookup_batch(handle: &Handle, lookup: &uapi::pidspace_lookup) -> Result {
    let inline = &lookup.nr;
    let unused = inline.from == 0 && inline.to == 0 && inline.generation == 0 && inline.space == 0;
    if lookup.count > uapi::PIDSPACE_BATCH_MAX || !unused {
        return Err(Refusal::BadArgument.into());
    }
    let length = size_of::<uapi::pidspace_nr>().saturating_mul(lookup.count as usize);
    let ptr = UserPtr::from_addr(lookup.entries as usize);
    let (mut reader, mut writer) = UserSlice::new(ptr, length).reader_writer();
    for _ in 0..lookup.count {
        let question: uapi::pidspace_nr = reader.read()?;
        writer.write(&translate(handle, lookup.op, question.from)?)?;
    }
    Ok(())
}

/// Answers one question; `to` is 0 when there is no such member.
fn translate(handle: &Handle, op: u32, from: i32) -> Result<uapi::pidspace_nr> {
    let answer = match op {
        uapi::PIDSPACE_LOOKUP_FROM_SPACE => from_space(handle.space()?, from)?,
        uapi::PIDSPACE_LOOKUP_IN_SPACE => {
            let guard = rcu::read_lock();
            find_for_current(from, &guard).and_then(|pid| in_space(pid, &guard))
        }
        uapi::PIDSPACE_LOOKUP_PIDFD => {
            let file = file_of(from)?;
            let pid = pid_of_pidfd(&file).ok_or(Refusal::NotAPidfd)?;
            in_space(pid, &rcu::read_lock())
        }
        _ => return Err(Refusal::BadArgument.into()),
    };
    let answer = answer
        .filter(|answer| op == uapi::PIDSPACE_LOOKUP_FROM_SPACE || is_visible(handle, answer));
    Ok(uapi::pidspace_nr {
        from,
        ..answer.map_or_else(Default::default, |answer| answer.nr)
    })
}

/// Returns the open file that a request calls a pidfd.
pub(super) fn file_of(pidfd: i32) -> Result<ARef<LocalFile>> {
    let fd = u32::try_from(pidfd).map_err(|_| Refusal::NotAPidfd)?;
    Ok(LocalFile::fget(fd).map_err(|_| Refusal::NotAPidfd)?)
}

/// What a number translates into, and whose it is.
struct Answer {
    nr: uapi::pidspace_nr,
    /// Whether it is the calling process that was asked for.
    is_caller: bool,
}

impl Answer {
    fn new(to: u32, binding: &Binding, is_caller: bool) -> Self {
        let nr = uapi::pidspace_nr {
            from: 0,
            to: i32::try_from(to).unwrap_or(0),
            generation: binding.generation(),
            space: binding.space_id(),
        };
        Self { nr, is_caller }
    }
}

fn from_space(space: &Space, nr: i32) -> Result<Option<Answer>> {
    let guard = rcu::read_lock();
    let found = u32::try_from(nr)
        .ok()
        .and_then(Nr::new)
        .and_then(|nr| space.find(nr, &guard));
    match found {
        Some(binding) => {
            let global = binding.pid().nr_for_current();
            Ok(Some(Answer::new(global, binding, false)))
        }
        // A space that is gone must not look like one without that number.
        None => space.status().map(|_| None),
    }
}

fn in_space(pid: PidRef<'_>, guard: &rcu::Guard) -> Option<Answer> {
    let binding = membership::of(pid, guard)?;
    let own = |task: crate::task::TaskRef<'_>| {
        task.pid_as(Role::Tgid) == Some(pid) || task.pid() == Some(pid)
    };
    let is_caller = current_task(guard).is_some_and(own);
    Some(Answer::new(binding.nr()?.get(), binding, is_caller))
}

/// Returns whether the handle's holder may be given `answer`.
fn is_visible(handle: &Handle, answer: &Answer) -> bool {
    if !may_reach_id(answer.nr.space) {
        return false;
    }
    match handle.bound() {
        Some(space) => space.id() == answer.nr.space,
        None => {
            let owned = || registry::by_id(answer.nr.space).is_some_and(|space| may_open(&space));
            answer.is_caller || owned()
        }
    }
}
