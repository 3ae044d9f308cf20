// SPDX-License-Identifier: GPL-2.0

//! Iterators over what the module hands out in batches behind a cursor.

use std::{fmt, vec};

use nix::errno::Errno;
use pidspace_uapi::{
    pidspace_event, pidspace_hook_info, pidspace_hooks, pidspace_info, pidspace_list,
    pidspace_member, pidspace_members,
};

use crate::sys::Handle;
use crate::{Call, Error, Event, Hook, Info, Member, Result};

/// Enough to make calls rare and little enough to be cheap to clear.
const BATCH: usize = 128;

/// Something that is read in batches: given the cursor, fills in a batch and moves the cursor.
pub trait Batches: Sized {
    /// What says where to go on.
    type Cursor: fmt::Debug;

    /// Reads what follows `cursor`; nothing at the end.
    fn fetch(handle: &impl Handle, cursor: &mut Self::Cursor) -> Result<Vec<Self>>;
}

impl Batches for Info {
    type Cursor = u64;

    fn fetch(handle: &impl Handle, cursor: &mut u64) -> Result<Vec<Self>> {
        let mut entries = [pidspace_info::default(); BATCH];
        let mut raw = pidspace_list {
            cursor: *cursor,
            ..Default::default()
        };
        handle
            .list(&mut raw, &mut entries)
            .map_err(|errno| Error::new(Call::List, errno))?;
        *cursor = raw.cursor;
        let filled = entries.iter().take(raw.count as usize);
        Ok(filled.filter_map(Self::from_raw).collect())
    }
}

impl Batches for Member {
    type Cursor = u32;

    fn fetch(handle: &impl Handle, cursor: &mut u32) -> Result<Vec<Self>> {
        let mut entries = [pidspace_member::default(); BATCH];
        let mut raw = pidspace_members {
            cursor: *cursor,
            ..Default::default()
        };
        handle
            .members(&mut raw, &mut entries)
            .map_err(|errno| Error::new(Call::Members, errno))?;
        *cursor = raw.cursor;
        let filled = entries.iter().take(raw.count as usize);
        Ok(filled.filter_map(Self::from_raw).collect())
    }
}

impl Batches for Hook {
    type Cursor = u32;

    fn fetch(handle: &impl Handle, cursor: &mut u32) -> Result<Vec<Self>> {
        let mut entries = [pidspace_hook_info::default(); BATCH];
        let mut raw = pidspace_hooks {
            cursor: *cursor,
            ..Default::default()
        };
        handle
            .hooks(&mut raw, &mut entries)
            .map_err(|errno| Error::new(Call::Hooks, errno))?;
        *cursor = raw.cursor;
        let filled = entries.iter().take(raw.count as usize);
        Ok(filled.map(Self::from_raw).collect())
    }
}

impl Batches for Event {
    type Cursor = ();

    /// Waits for the first event; signals that are handled meanwhile do not end that.
    fn fetch(handle: &impl Handle, (): &mut ()) -> Result<Vec<Self>> {
        let mut entries = [pidspace_event::default(); BATCH];
        loop {
            match handle.read(&mut entries) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::new(Call::Read, errno)),
                Ok(count) => return Ok(entries.iter().take(count).map(Self::from_raw).collect()),
            }
        }
    }
}

/// Iterates over what is read in batches; ends after the first error.
#[derive(Debug)]
pub struct Iter<'a, H, T: Batches> {
    handle: &'a H,
    cursor: T::Cursor,
    batch: vec::IntoIter<T>,
    done: bool,
}

/// Spaces, by ascending id.
pub type Spaces<'a, H> = Iter<'a, H, Info>;

/// The numbers in use of a space, in ascending order.
///
/// A number in use from the first step to the last is reported exactly once.
pub type Members<'a, H> = Iter<'a, H, Member>;

/// The hooks into the kernel, in the module's order.
pub type Hooks<'a, H> = Iter<'a, H, Hook>;

/// The events of a space, in the order in which they happened.
pub type Events<'a, H> = Iter<'a, H, Event>;

impl<'a, H: Handle, T: Batches> Iter<'a, H, T> {
    /// What follows `cursor`.
    pub(crate) fn after(handle: &'a H, cursor: T::Cursor) -> Self {
        Self {
            handle,
            cursor,
            batch: vec::IntoIter::default(),
            done: false,
        }
    }
}

impl<H: Handle, T: Batches> Iterator for Iter<'_, H, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.len() == 0 && !self.done {
            match T::fetch(self.handle, &mut self.cursor) {
                Ok(batch) => self.batch = batch.into_iter(),
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        let next = self.batch.next();
        self.done |= next.is_none();
        next.map(Ok)
    }
}
