// SPDX-License-Identifier: GPL-2.0

//! What ties a `struct pid` to a space: as a member, as a thread marked to spawn into it, or as
//! one that is being adopted.

use crate::{
    logic::Nr,
    memory::{
        atomic_account,
        free_after_grace_period,
        RcuHead, //
    },
    space::Space,
    task::PidRef, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    },
};

/// How the task of a new number stands.
pub(crate) struct Standing {
    /// The last signal to the space as a whole that the process is not to get any more.
    pub(crate) heard: i16,
    /// Whether the task is visible.
    pub(crate) born: bool,
    pub(crate) state: State,
}

/// What the task of a number is to the space.
#[derive(Clone, Copy)]
#[repr(i8)]
pub(crate) enum State {
    /// A member.
    Member,
    /// A member whose process has ended, so that no event tells of it any more.
    Ended,
    /// Being adopted, which may come to nothing.
    Claim,
    /// Being adopted, of a process that has ended.
    EndedClaim,
}

/// The tie between a `struct pid` and a space.
///
/// It is published in the table of all bindings from before its pid can be found until the hook on
/// `free_pid()`, which runs a grace period before that pid is freed. So whoever finds a binding
/// under RCU may use both it and its pid until the end of that critical section. That is why it
/// counts no reference on the pid.
pub(crate) struct Binding {
    pid: NonNull<bindings::pid>,
    space: NonNull<Space>,
    space_id: u64,
    /// Written with the space's lock held, before the binding is a member's.
    generation: Atomic<u64>,
    nr: Option<Nr>,
    /// The last signal to the space as a whole that the process got, or is not to get. Written
    /// with the space's lock held only.
    heard: Atomic<i16>,
    /// Whether the task is visible. A number is given before.
    born: Atomic<bool>,
    /// A [`State`]. Written with the space's lock held only.
    state: Atomic<i8>,
    /// Keeps the space of a mark; nobody reads it but who frees the binding.
    keep: Option<Arc<Space>>,
    rcu: RcuHead,
}

impl Binding {
    /// Makes a binding of `pid` to `space`: of a member to be, once [`Self::number`] has been
    /// called, or of a marked thread, and then `keep` holds the space. A member needs no such
    /// reference: the space lives while it has numbers in use.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    pub(crate) fn new(
        pid: PidRef<'_>,
        space: &Space,
        keep: Option<Arc<Space>>,
    ) -> Result<KBox<Self>> {
        let binding = Self {
            pid: pid.as_ptr(),
            space: NonNull::from(space),
            space_id: space.id(),
            generation: Atomic::new(0),
            nr: None,
            heard: Atomic::new(0),
            born: Atomic::new(false),
            state: Atomic::new(State::Member as i8),
            keep,
            rcu: RcuHead::uninit(),
        };
        Ok(KBox::new(binding, atomic_account())?)
    }

    /// Numbers the binding, not yet published.
    pub(crate) fn number(&mut self, nr: Nr, standing: Standing) {
        self.nr = Some(nr);
        self.heard = Atomic::new(standing.heard);
        self.born = Atomic::new(standing.born);
        self.state = Atomic::new(standing.state as i8);
    }

    /// Returns whether this is the binding of `pid`.
    pub(crate) fn is_of(&self, pid: PidRef<'_>) -> bool {
        self.pid == pid.as_ptr()
    }

    /// Returns the pid.
    ///
    /// The borrow is one that was got under RCU, or before the binding was published.
    pub(crate) fn pid(&self) -> PidRef<'_> {
        // SAFETY: While a binding can be borrowed its pid is not freed, as said at the type.
        let pid = unsafe { PidRef::from_raw(self.pid.as_ptr()) };
        match pid {
            Some(pid) => pid,
            // SAFETY: A `NonNull` is not null.
            None => unsafe { core::hint::unreachable_unchecked() },
        }
    }

    /// Returns the local number of a member or a claim; [`None`] of a marked thread.
    pub(crate) fn nr(&self) -> Option<Nr> {
        self.nr
    }

    /// Returns whether this is a member's.
    pub(crate) fn is_member(&self) -> bool {
        self.nr.is_some() && !self.is_claim()
    }

    /// Returns whether this is that of a task being adopted.
    pub(crate) fn is_claim(&self) -> bool {
        let state = self.state.load(Acquire);
        state == State::Claim as i8 || state == State::EndedClaim as i8
    }

    /// Returns whether the process has ended, as far as events tell.
    pub(crate) fn has_ended(&self) -> bool {
        let state = self.state.load(Relaxed);
        state == State::Ended as i8 || state == State::EndedClaim as i8
    }

    /// Notes that the process has ended.
    ///
    /// # Context
    ///
    /// Expects the space's lock held.
    pub(crate) fn set_ended(&self) {
        let ended = if self.is_claim() {
            State::EndedClaim
        } else {
            State::Ended
        };
        self.state.store(ended as i8, Release);
    }

    /// Makes a claim a member's.
    ///
    /// # Context
    ///
    /// Expects the space's lock held.
    pub(crate) fn commit(&self) {
        let member = if self.has_ended() {
            State::Ended
        } else {
            State::Member
        };
        self.state.store(member as i8, Release);
    }

    /// Returns whether the task is visible, or was.
    pub(crate) fn is_born(&self) -> bool {
        self.born.load(Acquire)
    }

    /// Notes that the task is visible.
    pub(crate) fn set_born(&self) {
        self.born.store(true, Release);
    }

    /// Returns whether the process got signal `number` to the space, or is not to get it.
    pub(crate) fn has_heard(&self, number: i16) -> bool {
        self.heard.load(Relaxed) == number
    }

    /// Notes that the process got signal `number` to the space.
    ///
    /// # Context
    ///
    /// Expects the space's lock held.
    pub(crate) fn set_heard(&self, number: i16) {
        self.heard.store(number, Relaxed);
    }

    /// Returns what identifies this use of the number in the space, for ever.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// Sets what [`Self::generation`] returns.
    pub(crate) fn set_generation(&self, generation: u64) {
        self.generation.store(generation, Relaxed);
    }

    /// Returns the id of the space.
    pub(crate) fn space_id(&self) -> u64 {
        self.space_id
    }

    /// Returns whether the binding is to `space`.
    pub(crate) fn is_in(&self, space: &Space) -> bool {
        self.space == NonNull::from(space)
    }

    /// Returns the space, which the binding keeps.
    ///
    /// # Safety
    ///
    /// The binding must not be released while the result is in use: it is the calling task's own
    /// and no claim, or that of a task that cannot run yet, or one that the caller has just taken
    /// from the table.
    pub(crate) unsafe fn space(&self) -> &Space {
        // SAFETY: A space is kept by its numbers and marks, and this one is not released.
        unsafe { self.space.as_ref() }
    }

    /// Frees the binding when nobody can be reading it any more.
    ///
    /// # Context
    ///
    /// Any context but NMI. Does not sleep.
    pub(crate) fn free_after_grace_period(binding: KBox<Self>) {
        let raw = KBox::into_raw(binding);
        // SAFETY: `raw` is a valid binding that this function owns, and the field is not read again.
        drop(unsafe { (&raw const (*raw).keep).read() });
        // SAFETY: `raw` is a valid binding that this function owns.
        let head = unsafe { &raw const (*raw).rcu };
        // SAFETY: `raw` came from `into_raw()`, `head` lies in it, and this function owned it.
        unsafe { free_after_grace_period(raw, head) };
    }
}

// SAFETY: A binding is not tied to a thread; its pointers are only followed as said at the methods.
unsafe impl Send for Binding {}

// SAFETY: A binding does not change once it is published, but for its atomics.
unsafe impl Sync for Binding {}
