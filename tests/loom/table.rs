// SPDX-License-Identifier: GPL-2.0

//! The module's table of bindings, from its own source, with births, ends and readers in every order:
//! what was put in is found until it is taken out, no memory is used after it was freed, and none is
//! left when the table was cleared.
#![cfg(test)]

#[path = "../../rust/module/table/mod.rs"]
mod table;

mod task {
    use std::marker::PhantomData;

    /// A `struct pid`, which is its number here.
    #[derive(Clone, Copy, PartialEq)]
    pub(crate) struct PidRef<'a>(u32, PhantomData<&'a ()>);

    impl PidRef<'_> {
        pub(crate) fn new(nr: u32) -> Self {
            Self(nr, PhantomData)
        }

        pub(crate) fn init_nr(self) -> u32 {
            self.0
        }
    }
}

mod binding {
    use crate::task::PidRef;

    #[derive(Debug)]
    pub(crate) struct Binding(pub(crate) u32);

    impl Binding {
        pub(crate) fn pid(&self) -> PidRef<'_> {
            PidRef::new(self.0)
        }

        pub(crate) fn is_of(&self, pid: PidRef<'_>) -> bool {
            self.pid() == pid
        }
    }
}

mod error {
    use kernel::prelude::*;

    pub(crate) enum Refusal {
        BadArgument,
    }

    impl From<Refusal> for Error {
        fn from(_: Refusal) -> Self {
            Self
        }
    }
}

mod logic {
    pub(crate) struct PidMax;

    impl PidMax {
        // Two leaves, of three numbers each.
        pub(crate) const LIMIT: u32 = 6;
    }
}

mod memory {
    use kernel::{
        alloc::Flags,
        bindings::callback_head,
        sync::{atomic::Atomic, rcu},
        types::Opaque,
    };

    pub(crate) type CallbackHead = Opaque<callback_head>;
    pub(crate) type RcuHead = CallbackHead;

    pub(crate) fn atomic_account() -> Flags {
        Flags
    }

    pub(crate) unsafe fn free_after_grace_period<T>(object: *mut T, _head: *const RcuHead) {
        // SAFETY: The caller promises it.
        unsafe { rcu::kfree_rcu(object) };
    }

    pub(crate) unsafe fn after_grace_period(
        head: &CallbackHead,
        callback: unsafe extern "C" fn(*mut callback_head),
    ) {
        // SAFETY: The caller promises it.
        unsafe { rcu::call_rcu(head.get(), callback) };
    }

    pub(crate) fn rcu_dereference<T>(place: &Atomic<*mut T>) -> *mut T {
        place.load_acquire()
    }
}

use binding::Binding;
use kernel::{
    alloc::Flags,
    prelude::*,
    sync::rcu::{self, read_lock},
};
use table::TABLE;
use task::PidRef;

/// Numbers of one leaf, and of another.
const A: u32 = 0;
const B: u32 = 1;
const FAR: u32 = 3;
const FARTHER: u32 = 4;

fn begin(nr: u32) {
    let guard = read_lock();
    let slot = TABLE
        .reserve(PidRef::new(nr), &guard)
        .expect("there is memory");
    let binding = KBox::init(Binding(nr), Flags).expect("there is memory");
    slot.publish(binding).expect("nobody else has the number");
}

fn is_there(nr: u32) -> bool {
    let guard = read_lock();
    let found = TABLE.find(PidRef::new(nr), &guard).is_some();
    assert_eq!(found, TABLE.has_under(nr, &guard));
    found
}

fn end(nr: u32) {
    let guard = read_lock();
    let binding = TABLE.find(PidRef::new(nr), &guard).expect("it was put in");
    let taken = TABLE.take(binding, &guard).expect("nobody else takes it");
    assert_eq!(taken.0, nr);
    // SAFETY: It is given away here.
    unsafe { rcu::kfree_rcu(KBox::into_raw(taken)) };
}

/// As the module's init and exit leave the table.
fn clear() {
    for nr in 0..logic::PidMax::LIMIT {
        assert!(!TABLE.has(nr));
    }
    TABLE.clear();
    assert_eq!(rcu::callbacks(), 0);
}

fn births_have_moved_on() {
    clear();
    begin(A);
    begin(FAR);
}

#[test]
fn a_birth_comes_as_the_leaf_is_leaving() {
    rcu::model(births_have_moved_on, [|| end(A), || begin(B)], || {
        assert!(is_there(B));
        end(B);
        end(FAR);
        clear();
    });
}

#[test]
fn births_move_on_as_the_last_of_a_leaf_ends() {
    rcu::model(
        || {
            clear();
            begin(A);
        },
        [|| end(A), || begin(FAR)],
        || {
            assert!(is_there(FAR));
            end(FAR);
            clear();
        },
    );
}

#[test]
fn two_end_at_once() {
    rcu::model(
        || {
            clear();
            begin(A);
            begin(B);
            begin(FAR);
        },
        [|| end(A), || end(B)],
        || {
            end(FAR);
            clear();
        },
    );
}

#[test]
fn a_leaf_is_left_while_it_is_read() {
    rcu::model(
        births_have_moved_on,
        [
            || end(A),
            || {
                TABLE.with(A, |binding, _| assert_eq!(binding.0, A));
                assert!(!TABLE.has(B));
                assert!(is_there(FAR));
            },
        ],
        || {
            end(FAR);
            clear();
        },
    );
}

#[test]
fn two_births_make_a_leaf() {
    rcu::model(clear, [|| begin(A), || begin(B)], || {
        end(A);
        end(B);
        clear();
    });
}

#[test]
fn one_comes_and_ends_as_another_does() {
    rcu::model(
        births_have_moved_on,
        [
            || end(A),
            || {
                begin(B);
                begin(FARTHER);
                end(B);
            },
        ],
        || {
            end(FAR);
            end(FARTHER);
            clear();
        },
    );
}

#[test]
fn the_table_is_cleared_before_the_grace_period_ends() {
    rcu::model(
        || {
            clear();
            begin(A);
            begin(FAR);
            end(A);
            begin(B);
            begin(FARTHER);
            end(B);
            end(FAR);
            end(FARTHER);
            clear();
        },
        [],
        || {},
    );
}

#[test]
fn a_number_keeps_the_binding_that_it_has() {
    rcu::model(
        || {
            clear();
            begin(A);
            let guard = read_lock();
            let slot = TABLE
                .reserve(PidRef::new(A), &guard)
                .expect("there is memory");
            let second = KBox::init(Binding(A), Flags).expect("there is memory");
            assert!(slot.publish(second).is_err());
        },
        [],
        || {
            end(A);
            clear();
        },
    );
}
