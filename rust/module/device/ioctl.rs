// SPDX-License-Identifier: GPL-2.0

//! The commands, and those of them that change something.

use super::{
    args::Argument,
    query,
    Handle, //
};
use crate::{
    error::Refusal,
    kill::Target,
    logic::{
        Fate,
        PidMax, //
    },
    membership,
    name::Name,
    registry::{
        self,
        Wanted, //
    },
    space::Space,
    task::is_admin,
    uapi,
};
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
const MEMBERS: u32 = unsized_command(uapi::PIDSPACE_IOC_MEMBERS);
const LOOKUP: u32 = unsized_command(uapi::PIDSPACE_IOC_LOOKUP);
const KILL: u32 = unsized_command(uapi::PIDSPACE_IOC_KILL);
const DESTROY: u32 = unsized_command(uapi::PIDSPACE_IOC_DESTROY);

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
        MEMBERS => query::members(handle, arg),
        KILL => kill(handle, arg),
        DESTROY => destroy(handle, arg),
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
    let wanted = wanted(&arg.value)?;
    if membership::of_current(&rcu::read_lock()).is_some() {
        return Err(Refusal::IsMember.into());
    }
    let space = handle.bind(|| registry::create(wanted))?;
    arg.value.id = space.id();
    arg.write()
}

fn wanted(request: &uapi::pidspace_create) -> Result<Wanted> {
    match request.mode {
        uapi::PIDSPACE_MODE_TRACK => (),
        uapi::PIDSPACE_MODE_SCOPE | uapi::PIDSPACE_MODE_VIEW => {
            return Err(Refusal::NotBuilt.into());
        }
        _ => return Err(Refusal::BadArgument.into()),
    }
    Ok(Wanted {
        name: Name::parse(request.name)?,
        owner: Kuid::current_euid(),
        pid_max: match request.pid_max {
            0 => PidMax::DEFAULT,
            max => PidMax::new(max)?,
        },
        limit: if is_admin() {
            u32::MAX
        } else {
            crate::module_parameters::max_user_spaces.value()
        },
    })
}

fn open(handle: &Handle, arg: usize) -> Result {
    let mut arg = Argument::<uapi::pidspace_open>::read(arg)?;
    let name = Name::parse(arg.value.name)?;
    let space = handle.bind(|| {
        let space = match (arg.value.id, &name) {
            (0, Some(name)) => registry::by_name(name),
            (id, None) if id != 0 => registry::by_id(id),
            _ => return Err(Refusal::BadArgument.into()),
        };
        admit(space)
    })?;
    arg.value.id = space.id();
    arg.write()
}

/// Counts a handle of the caller's in, if there is a space and the caller may open it.
fn admit(space: Option<Arc<Space>>) -> Result<Arc<Space>> {
    let space = space.ok_or(Refusal::NoSuchSpace)?;
    if !may_open(&space) {
        return Err(Refusal::NotPermitted.into());
    }
    // A space that ended between being found and now is as good as never found.
    space.add_handle().map_err(|_| Refusal::NoSuchSpace)?;
    Ok(space)
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
        0 if everyone => Target::Everyone,
        _ if everyone => return Err(Refusal::BadArgument.into()),
        nr => Target::parse(nr)?,
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
    let fate = space.destroy_with_members()?;
    registry::settle(space.id(), fate);
    if fate == Fate::Bury {
        return Ok(());
    }
    // The space may be gone before the walk begins, which is what is wanted.
    if space
        .kill_everyone()
        .is_ok_and(|outcome| outcome.refused != 0)
    {
        space.cancel_destroy();
        return Err(Refusal::NotPermitted.into());
    }
    if space.wait_settled()? {
        Ok(())
    } else {
        Err(Refusal::NotPermitted.into())
    }
}
