// SPDX-License-Identifier: GPL-2.0

//! The pure part of pidspace: numbers, the life of a space and what it reports, as values.
//!
//! Nothing here knows the kernel, allocates by itself, locks or needs `unsafe`: the owner of a
//! value serialises access to it and lends the memory through [`Store`]. The kernel module sees
//! this crate as a module of its own, so paths inside are relative (`super::`).

#![cfg_attr(not(kernel), no_std)]
#![cfg_attr(kernel, allow(unreachable_pub))]
#![forbid(unsafe_code)]

#[cfg(all(test, not(kernel)))]
extern crate std;

mod bitmap;
mod cputime;
mod error;
mod lifecycle;
mod mode;
mod nr;
mod pidmap;
mod ring;

pub use self::{
    cputime::CpuTime,
    error::Error,
    lifecycle::{Fate, Lifecycle, State},
    mode::Mode,
    nr::{Nr, PidMax},
    pidmap::{PidMap, Store},
    ring::{Item, Ring},
};
