// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note

//! The user space API of `/dev/pidspace`, as Rust sees it.
//!
//! Everything comes from `include/uapi/linux/pidspace.h`, which documents it; `make bindings`
//! generates it anew.

#![cfg_attr(not(kernel), no_std)]
#![allow(
    missing_docs,
    non_camel_case_types,
    unreachable_pub,
    dead_code,
    clippy::undocumented_unsafe_blocks
)]

include!("bindings.rs");
