// SPDX-License-Identifier: GPL-2.0

use nix::sys::prctl;

use super::adopt::Sleeper;
use super::*;

fn scope(name: &str) -> Options {
    Options {
        mode: Mode::Scope,
        ..named(name)
    }
}

const TO_SCOPE: Changes = Changes {
    pid_max: None,
    max_members: None,
    policies: None,
    mode: Some(Mode::Scope),
};

/// Acts in a thread of its own, for no_new_privs cannot be taken off again.
fn in_thread<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(act).join().unwrap())
}

/// The hooks that belong to mode SCOPE.
fn scope_hooks(pidspace: &Pidspace<Fake>) -> Vec<Hook> {
    let hooks = pidspace.hooks().map(|hook| hook.unwrap());
    hooks.filter(|hook| hook.scope).collect()
}

#[test]
fn the_first_confining_space_puts_hooks_in_force() {
    let (fake, pidspace) = connect();
    let hooks: Vec<_> = pidspace.hooks().map(|hook| hook.unwrap()).collect();
    let symbols: Vec<_> = hooks.iter().map(|hook| hook.symbol.as_str()).collect();
    let all = ["free_pid", "cgroup_can_fork", "find_vpid", "do_prlimit"];
    assert_eq!(symbols, all);
    assert!(hooks.iter().all(|hook| hook.armed != hook.scope));
    assert_eq!(hooks[0].loss, "numbers would never be released");

    pidspace.create(&named("track")).unwrap();
    assert!(scope_hooks(&pidspace).iter().all(|hook| !hook.armed));
    let space = pidspace.create(&scope("web")).unwrap();
    assert_eq!(space.info().unwrap().mode, Mode::Scope);
    assert!(scope_hooks(&pidspace).iter().all(|hook| hook.armed));
    let abi = *Pidspace::with(fake).unwrap().abi();
    let purpose = HOOKS.iter().find(|purpose| !purpose.at_load).unwrap();
    assert_eq!(
        (purpose.name, abi.hooks & purpose.bit),
        ("scope", purpose.bit)
    );
}

#[test]
fn there_is_no_confinement_without_a_required_hook() {
    let (fake, pidspace) = connect();
    let track = pidspace.create(&named("track")).unwrap();
    fake.hold("find_vpid", Errno::EBUSY);
    let error = pidspace.create(&scope("web")).unwrap_err();
    assert_eq!(error, failed(Call::CreateConfined, Errno::EBUSY));
    assert_eq!(
        track.set(&TO_SCOPE),
        Err(failed(Call::SetMode, Errno::EBUSY))
    );
    assert_eq!(track.info().unwrap().mode, Mode::Track);
    assert_eq!(pidspace.spaces().count(), 1);
    let hook = scope_hooks(&pidspace).swap_remove(0);
    assert_eq!((hook.required, hook.armed), (true, false));
    assert_eq!(hook.error, Some(Errno::EBUSY));

    fake.release();
    fake.hold("do_prlimit", Errno::EINVAL);
    assert_eq!(track.set(&TO_SCOPE), Ok(()));
    let hooks = scope_hooks(&pidspace);
    assert_eq!((hooks[0].armed, hooks[0].error), (true, None));
    assert_eq!((hooks[1].armed, hooks[1].required), (false, false));
    assert_eq!(hooks[1].error, Some(Errno::EINVAL));
}

#[test]
fn a_space_is_tightened_and_never_loosened() {
    let (_fake, pidspace) = connect();
    let space = pidspace.create(&named("web")).unwrap();
    for _ in 0..2 {
        assert_eq!(space.set(&TO_SCOPE), Ok(()));
        assert_eq!(space.info().unwrap().mode, Mode::Scope);
    }
    let to = |mode| {
        space.set(&Changes {
            mode: Some(mode),
            ..Changes::default()
        })
    };
    let error = failed(Call::SetMode, Errno::EINVAL);
    assert_eq!(to(Mode::Track), Err(error));
    assert_eq!(to(Mode::Other(7)), Err(error));
    let call = Call::SetMode;
    let errno = Errno::EOPNOTSUPP;
    assert_eq!(to(Mode::View), Err(Error::Unsupported { call, errno }));
    assert_eq!(space.info().unwrap().mode, Mode::Scope);
}

#[test]
#[cfg_attr(miri, ignore = "asks prctl(2)")]
fn without_privilege_what_starts_in_it_needs_no_new_privs() {
    in_thread(|| {
        let (fake, pidspace) = connect();
        let track = pidspace.create(&named("track")).unwrap();
        let space = pidspace.create(&scope("web")).unwrap();
        drop(space.mark().unwrap());
        fake.drop_privilege();
        drop(track.mark().unwrap());
        if prctl::get_no_new_privs() == Ok(false) {
            let errno = Errno::EPERM;
            let call = Call::SpawnConfined;
            assert_eq!(space.mark().err(), Some(Error::Permission { call, errno }));
        }
        prctl::set_no_new_privs().unwrap();
        assert!(space.mark().is_ok());
    });
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn without_privilege_what_is_confined_later_needs_it_too() {
    let (fake, pidspace) = connect();
    fake.drop_privilege();
    let track = pidspace.create(&named("track")).unwrap();
    let space = pidspace.create(&scope("web")).unwrap();
    let with = in_thread(|| {
        prctl::set_no_new_privs().unwrap();
        Sleeper::start()
    });
    let without = Sleeper::start();
    let adopt = |space: &Space<_>, it: &Sleeper| space.adopt(Target::Pid(it.nr()), false);
    adopt(&track, &with).unwrap();
    assert_eq!(track.set(&TO_SCOPE), Ok(()));
    let other = pidspace.create(&named("other")).unwrap();
    if prctl::get_no_new_privs() == Ok(false) {
        let errno = Errno::EPERM;
        let call = Call::AdoptConfined;
        let refused = Err(Error::Permission { call, errno });
        assert_eq!(adopt(&space, &without), refused);
        adopt(&other, &without).unwrap();
        let call = Call::SetMode;
        let refused = Err(Error::Permission { call, errno });
        assert_eq!(other.set(&TO_SCOPE), refused);
        assert_eq!(other.info().unwrap().mode, Mode::Track);
    }
}
