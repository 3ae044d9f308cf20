// SPDX-License-Identifier: GPL-2.0

//! Structures to and from user space, by the rules for structures that may grow.

use crate::{
    error::Refusal,
    uapi, //
};
use kernel::{
    prelude::*,
    transmute::{
        AsBytes,
        FromBytes, //
    },
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceReader,
        UserSliceWriter, //
    },
};

/// The largest structure that any caller may have, whatever the size of a page is here.
const MAX_SIZE: usize = 4096;

/// A structure of the uapi whose first member says how large the caller believes it to be.
pub(super) trait Extensible: FromBytes + AsBytes + Default {
    /// Its size at ABI level 1, the smallest that there is.
    const SIZE_VER0: u32;

    /// Returns how large the caller believes it to be.
    fn size(&self) -> u32;

    /// Returns whether everything that must be zero is.
    fn reserved_is_zero(&self) -> bool;
}

/// An argument of a command: the structure, and where and how large the caller's is.
pub(super) struct Argument<T> {
    pub(super) value: T,
    ptr: UserPtr,
    size: usize,
}

impl<T: Extensible> Argument<T> {
    /// Copies the argument in.
    ///
    /// Mirrors `copy_struct_from_user()`.
    ///
    /// # Errors
    ///
    /// `EFAULT`; `EINVAL` when it is smaller than it ever was or something reserved is not zero;
    /// `E2BIG` when it is larger than a page, or has more in it than this version knows.
    ///
    /// # Context
    ///
    /// Process context. May sleep.
    pub(super) fn read(addr: usize) -> Result<Self> {
        let ptr = UserPtr::from_addr(addr);
        let mut value = match UserSlice::new(ptr, size_of::<T>()).reader().read() {
            Ok(value) => value,
            Err(_) => Self::read_shorter(ptr)?,
        };
        let size = checked_size(&value)?;
        // What is behind the caller's is not meant.
        if let Some(unknown) = value.as_bytes_mut().get_mut(size..) {
            unknown.fill(0);
        }
        if size > size_of::<T>() {
            let mut rest = UserSlice::new(ptr, size).reader();
            rest.skip(size_of::<T>())?;
            must_be_zero(rest)?;
        }
        if !value.reserved_is_zero() {
            return Err(Refusal::BadArgument.into());
        }
        Ok(Self { value, ptr, size })
    }

    /// Copies in what a caller has that has less than this version, and no memory behind it.
    fn read_shorter(ptr: UserPtr) -> Result<T> {
        let mut value = T::default();
        read_part(ptr, &mut value, size_of::<u32>())?;
        let size = checked_size(&value)?;
        read_part(ptr, &mut value, size)?;
        Ok(value)
    }

    /// Copies the value out, as much of it as the caller knows. A command that cannot be undone does
    /// so before it acts, too.
    ///
    /// # Errors
    ///
    /// `EFAULT`.
    ///
    /// # Context
    ///
    /// Process context. May sleep.
    pub(super) fn write(&self) -> Result {
        let mut writer = UserSlice::new(self.ptr, self.size).writer();
        match self.value.as_bytes().get(..self.size) {
            Some(known) if self.size < size_of::<T>() => writer.write_slice(known),
            _ => writer.write(&self.value),
        }
    }
}

/// Copies in the first `size` bytes.
fn read_part<T: Extensible>(ptr: UserPtr, value: &mut T, size: usize) -> Result {
    let part = value.as_bytes_mut().get_mut(..size).ok_or(EFAULT)?;
    UserSlice::new(ptr, size).reader().read_slice(part)
}

/// Returns how large the caller's structure is, if it can be one.
fn checked_size<T: Extensible>(value: &T) -> Result<usize> {
    if value.size() < T::SIZE_VER0 {
        return Err(Refusal::BadArgument.into());
    }
    let size = value.size() as usize;
    if size > MAX_SIZE {
        return Err(Refusal::TooBig.into());
    }
    Ok(size)
}

fn must_be_zero(mut reader: UserSliceReader) -> Result {
    let mut chunk = [0_u8; 64];
    while !reader.is_empty() {
        let length = reader.len().min(chunk.len());
        if let Some(part) = chunk.get_mut(..length) {
            reader.read_slice(part)?;
            if part.iter().any(|&byte| byte != 0) {
                return Err(Refusal::TooBig.into());
            }
        }
    }
    Ok(())
}

/// An array that the caller has room for, filled from its start.
pub(super) struct Entries {
    writer: UserSliceWriter,
    entry_size: usize,
    filled: u32,
    count: u32,
}

impl Entries {
    /// Describes the array of `count` entries of `entry_size` bytes at `addr`.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the entries are smaller than they ever were, `E2BIG` when they are larger than
    /// a page; `EFAULT` when the address is none.
    pub(super) fn new(addr: u64, count: u32, entry_size: u32, size_ver0: u32) -> Result<Self> {
        if entry_size < size_ver0 {
            return Err(Refusal::BadArgument.into());
        }
        let entry_size = entry_size as usize;
        if entry_size > MAX_SIZE {
            return Err(Refusal::TooBig.into());
        }
        let count = count.min(uapi::PIDSPACE_BATCH_MAX);
        let length = entry_size.saturating_mul(count as usize);
        let ptr = UserPtr::from_addr(addr as usize);
        Ok(Self {
            writer: UserSlice::new(ptr, length).writer(),
            entry_size,
            filled: 0,
            count,
        })
    }

    /// Returns whether there is room for no more.
    pub(super) fn is_full(&self) -> bool {
        self.filled >= self.count
    }

    /// Returns how many entries have been filled.
    pub(super) fn filled(&self) -> u32 {
        self.filled
    }

    /// Fills the next entry: with as much as the caller knows of it, or zeros behind it.
    ///
    /// # Errors
    ///
    /// `EFAULT`.
    pub(super) fn push<T: AsBytes>(&mut self, entry: &T) -> Result {
        let known = self.entry_size.min(size_of::<T>());
        if let Some(bytes) = entry.as_bytes().get(..known) {
            self.writer.write_slice(bytes)?;
        }
        let zeros = [0_u8; 64];
        let mut rest = self.entry_size.saturating_sub(known);
        while let Some(part) = zeros.get(..rest.min(64)).filter(|part| !part.is_empty()) {
            self.writer.write_slice(part)?;
            rest = rest.saturating_sub(part.len());
        }
        self.filled = self.filled.saturating_add(1);
        Ok(())
    }
}

macro_rules! impl_extensible {
    ($($name:ident: $size:ident..=$latest:ident, |$value:ident| $zero:expr;)*) => {$(
        // SAFETY: Integers of every bit pattern.
        unsafe impl FromBytes for uapi::$name {}

        // SAFETY: Integers without padding, as the sizes checked below and in the bindings show.
        unsafe impl AsBytes for uapi::$name {}

        impl Extensible for uapi::$name {
            const SIZE_VER0: u32 = uapi::$size;

            fn size(&self) -> u32 {
                self.size
            }

            fn reserved_is_zero(&self) -> bool {
                let $value = self;
                $zero
            }
        }

        const _: () = assert!(size_of::<uapi::$name>() == uapi::$latest as usize);
    )*};
}

impl_extensible! {
    pidspace_abi: PIDSPACE_ABI_SIZE_VER0..=PIDSPACE_ABI_SIZE_VER0, |_value| true;
    pidspace_create: PIDSPACE_CREATE_SIZE_VER0..=PIDSPACE_CREATE_SIZE_VER1,
        |value| value.flags & !uapi::PIDSPACE_BIND_F_KILL_ON_CLOSE == 0 && value.reserved == 0;
    pidspace_open: PIDSPACE_OPEN_SIZE_VER0..=PIDSPACE_OPEN_SIZE_VER1,
        |value| value.flags & !uapi::PIDSPACE_BIND_F_KILL_ON_CLOSE == 0 && value.reserved == 0;
    pidspace_info: PIDSPACE_INFO_SIZE_VER0..=PIDSPACE_INFO_SIZE_VER1, |value| value.flags == 0;
    pidspace_list: PIDSPACE_LIST_SIZE_VER0..=PIDSPACE_LIST_SIZE_VER0, |value| value.flags == 0;
    pidspace_spawn: PIDSPACE_SPAWN_SIZE_VER0..=PIDSPACE_SPAWN_SIZE_VER0,
        |value| value.flags & !uapi::PIDSPACE_SPAWN_F_CLEAR == 0;
    pidspace_adopt: PIDSPACE_ADOPT_SIZE_VER0..=PIDSPACE_ADOPT_SIZE_VER0,
        |value| value.flags & !ADOPT_FLAGS == 0 && value.reserved == 0;
    pidspace_members: PIDSPACE_MEMBERS_SIZE_VER0..=PIDSPACE_MEMBERS_SIZE_VER0,
        |value| value.flags == 0 && value.reserved == 0;
    pidspace_lookup: PIDSPACE_LOOKUP_SIZE_VER0..=PIDSPACE_LOOKUP_SIZE_VER0,
        |value| value.flags == 0;
    pidspace_kill: PIDSPACE_KILL_SIZE_VER0..=PIDSPACE_KILL_SIZE_VER1,
        |value| value.flags & !uapi::PIDSPACE_KILL_F_SPACE == 0;
    pidspace_set: PIDSPACE_SET_SIZE_VER0..=PIDSPACE_SET_SIZE_VER0,
        |value| value.flags & !SET_FLAGS == 0;
    pidspace_destroy: PIDSPACE_DESTROY_SIZE_VER0..=PIDSPACE_DESTROY_SIZE_VER0,
        |value| value.flags & !uapi::PIDSPACE_DESTROY_F_KILL == 0;
    pidspace_hooks: PIDSPACE_HOOKS_SIZE_VER0..=PIDSPACE_HOOKS_SIZE_VER0,
        |value| value.flags == 0 && value.reserved == 0;
}

const ADOPT_FLAGS: u32 = uapi::PIDSPACE_ADOPT_F_TREE | uapi::PIDSPACE_ADOPT_F_PIDFD;
const SET_FLAGS: u32 = uapi::PIDSPACE_SET_F_PID_MAX
    | uapi::PIDSPACE_SET_F_POLICIES
    | uapi::PIDSPACE_SET_F_MAX_MEMBERS
    | uapi::PIDSPACE_SET_F_MODE;

// SAFETY: Integers of every bit pattern.
unsafe impl FromBytes for uapi::pidspace_nr {}

// SAFETY: Integers without padding, as the check in the bindings shows.
unsafe impl AsBytes for uapi::pidspace_nr {}

// SAFETY: Integers without padding, as the check in the bindings shows.
unsafe impl AsBytes for uapi::pidspace_member {}

// SAFETY: Integers without padding, as the check in the bindings shows.
unsafe impl AsBytes for uapi::pidspace_event {}

// SAFETY: Integers without padding, as the check in the bindings shows.
unsafe impl AsBytes for uapi::pidspace_hook_info {}
