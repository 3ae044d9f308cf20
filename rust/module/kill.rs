// SPDX-License-Identifier: GPL-2.0

//! Signals to the members of a space.
//!
//! Whom a call means is found by walking the numbers of the space, never by walking the lists of
//! tasks, which change under a walker who may not take `tasklist_lock`.
//!
//! # Why nobody slips out
//!
//! A signal to more than one process walks over the numbers until a walk finds nobody who has not
//! got it. A child that was numbered before its parent got the signal gets it too, once its task is
//! visible; see `space/births.rs`. So whoever is left without it was forked by a process that had
//! it. With SIGKILL forks fail as long as that lasts, and nobody is left.

use crate::{
    binding::Binding,
    error::Refusal,
    logic::Nr,
    space::Space,
    table::TABLE,
    task::{
        current_process,
        current_task,
        PidRef,
        Role,
        TaskRef, //
    },
};
use core::{
    num::NonZeroU64,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    prelude::*,
    sync::rcu, //
};

/// Who is to get a signal, in kill(2)'s terms by local number.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// The process of a number.
    Process(Member),
    /// The process group of a number.
    Group(Member),
    /// The process group of the caller, who is a member.
    OwnGroup,
    /// Every process but the caller's.
    Others,
    /// Every process.
    Everyone,
}

/// A number, and which use of it is meant if that matters.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    nr: Nr,
    generation: Option<NonZeroU64>,
}

impl Target {
    /// Reads the number and the generation of a request.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSuchMember`] when no space can hold such a number, [`Refusal::BadArgument`]
    /// when it is no number that could have a generation.
    pub(crate) fn parse(nr: i32, generation: u64) -> Result<Self, Refusal> {
        let generation = NonZeroU64::new(generation);
        let member = Nr::new(nr.unsigned_abs())
            .map(|nr| Member { nr, generation })
            .ok_or(Refusal::NoSuchMember);
        match nr {
            -1 | 0 if generation.is_some() => Err(Refusal::BadArgument),
            -1 => Ok(Self::Others),
            0 => Ok(Self::OwnGroup),
            1.. => member.map(Self::Process),
            _ => member.map(Self::Group),
        }
    }
}

/// What became of a signal.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Processes that got it.
    pub(crate) signalled: u32,
    /// Processes that the caller may not signal.
    pub(crate) refused: u32,
    /// Whether there were only zombies, which count as signalled for kill(2) though none is.
    exited: bool,
}

/// Which of the processes that a walk comes across are meant.
#[derive(Default)]
struct Filter {
    /// Only those of this process group, which is compared by address alone, and by the generation
    /// of its number.
    group: Option<(NonNull<bindings::pid>, Option<u64>)>,
    /// Not the one of this id, which is compared by address alone.
    except: Option<NonNull<bindings::pid>>,
}

impl Space {
    /// Signals members.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is nobody, `EPERM` when none of them may be signalled, `EINVAL` when
    /// there is no such signal or the caller has no process group here; `ESTALE` when the space is
    /// gone.
    ///
    /// # Context
    ///
    /// Process context. May sleep.
    pub(crate) fn kill(&self, target: Target, sig: c_int) -> Result<Outcome> {
        self.status()?;
        let outcome = match target {
            Target::Process(member) => return self.kill_process(&member, sig),
            Target::Group(member) => self.broadcast(sig, &self.group_of(&member)?, false)?,
            Target::OwnGroup => self.broadcast(sig, &self.own_group()?, false)?,
            Target::Others => self.broadcast(sig, &others(), false)?,
            Target::Everyone => {
                let fatal = sig == bindings::SIGKILL as c_int;
                self.broadcast(sig, &Filter::default(), fatal)?
            }
        };
        if outcome.signalled != 0 || outcome.exited && outcome.refused == 0 {
            Ok(outcome)
        } else if outcome.refused != 0 {
            Err(Refusal::NotPermitted.into())
        } else {
            Err(Refusal::NoSuchMember.into())
        }
    }

    /// Sends SIGKILL to every process, those that are being born included. Nobody being there is
    /// no error.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn kill_everyone(&self) -> Result<Outcome> {
        self.broadcast(bindings::SIGKILL as c_int, &Filter::default(), true)
    }

    /// Signals every process that `filter` lets through, each once.
    fn broadcast(&self, sig: c_int, filter: &Filter, fatal: bool) -> Result<Outcome> {
        let _turn = self.turn().lock();
        let number = self.begin_broadcast(sig.unsigned_abs(), fatal)?;
        let mut outcome = Outcome::default();
        let mut found = true;
        while found || !self.end_broadcast() {
            found = false;
            // The visitor returns no error.
            let _ = self.walk(|nr| {
                found |= self.deliver(nr, number, |binding, guard| {
                    signal(binding, sig, filter, &mut outcome, guard);
                });
                Ok(())
            });
        }
        Ok(outcome)
    }

    fn member<'g>(&self, member: &Member, guard: &'g rcu::Guard) -> Result<&'g Binding> {
        let wanted = |binding: &&Binding| {
            member
                .generation
                .is_none_or(|generation| binding.generation() == generation.get())
        };
        let found = self.find(member.nr, guard).filter(wanted);
        Ok(found.ok_or(Refusal::NoSuchMember)?)
    }

    fn kill_process(&self, member: &Member, sig: c_int) -> Result<Outcome> {
        let guard = rcu::read_lock();
        self.member(member, &guard)?.pid().kill(sig)?;
        Ok(Outcome {
            signalled: 1,
            ..Outcome::default()
        })
    }

    fn group_of(&self, member: &Member) -> Result<Filter> {
        let guard = rcu::read_lock();
        let binding = self.member(member, &guard)?;
        Ok(Filter {
            group: Some((binding.pid().as_ptr(), Some(binding.generation()))),
            ..Filter::default()
        })
    }

    fn own_group(&self) -> Result<Filter> {
        let guard = rcu::read_lock();
        let member = crate::membership::of_current(&guard).is_some_and(|own| own.is_in(self));
        let group = current_task(&guard).and_then(|task| task.pid_as(Role::Pgid));
        match group {
            Some(group) if member => Ok(Filter {
                group: Some((group.as_ptr(), None)),
                ..Filter::default()
            }),
            _ => Err(Refusal::BadArgument.into()),
        }
    }
}

fn signal(
    binding: &Binding,
    sig: c_int,
    filter: &Filter,
    outcome: &mut Outcome,
    guard: &rcu::Guard,
) {
    let process = binding.pid().process(guard);
    let Some(leader) = process.filter(|&leader| filter.lets_through(binding, leader, guard)) else {
        return;
    };
    if leader.process_has_exited() {
        outcome.exited = true;
        return;
    }
    match binding.pid().kill(sig) {
        Ok(()) => outcome.signalled = outcome.signalled.saturating_add(1),
        Err(error) if error == ESRCH => (),
        // A security module may have an error of its own for what is EPERM elsewhere.
        Err(_) => outcome.refused = outcome.refused.saturating_add(1),
    }
}

impl Filter {
    fn lets_through(&self, binding: &Binding, leader: TaskRef<'_>, guard: &rcu::Guard) -> bool {
        let in_group = self
            .group
            .is_none_or(|group| is_in_group(leader, group, guard));
        in_group && self.except != Some(binding.pid().as_ptr())
    }
}

fn is_in_group(
    leader: TaskRef<'_>,
    (group, generation): (NonNull<bindings::pid>, Option<u64>),
    guard: &rcu::Guard,
) -> bool {
    let same = |own: &PidRef<'_>| {
        let now = || TABLE.find(*own, guard).map(Binding::generation);
        own.as_ptr() == group && (generation.is_none() || generation == now())
    };
    leader.pid_as(Role::Pgid).as_ref().is_some_and(same)
}

fn others() -> Filter {
    let guard = rcu::read_lock();
    Filter {
        except: current_process(&guard).map(PidRef::as_ptr),
        ..Filter::default()
    }
}
