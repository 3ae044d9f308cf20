/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pidspace - User space API of /dev/pidspace: the hooks into the kernel
 *
 * Included by <linux/pidspace.h>.
 */

#ifndef _UAPI_LINUX_PIDSPACE_HOOKS_H
#define _UAPI_LINUX_PIDSPACE_HOOKS_H

#include <linux/types.h>

/**
 * enum pidspace_hook - What hooks are for, as bits of &struct pidspace_abi.hooks.
 * @PIDSPACE_HOOK_FORK:    cgroup_can_fork(): numbers a child, or refuses it.
 * @PIDSPACE_HOOK_EXIT:    free_pid(): releases a number.
 * @PIDSPACE_HOOK_NEWTASK: the task_newtask tracepoint: knows when a child is
 *                         there, and takes in one that was being born while its
 *                         parent was adopted.
 * @PIDSPACE_HOOK_EXITING: the sched_process_exit tracepoint: exit events, the
 *                         policy INIT, and descendants about to lose the parent
 *                         that ties them to a tree being adopted.
 * @PIDSPACE_HOOK_EXEC:    the sched_process_exec tracepoint: exec events.
 * @PIDSPACE_HOOK_SCOPE:   all that mode SCOPE requires, from the first space of
 *                         that mode on.
 */
enum pidspace_hook {
	PIDSPACE_HOOK_FORK = 1,
	PIDSPACE_HOOK_EXIT = 2,
	PIDSPACE_HOOK_NEWTASK = 4,
	PIDSPACE_HOOK_EXITING = 8,
	PIDSPACE_HOOK_EXEC = 16,
	PIDSPACE_HOOK_SCOPE = 32,
};

/* Room for the name of a kernel function, and for a sentence, with a final NUL. */
#define PIDSPACE_SYMBOL_SIZE	40
#define PIDSPACE_LOSS_SIZE	80

/**
 * enum pidspace_hook_flags - What a hook is like.
 * @PIDSPACE_HOOK_F_REQUIRED: What it belongs to does not work without it.
 * @PIDSPACE_HOOK_F_ARMED:    It is in force.
 * @PIDSPACE_HOOK_F_SCOPE:    It belongs to mode SCOPE; the others are in force
 *                            while the module is loaded.
 */
enum pidspace_hook_flags {
	PIDSPACE_HOOK_F_REQUIRED = 1,
	PIDSPACE_HOOK_F_ARMED = 2,
	PIDSPACE_HOOK_F_SCOPE = 4,
};

/**
 * struct pidspace_hook_info - A hook, as PIDSPACE_IOC_HOOKS describes it.
 */
struct pidspace_hook_info {
	/** @flags: A mask of enum pidspace_hook_flags. */
	__u32 flags;
	/**
	 * @error: The errno of the last try to put it in force, 0 when there was none or
	 * it succeeded: EINVAL when the kernel has no such function or cannot trace
	 * it, EBUSY when another one changes it already.
	 */
	__s32 error;
	/** @symbol: The kernel's function or tracepoint, filled up with NULs. */
	__u8 symbol[PIDSPACE_SYMBOL_SIZE];
	/** @loss: What is lost without it, filled up with NULs. */
	__u8 loss[PIDSPACE_LOSS_SIZE];
};

/**
 * struct pidspace_hooks - The hooks that this version has for this architecture
 * (PIDSPACE_IOC_HOOKS).
 */
struct pidspace_hooks {
	/** @size: PIDSPACE_HOOKS_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: Must be 0. */
	__u32 flags;
	/** @cursor: In: 0 at first.  Out: what to pass next. */
	__u32 cursor;
	/** @count: In: room in @entries.  Out: entries filled; 0 at the end. */
	__u32 count;
	/** @entries: Address of an array of &struct pidspace_hook_info. */
	__u64 entries;
	/** @entry_size: Size of one entry as the caller knows it. */
	__u32 entry_size;
	/** @reserved: Must be 0. */
	__u32 reserved;
};

#define PIDSPACE_HOOKS_SIZE_VER0	32
#define PIDSPACE_HOOK_INFO_SIZE_VER0	128

#endif /* _UAPI_LINUX_PIDSPACE_HOOKS_H */
