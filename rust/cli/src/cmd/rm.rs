// SPDX-License-Identifier: GPL-2.0

use pidspace_client::sys::Sys;
use pidspace_client::{Pidspace, SpaceRef};
use serde::Serialize;

use super::Io;
use crate::error::Error;
use crate::output::print_json;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --kill, a space with numbers in use stays as it is.  With it, this waits until all numbers
are released; a zombie that its parent does not reap holds that up.

Example:
  pidspace rm web
  pidspace rm @7 --kill")]
pub(crate) struct Args {
    /// The space, NAME or @ID
    space: SpaceRef,
    /// Kill what is in the space first
    #[arg(short, long)]
    kill: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    space: String,
    id: u64,
    removed: bool,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let about = Error::about(&args.space);
    let space = Pidspace::with(sys)?.open(&args.space).map_err(&about)?;
    space.destroy(args.kill).map_err(&about)?;
    if args.json {
        let report = Report {
            space: args.space.to_string(),
            id: space.id().get(),
            removed: true,
        };
        print_json(&report, io.out)?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use serde_json::json;

    use crate::cmd::testing::pidspace;

    #[test]
    fn an_empty_space_goes() {
        let fake = Fake::default();
        fake.add_space("web");
        let rm = pidspace(&fake, "rm web --json");
        assert_eq!(
            rm.json(),
            json!({ "space": "web", "id": 1, "removed": true })
        );
        assert!(pidspace(&fake, "rm web").error().contains("no such space"));
    }

    #[test]
    fn a_space_in_use_goes_by_force_only() {
        let fake = Fake::default();
        let id = fake.add_space("web");
        fake.add_member(id, 5000, |_| ());
        let error = pidspace(&fake, "rm web").error();
        assert!(
            error.starts_with("web: cannot remove the space: numbers are in use"),
            "{error}"
        );
        let rm = pidspace(&fake, "rm web --kill");
        assert_eq!((rm.status.unwrap(), rm.out.as_str()), (0, ""));
    }
}
