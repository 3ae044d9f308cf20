// SPDX-License-Identifier: GPL-2.0

use std::process::{Child, Command};

use nix::sys::prctl;
use pidspace_client::testing::Fake;
use pidspace_client::Call;
use serde_json::json;

use super::*;
use crate::cmd::testing::pidspace;
use crate::processes::tests::Cgroup;

/// A process that goes with its guard.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("100").spawn().unwrap())
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// Ends the process, and leaves it as a zombie.
    fn end(&mut self) {
        self.0.kill().unwrap();
        let nr = GlobalNr::new(self.id()).unwrap();
        let pidfd = crate::pidfd::open(nr).unwrap().unwrap();
        while !crate::pidfd::has_ended(&pidfd) {}
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

#[test]
fn processes_are_adopted_by_number() {
    let fake = Fake::default();
    fake.add_space("web");
    let (one, two) = (Sleeper::start(), Sleeper::start());
    let adopt = pidspace(&fake, &format!("adopt web {} {}", one.id(), two.id()));
    assert_eq!(adopt.status.unwrap(), 0);
    assert_eq!(adopt.out, "web: 2 processes adopted, 2 numbers\n");
    let tree = Sleeper::start();
    let adopt = pidspace(&fake, &format!("adopt @1 --tree {}", tree.id()));
    assert_eq!(adopt.out, "@1: 1 process adopted, 1 number\n");
    let all = [(one.id(), false), (two.id(), false), (tree.id(), true)];
    assert_eq!(fake.adoptions(), all);
}

#[test]
fn a_single_failure_is_the_error() {
    let fake = Fake::default();
    fake.add_space("web");
    let mut one = Sleeper::start();
    let line = format!("adopt web {}", one.id());
    assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);
    let error = pidspace(&fake, &line).error();
    let said = format!("{} global: cannot adopt the process: it or a", one.id());
    assert!(
        error.starts_with(&said) && error.ends_with("(EBUSY)"),
        "{error}"
    );
    one.end();
    one.0.wait().unwrap();
    let error = pidspace(&fake, &line).error();
    assert!(
        error.ends_with("there is no such process (ESRCH)"),
        "{error}"
    );
}

#[test]
fn of_several_it_is_said_which_were_adopted() {
    let fake = Fake::default();
    fake.add_space("web");
    let (one, two) = (Sleeper::start(), Sleeper::start());
    fake.refuse(one.id());
    let line = format!("adopt web {} {}", one.id(), two.id());
    let adopt = pidspace(&fake, &line);
    assert_eq!(adopt.status.unwrap(), 1);
    let said = format!("web: 1 process adopted, 1 number: {}\n", two.id());
    assert_eq!(adopt.out, said);
    let said = format!(
        "pidspace: {} global: cannot adopt the process: no perm",
        one.id()
    );
    assert!(adopt.err.starts_with(&said), "{}", adopt.err);

    let three = Sleeper::start();
    let line = format!("adopt web --json {} {}", one.id(), three.id());
    let json = pidspace(&fake, &line).json();
    assert_eq!(json["adopted"], json!([three.id()]));
    assert_eq!(
        (&json["processes"], &json["numbers"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(json["failed"][0]["global"], json!(one.id()));
}

#[test]
fn a_space_is_made_on_request_and_not_for_nobody() {
    let fake = Fake::default();
    let listed = || pidspace(&fake, "ls -n -o name,numbers").out;
    let one = Sleeper::start();
    let error = pidspace(&fake, &format!("adopt web {}", one.id())).error();
    assert!(error.contains("there is no such space"), "{error}");
    let error = pidspace(&fake, &format!("adopt @9 --create {}", one.id())).error();
    assert!(error.contains("there is no such space"), "{error}");
    fake.refuse(one.id());
    let line = format!("adopt web --create {}", one.id());
    let refused = pidspace(&fake, &line);
    assert!(refused.status.is_err());
    assert_eq!((refused.err, listed()), Default::default());
    let two = Sleeper::start();
    for process in [&two, &Sleeper::start()] {
        let line = format!("adopt web --create {}", process.id());
        assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);
    }
    assert_eq!(listed(), "web 2\n");
}

#[test]
fn a_cgroup_is_adopted_but_for_this_process_and_what_has_ended() {
    let fake = Fake::default();
    fake.add_space("web");
    let (one, two, mut zombie) = (Sleeper::start(), Sleeper::start(), Sleeper::start());
    zombie.end();
    let own = std::process::id();
    let cgroup = Cgroup::new("adopt", &[own, one.id(), two.id(), zombie.id()]);
    let line = format!("adopt web --cgroup {}", cgroup.0.display());
    let adopt = pidspace(&fake, &line);
    assert_eq!((adopt.status.unwrap(), adopt.err.as_str()), (0, ""));
    assert_eq!(adopt.out, "web: 2 processes adopted, 2 numbers\n");
    let adopt = pidspace(&fake, &line);
    assert_eq!(adopt.status.unwrap(), 0);
    assert_eq!(adopt.out, "web: 0 processes adopted, 0 numbers\n");

    let three = Sleeper::start();
    fake.refuse(three.id());
    let cgroup = Cgroup::new("refused", &[one.id(), three.id()]);
    let adopt = pidspace(&fake, &format!("adopt web --cgroup {}", cgroup.0.display()));
    assert_eq!(adopt.status.unwrap(), 1);
    let said = format!("pidspace: {} global: cannot adopt", three.id());
    assert!(adopt.err.starts_with(&said), "{}", adopt.err);
    assert_eq!(adopt.err.lines().count(), 1);
}

#[test]
fn a_session_is_adopted_and_nobody_is_an_error() {
    let fake = Fake::default();
    let mut command = Command::new("sleep");
    pidspace_client::sys::in_own_session(command.arg("100"));
    let mut leader = Sleeper(command.spawn().unwrap());
    let line = format!("adopt web --create --session {}", leader.id());
    assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);
    assert_eq!(fake.adoptions(), [(leader.id(), false)]);
    leader.end();
    let line = format!("adopt web2 --create --session {}", leader.id());
    let error = pidspace(&fake, &line).error();
    assert_eq!(
        error,
        format!("there is no process in session {}", leader.id())
    );
    assert_eq!(pidspace(&fake, "ls -n -o name").out, "web\n");
}

#[test]
fn a_space_that_goes_ends_it() {
    let fake = Fake::default();
    fake.add_space("web");
    fake.fail(Call::Adopt, Errno::ESTALE);
    let (one, two) = (Sleeper::start(), Sleeper::start());
    let cgroup = Cgroup::new("gone", &[one.id(), two.id()]);
    let adopt = pidspace(&fake, &format!("adopt web --cgroup {}", cgroup.0.display()));
    assert!(adopt.error().contains("the space has been removed"));
    assert_eq!(adopt.err, "");
}

#[test]
fn a_space_may_be_made_to_confine_who_is_adopted() {
    let fake = Fake::default();
    let one = Sleeper::start();
    let line = format!("adopt web --create --scope {}", one.id());
    assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);
    assert_eq!(pidspace(&fake, "info web -n -o mode").out, "scope\n");
    let two = Sleeper::start();
    let line = format!("adopt web --create --scope {}", two.id());
    assert_eq!(pidspace(&fake, &line).status.unwrap(), 0);

    fake.add_space("other");
    let three = Sleeper::start();
    let line = format!("adopt other --create --scope {}", three.id());
    assert_eq!(
        pidspace(&fake, &line).error(),
        "'other' is there already and not in mode SCOPE, see 'pidspace set other --scope'"
    );
    assert_eq!(fake.adoptions(), [(one.id(), false), (two.id(), false)]);
}

#[test]
fn nobody_is_confined_who_could_gain_privileges() {
    if prctl::get_no_new_privs() == Ok(true) {
        return;
    }
    let fake = Fake::default();
    fake.drop_privilege();
    let one = Sleeper::start();
    let line = format!("adopt web --create --scope {}", one.id());
    let error = pidspace(&fake, &line).error();
    assert!(
        error.contains("or one of them lacks no_new_privs"),
        "{error}"
    );
    assert_eq!(pidspace(&fake, "ls -n").out, "");
}
