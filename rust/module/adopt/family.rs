// SPDX-License-Identifier: GPL-2.0

//! Whether a process of a tree that is adopted descends from a claimed one, while all of them may end.

use super::Adopter;
use crate::{
    table::TABLE,
    task::{
        Role,
        TaskRef, //
    },
};
use kernel::sync::{
    atomic::Full,
    barrier::smp_mb,
    rcu, //
};

/// How many generations of ancestors are looked at: more than there are numbers.
const ANCESTORS: usize = 1 << 22;

impl Adopter {
    /// Returns whether the process of `task` is claimed.
    pub(super) fn has_claimed(&self, task: TaskRef<'_>, guard: &rcu::Guard) -> bool {
        task.pid_as(Role::Tgid)
            .and_then(|pid| TABLE.find(pid, guard))
            .is_some_and(|binding| binding.is_claim() && binding.is_in(&self.space))
    }

    /// Returns whether the parent of the process of `task` is claimed.
    pub(super) fn has_claimed_parent(&self, task: TaskRef<'_>, guard: &rcu::Guard) -> bool {
        let mut parent = task.parent();
        loop {
            if parent.is_some_and(|parent| self.has_claimed(parent, guard)) {
                return true;
            }
            // A claim goes with its process, which hands its children on before that.
            smp_mb(Full);
            let now = task.parent();
            if now == parent {
                return false;
            }
            parent = now;
        }
    }

    /// Returns whether the process of `task` is claimed, or descends from one that is.
    pub(super) fn has_ancestor(&self, task: TaskRef<'_>, guard: &rcu::Guard) -> bool {
        let mut ancestor = task;
        for _ in 0..ANCESTORS {
            // The order matters: who takes the parent away claims the child first.
            let parent = ancestor.parent();
            smp_mb(Full);
            if self.has_claimed(ancestor, guard) {
                return true;
            }
            // A claim goes with its process, which hands its children on before that.
            smp_mb(Full);
            ancestor = match parent {
                _ if ancestor.pid_as(Role::Tgid).is_none() => task,
                Some(parent) if parent != ancestor => parent,
                _ => return false,
            };
        }
        false
    }
}
