// SPDX-License-Identifier: GPL-2.0

//! The module's decoding of arguments, from its own source: a structure is accepted exactly when
//! the rules of the header say so, nothing beside it is read or written, and an array is filled
//! with whole entries of the size that the caller knows.

#![no_main]

#[path = "../../../../rust/module/device/args.rs"]
mod args;
#[expect(dead_code)]
#[path = "../../../../rust/module/error.rs"]
mod error;
#[path = "../../../../rust/logic/error.rs"]
mod logic;
// Generated code does not follow the lints of what is written by hand.
#[allow(
    dead_code,
    missing_docs,
    non_camel_case_types,
    unreachable_pub,
    clippy::multiple_unsafe_ops_per_block,
    clippy::undocumented_unsafe_blocks
)]
#[path = "../../../../rust/uapi/bindings.rs"]
mod uapi;

use arbitrary::Arbitrary;
use args::{Argument, Entries, Extensible};
use kernel::{
    prelude::*,
    transmute::{AsBytes, FromBytes},
    uaccess::{with_memory, BASE},
};
use libfuzzer_sys::fuzz_target;

const PAGE: usize = 4096;

#[derive(Arbitrary, Debug)]
enum Input {
    Structure {
        which: u8,
        offset: u8,
        size: Option<u16>,
        memory: Vec<u8>,
    },
    Array {
        address: u16,
        count: u16,
        entry_size: u16,
        known: u16,
        room: u16,
    },
}

/// Whether the rules of the header accept `bytes`, which are what is mapped at the argument.
fn expected<T: Extensible>(bytes: &[u8]) -> Result {
    let size = bytes
        .first_chunk()
        .map(|size| u32::from_ne_bytes(*size))
        .ok_or(EFAULT)?;
    let (size, known) = (size as usize, size_of::<T>());
    if size < T::SIZE_VER0 as usize {
        return Err(EINVAL);
    }
    if size > PAGE {
        return Err(E2BIG);
    }
    let mut value = T::default();
    let shared = size.min(known);
    let start = bytes.get(..shared).ok_or(EFAULT)?;
    value.as_bytes_mut()[..shared].copy_from_slice(start);
    let rest = &bytes[shared..bytes.len().min(size)];
    // What is not zero may come before what is not mapped, or after it in the same chunk.
    for at in (0..size - shared).step_by(64) {
        let chunk = rest.get(at..(at + 64).min(size - shared)).ok_or(EFAULT)?;
        if chunk.iter().any(|&byte| byte != 0) {
            return Err(E2BIG);
        }
    }
    if value.reserved_is_zero() {
        Ok(())
    } else {
        Err(EINVAL)
    }
}

fn check_structure<T: Extensible>(offset: u8, memory: Vec<u8>) {
    let offset = usize::from(offset);
    let before = memory.clone();
    let (found, after) = with_memory(memory, || {
        let mut argument = Argument::<T>::read(BASE + offset)?;
        argument.value.as_bytes_mut()[4..].fill(0xee);
        argument.write()
    });
    assert_eq!(
        found,
        expected::<T>(before.get(offset..).unwrap_or_default())
    );
    let written = if found.is_ok() {
        let size = u32::from_ne_bytes(*before[offset..].first_chunk().expect("it was read"));
        offset + 4..offset + (size as usize).min(size_of::<T>())
    } else {
        0..0
    };
    for (at, (old, new)) in before.iter().zip(&after).enumerate() {
        let due = if written.contains(&at) { 0xee } else { *old };
        assert_eq!(*new, due, "at {at}");
    }
}

/// An entry that is all ones.
struct Entry<const SIZE: usize>([u8; SIZE]);

// SAFETY: Bytes.
unsafe impl<const SIZE: usize> FromBytes for Entry<SIZE> {}
// SAFETY: Bytes.
unsafe impl<const SIZE: usize> AsBytes for Entry<SIZE> {}

fn check_array(address: u16, count: u16, entry_size: u16, known: u16, room: u16) {
    const SIZE: usize = 40;
    let (start, size, known) = (
        usize::from(address),
        usize::from(entry_size),
        u32::from(known),
    );
    let (found, memory) = with_memory(vec![0xaa; room.into()], || {
        let mut entries = Entries::new(
            (BASE + start) as u64,
            count.into(),
            entry_size.into(),
            known,
        )?;
        let mut result = Ok(());
        while !entries.is_full() && result.is_ok() {
            result = entries.push(&Entry([1; SIZE]));
        }
        Ok((entries.filled() as usize, result))
    });
    if u32::from(entry_size) < known {
        return assert_eq!(found, Err(EINVAL));
    }
    if size > PAGE {
        return assert_eq!(found, Err(E2BIG));
    }
    let (filled, result) = found.expect("nothing else is refused");
    let wanted = usize::from(count).min(uapi::PIDSPACE_BATCH_MAX as usize);
    let fits = start + wanted * size <= memory.len();
    assert_eq!(result.is_ok(), fits || wanted == 0 || size == 0);
    assert!(filled == wanted || result.is_err());
    for (at, byte) in memory.iter().enumerate() {
        let inside = at.checked_sub(start).filter(|at| *at < filled * size);
        let due = inside.map(|at| u8::from(at % size < SIZE));
        // Of an entry that did not fit, a part may have been written.
        let partial = result.is_err() && at >= start + filled * size;
        assert!(partial || *byte == due.unwrap_or(0xaa), "at {at}");
    }
}

fuzz_target!(|input: Input| match input {
    Input::Structure {
        which,
        offset,
        size,
        mut memory,
    } => {
        if let (Some(size), Some(place)) = (size, memory.get_mut(usize::from(offset)..)) {
            if let Some(place) = place.first_chunk_mut() {
                *place = u32::from(size).to_ne_bytes();
            }
        }
        match which % 13 {
            0 => check_structure::<uapi::pidspace_abi>(offset, memory),
            1 => check_structure::<uapi::pidspace_create>(offset, memory),
            2 => check_structure::<uapi::pidspace_open>(offset, memory),
            3 => check_structure::<uapi::pidspace_info>(offset, memory),
            4 => check_structure::<uapi::pidspace_list>(offset, memory),
            5 => check_structure::<uapi::pidspace_spawn>(offset, memory),
            6 => check_structure::<uapi::pidspace_adopt>(offset, memory),
            7 => check_structure::<uapi::pidspace_members>(offset, memory),
            8 => check_structure::<uapi::pidspace_lookup>(offset, memory),
            9 => check_structure::<uapi::pidspace_kill>(offset, memory),
            10 => check_structure::<uapi::pidspace_set>(offset, memory),
            11 => check_structure::<uapi::pidspace_destroy>(offset, memory),
            _ => check_structure::<uapi::pidspace_hooks>(offset, memory),
        }
    }
    Input::Array {
        address,
        count,
        entry_size,
        known,
        room,
    } => check_array(address, count, entry_size, known, room),
});
