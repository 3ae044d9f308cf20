// SPDX-License-Identifier: GPL-2.0

use pidspace_client::sys::Sys;
use pidspace_client::{Pidspace, Signalled};
use serde::Serialize;

use super::Io;
use crate::error::{Error, FAILED};
use crate::output::print_json;
use crate::signal::Signal;
use crate::target::Target;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
NR is a local number with the meanings of kill(2): above 0 a process, -PG a process group, -1 every
process, 0 the caller's own process group.  Without NR the signal goes to each process of the space
once; then the default is KILL, which nothing in the space can fork its way out of, and otherwise it
is TERM.  When some processes may not be signalled, that is said and the exit status is 1.

Example:
  pidspace kill web:2
  pidspace kill web:-7 -s HUP
  pidspace kill web")]
pub(crate) struct Args {
    /// What to signal: SPACE, SPACE:NR or SPACE:-PG
    #[arg(value_name = "SPACE[:NR]")]
    target: Target,
    /// The signal, by name or number; 0 only checks
    #[arg(short, long, value_name = "SIG")]
    signal: Option<Signal>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    space: String,
    local_nr: Option<i32>,
    signal: u32,
    signalled: u32,
    refused: u32,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let Target { space: name, nr } = &args.target;
    let space = Pidspace::with(sys)?
        .open(name)
        .map_err(Error::about(name))?;
    let (signal, done) = match *nr {
        None => {
            let signal = args.signal.unwrap_or(Signal::KILL);
            (signal, space.kill_all(signal.number()))
        }
        Some(nr) => {
            let signal = args.signal.unwrap_or(Signal::TERM);
            (signal, space.kill(nr, signal.number()))
        }
    };
    let what = nr.map_or(name.to_string(), |nr| format!("{name}:{nr} local"));
    let Signalled { signalled, refused } = done.map_err(Error::about(&what))?;
    if args.json {
        let report = Report {
            space: name.to_string(),
            local_nr: *nr,
            signal: signal.number(),
            signalled,
            refused,
        };
        print_json(&report, io.out)?;
    }
    if refused == 0 {
        return Ok(0);
    }
    io.complain(&format_args!(
        "{what}: {signal} reached {signalled} of {} processes, no permission to signal the others",
        signalled.saturating_add(refused)
    ));
    Ok(FAILED)
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use serde_json::json;

    use crate::cmd::testing::pidspace;

    fn web() -> Fake {
        let fake = Fake::default();
        let id = fake.add_space("web");
        for nr in 1..=3 {
            fake.add_member(id, 5000 + nr, |_| ());
        }
        fake
    }

    #[test]
    fn one_process_gets_term_and_a_space_gets_kill() {
        let fake = web();
        for line in [
            "kill web:1",
            "kill web:-2 -s hup",
            "kill web:-1 -s 0",
            "kill web",
        ] {
            let kill = pidspace(&fake, line);
            assert_eq!(kill.status.unwrap(), 0, "{line}");
            assert_eq!((kill.out, kill.err), Default::default(), "{line}");
        }
        assert_eq!(fake.signals(), [(1, 15), (-2, 1), (-1, 0), (0, 9)]);
    }

    #[test]
    fn refusals_are_counted() {
        let fake = web();
        fake.refuse(5003);
        let kill = pidspace(&fake, "kill web --json");
        assert_eq!(kill.status.as_ref().unwrap(), &1);
        assert_eq!(
            kill.err,
            "pidspace: web: SIGKILL reached 2 of 3 processes, no permission to signal the others\n"
        );
        let report = json!({
            "space": "web", "local_nr": null, "signal": 9, "signalled": 2, "refused": 1,
        });
        assert_eq!(kill.json(), report);
        let error = pidspace(&fake, "kill web:3").error();
        assert!(
            error.starts_with("web:3 local: cannot send the signal: no permission"),
            "{error}"
        );
    }

    #[test]
    fn a_number_that_is_not_there_is_an_error() {
        let error = pidspace(&web(), "kill web:9").error();
        assert!(error.contains("no such member"), "{error}");
    }
}
