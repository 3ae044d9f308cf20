// SPDX-License-Identifier: GPL-2.0

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::Child;
use std::time::Duration;

use pidspace_client::sys::{in_own_session, Handle, Sys};
use pidspace_client::{Binding, Errno, GlobalNr, Name, Pidspace, Space, SpaceRef};

use super::rules::Rules;
use super::translation::Translation;
use super::Io;
use crate::error::Error;
use crate::launch::{self, Session, Watch};
use crate::output::print_json;
use crate::signal::Signal;

/// How long what was killed may take to be gone, before the exit status is worth more.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The command leads a session of its own and has no controlling terminal: a shell in it runs without
job control.  Signals sent to pidspace, those of the terminal included, are passed on, and it ends
with the status of the command.  A named space stays until it is removed; an unnamed one stays while
numbers in it are in use.  With --kill-on-exit nothing in the space outlives pidspace, be that
killed itself.

With --scope, what takes a pid finds only members: kill, ptrace, /proc and the like.  A command that
is started so without CAP_SYS_ADMIN gets no_new_privs, which is said on standard error: set-uid
programs gain nothing in it.

Example:
  pidspace run -- make
  pidspace run --name web --pid-max 1000 -- sh -c 'server & wait'
  pidspace run --kill-on-exit --max-members 200 -- make test
  pidspace run --scope -- sh -c 'kill -TERM -1'
  pidspace run --name web --detach -- server")]
pub(crate) struct Args {
    /// Name the space
    #[arg(long)]
    name: Option<Name>,
    #[command(flatten)]
    rules: Rules,
    /// Kill what is left in the space when CMD ends, and everything if pidspace itself is killed
    #[arg(long, conflicts_with = "detach")]
    kill_on_exit: bool,
    /// Do not wait: print the space and both numbers of the command
    ///
    /// The command gets /dev/null for each of its standard streams that is not redirected to or
    /// from a regular file.
    #[arg(long)]
    detach: bool,
    /// Print JSON
    #[arg(long, requires = "detach")]
    json: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let pidspace = Pidspace::with(sys)?;
    let binding = Binding {
        kill_on_close: args.kill_on_exit,
        ..Binding::default()
    };
    let options = args.rules.options(args.name.clone(), binding);
    let space = pidspace
        .create(&options)
        .map_err(|error| match &args.name {
            Some(name) => Error::about(name)(error),
            None => error.into(),
        })?;
    let name = args
        .name
        .clone()
        .map_or(SpaceRef::Id(space.id()), SpaceRef::Name);
    let started = start(args, &space, &name, io);
    let (mut child, watch) = started.inspect_err(|_| undo(&space, &name, io))?;
    let Some(watch) = watch else {
        introduce(&space, name, &child, args.json, io)?;
        return Ok(0);
    };
    let status = watch.wait(&mut child)?;
    if args.kill_on_exit {
        kill_rest(&space, &name, io);
    }
    if args.kill_on_exit || args.rules.init {
        // Without it the space would be said to be in use.
        let _ = space.wait(Some(GRACE));
    }
    if args.name.is_none() {
        mention_rest(&space, &name, io);
    }
    Ok(status)
}

/// Starts the command, and begins to watch it unless it is to be detached.
fn start<H: Handle>(
    args: &Args,
    space: &Space<H>,
    name: &SpaceRef,
    io: &mut Io<'_>,
) -> Result<(Child, Option<Watch>), Error> {
    let mut command = launch::command(&args.command);
    in_own_session(&mut command);
    let watch = if args.detach {
        launch::detach_streams(&mut command);
        None
    } else {
        let watch = Watch::begin(Session::Own)?;
        watch.leave_signals_to(&mut command);
        Some(watch)
    };
    Ok((launch::start(space, name, &mut command, io)?, watch))
}

/// Removes the space again, unless somebody else has started something in it meanwhile.
fn undo<H: Handle>(space: &Space<H>, name: &SpaceRef, io: &mut Io<'_>) {
    match space.destroy(false) {
        Ok(()) => {}
        // The policy INIT has ended it with the process that could not run the command.
        Err(error) if error.errno() == Some(Errno::ESTALE) => {}
        Err(error) => io.complain(&Error::about(name)(error)),
    }
}

/// Prints the space and both numbers of the command.
fn introduce<H: Handle>(
    space: &Space<H>,
    name: SpaceRef,
    child: &Child,
    json: bool,
    io: &mut Io<'_>,
) -> Result<(), Error> {
    // A child that has ended keeps its number until it is reaped, which pidspace does not do.
    let global = GlobalNr::new(child.id()).ok_or(Error::Fork(ErrorKind::InvalidData.into()))?;
    let found = space.to_local(global).map_err(Error::about(&name))?;
    let translation = Translation {
        space: name,
        id: found.space,
        local: found.nr,
        global,
        generation: found.generation,
    };
    if json {
        print_json(&translation.labelled(), io.out)?;
    } else {
        let (local, global) = (translation.local(), translation.global());
        writeln!(io.out, "{local} = {global}")?;
    }
    Ok(())
}

/// Kills what the command has left.
fn kill_rest<H: Handle>(space: &Space<H>, name: &SpaceRef, io: &mut Io<'_>) {
    match space.kill_all(Signal::KILL.number()) {
        Ok(sent) if sent.refused == 0 => {}
        Ok(sent) => io.complain(&format_args!(
            "{name}: no permission to kill {} of the processes left in the space",
            sent.refused
        )),
        // Nothing was left, and with the policy INIT the space goes with that.
        Err(error) if matches!(error.errno(), Some(Errno::ESRCH | Errno::ESTALE)) => {}
        Err(error) => io.complain(&Error::about(name)(error)),
    }
}

/// Says how to reach what the command has left in a space that has no name.
fn mention_rest<H: Handle>(space: &Space<H>, name: &SpaceRef, io: &mut Io<'_>) {
    let numbers = space.info().map_or(0, |info| info.numbers);
    if numbers > 0 {
        io.complain(&format_args!(
            "the unnamed space {name} is still in use (numbers: {numbers}), \
             'pidspace kill {name}' ends what is in it"
        ));
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::SigSet;
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno};
    use serde_json::json;

    use crate::cmd::testing::pidspace;

    fn listed(fake: &Fake) -> String {
        pidspace(fake, "ls -n -o name").out
    }

    #[test]
    fn the_status_is_that_of_the_command() {
        let fake = Fake::default();
        assert_eq!(pidspace(&fake, "run -- true").status.unwrap(), 0);
        assert_eq!(listed(&fake), "");
        assert_eq!(
            pidspace(&fake, "run --name web -- false").status.unwrap(),
            1
        );
        assert_eq!(listed(&fake), "web\n");
    }

    #[test]
    fn the_command_can_be_signalled() {
        let fake = Fake::default();
        let line = "run -- grep -q SigBlk:.0000000000000000 /proc/self/status";
        // Another test may have run in this thread before.
        SigSet::empty().thread_set_mask().unwrap();
        assert_eq!(pidspace(&fake, line).status.unwrap(), 0);
    }

    #[test]
    fn what_cannot_be_started_leaves_nothing_behind() {
        for (line, status) in [
            ("run --name web -- /nonexistent", 127),
            ("run --name web -- /dev/null", 126),
            ("run --name web --detach -- /nonexistent", 127),
        ] {
            let fake = Fake::default();
            let run = pidspace(&fake, line);
            assert_eq!(run.status.unwrap_err().launch_status(), status, "{line}");
            assert_eq!((listed(&fake), run.err), Default::default(), "{line}");
        }
        let fake = Fake::default();
        fake.fail(Call::Spawn, Errno::EAGAIN);
        let run = pidspace(&fake, "run --name web -- true");
        assert_eq!(run.status.unwrap_err().launch_status(), 125);
        assert_eq!(listed(&fake), "");
    }

    #[test]
    fn a_detached_command_is_introduced() {
        let fake = Fake::default();
        let run = pidspace(&fake, "run --name web --detach --json -- true");
        let global = run.json()["global"].clone();
        assert!(global.is_u64());
        let expected = json!({
            "space": "web", "id": 1, "local": 1, "global": global, "generation": 1,
        });
        assert_eq!(run.json(), expected);
        let run = pidspace(&fake, "run --detach -- true");
        assert!(run.out.starts_with("@2:1@1 local = "), "{}", run.out);
        assert!(run.out.ends_with(" global\n"), "{}", run.out);
    }

    #[test]
    fn a_taken_name_is_an_error_and_stays() {
        let fake = Fake::default();
        fake.add_space("web");
        let run = pidspace(&fake, "run --name web -- true");
        assert!(run
            .error()
            .starts_with("web: cannot create the space: the name is taken"));
        assert_eq!(listed(&fake), "web\n");
    }

    #[test]
    fn a_space_is_run_by_its_rules() {
        let fake = Fake::default();
        let line = "run --name web --pid-max 400 --max-members 9 --init --no-reuse -- true";
        assert_eq!(pidspace(&fake, line).status.unwrap(), 0);
        let ls = pidspace(&fake, "ls -n -o pid-max,max-members,policies");
        assert_eq!(ls.out, "400 9 init,no-reuse\n");
    }

    #[test]
    fn a_space_may_confine_what_runs_in_it() {
        let fake = Fake::default();
        let run = pidspace(&fake, "run --name web --scope -- true");
        assert_eq!((run.status.unwrap(), run.err.as_str()), (0, ""));
        assert_eq!(pidspace(&fake, "ls -n -o mode").out, "scope\n");
    }

    #[test]
    fn a_space_that_ends_by_itself_need_not_be_removed() {
        let fake = Fake::default();
        fake.fail(Call::Destroy, Errno::ESTALE);
        let run = pidspace(&fake, "run --init -- /nonexistent");
        assert_eq!(run.status.unwrap_err().launch_status(), 127);
        assert_eq!(run.err, "");
    }

    #[test]
    fn what_is_left_is_killed_on_request() {
        let fake = Fake::default();
        let run = pidspace(&fake, "run --name web --kill-on-exit -- false");
        assert_eq!((run.status.unwrap(), run.err.as_str()), (1, ""));
        // Nothing was left but for the handle to kill when it goes.
        assert_eq!(fake.signals(), [(0, 9)]);
        fake.fail(Call::KillSpace, Errno::ENOMEM);
        let run = pidspace(&fake, "run --kill-on-exit -- true");
        assert_eq!(run.status.unwrap(), 0);
        assert!(run.err.contains("Out of memory"), "{}", run.err);
    }
}
