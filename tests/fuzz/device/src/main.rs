// SPDX-License-Identifier: GPL-2.0

//! Fuzzes `/dev/pidspace`: libFuzzer makes up programs of calls, led by what the kernel's KCOV says
//! they reach in the module.
//!
//! What the kernel reports is found by who looks at its log, where each program stands ahead of what
//! it did. This process finds what the kernel does not know to be wrong: memory written to beside an
//! argument, numbers and spaces that nobody holds any more and that are there still, and anomalies
//! that the module has counted.

#![no_main]

mod alarm;
mod arg;
mod call;
mod children;
mod command;
mod kcov;
mod query;
mod reach;
mod runner;
mod warden;

use arbitrary::{Arbitrary, Unstructured};
use call::Program;
use libfuzzer_sys::{fuzz_target, Corpus};
use std::cell::RefCell;
use warden::Warden;

thread_local! {
    /// libFuzzer calls from one thread, and hands no state around.
    static WARDEN: RefCell<Warden> = RefCell::new(Warden::new());
}

fn program_of(input: &[u8]) -> Option<Program> {
    Program::arbitrary_take_rest(Unstructured::new(input)).ok()
}

fuzz_target!(|input: &[u8]| -> Corpus {
    match program_of(input) {
        Some(program) if !program.calls.is_empty() => {
            WARDEN.with_borrow_mut(|warden| warden.run(input, &program));
            Corpus::Keep
        }
        _ => Corpus::Reject,
    }
});
