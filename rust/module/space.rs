// SPDX-License-Identifier: GPL-2.0

//! One space: its numbers, its bindings and its life.
//!
//! # Locks
//!
//! `inner` is a leaf lock, but for the XArray's own and the wait queue's, which nest in it. It is
//! taken in process context only: by the commands, by the hooks on `cgroup_can_fork()` and
//! `free_pid()`, never by any other hook and never with another lock of this module held.

use crate::{
    binding::Binding,
    error::Refusal,
    local::{
        LocalMap,
        Vacant, //
    },
    logic::{
        Error as Refused,
        Fate,
        Lifecycle,
        Nr,
        PidMap,
        PidMax,
        State, //
    },
    memory::Slab,
    module_ref::ModuleRef,
    name::Name,
    table::{
        Slot,
        TABLE, //
    },
    task::PidRef,
};
use kernel::{
    new_condvar, new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        barrier::smp_mb,
        rcu,
        CondVar,
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
    #[pin]
    inner: SpinLock<Inner>,
    #[pin]
    locals: LocalMap,
    /// Signalled when the space stops dying, one way or the other.
    #[pin]
    settled: CondVar,
    /// Children whose generation is at most this are to die as soon as they are born.
    doomed: Atomic<u64>,
    _module: ModuleRef,
}

/// What the lock of a space guards.
struct Inner {
    map: PidMap<Slab>,
    life: Lifecycle,
    /// How many numbers have been handed out so far: the generation of the last one.
    generation: u64,
    vacant: Vacant,
}

/// A snapshot of what changes about a space.
pub(crate) struct Status {
    pub(crate) dying: bool,
    pub(crate) pid_max: u32,
    pub(crate) last_nr: u32,
    pub(crate) generation: u64,
    pub(crate) numbers: u32,
    pub(crate) handles: u32,
    pub(crate) spawners: u32,
}

impl Space {
    /// A new space, kept by the handle that makes it.
    pub(crate) fn new(
        id: u64,
        name: Option<Name>,
        owner: Kuid,
        pid_max: PidMax,
    ) -> impl PinInit<Self> {
        let inner = Inner {
            map: PidMap::new(pid_max),
            life: Lifecycle::new(name.is_some()),
            generation: 0,
            vacant: None,
        };
        pin_init!(Self {
            id,
            name,
            owner,
            inner <- new_spinlock!(inner, "pidspace::Space::inner"),
            locals <- LocalMap::new(),
            settled <- new_condvar!("pidspace::Space::settled"),
            doomed: Atomic::new(0),
            _module: ModuleRef::get(),
        })
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

    /// Gives `pid`, which nobody can find yet, the next number.
    ///
    /// # Errors
    ///
    /// `EAGAIN` when the space is full or dying, `ENOMEM`; nothing has changed then.
    ///
    /// # Context
    ///
    /// Process context. Does not sleep.
    pub(crate) fn bind(&self, pid: PidRef<'_>, guard: &rcu::Guard) -> Result {
        let slot = TABLE.reserve(pid, guard)?;
        let mut binding = Binding::new(pid, self, None)?;
        let mut inner = self.inner.lock();
        inner.life.add_number()?;
        match inner.map.alloc() {
            Ok(nr) => {
                inner.generation = inner.generation.wrapping_add(1);
                binding.number(nr, inner.generation);
                let bound = self.publish(nr, slot, binding, &mut inner.vacant);
                if bound.is_err() {
                    inner.map.free(nr);
                    // The forking task keeps the space, so this cannot be its end.
                    let _ = inner.life.remove_number();
                }
                bound
            }
            Err(error) => {
                let _ = inner.life.remove_number();
                Err(error.into())
            }
        }
    }

    /// Expects the lock held. Nothing has changed when it fails.
    fn publish(&self, nr: Nr, slot: Slot, binding: KBox<Binding>, vacant: &mut Vacant) -> Result {
        self.locals.store(nr, &binding, vacant)?;
        slot.publish(binding).map_err(|binding| {
            self.locals.erase(nr, vacant);
            Binding::free_after_grace_period(binding);
            Refusal::NumberTaken.into()
        })
    }

    /// Takes back the number `nr`.
    ///
    /// # Context
    ///
    /// Process context. Does not sleep.
    pub(crate) fn release(&self, nr: Nr) -> Fate {
        let mut inner = self.inner.lock();
        self.locals.erase(nr, &mut inner.vacant);
        inner.map.free(nr);
        self.settle(inner.life.remove_number())
    }

    /// Returns the binding of a local number.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn find<'g>(&self, nr: Nr, guard: &'g rcu::Guard) -> Option<&'g Binding> {
        self.locals.find(nr, guard)
    }

    /// Fills `batch` with the lowest numbers in use from `from` on and returns how many there are.
    pub(crate) fn numbers_from(&self, from: Option<Nr>, batch: &mut [Nr]) -> usize {
        let inner = self.inner.lock();
        let mut filled = 0;
        let mut from = from;
        for slot in batch {
            let Some(nr) = from.and_then(|nr| inner.map.next_used(nr)) else {
                break;
            };
            *slot = nr;
            filled += 1;
            from = nr.next();
        }
        filled
    }

    /// Returns a snapshot of what changes.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    pub(crate) fn status(&self) -> Result<Status> {
        let inner = self.inner.lock();
        let life = &inner.life;
        Ok(Status {
            dying: match life.state() {
                State::Live => false,
                State::Dying => true,
                State::Dead => return Err(Refused::Dead.into()),
            },
            pid_max: inner.map.max().get(),
            last_nr: inner.map.last().map_or(0, Nr::get),
            generation: inner.generation,
            numbers: life.numbers(),
            handles: life.handles(),
            spawners: life.spawners(),
        })
    }

    /// Counts a handle in.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    pub(crate) fn add_handle(&self) -> Result {
        Ok(self.inner.lock().life.add_handle()?)
    }

    /// Counts a handle out.
    pub(crate) fn remove_handle(&self) -> Fate {
        self.inner.lock().life.remove_handle()
    }

    /// Counts a marked thread in.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    pub(crate) fn add_spawner(&self) -> Result {
        Ok(self.inner.lock().life.add_spawner()?)
    }

    /// Counts a marked thread out.
    pub(crate) fn remove_spawner(&self) -> Fate {
        self.inner.lock().life.remove_spawner()
    }

    /// Ends the space if it is empty.
    ///
    /// # Errors
    ///
    /// `EBUSY` when numbers are in use, `ESTALE` when the space is gone.
    pub(crate) fn destroy(&self) -> Result<Fate> {
        let mut inner = self.inner.lock();
        Ok(self.settle(inner.life.destroy()?))
    }

    /// Lets nobody in any more and ends the space with its last number, which may be now.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    pub(crate) fn destroy_with_members(&self) -> Result<Fate> {
        let mut inner = self.inner.lock();
        Ok(self.settle(inner.life.destroy_with_members()?))
    }

    /// Takes [`Self::destroy_with_members`] back.
    pub(crate) fn cancel_destroy(&self) {
        self.inner.lock().life.cancel_destroy();
        self.settled.notify_all();
    }

    /// Waits until the space stops dying. Returns whether it is gone.
    ///
    /// # Errors
    ///
    /// `EINTR` when a signal comes first.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn wait_settled(&self) -> Result<bool> {
        let mut inner = self.inner.lock();
        loop {
            match inner.life.state() {
                State::Dead => return Ok(true),
                State::Live => return Ok(false),
                State::Dying if self.settled.wait_interruptible(&mut inner) => {
                    return Err(Refusal::Interrupted.into());
                }
                State::Dying => (),
            }
        }
    }

    /// Makes forks fail until [`Self::end_kill`]. Returns the generation of the last member that
    /// there is.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    pub(crate) fn begin_kill(&self) -> Result<u64> {
        let mut inner = self.inner.lock();
        inner.life.begin_kill()?;
        Ok(inner.generation)
    }

    /// Lets forks succeed again.
    pub(crate) fn end_kill(&self) {
        self.inner.lock().life.end_kill();
    }

    /// Dooms every child that is being born and whose generation is at most `generation`.
    ///
    /// Pairs with [`Self::dooms`]: either a walk over the members that follows this call finds the
    /// child's task, or the child's parent finds the child doomed.
    pub(crate) fn doom(&self, generation: u64) {
        let inner = self.inner.lock();
        if self.doomed.load(Relaxed) < generation {
            self.doomed.store(generation, Relaxed);
        }
        drop(inner);
        smp_mb(Full);
    }

    /// Returns whether a child that has just become visible must die.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn dooms(&self, binding: &Binding) -> bool {
        smp_mb(Full);
        binding.generation() <= self.doomed.load(Relaxed)
    }

    fn settle(&self, fate: Fate) -> Fate {
        if fate == Fate::Bury {
            self.settled.notify_all();
        }
        fate
    }
}
