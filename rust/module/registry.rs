// SPDX-License-Identifier: GPL-2.0

//! All spaces: by id, by name, and how many each user has.
//!
//! # Locks
//!
//! The lock of the index is a leaf lock, taken in process context only, by the commands and where
//! a space ends, and never with the lock of a space held. What is taken out of the index is dropped
//! after unlocking.

use crate::{
    cred::raw_uid,
    error::Refusal,
    logic::Fate,
    name::Name,
    space::{
        Settings,
        Space, //
    },
    stream::Stream,
    table::TABLE,
};
use kernel::{
    pid_namespace::PidNamespace,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
    },
    task::Kuid,
};

kernel::sync::global_lock! {
    // SAFETY: `Registry::new()` is called before anything that uses it is armed.
    unsafe(uninit) static INDEX: SpinLock<Option<Index>> = None;
}

/// The id given out last.
static LAST_ID: Atomic<u64> = Atomic::new(0);

#[derive(Default)]
struct Index {
    spaces: RBTree<u64, Arc<Space>>,
    names: RBTree<Name, u64>,
    users: RBTree<u32, u32>,
}

/// Memory for what a new space adds to the index, had before the lock is taken.
struct Reserved {
    space: RBTreeNodeReservation<u64, Arc<Space>>,
    name: RBTreeNodeReservation<Name, u64>,
    user: RBTreeNodeReservation<u32, u32>,
}

/// What a space is to be like.
pub(crate) struct Wanted {
    pub(crate) name: Option<Name>,
    pub(crate) owner: Kuid,
    pub(crate) ns: ARef<PidNamespace>,
    pub(crate) settings: Settings,
    /// Of the handle that the caller binds to it.
    pub(crate) stream: Option<Arc<Stream>>,
    /// How many spaces the owner may have, this one included.
    pub(crate) limit: u32,
}

/// The right to use this file; dropping it gives back what an empty registry still holds.
pub(crate) struct Registry(());

impl Registry {
    /// Makes the registry usable.
    ///
    /// # Safety
    ///
    /// Must be called once, before any other function of this file.
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: The caller promises it.
        unsafe { INDEX.init() };
        Self(())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        TABLE.clear();
    }
}

/// Makes a space, kept by the handle that the caller binds to it.
///
/// # Errors
///
/// `EEXIST` when the name is taken, `EUSERS` when the user has too many, `ENOMEM`.
///
/// # Context
///
/// Process context. May sleep.
pub(crate) fn create(wanted: Wanted) -> Result<Arc<Space>> {
    let reserved = Reserved::new()?;
    let id = LAST_ID.fetch_add(1, Relaxed).wrapping_add(1);
    let Wanted {
        name,
        owner,
        ns,
        settings,
        stream,
        limit,
    } = wanted;
    let space = Space::new(id, name, owner, ns, settings, stream)?;
    let space = Arc::pin_init(space, GFP_KERNEL_ACCOUNT)?;
    let mut index = INDEX.lock();
    let index = index.get_or_insert_with(Index::default);
    index.admit(&space, limit)?;
    index.insert(space.clone(), reserved);
    Ok(space)
}

/// Returns the space of an id.
pub(crate) fn by_id(id: u64) -> Option<Arc<Space>> {
    INDEX.lock().as_ref()?.spaces.get(&id).cloned()
}

/// Returns the space of a name.
pub(crate) fn by_name(name: &Name) -> Option<Arc<Space>> {
    let index = INDEX.lock();
    let index = index.as_ref()?;
    index.spaces.get(index.names.get(name)?).cloned()
}

/// Returns the space with the lowest id above `id`.
pub(crate) fn next_after(id: u64) -> Option<Arc<Space>> {
    let index = INDEX.lock();
    let cursor = index
        .as_ref()?
        .spaces
        .cursor_lower_bound(&id.checked_add(1)?)?;
    Some(cursor.current().1.clone())
}

/// Does what `fate` asks for the space `id`, after something let go of that.
///
/// # Context
///
/// Process context, hooks included. Does not sleep.
pub(crate) fn settle(id: u64, fate: Fate) {
    if fate == Fate::Bury {
        let space = INDEX.lock().as_mut().and_then(|index| index.remove(id));
        drop(space);
    }
}

impl Reserved {
    fn new() -> Result<Self> {
        Ok(Self {
            space: RBTreeNodeReservation::new(GFP_KERNEL_ACCOUNT)?,
            name: RBTreeNodeReservation::new(GFP_KERNEL_ACCOUNT)?,
            user: RBTreeNodeReservation::new(GFP_KERNEL_ACCOUNT)?,
        })
    }
}

impl Index {
    fn admit(&self, space: &Space, limit: u32) -> Result<(), Refusal> {
        if space
            .name()
            .is_some_and(|name| self.names.get(name).is_some())
        {
            return Err(Refusal::NameTaken);
        }
        let count = self.users.get(&raw_uid(space.owner())).copied();
        if count.unwrap_or(0) >= limit {
            return Err(Refusal::TooManySpaces);
        }
        Ok(())
    }

    fn insert(&mut self, space: Arc<Space>, reserved: Reserved) {
        let user = raw_uid(space.owner());
        match self.users.get_mut(&user) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.users.insert(reserved.user.into_node(user, 1))),
        }
        if let Some(&name) = space.name() {
            drop(self.names.insert(reserved.name.into_node(name, space.id())));
        }
        let id = space.id();
        drop(self.spaces.insert(reserved.space.into_node(id, space)));
    }

    fn remove(&mut self, id: u64) -> Option<Arc<Space>> {
        let space = self.spaces.remove(&id)?;
        if let Some(name) = space.name() {
            self.names.remove(name);
        }
        let user = raw_uid(space.owner());
        let left = self.users.get_mut(&user).map(|count| {
            *count = count.saturating_sub(1);
            *count
        });
        if left == Some(0) {
            self.users.remove(&user);
        }
        Some(space)
    }
}
