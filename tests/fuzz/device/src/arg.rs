// SPDX-License-Identifier: GPL-2.0

//! Arguments as the kernel sees them: in memory of which every byte is accounted for.

use crate::call::Shape;
use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{mmap_anonymous, mprotect, MapFlags, ProtFlags};
use pidspace_uapi::*;
use std::num::NonZeroUsize;
use std::os::fd::RawFd;
use std::ptr::NonNull;

const PAGE: usize = 4096;

/// What memory holds that the kernel must not write to.
const CANARY: u8 = 0xa5;
const CANARIES: usize = 64;

/// A structure of the header with its command, the smallest size first.
pub(crate) trait Argument: Copy + Default {
    const COMMAND: u32;
    const FIRST: u32;
}

macro_rules! argument {
    ($($name:ident: $command:ident, $first:ident;)*) => {$(
        impl Argument for $name {
            const COMMAND: u32 = $command;
            const FIRST: u32 = $first;
        }
    )*};
}

argument! {
    pidspace_abi: PIDSPACE_IOC_ABI, PIDSPACE_ABI_SIZE_VER0;
    pidspace_create: PIDSPACE_IOC_CREATE, PIDSPACE_CREATE_SIZE_VER0;
    pidspace_open: PIDSPACE_IOC_OPEN, PIDSPACE_OPEN_SIZE_VER0;
    pidspace_info: PIDSPACE_IOC_INFO, PIDSPACE_INFO_SIZE_VER0;
    pidspace_list: PIDSPACE_IOC_LIST, PIDSPACE_LIST_SIZE_VER0;
    pidspace_spawn: PIDSPACE_IOC_SPAWN, PIDSPACE_SPAWN_SIZE_VER0;
    pidspace_adopt: PIDSPACE_IOC_ADOPT, PIDSPACE_ADOPT_SIZE_VER0;
    pidspace_members: PIDSPACE_IOC_MEMBERS, PIDSPACE_MEMBERS_SIZE_VER0;
    pidspace_lookup: PIDSPACE_IOC_LOOKUP, PIDSPACE_LOOKUP_SIZE_VER0;
    pidspace_kill: PIDSPACE_IOC_KILL, PIDSPACE_KILL_SIZE_VER0;
    pidspace_set: PIDSPACE_IOC_SET, PIDSPACE_SET_SIZE_VER0;
    pidspace_destroy: PIDSPACE_IOC_DESTROY, PIDSPACE_DESTROY_SIZE_VER0;
    pidspace_hooks: PIDSPACE_IOC_HOOKS, PIDSPACE_HOOKS_SIZE_VER0;
}

/// Memory with nothing behind it.
pub(crate) struct Area {
    base: NonNull<u8>,
    length: usize,
}

impl Area {
    pub(crate) fn new(pages: usize) -> Self {
        let length = pages * PAGE;
        let size = NonZeroUsize::new(length + PAGE).expect("it is not 0");
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: A mapping at a place of the kernel's choice, never unmapped.
        let base = unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_PRIVATE) };
        let area = Self {
            base: base.expect("mmap").cast(),
            length,
        };
        // SAFETY: The last page of that mapping, which nothing refers to.
        unsafe { mprotect(area.at(length).cast(), PAGE, ProtFlags::PROT_NONE) }.expect("mprotect");
        area
    }

    fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset <= self.length);
        // SAFETY: It is inside of the mapping, or where its guard page begins.
        unsafe { self.base.add(offset) }
    }

    pub(crate) fn address(&self, offset: usize) -> usize {
        self.at(offset).addr().get()
    }

    fn bytes(&mut self, offset: usize, length: usize) -> &mut [u8] {
        let offset = offset.min(self.length);
        let length = length.min(self.length - offset);
        // SAFETY: Memory of the area, borrowed with it; the kernel writes to it during calls only.
        unsafe { std::slice::from_raw_parts_mut(self.at(offset).as_ptr(), length) }
    }

    /// Fills what surrounds `length` bytes at `offset` with canaries.
    fn guard(&mut self, offset: usize, length: usize) {
        self.bytes(offset - CANARIES, CANARIES).fill(CANARY);
        self.bytes(offset + length, CANARIES).fill(CANARY);
    }

    /// Panics when the kernel wrote beside `length` bytes at `offset`.
    fn check(&mut self, offset: usize, length: usize) {
        let untouched = |bytes: &[u8]| bytes.iter().all(|&byte| byte == CANARY);
        assert!(
            untouched(self.bytes(offset - CANARIES, CANARIES)),
            "written ahead of an argument"
        );
        assert!(
            untouched(self.bytes(offset + length, CANARIES)),
            "written behind an argument"
        );
    }

    fn protect(&mut self, protection: ProtFlags) {
        // SAFETY: The mapping without its guard; it is written to again when it may be.
        unsafe { mprotect(self.base.cast(), self.length, protection) }.expect("mprotect");
    }
}

fn bytes_of<T: Argument>(value: &mut T) -> &mut [u8] {
    // SAFETY: The structures of the header are integers without padding, of any bit pattern.
    unsafe { std::slice::from_raw_parts_mut(std::ptr::from_mut(value).cast(), size_of::<T>()) }
}

/// Issues a command on `fd` with any number or address as argument.
pub(crate) fn ioctl(fd: RawFd, command: u32, argument: usize) -> Result<(), Errno> {
    // SAFETY: What the kernel writes lands in areas, or in no memory of this process.
    Errno::result(unsafe { libc::ioctl(fd, libc::Ioctl::from(command), argument) }).map(drop)
}

/// Issues the command of `value` in the given shape, and takes the answer back into `value`.
pub(crate) fn call<T: Argument>(
    area: &mut Area,
    fd: RawFd,
    value: &mut T,
    shape: Shape,
) -> Result<(), Errno> {
    let known = size_of::<T>();
    let size = match shape {
        Shape::First => T::FIRST as usize,
        Shape::Sized(size) => size.into(),
        Shape::Longer(_) => known + 40,
        _ => known,
    };
    let offset = match shape {
        Shape::Edge => area.length - size,
        Shape::Cut => area.length - size / 2,
        _ => PAGE / 2,
    };
    area.guard(offset, size);
    bytes_of(value)[..4].copy_from_slice(&(size as u32).to_ne_bytes());
    let argument = area.bytes(offset, size);
    argument.fill(0);
    let shared = known.min(argument.len());
    argument[..shared].copy_from_slice(&bytes_of(value)[..shared]);
    if let (Shape::Longer(tail), Some(last)) = (shape, argument.last_mut()) {
        *last = tail;
    }
    if matches!(shape, Shape::ReadOnly) {
        area.protect(ProtFlags::PROT_READ);
    }
    let address = match shape {
        Shape::Null => 0,
        _ => area.address(offset),
    };
    let result = ioctl(fd, T::COMMAND, address);
    area.protect_again(shape);
    area.check(offset, size);
    let shared = shared.min(size);
    let answer = area.bytes(offset, shared);
    bytes_of(value)[..shared].copy_from_slice(answer);
    result
}

impl Area {
    fn protect_again(&mut self, shape: Shape) {
        if matches!(shape, Shape::ReadOnly) {
            self.protect(ProtFlags::PROT_READ | ProtFlags::PROT_WRITE);
        }
    }

    /// Puts `bytes` where an argument goes, and returns where that is.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        self.bytes(PAGE / 2, bytes.len()).copy_from_slice(bytes);
        self.address(PAGE / 2)
    }

    /// Returns where an array of `size` bytes lies, in the given shape, with canaries around it.
    pub(crate) fn array(&mut self, size: usize, shape: Shape) -> u64 {
        let size = size.min(self.length - 2 * CANARIES);
        let offset = match shape {
            Shape::Null => return 0,
            Shape::Edge => self.length - size,
            Shape::Cut => self.length - size / 2,
            _ => CANARIES,
        };
        self.guard(offset, size);
        self.address(offset) as u64
    }

    /// Returns an entry of the array at `address`.
    pub(crate) fn entry<T: Argument>(&mut self, address: u64, at: usize) -> T {
        let start = address as usize - self.address(0) + at * size_of::<T>();
        let mut value = T::default();
        bytes_of(&mut value).copy_from_slice(self.bytes(start, size_of::<T>()));
        value
    }

    /// Panics when the kernel wrote beside that array.
    pub(crate) fn check_array(&mut self, address: u64, size: usize) {
        if address != 0 {
            let offset = address as usize - self.address(0);
            self.check(offset, size.min(self.length - 2 * CANARIES));
        }
    }
}
