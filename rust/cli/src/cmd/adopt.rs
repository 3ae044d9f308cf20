// SPDX-License-Identifier: GPL-2.0

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use pidspace_client::sys::{Handle, Sys};
use pidspace_client::{
    Errno, Error as ClientError, GlobalNr, Mode, Options, Pidspace, Result as ClientResult, Space,
    SpaceRef,
};
use serde::Serialize;

use super::{rules, Io};
use crate::adoption::{adopt_all, adopt_each, Tally};
use crate::error::{Error, FAILED};
use crate::output::print_json;
use crate::processes::Source;
use crate::target;

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("which").required(true),
    override_usage = "\
pidspace adopt [--tree] [OPTIONS] <SPACE> <PID>...
       pidspace adopt [OPTIONS] <SPACE> --cgroup <PATH>|--session <SID>|--systemd <UNIT>",
    after_help = "\
Adopted processes go on as they are and keep the numbers that they know; what they fork from then on
is born in the space.  Each PID is adopted or not as a whole, with --tree with all its descendants.

Cgroups, sessions and units are read again until nobody is found outside any more; what is in the
space already or ends meanwhile is fine, and pidspace itself stays outside.  What could not be
adopted is said on standard error, and the exit status is 1.

In a space in mode SCOPE, all that is adopted without CAP_SYS_ADMIN must have no_new_privs.

Example:
  pidspace adopt web --create --tree 1234
  pidspace adopt web --create --scope --tree 1234
  pidspace adopt web 1234 1235
  pidspace adopt web --systemd nginx.service
  pidspace adopt web --cgroup /sys/fs/cgroup/user.slice/user-1000.slice"
)]
pub(crate) struct Args {
    /// The space, NAME or @ID
    space: SpaceRef,
    /// The processes, by global number
    #[arg(value_name = "PID", group = "which", value_parser = target::global)]
    pids: Vec<GlobalNr>,
    /// Adopt all descendants of each PID too
    #[arg(short, long, conflicts_with_all = ["cgroup", "session", "systemd"])]
    tree: bool,
    /// Adopt the processes of a cgroup and those below it, by its directory
    #[arg(long, value_name = "PATH", group = "which")]
    cgroup: Option<PathBuf>,
    /// Adopt the processes of a session
    #[arg(long, value_name = "SID", group = "which", value_parser = target::global)]
    session: Option<GlobalNr>,
    /// Adopt the processes of a unit of systemd
    #[arg(long, value_name = "UNIT", group = "which")]
    systemd: Option<OsString>,
    /// Make the space if there is none of that name
    #[arg(long)]
    create: bool,
    /// Make it in mode SCOPE, and take nobody into a space that is not
    #[arg(long, requires = "create")]
    scope: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Where the processes are listed, unless they are named one by one.
    fn source(&self) -> Result<Option<Source>, Error> {
        if let Some(unit) = &self.systemd {
            return Source::unit(OsStr::new("systemctl"), unit).map(Some);
        }
        let cgroup = self.cgroup.clone().map(Source::Cgroup);
        Ok(cgroup.or(self.session.map(Source::Session)))
    }
}

#[derive(Debug, Serialize)]
struct Report {
    space: String,
    id: u64,
    processes: u64,
    numbers: u64,
    adopted: Vec<u32>,
    failed: Vec<Failure>,
}

#[derive(Debug, Serialize)]
struct Failure {
    global: u32,
    error: String,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let pidspace = Pidspace::with(sys)?;
    let source = args.source()?;
    let (space, made) = open(&pidspace, args).map_err(Error::about(&args.space))?;
    if args.scope && !made {
        check_scope(&space, &args.space)?;
    }
    let done = match &source {
        Some(source) => adopt_all(&space, source),
        None => Ok(adopt_each(&space, &args.pids, args.tree)),
    };
    if made && !done.as_ref().is_ok_and(|tally| tally.processes > 0) {
        undo(&space, &args.space, io);
    }
    report(args, &space, done?, io)
}

/// Opens the space, or makes it, and returns whether it was made.
fn open<S: Sys>(pidspace: &Pidspace<S>, args: &Args) -> ClientResult<(Space<S::Handle>, bool)> {
    let open = || pidspace.open(&args.space).map(|space| (space, false));
    let missing = |error: &ClientError| error.errno() == Some(Errno::ENOENT);
    match (open(), &args.space) {
        (Err(error), SpaceRef::Name(name)) if args.create && missing(&error) => {
            let made = pidspace.create(&Options {
                name: Some(name.clone()),
                mode: rules::mode(args.scope),
                ..Options::default()
            });
            match made {
                // Somebody else was faster.
                Err(error) if error.errno() == Some(Errno::EEXIST) => open(),
                made => made.map(|space| (space, true)),
            }
        }
        (opened, _) => opened,
    }
}

/// Makes sure that a space that was there already confines its members.
fn check_scope<H: Handle>(space: &Space<H>, name: &SpaceRef) -> Result<(), Error> {
    let info = space.info().map_err(Error::about(name))?;
    match info.mode {
        Mode::Track => Err(Error::Unconfined(name.clone())),
        _ => Ok(()),
    }
}

/// Removes the space that was made for nobody, unless somebody else uses it by now.
fn undo<H: Handle>(space: &Space<H>, name: &SpaceRef, io: &mut Io<'_>) {
    if let Err(error) = space.destroy(false) {
        io.complain(&Error::about(name)(error));
    }
}

/// Prints what was adopted and says what was not.
fn report<H: Handle>(
    args: &Args,
    space: &Space<H>,
    mut tally: Tally,
    io: &mut Io<'_>,
) -> Result<u8, Error> {
    if let ([pid], false) = (&args.pids[..], args.json) {
        if let Some(error) = tally.failed.remove(pid) {
            return Err(error);
        }
    }
    for error in tally.failed.values() {
        io.complain(error);
    }
    if args.json {
        print_json(&json(args, space, &tally), io.out)?;
    } else {
        writeln!(io.out, "{}", sentence(args, &tally))?;
    }
    Ok(if tally.failed.is_empty() { 0 } else { FAILED })
}

fn json<H: Handle>(args: &Args, space: &Space<H>, tally: &Tally) -> Report {
    Report {
        space: args.space.to_string(),
        id: space.id().get(),
        processes: tally.processes,
        numbers: tally.numbers,
        adopted: tally.adopted.iter().map(|nr| nr.get()).collect(),
        failed: tally
            .failed
            .iter()
            .map(|(nr, error)| Failure {
                global: nr.get(),
                error: error.to_string(),
            })
            .collect(),
    }
}

/// The counts, and which of the PIDs were adopted where not all were.
fn sentence(args: &Args, tally: &Tally) -> String {
    let counted = |count, one, more| format!("{count} {}", if count == 1 { one } else { more });
    let processes = counted(tally.processes, "process", "processes");
    let numbers = counted(tally.numbers, "number", "numbers");
    let counts = format!("{processes} adopted, {numbers}");
    let some = !tally.failed.is_empty() && !tally.adopted.is_empty();
    if args.pids.is_empty() || !some {
        return format!("{}: {counts}", args.space);
    }
    let adopted: Vec<_> = tally.adopted.iter().map(ToString::to_string).collect();
    format!("{}: {counts}: {}", args.space, adopted.join(" "))
}

#[cfg(test)]
mod tests;
