// SPDX-License-Identifier: GPL-2.0

//! What keeps a space, and its end.

use super::{
    flags::Flag,
    Inner,
    Space, //
};
use crate::{
    error::Refusal,
    logic::{
        Fate,
        State, //
    },
    memory::atomic_account,
    stream::Stream,
    uapi, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// How many streams a space may have: each fork and exit in it writes to all of them.
const MAX_STREAMS: usize = uapi::PIDSPACE_STREAMS_MAX as usize;

impl Space {
    /// Counts a handle in, whose stream gets the events from now on if it has one.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone, `EUSERS` when it has as many streams as it may, `ENOMEM`.
    pub(crate) fn add_handle(&self, stream: Option<Arc<Stream>>) -> Result {
        let mut inner = self.inner.lock();
        inner.life.must_exist()?;
        if let Some(stream) = stream {
            if inner.streams.len() >= MAX_STREAMS {
                return Err(Refusal::TooManyStreams.into());
            }
            inner.streams.push(stream, atomic_account())?;
            self.flags.set(Flag::Streamed, true);
        }
        Ok(inner.life.add_handle()?)
    }

    /// Counts a handle out, and its stream.
    pub(crate) fn remove_handle(&self, stream: Option<&Arc<Stream>>) -> Fate {
        let mut inner = self.inner.lock();
        if let Some(stream) = stream {
            inner.streams.retain(|other| !Arc::ptr_eq(other, stream));
            self.flags.set(Flag::Streamed, !inner.streams.is_empty());
        }
        inner.life.remove_handle()
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
        let fate = inner.life.destroy()?;
        Ok(self.settle(&mut inner, fate))
    }

    /// Lets nobody in any more and ends the space with its last number, which may be now. Returns
    /// also whether it was live until now.
    ///
    /// # Errors
    ///
    /// `ESTALE` when the space is gone.
    pub(crate) fn destroy_with_members(&self) -> Result<(Fate, bool)> {
        let mut inner = self.inner.lock();
        let was_live = inner.life.state() == State::Live;
        let fate = inner.life.destroy_with_members()?;
        Ok((self.settle(&mut inner, fate), was_live))
    }

    /// Takes [`Self::destroy_with_members`] back, which only who called it may do.
    pub(crate) fn cancel_destroy(&self) {
        let mut inner = self.inner.lock();
        inner.life.cancel_destroy();
        self.changed.notify_all();
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
                State::Dying if self.changed.wait_interruptible(&mut inner) => {
                    return Err(Refusal::Interrupted.into());
                }
                State::Dying => (),
            }
        }
    }

    /// Tells everybody who waits when the space has ended.
    pub(super) fn settle(&self, inner: &mut Inner, fate: Fate) -> Fate {
        if fate == Fate::Bury {
            self.changed.notify_all();
            for stream in &inner.streams {
                stream.close();
            }
            self.activity.notify_all();
        }
        fate
    }
}
