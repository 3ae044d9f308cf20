// SPDX-License-Identifier: GPL-2.0

//! An event as a line of text or JSON.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use pidspace_client::{Event, Exit, Kind};
use serde::Serialize;

use crate::output::printable;
use crate::signal::Signal;

/// The headings above the lines of text.
pub(crate) const HEADINGS: &str = "            TIME TYPE     LOCAL-NR  PARENT DETAILS";

/// An event for JSON; what it has no use for is null.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    #[serde(rename = "type")]
    kind: String,
    time_ns: u64,
    local_nr: Option<u32>,
    local_parent: Option<u32>,
    global_nr: Option<u32>,
    generation: Option<u64>,
    comm: Option<&'a str>,
    exit_code: Option<i32>,
    signal: Option<String>,
    core_dumped: Option<bool>,
    user_ns: Option<u64>,
    system_ns: Option<u64>,
    max_rss_kb: Option<u64>,
    missing: Option<u64>,
}

impl<'a> Record<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        let exit = match event.kind {
            Kind::Exit(exit) => Some(exit),
            _ => None,
        };
        let missing = match event.kind {
            Kind::Overflow { count } => Some(count),
            _ => None,
        };
        Self {
            kind: name(event.kind),
            time_ns: nanoseconds(event.time),
            local_nr: event.nr.map(|nr| nr.get()),
            local_parent: event.parent.map(|nr| nr.get()),
            global_nr: event.global.map(|nr| nr.get()),
            generation: event.nr.map(|_| event.generation),
            comm: event.nr.map(|_| event.comm.as_str()),
            exit_code: exit.and_then(|exit| exit.status.code()),
            signal: exit.and_then(|exit| Some(Signal::of_status(exit.status)?.to_string())),
            core_dumped: exit.map(|exit| exit.status.core_dumped()),
            user_ns: exit.map(|exit| nanoseconds(exit.user)),
            system_ns: exit.map(|exit| nanoseconds(exit.system)),
            max_rss_kb: exit.map(|exit| exit.max_rss),
            missing,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// An event as a line of text.
pub(crate) fn line(event: &Event) -> String {
    let (seconds, micros) = (event.time.as_secs(), event.time.subsec_micros());
    let nr = |nr: Option<u32>| nr.map_or("-".to_owned(), |nr| nr.to_string());
    format!(
        "{seconds:>9}.{micros:06} {:8} {:>8} {:>7} {}",
        name(event.kind),
        nr(event.nr.map(|nr| nr.get())),
        nr(event.parent.map(|nr| nr.get())),
        details(event)
    )
}

fn name(kind: Kind) -> String {
    match kind {
        Kind::Fork => "fork".to_owned(),
        Kind::Exec => "exec".to_owned(),
        Kind::Exit(_) => "exit".to_owned(),
        Kind::Adopt => "adopt".to_owned(),
        Kind::Empty => "empty".to_owned(),
        Kind::Overflow { .. } => "overflow".to_owned(),
        other => format!("{other:?}"),
    }
}

fn details(event: &Event) -> String {
    let comm = printable(&event.comm);
    let global = event.global.map(|nr| format!("global {nr}"));
    match event.kind {
        Kind::Exit(exit) => format!("{}, {comm}", end(exit)),
        Kind::Exec => comm,
        Kind::Empty => "no number is in use".to_owned(),
        Kind::Overflow { count } => format!("{count} events are missing, the stream was full"),
        _ => [global, Some(comm)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// How a process ended and what it had used.
fn end(exit: Exit) -> String {
    format!(
        "{}, {:.3} s user, {:.3} s system, {} kB",
        status(exit.status),
        exit.user.as_secs_f64(),
        exit.system.as_secs_f64(),
        exit.max_rss
    )
}

fn status(status: ExitStatus) -> String {
    let core = if status.core_dumped() {
        " (core dumped)"
    } else {
        ""
    };
    match Signal::of_status(status) {
        Some(signal) => format!("{signal}{core}"),
        None => format!("status {}", status.code().unwrap_or_default()),
    }
}
