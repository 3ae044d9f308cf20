// SPDX-License-Identifier: GPL-2.0

//! The commands, and those of them that change something.

use super::{
    args::Argument,
    query::{
        self,
        file_of, //
    },
    Bound,
    Handle, //
};
use crate::{
    adopt,
    confine::may_reach,
    cred::is_admin,
    error::Refusal,
    kill::Target,
    logic::{
        Fate,
        Mode,
        PidMax, //
    },
    lookup::namespace_of_current,
    membership,
    name::Name,
    registry::{
        self,
        Wanted, //
    },
    space::{
        Settings,
        Space, //
    },
    stream::Stream,
    uapi,
};
use core::num::NonZeroU32;
use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
    task::Kuid,
};

/// The highest signal, the kernel's `_NSIG`.
const LAST_SIGNAL: u32 = 64;

/// A command less the size of its argument, which the argument itself tells.
const fn unsized_command(command: u32) -> u32 {
    const SIZE: u32 = 0x3fff << 16;
    command & !SIZE
}

const ABI: u32 = unsized_command(uapi::PIDSPACE_IOC_ABI);
const CREATE: u32 = unsized_command(uapi::PIDSPACE_IOC_CREATE);
const OPEN: u32 = unsized_command(uapi::PIDSPACE_IOC_OPEN);
const INFO: u32 = unsized_command(uapi::PIDSPACE_IOC_INFO);
const LIST: u32 = unsized_command(uapi::PIDSPACE_IOC_LIST);
const SPAWN: u32 = unsized_command(uapi::PIDSPACE_IOC_SPAWN);
const ADOPT: u32 = unsized_command(uapi::PIDSPACE_IOC_ADOPT);
const MEMBERS: u32 = unsized_command(uapi::PIDSPACE_IOC_MEMBERS);
const LOOKUP: u32 = unsized_command(uapi::PIDSPACE_IOC_LOOKUP);
const KILL: u32 = unsized_command(uapi::PIDSPACE_IOC_KILL);
const SET: u32 = unsized_command(uapi::PIDSPACE_IOC_SET);
const DESTROY: u32 = unsized_command(uapi::PIDSPACE_IOC_DESTROY);
const HOOKS: u32 = unsized_command(uapi::PIDSPACE_IOC_HOOKS);

/// Does what a command asks for.
///
/// # Errors
///
/// `ENOTTY` for a command that is none; those of the command.
///
/// # Context
///
/// Process context. May sleep.
pub(super) fn dispatch(handle: &Handle, command: u32, arg: usize) -> Result {
    match unsized_command(command) {
        LOOKUP => query::lookup(handle, arg),
        ABI => query::abi(arg),
        CREATE => create(handle, arg),
        OPEN => open(handle, arg),
        INFO => query::info(handle, arg),
        LIST => query::list(arg),
        SPAWN => spawn(handle, arg),
        ADOPT => adopt(handle, arg),
        MEMBERS => query::members(handle, arg),
        KILL => kill(handle, arg),
        SET => set(handle, arg),
        DESTROY => destroy(handle, arg),
        HOOKS => query::hooks(arg),
        _ => Err(Refusal::UnknownCommand.into()),
    }
}

/// Returns whether the caller owns `space`.
pub(super) fn is_owner(space: &Space) -> bool {
    space.owner() == Kuid::current_euid()
}

/// Returns whether the caller may bind a handle to `space`.
pub(super) fn may_open(space: &Space) -> bool {
    is_owner(space) || is_admin()
}

fn create(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_create>::read(arg)?;
    let name = Name::parse(arg.value.name)?;
    let settings = settings(&arg.value)?;
    if membership::of_current(&rcu::read_lock()).is_some() {
        return Err(Refusal::IsMember.into());
    }
    arg.write()?;
    let space = handle.bind(|| {
        let stream = stream(arg.value.events)?;
        // In time for hooks that nobody needs, as they stay; `create()` makes sure.
        if name.is_some_and(|name| registry::by_name(&name).is_some()) {
            return Err(Refusal::NameTaken.into());
        }
        arm_for(settings.mode)?;
        let space = registry::create(Wanted {
            name,
            owner: Kuid::current_euid(),
            ns: namespace_of_current().ok_or(Refusal::BadArgument)?,
            settings,
            stream: stream.clone(),
            limit: space_limit(),
        })?;
        Ok(bound(space, stream, arg.value.flags))
    })?;
    arg.value.id = space.id();
    arg.write()
}

fn space_limit() -> u32 {
    if is_admin() {
        u32::MAX
    } else {
        crate::module_parameters::max_user_spaces.value()
    }
}

fn settings(request: &uapi::pidspace_create) -> Result<Settings> {
    let mut settings = Settings {
        mode: mode(request.mode)?,
        pid_max: pid_max(request.pid_max)?,
        max_members: NonZeroU32::new(request.max_members),
        no_reuse: false,
        init: false,
    };
    set_policies(&mut settings, request.policies)?;
    Ok(settings)
}

fn mode(mode: u32) -> Result<Mode> {
    match mode {
        uapi::PIDSPACE_MODE_TRACK => Ok(Mode::Track),
        uapi::PIDSPACE_MODE_SCOPE => Ok(Mode::Scope),
        uapi::PIDSPACE_MODE_VIEW => Err(Refusal::NotBuilt.into()),
        _ => Err(Refusal::BadArgument.into()),
    }
}

/// Puts the hooks in force that a space of `mode` needs.
fn arm_for(mode: Mode) -> Result {
    if mode.confines() {
        crate::arm_scope()
    } else {
        Ok(())
    }
}

fn pid_max(max: u32) -> Result<PidMax> {
    match max {
        0 => Ok(PidMax::DEFAULT),
        max => Ok(PidMax::new(max)?),
    }
}

fn set_policies(settings: &mut Settings, policies: u32) -> Result {
    if policies & !(uapi::PIDSPACE_POLICY_NO_REUSE | uapi::PIDSPACE_POLICY_INIT) != 0 {
        return Err(Refusal::BadArgument.into());
    }
    settings.no_reuse = policies & uapi::PIDSPACE_POLICY_NO_REUSE != 0;
    settings.init = policies & uapi::PIDSPACE_POLICY_INIT != 0;
    Ok(())
}

/// Makes the stream of a handle that asks for so many events.
fn stream(events: u32) -> Result<Option<Arc<Stream>>> {
    match events {
        0 => Ok(None),
        1..=uapi::PIDSPACE_EVENTS_MAX => Stream::new(events as usize).map(Some),
        _ => Err(Refusal::BadArgument.into()),
    }
}

fn bound(space: Arc<Space>, stream: Option<Arc<Stream>>, flags: u32) -> Bound {
    Bound {
        space,
        stream,
        kill_on_close: flags & uapi::PIDSPACE_BIND_F_KILL_ON_CLOSE != 0,
    }
}

fn open(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_open>::read(arg)?;
    let name = Name::parse(arg.value.name)?;
    arg.write()?;
    let space = handle.bind(|| {
        let space = match (arg.value.id, &name) {
            (0, Some(name)) => registry::by_name(name),
            (id, None) if id != 0 => registry::by_id(id),
            _ => return Err(Refusal::BadArgument.into()),
        };
        let stream = stream(arg.value.events)?;
        let space = admit(space, stream.clone())?;
        Ok(bound(space, stream, arg.value.flags))
    })?;
    arg.value.id = space.id();
    arg.write()
}

/// Counts a handle of the caller's in, if there is a space and the caller may open it.
fn admit(space: Option<Arc<Space>>, stream: Option<Arc<Stream>>) -> Result<Arc<Space>> {
    // To a caller confined to another space this one is not there.
    let space = space
        .filter(|space| may_reach(space))
        .ok_or(Refusal::NoSuchSpace)?;
    if !may_open(&space) {
        return Err(Refusal::NotPermitted.into());
    }
    match space.add_handle(stream) {
        Ok(()) => Ok(space),
        // A space that ended between being found and now is as good as never found.
        Err(_) if space.is_gone() => Err(Refusal::NoSuchSpace.into()),
        Err(error) => Err(error),
    }
}

fn set(handle: &Handle, arg: usize) -> Result {
    let arg = Argument::<uapi::pidspace_set>::read(arg)?;
    let request = &arg.value;
    let asked = |flag| request.flags & flag != 0;
    let unused = [
        (uapi::PIDSPACE_SET_F_PID_MAX, request.pid_max),
        (uapi::PIDSPACE_SET_F_POLICIES, request.policies),
        (uapi::PIDSPACE_SET_F_MAX_MEMBERS, request.max_members),
        (uapi::PIDSPACE_SET_F_MODE, request.mode),
    ];
    if unused
        .iter()
        .any(|&(flag, value)| !asked(flag) && value != 0)
    {
        return Err(Refusal::BadArgument.into());
    }
    let space = handle.space()?;
    let wanted = mode(request.mode)?;
    let max = pid_max(request.pid_max)?;
    arm_for(wanted)?;
    let privileged = !wanted.confines() || is_admin();
    space.set(privileged, |settings| {
        if asked(uapi::PIDSPACE_SET_F_MODE) {
            settings.mode = wanted;
        }
        if asked(uapi::PIDSPACE_SET_F_PID_MAX) {
            settings.pid_max = max;
        }
        if asked(uapi::PIDSPACE_SET_F_POLICIES) {
            set_policies(settings, request.policies)?;
        }
        if asked(uapi::PIDSPACE_SET_F_MAX_MEMBERS) {
            settings.max_members = NonZeroU32::new(request.max_members);
        }
        Ok(())
    })
}

fn adopt(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_adopt>::read(arg)?;
    let space = handle.space()?;
    arg.write()?;
    let target = if arg.value.flags & uapi::PIDSPACE_ADOPT_F_PIDFD != 0 {
        adopt::Target::Pidfd(file_of(arg.value.pid)?)
    } else {
        adopt::Target::Nr(arg.value.pid)
    };
    let tree = arg.value.flags & uapi::PIDSPACE_ADOPT_F_TREE != 0;
    let adopted = adopt::adopt(space, &target, tree)?;
    arg.value.processes = adopted.processes;
    arg.value.numbers = adopted.numbers;
    arg.write()
}

fn spawn(handle: &Handle, arg: usize) -> Result {
    let arg = Argument::<uapi::pidspace_spawn>::read(arg)?;
    let space = handle.space()?;
    if arg.value.flags & uapi::PIDSPACE_SPAWN_F_CLEAR != 0 {
        membership::unmark_current(space)
    } else {
        membership::mark_current(space)
    }
}

fn kill(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_kill>::read(arg)?;
    if arg.value.sig > LAST_SIGNAL {
        return Err(Refusal::BadArgument.into());
    }
    let everyone = arg.value.flags & uapi::PIDSPACE_KILL_F_SPACE != 0;
    let target = match arg.value.nr {
        0 if everyone && arg.value.generation == 0 => Target::Everyone,
        _ if everyone => return Err(Refusal::BadArgument.into()),
        nr => Target::parse(nr, arg.value.generation)?,
    };
    let outcome = handle.space()?.kill(target, arg.value.sig as c_int)?;
    arg.value.signalled = outcome.signalled;
    arg.value.refused = outcome.refused;
    arg.write()
}

fn destroy(handle: &Handle, arg: usize) -> Result {
    let arg = Argument::<uapi::pidspace_destroy>::read(arg)?;
    let space = handle.space()?;
    if arg.value.flags & uapi::PIDSPACE_DESTROY_F_KILL == 0 {
        registry::settle(space.id(), space.destroy()?);
        return Ok(());
    }
    let (fate, was_live) = space.destroy_with_members()?;
    registry::settle(space.id(), fate);
    if fate == Fate::Bury {
        return Ok(());
    }
    // The space may be gone before the signal is sent, which is what is wanted.
    let killed = space.kill_everyone();
    if killed.is_ok_and(|outcome| outcome.refused != 0) {
        if was_live {
            space.cancel_destroy();
        }
        return Err(Refusal::NotPermitted.into());
    }
    if space.wait_settled()? {
        Ok(())
    } else {
        Err(Refusal::NotPermitted.into())
    }
}
