// SPDX-License-Identifier: GPL-2.0

use std::io;

use pidspace_client::sys::{Handle, Sys};
use pidspace_client::{
    Binding, Event, Interest, Pidspace, Result as ClientResult, Space, SpaceRef, EVENTS_MAX,
};

use super::event::{line, Record, HEADINGS};
use super::Io;
use crate::error::Error;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Told is what happens from now on: fork, exec, exit with status and resources, adopt, empty, and
overflow where the stream was full and events are missing.  Times are seconds since boot.

Example:
  pidspace events web
  pidspace events web --follow --json
  pidspace events web --ring 65536 --noheadings")]
pub(crate) struct Args {
    /// The space, NAME or @ID
    space: SpaceRef,
    /// Go on when the space is empty, until it is gone
    #[arg(short, long)]
    follow: bool,
    /// Let so many events pile up before any is lost
    #[arg(long, value_name = "N", default_value = "4096",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(EVENTS_MAX)))]
    ring: u32,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Print no headings
    #[arg(short, long)]
    noheadings: bool,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let about = Error::about(&args.space);
    let binding = Binding {
        events: args.ring,
        ..Binding::default()
    };
    let space = Pidspace::with(sys)?.open_with(&args.space, binding);
    let space = space.map_err(&about)?;
    if !args.json && !args.noheadings {
        writeln!(io.out, "{HEADINGS}")?;
    }
    loop {
        // Whoever reads along is to see all that has happened, before the next wait.
        io.out.flush()?;
        let events = next(&space, args.follow).map_err(&about)?;
        if events.is_empty() {
            return Ok(0);
        }
        for event in &events {
            print(event, args.json, io)?;
        }
    }
}

/// The events that there are; none when it is time to end.
fn next<H: Handle>(space: &Space<H>, follow: bool) -> ClientResult<Vec<Event>> {
    let interest = Interest {
        events: true,
        other: None,
    };
    // An empty space is always ready: who follows has to wait in the read.
    if follow || space.poll(interest, None)?.events {
        space.read_events()
    } else {
        Ok(Vec::new())
    }
}

fn print(event: &Event, json: bool, io: &mut Io<'_>) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *io.out, &Record::of(event))?;
        writeln!(io.out)
    } else {
        writeln!(io.out, "{}", line(event))
    }
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno};
    use serde_json::{json, Value};

    use crate::cmd::testing::pidspace;

    /// A space in which each kind of event has happened.
    fn web() -> Fake {
        let fake = Fake::default();
        let id = fake.add_space("web");
        let add = |type_, nr, parent, status| {
            fake.add_event(id, |event| {
                (event.type_, event.nr, event.parent) = (type_, nr, parent);
                (event.generation, event.status) = (u64::from(nr), status);
                (event.global, event.time) = (5000 + nr, 12_000_345_678);
                if nr != 0 {
                    event.comm[..3].copy_from_slice(b"a\x1bb");
                }
                (event.utime, event.stime, event.max_rss) = (1_500_000_000, 2_000_000, 64);
                event.count = 3;
            });
        };
        for (type_, nr, parent, status) in [
            (1, 2, 1, 0),
            (2, 2, 0, 0),
            (4, 17, 0, 0),
            (3, 2, 0, 7 << 8),
            (3, 17, 0, 11 | 0x80),
            (5, 0, 0, 0),
            (6, 0, 0, 0),
        ] {
            add(type_, nr, parent, status);
        }
        fake
    }

    const TEXT: &str = "            \
            TIME TYPE     LOCAL-NR  PARENT DETAILS
       12.000345 fork            2       1 global 5002, a\\u{1b}b
       12.000345 exec            2       - a\\u{1b}b
       12.000345 adopt          17       - global 5017, a\\u{1b}b
       12.000345 exit            2       - status 7, 1.500 s user, 0.002 s system, 64 kB, a\\u{1b}b
       12.000345 exit           17       - SIGSEGV (core dumped), 1.500 s user, 0.002 s system, \
64 kB, a\\u{1b}b
       12.000345 empty           -       - no number is in use
       12.000345 overflow        -       - 3 events are missing, the stream was full
";

    #[test]
    fn each_event_is_a_line() {
        for line in ["events web", "events @1 --follow"] {
            let events = pidspace(&web(), line);
            assert_eq!(events.status.unwrap(), 0);
            assert_eq!(events.out, TEXT, "{line}");
        }
        let events = pidspace(&web(), "events web -n");
        assert_eq!(
            Some(events.out.as_str()),
            TEXT.split_once('\n').map(|it| it.1)
        );
    }

    #[test]
    fn each_event_is_an_object() {
        let events = pidspace(&web(), "events web --json");
        let lines = events.out.lines();
        let all: Vec<Value> = lines.map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(all.len(), 7);
        let fork = json!({
            "type": "fork", "time_ns": 12_000_345_678_u64, "local_nr": 2, "local_parent": 1,
            "global_nr": 5002, "generation": 2, "comm": "a\u{1b}b", "exit_code": null,
            "signal": null, "core_dumped": null, "user_ns": null, "system_ns": null,
            "max_rss_kb": null, "missing": null,
        });
        assert_eq!(all[0], fork);
        assert_eq!(
            (&all[3]["exit_code"], &all[3]["signal"]),
            (&json!(7), &json!(null))
        );
        assert_eq!(
            (&all[4]["exit_code"], &all[4]["signal"]),
            (&json!(null), &json!("SIGSEGV"))
        );
        assert_eq!(all[4]["core_dumped"], json!(true));
        assert_eq!(
            (&all[4]["user_ns"], &all[4]["max_rss_kb"]),
            (&json!(1_500_000_000), &json!(64))
        );
        assert_eq!(
            (&all[5]["local_nr"], &all[5]["generation"]),
            (&json!(null), &json!(null))
        );
        assert_eq!(
            (&all[6]["type"], &all[6]["missing"]),
            (&json!("overflow"), &json!(3))
        );
    }

    #[test]
    fn interruptions_do_not_matter_and_failures_do() {
        let fake = web();
        fake.interrupt(5);
        assert_eq!(pidspace(&fake, "events web --ring 1").out, TEXT);
        fake.fail(Call::Read, Errno::ENOMEM);
        let error = pidspace(&fake, "events web").error();
        assert_eq!(error, "web: cannot read the events: Out of memory (ENOMEM)");
    }
}
