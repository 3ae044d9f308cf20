// SPDX-License-Identifier: GPL-2.0

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use pidspace_client::sys::{Handle, Sys};
use pidspace_client::{Binding, Event, Interest, Kind, Member, Pidspace, Ready, Space, SpaceRef};

use super::Io;
use crate::error::{Error, TIMED_OUT};
use crate::launch::exit_status;
use crate::target::{Local, Waitable};
use crate::{pidfd, task};

/// How many events may pile up.  Should the one that matters be lost, the end is seen all the same.
const EVENTS: u32 = 1024;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A space is waited for until no number in it is in use or it is gone.  A process need not be a child:
with SPACE:NR this ends with its exit status, and with 128+N when signal N ended it.  When the time
is up, the exit status is 124.

Example:
  pidspace wait web
  pidspace wait web:2
  pidspace wait web --timeout 2.5 || pidspace kill web")]
pub(crate) struct Args {
    /// What to wait for: SPACE, SPACE:NR or SPACE:NR@GEN
    #[arg(value_name = "SPACE[:NR[@GEN]]")]
    target: Waitable,
    /// Give up after that many seconds, fractions allowed
    #[arg(short, long, value_name = "SECS", value_parser = seconds)]
    timeout: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "it must be a number of seconds from 0 on")
}

pub(crate) fn run<S: Sys>(args: &Args, sys: S, io: &mut Io<'_>) -> Result<u8, Error> {
    let pidspace = Pidspace::with(sys)?;
    let status = match &args.target {
        Waitable::Space(name) => wait_for_space(&pidspace, name, args.timeout)?,
        Waitable::Member(local) => wait_for_process(&pidspace, local, args.timeout)?,
    };
    Ok(status.unwrap_or_else(|| {
        io.complain(&"the time is up");
        TIMED_OUT
    }))
}

/// Returns 0 when the space is empty, and nothing when the time is up.
fn wait_for_space<S: Sys>(
    pidspace: &Pidspace<S>,
    name: &SpaceRef,
    timeout: Option<Duration>,
) -> Result<Option<u8>, Error> {
    let about = Error::about(name);
    let space = pidspace.open(name).map_err(&about)?;
    let empty = space.wait(timeout).map_err(&about)?;
    Ok(empty.then_some(0))
}

/// Returns the exit status of the process, and nothing when the time is up.
fn wait_for_process<S: Sys>(
    pidspace: &Pidspace<S>,
    local: &Local,
    timeout: Option<Duration>,
) -> Result<Option<u8>, Error> {
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let binding = Binding {
        events: EVENTS,
        ..Binding::default()
    };
    // What the process does from here on is told, whatever the search for it finds.
    let space = pidspace.open_with(&local.space, binding);
    let space = space.map_err(Error::about(&local.space))?;
    let (member, pidfd) = find(&space, local)?;
    let found = Found {
        space: &space,
        local,
        member,
    };
    if let Some(pidfd) = pidfd {
        match found.watch(&pidfd, end)? {
            Seen::Exit(status) => return Ok(Some(exit_status(status))),
            Seen::Nothing => return Ok(None),
            Seen::End => {}
        }
    }
    let told = found.exit_told_before()?;
    let status = told.map_or_else(|| found.exit_left(), Ok)?;
    Ok(Some(exit_status(status)))
}

/// What there was to see of a process before the time was up.
enum Seen {
    /// How it ended.
    Exit(ExitStatus),
    /// That it has ended.
    End,
    Nothing,
}

/// A process that is waited for.
struct Found<'a, H> {
    space: &'a Space<H>,
    local: &'a Local,
    member: Member,
}

impl<H: Handle> Found<'_, H> {
    /// Reads events until one tells of the end, or the process has ended, or the time is up.
    fn watch(&self, pidfd: &OwnedFd, end: Option<Instant>) -> Result<Seen, Error> {
        let interest = Interest {
            events: true,
            other: Some(pidfd.as_fd()),
        };
        loop {
            let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
            let ready = self.poll(interest, rest)?;
            if ready.events {
                if let Some(status) = self.exit_in(&self.read()?) {
                    return Ok(Seen::Exit(status));
                }
            } else if ready.other || ready.empty {
                return Ok(Seen::End);
            }
            if rest == Some(Duration::ZERO) {
                return Ok(Seen::Nothing);
            }
        }
    }

    /// Looks for the end among the events that were there when the process had ended: it was told
    /// before that, if at all.
    fn exit_told_before(&self) -> Result<Option<ExitStatus>, Error> {
        let interest = Interest {
            events: true,
            other: None,
        };
        let mut read = 0;
        while read <= EVENTS as usize && self.poll(interest, Some(Duration::ZERO))?.events {
            let events = self.read()?;
            if let Some(status) = self.exit_in(&events) {
                return Ok(Some(status));
            }
            read += events.len();
        }
        Ok(None)
    }

    /// The exit status of a process whose end was not told, for it ended too early for that.
    fn exit_left(&self) -> Result<ExitStatus, Error> {
        let status = self.member.global.and_then(task::zombie_status);
        // What has its number still has not been reaped, so it was the one that was looked at.
        let now = look_up(self.space, self.local);
        let same = now.is_ok_and(|now| now.generation == self.member.generation);
        status.filter(|_| same).ok_or_else(|| Error::Unwaitable {
            member: self.local.to_string(),
            why: "it has ended, and its status is not to be had any more",
        })
    }

    fn poll(&self, interest: Interest<'_>, timeout: Option<Duration>) -> Result<Ready, Error> {
        let ready = self.space.poll(interest, timeout);
        ready.map_err(Error::about(self.local))
    }

    fn read(&self) -> Result<Vec<Event>, Error> {
        self.space.read_events().map_err(Error::about(self.local))
    }

    fn exit_in(&self, events: &[Event]) -> Option<ExitStatus> {
        let mut events = events.iter();
        events.find_map(|event| match event.kind {
            Kind::Exit(exit) if event.generation == self.member.generation => Some(exit.status),
            _ => None,
        })
    }
}

/// Finds the process, and holds on to it as long as it is alive.
fn find<H: Handle>(space: &Space<H>, local: &Local) -> Result<(Member, Option<OwnedFd>), Error> {
    let member = look_up(space, local)?;
    local.check(member.generation)?;
    let refusal = |why| Error::Unwaitable {
        member: local.to_string(),
        why,
    };
    if member.no_task {
        return Err(refusal("the number is no process's"));
    }
    if !member.leader {
        return Err(refusal("it is a thread, name its process"));
    }
    let Some(global) = member.global else {
        return Err(refusal(
            "this pid namespace cannot see it, ask from outside of it",
        ));
    };
    let pidfd = pidfd::open(global)?;
    // If it has its number still, it had the global one all the time, and the pidfd is its.
    let same = look_up(space, local).is_ok_and(|now| now.generation == member.generation);
    Ok((member, pidfd.filter(|_| same)))
}

fn look_up<H: Handle>(space: &Space<H>, local: &Local) -> Result<Member, Error> {
    let found = space.member(local.nr).map_err(Error::about(local))?;
    found.ok_or_else(|| Error::Unwaitable {
        member: local.to_string(),
        why: "there is no such member, see 'pidspace ps'",
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use pidspace_client::testing::Fake;

    use crate::cmd::testing::pidspace;

    const EXIT: u32 = 3;

    fn web() -> (Fake, u64) {
        let fake = Fake::default();
        let id = fake.add_space("web");
        (fake, id)
    }

    fn sleeper() -> Child {
        Command::new("sleep").arg("100").spawn().unwrap()
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_space_is_waited_for_until_it_is_empty() {
        let (fake, id) = web();
        let wait = pidspace(&fake, "wait web");
        assert_eq!((wait.status.unwrap(), wait.err.as_str()), (0, ""));
        fake.add_member(id, 5000, |_| ());
        let wait = pidspace(&fake, "wait @1 --timeout 0.01");
        assert_eq!(wait.status.unwrap(), 124);
        assert_eq!(wait.err, "pidspace: the time is up\n");
        let error = pidspace(&fake, "wait nope").error();
        assert!(error.contains("there is no such space"), "{error}");
    }

    #[test]
    fn a_process_is_waited_for_and_tells_its_status() {
        for (status, expected) in [(7 << 8, 7), (15, 143), (9 | 0x80, 137)] {
            let (fake, id) = web();
            let child = sleeper();
            for nr in [0, child.id(), 0] {
                fake.add_member(id, nr, |_| ());
            }
            for generation in [1, 2] {
                fake.add_event(id, |event| {
                    event.type_ = EXIT;
                    event.nr = 2;
                    event.generation = generation;
                    event.status = if generation == 2 { status } else { 1 };
                });
            }
            let wait = pidspace(&fake, "wait web:2@2");
            assert_eq!((wait.status.unwrap(), wait.err.as_str()), (expected, ""));
            end(child);
        }
    }

    #[test]
    fn the_time_may_be_up_before_a_process_ends() {
        let (fake, id) = web();
        let child = sleeper();
        fake.add_member(id, child.id(), |_| ());
        let wait = pidspace(&fake, "wait web:1 -t 0.01");
        assert_eq!(wait.status.unwrap(), 124);
        end(child);
    }

    #[test]
    fn a_process_that_ended_before_is_asked_for_its_status() {
        let (fake, id) = web();
        let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
        fake.add_member(id, child.id(), |_| ());
        assert_eq!(pidspace(&fake, "wait web:1").status.unwrap(), 7);
        child.wait().unwrap();
        let error = pidspace(&fake, "wait web:1").error();
        let lost = "web:1 local: cannot wait for it: it has ended, and its status";
        assert!(error.starts_with(lost), "{error}");
    }

    #[test]
    fn what_is_no_process_is_not_waited_for() {
        let (fake, id) = web();
        fake.add_member(id, 5000, |member| member.flags = 0);
        fake.add_member(id, 0, |member| member.flags = 4);
        fake.add_member(id, 0, |_| ());
        for (line, why) in [
            ("wait web:1", "it is a thread"),
            ("wait web:2", "the number is no process's"),
            ("wait web:3", "this pid namespace cannot see it"),
            ("wait web:1@5", "number 1 of 'web' is another process"),
            ("wait web:9", "there is no such member"),
        ] {
            let wait = pidspace(&fake, line);
            assert!(wait.error().contains(why), "{line}: {}", wait.error());
            assert_eq!(wait.status.unwrap_err().status(), 1);
        }
    }
}
