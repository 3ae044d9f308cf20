// SPDX-License-Identifier: GPL-2.0

//! What an input means: a sequence of calls on a few handles, children and pidfds.
//!
//! Values are picked from those that the header names and from what lies beside them, so that a
//! mutated byte still asks for something that gets past the first check.

use arbitrary::{Arbitrary, Result, Unstructured};

/// An input.
#[derive(Arbitrary, Debug)]
pub(crate) struct Program {
    pub(crate) calls: Vec<Call>,
}

impl Program {
    /// Returns whether it has steps of the kernel fail.
    pub(crate) fn injects_faults(&self) -> bool {
        self.calls.iter().any(|call| matches!(call, Call::Fail(_)))
    }
}

/// One of the handles that a program has. Those that it has not opened yet are not open.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Slot(pub(crate) u8);

/// A process.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Who {
    /// The process that runs the program.
    Runner,
    /// A child of it, in the order of their births.
    Child(u8),
    /// One in no space, which the program must leave alone.
    Fuzzer,
    /// A number that no process has, or that cannot be one.
    Nobody(i8),
}

/// How an argument is handed over, other than as the header says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Plain,
    /// The smallest size that there ever was.
    First,
    /// A size of its own, true or not.
    Sized(u16),
    /// Larger than known, with this in the last byte.
    Longer(u8),
    /// It ends where mapped memory does.
    Edge,
    /// Half of it is beyond mapped memory.
    Cut,
    ReadOnly,
    Null,
}

impl<'a> Arbitrary<'a> for Shape {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u8::arbitrary(u)? {
            0..=199 => Self::Plain,
            200..=207 => Self::First,
            208..=215 => Self::Sized(u16::arbitrary(u)?),
            216..=225 => Self::Longer(u8::arbitrary(u)?),
            226..=235 => Self::Edge,
            236..=243 => Self::Cut,
            244..=249 => Self::ReadOnly,
            250..=255 => Self::Null,
        })
    }
}

/// A value that is one of those of interest for its member, mostly.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pick {
    Index(u8),
    Raw(u32),
}

impl<'a> Arbitrary<'a> for Pick {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u8::arbitrary(u)? {
            index @ 0..=239 => Self::Index(index),
            _ => Self::Raw(u32::arbitrary(u)?),
        })
    }
}

impl Pick {
    /// Returns one of `values`, or any value at all.
    pub(crate) fn of(self, values: &[u32]) -> u32 {
        match self {
            Self::Index(index) => values[usize::from(index) % values.len()],
            Self::Raw(value) => value,
        }
    }
}

/// What a child does before it waits for its end.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Life {
    /// Leave the parent's session, or just its group.
    pub(crate) session: bool,
    pub(crate) group: bool,
    /// Keep descriptors of its own, so that the parent's closing is not the last one.
    pub(crate) files: bool,
    pub(crate) thread: bool,
    /// Have a child, which waits.
    pub(crate) child: bool,
    pub(crate) end: End,
}

/// How a child ends.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum End {
    Wait,
    Exit(u8),
    Exec,
    Signal,
}

/// An array that a command fills.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Array {
    pub(crate) count: Pick,
    /// What the caller says it is, which `PIDSPACE_IOC_LOOKUP` does not ask for.
    pub(crate) entry_size: Pick,
    pub(crate) shape: Shape,
}

/// A way to reach a process by its number, for what a space of mode SCOPE confines.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Reach {
    Kill,
    KillGroup,
    KillEveryone,
    ThreadKill,
    GetPgid,
    SetPgid,
    GetSid,
    GetPriority,
    GetScheduler,
    GetAffinity,
    GetLimits,
    RobustList,
    Compare,
    ReadMemory,
    Seize,
    Wait,
    WaitPidfd,
    PidfdSignal,
    PidfdInfo,
    Proc,
    ProcList,
}

/// One call.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Call {
    Open(Slot),
    Close(Slot),
    Duplicate(Slot, Slot),
    Create {
        slot: Slot,
        shape: Shape,
        name: u8,
        mode: Pick,
        pid_max: Pick,
        flags: Pick,
        events: Pick,
        policies: Pick,
        max_members: Pick,
    },
    Bind {
        slot: Slot,
        shape: Shape,
        name: u8,
        id: u8,
        flags: Pick,
        events: Pick,
    },
    Mark(Slot, Shape),
    Clear(Slot, Shape),
    Fork(Life),
    Reap,
    Adopt {
        slot: Slot,
        shape: Shape,
        who: Who,
        flags: Pick,
    },
    Kill {
        slot: Slot,
        shape: Shape,
        nr: i8,
        sig: Pick,
        flags: Pick,
        generation: u8,
    },
    KillMember(Slot, Who),
    Lookup {
        slot: Slot,
        shape: Shape,
        op: Pick,
        who: Who,
        nr: i8,
    },
    LookupBatch {
        slot: Slot,
        op: Pick,
        array: Array,
    },
    Members {
        slot: Slot,
        shape: Shape,
        cursor: Pick,
        array: Array,
    },
    List {
        slot: Slot,
        shape: Shape,
        cursor: Pick,
        array: Array,
    },
    Hooks {
        slot: Slot,
        shape: Shape,
        cursor: Pick,
        array: Array,
    },
    Set {
        slot: Slot,
        shape: Shape,
        flags: Pick,
        mode: Pick,
        pid_max: Pick,
        policies: Pick,
        max_members: Pick,
    },
    Info(Slot, Shape),
    Abi(Slot, Shape),
    Destroy(Slot, Shape, Pick),
    Raw {
        slot: Slot,
        command: Pick,
        words: [u32; 6],
    },
    Read {
        slot: Slot,
        room: u16,
        wait: bool,
        shape: Shape,
    },
    Poll(Slot),
    Fdinfo(Slot),
    Pidfd(Who),
    Reach(Reach, Who),
    /// Go on as an ordinary user, or as root again.
    User(bool),
    NoNewPrivileges,
    /// Let the n-th allocation or copy of the next call fail.
    Fail(u8),
}
