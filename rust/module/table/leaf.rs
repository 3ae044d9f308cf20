// SPDX-License-Identifier: GPL-2.0

//! A part of the table: as many bindings as there is room for in a page.

use crate::{
    binding::Binding,
    memory::{
        atomic_account,
        CallbackHead, //
    },
};
use kernel::{
    alloc::AllocError,
    page::PAGE_SIZE,
    prelude::*,
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    },
};

const WORD: usize = size_of::<usize>();
/// How large a leaf is: a page, as it is where pages are small.
const SIZE: usize = if PAGE_SIZE < 4096 { PAGE_SIZE } else { 4096 };
/// How many numbers a leaf is for.
pub(super) const ENTRIES: usize = SIZE / WORD - 3;
/// How many entries there are in a cache line, and between those of numbers that follow one another.
const STRIDE: usize = 64 / WORD;
const _: () = assert!(size_of::<Leaf>() <= SIZE);
// Each number has an entry of its own.
const _: () = assert!(ENTRIES % 2 == 1 && STRIDE.is_power_of_two());

/// How a leaf stands: it is in use.
const PRESENT: u32 = 0;
/// It was empty, and is freed after a grace period unless somebody comes.
const LEAVING: u32 = 1;
/// As [`LEAVING`], but somebody has come.
const WANTED: u32 = 2;
/// It is freed, and unhooked by whoever meets it in the root first. This is final.
const GONE: u32 = 3;

/// Where a binding stands, or null.
pub(super) type Entry = Atomic<*mut Binding>;

/// The entries of [`ENTRIES`] numbers.
pub(super) struct Leaf {
    state: Atomic<u32>,
    /// Where the root has it.
    pub(super) at: u32,
    /// In use from [`LEAVING`] on until the leaf is [`PRESENT`] again, or freed.
    pub(super) rcu: CallbackHead,
    entries: [Entry; ENTRIES],
}

// SAFETY: All-zero bytes are a leaf that is present, a head that means nothing yet, and null pointers.
unsafe impl Zeroable for Leaf {}

impl Leaf {
    pub(super) fn new(at: usize) -> Result<KBox<Self>, AllocError> {
        // A leaf is too large to be built on the stack of a fork.
        let leaf = KBox::init(
            init!(Self {
                at: at as u32,
                ..Zeroable::init_zeroed()
            }),
            atomic_account(),
        );
        leaf.map_err(|_| AllocError)
    }

    /// Returns which entry of its leaf is that of a number.
    #[inline]
    pub(super) fn index(nr: u32) -> usize {
        nr as usize * STRIDE % ENTRIES
    }

    /// Returns an entry.
    #[inline]
    pub(super) fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// Sees to it that the leaf stays while the caller holds RCU. Returns whether it does.
    pub(super) fn want(&self) -> bool {
        let mut state = self.state.load(Relaxed);
        while state == LEAVING {
            match self.state.cmpxchg(LEAVING, WANTED, Full) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        state != GONE
    }

    /// Returns whether no entry is in use, beginning with that at `index`: there the entry of the next
    /// number is met first.
    pub(super) fn is_empty(&self, index: usize) -> bool {
        let (before, after) = self.entries.split_at_checked(index).unwrap_or_default();
        let is_free = |entry: &Entry| entry.load(Relaxed).is_null();
        after.iter().all(is_free) && before.iter().all(is_free)
    }

    /// Marks the leaf as leaving. Returns whether the caller has to see to what follows.
    pub(super) fn begin_leaving(&self) -> bool {
        self.state.cmpxchg(PRESENT, LEAVING, Full).is_ok()
    }

    /// Returns whether nobody has come since the leaf was marked, nor can from now on.
    pub(super) fn end_leaving(&self) -> bool {
        self.state.cmpxchg(LEAVING, GONE, Full).is_ok()
    }

    /// Marks the leaf as present again, with a full barrier: who empties it later finds it so, or the
    /// caller finds it empty.
    pub(super) fn stay(&self) {
        self.state.xchg(PRESENT, Full);
    }
}
