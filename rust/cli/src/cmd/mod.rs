// SPDX-License-Identifier: GPL-2.0

//! The commands, one file each.

mod adopt;
mod create;
mod doctor;
mod event;
mod events;
mod exec;
mod hook;
mod info;
mod kill;
mod ls;
mod pid;
mod ps;
mod rm;
mod rules;
mod run;
mod set;
mod space;
mod translation;
mod wait;

use std::fmt;
use std::io::Write;

use clap::Subcommand;
use pidspace_client::sys::Sys;

use crate::error::Error;

/// Where a command writes to.
pub(crate) struct Io<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
}

impl Io<'_> {
    /// Says something on standard error.
    pub(crate) fn complain(&mut self, what: &dyn fmt::Display) {
        // Nobody is left to tell when even this cannot be written.
        let _ = writeln!(self.err, "pidspace: {what}");
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a command in a new space, as its number 1
    Run(run::Args),
    /// Run a command in an existing space
    Exec(exec::Args),
    /// Make a space with nothing in it
    Create(create::Args),
    /// Take running processes into a space
    Adopt(adopt::Args),
    /// List the spaces that you may open
    Ls(ls::Args),
    /// List what is in a space
    Ps(ps::Args),
    /// Describe a space
    Info(info::Args),
    /// Translate numbers, local into global and back
    Pid(pid::Args),
    /// Signal a process, a process group or a whole space
    Kill(kill::Args),
    /// Wait until a space is empty, or for a process in it to end
    Wait(wait::Args),
    /// Tell what happens in a space
    Events(events::Args),
    /// Change the limits, policies and mode of a space
    Set(set::Args),
    /// Remove a space
    Rm(rm::Args),
    /// Check whether everything is in order
    Doctor(doctor::Args),
}

impl Command {
    /// Whether the exit status is that of a command which this one runs.
    pub(crate) fn launches(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Exec(_))
    }
}

/// Runs `command` and returns the exit status.
pub(crate) fn run<S: Sys + Clone>(
    command: &Command,
    sys: &S,
    io: &mut Io<'_>,
) -> Result<u8, Error> {
    let sys = sys.clone();
    match command {
        Command::Run(args) => run::run(args, sys, io),
        Command::Exec(args) => exec::run(args, sys, io),
        Command::Create(args) => create::run(args, sys, io),
        Command::Adopt(args) => adopt::run(args, sys, io),
        Command::Ls(args) => ls::run(args, sys, io),
        Command::Ps(args) => ps::run(args, sys, io),
        Command::Info(args) => info::run(args, sys, io),
        Command::Pid(args) => pid::run(args, sys, io),
        Command::Kill(args) => kill::run(args, sys, io),
        Command::Wait(args) => wait::run(args, sys, io),
        Command::Events(args) => events::run(args, sys, io),
        Command::Set(args) => set::run(args, sys, io),
        Command::Rm(args) => rm::run(args, sys, io),
        Command::Doctor(args) => doctor::run(args, sys, io),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use clap::Parser;
    use pidspace_client::testing::Fake;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    /// What came of a command line.
    pub(crate) struct Outcome {
        pub(crate) status: Result<u8, Error>,
        pub(crate) out: String,
        pub(crate) err: String,
    }

    impl Outcome {
        pub(crate) fn json(&self) -> serde_json::Value {
            serde_json::from_str(&self.out).unwrap()
        }

        pub(crate) fn error(&self) -> String {
            self.status.as_ref().unwrap_err().to_string()
        }
    }

    /// Runs a command line on a stand-in for the module.
    pub(crate) fn pidspace(fake: &Fake, line: &str) -> Outcome {
        let words = std::iter::once("pidspace").chain(line.split(' '));
        let command = Line::try_parse_from(words).map_err(|error| error.to_string());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = Io {
            out: &mut out,
            err: &mut err,
        };
        let status = run(&command.unwrap().command, fake, &mut io);
        Outcome {
            status,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }
}
