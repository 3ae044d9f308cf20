// SPDX-License-Identifier: GPL-2.0

use pidspace_client::sys::Sys;
use pidspace_client::{Info, Pidspace, SpaceRef};

use super::Io;
use crate::error::Error;
use crate::output::Listing;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The handle that this command itself opens is counted.

Example:
  pidspace info web
  pidspace info @7 --noheadings -o state")]
pub(crate) struct Args {
    /// The space, NAME or @ID
    space: SpaceRef,
    #[command(flatten)]
    listing: Listing<Info>,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let pidspace = Pidspace::with(sys)?;
    let space = pidspace.open(&args.space);
    let info = space
        .and_then(|space| space.info())
        .map_err(Error::about(&args.space))?;
    args.listing.print_one(&info, io.out)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use serde_json::json;

    use crate::cmd::testing::pidspace;

    #[test]
    fn a_space_is_described_by_name_or_id() {
        let fake = Fake::default();
        fake.add_space("web");
        let by_name = pidspace(&fake, "info web");
        assert!(
            by_name
                .out
                .starts_with("NAME          web\nID            1\n"),
            "{}",
            by_name.out
        );
        assert!(
            by_name.out.contains("\nLAST-LOCAL-NR -\n"),
            "{}",
            by_name.out
        );
        assert_eq!(pidspace(&fake, "info @1").out, by_name.out);
        assert_eq!(pidspace(&fake, "info web -n -o pid-max").out, "32768\n");
        let json = pidspace(&fake, "info web --json").json();
        assert_eq!(json["handles"], json!(1));
        assert_eq!(json["last_local_nr"], json!(null));
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(
            pidspace(&Fake::default(), "info web").error(),
            "web: cannot open the space: there is no such space, see 'pidspace ls' (ENOENT)"
        );
    }
}
