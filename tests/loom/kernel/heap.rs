// SPDX-License-Identifier: GPL-2.0

//! Memory. What was freed is not given to anybody else while an order is tried, so that it is known who
//! uses it yet.

use crate::{alloc::Flags, atomic, prelude::Result};
use std::{cell::RefCell, collections::BTreeMap, ops::Deref, ptr::NonNull};

struct Block {
    size: usize,
    freed: bool,
    /// Gives the memory back.
    release: Box<dyn FnOnce()>,
}

thread_local! {
    static BLOCKS: RefCell<BTreeMap<usize, Block>> = const { RefCell::new(BTreeMap::new()) };
}

/// Gives back what the last order had.
pub(crate) fn reset() {
    for block in BLOCKS.take().into_values() {
        (block.release)();
    }
}

/// Returns how many objects have not been freed.
pub(crate) fn in_use() -> usize {
    BLOCKS.with_borrow(|blocks| blocks.values().filter(|block| !block.freed).count())
}

pub(crate) fn free(address: usize) {
    BLOCKS.with_borrow_mut(|blocks| {
        let block = blocks.get_mut(&address).expect("what is freed is memory");
        assert!(!block.freed, "freed twice");
        block.freed = true;
    });
}

pub(crate) fn assert_in_use(address: usize) {
    BLOCKS.with_borrow(|blocks| {
        if let Some((start, block)) = blocks.range(..=address).next_back() {
            let beside = address >= start + block.size;
            assert!(beside || !block.freed, "used after it was freed");
        }
    });
}

/// An object in memory of its own.
#[derive(Debug)]
pub struct KBox<T: 'static>(NonNull<T>);

impl<T> KBox<T> {
    /// Puts `value` into memory. Its atomics are zero.
    ///
    /// # Errors
    ///
    /// None.
    pub fn init(value: T, _flags: Flags) -> Result<Self> {
        let object = NonNull::from(Box::leak(Box::new(value)));
        let block = Block {
            size: size_of::<T>(),
            freed: false,
            release: Box::new(move || {
                // SAFETY: It comes from a box, and nobody uses it any more.
                drop(unsafe { Box::from_raw(object.as_ptr()) });
            }),
        };
        let address = object.as_ptr().addr();
        atomic::make(address, size_of::<T>());
        BLOCKS.with_borrow_mut(|blocks| blocks.insert(address, block));
        Ok(Self(object))
    }

    /// Gives the object away.
    pub fn into_raw(this: Self) -> *mut T {
        let object = this.0.as_ptr();
        std::mem::forget(this);
        object
    }

    /// Takes it back.
    ///
    /// # Safety
    ///
    /// It must come from [`Self::into_raw`], once.
    pub unsafe fn from_raw(object: *mut T) -> Self {
        Self(NonNull::new(object).expect("given away before"))
    }
}

impl<T> Deref for KBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        assert_in_use(self.0.as_ptr().addr());
        // SAFETY: It is not given back while an order is tried.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Drop for KBox<T> {
    fn drop(&mut self) {
        free(self.0.as_ptr().addr());
    }
}
