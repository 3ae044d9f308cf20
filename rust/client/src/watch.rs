// SPDX-License-Identifier: GPL-2.0

//! Waiting for a space, and reading what happens in it.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::iter::Batches;
use crate::sys::Handle;
use crate::{Call, Error, Event, Events, Interest, Ready, Result, Space};

impl<H: Handle> Space<H> {
    /// Waits for one of what is of interest, for the space to have no numbers in use, or for the
    /// time to be up.  Signals that are handled meanwhile do not end it.
    pub fn poll(&self, interest: Interest<'_>, timeout: Option<Duration>) -> Result<Ready> {
        // A time that the clock cannot count to is no limit.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
            match self.handle().poll(interest, rest) {
                Err(Errno::EINTR) => {}
                ready => return ready.map_err(|errno| Error::new(Call::Poll, errno)),
            }
        }
    }

    /// Waits until the space has no numbers in use or is gone, and returns whether that came to
    /// be before the time was up.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        let ready = self.poll(Interest::default(), timeout)?;
        Ok(ready.empty)
    }

    /// Reads the events that there are, and waits for the first one unless the descriptor has
    /// O_NONBLOCK.  There are none when the space is gone and every event was read.
    pub fn read_events(&self) -> Result<Vec<Event>> {
        Event::fetch(self.handle(), &mut ())
    }

    /// The events of the handle's stream, until the space is gone.
    pub fn events(&self) -> Events<'_, H> {
        Events::after(self.handle(), ())
    }
}
