// SPDX-License-Identifier: GPL-2.0

//! One space: its numbers, its bindings, its life and what it reports.
//!
//! # Locks
//!
//! `turn` is taken first, by commands only: whoever signals the space as a whole or adopts into it
//! holds it all the while.
//!
//! `inner` is taken in process context only: by the commands and by the hooks, which hold no lock
//! then. In it nest the locks of a stream, of the wait queues and, while a signal is
//! sent, the siglock of its target.

mod births;
mod events;
mod flags;
mod life;
mod numbers;
mod tighten;

pub(crate) use self::numbers::{
    Adopted,
    Number, //
};
use self::tighten::Tightening;
use self::{
    births::Broadcast,
    flags::{
        Flag,
        Flags, //
    },
};
use crate::{
    error::Refusal,
    local::{
        Emptied,
        LocalMap, //
    },
    logic::{
        Lifecycle,
        Mode,
        Nr,
        PidMap,
        PidMax,
        State, //
    },
    memory::Slab,
    module_ref::ModuleRef,
    name::Name,
    stream::Stream,
};
use core::num::NonZeroU32;
use kernel::{
    new_condvar, new_mutex, new_spinlock,
    pid_namespace::PidNamespace,
    prelude::*,
    sync::{
        aref::ARef,
        poll::PollCondVarBox,
        Arc,
        CondVar,
        Mutex,
        SpinLock, //
    },
    task::Kuid,
};

/// A space.
#[pin_data]
pub(crate) struct Space {
    id: u64,
    name: Option<Name>,
    owner: Kuid,
    /// Where the numbers are from that adopted tasks keep.
    ns: ARef<PidNamespace>,
    #[pin]
    turn: Mutex<()>,
    /// Taken within `turn`. Within it, by who reports the end of a process, the `stats_lock` of that.
    #[pin]
    inner: SpinLock<Inner>,
    locals: LocalMap,
    /// Signalled when the space stops dying, one way or the other, and when a birth is decided that
    /// a broadcast may wait for.
    #[pin]
    changed: CondVar,
    /// Signalled when a handle may have become ready.
    activity: PollCondVarBox,
    flags: Flags,
    _module: ModuleRef,
}

/// What the lock of a space guards.
struct Inner {
    map: PidMap<Slab>,
    life: Lifecycle,
    /// How many numbers have been handed out so far: the generation of the last one.
    generation: u64,
    emptied: Emptied,
    /// Whether there were members since the space was reported to be empty.
    populated: bool,
    no_reuse: bool,
    broadcast: Broadcast,
    adoption: Adoption,
    tightening: Tightening,
    streams: KVec<Arc<Stream>>,
}

/// Where an adoption into a space stands.
enum Adoption {
    /// There is none.
    None,
    /// Tasks are being claimed, for the adoption of that serial number.
    Claiming(u64),
    /// A hook could not claim a task, so that it has to be undone.
    Failed(u64, Error),
}

impl Adoption {
    /// Returns why the adoption cannot go on, if it is over or has failed.
    fn must_go_on(&self, serial: u64) -> Result {
        match *self {
            Self::Claiming(own) if own == serial => Ok(()),
            Self::Failed(own, error) if own == serial => Err(error),
            _ => Err(Refusal::NoAdoption.into()),
        }
    }

    fn is(&self, serial: u64) -> bool {
        match *self {
            Self::None => false,
            Self::Claiming(own) | Self::Failed(own, _) => own == serial,
        }
    }
}

/// What whoever makes a space chooses, and may change later.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) pid_max: PidMax,
    pub(crate) max_members: Option<NonZeroU32>,
    pub(crate) no_reuse: bool,
    pub(crate) init: bool,
}

/// A snapshot of what changes about a space.
pub(crate) struct Status {
    pub(crate) dying: bool,
    pub(crate) settings: Settings,
    pub(crate) last_nr: u32,
    pub(crate) generation: u64,
    pub(crate) numbers: u32,
    pub(crate) handles: u32,
    pub(crate) spawners: u32,
}

impl Space {
    /// A new space, kept by the handle that makes it, whose `stream` gets the events.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// Process context. May sleep.
    pub(crate) fn new(
        id: u64,
        name: Option<Name>,
        owner: Kuid,
        ns: ARef<PidNamespace>,
        settings: Settings,
        stream: Option<Arc<Stream>>,
    ) -> Result<impl PinInit<Self>> {
        let mut streams = KVec::new();
        if let Some(stream) = stream {
            streams.push(stream, GFP_KERNEL_ACCOUNT)?;
        }
        let flags = Flags::new();
        flags.set(Flag::Streamed, !streams.is_empty());
        flags.set(Flag::Init, settings.init);
        flags.set(Flag::Scope, settings.mode.confines());
        let activity =
            PollCondVarBox::new(c"pidspace::Space::activity", kernel::static_lock_class!())?;
        let inner = Inner {
            map: PidMap::new(settings.pid_max),
            life: Lifecycle::new(name.is_some()),
            generation: 0,
            emptied: None,
            populated: false,
            no_reuse: settings.no_reuse,
            broadcast: Broadcast::default(),
            adoption: Adoption::None,
            tightening: Tightening::None,
            streams,
        };
        Ok(pin_init!(Self {
            id,
            name,
            owner,
            ns,
            turn <- new_mutex!((), "pidspace::Space::turn"),
            inner <- new_spinlock!(inner.limited(settings.max_members), "pidspace::Space::inner"),
            locals: LocalMap::new(),
            changed <- new_condvar!("pidspace::Space::changed"),
            activity,
            flags,
            _module: ModuleRef::get(),
        }))
    }

    /// Returns the id, never used again for another space.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Returns the name.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Returns the effective uid of the creator.
    pub(crate) fn owner(&self) -> Kuid {
        self.owner
    }

    /// Returns the lock of whoever signals the space as a whole or adopts into it.
    ///
    /// # Context
    ///
    /// Process context. May sleep.
    pub(crate) fn turn(&self) -> &Mutex<()> {
        &self.turn
    }

    /// Returns a snapshot of what changes.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    pub(crate) fn status(&self) -> Result<Status> {
        let inner = self.inner.lock();
        let life = &inner.life;
        life.must_exist()?;
        Ok(Status {
            dying: life.state() == State::Dying,
            settings: self.settings(&inner),
            last_nr: inner.map.last().map_or(0, Nr::get),
            generation: inner.generation,
            numbers: life.numbers(),
            handles: life.handles(),
            spawners: life.spawners(),
        })
    }

    /// Returns what the space does to its members.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn mode(&self) -> Mode {
        if self.flags.has(Flag::Scope) {
            Mode::Scope
        } else {
            Mode::Track
        }
    }

    fn settings(&self, inner: &Inner) -> Settings {
        Settings {
            mode: self.mode(),
            pid_max: inner.map.max(),
            max_members: inner.life.limit(),
            no_reuse: inner.no_reuse,
            init: self.flags.has(Flag::Init),
        }
    }
}

impl Inner {
    /// Counts a number that has become a member's.
    fn count_member(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.populated = true;
    }

    fn limited(mut self, limit: Option<NonZeroU32>) -> Self {
        self.life.set_limit(limit);
        self
    }
}
