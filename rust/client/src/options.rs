// SPDX-License-Identifier: GPL-2.0

//! What a space is asked to be like, and what of it is to change.

use std::os::fd::{AsRawFd, BorrowedFd};

use pidspace_uapi::*;

use crate::types::NAME_SIZE;
use crate::{GlobalNr, Mode, Name};

/// What a new space is to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Its name.  A space without one goes with its last handle and number.
    pub name: Option<Name>,
    /// What it does to its members.
    pub mode: Mode,
    /// Numbers go up to this one less 1; the kernel has a default.
    pub pid_max: Option<u32>,
    /// Forks fail at this many numbers.
    pub max_members: Option<u32>,
    /// What it does of its own accord.
    pub policies: Policies,
    /// What its first handle is to be like.
    pub binding: Binding,
}

impl Options {
    pub(crate) fn to_raw(&self) -> pidspace_create {
        pidspace_create {
            flags: self.binding.flags(),
            mode: self.mode.to_raw(),
            pid_max: self.pid_max.unwrap_or_default(),
            name: self.name.as_ref().map_or([0; NAME_SIZE], Name::to_raw),
            events: self.binding.events,
            policies: self.policies.bits(),
            max_members: self.max_members.unwrap_or_default(),
            ..Default::default()
        }
    }
}

/// What a handle is to be like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Binding {
    /// Whether everything in the space is killed when the last descriptor of the handle goes.
    pub kill_on_close: bool,
    /// How many events its stream holds until they are read, up to
    /// [`EVENTS_MAX`](crate::EVENTS_MAX); 0 for a handle without a stream.
    pub events: u32,
}

impl Binding {
    pub(crate) fn flags(self) -> u32 {
        match self.kill_on_close {
            true => PIDSPACE_BIND_F_KILL_ON_CLOSE,
            false => 0,
        }
    }
}

/// What a space does of its own accord.  Policies that this crate does not know are kept.
///
/// ```
/// # use pidspace_client::Policies;
/// let policies = Policies::default().with_init(true);
/// assert!(policies.init() && !policies.no_reuse());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policies(u32);

impl Policies {
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The policies as the kernel's mask.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether no number is handed out twice until the range is used up.
    pub fn no_reuse(self) -> bool {
        self.0 & PIDSPACE_POLICY_NO_REUSE != 0
    }

    /// Whether the space ends with the process that has number 1.
    pub fn init(self) -> bool {
        self.0 & PIDSPACE_POLICY_INIT != 0
    }

    /// The same, and numbers are not handed out twice, or are.
    #[must_use]
    pub fn with_no_reuse(self, on: bool) -> Self {
        self.with(PIDSPACE_POLICY_NO_REUSE, on)
    }

    /// The same, and the space ends with the process that has number 1, or does not.
    #[must_use]
    pub fn with_init(self, on: bool) -> Self {
        self.with(PIDSPACE_POLICY_INIT, on)
    }

    fn with(self, bit: u32, on: bool) -> Self {
        match on {
            true => Self(self.0 | bit),
            false => Self(self.0 & !bit),
        }
    }
}

/// What of a space is to change; what is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Numbers go up to this one less 1.
    pub pid_max: Option<u32>,
    /// Forks fail at this many numbers; 0 for no limit.
    pub max_members: Option<u32>,
    /// What it does of its own accord.
    pub policies: Option<Policies>,
    /// What it does to its members: the same as before, or more.  It holds for those that there
    /// are, too.
    pub mode: Option<Mode>,
}

impl Changes {
    pub(crate) fn to_raw(self) -> pidspace_set {
        let flag = |given, flag| if given { flag } else { 0 };
        pidspace_set {
            flags: flag(self.pid_max.is_some(), PIDSPACE_SET_F_PID_MAX)
                | flag(self.max_members.is_some(), PIDSPACE_SET_F_MAX_MEMBERS)
                | flag(self.policies.is_some(), PIDSPACE_SET_F_POLICIES)
                | flag(self.mode.is_some(), PIDSPACE_SET_F_MODE),
            pid_max: self.pid_max.unwrap_or_default(),
            max_members: self.max_members.unwrap_or_default(),
            policies: self.policies.unwrap_or_default().bits(),
            mode: self.mode.unwrap_or_default().to_raw(),
            ..Default::default()
        }
    }
}

/// A running process that is to be adopted.
#[derive(Debug, Clone, Copy)]
pub enum Target<'fd> {
    /// The process that has this global number at the time of the call.
    Pid(GlobalNr),
    /// The process of a pidfd, and never another one.
    Pidfd(BorrowedFd<'fd>),
}

impl Target<'_> {
    pub(crate) fn to_raw(self, tree: bool) -> pidspace_adopt {
        let (pid, kind) = match self {
            Self::Pid(nr) => (nr.as_raw(), 0),
            Self::Pidfd(fd) => (fd.as_raw_fd(), PIDSPACE_ADOPT_F_PIDFD),
        };
        pidspace_adopt {
            flags: kind | if tree { PIDSPACE_ADOPT_F_TREE } else { 0 },
            pid,
            ..Default::default()
        }
    }
}
