// SPDX-License-Identifier: GPL-2.0

//! Translation of numbers, alone and in batches.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use pidspace_uapi::{
    pidspace_lookup, pidspace_lookup_op, pidspace_nr, PIDSPACE_BATCH_MAX, PIDSPACE_LOOKUP_PIDFD,
};

use crate::sys::Handle;
use crate::{Call, Error, Found, LocalNr, Result, SpaceId};

/// Translates `from`; `read` makes the answer a number of the right kind.
pub(crate) fn one<Nr>(
    handle: &impl Handle,
    op: pidspace_lookup_op,
    from: i32,
    read: fn(i32) -> Option<Nr>,
) -> Result<Found<Nr>> {
    let mut raw = pidspace_lookup {
        op,
        nr: question(from),
        ..Default::default()
    };
    handle
        .lookup(&mut raw, &mut [])
        .map_err(|errno| Error::new(Call::Lookup, errno))?;
    answer(&raw.nr, read).ok_or(Error::new(Call::Lookup, Errno::ESRCH))
}

/// Translates the process of a pidfd.
pub(crate) fn pidfd(handle: &impl Handle, pidfd: BorrowedFd<'_>) -> Result<Found<LocalNr>> {
    one(
        handle,
        PIDSPACE_LOOKUP_PIDFD,
        pidfd.as_raw_fd(),
        LocalNr::from_raw,
    )
}

/// Translates each number of `from`, in as many calls as it takes.
pub(crate) fn many<Nr>(
    handle: &impl Handle,
    op: pidspace_lookup_op,
    from: impl Iterator<Item = i32>,
    read: fn(i32) -> Option<Nr>,
) -> Result<Vec<Option<Found<Nr>>>> {
    let mut entries: Vec<_> = from.map(question).collect();
    for batch in entries.chunks_mut(PIDSPACE_BATCH_MAX as usize) {
        let mut raw = pidspace_lookup {
            op,
            ..Default::default()
        };
        handle
            .lookup(&mut raw, batch)
            .map_err(|errno| Error::new(Call::Lookup, errno))?;
    }
    Ok(entries.iter().map(|entry| answer(entry, read)).collect())
}

fn question(from: i32) -> pidspace_nr {
    pidspace_nr {
        from,
        ..Default::default()
    }
}

fn answer<Nr>(raw: &pidspace_nr, read: fn(i32) -> Option<Nr>) -> Option<Found<Nr>> {
    Some(Found {
        nr: read(raw.to)?,
        space: SpaceId::new(raw.space)?,
        generation: raw.generation,
    })
}
