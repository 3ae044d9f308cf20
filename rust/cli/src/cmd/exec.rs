// SPDX-License-Identifier: GPL-2.0

use std::ffi::OsString;

use pidspace_client::sys::Sys;
use pidspace_client::{Pidspace, SpaceRef};

use super::Io;
use crate::error::Error;
use crate::launch::{self, Session, Watch};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The command stays in the session and process group that pidspace was started in, so that job control
works; neither is the space's, and ps shows a '-' for them.  Signals sent to pidspace are passed on,
and it ends with the status of the command.

In a space in mode SCOPE, a command that is started without CAP_SYS_ADMIN gets no_new_privs, which is
said on standard error: set-uid programs gain nothing in it.

Example:
  pidspace exec web -- sh")]
pub(crate) struct Args {
    /// The space, NAME or @ID
    space: SpaceRef,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    command: Vec<OsString>,
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let space = Pidspace::with(sys)?.open(&args.space);
    let space = space.map_err(Error::about(&args.space))?;
    let watch = Watch::begin(Session::Callers)?;
    let mut command = launch::command(&args.command);
    watch.leave_signals_to(&mut command);
    let mut child = launch::start(&space, &args.space, &mut command, io)?;
    watch.wait(&mut child)
}

#[cfg(test)]
mod tests {
    use nix::sys::prctl;
    use nix::sys::signal::SigSet;
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno};

    use crate::cmd::testing::pidspace;

    #[test]
    fn a_command_runs_in_a_space_that_exists() {
        let fake = Fake::default();
        fake.add_space("web");
        assert_eq!(
            pidspace(&fake, "exec web -- sh -c false").status.unwrap(),
            1
        );
        assert!(!fake.is_marked());
        let missing = pidspace(&fake, "exec nope -- true").status.unwrap_err();
        assert_eq!(missing.launch_status(), 125);
        let missing = pidspace(&fake, "exec web -- /nonexistent")
            .status
            .unwrap_err();
        assert_eq!(missing.launch_status(), 127);
        let missing = pidspace(&fake, "exec web -- /dev/null").status.unwrap_err();
        assert_eq!(missing.launch_status(), 126);
    }

    #[test]
    fn it_can_be_signalled() {
        let fake = Fake::default();
        fake.add_space("web");
        let line = "exec web -- grep -q SigBlk:.0000000000000000 /proc/self/status";
        // Another test may have run in this thread before.
        SigSet::empty().thread_set_mask().unwrap();
        assert_eq!(pidspace(&fake, line).status.unwrap(), 0);
    }

    /// Runs commands in a thread of its own, for no_new_privs cannot be taken off again.
    fn without_privilege(test: impl FnOnce(&Fake) + Send) {
        let test = || {
            let fake = Fake::default();
            fake.drop_privilege();
            assert_eq!(pidspace(&fake, "create web --scope").status.unwrap(), 0);
            test(&fake);
        };
        std::thread::scope(|scope| scope.spawn(test).join().unwrap());
    }

    #[test]
    fn without_privilege_what_is_confined_can_gain_none() {
        without_privilege(|fake| {
            let before = prctl::get_no_new_privs();
            let line = "exec web -- grep -q NoNewPrivs:.1 /proc/self/status";
            let exec = pidspace(fake, line);
            assert_eq!(exec.status.unwrap(), 0);
            let said = "pidspace: no_new_privs is set on 'grep', as mode SCOPE requires without \
                        CAP_SYS_ADMIN: set-uid programs gain nothing in it\n";
            assert_eq!(exec.err, if before == Ok(true) { "" } else { said });
            // Nothing is left to give up.
            assert_eq!(pidspace(fake, line).err, "");
        });
    }

    #[test]
    fn a_member_is_not_helped_by_giving_up_privileges() {
        without_privilege(|fake| {
            fake.fail(Call::Spawn, Errno::EPERM);
            let exec = pidspace(fake, "exec web -- true");
            let said = "web: cannot start processes in the space: the caller is a member of a \
                        space, or lacks no_new_privs";
            assert!(exec.error().starts_with(said), "{}", exec.error());
            assert_eq!(exec.err, "");
        });
    }

    #[test]
    fn a_member_may_not_start_others() {
        let fake = Fake::default();
        fake.add_space("web");
        fake.fail(Call::Spawn, Errno::EPERM);
        let error = pidspace(&fake, "exec web -- true").error();
        assert!(
            error.starts_with("web: cannot start processes in the space: the caller is"),
            "{error}"
        );
    }
}
