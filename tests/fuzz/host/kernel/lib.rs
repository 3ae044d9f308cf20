// SPDX-License-Identifier: GPL-2.0

//! What `device/args.rs` of the module needs of the kernel crate, over memory of a fuzzer's making.

/// An errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(i32);

impl Error {
    /// The error of a negative errno.
    pub fn from_errno(errno: i32) -> Self {
        Self(errno)
    }
}

/// Names of errnos.
pub mod error {
    /// As in the kernel crate.
    pub mod code {
        macro_rules! codes {
            ($($name:ident = $value:literal,)*) => {$(
                #[doc = stringify!($name)]
                pub const $name: crate::Error = crate::Error(-$value);
            )*};
        }

        codes! {
            EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, E2BIG = 7, EBADF = 9, EAGAIN = 11,
            ENOMEM = 12, EFAULT = 14, EBUSY = 16, EEXIST = 17, EINVAL = 22, ENOTTY = 25,
            EBADFD = 77, ERESTARTSYS = 512, ERESTARTNOINTR = 513,
        }
    }
}

/// Errnos that the kernel crate has no name for.
pub mod bindings {
    #![expect(missing_docs)]
    pub const EREMOTE: u32 = 66;
    pub const EUSERS: u32 = 87;
    pub const EOPNOTSUPP: u32 = 95;
    pub const ESTALE: u32 = 116;
}

/// What every file of the module imports.
pub mod prelude {
    pub use crate::{error::code::*, Error};
    pub use std::ffi::c_int;

    /// A result whose error is an errno.
    pub type Result<T = (), E = Error> = core::result::Result<T, E>;
}

/// Types that are just bytes.
pub mod transmute {
    /// # Safety
    ///
    /// Every bit pattern is a value.
    pub unsafe trait FromBytes {}

    /// # Safety
    ///
    /// There is no padding.
    pub unsafe trait AsBytes {
        /// The bytes of the value.
        fn as_bytes(&self) -> &[u8] {
            let address = std::ptr::from_ref(self).cast();
            // SAFETY: The value is borrowed, and has no padding.
            unsafe { std::slice::from_raw_parts(address, size_of_val(self)) }
        }

        /// The same, to be changed.
        fn as_bytes_mut(&mut self) -> &mut [u8]
        where
            Self: FromBytes,
        {
            let (address, size) = (std::ptr::from_mut(self).cast(), size_of_val(self));
            // SAFETY: The value is borrowed, has no padding, and may have any bytes.
            unsafe { std::slice::from_raw_parts_mut(address, size) }
        }
    }
}

/// Memory of a user.
pub mod uaccess {
    use crate::{
        prelude::*,
        transmute::{AsBytes, FromBytes},
    };
    use std::cell::RefCell;

    /// Where that memory begins: nothing is mapped below it, or behind its end.
    pub const BASE: usize = 0x10000;

    thread_local! {
        static MEMORY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }

    /// Runs `body` with `memory` as the user's, and returns what became of both.
    pub fn with_memory<T>(memory: Vec<u8>, body: impl FnOnce() -> T) -> (T, Vec<u8>) {
        MEMORY.set(memory);
        let result = body();
        (result, MEMORY.take())
    }

    fn access(address: usize, length: usize, body: impl FnOnce(&mut [u8])) -> Result {
        if length == 0 {
            return Ok(());
        }
        MEMORY.with_borrow_mut(|memory| {
            let start = address.checked_sub(BASE).ok_or(EFAULT)?;
            let end = start.checked_add(length).ok_or(EFAULT)?;
            body(memory.get_mut(start..end).ok_or(EFAULT)?);
            Ok(())
        })
    }

    /// An address of a user's.
    #[derive(Clone, Copy)]
    pub struct UserPtr(usize);

    impl UserPtr {
        /// An address, mapped or not.
        pub fn from_addr(address: usize) -> Self {
            Self(address)
        }
    }

    /// A part of that memory.
    pub struct UserSlice {
        address: usize,
        length: usize,
    }

    /// It, to read from its start.
    pub type UserSliceReader = UserSlice;
    /// It, to write from its start.
    pub type UserSliceWriter = UserSlice;

    impl UserSlice {
        /// `length` bytes at `ptr`.
        pub fn new(ptr: UserPtr, length: usize) -> Self {
            Self {
                address: ptr.0,
                length,
            }
        }

        /// Itself.
        pub fn reader(self) -> Self {
            self
        }

        /// Itself.
        pub fn writer(self) -> Self {
            self
        }

        /// How much of it is left.
        pub fn len(&self) -> usize {
            self.length
        }

        /// Whether none of it is left.
        pub fn is_empty(&self) -> bool {
            self.length == 0
        }

        fn advance(&mut self, length: usize) -> Result<usize> {
            let address = self.address;
            self.length = self.length.checked_sub(length).ok_or(EFAULT)?;
            self.address = address.wrapping_add(length);
            Ok(address)
        }

        /// Reads a value.
        pub fn read<T: FromBytes + Default>(&mut self) -> Result<T> {
            let mut value = T::default();
            let (place, size) = (std::ptr::from_mut(&mut value).cast(), size_of::<T>());
            // SAFETY: The value is borrowed, and may have any bytes.
            self.read_slice(unsafe { std::slice::from_raw_parts_mut(place, size) })?;
            Ok(value)
        }

        /// Leaves bytes out.
        pub fn skip(&mut self, length: usize) -> Result {
            self.advance(length).map(|_| ())
        }

        /// Fills `to`.
        pub fn read_slice(&mut self, to: &mut [u8]) -> Result {
            let address = self.advance(to.len())?;
            access(address, to.len(), |memory| to.copy_from_slice(memory))
        }

        /// Writes a value.
        pub fn write<T: AsBytes>(&mut self, value: &T) -> Result {
            self.write_slice(value.as_bytes())
        }

        /// Writes `from`.
        pub fn write_slice(&mut self, from: &[u8]) -> Result {
            let address = self.advance(from.len())?;
            access(address, from.len(), |memory| memory.copy_from_slice(from))
        }
    }

    // SAFETY: Any bytes are one.
    unsafe impl FromBytes for u32 {}
}
