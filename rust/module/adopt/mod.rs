// SPDX-License-Identifier: GPL-2.0

//! Adoption: a running process, or a tree of them, becomes a member of a space.
//!
//! Tasks are claimed one by one, and all claims become members at once, or none does. A walk over
//! all processes claims the children of who is claimed, until a walk finds nobody. Meanwhile the
//! tree changes, and three rules see to it that nobody gets lost:
//!
//! - A child is visible before `task_newtask`, where its parent's claim is looked for. So either the
//!   walk finds the child, as its parent was claimed before the walk began, or the hook finds the
//!   parent claimed. The same holds for the threads of a process, whose leader is claimed first.
//! - Whoever ends passes `sched_process_exit` while its children are still its own. If it descends
//!   from a claimed process, it claims who is between the two there, itself and its children. Who
//!   had begun to end before the adoption does not: its children count as orphans already.
//! - A number may be released while it is being claimed. The claim is published first, and then the
//!   task and its `struct pid` are looked at; `free_pid()` is called when they have parted and the
//!   latter is unused, and then looks for a claim. So one of the two takes the claim back.
//!
//! A fork that had passed `cgroup_can_fork()` before its parent was claimed ends in `task_newtask`
//! too, perhaps after the adoption: the child becomes a member there.

mod changes;
mod family;

pub(crate) use self::changes::{
    exiting,
    newtask, //
};
use crate::{
    cred::is_admin,
    error::Refusal,
    lookup::{
        find_for_current,
        pid_of_pidfd, //
    },
    membership, process,
    space::{
        Adopted,
        Number,
        Space, //
    },
    table::TABLE,
    task::{
        current_process,
        PidRef,
        Role,
        TaskRef, //
    },
};
use kernel::{
    fs::LocalFile,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        barrier::smp_mb,
        rcu, Arc,
    },
};

kernel::sync::global_lock! {
    // SAFETY: `init()` is called before anything that uses it.
    unsafe(uninit) static TURN: Mutex<()> = ();
}

kernel::sync::global_lock! {
    // SAFETY: `init()` is called before anything that uses it.
    unsafe(uninit) static ADOPTER: SpinLock<Option<Adopter>> = None;
}

/// Who adopts.
#[derive(Clone)]
struct Adopter {
    space: Arc<Space>,
    /// Which adoption it is.
    serial: u64,
    /// Whether descendants are adopted too.
    tree: bool,
    /// Whether the caller may take in anybody, where the space confines.
    privileged: bool,
}

/// How many adoptions there were.
static SERIAL: Atomic<u64> = Atomic::new(0);

/// Whether there is an adoption, so that nobody else has to ask for the lock.
static IN_PROGRESS: Atomic<bool> = Atomic::new(false);

/// Makes this file usable.
///
/// # Safety
///
/// Must be called once, before any other function of this file.
pub(crate) unsafe fn init() {
    // SAFETY: The caller promises it.
    unsafe { TURN.init() };
    // SAFETY: The caller promises it.
    unsafe { ADOPTER.init() };
}

/// The process to adopt.
pub(crate) enum Target {
    /// By what the calling task's pid namespace calls it.
    Nr(i32),
    /// By a pidfd.
    Pidfd(ARef<LocalFile>),
}

impl Target {
    fn find<'a>(&'a self, guard: &'a rcu::Guard) -> Result<PidRef<'a>> {
        match self {
            Self::Nr(nr) => Ok(find_for_current(*nr, guard).ok_or(Refusal::NoSuchMember)?),
            Self::Pidfd(file) => Ok(pid_of_pidfd(file).ok_or(Refusal::NotAPidfd)?),
        }
    }
}

/// Adopts the process of `root` into `space`, with all its descendants if it is a `tree`.
///
/// # Errors
///
/// `ESRCH` when it is no process; `EINVAL` when it is one of the kernel's, the first process, one
/// that has ended, or a tree that the caller is part of; `EBUSY`, `EEXIST`, `EAGAIN` and `ENOMEM`
/// as [`Space::claim`]; `EPERM` when the caller may not signal one of them, or may not confine one
/// of them and the space does. Nothing has changed then.
///
/// # Context
///
/// Process context. Sleeps. There is one adoption at a time in the whole machine.
pub(crate) fn adopt(space: &Arc<Space>, root: &Target, tree: bool) -> Result<Adopted> {
    let _turn = TURN.lock();
    let _space_turn = space.turn().lock();
    if membership::of_current(&rcu::read_lock()).is_some() {
        return Err(Refusal::IsMember.into());
    }
    let adopter = Adopter {
        space: space.clone(),
        serial: SERIAL.fetch_add(1, Relaxed),
        tree,
        privileged: !space.mode().confines() || is_admin(),
    };
    let _adoption = InProgress::start(&adopter)?;
    adopter.claim_root(root)?;
    let adopted = loop {
        let seen = if tree {
            adopter.claim_descendants()?
        } else {
            changes::claims_of_exits()
        };
        adopter.check_claims()?;
        if let Some(adopted) = space.commit(|| changes::claims_of_exits() == seen)? {
            break adopted;
        }
    };
    space.let_signals_pass();
    Ok(adopted)
}

/// An adoption in progress; dropping it ends it, and takes back what is claimed and not a member.
struct InProgress<'a>(&'a Space);

impl<'a> InProgress<'a> {
    fn start(adopter: &'a Adopter) -> Result<Self> {
        adopter.space.start_claiming(adopter.serial)?;
        *ADOPTER.lock() = Some(adopter.clone());
        IN_PROGRESS.store(true, Release);
        // Who had begun to end before sees no adoption, and everybody else does.
        smp_mb(Full);
        Ok(Self(&adopter.space))
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.0.stop_claiming();
        // The visitor returns no error.
        let _ = self.0.walk(|nr| {
            let guard = rcu::read_lock();
            if let Some(claim) = self.0.find_claim(nr, &guard) {
                membership::release(claim.pid());
            }
            Ok(())
        });
        IN_PROGRESS.store(false, Release);
        let adopter = ADOPTER.lock().take();
        drop(adopter);
    }
}

/// Returns who adopts at the moment.
fn adopter() -> Option<Adopter> {
    if IN_PROGRESS.load(Acquire) {
        ADOPTER.lock().clone()
    } else {
        None
    }
}

impl Adopter {
    fn claim_root(&self, root: &Target) -> Result {
        let guard = rcu::read_lock();
        let pid = root.find(&guard)?;
        let leader = pid.process(&guard).ok_or(Refusal::NoSuchMember)?;
        let is_first = pid.init_nr() == 1;
        if is_first || leader.is_kernel_thread() || leader.process_has_exited() {
            return Err(Refusal::BadArgument.into());
        }
        check_right(pid)?;
        self.claim_process(leader, &guard)?;
        // It may have ended before its claim was there, and then its children are orphans.
        if leader.process_has_exited() {
            return Err(Refusal::BadArgument.into());
        }
        Ok(())
    }

    /// Claims all that descend from who is claimed. Returns how often exits had claimed somebody before
    /// the last walk.
    ///
    /// A walk takes a process that a hook has just claimed for done, when the hook has still to claim
    /// its threads. Hooks hold RCU until they have.
    fn claim_descendants(&self) -> Result<u64> {
        loop {
            while self.claim_children(check_right, &rcu::read_lock())? {}
            let seen = changes::claims_of_exits();
            rcu::synchronize_rcu();
            if !self.claim_children(check_right, &rcu::read_lock())? {
                return Ok(seen);
            }
        }
    }

    /// Claims the processes whose parents are claimed, if they pass `check`. Returns whether there
    /// was any.
    ///
    /// Parents come before their children in the list of all processes, so one walk finds all
    /// descendants but for those that change places meanwhile.
    fn claim_children(
        &self,
        check: impl Fn(PidRef<'_>) -> Result,
        guard: &rcu::Guard,
    ) -> Result<bool> {
        let mut found = false;
        for process in process::all(guard) {
            if self.has_claimed_parent(process, guard) && !self.has_claimed(process, guard) {
                process.pid_as(Role::Tgid).map_or(Ok(()), &check)?;
                self.claim_process(process, guard)?;
                found = true;
            }
        }
        Ok(found)
    }

    /// Checks that the caller may adopt whom it has claimed, and whom the hooks have.
    fn check_claims(&self) -> Result {
        self.space.walk(|nr| {
            let guard = rcu::read_lock();
            let Some(claim) = self.space.find_claim(nr, &guard) else {
                return Ok(());
            };
            if claim.pid().process(&guard).is_none() {
                return Ok(());
            }
            if self.tree && current_process(&guard) == Some(claim.pid()) {
                return Err(Refusal::BadArgument.into());
            }
            check_right(claim.pid())
        })
    }

    /// Claims the process of `leader`: first the number of the process, which stands for all of it,
    /// and then those of its threads.
    fn claim_process(&self, leader: TaskRef<'_>, guard: &rcu::Guard) -> Result {
        let Some(process) = leader.pid_as(Role::Tgid) else {
            return Ok(());
        };
        self.claim(leader, process, Number::Kept, guard)?;
        // Who ends after this finds the claim and notes it.
        if leader.process_has_exited() {
            self.end(process, guard);
        }
        for thread in process::threads(leader, guard) {
            if let Some(pid) = thread.pid() {
                self.check_fit(thread)?;
                self.claim(thread, pid, Number::Kept, guard)?;
            }
        }
        Ok(())
    }

    /// Claims `pid`, that of `task`, and takes the claim back if that has been reaped meanwhile. A new
    /// task is on the kernel's lists a moment before its `struct pid` is in use: it has it already.
    fn claim(
        &self,
        task: TaskRef<'_>,
        pid: PidRef<'_>,
        number: Number,
        guard: &rcu::Guard,
    ) -> Result {
        self.space.claim(pid, number, self.serial, guard)?;
        smp_mb(Full);
        if !pid.is_in_use() && task.pid() != Some(pid) {
            membership::release(pid);
        }
        Ok(())
    }

    /// Checks that `task` may be confined if the space confines. It is asked of each thread, as none
    /// stands for the others; what is true once remains true, for its children too.
    fn check_fit(&self, task: TaskRef<'_>) -> Result {
        if !self.privileged && !task.has_no_new_privs() {
            return Err(Refusal::NotPermitted.into());
        }
        Ok(())
    }

    /// Notes that the process of `pid` has ended, if it is claimed.
    fn end(&self, pid: PidRef<'_>, guard: &rcu::Guard) {
        let claim = TABLE.find(pid, guard);
        if let Some(claim) = claim.filter(|claim| claim.is_in(&self.space)) {
            self.space.end_claim(claim);
        }
    }
}

/// Checks that the caller may adopt the process of `pid`.
fn check_right(pid: PidRef<'_>) -> Result {
    match pid.kill(0) {
        Err(error) if error != ESRCH && !is_admin() => Err(error),
        _ => Ok(()),
    }
}
