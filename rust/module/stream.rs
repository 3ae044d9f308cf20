// SPDX-License-Identifier: GPL-2.0

//! The stream of events of one handle.
//!
//! # Locks
//!
//! `reading` lets one reader at a time take events out, so that none is lost when the reader's
//! memory turns out to be bad. It is taken without any other lock held, and held while the reader's
//! memory is written to, which may sleep. `state` is a leaf lock but for the wait queue's.

use crate::{
    error::Refusal,
    logic::{
        Item,
        Ring, //
    },
    uapi,
};
use kernel::{
    new_mutex, new_spinlock,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        Mutex,
        SpinLock, //
    },
};

/// One event.
pub(crate) type Event = uapi::pidspace_event;

/// A stream of events.
#[pin_data]
pub(crate) struct Stream {
    #[pin]
    reading: Mutex<()>,
    #[pin]
    state: SpinLock<State>,
}

struct State {
    ring: Ring<KVVec<Event>>,
    /// Whether no event can come any more.
    closed: bool,
}

impl Stream {
    /// An empty stream that holds up to `size` events.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// Process context. May sleep.
    pub(crate) fn new(size: usize) -> Result<Arc<Self>> {
        let slots = KVVec::from_elem(Event::default(), size, GFP_KERNEL_ACCOUNT)?;
        let state = State {
            ring: Ring::new(slots),
            closed: false,
        };
        Arc::pin_init(
            pin_init!(Self {
                reading <- new_mutex!((), "pidspace::Stream::reading"),
                state <- new_spinlock!(state, "pidspace::Stream::state"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Adds an event, or counts it as lost. The caller notifies who waits.
    pub(crate) fn push(&self, event: Event) {
        self.state.lock().ring.push(event);
    }

    /// Says that no event comes any more. The caller notifies who waits.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
    }

    /// Returns whether there is something to read.
    pub(crate) fn is_readable(&self) -> bool {
        !self.state.lock().ring.is_empty()
    }

    /// Takes out what there is: hands one event after the other to `give` until that returns false,
    /// which leaves the event in. Returns how many were taken out.
    ///
    /// # Context
    ///
    /// Process context. May sleep.
    pub(crate) fn drain(&self, mut give: impl FnMut(&Event) -> bool) -> usize {
        let _one_at_a_time = self.reading.lock();
        let mut taken = 0;
        loop {
            let next = self.state.lock().ring.peek();
            let Some(item) = next.filter(|item| give(&event_of(item))) else {
                return taken;
            };
            self.state.lock().ring.remove(&item);
            taken += 1;
        }
    }

    /// Waits on `activity` until there is something to read. Returns whether there is: when not,
    /// nothing can come any more.
    ///
    /// # Errors
    ///
    /// `ERESTARTSYS` when a signal comes first.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn wait(&self, activity: &CondVar) -> Result<bool> {
        let mut state = self.state.lock();
        loop {
            if !state.ring.is_empty() {
                return Ok(true);
            }
            if state.closed {
                return Ok(false);
            }
            if activity.wait_interruptible(&mut state) {
                return Err(Refusal::Restart.into());
            }
        }
    }
}

fn event_of(item: &Item<Event>) -> Event {
    match *item {
        Item::Event(event) => event,
        Item::Lost(count) => Event {
            type_: uapi::PIDSPACE_EVENT_OVERFLOW,
            count,
            time: crate::process::monotonic_ns(),
            ..Event::default()
        },
    }
}
