// SPDX-License-Identifier: GPL-2.0

//! The mode, limits and policies of a new space.

use pidspace_client::{Binding, Mode, Name, Options, Policies};

#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    /// Let what takes a pid find only members: mode SCOPE
    #[arg(long)]
    scope: bool,
    /// Keep local numbers below this, 301 to 4194304 [default: 32768]
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(301..=4_194_304))]
    pid_max: Option<u32>,
    /// Let forks fail when this many numbers are in use
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_members: Option<u32>,
    /// End the space with the process that has number 1
    #[arg(long)]
    pub(crate) init: bool,
    /// Hand out no number twice until the range is used up
    #[arg(long)]
    no_reuse: bool,
}

impl Rules {
    /// What a space with these rules is to be like.
    pub(crate) fn options(&self, name: Option<Name>, binding: Binding) -> Options {
        Options {
            name,
            mode: mode(self.scope),
            pid_max: self.pid_max,
            max_members: self.max_members,
            policies: Policies::default()
                .with_init(self.init)
                .with_no_reuse(self.no_reuse),
            binding,
        }
    }
}

/// The mode of a new space.
pub(crate) fn mode(scope: bool) -> Mode {
    match scope {
        true => Mode::Scope,
        false => Mode::Track,
    }
}
