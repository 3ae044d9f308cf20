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

#[kunit_tests(pidspace_registry)]
mod tests {
    use super::*;
    use crate::{
        logic::{
            Mode,
            PidMax, //
        },
        lookup::namespace_of_current,
        name::NAME_SIZE,
    };

    /// Users whom nothing else in the system belongs to.
    const USER: u32 = 0x7fff_0001;
    const OTHER: u32 = 0x7fff_0002;

    fn name(text: &[u8]) -> Name {
        let mut bytes = [0; NAME_SIZE];
        for (byte, letter) in bytes.iter_mut().zip(text) {
            *byte = *letter;
        }
        Name::parse(bytes).unwrap().unwrap()
    }

    fn make(name: Option<Name>, user: u32, limit: u32) -> Result<Arc<Space>> {
        create(Wanted {
            name,
            owner: Kuid::from_raw(kernel::bindings::kuid_t { val: user }),
            ns: namespace_of_current().ok_or(EINVAL)?,
            settings: Settings {
                mode: Mode::Track,
                pid_max: PidMax::DEFAULT,
                max_members: None,
                no_reuse: false,
                init: false,
            },
            stream: None,
            limit,
        })
    }

    fn end(space: &Space) {
        settle(space.id(), space.destroy().unwrap());
    }

    fn finds(space: &Arc<Space>) -> bool {
        by_id(space.id()).is_some_and(|found| Arc::ptr_eq(&found, space))
    }

    #[test]
    fn a_space_is_found_by_id_and_name_until_it_ends() {
        let own = name(b"kunit-found");
        let space = make(Some(own), USER, u32::MAX).unwrap();
        assert!(finds(&space));
        assert!(by_name(&own).is_some_and(|found| Arc::ptr_eq(&found, &space)));
        assert!(by_name(&name(b"kunit-foun")).is_none());
        end(&space);
        assert!(!finds(&space));
        assert!(by_name(&own).is_none());
    }

    #[test]
    fn a_space_without_a_name_goes_with_its_handle() {
        let space = make(None, USER, u32::MAX).unwrap();
        settle(space.id(), Fate::Keep);
        assert!(finds(&space));
        settle(space.id(), space.remove_handle(None));
        assert!(!finds(&space));
        settle(space.id(), Fate::Bury);
    }

    #[test]
    fn a_name_is_taken_until_the_space_ends() {
        let own = name(b"kunit-taken");
        let first = make(Some(own), USER, u32::MAX).unwrap();
        assert_eq!(make(Some(own), OTHER, u32::MAX).err(), Some(EEXIST));
        end(&first);
        let second = make(Some(own), OTHER, u32::MAX).unwrap();
        assert!(by_name(&own).is_some_and(|found| Arc::ptr_eq(&found, &second)));
        end(&second);
    }

    #[test]
    fn the_limit_holds_for_each_user() {
        let refused = Some(Refusal::TooManySpaces.into());
        let first = make(None, USER, 2).unwrap();
        let second = make(None, USER, 2).unwrap();
        assert_eq!(make(None, USER, 2).err(), refused);
        let other = make(None, OTHER, 1).unwrap();
        assert_eq!(make(None, OTHER, 1).err(), refused);
        end(&first);
        let third = make(None, USER, 2).unwrap();
        assert_eq!(make(None, USER, 2).err(), refused);
        for space in [second, third, other] {
            end(&space);
        }
        assert_eq!(make(None, USER, 0).err(), refused);
    }

    #[test]
    fn spaces_are_listed_by_ascending_ids_that_never_come_back() {
        let spaces = [(); 3].map(|()| make(None, USER, u32::MAX).unwrap());
        for pair in spaces.windows(2) {
            let next = next_after(pair[0].id());
            assert!(next.is_some_and(|next| Arc::ptr_eq(&next, &pair[1])));
        }
        let last = spaces[2].id();
        assert!(next_after(last).is_none());
        assert!(next_after(u64::MAX).is_none());
        for space in spaces {
            end(&space);
        }
        let space = make(None, USER, u32::MAX).unwrap();
        assert!(space.id() > last);
        end(&space);
    }
}
