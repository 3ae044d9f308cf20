// SPDX-License-Identifier: GPL-2.0

//! Signals to the members of a space.
//!
//! Whom a call means is found by walking the numbers of the space, never by walking the lists of
//! tasks, which change under a walker who may not take `tasklist_lock`.
//!
//! # Why two walks end a fork bomb
//!
//! Forks fail from before the first walk until after the second. A fork that had got its number
//! by then either made its child visible before its parent got SIGKILL from the first walk, so
//! that the second one finds the child, or it fails: `copy_process()` looks for a fatal signal
//! with the siglock held that the signal was sent under. A child cannot have children of its own
//! before it is visible. That leaves the child of a thread outside that is marked to spawn into
//! the space, and the children of members that may not be signalled; the former is doomed to die
//! at birth, the latter live, like their parents.

use crate::{
    binding::Binding,
    error::Refusal,
    logic::Nr,
    space::Space,
    task::{
        current_pid,
        current_task,
        PidRef,
        Role,
        TaskRef, //
    },
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    prelude::*,
    sync::rcu, //
};

/// Who is to get a signal, in kill(2)'s terms by local number.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// The process of a number.
    Process(Nr),
    /// The process group of a number.
    Group(Nr),
    /// The process group of the caller, who is a member.
    OwnGroup,
    /// Every process but the caller's.
    Others,
    /// Every process.
    Everyone,
}

impl Target {
    /// Reads the number of a request.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSuchMember`] when no space can hold such a number.
    pub(crate) fn parse(nr: i32) -> Result<Self, Refusal> {
        let number = Nr::new(nr.unsigned_abs()).ok_or(Refusal::NoSuchMember);
        match nr {
            -1 => Ok(Self::Others),
            0 => Ok(Self::OwnGroup),
            1.. => number.map(Self::Process),
            _ => number.map(Self::Group),
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
struct Filter {
    /// Only those of this process group, which is compared by address alone.
    group: Option<NonNull<bindings::pid>>,
    /// Not the one of this id, which is compared by address alone.
    except: Option<NonNull<bindings::pid>>,
    /// Only those that had their number by then.
    generation: u64,
    /// Not those that are on their way out already.
    skip_exiting: bool,
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
    /// Process context. Sleeps not, but takes as long as there are members.
    pub(crate) fn kill(&self, target: Target, sig: c_int) -> Result<Outcome> {
        let generation = self.status()?.generation;
        let outcome = match target {
            Target::Process(nr) => return self.kill_process(nr, sig),
            Target::Group(nr) => self.walk(sig, &self.group_of(nr, generation)?),
            Target::OwnGroup => self.walk(sig, &self.own_group(generation)?),
            Target::Others => self.walk(sig, &others(generation)),
            Target::Everyone if sig == bindings::SIGKILL as c_int => self.kill_everyone()?,
            Target::Everyone => self.walk(sig, &Filter::everyone(generation)),
        };
        if outcome.signalled != 0 || outcome.exited && outcome.refused == 0 {
            Ok(outcome)
        } else if outcome.refused != 0 {
            Err(Refusal::NotPermitted.into())
        } else {
            Err(Refusal::NoSuchMember.into())
        }
    }

    /// Sends SIGKILL to every process, those that are being born included.
    pub(crate) fn kill_everyone(&self) -> Result<Outcome> {
        let generation = self.begin_kill()?;
        let outcome = self.walk_twice(generation);
        self.end_kill();
        Ok(outcome)
    }

    fn walk_twice(&self, generation: u64) -> Outcome {
        let sig = bindings::SIGKILL as c_int;
        let mut filter = Filter::everyone(generation);
        let first = self.walk(sig, &filter);
        if first.refused == 0 {
            self.doom(generation);
        }
        filter.skip_exiting = true;
        let second = self.walk(sig, &filter);
        Outcome {
            signalled: first.signalled.saturating_add(second.signalled),
            refused: second.refused,
            exited: first.exited || second.exited,
        }
    }

    fn kill_process(&self, nr: Nr, sig: c_int) -> Result<Outcome> {
        let guard = rcu::read_lock();
        let binding = self.find(nr, &guard).ok_or(Refusal::NoSuchMember)?;
        binding.pid().kill(sig)?;
        Ok(Outcome {
            signalled: 1,
            ..Outcome::default()
        })
    }

    fn group_of(&self, nr: Nr, generation: u64) -> Result<Filter> {
        let guard = rcu::read_lock();
        let binding = self.find(nr, &guard).ok_or(Refusal::NoSuchMember)?;
        Ok(Filter {
            group: Some(binding.pid().as_ptr()),
            ..Filter::everyone(generation)
        })
    }

    fn own_group(&self, generation: u64) -> Result<Filter> {
        let guard = rcu::read_lock();
        let member = crate::membership::of_current(&guard).is_some_and(|own| own.is_in(self));
        let group = current_task(&guard).and_then(|task| task.pid_as(Role::Pgid));
        match group {
            Some(group) if member => Ok(Filter {
                group: Some(group.as_ptr()),
                ..Filter::everyone(generation)
            }),
            _ => Err(Refusal::BadArgument.into()),
        }
    }

    /// Signals every process that `filter` lets through.
    fn walk(&self, sig: c_int, filter: &Filter) -> Outcome {
        let mut outcome = Outcome::default();
        let mut batch = [Nr::FIRST; 64];
        let mut from = Some(Nr::FIRST);
        loop {
            let filled = self.numbers_from(from, &mut batch);
            let Some(numbers) = batch.get(..filled).filter(|numbers| !numbers.is_empty()) else {
                return outcome;
            };
            for &nr in numbers {
                self.signal_one(nr, sig, filter, &mut outcome);
                from = nr.next();
            }
        }
    }

    fn signal_one(&self, nr: Nr, sig: c_int, filter: &Filter, outcome: &mut Outcome) {
        let guard = rcu::read_lock();
        let Some(binding) = self.find(nr, &guard) else {
            return;
        };
        let Some(leader) = binding.pid().process(&guard) else {
            return;
        };
        if !filter.lets_through(binding, leader) {
            return;
        }
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
}

impl Filter {
    fn everyone(generation: u64) -> Self {
        Self {
            group: None,
            except: None,
            generation,
            skip_exiting: false,
        }
    }

    fn lets_through(&self, binding: &Binding, leader: TaskRef<'_>) -> bool {
        let in_group = self.group.is_none_or(|group| {
            leader
                .pid_as(Role::Pgid)
                .is_some_and(|own| own.as_ptr() == group)
        });
        let exiting = self.skip_exiting && leader.process_is_exiting();
        let excepted = self.except == Some(binding.pid().as_ptr());
        binding.generation() <= self.generation && in_group && !exiting && !excepted
    }
}

fn others(generation: u64) -> Filter {
    let guard = rcu::read_lock();
    Filter {
        except: current_task(&guard)
            .and_then(|task| task.pid_as(Role::Tgid))
            .or_else(|| current_pid(&guard))
            .map(PidRef::as_ptr),
        ..Filter::everyone(generation)
    }
}
