// SPDX-License-Identifier: GPL-2.0

//! Typed access to `/dev/pidspace`: flat pid spaces on an unmodified kernel.
//!
//! [`Pidspace`] is the loaded module: it makes, opens and lists spaces.  A [`Space`] is a handle
//! of one of them: it starts, adopts, lists, translates, watches, signals and ends what is in it.
//!
//! ```no_run
//! use std::process::Command;
//! use pidspace_client::{Options, Pidspace};
//!
//! let pidspace = Pidspace::connect()?;
//! let space = pidspace.create(&Options { name: Some("web".parse()?), ..Options::default() })?;
//! let mut child = space.mark()?.spawn(&mut Command::new("make"))?;
//! for member in space.members() {
//!     let member = member?;
//!     println!("local {} is global {:?}", member.nr, member.global);
//! }
//! child.wait()?;
//! space.destroy(true)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything above [`sys`] is safe code and works as well on a stand-in for the module; the
//! feature `testing` has one.

#![cfg_attr(
    not(test),
    warn(clippy::expect_used, clippy::panic, clippy::unwrap_used)
)]

mod error;
mod event;
mod hook;
mod info;
mod iter;
mod lookup;
mod options;
mod space;
pub mod sys;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod types;
mod watch;

use std::os::fd::BorrowedFd;

pub use nix::errno::Errno;
use pidspace_uapi::{
    pidspace_abi, pidspace_open, PIDSPACE_ABI_LEVEL, PIDSPACE_EVENTS_MAX, PIDSPACE_LOOKUP_IN_SPACE,
};

pub use error::{Call, Error};
pub use event::{Event, Exit, Interest, Kind, Ready};
pub use hook::{Hook, Purpose, HOOKS};
pub use info::{Abi, Adopted, Found, Info, Member, Mode, Signalled, State};
pub use iter::{Events, Hooks, Members, Spaces};
pub use options::{Binding, Changes, Options, Policies, Target};
pub use space::{Mark, Space};
use sys::{Device, Handle, Sys};
pub use types::{GlobalNr, LocalNr, Name, NameError, SpaceId, SpaceRef, SpaceRefError};

/// What this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The ABI level that this crate needs.
pub const ABI_LEVEL: u32 = PIDSPACE_ABI_LEVEL;

/// The most events that a stream can hold.
pub const EVENTS_MAX: u32 = PIDSPACE_EVENTS_MAX;

/// The loaded module.
#[derive(Debug)]
pub struct Pidspace<S: Sys = Device> {
    sys: S,
    handle: S::Handle,
    abi: Abi,
}

impl Pidspace<Device> {
    /// Opens the device and checks the ABI level of the module.
    pub fn connect() -> Result<Self> {
        Self::with(Device::default())
    }
}

impl<S: Sys> Pidspace<S> {
    /// Opens `sys` and checks its ABI level.
    pub fn with(sys: S) -> Result<Self> {
        let pidspace = Self::with_any_level(sys)?;
        if pidspace.abi.level < ABI_LEVEL {
            return Err(Error::Level {
                found: pidspace.abi.level,
                needed: ABI_LEVEL,
            });
        }
        Ok(pidspace)
    }

    /// Opens `sys` to look at it, whatever its ABI level.
    pub fn with_any_level(sys: S) -> Result<Self> {
        let handle = open_handle(&sys)?;
        let mut raw = pidspace_abi::default();
        handle
            .abi(&mut raw)
            .map_err(|errno| Error::new(Call::Abi, errno))?;
        let abi = Abi {
            level: raw.level,
            modes: raw.modes,
            hooks: raw.hooks,
            anomalies: raw.anomalies,
        };
        Ok(Self { sys, handle, abi })
    }

    /// What the module can do.
    pub fn abi(&self) -> &Abi {
        &self.abi
    }

    /// The hooks of the loaded module, those that are not in force too.
    pub fn hooks(&self) -> Hooks<'_, S::Handle> {
        Hooks::after(&self.handle, 0)
    }

    /// Makes a space.  The first one that is to confine its members puts hooks in force.
    pub fn create(&self, options: &Options) -> Result<Space<S::Handle>> {
        let handle = open_handle(&self.sys)?;
        let mut raw = options.to_raw();
        let call = match options.mode {
            Mode::Track => Call::Create,
            _ => Call::CreateConfined,
        };
        handle
            .create(&mut raw)
            .map_err(|errno| Error::new(call, errno))?;
        Space::new(handle, call, raw.id)
    }

    /// Opens a space that exists.
    pub fn open(&self, space: &SpaceRef) -> Result<Space<S::Handle>> {
        self.open_with(space, Binding::default())
    }

    /// Opens a space that exists, with a handle of a certain kind.
    pub fn open_with(&self, space: &SpaceRef, binding: Binding) -> Result<Space<S::Handle>> {
        let handle = open_handle(&self.sys)?;
        let mut raw = pidspace_open {
            flags: binding.flags(),
            events: binding.events,
            ..Default::default()
        };
        match space {
            SpaceRef::Name(name) => raw.name = name.to_raw(),
            SpaceRef::Id(id) => raw.id = id.get(),
        }
        handle
            .open(&mut raw)
            .map_err(|errno| Error::new(Call::Open, errno))?;
        Space::new(handle, Call::Open, raw.id)
    }

    /// The spaces that the caller may open, by ascending id.
    pub fn spaces(&self) -> Spaces<'_, S::Handle> {
        Spaces::after(&self.handle, 0)
    }

    /// The space of that id, where the caller may open it.
    pub fn space(&self, id: SpaceId) -> Result<Option<Info>> {
        let next = Spaces::after(&self.handle, id.get() - 1)
            .next()
            .transpose()?;
        Ok(next.filter(|info| info.id == id))
    }

    /// Finds a global number in all the spaces that the caller may open, and in its own.
    pub fn find(&self, nr: GlobalNr) -> Result<Found<LocalNr>> {
        lookup::one(
            &self.handle,
            PIDSPACE_LOOKUP_IN_SPACE,
            nr.as_raw(),
            LocalNr::from_raw,
        )
    }

    /// Finds the process of a pidfd like [`find`](Self::find).
    pub fn find_pidfd(&self, pidfd: BorrowedFd<'_>) -> Result<Found<LocalNr>> {
        lookup::pidfd(&self.handle, pidfd)
    }
}

fn open_handle<S: Sys>(sys: &S) -> Result<S::Handle> {
    sys.open()
        .map_err(|errno| Error::new(Call::OpenDevice, errno))
}
