// SPDX-License-Identifier: GPL-2.0

//! The errno of everything that is refused: no other file chooses one.

use crate::logic;
use kernel::{
    bindings,
    error::code,
    prelude::*, //
};

/// Why a request was refused, beyond what `logic` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The caller lacks the right: neither the owner of the space nor privileged.
    NotPermitted,
    /// A member asked for something that only those outside of every space may do.
    IsMember,
    /// The handle is bound to no space.
    Unbound,
    /// The handle, or the thread, is bound already.
    BoundAlready,
    /// There is no space of that name or id.
    NoSuchSpace,
    /// There is no such member.
    NoSuchMember,
    /// Another space has that name.
    NameTaken,
    /// The user has as many spaces as one may have.
    TooManySpaces,
    /// The space has as many streams of events as it may have.
    TooManyStreams,
    /// A part of the interface that this version lacks.
    NotBuilt,
    /// A field of the request makes no sense.
    BadArgument,
    /// A structure is larger than this version knows, and the rest is not zero.
    TooBig,
    /// The file is no pidfd.
    NotAPidfd,
    /// No such command.
    UnknownCommand,
    /// A signal came while waiting.
    Interrupted,
    /// A signal came while waiting, and it may go on after that.
    Restart,
    /// A signal came during a fork, which is to begin anew after that.
    RestartFork,
    /// A number of the kernel's has a binding already: another claimed it first, or a hook was
    /// missed.
    NumberTaken,
    /// The adoption that a task was to be claimed for has ended.
    NoAdoption,
    /// A name that is not there for a member.
    Hidden,
    /// A handle of a task that is not there for a member, as one of another pid namespace is not.
    Elsewhere,
    /// The descriptor does not wait, and there is nothing to read yet.
    WouldBlock,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotPermitted | Refusal::IsMember => code::EPERM,
            Refusal::Unbound => code::EBADFD,
            Refusal::BoundAlready => code::EBUSY,
            Refusal::NoSuchSpace | Refusal::Hidden => code::ENOENT,
            Refusal::Elsewhere => errno(bindings::EREMOTE),
            Refusal::NoSuchMember => code::ESRCH,
            Refusal::NameTaken => code::EEXIST,
            Refusal::TooManySpaces | Refusal::TooManyStreams => errno(bindings::EUSERS),
            Refusal::NotBuilt => errno(bindings::EOPNOTSUPP),
            Refusal::BadArgument => code::EINVAL,
            Refusal::TooBig => code::E2BIG,
            Refusal::NotAPidfd => code::EBADF,
            Refusal::UnknownCommand => code::ENOTTY,
            Refusal::Interrupted => code::EINTR,
            Refusal::Restart => code::ERESTARTSYS,
            Refusal::RestartFork => code::ERESTARTNOINTR,
            Refusal::NumberTaken | Refusal::NoAdoption | Refusal::WouldBlock => code::EAGAIN,
        }
    }
}

impl From<logic::Error> for Error {
    fn from(error: logic::Error) -> Self {
        match error {
            logic::Error::Exhausted | logic::Error::Dying => code::EAGAIN,
            logic::Error::InUse => code::EEXIST,
            logic::Error::OutOfRange => code::EINVAL,
            logic::Error::NoMemory => code::ENOMEM,
            logic::Error::Dead => errno(bindings::ESTALE),
            logic::Error::Busy => code::EBUSY,
        }
    }
}

/// Makes an error of an errno that the `kernel` crate has no name for.
fn errno(number: u32) -> Error {
    Error::from_errno(-(number as c_int))
}
