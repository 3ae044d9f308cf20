// SPDX-License-Identifier: GPL-2.0

use pidspace_client::sys::Sys;
use pidspace_client::{Info, Pidspace, Result as ClientResult};

use super::Io;
use crate::error::Error;
use crate::output::Listing;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  pidspace ls
  pidspace ls --noheadings -o name,numbers")]
pub(crate) struct Args {
    #[command(flatten)]
    listing: Listing<Info>,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let spaces: Vec<_> = Pidspace::with(sys)?.spaces().collect::<ClientResult<_>>()?;
    args.listing.print(&spaces, io.out)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno};
    use serde_json::json;

    use crate::cmd::testing::pidspace;

    fn two() -> Fake {
        let fake = Fake::default();
        let web = fake.add_space("web");
        fake.add_space("");
        fake.add_member(web, 5000, |_| ());
        fake
    }

    #[test]
    fn spaces_are_listed_with_and_without_name() {
        let ls = pidspace(&two(), "ls");
        assert_eq!(ls.status.unwrap(), 0);
        assert_eq!(
            ls.out,
            "NAME ID OWNER MODE  STATE NUMBERS PID-MAX MAX-MEMBERS POLICIES HANDLES\n\
             web   1 root  track live        1   32768           - -              0\n\
             -     2 root  track live        0   32768           - -              0\n"
        );
    }

    #[test]
    fn columns_are_chosen_in_any_case() {
        let ls = pidspace(&two(), "ls -n -o numbers,NAME,last-local-nr");
        assert_eq!(ls.out, "1 web 1\n0 -   -\n");
    }

    #[test]
    fn json_tells_numbers_from_strings() {
        let ls = pidspace(&two(), "ls --json");
        let web = json!({
            "name": "web", "id": 1, "owner": "root", "mode": "track", "state": "live",
            "numbers": 1, "pid_max": 32768, "max_members": null, "policies": null, "handles": 0,
        });
        assert_eq!(ls.json()["spaces"][0], web);
        assert_eq!(ls.json()["spaces"][1]["name"], json!(null));
    }

    #[test]
    fn a_failure_is_passed_on() {
        let fake = two();
        fake.fail(Call::List, Errno::ENOTTY);
        assert_eq!(pidspace(&fake, "ls").status.unwrap_err().status(), 3);
    }
}
