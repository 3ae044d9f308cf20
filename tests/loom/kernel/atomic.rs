// SPDX-License-Identifier: GPL-2.0

//! Atomics. Loom's cannot be made before it runs, and some of the table's are: so they are told apart by
//! where they are. Those in memory are made with it, others when they are used first, which one thread
//! must do before there are more.

use crate::heap;
use loom::sync::atomic::{fence, AtomicUsize, Ordering};
use std::{cell::RefCell, collections::HashMap, rc::Rc};

thread_local! {
    // All threads of a model are one to the operating system.
    static CELLS: RefCell<HashMap<usize, Rc<AtomicUsize>>> = RefCell::new(HashMap::new());
}

/// Forgets what the last order left.
pub(crate) fn reset() {
    CELLS.take();
}

/// Makes those that may be in memory from `start` on, which is all zeroes.
pub(crate) fn make(start: usize, size: usize) {
    CELLS.with_borrow_mut(|cells| {
        for address in (start..start + size).step_by(align_of::<u32>()) {
            cells.insert(address, Rc::new(AtomicUsize::new(0)));
        }
    });
}

/// The ordering of an operation with full barriers before and after it.
pub struct Full;

/// The ordering of an operation with none.
pub struct Relaxed;

/// What fits into a word.
pub trait Word: Copy {
    /// The word.
    fn to_word(self) -> usize;
    /// The value of a word.
    fn from_word(word: usize) -> Self;
}

impl Word for usize {
    fn to_word(self) -> usize {
        self
    }

    fn from_word(word: usize) -> Self {
        word
    }
}

impl Word for u32 {
    fn to_word(self) -> usize {
        self as usize
    }

    fn from_word(word: usize) -> Self {
        u32::try_from(word).expect("only such words are put in")
    }
}

impl<T> Word for *mut T {
    fn to_word(self) -> usize {
        self as usize
    }

    fn from_word(word: usize) -> Self {
        word as Self
    }
}

/// A word that may be used by many at a time.
pub struct Atomic<T> {
    initial: T,
}

// SAFETY: What threads share is loom's.
unsafe impl<T> Sync for Atomic<T> {}

impl<T: Word> Atomic<T> {
    /// A word that is `initial` in every order that is tried.
    pub const fn new(initial: T) -> Self {
        Self { initial }
    }

    fn cell(&self) -> Rc<AtomicUsize> {
        let address = std::ptr::from_ref(self).addr();
        heap::assert_in_use(address);
        CELLS.with_borrow_mut(|cells| {
            let cell = cells
                .entry(address)
                .or_insert_with(|| Rc::new(AtomicUsize::new(self.initial.to_word())));
            Rc::clone(cell)
        })
    }

    /// Reads it, as `READ_ONCE()`.
    pub fn load(&self, _: Relaxed) -> T {
        T::from_word(self.cell().load(Ordering::Relaxed))
    }

    /// Reads it, as `rcu_dereference()`, which is a little less.
    pub fn load_acquire(&self) -> T {
        T::from_word(self.cell().load(Ordering::Acquire))
    }

    /// As `xchg()`.
    pub fn xchg(&self, new: T, _: Full) -> T {
        let cell = self.cell();
        fence(Ordering::SeqCst);
        let old = cell.swap(new.to_word(), Ordering::AcqRel);
        fence(Ordering::SeqCst);
        T::from_word(old)
    }

    /// As `cmpxchg()`, which is no barrier when it fails.
    pub fn cmpxchg(&self, old: T, new: T, _: Full) -> Result<T, T> {
        let cell = self.cell();
        fence(Ordering::SeqCst);
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        let result = cell.compare_exchange(old.to_word(), new.to_word(), success, failure);
        if result.is_ok() {
            fence(Ordering::SeqCst);
        }
        result.map(T::from_word).map_err(T::from_word)
    }
}
