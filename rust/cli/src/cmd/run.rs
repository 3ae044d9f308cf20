// SPDX-License-Identifier: GPL-2.0

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::Child;

use pidspace_client::sys::{in_own_session, Handle, Sys};
use pidspace_client::{GlobalNr, Name, Options, Pidspace, Space, SpaceRef};

use super::translation::Translation;
use super::Io;
use crate::error::Error;
use crate::launch::{self, Session, Watch};
use crate::output::print_json;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The command leads a session of its own and has no controlling terminal: a shell in it runs without
job control.  Signals sent to pidspace, those of the terminal included, are passed on, and it ends
with the status of the command.  A named space stays until it is removed; an unnamed one stays while
numbers in it are in use.

Example:
  pidspace run -- make
  pidspace run --name web --pid-max 1000 -- sh -c 'server & wait'
  pidspace run --name web --detach -- server")]
pub(crate) struct Args {
    /// Name the space
    #[arg(long)]
    name: Option<Name>,
    /// Keep local numbers below this, 301 to 4194304 [default: 32768]
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(301..=4_194_304))]
    pid_max: Option<u32>,
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
    let options = Options {
        name: args.name.clone(),
        pid_max: args.pid_max,
    };
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
    let started = start(args, &space, &name).inspect_err(|_| undo(&space, &name, io));
    let (mut child, watch) = started?;
    let Some(watch) = watch else {
        introduce(&space, name, &child, args.json, io)?;
        return Ok(0);
    };
    let status = watch.wait(&mut child)?;
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
) -> Result<(Child, Option<Watch>), Error> {
    let mut command = launch::command(&args.command);
    in_own_session(&mut command);
    let watch = if args.detach {
        launch::detach_streams(&mut command);
        None
    } else {
        Some(Watch::begin(Session::Own)?)
    };
    Ok((launch::start(space, name, &mut command)?, watch))
}

/// Removes the space again, unless somebody else has started something in it meanwhile.
fn undo<H: Handle>(space: &Space<H>, name: &SpaceRef, io: &mut Io<'_>) {
    if let Err(error) = space.destroy(false) {
        io.complain(&Error::about(name)(error));
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
    };
    if json {
        print_json(&translation.labelled(), io.out)?;
    } else {
        let (local, global) = (translation.local(), translation.global());
        writeln!(io.out, "{local} = {global}")?;
    }
    Ok(())
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
        let expected = json!({ "space": "web", "id": 1, "local": 1, "global": global });
        assert_eq!(run.json(), expected);
        let run = pidspace(&fake, "run --detach -- true");
        assert!(run.out.starts_with("@2:1 local = "), "{}", run.out);
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
}
