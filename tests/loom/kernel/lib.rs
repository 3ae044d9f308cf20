// SPDX-License-Identifier: GPL-2.0

//! What the module's table of bindings needs of the kernel crate: atomics that loom knows, memory that
//! notices who uses it too late, and RCU whose grace periods end as early as they may.

mod atomic;
mod heap;
pub mod rcu;

/// Memory.
pub mod alloc {
    /// Memory could not be had.
    #[derive(Debug)]
    pub struct AllocError;

    /// How it is had.
    pub struct Flags;
}

/// Pages, which are small: all entries of a leaf are looked at each time.
pub mod page {
    /// Room for three entries in a leaf.
    pub const PAGE_SIZE: usize = 6 * size_of::<usize>();
}

/// As in the kernel crate.
pub mod sync {
    pub use crate::rcu;

    /// As in the kernel crate.
    pub mod atomic {
        pub use crate::atomic::{Atomic, Full, Relaxed};
    }
}

/// As in the kernel crate.
pub mod types {
    use std::cell::UnsafeCell;

    /// A value that others may use.
    #[repr(transparent)]
    pub struct Opaque<T>(UnsafeCell<T>);

    impl<T> Opaque<T> {
        /// Where the value is.
        pub fn get(&self) -> *mut T {
            self.0.get()
        }

        /// The opaque that a value is in.
        pub fn cast_from(this: *const T) -> *const Self {
            this.cast()
        }
    }
}

/// C's own types.
pub mod bindings {
    /// What is queued to wait for the end of a grace period.
    #[expect(non_camel_case_types)]
    pub struct callback_head {
        _unused: [usize; 2],
    }
}

/// What every file of the module imports.
pub mod prelude {
    pub use crate::{heap::KBox, init};

    /// An errno.
    #[derive(Debug)]
    pub struct Error;

    impl From<crate::alloc::AllocError> for Error {
        fn from(_: crate::alloc::AllocError) -> Self {
            Self
        }
    }

    /// A result whose error is an errno.
    pub type Result<T = (), E = Error> = core::result::Result<T, E>;

    /// Types of which zeroes are a value.
    ///
    /// # Safety
    ///
    /// They are.
    pub unsafe trait Zeroable: Sized {
        /// That value.
        fn init_zeroed() -> Self {
            // SAFETY: This is what the trait is for.
            unsafe { std::mem::zeroed() }
        }
    }
}

/// What is to become of memory, which is a value here.
#[macro_export]
macro_rules! init {
    ($value:expr) => {
        $value
    };
}

/// The structure that a field is of.
#[macro_export]
macro_rules! container_of {
    ($field:expr, $type:ty, $($name:tt)+) => {
        $field.byte_sub(std::mem::offset_of!($type, $($name)+)).cast::<$type>()
    };
}
