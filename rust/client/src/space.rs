// SPDX-License-Identifier: GPL-2.0

//! A handle of one space.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, Command};

use nix::errno::Errno;
use pidspace_uapi::*;

use crate::sys::Handle;
use crate::{lookup, Adopted, Call, Changes, Error, Found, GlobalNr, Info, LocalNr, Member};
use crate::{Members, Mode, Result, Signalled, SpaceId, Target};

/// A space, by a handle that is bound to it.
#[derive(Debug)]
pub struct Space<H> {
    handle: H,
    id: SpaceId,
}

/// The descriptor of the handle, to pass it on or to wait for it together with others.
impl<H: AsFd> AsFd for Space<H> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

impl<H: Handle> Space<H> {
    /// The space of a handle that is bound already, such as one that another process has passed
    /// on.
    pub fn from_handle(handle: H) -> Result<Self> {
        let mut raw = pidspace_info::default();
        handle
            .info(&mut raw)
            .map_err(|errno| Error::new(Call::Info, errno))?;
        Self::new(handle, Call::Info, raw.id)
    }

    /// Takes the id from the answer to `call`, which bound `handle`.
    pub(crate) fn new(handle: H, call: Call, id: u64) -> Result<Self> {
        let id = SpaceId::new(id).ok_or(Error::new(call, Errno::EPROTO))?;
        Ok(Self { handle, id })
    }

    pub(crate) fn handle(&self) -> &H {
        &self.handle
    }

    /// The id of the space.
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// Describes the space.
    pub fn info(&self) -> Result<Info> {
        let mut raw = pidspace_info::default();
        self.handle
            .info(&mut raw)
            .map_err(|errno| Error::new(Call::Info, errno))?;
        Info::from_raw(&raw).ok_or(Error::new(Call::Info, Errno::EPROTO))
    }

    /// The numbers in use, in ascending order.
    pub fn members(&self) -> Members<'_, H> {
        Members::after(&self.handle, 0)
    }

    /// The number `nr`, where it is in use.
    pub fn member(&self, nr: LocalNr) -> Result<Option<Member>> {
        let next = Members::after(&self.handle, nr.get() - 1)
            .next()
            .transpose()?;
        Ok(next.filter(|member| member.nr == nr))
    }

    /// Takes in a running process, with `tree` all its descendants too, all or none.  They keep
    /// their numbers.
    pub fn adopt(&self, target: Target<'_>, tree: bool) -> Result<Adopted> {
        let mut raw = target.to_raw(tree);
        self.handle
            .adopt(&mut raw)
            .map_err(|errno| self.refusal(Error::new(Call::Adopt, errno)))?;
        Ok(Adopted {
            processes: raw.processes,
            numbers: raw.numbers,
        })
    }

    /// Changes the space: its mode for all that is in it, everything else for what is to come.
    pub fn set(&self, changes: &Changes) -> Result<()> {
        let call = match changes.mode {
            None => Call::Set,
            Some(_) => Call::SetMode,
        };
        self.handle
            .set(&mut changes.to_raw())
            .map_err(|errno| Error::new(call, errno))
    }

    /// Translates a local number into a global one.
    pub fn to_global(&self, nr: LocalNr) -> Result<Found<GlobalNr>> {
        lookup::one(
            &self.handle,
            PIDSPACE_LOOKUP_FROM_SPACE,
            nr.as_raw(),
            GlobalNr::from_raw,
        )
    }

    /// Translates a global number into a local one.
    pub fn to_local(&self, nr: GlobalNr) -> Result<Found<LocalNr>> {
        lookup::one(
            &self.handle,
            PIDSPACE_LOOKUP_IN_SPACE,
            nr.as_raw(),
            LocalNr::from_raw,
        )
    }

    /// Translates the process of a pidfd into a local number.
    pub fn pidfd_to_local(&self, pidfd: BorrowedFd<'_>) -> Result<Found<LocalNr>> {
        lookup::pidfd(&self.handle, pidfd)
    }

    /// Translates many local numbers; `None` stands where there is no such member.
    pub fn to_global_all(&self, nrs: &[LocalNr]) -> Result<Vec<Option<Found<GlobalNr>>>> {
        let from = nrs.iter().map(|nr| nr.as_raw());
        lookup::many(
            &self.handle,
            PIDSPACE_LOOKUP_FROM_SPACE,
            from,
            GlobalNr::from_raw,
        )
    }

    /// Translates many global numbers; `None` stands where there is no such member.
    pub fn to_local_all(&self, nrs: &[GlobalNr]) -> Result<Vec<Option<Found<LocalNr>>>> {
        let from = nrs.iter().map(|nr| nr.as_raw());
        lookup::many(
            &self.handle,
            PIDSPACE_LOOKUP_IN_SPACE,
            from,
            LocalNr::from_raw,
        )
    }

    /// Signals members with the meanings of kill(2), by local number: above 0 a process, below
    /// -1 the process group, -1 every process but the caller's, 0 the caller's process group.
    pub fn kill(&self, nr: i32, signal: u32) -> Result<Signalled> {
        self.kill_exactly(nr, 0, signal)
    }

    /// Signals a process or process group whose number has that generation, which tells it from
    /// others that have the number later; generation 0 is any.
    pub fn kill_exactly(&self, nr: i32, generation: u64, signal: u32) -> Result<Signalled> {
        let raw = pidspace_kill {
            nr,
            sig: signal,
            generation,
            ..Default::default()
        };
        self.kill_raw(raw, Call::Kill)
    }

    /// Signals each process of the space exactly once, atomically against forks.
    pub fn kill_all(&self, signal: u32) -> Result<Signalled> {
        let raw = pidspace_kill {
            flags: PIDSPACE_KILL_F_SPACE,
            sig: signal,
            ..Default::default()
        };
        self.kill_raw(raw, Call::KillSpace)
    }

    fn kill_raw(&self, mut raw: pidspace_kill, call: Call) -> Result<Signalled> {
        self.handle
            .kill(&mut raw)
            .map_err(|errno| Error::new(call, errno))?;
        Ok(Signalled {
            signalled: raw.signalled,
            refused: raw.refused,
        })
    }

    /// Marks the calling thread: the processes that it starts are born in the space, until the
    /// mark is dropped.  A space that confines its members takes CAP_SYS_ADMIN for that, or
    /// no_new_privs on the thread.
    pub fn mark(&self) -> Result<Mark<'_, H>> {
        self.spawn_raw(0, Call::Spawn)
            .map_err(|error| self.refusal(error))?;
        Ok(Mark {
            space: self,
            thread: PhantomData,
        })
    }

    fn spawn_raw(&self, flags: u32, call: Call) -> Result<()> {
        let mut raw = pidspace_spawn {
            flags,
            ..Default::default()
        };
        self.handle
            .spawn(&mut raw)
            .map_err(|errno| Error::new(call, errno))
    }

    /// Why nobody was let in: there are more reasons where a space confines its members.
    fn refusal(&self, error: Error) -> Error {
        let confines = || self.info().is_ok_and(|info| info.mode != Mode::Track);
        match error {
            Error::Permission {
                call,
                errno: Errno::EPERM,
            } if confines() => Error::Permission {
                call: match call {
                    Call::Adopt => Call::AdoptConfined,
                    _ => Call::SpawnConfined,
                },
                errno: Errno::EPERM,
            },
            error => error,
        }
    }

    /// Ends the space.  With `kill`, what is in it is killed first, and this waits until its
    /// numbers are released.
    pub fn destroy(&self, kill: bool) -> Result<()> {
        let mut raw = pidspace_destroy {
            flags: if kill { PIDSPACE_DESTROY_F_KILL } else { 0 },
            ..Default::default()
        };
        self.handle
            .destroy(&mut raw)
            .map_err(|errno| Error::new(Call::Destroy, errno))
    }
}

/// The mark of a thread whose processes are born in a space; dropping it takes it off.
#[derive(Debug)]
#[must_use = "the mark is taken off when this is dropped"]
pub struct Mark<'a, H: Handle> {
    space: &'a Space<H>,
    // The mark is the thread's, so the guard has to stay in it.
    thread: PhantomData<*const ()>,
}

impl<H: Handle> Mark<'_, H> {
    /// Starts `command` in the space and takes the mark off.
    pub fn spawn(self, command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }
}

impl<H: Handle> Drop for Mark<'_, H> {
    fn drop(&mut self) {
        // It can only fail for a thread without the mark, and then there is nothing to undo.
        let _ = self
            .space
            .spawn_raw(PIDSPACE_SPAWN_F_CLEAR, Call::ClearSpawn);
    }
}
