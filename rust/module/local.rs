// SPDX-License-Identifier: GPL-2.0

//! The bindings of one space, by local number: a radix tree, which readers walk under RCU.
//!
//! A node knows how far up it is, so the tree can get a new root above the old one while somebody
//! reads. Nodes that are empty are unhooked, and freed a grace period later, but for the leaf that
//! got empty last: numbers are handed out in order, so the next child of a lone parent nearly always
//! needs the leaf that the last one left empty.
//!
//! It costs a fork a fraction of what the kernel's XArray does, which knows marks, ranges and locks.

use crate::{
    binding::Binding,
    logic::{
        Nr,
        PidMax, //
    },
    memory::{
        atomic_account,
        free_after_grace_period,
        rcu_dereference,
        RcuHead, //
    },
};
use core::{
    cell::Cell,
    marker::PhantomData,
    ptr, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Release, //
        },
        rcu, //
    },
};

/// As many as make a node fill a slab object.
const ENTRIES: usize = 512 / size_of::<usize>() - 3;
const _: () = assert!(size_of::<Node>() <= 512);
const _: () = assert!(ENTRIES.pow(4) >= PidMax::LIMIT as usize);

/// A number whose leaf was the last to get empty.
pub(crate) type Emptied = Option<Nr>;

struct Node {
    /// How many levels there are below. The entries of level 0 are bindings, the others nodes.
    level: u8,
    /// How many entries are not null. It is the writers' alone.
    used: Cell<u8>,
    rcu: RcuHead,
    entries: [Atomic<*mut c_void>; ENTRIES],
}

// SAFETY: All-zero bytes are a leaf without entries, and a head that means nothing yet.
unsafe impl Zeroable for Node {}

/// Returns the lowest level at which a root has `nr` below it.
fn level_for(nr: Nr) -> u8 {
    match nr.get() as usize / ENTRIES {
        0 => 0,
        leaf if leaf < ENTRIES => 1,
        leaf if leaf < ENTRIES.pow(2) => 2,
        _ => 3,
    }
}

impl Node {
    fn new(level: u8) -> Result<KBox<Self>, AllocError> {
        // A node is too large to be built on the stack of a fork.
        let node = KBox::init(
            init!(Self {
                level,
                ..Zeroable::init_zeroed()
            }),
            atomic_account(),
        );
        node.map_err(|_| AllocError)
    }

    fn entry(&self, nr: Nr) -> Option<&Atomic<*mut c_void>> {
        let nr = nr.get() as usize;
        let at = match self.level {
            0 => nr,
            1 => nr / ENTRIES,
            2 => nr / ENTRIES.pow(2),
            _ => nr / ENTRIES.pow(3),
        };
        self.entries.get(at % ENTRIES)
    }

    fn load(&self, nr: Nr) -> *mut c_void {
        self.entry(nr).map_or(ptr::null_mut(), rcu_dereference)
    }

    /// Sets the entry of `nr`, which is null.
    fn set(&self, nr: Nr, value: *mut c_void) {
        if let Some(entry) = self.entry(nr) {
            entry.store(value, Release);
            self.used.set(self.used.get().saturating_add(1));
        }
    }

    /// Clears the entry of `nr`, which is not null.
    fn clear(&self, nr: Nr) {
        if let Some(entry) = self.entry(nr) {
            entry.store(ptr::null_mut(), Release);
            self.used.set(self.used.get().saturating_sub(1));
        }
    }

    fn is_empty(&self) -> bool {
        self.used.get() == 0
    }

    /// Returns the node that `nr` is below, of one that is no leaf.
    fn below(&self, nr: Nr) -> Option<&Self> {
        // SAFETY: Who can borrow a node holds RCU or the lock, so the nodes below are not freed.
        unsafe { self.load(nr).cast::<Self>().as_ref() }
    }

    /// Frees the nodes that `nr` is below as far as they are empty, but not this one.
    fn prune(&self, nr: Nr) {
        if self.level == 0 {
            return;
        }
        if let Some(below) = self.below(nr) {
            below.prune(nr);
            if below.is_empty() {
                self.clear(nr);
                below.free();
            }
        }
    }

    /// Frees the node, which is unhooked, when nobody can be reading it any more.
    fn free(&self) {
        let this = ptr::from_ref(self).cast_mut();
        // SAFETY: Nodes come from `KBox`, `rcu` is a field of this one, and it has no user any more
        // but readers under RCU.
        unsafe { free_after_grace_period(this, &self.rcu) };
    }
}

/// The bindings of one space, by local number, which it does not own.
///
/// Writers are serialised by the lock of the space; readers hold RCU.
pub(crate) struct LocalMap<T = Binding> {
    root: Atomic<*mut Node>,
    _entries: PhantomData<*mut T>,
}

impl<T> LocalMap<T> {
    /// An empty map, which owns no memory yet.
    pub(crate) fn new() -> Self {
        Self {
            root: Atomic::new(ptr::null_mut()),
            _entries: PhantomData,
        }
    }

    /// Returns the root, to who holds RCU or the lock.
    fn root(&self) -> Option<&Node> {
        // SAFETY: The root is not freed while the caller holds what is said above.
        unsafe { rcu_dereference(&self.root).as_ref() }
    }

    /// Returns the leaf of `nr`, to who holds RCU or the lock.
    fn leaf(&self, nr: Nr) -> Option<&Node> {
        let mut node = self.root()?;
        if level_for(nr) > node.level {
            return None;
        }
        while node.level > 0 {
            node = node.below(nr)?;
        }
        Some(node)
    }

    /// Returns the leaf of `nr`, made together with what leads there. What is made stays when this
    /// fails.
    fn make_leaf(&self, nr: Nr) -> Result<&Node, AllocError> {
        let mut node = self.make_root(level_for(nr))?;
        while node.level > 0 {
            if node.load(nr).is_null() {
                let below = Node::new(node.level.saturating_sub(1))?;
                node.set(nr, KBox::into_raw(below).cast());
            }
            node = node.below(nr).ok_or(AllocError)?;
        }
        Ok(node)
    }

    /// Returns the root, made at least as high as `level`.
    fn make_root(&self, level: u8) -> Result<&Node, AllocError> {
        loop {
            let root = match self.root() {
                Some(root) if root.level >= level => return Ok(root),
                Some(root) => {
                    let above = Node::new(root.level.saturating_add(1))?;
                    above.set(Nr::FIRST, ptr::from_ref(root).cast_mut().cast());
                    above
                }
                None => Node::new(level)?,
            };
            self.root.store(KBox::into_raw(root), Release);
        }
    }

    /// Frees the nodes that `nr` is below as far as they are empty.
    fn prune(&self, nr: Nr) {
        let Some(root) = self.root() else {
            return;
        };
        if level_for(nr) <= root.level {
            root.prune(nr);
        }
        if root.is_empty() {
            self.root.store(ptr::null_mut(), Release);
            root.free();
        }
    }

    /// Notes the binding of `nr`, which has none.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    ///
    /// # Context
    ///
    /// Expects the space's lock held. Does not sleep.
    pub(crate) fn store(&self, nr: Nr, binding: &T) -> Result {
        match self.make_leaf(nr) {
            Ok(leaf) => leaf.set(nr, ptr::from_ref(binding).cast_mut().cast()),
            Err(error) => {
                self.prune(nr);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Forgets the binding of `nr`, which has one.
    ///
    /// # Context
    ///
    /// Expects the space's lock held. Does not sleep.
    pub(crate) fn erase(&self, nr: Nr, emptied: &mut Emptied) {
        let Some(leaf) = self.leaf(nr) else {
            return;
        };
        leaf.clear(nr);
        if leaf.is_empty() {
            let leaf_of = |nr: Nr| nr.get() as usize / ENTRIES;
            if let Some(before) = emptied.replace(nr).filter(|&it| leaf_of(it) != leaf_of(nr)) {
                self.prune(before);
            }
        }
    }

    /// Returns the binding of `nr`.
    ///
    /// # Context
    ///
    /// Any context.
    pub(crate) fn find<'g>(&self, nr: Nr, _guard: &'g rcu::Guard) -> Option<&'g T> {
        let binding = self.leaf(nr)?.load(nr);
        // SAFETY: A binding is erased before it is freed, which takes a grace period more.
        unsafe { binding.cast::<T>().as_ref() }
    }
}

impl<T> Drop for LocalMap<T> {
    fn drop(&mut self) {
        // SAFETY: Nobody uses the map any more.
        unsafe { free_tree(rcu_dereference(&self.root)) };
    }
}

/// Frees a tree of nodes: of a map without bindings the leaf that got empty last, and what leads
/// there.
///
/// # Safety
///
/// `root` must be null or come from [`KBox::into_raw`], and nobody must use it any more.
unsafe fn free_tree(root: *mut Node) {
    if root.is_null() {
        return;
    }
    // SAFETY: The caller promises it.
    let node = unsafe { KBox::from_raw(root) };
    if node.level > 0 {
        for entry in &node.entries {
            // SAFETY: The entries of such a node are nodes, which go with it.
            unsafe { free_tree(rcu_dereference(entry).cast()) };
        }
    }
}

// SAFETY: Nodes are not tied to a thread, and what they point to is not the map's.
unsafe impl<T: Sync> Send for LocalMap<T> {}

// SAFETY: As documented, writers hold a lock and readers RCU, and those leave `used` alone.
unsafe impl<T: Sync> Sync for LocalMap<T> {}

#[kunit_tests(pidspace_local)]
mod tests {
    use super::*;

    /// Numbers on both sides of where the tree has to grow, and the last one.
    const CORNERS: [u32; 10] = [
        1, 60, 61, 3720, 3721, 3722, 226_980, 226_981, 226_982, 4_194_303,
    ];

    fn corners() -> impl DoubleEndedIterator<Item = (Nr, &'static u32)> {
        CORNERS.iter().filter_map(|nr| Some((Nr::new(*nr)?, nr)))
    }

    fn found(map: &LocalMap<u32>, nr: Nr) -> Option<u32> {
        map.find(nr, &rcu::read_lock()).copied()
    }

    #[test]
    fn what_is_stored_is_found_while_the_tree_grows_and_shrinks() {
        let map = LocalMap::new();
        let mut emptied = None;
        for (nr, value) in corners() {
            assert_eq!(found(&map, nr), None);
            assert!(map.store(nr, value).is_ok());
            assert_eq!(found(&map, nr), Some(*value));
        }
        assert!(corners().all(|(nr, value)| found(&map, nr) == Some(*value)));
        for (nr, _) in corners().rev() {
            map.erase(nr, &mut emptied);
            assert_eq!(found(&map, nr), None);
        }
        assert!(corners().all(|(nr, _)| found(&map, nr).is_none()));
    }

    #[test]
    fn a_high_number_comes_first() {
        let map = LocalMap::new();
        for (nr, value) in corners().rev() {
            assert!(map.store(nr, value).is_ok());
        }
        assert!(corners().all(|(nr, value)| found(&map, nr) == Some(*value)));
    }

    #[test]
    fn an_empty_tree_keeps_the_leaf_that_was_emptied_last() {
        let map = LocalMap::new();
        let mut emptied = None;
        for (nr, value) in corners() {
            assert!(map.store(nr, value).is_ok());
            map.erase(nr, &mut emptied);
            assert_eq!(emptied, Some(nr));
            assert!(map.leaf(nr).is_some_and(Node::is_empty));
        }
        for (nr, _) in corners() {
            map.prune(nr);
        }
        assert!(map.root().is_none());
    }
}
