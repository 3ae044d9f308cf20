// SPDX-License-Identifier: GPL-2.0

use pidspace_client::sys::{Handle, Sys};
use pidspace_client::{Errno, Error as ClientError, LocalNr, Pidspace, Signalled, Space};
use serde::Serialize;

use super::Io;
use crate::error::{Error, FAILED};
use crate::output::print_json;
use crate::signal::Signal;
use crate::target::Target;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
NR is a local number with the meanings of kill(2): above 0 a process, -PG a process group, -1 every
process, 0 the caller's own process group.  With @GEN, a process or group that has got the number
since is not signalled.

Without NR the signal goes to each process of the space exactly once, and forks cannot outrun it;
then the default is KILL, and otherwise it is TERM.  Printed is how many processes got the signal,
and how many refused it because the caller may not signal them; then the exit status is 1.

Example:
  pidspace kill web:2
  pidspace kill web:17@4711
  pidspace kill web:-7 -s HUP
  pidspace kill web -s USR1")]
pub(crate) struct Args {
    /// What to signal: SPACE, SPACE:NR, SPACE:-PG, and either with @GEN
    #[arg(value_name = "SPACE[:NR[@GEN]]")]
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
    let Target {
        space: name, nr, ..
    } = &args.target;
    let space = Pidspace::with(sys)?
        .open(name)
        .map_err(Error::about(name))?;
    let what = nr.map_or(name.to_string(), |nr| format!("{name}:{nr} local"));
    let signal = args.signal.unwrap_or(match nr {
        None => Signal::KILL,
        Some(_) => Signal::TERM,
    });
    let done = send(&space, &args.target, signal);
    let Signalled { signalled, refused } = done.map_err(|error| {
        recycled(&space, &args.target, &error).unwrap_or_else(|| Error::about(&what)(error))
    })?;
    if args.json {
        let report = Report {
            space: name.to_string(),
            local_nr: *nr,
            signal: signal.number(),
            signalled,
            refused,
        };
        print_json(&report, io.out)?;
    } else {
        let counts = format!("{signalled} signalled, {refused} refused");
        writeln!(io.out, "{signal} to {what}: {counts}")?;
    }
    if refused == 0 {
        return Ok(0);
    }
    io.complain(&format_args!(
        "{what}: no permission to signal {refused} of {} processes",
        signalled.saturating_add(refused)
    ));
    Ok(FAILED)
}

fn send<H: Handle>(
    space: &Space<H>,
    target: &Target,
    signal: Signal,
) -> Result<Signalled, ClientError> {
    match target.nr {
        None => space.kill_all(signal.number()),
        Some(nr) => space.kill_exactly(nr, target.generation.unwrap_or_default(), signal.number()),
    }
}

/// Tells a number that is another one's by now from one that nobody has.
fn recycled<H: Handle>(space: &Space<H>, target: &Target, error: &ClientError) -> Option<Error> {
    let generation = target.generation?;
    let nr = LocalNr::new(target.nr?.unsigned_abs())?;
    if error.errno() != Some(Errno::ESRCH) {
        return None;
    }
    let found = space.to_global(nr).ok()?;
    (found.generation != generation).then(|| Error::Recycled {
        space: target.space.clone(),
        nr,
    })
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
        for (line, said) in [
            ("kill web:1", "SIGTERM to web:1 local: 1"),
            ("kill web:-2 -s hup", "SIGHUP to web:-2 local: 1"),
            ("kill web:-1 -s 0", "signal 0 to web:-1 local: 2"),
            ("kill web", "SIGKILL to web: 2"),
        ] {
            let kill = pidspace(&fake, line);
            assert_eq!(kill.status.unwrap(), 0, "{line}");
            assert_eq!(kill.out, format!("{said} signalled, 0 refused\n"));
            assert_eq!(kill.err, "", "{line}");
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
            "pidspace: web: no permission to signal 1 of 3 processes\n"
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
        let error = pidspace(&web(), "kill web:9@5").error();
        assert!(error.contains("no such member"), "{error}");
        let error = pidspace(&Fake::default(), "kill web").error();
        assert!(error.contains("no such space"), "{error}");
    }

    #[test]
    fn a_later_process_with_the_number_is_spared() {
        let fake = web();
        for line in ["kill web:2@1", "kill web:-2@1"] {
            let kill = pidspace(&fake, line);
            assert_eq!(kill.error(), "number 2 of 'web' is another process by now");
        }
        assert_eq!(fake.signals(), []);
        assert_eq!(pidspace(&fake, "kill web:2@2").status.unwrap(), 0);
        assert_eq!(fake.signals(), [(2, 15)]);
    }

    #[test]
    fn nobody_is_an_error_too() {
        let fake = Fake::default();
        fake.add_space("web");
        let error = pidspace(&fake, "kill web").error();
        assert!(
            error.starts_with("web: cannot send the signal: there is no process in it"),
            "{error}"
        );
    }
}
