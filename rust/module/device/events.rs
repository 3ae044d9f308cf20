// SPDX-License-Identifier: GPL-2.0

//! poll(2) and read(2): when a space is empty, and what happens in it.

use super::Handle;
use crate::{
    error::Refusal,
    stream::Event,
    uapi, //
};
use kernel::{
    fs::File,
    iov::IovIterDest,
    prelude::*,
    sync::poll::PollTable,
    transmute::AsBytes, //
};

const EPOLLIN: u32 = 0x001;
const EPOLLERR: u32 = 0x008;
const EPOLLHUP: u32 = 0x010;
const EPOLLRDNORM: u32 = 0x040;

const EVENT_SIZE: usize = size_of::<Event>();
const _: () = assert!(EVENT_SIZE == uapi::PIDSPACE_EVENT_SIZE as usize);

/// Returns what the handle is ready for.
pub(super) fn poll(handle: &Handle, file: &File, table: &PollTable<'_>) -> u32 {
    let Some(bound) = handle.bound.as_ref() else {
        return EPOLLERR;
    };
    table.register_wait(file, bound.space.activity());
    let mut ready = 0;
    if bound.space.is_empty() {
        ready |= EPOLLHUP;
    }
    if bound
        .stream
        .as_ref()
        .is_some_and(|stream| stream.is_readable())
    {
        ready |= EPOLLIN | EPOLLRDNORM;
    }
    ready
}

/// Reads whole events, as many as there are and fit.
///
/// # Errors
///
/// Those of [`Handle::space`], `EINVAL` when it has no stream or one event does not fit,
/// `EAGAIN` when there is none and the read may not wait, `ERESTARTSYS` when a signal comes first,
/// `EFAULT`; no event is lost then.
///
/// # Context
///
/// Process context. May sleep.
pub(super) fn read(handle: &Handle, may_wait: bool, iov: &mut IovIterDest<'_>) -> Result<usize> {
    handle.space()?;
    let bound = handle.bound.as_ref().ok_or(Refusal::Unbound)?;
    let stream = bound.stream.as_ref().ok_or(Refusal::BadArgument)?;
    if iov.len() < EVENT_SIZE {
        return Err(Refusal::BadArgument.into());
    }
    loop {
        let mut fault = false;
        let read = stream.drain(|event| {
            let fits = iov.len() >= EVENT_SIZE;
            fault = fits && iov.copy_to_iter(event.as_bytes()) != EVENT_SIZE;
            fits && !fault
        });
        if read != 0 {
            return Ok(read.saturating_mul(EVENT_SIZE));
        }
        if fault {
            return Err(EFAULT);
        }
        if !may_wait && !bound.space.is_gone() {
            return Err(Refusal::WouldBlock.into());
        }
        if !stream.wait(bound.space.activity())? {
            return Ok(0);
        }
    }
}
