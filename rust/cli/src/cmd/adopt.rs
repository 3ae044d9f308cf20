// SPDX-License-Identifier: GPL-2.0

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use pidspace_client::sys::{Handle, Sys};
use pidspace_client::{
    Errno, Error as ClientError, GlobalNr, Options, Pidspace, Result as ClientResult, Space,
    SpaceRef,
};
use serde::Serialize;

use super::Io;
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

Example:
  pidspace adopt web --create --tree 1234
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
mod tests {
    use std::process::{Child, Command};

    use pidspace_client::testing::Fake;
    use pidspace_client::Call;
    use serde_json::json;

    use super::*;
    use crate::cmd::testing::pidspace;
    use crate::processes::tests::Cgroup;

    /// A process that goes with its guard.
    struct Sleeper(Child);

    impl Sleeper {
        fn start() -> Self {
            Self(Command::new("sleep").arg("100").spawn().unwrap())
        }

        fn id(&self) -> u32 {
            self.0.id()
        }

        /// Ends the process, and leaves it as a zombie.
        fn end(&mut self) {
            self.0.kill().unwrap();
            let nr = GlobalNr::new(self.id()).unwrap();
            let pidfd = crate::pidfd::open(nr).unwrap().unwrap();
            while !crate::pidfd::has_ended(&pidfd) {}
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            self.0.wait().unwrap();
        }
    }

    #[test]
    fn processes_are_adopted_by_number() {
        let fake = Fake::default();
        fake.add_space("web");
        let (one, two) = (Sleeper::start(), Sleeper::start());
        let adopt = pidspace(&fake, &format!("adopt web {} {}", one.id(), two.id()));
        assert_eq!(adopt.status.unwrap(), 0);
        assert_eq!(adopt.out, "web: 2 processes adopted, 2 numbers\n");
        let tree = Sleeper::start();
        let adopt = pidspace(&fake, &format!("adopt @1 --tree {}", tree.id()));
        assert_eq!(adopt.out, "@1: 1 process adopted, 1 number\n");
        let all = [(one.id(), false), (two.id(), false), (tree.id(), true)];
        assert_eq!(fake.adoptions(), all);
    }

    #[test]
    fn a_single_failure_is_the_error() {
        let fake = Fake::default();
        fake.add_space("web");
        let mut one = Sleeper::start();
        let line = format!("adopt web {}", one.id());
        assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);
        let error = pidspace(&fake, &line).error();
        let said = format!("{} global: cannot adopt the process: it or a", one.id());
        assert!(
            error.starts_with(&said) && error.ends_with("(EBUSY)"),
            "{error}"
        );
        one.end();
        one.0.wait().unwrap();
        let error = pidspace(&fake, &line).error();
        assert!(
            error.ends_with("there is no such process (ESRCH)"),
            "{error}"
        );
    }

    #[test]
    fn of_several_it_is_said_which_were_adopted() {
        let fake = Fake::default();
        fake.add_space("web");
        let (one, two) = (Sleeper::start(), Sleeper::start());
        fake.refuse(one.id());
        let line = format!("adopt web {} {}", one.id(), two.id());
        let adopt = pidspace(&fake, &line);
        assert_eq!(adopt.status.unwrap(), 1);
        let said = format!("web: 1 process adopted, 1 number: {}\n", two.id());
        assert_eq!(adopt.out, said);
        let said = format!(
            "pidspace: {} global: cannot adopt the process: no perm",
            one.id()
        );
        assert!(adopt.err.starts_with(&said), "{}", adopt.err);

        let three = Sleeper::start();
        let line = format!("adopt web --json {} {}", one.id(), three.id());
        let json = pidspace(&fake, &line).json();
        assert_eq!(json["adopted"], json!([three.id()]));
        assert_eq!(
            (&json["processes"], &json["numbers"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(json["failed"][0]["global"], json!(one.id()));
    }

    #[test]
    fn a_space_is_made_on_request_and_not_for_nobody() {
        let fake = Fake::default();
        let listed = || pidspace(&fake, "ls -n -o name,numbers").out;
        let one = Sleeper::start();
        let error = pidspace(&fake, &format!("adopt web {}", one.id())).error();
        assert!(error.contains("there is no such space"), "{error}");
        let error = pidspace(&fake, &format!("adopt @9 --create {}", one.id())).error();
        assert!(error.contains("there is no such space"), "{error}");
        fake.refuse(one.id());
        let line = format!("adopt web --create {}", one.id());
        let refused = pidspace(&fake, &line);
        assert!(refused.status.is_err());
        assert_eq!((refused.err, listed()), Default::default());
        let two = Sleeper::start();
        for process in [&two, &Sleeper::start()] {
            let line = format!("adopt web --create {}", process.id());
            assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);
        }
        assert_eq!(listed(), "web 2\n");
    }

    #[test]
    fn a_cgroup_is_adopted_but_for_this_process_and_what_has_ended() {
        let fake = Fake::default();
        fake.add_space("web");
        let (one, two, mut zombie) = (Sleeper::start(), Sleeper::start(), Sleeper::start());
        zombie.end();
        let own = std::process::id();
        let cgroup = Cgroup::new("adopt", &[own, one.id(), two.id(), zombie.id()]);
        let line = format!("adopt web --cgroup {}", cgroup.0.display());
        let adopt = pidspace(&fake, &line);
        assert_eq!((adopt.status.unwrap(), adopt.err.as_str()), (0, ""));
        assert_eq!(adopt.out, "web: 2 processes adopted, 2 numbers\n");
        let adopt = pidspace(&fake, &line);
        assert_eq!(adopt.status.unwrap(), 0);
        assert_eq!(adopt.out, "web: 0 processes adopted, 0 numbers\n");

        let three = Sleeper::start();
        fake.refuse(three.id());
        let cgroup = Cgroup::new("refused", &[one.id(), three.id()]);
        let adopt = pidspace(&fake, &format!("adopt web --cgroup {}", cgroup.0.display()));
        assert_eq!(adopt.status.unwrap(), 1);
        let said = format!("pidspace: {} global: cannot adopt", three.id());
        assert!(adopt.err.starts_with(&said), "{}", adopt.err);
        assert_eq!(adopt.err.lines().count(), 1);
    }

    #[test]
    fn a_session_is_adopted_and_nobody_is_an_error() {
        let fake = Fake::default();
        let mut command = Command::new("sleep");
        pidspace_client::sys::in_own_session(command.arg("100"));
        let mut leader = Sleeper(command.spawn().unwrap());
        let line = format!("adopt web --create --session {}", leader.id());
        assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);
        assert_eq!(fake.adoptions(), [(leader.id(), false)]);
        leader.end();
        let line = format!("adopt web2 --create --session {}", leader.id());
        let error = pidspace(&fake, &line).error();
        assert_eq!(
            error,
            format!("there is no process in session {}", leader.id())
        );
        assert_eq!(pidspace(&fake, "ls -n -o name").out, "web\n");
    }

    #[test]
    fn a_space_that_goes_ends_it() {
        let fake = Fake::default();
        fake.add_space("web");
        fake.fail(Call::Adopt, Errno::ESTALE);
        let (one, two) = (Sleeper::start(), Sleeper::start());
        let cgroup = Cgroup::new("gone", &[one.id(), two.id()]);
        let adopt = pidspace(&fake, &format!("adopt web --cgroup {}", cgroup.0.display()));
        assert!(adopt.error().contains("the space has been removed"));
        assert_eq!(adopt.err, "");
    }
}
