// SPDX-License-Identifier: GPL-2.0

//! The coverage of the module, as the kernel records it for one task, handed to libFuzzer.

use nix::sys::mman::{mmap, MapFlags, ProtFlags};
use std::fs::{File, OpenOptions};
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicU8, Ordering};

/// How many basic blocks one input may run through: more are not recorded.
const WORDS: usize = 1 << 18;

/// More than the module has basic blocks, a power of two.
const COUNTERS: usize = 1 << 16;

/// libFuzzer looks at what is in this section after each input.
#[link_section = "__libfuzzer_extra_counters"]
static EXTRA_COUNTERS: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

nix::ioctl_write_int_bad!(kcov_enable, nix::request_code_none!(b'c', 100));
nix::ioctl_write_int_bad!(
    kcov_init_trace,
    nix::request_code_read!(b'c', 1, size_of::<u64>())
);

/// The recorder: its first word counts the addresses that follow.
pub(crate) struct Kcov {
    file: File,
    area: NonNull<AtomicU64>,
}

impl Kcov {
    /// Sets the recorder up; [`None`] where the kernel has none.
    pub(crate) fn open() -> Option<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .open("/sys/kernel/debug/kcov")
            .ok()?;
        // SAFETY: The command takes a number.
        unsafe { kcov_init_trace(file.as_raw_fd(), WORDS as i32) }.expect("KCOV_INIT_TRACE");
        let length = NonZeroUsize::new(WORDS * size_of::<u64>())?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: A mapping at a place of the kernel's choice, never unmapped.
        let area = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &file, 0) };
        let area = area.expect("mmap").cast();
        Some(Self { file, area })
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at < WORDS);
        // SAFETY: The area has so many words.
        let word = unsafe { self.area.add(at) };
        // SAFETY: It stays mapped, and the kernel writes whole words.
        unsafe { word.as_ref() }
    }

    /// Records the calling thread from now on.
    pub(crate) fn enable(&self) {
        // SAFETY: The command takes a number: KCOV_TRACE_PC.
        unsafe { kcov_enable(self.file.as_raw_fd(), 0) }.expect("KCOV_ENABLE");
    }

    /// Forgets what was recorded.
    pub(crate) fn reset(&self) {
        self.word(0).store(0, Ordering::Relaxed);
    }

    /// Hands what was recorded to libFuzzer.
    pub(crate) fn collect(&self) {
        let recorded = usize::try_from(self.word(0).load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        for at in 1..=recorded.min(WORDS - 1) {
            let address = self.word(at).load(Ordering::Relaxed);
            let mixed = address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
            let counter = &EXTRA_COUNTERS[mixed as usize];
            let count = counter.load(Ordering::Relaxed);
            counter.store(count.saturating_add(1), Ordering::Relaxed);
        }
    }
}
