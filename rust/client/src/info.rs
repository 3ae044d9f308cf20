// SPDX-License-Identifier: GPL-2.0

//! What the module tells about itself, its spaces and their members.

use pidspace_uapi::*;

use crate::{GlobalNr, LocalNr, Name, Policies, SpaceId, SpaceRef};

/// What the loaded module can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abi {
    /// The ABI level of the module.
    pub level: u32,
    /// Bit N is set when mode N works.
    pub modes: u32,
    /// What hooks in force are for, a mask; [`HOOKS`](crate::HOOKS) has the bits.
    pub hooks: u32,
    /// Events since load that should not happen.
    pub anomalies: u64,
}

impl Abi {
    /// Whether there can be spaces of that mode.
    pub fn has(&self, mode: Mode) -> bool {
        let bit = 1_u32.checked_shl(mode.to_raw()).unwrap_or_default();
        self.modes & bit != 0
    }
}

/// What a space does to its members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Members are counted, found and signalled.
    #[default]
    Track,
    /// Also, what takes a pid finds only members.
    Scope,
    /// Also, members see local numbers.
    View,
    /// A mode that this crate does not know.
    Other(u32),
}

impl Mode {
    fn from_raw(raw: u32) -> Self {
        match raw {
            PIDSPACE_MODE_TRACK => Self::Track,
            PIDSPACE_MODE_SCOPE => Self::Scope,
            PIDSPACE_MODE_VIEW => Self::View,
            other => Self::Other(other),
        }
    }

    pub(crate) fn to_raw(self) -> u32 {
        match self {
            Self::Track => PIDSPACE_MODE_TRACK,
            Self::Scope => PIDSPACE_MODE_SCOPE,
            Self::View => PIDSPACE_MODE_VIEW,
            Self::Other(other) => other,
        }
    }
}

/// Where a space is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Forks in it succeed.
    Live,
    /// It is being destroyed.
    Dying,
    /// A state that this crate does not know.
    Other(u32),
}

/// A space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Its id.
    pub id: SpaceId,
    /// Its name, where it has one.
    pub name: Option<Name>,
    /// How many numbers it has handed out so far.
    pub generation: u64,
    /// What it does to its members.
    pub mode: Mode,
    /// Where it is in its life.
    pub state: State,
    /// Numbers go up to this one less 1.
    pub pid_max: u32,
    /// The number handed out last.
    pub last_nr: Option<LocalNr>,
    /// Numbers in use.
    pub numbers: u32,
    /// Open handles bound to it.
    pub handles: u32,
    /// Threads whose children are born in it.
    pub spawners: u32,
    /// The user id of its owner.
    pub owner: u32,
    /// What it does of its own accord.
    pub policies: Policies,
    /// Forks in it fail at this many numbers.
    pub max_members: Option<u32>,
}

impl Info {
    /// Reads what the kernel told; there is no space with id 0.
    pub(crate) fn from_raw(raw: &pidspace_info) -> Option<Self> {
        Some(Self {
            id: SpaceId::new(raw.id)?,
            name: Name::from_raw(&raw.name),
            generation: raw.generation,
            mode: Mode::from_raw(raw.mode),
            state: match raw.state {
                PIDSPACE_STATE_LIVE => State::Live,
                PIDSPACE_STATE_DYING => State::Dying,
                other => State::Other(other),
            },
            pid_max: raw.pid_max,
            last_nr: LocalNr::new(raw.last_nr),
            numbers: raw.numbers,
            handles: raw.handles,
            spawners: raw.spawners,
            owner: raw.owner,
            policies: Policies::from_bits(raw.policies),
            max_members: (raw.max_members != 0).then_some(raw.max_members),
        })
    }

    /// How to refer to the space: by its name where it has one.
    pub fn space_ref(&self) -> SpaceRef {
        self.name
            .clone()
            .map_or(SpaceRef::Id(self.id), SpaceRef::Name)
    }
}

/// A number in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The local number.
    pub nr: LocalNr,
    /// Whether it is the leader of the threads of a process.
    pub leader: bool,
    /// Whether the task is dead and waits to be reaped.
    pub zombie: bool,
    /// Whether the number stands for no task: a child being born, or a process group or session
    /// that outlived its leader.
    pub no_task: bool,
    /// The process that it belongs to.
    pub tgid: Option<LocalNr>,
    /// The parent process, where that is a member.
    pub ppid: Option<LocalNr>,
    /// The process group, where that is a member's.
    pub pgid: Option<LocalNr>,
    /// The session, where that is a member's.
    pub sid: Option<LocalNr>,
    /// The global number of [`nr`](Self::nr).
    pub global: Option<GlobalNr>,
    /// The global number of [`tgid`](Self::tgid).
    pub global_tgid: Option<GlobalNr>,
    /// Identifies this use of the number in the space, for ever.
    pub generation: u64,
}

impl Member {
    /// Reads what the kernel told; there is no number 0.
    pub(crate) fn from_raw(raw: &pidspace_member) -> Option<Self> {
        Some(Self {
            nr: LocalNr::new(raw.nr)?,
            leader: raw.flags & PIDSPACE_MEMBER_F_LEADER != 0,
            zombie: raw.flags & PIDSPACE_MEMBER_F_ZOMBIE != 0,
            no_task: raw.flags & PIDSPACE_MEMBER_F_NO_TASK != 0,
            tgid: LocalNr::new(raw.tgid),
            ppid: LocalNr::new(raw.ppid),
            pgid: LocalNr::new(raw.pgid),
            sid: LocalNr::new(raw.sid),
            global: GlobalNr::new(raw.global),
            global_tgid: GlobalNr::new(raw.global_tgid),
            generation: raw.generation,
        })
    }
}

/// The answer to a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<Nr> {
    /// What the number is called on the other side.
    pub nr: Nr,
    /// The space that the member is in.
    pub space: SpaceId,
    /// Identifies this use of the number in the space, for ever.
    pub generation: u64,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Processes.
    pub processes: u32,
    /// Numbers, those of threads included.
    pub numbers: u32,
}

/// What a signal to several processes came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signalled {
    /// Processes that got the signal.
    pub signalled: u32,
    /// Processes that the caller may not signal.
    pub refused: u32,
}
