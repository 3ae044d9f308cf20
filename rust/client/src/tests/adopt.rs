// SPDX-License-Identifier: GPL-2.0

use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command};

use super::*;

/// A process that goes with its guard.
pub(super) struct Sleeper(Child);

impl Sleeper {
    pub(super) fn start() -> Self {
        Self(Command::new("sleep").arg("100").spawn().unwrap())
    }

    pub(super) fn nr(&self) -> GlobalNr {
        global(self.0.id())
    }

    fn pidfd(&self) -> OwnedFd {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_process_is_adopted_by_number_or_pidfd_and_keeps_its_number() {
    let (fake, pidspace) = connect();
    let space = pidspace.create(&named("web")).unwrap();
    let (one, two) = (Sleeper::start(), Sleeper::start());
    let adopted = space.adopt(Target::Pid(one.nr()), false);
    let alone = Adopted {
        processes: 1,
        numbers: 1,
    };
    assert_eq!(adopted, Ok(alone));
    let pidfd = two.pidfd();
    assert_eq!(space.adopt(Target::Pidfd(pidfd.as_fd()), true), Ok(alone));
    let ids = [(one.0.id(), false), (two.0.id(), true)];
    assert_eq!(fake.adoptions(), ids);

    let found = space.pidfd_to_local(pidfd.as_fd()).unwrap();
    assert_eq!(found.nr.get(), two.0.id());
    let member = space.member(found.nr).unwrap().unwrap();
    assert_eq!(member.generation, found.generation);
    assert_eq!(space.member(local(1)), Ok(None));
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn what_cannot_be_adopted_stays_outside() {
    let (fake, pidspace) = connect();
    let space = pidspace
        .create(&Options {
            max_members: Some(1),
            ..named("web")
        })
        .unwrap();
    let refusal = |nr| space.adopt(Target::Pid(nr), false).unwrap_err().errno();
    let (one, two) = (Sleeper::start(), Sleeper::start());
    fake.refuse(one.0.id());
    assert_eq!(refusal(one.nr()), Some(Errno::EPERM));
    assert_eq!(refusal(global(i32::MAX.unsigned_abs())), Some(Errno::ESRCH));
    space.adopt(Target::Pid(two.nr()), false).unwrap();
    assert_eq!(refusal(two.nr()), Some(Errno::EBUSY));
    let three = Sleeper::start();
    assert_eq!(refusal(three.nr()), Some(Errno::EAGAIN));
    assert_eq!(space.info().unwrap().numbers, 1);
}
