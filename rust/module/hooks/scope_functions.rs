// SPDX-License-Identifier: GPL-2.0

//! The kernel functions that are hooked for mode SCOPE, and their arguments.

use super::{
    ftrace::{
        Call,
        Function, //
    },
    symbol::Symbol, //
};
use crate::{
    lookup::NsRef,
    task::{
        PidRef,
        TaskRef, //
    },
};
use kernel::{
    bindings,
    prelude::*, //
};

extern "C" {
    fn pidspace_pidfd_pid(file: *mut c_void) -> *mut c_void;
    fn pidspace_proc_dentry_pid(dentry: *mut c_void) -> *mut c_void;
    fn pidspace_proc_inode_pid(inode: *mut c_void) -> *mut c_void;
}

/// Defines functions that take a number, as the calling task's pid namespace has it, first.
macro_rules! take_number {
    ($($(#[$doc:meta])* $name:ident, $symbol:literal, $loss:literal;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        // SAFETY: The argument is read as the prototype says. The callers cope with NULL, as there
        // may be nobody of that number.
        unsafe impl Function for $name {
            const SYMBOLS: &'static [Symbol] = &[Symbol::required($symbol, $loss)];
            const MAY_REFUSE: bool = true;
            type Arguments<'a> = c_int;

            fn arguments(call: Call<'_>) -> Option<c_int> {
                Some(call.argument::<0>() as c_int)
            }
        }
    )*};
}

take_number! {
    /// `struct pid *find_vpid(int nr)`, with RCU or `tasklist_lock` held, interrupts on or off.
    FindVpid, c"find_vpid", "kill(2) and more find processes outside";
    /// `struct pid *find_get_pid(pid_t nr)`, which takes a reference.
    FindGetPid, c"find_get_pid", "wait(2) and sockets find processes outside";
    /// `struct task_struct *find_task_by_vpid(pid_t vnr)`, with RCU held.
    FindTaskByVpid, c"find_task_by_vpid", "prlimit(2), sched(7) and more find tasks outside";
    /// `struct task_struct *find_get_task_by_vpid(pid_t nr)`, which takes a reference.
    FindGetTaskByVpid, c"find_get_task_by_vpid", "ptrace(2) and more find tasks outside";
}

/// A number in a pid namespace.
pub(super) struct Numbered<'a> {
    pub(super) nr: c_int,
    pub(super) ns: NsRef<'a>,
}

/// Defines functions that take a number and the pid namespace that it is from.
macro_rules! take_numbered {
    ($($(#[$doc:meta])* $name:ident, $symbol:literal, $loss:literal;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        // SAFETY: As for the functions above; the callers hold the namespace.
        unsafe impl Function for $name {
            const SYMBOLS: &'static [Symbol] = &[Symbol::required($symbol, $loss)];
            const MAY_REFUSE: bool = true;
            type Arguments<'a> = Numbered<'a>;

            fn arguments(call: Call<'_>) -> Option<Numbered<'_>> {
                let ns = call.argument::<1>() as *mut bindings::pid_namespace;
                Some(Numbered {
                    nr: call.argument::<0>() as c_int,
                    // SAFETY: The caller of the function holds the namespace.
                    ns: unsafe { NsRef::from_raw(ns) },
                })
            }
        }
    )*};
}

take_numbered! {
    /// `struct task_struct *find_task_by_pid_ns(pid_t nr, struct pid_namespace *ns)`, RCU held.
    FindTaskByPidNs, c"find_task_by_pid_ns", "/proc has directories of processes outside";
    /// `struct pid *find_ge_pid(int nr, struct pid_namespace *ns)`, RCU held.
    FindGePid, c"find_ge_pid", "/proc lists processes outside";
}

/// Defines an entry of pidfd_open(2) that looks for the number itself; its argument is in the
/// registers that the caller came with.
#[cfg(CONFIG_X86_64)]
macro_rules! take_registers {
    ($($(#[$attribute:meta])* $name:ident, $symbol:literal, $register:ident;)*) => {$(
        $(#[$attribute])*
        pub(super) struct $name;

        // SAFETY: The argument is the registers, which outlive the call; the caller is user space.
        unsafe impl Function for $name {
            const SYMBOLS: &'static [Symbol] =
                &[Symbol::required($symbol, "pidfd_open(2) opens processes outside")];
            const MAY_REFUSE: bool = true;
            type Arguments<'a> = c_int;

            fn arguments(call: Call<'_>) -> Option<c_int> {
                let registers = call.argument::<0>() as *const bindings::pt_regs;
                // SAFETY: The system call's entry hands over its registers.
                Some(unsafe { (*registers).$register } as c_int)
            }
        }
    )*};
}

#[cfg(CONFIG_X86_64)]
take_registers! {
    /// `long __x64_sys_pidfd_open(const struct pt_regs *regs)`, may sleep.
    PidfdOpen64, c"__x64_sys_pidfd_open", di;
}

#[cfg(CONFIG_IA32_EMULATION)]
take_registers! {
    /// `long __ia32_sys_pidfd_open(const struct pt_regs *regs)`, may sleep.
    PidfdOpen32, c"__ia32_sys_pidfd_open", bx;
}

/// `int security_task_kill(struct task_struct *p, struct kernel_siginfo *info, int sig, const
/// struct cred *cred)`, with RCU held, perhaps `tasklist_lock` for writing, interrupts on or off.
/// It may not answer `ESRCH`, on which its caller tries again for ever.
pub(super) struct TaskKill;

/// The arguments of [`TaskKill`].
pub(super) struct Signalled<'a> {
    pub(super) target: TaskRef<'a>,
    /// Whether the signal is sent in the name of somebody else than the calling task.
    pub(super) by_proxy: bool,
}

// SAFETY: The arguments are read as the prototype above has them; the task outlives the call. Both
// callers, check_kill_permission() and kill_pid_usb_asyncio(), run under RCU.
unsafe impl Function for TaskKill {
    const SYMBOLS: &'static [Symbol] = &[Symbol::required(
        c"security_task_kill",
        "pidfds and process groups signal processes outside",
    )];
    const MAY_REFUSE: bool = true;
    const UNDER_RCU: bool = true;
    type Arguments<'a> = Signalled<'a>;

    fn arguments(call: Call<'_>) -> Option<Signalled<'_>> {
        Some(Signalled {
            target: task_argument(call)?,
            by_proxy: call.argument::<3>() != 0,
        })
    }
}

/// Functions that take the task to act on first, and answer 0 or an error. Contexts are as bad as
/// those of [`TaskKill`].
pub(super) struct TaskAct;

// SAFETY: All of them take a `struct task_struct *` first, which outlives the call, and return an
// `int`, or a pointer that may be an error, which their callers hand on to user space.
unsafe impl Function for TaskAct {
    const SYMBOLS: &'static [Symbol] = &[
        Symbol::required(
            c"security_ptrace_access_check",
            "pidfds and /proc give access to memory outside",
        ),
        // It grants reading to CAP_PERFMON, whatever the function above says.
        Symbol::required(c"mm_access", "process_madvise(2) acts on memory outside"),
        Symbol::in_depth(c"security_task_setpgid", "only look-ups guard setpgid(2)"),
        Symbol::in_depth(c"security_task_getpgid", "only look-ups guard getpgid(2)"),
        Symbol::in_depth(c"security_task_getsid", "only look-ups guard getsid(2)"),
        Symbol::in_depth(
            c"security_task_setnice",
            "setpriority(2) of a group or user acts outside",
        ),
        Symbol::in_depth(
            c"security_task_setioprio",
            "ioprio_set(2) of a group or user acts outside",
        ),
        Symbol::in_depth(
            c"security_task_getioprio",
            "ioprio_get(2) of a group or user looks outside",
        ),
        Symbol::in_depth(
            c"security_task_setscheduler",
            "/proc and cgroups schedule tasks outside",
        ),
        Symbol::in_depth(
            c"security_task_getscheduler",
            "only look-ups guard sched_getscheduler(2)",
        ),
        Symbol::in_depth(
            c"security_task_movememory",
            "only look-ups guard move_pages(2)",
        ),
        Symbol::in_depth(c"security_capget", "only look-ups guard capget(2)"),
        Symbol::in_depth(c"do_prlimit", "only look-ups guard prlimit(2)"),
    ];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = TaskRef<'a>;

    fn arguments(call: Call<'_>) -> Option<TaskRef<'_>> {
        task_argument(call)
    }
}

/// `long keyctl_session_to_parent(void)`, may sleep.
pub(super) struct SessionToParent;

// SAFETY: The function takes nothing; the caller is user space.
unsafe impl Function for SessionToParent {
    const SYMBOLS: &'static [Symbol] = &[Symbol::in_depth(
        c"keyctl_session_to_parent",
        "keyctl(2) changes the keyring of a parent outside",
    )];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = ();

    fn arguments(_call: Call<'_>) -> Option<()> {
        Some(())
    }
}

/// `long pidfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)`, may sleep.
pub(super) struct PidfdIoctl;

/// The arguments of [`PidfdIoctl`].
pub(super) struct PidfdCommand<'a> {
    pub(super) pid: PidRef<'a>,
    pub(super) command: u32,
}

// SAFETY: The arguments are read as the prototype above has them; the file, which holds a reference
// on the pid, outlives the call. The caller is user space.
unsafe impl Function for PidfdIoctl {
    const SYMBOLS: &'static [Symbol] = &[Symbol::required(
        c"pidfd_ioctl",
        "pidfds tell of processes outside",
    )];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = PidfdCommand<'a>;

    fn arguments(call: Call<'_>) -> Option<PidfdCommand<'_>> {
        // SAFETY: The caller of the function holds the file, which is a pidfd.
        let pid = unsafe { pidspace_pidfd_pid(call.argument::<0>() as *mut c_void) };
        // SAFETY: The file holds a reference on it.
        let pid = unsafe { PidRef::from_raw(pid.cast()) }?;
        Some(PidfdCommand {
            pid,
            command: call.argument::<1>() as u32,
        })
    }
}

/// `int pid_revalidate(struct inode *dir, const struct qstr *name, struct dentry *dentry, unsigned
/// int flags)`, perhaps with RCU held: whether what a name in /proc stood for is still there.
pub(super) struct PidRevalidate;

// SAFETY: The argument is read as the prototype above has it. The path walk that calls the function
// keeps the pid, by a reference on the dentry or by RCU, and copes with errors.
unsafe impl Function for PidRevalidate {
    const SYMBOLS: &'static [Symbol] = &[Symbol::required(
        c"pid_revalidate",
        "/proc keeps showing what others have looked at",
    )];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = PidRef<'a>;

    fn arguments(call: Call<'_>) -> Option<PidRef<'_>> {
        // SAFETY: The hook holds RCU, and the caller the dentry, which is one of /proc/<pid>.
        let pid = unsafe { pidspace_proc_dentry_pid(call.argument::<2>() as *mut c_void) };
        // SAFETY: The dentry, or RCU, keeps the inode and that the pid.
        unsafe { PidRef::from_raw(pid.cast()) }
    }
}

/// `struct dentry *proc_pident_lookup(struct inode *dir, struct dentry *dentry, const struct
/// pid_entry *p, const struct pid_entry *end)` and the like, may sleep: the look-up of a name in a
/// directory of a process in /proc.
pub(super) struct ProcLookup;

// SAFETY: The argument is read as the prototype above has it. The path walk that calls the function
// keeps the inode, and copes with errors.
unsafe impl Function for ProcLookup {
    const SYMBOLS: &'static [Symbol] = &[
        Symbol::required(
            c"proc_pident_lookup",
            "directories of tasks in /proc passed on lead outside",
        ),
        Symbol::in_depth(
            c"proc_tgid_net_lookup",
            "directories /proc/<pid>/net passed on lead outside",
        ),
    ];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = PidRef<'a>;

    fn arguments(call: Call<'_>) -> Option<PidRef<'_>> {
        inode_argument::<0>(call)
    }
}

/// `int proc_pid_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)`, perhaps with
/// RCU held: whether a directory of a process in /proc may be walked through.
pub(super) struct ProcPidPermission;

// SAFETY: The argument is read as the prototype above has it. The path walk that calls the function
// keeps the inode, and copes with errors.
unsafe impl Function for ProcPidPermission {
    const SYMBOLS: &'static [Symbol] = &[Symbol::required(
        c"proc_pid_permission",
        "directories of /proc passed on lead outside",
    )];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = PidRef<'a>;

    fn arguments(call: Call<'_>) -> Option<PidRef<'_>> {
        inode_argument::<1>(call)
    }
}

/// `void __f_setown(struct file *file, struct pid *pid, enum pid_type type, int force)`, RCU held:
/// who is sent the signals of a file.
pub(super) struct FileSetOwner;

/// The arguments of [`FileSetOwner`], when the owner is to be a process group.
pub(super) struct OwningGroup<'a>(pub(super) PidRef<'a>);

// SAFETY: The arguments are read as the prototype above has them; the callers hold the pid. The
// function returns nothing, and a file may have no owner, or another than was asked for.
unsafe impl Function for FileSetOwner {
    const SYMBOLS: &'static [Symbol] = &[Symbol::required(
        c"__f_setown",
        "files signal groups that reach outside",
    )];
    const MAY_REFUSE: bool = true;
    type Arguments<'a> = OwningGroup<'a>;

    fn arguments(call: Call<'_>) -> Option<OwningGroup<'_>> {
        if call.argument::<2>() as bindings::pid_type != bindings::pid_type_PIDTYPE_PGID {
            return None;
        }
        // SAFETY: The caller of the function holds the pid, by a reference or RCU.
        unsafe { PidRef::from_raw(call.argument::<1>() as *mut bindings::pid) }.map(OwningGroup)
    }
}

fn inode_argument<const N: usize>(call: Call<'_>) -> Option<PidRef<'_>> {
    // SAFETY: The callers say that the argument is an inode of /proc/<pid> that outlives the call.
    let pid = unsafe { pidspace_proc_inode_pid(call.argument::<N>() as *mut c_void) };
    // SAFETY: The inode keeps the pid.
    unsafe { PidRef::from_raw(pid.cast()) }
}

fn task_argument(call: Call<'_>) -> Option<TaskRef<'_>> {
    // SAFETY: The callers say that the first argument is a task that outlives the call.
    unsafe { TaskRef::from_raw(call.argument::<0>() as *mut bindings::task_struct) }
}
