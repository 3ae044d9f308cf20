// SPDX-License-Identifier: GPL-2.0

//! A stream of events that holds a bounded number of them and loses none silently.
//!
//! What does not fit is counted. The count takes its place in the stream: behind what was stored
//! before the loss, ahead of all that follows it. That is why nothing is stored while a loss is
//! still to be reported, room or not.

use core::ops::DerefMut;

/// What comes next in a [`Ring`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<T> {
    /// An event.
    Event(T),
    /// So many events are missing here.
    Lost(u64),
}

/// A bounded stream in memory lent by its owner.
pub struct Ring<B> {
    slots: B,
    /// Where the oldest event is.
    head: usize,
    len: usize,
    lost: u64,
}

impl<T: Copy, B: DerefMut<Target = [T]>> Ring<B> {
    /// An empty stream that holds as many events as `slots`, which are at least one, has room for.
    pub fn new(slots: B) -> Self {
        Self {
            slots,
            head: 0,
            len: 0,
            lost: 0,
        }
    }

    /// Returns whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.len == 0 && self.lost == 0
    }

    /// Stores `event`, or counts it as lost.
    pub fn push(&mut self, event: T) {
        let at = self.slot(self.len);
        if self.lost == 0 && self.len < self.slots.len() {
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = event;
                self.len += 1;
                return;
            }
        }
        self.lost = self.lost.saturating_add(1);
    }

    /// Returns what comes next and leaves it there.
    pub fn peek(&self) -> Option<Item<T>> {
        if self.len != 0 {
            self.slots.get(self.head).copied().map(Item::Event)
        } else if self.lost != 0 {
            Some(Item::Lost(self.lost))
        } else {
            None
        }
    }

    /// Removes `item`, which [`Self::peek`] returned. What was lost since then stays to be told.
    pub fn remove(&mut self, item: &Item<T>) {
        match item {
            Item::Event(_) => {
                self.head = self.slot(1);
                self.len = self.len.saturating_sub(1);
            }
            Item::Lost(count) => self.lost = self.lost.saturating_sub(*count),
        }
    }

    /// Returns where the event is that is `ahead` events after the oldest one.
    fn slot(&self, ahead: usize) -> usize {
        let size = self.slots.len();
        let at = self.head.wrapping_add(ahead);
        if at >= size {
            at.wrapping_sub(size)
        } else {
            at
        }
    }
}

#[cfg(any(test, kernel))]
mod tests;
