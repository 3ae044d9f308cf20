// SPDX-License-Identifier: GPL-2.0

use pidspace_client::sys::Sys;
use pidspace_client::{Changes, Info, Mode, Pidspace, Policies, Result as ClientResult, SpaceRef};

use super::Io;
use crate::error::Error;
use crate::output::Listing;

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("change").required(true).multiple(true),
    override_usage = "pidspace set <SPACE> <CHANGE>... [OPTIONS]",
    after_help = "\
A change holds for what comes: numbers in use stay, be they above a limit.  Only the mode holds for
what is in the space, too, and is never taken back.  What the space is like then is printed as by
info.

Example:
  pidspace set web --max-members 100
  pidspace set web --max-members 0 --no-reuse
  pidspace set web --init --noheadings -o policies
  pidspace set web --scope"
)]
pub(crate) struct Args {
    /// The space, NAME or @ID
    space: SpaceRef,
    /// Keep local numbers below this, 301 to 4194304
    #[arg(long, value_name = "M", group = "change",
          value_parser = clap::value_parser!(u32).range(301..=4_194_304))]
    pid_max: Option<u32>,
    /// Let forks fail when this many numbers are in use; 0 for no limit
    #[arg(long, value_name = "N", group = "change")]
    max_members: Option<u32>,
    /// End the space with the process that has number 1
    #[arg(long, group = "change")]
    init: bool,
    /// Do not end the space with the process that has number 1
    #[arg(long, group = "change", conflicts_with = "init")]
    no_init: bool,
    /// Hand out no number twice until the range is used up
    #[arg(long, group = "change")]
    no_reuse: bool,
    /// Hand out numbers again
    #[arg(long, group = "change", conflicts_with = "no_reuse")]
    reuse: bool,
    /// Let what takes a pid find only members from now on: mode SCOPE
    ///
    /// Without CAP_SYS_ADMIN, every process in the space must have no_new_privs.
    #[arg(long, group = "change")]
    scope: bool,
    #[command(flatten)]
    listing: Listing<Info>,
}

impl Args {
    fn changes(&self, info: &Info) -> Changes {
        let init = switched(self.init, self.no_init, info.policies.init());
        let no_reuse = switched(self.no_reuse, self.reuse, info.policies.no_reuse());
        let policies: Policies = info.policies.with_init(init).with_no_reuse(no_reuse);
        Changes {
            pid_max: self.pid_max,
            max_members: self.max_members,
            policies: (policies != info.policies).then_some(policies),
            mode: self.scope.then_some(Mode::Scope),
        }
    }
}

fn switched(on: bool, off: bool, before: bool) -> bool {
    on || (before && !off)
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let space = Pidspace::with(sys)?.open(&args.space);
    let changed = || -> ClientResult<Info> {
        let space = space?;
        space.set(&args.changes(&space.info()?))?;
        space.info()
    };
    let info = changed().map_err(Error::about(&args.space))?;
    args.listing.print_one(&info, io.out)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno};

    use crate::cmd::testing::pidspace;

    #[test]
    fn only_what_is_named_changes() {
        let fake = Fake::default();
        fake.add_space("web");
        for (change, state) in [
            ("--max-members 9", "32768 9 -\n"),
            ("--init", "32768 9 init\n"),
            ("--no-reuse --pid-max 400", "400 9 init,no-reuse\n"),
            ("--no-init", "400 9 no-reuse\n"),
            ("--reuse --max-members 0", "400 - -\n"),
        ] {
            let set = format!("set web {change} -n -o pid-max");
            assert_eq!(pidspace(&fake, &set).status.unwrap(), 0, "{change}");
            let ls = pidspace(&fake, "ls -n -o pid-max,max-members,policies");
            assert_eq!(
                ls.out.split_whitespace().collect::<Vec<_>>().join(" ") + "\n",
                state
            );
        }
    }

    #[test]
    fn a_space_is_confined_for_good() {
        let fake = Fake::default();
        let id = fake.add_space("web");
        for _ in 0..2 {
            let set = pidspace(&fake, "set web --scope --init -n -o mode,policies");
            assert_eq!(set.out, "scope\ninit\n");
        }
        let set = pidspace(&fake, "set web --no-init -n -o mode");
        assert_eq!(set.out, "scope\n");
        fake.add_space("other");
        fake.drop_privilege();
        fake.add_member(id + 1, i32::MAX.unsigned_abs(), |_| ());
        let error = pidspace(&fake, "set other --scope").error();
        let said = "other: cannot change the space: a process in it lacks no_new_privs";
        assert!(error.starts_with(said), "{error}");
    }

    #[test]
    fn the_new_state_is_printed_or_the_failure_said() {
        let fake = Fake::default();
        fake.add_space("web");
        let set = pidspace(&fake, "set web --init");
        assert!(set.out.contains("POLICIES      init\n"), "{}", set.out);
        fake.fail(Call::Set, Errno::ESTALE);
        assert_eq!(
            pidspace(&fake, "set web --init").error(),
            "web: cannot change the space: it has been removed (ESTALE)"
        );
    }
}
