// SPDX-License-Identifier: GPL-2.0

//! The life of a space against its rules: what keeps it, who is let in, and that it is buried once.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pidspace_logic::{Error, Fate, Lifecycle, State};
use std::num::NonZeroU32;

#[derive(Arbitrary, Debug)]
enum Step {
    AddNumber,
    AddNumberBeyondLimit,
    RemoveNumber,
    AddHandle,
    RemoveHandle,
    AddSpawner,
    RemoveSpawner,
    BeginKill,
    EndKill,
    Destroy,
    DestroyWithMembers,
    Condemn,
    CancelDestroy,
    SetLimit(u8),
}

/// What the rules say, told another way: a state and counts.
struct Model {
    life: Lifecycle,
    named: bool,
    state: State,
    numbers: u32,
    handles: u32,
    spawners: u32,
    killing: bool,
    condemned: bool,
    limit: u32,
}

impl Model {
    /// Judges what a step returned that may end the space.
    fn fate(&mut self, fate: Fate) {
        let kept = match self.state {
            State::Dead => true,
            State::Dying => self.numbers > 0,
            State::Live => self.named || self.numbers + self.handles + self.spawners > 0,
        };
        assert_eq!(fate, if kept { Fate::Keep } else { Fate::Bury });
        if !kept {
            self.state = State::Dead;
        }
    }

    fn admission(&self) -> Result<(), Error> {
        if self.state == State::Live && !self.killing {
            Ok(())
        } else {
            Err(Error::Dying)
        }
    }

    fn existence(&self) -> Result<(), Error> {
        if self.state == State::Dead {
            Err(Error::Dead)
        } else {
            Ok(())
        }
    }

    fn add_number(&mut self, found: Result<(), Error>, limited: bool) {
        let full = limited && self.limit != 0 && self.numbers >= self.limit;
        let due = if full {
            Err(Error::Exhausted)
        } else {
            self.admission()
        };
        assert_eq!(found, due);
        self.numbers += u32::from(found.is_ok());
    }

    fn begin_end(&mut self, found: Result<Fate, Error>) {
        match found {
            Err(error) => assert_eq!((error, self.state), (Error::Dead, State::Dead)),
            Ok(fate) => {
                assert_ne!(self.state, State::Dead);
                self.state = State::Dying;
                self.fate(fate);
            }
        }
    }

    fn destroy(&mut self, found: Result<Fate, Error>) {
        match self.existence() {
            Err(error) => assert_eq!(found, Err(error)),
            Ok(()) if self.numbers > 0 => assert_eq!(found, Err(Error::Busy)),
            Ok(()) => {
                assert_eq!(found, Ok(Fate::Bury));
                self.state = State::Dead;
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::AddNumber => {
                let found = self.life.add_number();
                self.add_number(found, true);
            }
            Step::AddNumberBeyondLimit => {
                let found = self.life.add_number_beyond_limit();
                self.add_number(found, false);
            }
            Step::RemoveNumber if self.numbers > 0 => {
                self.numbers -= 1;
                let fate = self.life.remove_number();
                self.fate(fate);
            }
            Step::AddHandle => {
                assert_eq!(self.life.add_handle(), self.existence());
                self.handles += u32::from(self.state != State::Dead);
            }
            Step::RemoveHandle if self.handles > 0 => {
                self.handles -= 1;
                let fate = self.life.remove_handle();
                self.fate(fate);
            }
            Step::AddSpawner => {
                assert_eq!(self.life.add_spawner(), self.existence());
                self.spawners += u32::from(self.state != State::Dead);
            }
            Step::RemoveSpawner if self.spawners > 0 => {
                self.spawners -= 1;
                let fate = self.life.remove_spawner();
                self.fate(fate);
            }
            // What is not there is not taken away: the owner counts by what it was let have.
            Step::RemoveNumber | Step::RemoveHandle | Step::RemoveSpawner => {}
            step => self.step_of_state(step),
        }
    }

    fn step_of_state(&mut self, step: &Step) {
        match step {
            Step::BeginKill => {
                self.life.begin_kill();
                self.killing = true;
            }
            Step::EndKill => {
                self.life.end_kill();
                self.killing = false;
            }
            Step::Destroy => {
                let found = self.life.destroy();
                self.destroy(found);
            }
            Step::DestroyWithMembers => {
                let found = self.life.destroy_with_members();
                self.begin_end(found);
            }
            Step::Condemn => {
                let found = self.life.condemn();
                self.begin_end(found);
                self.condemned = true;
            }
            Step::CancelDestroy => {
                self.life.cancel_destroy();
                if self.state == State::Dying && !self.condemned {
                    self.state = State::Live;
                }
            }
            Step::SetLimit(limit) => {
                self.limit = (*limit).into();
                self.life.set_limit(NonZeroU32::new(self.limit));
            }
            _ => {}
        }
    }

    fn check(&self) {
        assert_eq!(self.life.state(), self.state);
        let counts = (
            self.life.numbers(),
            self.life.handles(),
            self.life.spawners(),
        );
        assert_eq!(counts, (self.numbers, self.handles, self.spawners));
        assert_eq!(self.life.must_exist(), self.existence());
    }
}

fuzz_target!(|input: (bool, Vec<Step>)| {
    let (named, steps) = input;
    let mut model = Model {
        life: Lifecycle::new(named),
        named,
        state: State::Live,
        numbers: 0,
        handles: 1,
        spawners: 0,
        killing: false,
        condemned: false,
        limit: 0,
    };
    for step in &steps {
        model.step(step);
        model.check();
    }
});
