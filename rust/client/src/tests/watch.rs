// SPDX-License-Identifier: GPL-2.0

use std::os::fd::AsFd;
use std::time::Duration;

use pidspace_uapi::*;

use super::*;
use crate::sys::Handle;

const EVENTS: Binding = Binding {
    kill_on_close: false,
    events: 16,
};

/// Tells of an event that has nothing but a kind and a number.
fn tell(fake: &Fake, id: u64, type_: u32, nr: u32) {
    fake.add_event(id, |event| (event.type_, event.nr) = (type_, nr));
}

#[test]
fn an_event_is_read_whole() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    let mut comm = [b'x'; 16];
    comm[..3].copy_from_slice(&[b'a', 0xff, 0]);
    fake.add_event(id, |event| {
        *event = pidspace_event {
            type_: PIDSPACE_EVENT_EXIT,
            nr: 2,
            parent: 1,
            global: 5001,
            generation: 7,
            time: 1_500_000_000,
            utime: 2_000_000_000,
            stime: 3_000,
            max_rss: 4096,
            status: 7 << 8,
            comm,
            ..Default::default()
        }
    });
    let space = pidspace.open_with(&by_name("web"), EVENTS).unwrap();
    let read = space.events().next().unwrap().unwrap();
    let Kind::Exit(exit) = read.kind else {
        panic!("{read:?}")
    };
    assert_eq!((exit.status.code(), exit.max_rss), (Some(7), 4096));
    assert_eq!(exit.user, Duration::from_secs(2));
    assert_eq!(exit.system, Duration::from_micros(3));
    assert_eq!((read.nr, read.parent), (Some(local(2)), Some(local(1))));
    assert_eq!((read.global, read.generation), (Some(global(5001)), 7));
    assert_eq!(read.time, Duration::from_millis(1500));
    assert_eq!(read.comm, "a\u{fffd}");
}

#[test]
fn every_kind_of_event_is_known_and_each_stream_is_its_own() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    for type_ in 1..=7 {
        fake.add_event(id, |event| {
            event.type_ = type_;
            event.count = 9;
        });
    }
    for _ in 0..2 {
        let space = pidspace.open_with(&by_name("web"), EVENTS).unwrap();
        let kinds: Vec<_> = space.events().map(|event| event.unwrap().kind).collect();
        assert_eq!(kinds[..2], [Kind::Fork, Kind::Exec]);
        assert!(matches!(kinds[2], Kind::Exit(_)));
        let rest = [
            Kind::Adopt,
            Kind::Empty,
            Kind::Overflow { count: 9 },
            Kind::Other(7),
        ];
        assert_eq!(kinds[3..], rest);
    }
}

#[test]
fn many_events_take_many_reads_and_interruptions_none() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    for nr in 1..=1000 {
        tell(&fake, id, PIDSPACE_EVENT_FORK, nr);
    }
    let space = pidspace.open_with(&by_name("web"), EVENTS).unwrap();
    fake.interrupt(3);
    let first = space.read_events().unwrap();
    assert!(first.len() < 1000);
    let rest = space.events().map(|event| event.unwrap());
    let nrs: Vec<_> = first.into_iter().chain(rest).map(|it| it.nr).collect();
    assert_eq!(nrs, (1..=1000).map(LocalNr::new).collect::<Vec<_>>());
    assert_eq!(space.read_events(), Ok(vec![]));
}

#[test]
fn without_a_stream_there_is_nothing_to_read() {
    let (fake, pidspace) = connect();
    fake.add_space("web");
    let space = pidspace.open(&by_name("web")).unwrap();
    let error = failed(Call::Read, Errno::EINVAL);
    assert_eq!(space.read_events(), Err(error));
    let many = Binding {
        events: EVENTS_MAX + 1,
        ..EVENTS
    };
    let error = pidspace.open_with(&by_name("web"), many).unwrap_err();
    assert_eq!(error, failed(Call::Open, Errno::EINVAL));
}

#[test]
fn a_wait_ends_when_the_space_is_empty_or_the_time_is_up() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    fake.add_member(id, 5000, |_| ());
    tell(&fake, id, PIDSPACE_EVENT_FORK, 1);
    let space = pidspace.open_with(&by_name("web"), EVENTS).unwrap();
    fake.interrupt(2);
    assert_eq!(space.wait(Some(Duration::from_millis(1))), Ok(false));
    let error = failed(Call::Poll, Errno::EDEADLK);
    assert_eq!(space.wait(Some(Duration::MAX)), Err(error));
    let interest = Interest {
        events: true,
        other: None,
    };
    let ready = space.poll(interest, None).unwrap();
    let events = Ready {
        events: true,
        ..Ready::default()
    };
    assert_eq!(ready, events);
    space.kill_all(9).unwrap();
    assert_eq!(space.wait(None), Ok(true));
}

#[test]
fn another_file_can_be_waited_for_too() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    fake.add_member(id, 5000, |_| ());
    let space = pidspace.open(&by_name("web")).unwrap();
    let (reader, writer) = nix::unistd::pipe().unwrap();
    let interest = Interest {
        events: false,
        other: Some(reader.as_fd()),
    };
    let soon = Some(Duration::from_millis(1));
    assert!(!space.poll(interest, soon).unwrap().other);
    drop(writer);
    assert!(space.poll(interest, None).unwrap().other);
}

#[test]
fn a_handle_may_kill_when_it_goes() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    fake.add_member(id, 5000, |_| ());
    let binding = Binding {
        kill_on_close: true,
        events: 0,
    };
    let space = pidspace.open_with(&by_name("web"), binding).unwrap();
    assert!(fake.signals().is_empty());
    drop(space);
    assert_eq!(fake.signals(), [(0, 9)]);
    drop(pidspace.open(&by_name("web")).unwrap());
    assert_eq!(fake.signals(), [(0, 9)]);
}

#[test]
fn a_handle_that_was_passed_on_is_a_space() {
    let (fake, pidspace) = connect();
    let id = fake.add_space("web");
    let handle = crate::sys::Sys::open(&fake).unwrap();
    let mut raw = pidspace_open {
        id,
        ..Default::default()
    };
    handle.open(&mut raw).unwrap();
    let space = Space::from_handle(handle).unwrap();
    assert_eq!(space.id().get(), id);
    drop(pidspace);
    let unbound = crate::sys::Sys::open(&fake).unwrap();
    let error = Space::from_handle(unbound).unwrap_err();
    assert_eq!(error, failed(Call::Info, Errno::EBADFD));
}
