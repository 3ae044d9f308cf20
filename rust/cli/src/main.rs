// SPDX-License-Identifier: GPL-2.0

//! pidspace(8): makes, fills, lists, watches, signals and removes pid spaces.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::expect_used, clippy::panic, clippy::unwrap_used)
)]

mod adoption;
mod cmd;
mod error;
mod launch;
mod output;
mod pidfd;
mod processes;
mod signal;
mod target;
mod task;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;
use pidspace_client::sys::Device;

use cmd::{Command, Io};
use error::Error;

/// Flat pid spaces: number, find and signal process trees on an unmodified kernel
#[derive(Debug, Parser)]
#[command(name = "pidspace", version, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
A SPACE is written NAME, or @ID for the space with that id.  SPACE:NR is the process with the
local number NR in it, and SPACE:NR@GEN the same, but no later one that gets the number again.

Exit status:
  0  all went well
  1  an error, said on standard error
  2  wrong usage
  3  the loaded module does not support it
  run and exec end with the status of the command, 128+N when signal N ended it, 125 when pidspace
  itself failed (wrong usage included), 126 when the command cannot be executed, and 127 when it
  is not found.  wait for a process ends with the status of that, and with 124 when the time is up.

Example:
  pidspace run --name web -- make
  pidspace run --scope -- make test
  pidspace adopt web --create --tree 1234
  pidspace ps web
  pidspace kill web:2";

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => execute(&cli.command),
        Err(error) => explain(&error),
    }
}

/// Runs a command and says what went wrong.
fn execute(command: &Command) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut err = io::stderr().lock();
    let mut io = Io {
        out: &mut out,
        err: &mut err,
    };
    let device = Device::default();
    let result = cmd::run(command, &device, &mut io)
        .and_then(|status| io.out.flush().map(|()| status).map_err(Into::into));
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            complain(&error, io.err);
            ExitCode::from(match command.launches() {
                true => error.launch_status(),
                false => error.status(),
            })
        }
    }
}

/// Says what went wrong, unless it is that nobody listens.
fn complain(error: &Error, err: &mut dyn Write) {
    if !error.is_broken_pipe() {
        // Nobody is left to tell when even this cannot be written.
        let _ = writeln!(err, "pidspace: {error}");
    }
}

/// Prints help where it was asked for, and otherwise what is wrong with the arguments.
fn explain(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    let mut err = io::stderr();
    if !error.use_stderr() {
        let written = io::stdout().write_all(text.as_bytes()).map_err(Error::from);
        return match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error, &mut err);
                ExitCode::from(error.status())
            }
        };
    }
    // Nobody is left to tell when even this cannot be written.
    let _ = match text.strip_prefix("error: ") {
        Some(text) => write!(err, "pidspace: {text}"),
        None => write!(err, "{text}"),
    };
    let launches = std::env::args_os()
        .nth(1)
        .is_some_and(|command| command == "run" || command == "exec");
    ExitCode::from(if launches {
        error::LAUNCH
    } else {
        error::USAGE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_well_defined() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example")),
                "{command}"
            );
        }
    }

    #[test]
    fn a_command_starts_with_or_without_dashes() {
        for line in [
            "pidspace run --name web -- sh -c x",
            "pidspace run --name web sh -c x",
        ] {
            let Command::Run(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
                panic!("{line} is a run");
            };
            assert_eq!(args.command, ["sh", "-c", "x"]);
        }
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for line in [
            "pidspace",
            "pidspace run",
            "pidspace run --name -x -- true",
            "pidspace run --pid-max 300 -- true",
            "pidspace run --json -- true",
            "pidspace exec web",
            "pidspace kill web:x",
            "pidspace kill web -s NOPE",
            "pidspace pid web",
            "pidspace ls -o NOPE",
            "pidspace run --kill-on-exit --detach -- true",
            "pidspace create",
            "pidspace create @7",
            "pidspace adopt web",
            "pidspace adopt web 0",
            "pidspace adopt web 12 --session 12",
            "pidspace adopt web --session 12 --tree",
            "pidspace adopt web 12 --scope",
            "pidspace kill web:1@x",
            "pidspace kill web:-1@5",
            "pidspace wait web --timeout x",
            "pidspace wait web:-1",
            "pidspace events web --ring 0",
            "pidspace events web --ring 65537",
            "pidspace set web",
            "pidspace set web --init --no-init",
            "pidspace set web --pid-max 300",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert!(error.use_stderr(), "{line}");
        }
    }
}
