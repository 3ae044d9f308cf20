// SPDX-License-Identifier: GPL-2.0

//! The life of a space: what keeps it, what it may still do, and when it ends.
//!
//! A space is kept by its numbers in use, by the handles bound to it, by the threads marked to
//! spawn into it, and, when it has a name, until it is destroyed.
//!
//! ```text
//!       destroy(kill), condemn        last number released
//!   Live ----------------> Dying --------------------------> Dead
//!     \---- cancel_destroy <-/                                 ^
//!     \---- destroy of an empty space, or nothing keeps it ----/
//! ```
//!
//! A space that was condemned stays so: it cannot be had back by cancelling.

use super::Error;
use core::num::NonZeroU32;

/// Where a space is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Forks succeed.
    Live,
    /// Being destroyed with its members: forks fail until the last number is released.
    Dying,
    /// Gone: nobody finds it any more; handles and marks that are left only hold memory.
    Dead,
}

/// What the owner of a space has to do after something let go of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fate {
    /// Nothing.
    Keep,
    /// Take the space out of the registry: this very call made it [`State::Dead`].
    Bury,
}

/// What keeps a space, counted.
#[derive(Debug)]
pub struct Lifecycle {
    state: State,
    named: bool,
    numbers: u32,
    handles: u32,
    spawners: u32,
    killing: bool,
    condemned: bool,
    limit: Option<NonZeroU32>,
}

impl Lifecycle {
    /// A new space, kept by the handle that made it.
    pub const fn new(named: bool) -> Self {
        Self {
            state: State::Live,
            named,
            numbers: 0,
            handles: 1,
            spawners: 0,
            killing: false,
            condemned: false,
            limit: None,
        }
    }

    /// Returns where the space is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns how many numbers are in use.
    pub fn numbers(&self) -> u32 {
        self.numbers
    }

    /// Returns how many handles are bound to the space.
    pub fn handles(&self) -> u32 {
        self.handles
    }

    /// Returns how many threads are marked to spawn into the space.
    pub fn spawners(&self) -> u32 {
        self.spawners
    }

    /// Returns how many numbers may be in use at most, if that is limited.
    pub fn limit(&self) -> Option<NonZeroU32> {
        self.limit
    }

    /// Lets [`Self::add_number`] fail when so many numbers are in use, or more already.
    pub fn set_limit(&mut self, limit: Option<NonZeroU32>) {
        self.limit = limit;
    }

    /// Counts a number in.
    ///
    /// # Errors
    ///
    /// [`Error::Dying`] unless the space is live and nobody kills it as a whole right now,
    /// [`Error::Exhausted`] at the limit.
    pub fn add_number(&mut self) -> Result<(), Error> {
        if self.limit.is_some_and(|limit| self.numbers >= limit.get()) {
            return Err(Error::Exhausted);
        }
        self.add_number_beyond_limit()
    }

    /// As [`Self::add_number`], limit or not.
    ///
    /// # Errors
    ///
    /// [`Error::Dying`] as there.
    pub fn add_number_beyond_limit(&mut self) -> Result<(), Error> {
        if self.state != State::Live || self.killing {
            return Err(Error::Dying);
        }
        self.numbers = self.numbers.checked_add(1).ok_or(Error::Exhausted)?;
        Ok(())
    }

    /// Counts a number out.
    pub fn remove_number(&mut self) -> Fate {
        self.numbers = self.numbers.saturating_sub(1);
        self.settle()
    }

    /// Counts a handle in.
    ///
    /// # Errors
    ///
    /// [`Error::Dead`] when the space is gone.
    pub fn add_handle(&mut self) -> Result<(), Error> {
        self.must_exist()?;
        self.handles = self.handles.checked_add(1).ok_or(Error::Exhausted)?;
        Ok(())
    }

    /// Counts a handle out.
    pub fn remove_handle(&mut self) -> Fate {
        self.handles = self.handles.saturating_sub(1);
        self.settle()
    }

    /// Counts a marked thread in.
    ///
    /// # Errors
    ///
    /// [`Error::Dead`] when the space is gone.
    pub fn add_spawner(&mut self) -> Result<(), Error> {
        self.must_exist()?;
        self.spawners = self.spawners.checked_add(1).ok_or(Error::Exhausted)?;
        Ok(())
    }

    /// Counts a marked thread out.
    pub fn remove_spawner(&mut self) -> Fate {
        self.spawners = self.spawners.saturating_sub(1);
        self.settle()
    }

    /// Makes forks fail while the space is killed as a whole; [`Self::end_kill`] undoes it.
    pub fn begin_kill(&mut self) {
        self.killing = true;
    }

    /// Ends what [`Self::begin_kill`] began.
    pub fn end_kill(&mut self) {
        self.killing = false;
    }

    /// Ends an empty space.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when numbers are in use, [`Error::Dead`] when it is gone already.
    pub fn destroy(&mut self) -> Result<Fate, Error> {
        self.must_exist()?;
        if self.numbers != 0 {
            return Err(Error::Busy);
        }
        Ok(self.die())
    }

    /// Lets nobody in any more and ends the space with its last number, which may be now.
    ///
    /// # Errors
    ///
    /// [`Error::Dead`] when the space is gone already.
    pub fn destroy_with_members(&mut self) -> Result<Fate, Error> {
        self.must_exist()?;
        self.state = State::Dying;
        Ok(self.settle())
    }

    /// As [`Self::destroy_with_members`], and for good.
    ///
    /// # Errors
    ///
    /// [`Error::Dead`] when the space is gone already.
    pub fn condemn(&mut self) -> Result<Fate, Error> {
        self.condemned = true;
        self.destroy_with_members()
    }

    /// Takes [`Self::destroy_with_members`] back, unless the space is gone or condemned by now.
    pub fn cancel_destroy(&mut self) {
        if self.state == State::Dying && !self.condemned {
            self.state = State::Live;
        }
    }

    /// Returns an error when the space is gone.
    ///
    /// # Errors
    ///
    /// [`Error::Dead`].
    pub fn must_exist(&self) -> Result<(), Error> {
        match self.state {
            State::Dead => Err(Error::Dead),
            State::Live | State::Dying => Ok(()),
        }
    }

    fn settle(&mut self) -> Fate {
        let kept = match self.state {
            State::Dead => return Fate::Keep,
            State::Dying => self.numbers != 0,
            State::Live => {
                self.named || self.numbers != 0 || self.handles != 0 || self.spawners != 0
            }
        };
        if kept {
            Fate::Keep
        } else {
            self.die()
        }
    }

    fn die(&mut self) -> Fate {
        self.state = State::Dead;
        Fate::Bury
    }
}

#[cfg(any(test, kernel))]
mod tests;
