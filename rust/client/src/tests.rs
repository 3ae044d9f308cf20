// SPDX-License-Identifier: GPL-2.0

mod adopt;
mod scope;
// Miri lacks ppoll(2).
#[cfg(not(miri))]
mod watch;

use std::os::fd::AsFd;
use std::process::Command;

use crate::testing::Fake;
use crate::*;

fn connect() -> (Fake, Pidspace<Fake>) {
    let fake = Fake::default();
    let pidspace = Pidspace::with(fake.clone()).unwrap();
    (fake, pidspace)
}

fn named(name: &str) -> Options {
    Options {
        name: Some(name.parse().unwrap()),
        ..Options::default()
    }
}

fn by_name(name: &str) -> SpaceRef {
    name.parse().unwrap()
}

fn local(nr: u32) -> LocalNr {
    LocalNr::new(nr).unwrap()
}

fn global(nr: u32) -> GlobalNr {
    GlobalNr::new(nr).unwrap()
}

fn failed(call: Call, errno: Errno) -> Error {
    Error::Failed { call, errno }
}

#[test]
fn an_older_module_is_refused_but_can_be_looked_at() {
    let fake = Fake::default();
    fake.change_abi(|abi| abi.level = 0);
    let error = Pidspace::with(fake.clone()).unwrap_err();
    assert_eq!(
        error,
        Error::Level {
            found: 0,
            needed: ABI_LEVEL
        }
    );
    assert_eq!(
        error.to_string(),
        "the loaded module is older (ABI level 0) than this tool (3): \
         load the module of this version"
    );
    assert_eq!(Pidspace::with_any_level(fake).unwrap().abi().level, 0);
}

#[test]
fn a_newer_module_is_fine() {
    let fake = Fake::default();
    fake.change_abi(|abi| abi.level = ABI_LEVEL + 1);
    assert!(Pidspace::with(fake).is_ok());
}

#[test]
fn what_fails_at_the_device_is_told_apart() {
    let connect = |call, errno| {
        let fake = Fake::default();
        fake.fail(call, errno);
        Pidspace::with(fake).unwrap_err()
    };
    let missing = connect(Call::OpenDevice, Errno::ENOENT);
    assert!(matches!(missing, Error::NotLoaded { .. }));
    let refused = connect(Call::OpenDevice, Errno::EACCES);
    assert!(matches!(refused, Error::Permission { .. }));
    assert!(connect(Call::Abi, Errno::ENOTTY).is_unsupported());
}

#[test]
fn every_call_reports_its_own_failure() {
    let errno = Errno::ENOMEM;
    let after = |call, act: fn(&Pidspace<Fake>, &Space<testing::FakeHandle>) -> Option<Error>| {
        let (fake, pidspace) = connect();
        let space = pidspace.create(&named("web")).unwrap();
        fake.fail(call, errno);
        assert_eq!(act(&pidspace, &space), Some(failed(call, errno)));
    };
    after(Call::OpenDevice, |p, _| p.create(&Options::default()).err());
    after(Call::Create, |p, _| p.create(&Options::default()).err());
    after(Call::CreateConfined, |p, _| {
        p.create(&Options {
            mode: Mode::Scope,
            ..Options::default()
        })
        .err()
    });
    after(Call::Hooks, |p, _| p.hooks().next()?.err());
    after(Call::Open, |p, _| p.open(&by_name("web")).err());
    after(Call::List, |p, _| p.spaces().next()?.err());
    after(Call::List, |p, s| p.space(s.id()).err());
    after(Call::Lookup, |p, _| p.find(global(1)).err());
    after(Call::Info, |_, s| s.info().err());
    after(Call::Members, |_, s| s.members().next()?.err());
    after(Call::Lookup, |_, s| s.to_global(local(1)).err());
    after(Call::Lookup, |_, s| s.to_local_all(&[global(1)]).err());
    after(Call::Kill, |_, s| s.kill(1, 15).err());
    after(Call::KillSpace, |_, s| s.kill_all(15).err());
    after(Call::Adopt, |_, s| {
        s.adopt(Target::Pid(global(1)), false).err()
    });
    after(Call::Set, |_, s| s.set(&Changes::default()).err());
    after(Call::SetMode, |_, s| {
        s.set(&Changes {
            mode: Some(Mode::Scope),
            ..Changes::default()
        })
        .err()
    });
    after(Call::Poll, |_, s| s.wait(None).err());
    after(Call::Read, |_, s| s.read_events().err());
    after(Call::Members, |_, s| s.member(local(1)).err());
    after(Call::Spawn, |_, s| s.mark().err());
    after(Call::Destroy, |_, s| s.destroy(false).err());
}

#[test]
fn iterators_end_after_an_error() {
    let (fake, pidspace) = connect();
    fake.fail(Call::List, Errno::ENOMEM);
    let mut spaces = pidspace.spaces();
    assert!(spaces.next().unwrap().is_err());
    assert!(spaces.next().is_none());
}

#[test]
fn spaces_are_made_opened_described_and_removed() {
    let (_fake, pidspace) = connect();
    let space = pidspace.create(&named("web")).unwrap();
    let info = space.info().unwrap();
    assert_eq!(info.name.as_ref().map(Name::as_str), Some("web"));
    assert_eq!((info.mode, info.state), (Mode::Track, State::Live));
    assert_eq!((info.pid_max, info.last_nr), (32768, None));
    assert_eq!(info.space_ref(), by_name("web"));
    assert_eq!(pidspace.space(space.id()), Ok(Some(info)));

    assert_eq!(pidspace.open(&by_name("web")).unwrap().id(), space.id());
    assert_eq!(
        pidspace.open(&SpaceRef::Id(space.id())).unwrap().id(),
        space.id()
    );
    let taken = pidspace.create(&named("web")).unwrap_err();
    assert_eq!(taken, failed(Call::Create, Errno::EEXIST));

    space.destroy(false).unwrap();
    assert_eq!(space.info(), Err(failed(Call::Info, Errno::ESTALE)));
    let gone = pidspace.open(&by_name("web")).unwrap_err();
    assert_eq!(gone, failed(Call::Open, Errno::ENOENT));
    assert_eq!(pidspace.space(space.id()), Ok(None));
}

#[test]
fn pid_max_has_its_range() {
    let (_fake, pidspace) = connect();
    let create = |pid_max| {
        pidspace.create(&Options {
            pid_max: Some(pid_max),
            ..Options::default()
        })
    };
    assert_eq!(create(301).unwrap().info().unwrap().pid_max, 301);
    let error = create(300).unwrap_err();
    assert_eq!(error, failed(Call::Create, Errno::EINVAL));
}

#[test]
fn an_unnamed_space_goes_with_its_handle() {
    let (_fake, pidspace) = connect();
    let space = pidspace.create(&Options::default()).unwrap();
    let id = space.id();
    assert_eq!(space.info().unwrap().space_ref(), SpaceRef::Id(id));
    drop(space);
    assert_eq!(pidspace.space(id), Ok(None));
}

#[test]
fn listing_crosses_batches() {
    let (fake, pidspace) = connect();
    assert_eq!(pidspace.spaces().count(), 0);
    let ids: Vec<_> = (0..300).map(|i| fake.add_space(&format!("s{i}"))).collect();
    let listed: Vec<_> = pidspace
        .spaces()
        .map(|info| info.unwrap().id.get())
        .collect();
    assert_eq!(listed, ids);
}

#[test]
fn members_come_in_order_and_as_told() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    for nr in 1..=300 {
        fake.add_member(id, 1000 + nr, |_| ());
    }
    fake.add_member(id, 0, |member| {
        member.flags = pidspace_uapi::PIDSPACE_MEMBER_F_NO_TASK;
        member.tgid = 0;
    });
    let space = pidspace.open(&by_name("web")).unwrap();
    let members: Vec<_> = space.members().map(|member| member.unwrap()).collect();
    assert!(members.iter().map(|member| member.nr.get()).eq(1..=301));
    assert!(members[0].leader && !members[0].zombie && !members[0].no_task);
    assert_eq!(members[0].global, Some(global(1001)));
    assert_eq!(members[0].ppid, None);
    let last = members[300];
    assert!(last.no_task && !last.leader);
    assert_eq!((last.tgid, last.global), (None, None));
}

#[test]
fn numbers_translate_both_ways() {
    let (fake, pidspace) = connect();
    let (other, id) = (fake.add_space("other"), fake.add_space("web"));
    fake.add_member(other, 4000, |_| ());
    fake.add_member(id, 5000, |_| ());
    fake.add_member(id, 5001, |_| ());
    let space = pidspace.open(&by_name("web")).unwrap();

    let found = space.to_global(local(2)).unwrap();
    assert_eq!((found.nr, found.space.get()), (global(5001), id));
    assert_eq!(space.to_local(global(5001)).unwrap().nr, local(2));
    assert_eq!(pidspace.find(global(4000)).unwrap().space.get(), other);
    let error = space.to_local(global(4000)).unwrap_err();
    assert_eq!(error, failed(Call::Lookup, Errno::ESRCH));

    let nrs: Vec<_> = (1..=2000).map(local).collect();
    let all = space.to_global_all(&nrs).unwrap();
    assert_eq!(all.len(), 2000);
    assert_eq!(all.iter().flatten().count(), 2);
    let all = space.to_local_all(&[global(4000), global(5000)]).unwrap();
    assert_eq!(all[0], None);
    assert_eq!(all[1].unwrap().nr, local(1));
}

#[test]
fn what_is_no_pidfd_is_said_to_be_none() {
    let (_fake, pidspace) = connect();
    let file = std::fs::File::open("/dev/null").unwrap();
    let error = pidspace.find_pidfd(file.as_fd()).unwrap_err();
    assert_eq!(error, failed(Call::Lookup, Errno::EBADF));
}

#[test]
fn signals_reach_who_is_meant() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    for nr in 1..=4 {
        fake.add_member(id, 5000 + nr, |member| member.pgid = 1 + nr / 3);
    }
    fake.refuse(5004);
    let space = pidspace.open(&by_name("web")).unwrap();
    let counts = |signalled, refused| Ok(Signalled { signalled, refused });
    assert_eq!(space.kill(1, 0), counts(1, 0));
    assert_eq!(space.kill(-2, 0), counts(1, 1));
    assert_eq!(space.kill(9, 0), Err(failed(Call::Kill, Errno::ESRCH)));
    assert_eq!(space.kill(1, 65), Err(failed(Call::Kill, Errno::EINVAL)));
    let errno = Errno::EPERM;
    assert_eq!(
        space.kill(4, 0),
        Err(Error::Permission {
            call: Call::Kill,
            errno
        })
    );
    assert_eq!(space.kill_all(9), counts(3, 1));
    fake.add_space("idle");
    let idle = pidspace.open(&by_name("idle")).unwrap();
    let error = failed(Call::KillSpace, Errno::ESRCH);
    assert_eq!(idle.kill_all(9), Err(error));
    assert_eq!(fake.signals(), [(1, 0), (-2, 0), (0, 9)]);
}

#[test]
fn a_generation_tells_who_is_meant() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    fake.add_member(id, 5001, |member| member.generation = 77);
    let space = pidspace.open(&by_name("web")).unwrap();
    assert_eq!(space.to_global(local(1)).unwrap().generation, 77);
    let error = failed(Call::Kill, Errno::ESRCH);
    assert_eq!(space.kill_exactly(1, 76, 15), Err(error));
    assert!(fake.signals().is_empty());
    assert_eq!(space.kill_exactly(1, 77, 15).unwrap().signalled, 1);
}

#[test]
fn a_space_is_made_to_measure_and_changed() {
    let (_fake, pidspace) = connect();
    let space = pidspace.create(&Options {
        pid_max: Some(400),
        max_members: Some(10),
        policies: Policies::default().with_no_reuse(true),
        ..named("web")
    });
    let space = space.unwrap();
    let info = space.info().unwrap();
    assert_eq!((info.pid_max, info.max_members), (400, Some(10)));
    assert!(info.policies.no_reuse() && !info.policies.init());

    let changes = Changes {
        max_members: Some(0),
        policies: Some(info.policies.with_init(true).with_no_reuse(false)),
        ..Changes::default()
    };
    space.set(&changes).unwrap();
    let info = space.info().unwrap();
    assert_eq!((info.pid_max, info.max_members), (400, None));
    assert!(info.policies.init() && !info.policies.no_reuse());

    let changes = Changes {
        pid_max: Some(300),
        ..Changes::default()
    };
    let error = failed(Call::Set, Errno::EINVAL);
    assert_eq!(space.set(&changes), Err(error));
    assert_eq!(space.info(), Ok(info));
}

#[test]
fn a_space_in_use_is_removed_only_by_force() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    fake.add_member(id, 5000, |_| ());
    let space = pidspace.open(&by_name("web")).unwrap();
    assert_eq!(
        space.destroy(false),
        Err(failed(Call::Destroy, Errno::EBUSY))
    );
    assert_eq!(space.destroy(true), Ok(()));
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn the_mark_goes_with_its_guard() {
    let (fake, pidspace) = connect();
    let space = pidspace.create(&named("web")).unwrap();
    let other = pidspace.create(&named("other")).unwrap();
    let mark = space.mark().unwrap();
    assert_eq!(other.mark().err(), Some(failed(Call::Spawn, Errno::EBUSY)));
    assert!(fake.is_marked());
    drop(mark);
    assert!(!fake.is_marked());

    let mut child = other
        .mark()
        .unwrap()
        .spawn(&mut Command::new("true"))
        .unwrap();
    assert!(!fake.is_marked());
    let nr = GlobalNr::new(child.id()).unwrap();
    assert_eq!(other.to_local(nr).unwrap().nr, local(1));
    assert!(child.wait().unwrap().success());
    assert!(space
        .mark()
        .unwrap()
        .spawn(&mut Command::new("/nonexistent"))
        .is_err());
    assert!(!fake.is_marked());
}
