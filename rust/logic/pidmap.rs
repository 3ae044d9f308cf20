// SPDX-License-Identifier: GPL-2.0

//! The numbers of a space: which are in use, and which comes next.
//!
//! A bitmap of up to 2^22 bits that grows on demand and finds a free bit in a bounded number of
//! steps however full it is. The bit of a number is reached through three nodes:
//!
//! ```text
//!   nr = | mid: 5 | chunk: 5 | word: 6 | bit: 6 |
//!
//!   PidMap --32--> Mid --32--> Chunk --64--> u64
//! ```
//!
//! Beside each pointer its owner keeps a word that says which of the entries below are full: the
//! search skips full ones by counting trailing bits. The summaries stand one level above what they
//! describe so that [`Mid`] and [`Chunk`] are 512 bytes each, the size of a slab object.
//!
//! A chunk that empties is given back, but for the one that the allocator is working in: otherwise
//! a lone parent that forks and reaps would free and allocate it each time.

use super::{
    bitmap::Word,
    nr::{Nr, PidMax},
    Error,
};
use core::ops::DerefMut;

/// Lends memory to a [`PidMap`].
pub trait Store {
    /// A pointer that owns what it points to.
    type Ptr<T>: DerefMut<Target = T>;

    /// Moves `value` to memory of its own. Called with the locks of the owner held, so it must
    /// not sleep where those locks forbid it.
    ///
    /// # Errors
    ///
    /// [`Error::NoMemory`].
    fn alloc<T>(value: T) -> Result<Self::Ptr<T>, Error>;
}

const CHUNK_SHIFT: u32 = 12;
const MID_SHIFT: u32 = 17;
const CHUNK_MASK: u32 = (1 << CHUNK_SHIFT) - 1;
const MID_MASK: u32 = (1 << MID_SHIFT) - 1;
const _: () = assert!(1 << (MID_SHIFT + 5) == PidMax::LIMIT);

/// 4096 numbers.
struct Chunk {
    words: [u64; 64],
}

/// 32 chunks, and which of their words are full.
struct Mid<S: Store> {
    chunks: [Option<S::Ptr<Chunk>>; 32],
    full_words: [u64; 32],
}

/// The numbers of a space in use, and the kernel's allocation policy over them.
pub struct PidMap<S: Store> {
    mids: [Option<S::Ptr<Mid<S>>>; 32],
    full_chunks: [u32; 32],
    full_mids: u32,
    max: PidMax,
    /// Where the next search starts: one above the number handed out last.
    cursor: u32,
}

impl Chunk {
    const EMPTY: Self = Self { words: [0; 64] };

    fn word(&self, index: u32) -> u64 {
        self.words.get(index as usize).copied().unwrap_or(u64::FULL)
    }

    /// Returns the lowest free number at or after `from`, counted from the start of the chunk.
    fn next_free(&self, full_words: u64, from: u32) -> Option<u32> {
        let index = from >> 6;
        if let Some(bit) = self.word(index).next_zero(from & 63) {
            return Some((index << 6) | bit);
        }
        let index = full_words.next_zero(index + 1)?;
        Some((index << 6) | self.word(index).next_zero(0)?)
    }

    /// Returns the lowest used number at or after `from`, counted from the start of the chunk.
    fn next_used(&self, from: u32) -> Option<u32> {
        let first = from >> 6;
        (first..64).find_map(|index| {
            let start = if index == first { from & 63 } else { 0 };
            let word = self.words.get(index as usize)?;
            Some((index << 6) | word.next_one(start)?)
        })
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == u64::EMPTY)
    }
}

impl<S: Store> Mid<S> {
    const fn new() -> Self {
        Self {
            chunks: [const { None }; 32],
            full_words: [0; 32],
        }
    }

    fn chunk(&self, index: u32) -> Option<&Chunk> {
        self.chunks.get(index as usize)?.as_deref()
    }

    /// As [`Chunk::next_free`] in chunk `index`, counted from the start of the mid.
    fn next_free_in(&self, index: u32, from: u32) -> Option<u32> {
        let full_words = *self.full_words.get(index as usize)?;
        let free = match self.chunk(index) {
            Some(chunk) => chunk.next_free(full_words, from)?,
            None => from,
        };
        Some((index << CHUNK_SHIFT) | free)
    }

    fn next_free(&self, full_chunks: u32, from: u32) -> Option<u32> {
        let index = from >> CHUNK_SHIFT;
        self.next_free_in(index, from & CHUNK_MASK)
            .or_else(|| self.next_free_in(full_chunks.next_zero(index + 1)?, 0))
    }

    fn next_used(&self, from: u32) -> Option<u32> {
        let first = from >> CHUNK_SHIFT;
        (first..32).find_map(|index| {
            let start = if index == first { from & CHUNK_MASK } else { 0 };
            Some((index << CHUNK_SHIFT) | self.chunk(index)?.next_used(start)?)
        })
    }

    fn is_empty(&self) -> bool {
        self.chunks.iter().all(Option::is_none)
    }

    /// Sets the bit of `nr`, counted from the start of the mid. Returns whether its chunk is full
    /// now.
    fn set(&mut self, nr: u32) -> Result<bool, Error> {
        let index = (nr >> CHUNK_SHIFT) as usize;
        let chunk = self.chunks.get_mut(index).ok_or(Error::OutOfRange)?;
        let full_words = self.full_words.get_mut(index).ok_or(Error::OutOfRange)?;
        let chunk = match chunk {
            Some(chunk) => chunk,
            None => chunk.insert(S::alloc(Chunk::EMPTY)?),
        };
        let at = (nr & CHUNK_MASK) >> 6;
        let word = chunk.words.get_mut(at as usize).ok_or(Error::OutOfRange)?;
        *word = word.with(nr & 63);
        if *word == u64::FULL {
            *full_words = full_words.with(at);
        }
        Ok(*full_words == u64::FULL)
    }

    /// Clears the bit of `nr`, counted from the start of the mid.
    fn clear(&mut self, nr: u32) {
        let index = (nr >> CHUNK_SHIFT) as usize;
        let (Some(slot), Some(full_words)) =
            (self.chunks.get_mut(index), self.full_words.get_mut(index))
        else {
            return;
        };
        let Some(chunk) = slot.as_deref_mut() else {
            return;
        };
        let at = (nr & CHUNK_MASK) >> 6;
        let Some(word) = chunk.words.get_mut(at as usize) else {
            return;
        };
        *word = word.without(nr & 63);
        *full_words = full_words.without(at);
    }

    /// Gives chunk `index` back if it is empty.
    fn reclaim(&mut self, index: u32) {
        if self.chunk(index).is_some_and(Chunk::is_empty) {
            if let Some(slot) = self.chunks.get_mut(index as usize) {
                *slot = None;
            }
        }
    }
}

impl<S: Store> PidMap<S> {
    /// An empty map, which owns no memory yet.
    pub const fn new(max: PidMax) -> Self {
        Self {
            mids: [const { None }; 32],
            full_chunks: [0; 32],
            full_mids: 0,
            max,
            cursor: 0,
        }
    }

    /// Returns the bound of the numbers that [`Self::alloc`] hands out.
    pub fn max(&self) -> PidMax {
        self.max
    }

    /// Changes the bound of the numbers that [`Self::alloc`] hands out; those in use stay.
    pub fn set_max(&mut self, max: PidMax) {
        self.max = max;
    }

    /// Lets [`Self::alloc`] go on behind `nr`, if that lies ahead and below the bound.
    pub fn skip_past(&mut self, nr: Nr) {
        if nr.get() >= self.cursor && nr.get() < self.max.get() {
            self.move_cursor(nr);
        }
    }

    /// Returns the number that [`Self::alloc`] handed out last, or [`Self::skip_past`] went past.
    pub fn last(&self) -> Option<Nr> {
        Nr::new(self.cursor.wrapping_sub(1))
    }

    /// Hands out a number by the policy of the kernel's `alloc_pid()`: the next free one after the
    /// last, from the start again when there is none; and once `PidMax::RESERVED` numbers have
    /// been passed, "the start" is there.
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`], [`Error::NoMemory`]; nothing has changed then.
    pub fn alloc(&mut self) -> Result<Nr, Error> {
        let start = if self.cursor > PidMax::RESERVED {
            PidMax::RESERVED
        } else {
            Nr::FIRST.get()
        };
        let nr = self
            .next_free(self.cursor.max(start))
            .or_else(|| self.next_free(start))
            .ok_or(Error::Exhausted)?;
        self.set(nr)?;
        self.move_cursor(nr);
        Ok(nr)
    }

    fn move_cursor(&mut self, nr: Nr) {
        let before = self.cursor;
        self.cursor = nr.get().wrapping_add(1);
        self.reclaim(before);
    }

    /// Hands out the number `nr`, which may lie above the bound, and leaves the cursor where it is.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`], [`Error::NoMemory`]; nothing has changed then.
    pub fn alloc_exact(&mut self, nr: Nr) -> Result<(), Error> {
        if self.contains(nr) {
            return Err(Error::InUse);
        }
        self.set(nr)
    }

    /// Takes `nr` back. A number that is not in use changes nothing.
    pub fn free(&mut self, nr: Nr) {
        let nr = nr.get();
        let index = (nr >> MID_SHIFT) as usize;
        let (Some(slot), Some(full_chunks)) =
            (self.mids.get_mut(index), self.full_chunks.get_mut(index))
        else {
            return;
        };
        let Some(mid) = slot.as_deref_mut() else {
            return;
        };
        mid.clear(nr & MID_MASK);
        *full_chunks = full_chunks.without((nr & MID_MASK) >> CHUNK_SHIFT);
        self.full_mids = self.full_mids.without(nr >> MID_SHIFT);
        self.reclaim(nr);
    }

    /// Returns whether `nr` is in use.
    pub fn contains(&self, nr: Nr) -> bool {
        let nr = nr.get();
        self.mid(nr >> MID_SHIFT)
            .and_then(|mid| mid.chunk((nr & MID_MASK) >> CHUNK_SHIFT))
            .is_some_and(|chunk| chunk.word((nr & CHUNK_MASK) >> 6).has(nr & 63))
    }

    /// Returns the lowest number in use at or after `from`.
    pub fn next_used(&self, from: Nr) -> Option<Nr> {
        let from = from.get();
        let first = from >> MID_SHIFT;
        (first..32).find_map(|index| {
            let start = if index == first { from & MID_MASK } else { 0 };
            Nr::new((index << MID_SHIFT) | self.mid(index)?.next_used(start)?)
        })
    }

    /// Gives the nodes above the number `nr` back if they are empty and not in work.
    #[inline]
    fn reclaim(&mut self, nr: u32) {
        if nr >> CHUNK_SHIFT != self.cursor >> CHUNK_SHIFT {
            self.reclaim_idle(nr);
        }
    }

    #[inline(never)]
    fn reclaim_idle(&mut self, nr: u32) {
        let Some(slot) = self.mids.get_mut((nr >> MID_SHIFT) as usize) else {
            return;
        };
        if let Some(mid) = slot.as_deref_mut() {
            mid.reclaim((nr & MID_MASK) >> CHUNK_SHIFT);
            if mid.is_empty() {
                *slot = None;
            }
        }
    }

    fn mid(&self, index: u32) -> Option<&Mid<S>> {
        self.mids.get(index as usize)?.as_deref()
    }

    fn next_free_in(&self, index: u32, from: u32) -> Option<u32> {
        let full_chunks = *self.full_chunks.get(index as usize)?;
        let free = match self.mid(index) {
            Some(mid) => mid.next_free(full_chunks, from)?,
            None => from,
        };
        Some((index << MID_SHIFT) | free)
    }

    /// Returns the lowest free number at or after `from` and below the bound.
    fn next_free(&self, from: u32) -> Option<Nr> {
        let index = from >> MID_SHIFT;
        let free = self
            .next_free_in(index, from & MID_MASK)
            .or_else(|| self.next_free_in(self.full_mids.next_zero(index + 1)?, 0))?;
        Nr::new(free).filter(|nr| nr.get() < self.max.get())
    }

    fn set(&mut self, nr: Nr) -> Result<(), Error> {
        let nr = nr.get();
        let index = (nr >> MID_SHIFT) as usize;
        let mid = self.mids.get_mut(index).ok_or(Error::OutOfRange)?;
        let full_chunks = self.full_chunks.get_mut(index).ok_or(Error::OutOfRange)?;
        let mid = match mid {
            Some(mid) => mid,
            None => mid.insert(S::alloc(Mid::new())?),
        };
        if mid.set(nr & MID_MASK)? {
            *full_chunks = full_chunks.with((nr & MID_MASK) >> CHUNK_SHIFT);
        }
        if *full_chunks == u32::FULL {
            self.full_mids = self.full_mids.with(nr >> MID_SHIFT);
        }
        Ok(())
    }
}

#[cfg(any(test, kernel))]
mod tests;
