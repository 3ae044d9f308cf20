// SPDX-License-Identifier: GPL-2.0

//! Putting the hooks of mode SCOPE in force, all that are required or none.
//!
//! They stay in force until the module is unloaded: taking them off takes long, and what is not
//! confined pays a few loads for each.

use super::{
    ftrace::{
        Family,
        FtraceHook, //
    },
    scope::FAMILIES,
    symbol::Symbol,
};
use core::ptr;
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};

kernel::sync::global_lock! {
    // SAFETY: `Disarm::new()` is called before anything that uses it.
    unsafe(uninit) static ROWS: Mutex<KVec<Row>> = KVec::new();
}

/// Whether they are in force. Written under [`ROWS`].
static ARMED: Atomic<bool> = Atomic::new(false);

/// What became of a hook when it was last tried.
struct Row {
    symbol: &'static Symbol,
    outcome: Result<Option<Pin<KBox<FtraceHook>>>>,
}

/// How a hook stands.
#[derive(Clone, Copy)]
pub(super) enum State {
    Off,
    Armed,
    Failed(Error),
}

/// Takes the hooks off when it is dropped.
pub(super) struct Disarm(());

impl Disarm {
    /// Makes this file usable.
    ///
    /// # Safety
    ///
    /// Must be called once, before any other function of this file.
    pub(super) unsafe fn new() -> Self {
        // SAFETY: The caller promises it.
        unsafe { ROWS.init() };
        Self(())
    }
}

impl Drop for Disarm {
    fn drop(&mut self) {
        ARMED.store(false, Relaxed);
        let rows = core::mem::take(&mut *ROWS.lock());
        drop(rows);
    }
}

/// Puts the hooks in force unless they are.
///
/// # Errors
///
/// Those of the first required hook that fails, and `ENOMEM` and `EAGAIN` of any: the kernel log names
/// the hook, and none is in force then.
///
/// # Context
///
/// Process context. Sleeps, for long. The lock is never taken with another one of the module held
/// but that of a handle.
pub(crate) fn arm() -> Result {
    let mut rows = ROWS.lock();
    if is_armed() {
        return Ok(());
    }
    let mut tried = KVec::new();
    let result = try_all(&mut tried);
    if result.is_err() {
        disarm(&mut tried);
    }
    report_new(&tried, &rows, result.is_ok());
    *rows = tried;
    ARMED.store(result.is_ok(), Release);
    result
}

/// Returns whether the hooks are in force.
pub(super) fn is_armed() -> bool {
    ARMED.load(Acquire)
}

/// Returns how the hook on `symbol` stands.
///
/// # Context
///
/// Process context. Sleeps.
pub(super) fn state(symbol: &Symbol) -> State {
    find(&ROWS.lock(), symbol).map_or(State::Off, |row| match &row.outcome {
        Ok(Some(_)) => State::Armed,
        Ok(None) => State::Off,
        Err(error) => State::Failed(*error),
    })
}

fn find<'a>(rows: &'a [Row], symbol: &Symbol) -> Option<&'a Row> {
    rows.iter().find(|row| ptr::eq(row.symbol, symbol))
}

fn try_all(tried: &mut KVec<Row>) -> Result {
    for family in FAMILIES {
        for symbol in family.symbols {
            try_one(family, symbol, tried)?;
        }
    }
    Ok(())
}

fn try_one(family: &'static Family, symbol: &'static Symbol, tried: &mut KVec<Row>) -> Result {
    // Room first: a hook that cannot be noted would be taken off again.
    tried.reserve(1, GFP_KERNEL)?;
    let outcome = FtraceHook::register(family, symbol);
    let error = outcome.as_ref().err().copied();
    let outcome = outcome.map(Some);
    tried.push(Row { symbol, outcome }, GFP_KERNEL)?;
    match error {
        Some(error) if symbol.required || is_passing(error) => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether `error` says nothing about the function. A hook that may be missing would else be
/// so until the module is unloaded, for a moment without memory.
fn is_passing(error: Error) -> bool {
    error == ENOMEM || error == EAGAIN
}

/// Takes off what is in force, and keeps what failed.
fn disarm(rows: &mut KVec<Row>) {
    for row in rows.iter_mut() {
        if row.outcome.is_ok() {
            row.outcome = Ok(None);
        }
    }
}

/// Tells the log what fails, but not again what has failed before: any user can try this.
fn report_new(tried: &[Row], before: &[Row], armed: bool) {
    let consequence = if armed {
        "mode SCOPE works without it"
    } else {
        "there is no mode SCOPE"
    };
    for row in tried {
        let Err(error) = row.outcome else {
            continue;
        };
        let known = find(before, row.symbol).and_then(|row| row.outcome.as_ref().err());
        if known != Some(&error) {
            row.symbol.report(error, consequence);
        }
    }
}
