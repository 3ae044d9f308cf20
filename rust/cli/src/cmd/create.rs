// SPDX-License-Identifier: GPL-2.0

use pidspace_client::sys::Sys;
use pidspace_client::{Binding, Info, Name, Pidspace};

use super::rules::Rules;
use super::Io;
use crate::error::Error;
use crate::output::Listing;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The space stays until it is removed; what it is like is printed as by info.

Example:
  pidspace create web
  pidspace create web --max-members 100 --no-reuse
  pidspace create web --scope")]
pub(crate) struct Args {
    /// The name of the space
    name: Name,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    listing: Listing<Info>,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let options = args
        .rules
        .options(Some(args.name.clone()), Binding::default());
    let space = Pidspace::with(sys)?.create(&options);
    let info = space
        .and_then(|space| space.info())
        .map_err(Error::about(&args.name))?;
    args.listing.print_one(&info, io.out)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use pidspace_client::Errno;

    use crate::cmd::testing::pidspace;

    #[test]
    fn a_space_is_made_and_stays() {
        let fake = Fake::default();
        let create = pidspace(&fake, "create web --max-members 7 --no-reuse --json");
        assert_eq!(create.status.as_ref().unwrap(), &0);
        let json = create.json();
        assert_eq!(
            (&json["name"], &json["max_members"]),
            (&"web".into(), &7.into())
        );
        assert_eq!(
            (&json["policies"], &json["mode"]),
            (&"no-reuse".into(), &"track".into())
        );
        assert_eq!(pidspace(&fake, "ls -n -o name").out, "web\n");
        let error = pidspace(&fake, "create web").error();
        assert!(
            error.starts_with("web: cannot create the space: the name is taken"),
            "{error}"
        );
    }

    #[test]
    fn a_space_that_confines_takes_hooks() {
        let fake = Fake::default();
        fake.hold("find_vpid", Errno::EBUSY);
        assert_eq!(
            pidspace(&fake, "create web --scope").error(),
            "web: cannot create the space: another one, such as a live patch, holds a kernel \
             function that mode SCOPE must hook: 'pidspace doctor' and the kernel log name it \
             (EBUSY)"
        );
        fake.release();
        let create = pidspace(&fake, "create web --scope -n -o mode");
        assert_eq!(
            (create.status.unwrap(), create.out.as_str()),
            (0, "scope\n")
        );
    }
}
