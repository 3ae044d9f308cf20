// SPDX-License-Identifier: GPL-2.0

//! What happens in a space.

use std::os::fd::BorrowedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use pidspace_uapi::*;

use crate::{GlobalNr, LocalNr};

/// One event of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// When, by CLOCK_MONOTONIC.
    pub time: Duration,
    /// The process that it happened to, where it is about one.
    pub nr: Option<LocalNr>,
    /// The process that forked it, where that is a member.
    pub parent: Option<LocalNr>,
    /// What the pid namespace of the space's creator calls the process.
    pub global: Option<GlobalNr>,
    /// Identifies this use of the number in the space, for ever.
    pub generation: u64,
    /// The name of the command, with U+FFFD for what is not UTF-8.
    pub comm: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A process was born in the space.
    Fork,
    /// A process runs another program.
    Exec,
    /// The last thread of a process has ended.
    Exit(Exit),
    /// A running process became a member.
    Adopt,
    /// The last number in use was released.
    Empty,
    /// Here events are missing: the stream was full.
    Overflow {
        /// How many.
        count: u64,
    },
    /// An event that this crate does not know.
    Other(u32),
}

/// How a process ended, and what it had used by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, or the signal that ended it.
    pub status: ExitStatus,
    /// CPU time in user mode, of all its threads.
    pub user: Duration,
    /// CPU time in the kernel, of all its threads.
    pub system: Duration,
    /// The largest resident set, in kilobytes.
    pub max_rss: u64,
}

impl Event {
    pub(crate) fn from_raw(raw: &pidspace_event) -> Self {
        let comm = raw.comm.split(|&byte| byte == 0).next();
        Self {
            kind: Kind::from_raw(raw),
            time: Duration::from_nanos(raw.time),
            nr: LocalNr::new(raw.nr),
            parent: LocalNr::new(raw.parent),
            global: GlobalNr::new(raw.global),
            generation: raw.generation,
            comm: String::from_utf8_lossy(comm.unwrap_or_default()).into_owned(),
        }
    }
}

impl Kind {
    fn from_raw(raw: &pidspace_event) -> Self {
        match raw.type_ {
            PIDSPACE_EVENT_FORK => Self::Fork,
            PIDSPACE_EVENT_EXEC => Self::Exec,
            PIDSPACE_EVENT_EXIT => Self::Exit(Exit {
                status: ExitStatus::from_raw(raw.status as i32),
                user: Duration::from_nanos(raw.utime),
                system: Duration::from_nanos(raw.stime),
                max_rss: raw.max_rss,
            }),
            PIDSPACE_EVENT_ADOPT => Self::Adopt,
            PIDSPACE_EVENT_EMPTY => Self::Empty,
            PIDSPACE_EVENT_OVERFLOW => Self::Overflow { count: raw.count },
            other => Self::Other(other),
        }
    }
}

/// What to wait for, besides that the space has no numbers in use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Interest<'fd> {
    /// Events of the handle's stream.
    pub events: bool,
    /// Another file that becomes readable.
    pub other: Option<BorrowedFd<'fd>>,
}

/// What has come true of what was waited for; nothing when the time was up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ready {
    /// The space has no numbers in use, or is gone.
    pub empty: bool,
    /// Events can be read.
    pub events: bool,
    /// The other file is readable.
    pub other: bool,
}
