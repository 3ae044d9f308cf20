/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pidspace - The members of a space: how they get in, what they are called, and
 * how they are signalled.  Part of <linux/pidspace.h>.
 */

#ifndef _UAPI_LINUX_PIDSPACE_MEMBERS_H
#define _UAPI_LINUX_PIDSPACE_MEMBERS_H

#include <linux/types.h>

/* The most entries that one batched call answers. */
#define PIDSPACE_BATCH_MAX	1024

/**
 * enum pidspace_spawn_flags - Flags of PIDSPACE_IOC_SPAWN.
 * @PIDSPACE_SPAWN_F_CLEAR: Take the mark off the calling thread.
 */
enum pidspace_spawn_flags {
	PIDSPACE_SPAWN_F_CLEAR = 1,
};

/**
 * struct pidspace_spawn - Mark the calling thread: from then on the processes
 * that it forks are born in the space (PIDSPACE_IOC_SPAWN).
 */
struct pidspace_spawn {
	/** @size: PIDSPACE_SPAWN_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: A mask of enum pidspace_spawn_flags. */
	__u32 flags;
};

/**
 * enum pidspace_adopt_flags - Flags of PIDSPACE_IOC_ADOPT.
 * @PIDSPACE_ADOPT_F_TREE:  Adopt all descendants of the process too.
 * @PIDSPACE_ADOPT_F_PIDFD: @pid is a pidfd, not a global nr.
 */
enum pidspace_adopt_flags {
	PIDSPACE_ADOPT_F_TREE = 1,
	PIDSPACE_ADOPT_F_PIDFD = 2,
};

/**
 * struct pidspace_adopt - Take running processes in, all or none
 * (PIDSPACE_IOC_ADOPT).
 *
 * Adopted tasks keep the numbers that they know: what the pid namespace of the
 * space's creator calls them, even if that is above pid_max.  What they fork
 * later gets its numbers from the space.
 */
struct pidspace_adopt {
	/** @size: PIDSPACE_ADOPT_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: A mask of enum pidspace_adopt_flags. */
	__u32 flags;
	/** @pid: The process, by its global nr or a pidfd. */
	__s32 pid;
	/** @processes: Out: processes adopted. */
	__u32 processes;
	/** @numbers: Out: numbers adopted, those of threads included. */
	__u32 numbers;
	/** @reserved: Must be 0. */
	__u32 reserved;
};

/**
 * enum pidspace_member_flags - What a number of a space stands for.
 * @PIDSPACE_MEMBER_F_LEADER:  The thread group leader of a process.
 * @PIDSPACE_MEMBER_F_ZOMBIE:  The task is dead and waits to be reaped.
 * @PIDSPACE_MEMBER_F_NO_TASK: No task: a child being born, or a process group or
 *                             session that outlived its leader.
 */
enum pidspace_member_flags {
	PIDSPACE_MEMBER_F_LEADER = 1,
	PIDSPACE_MEMBER_F_ZOMBIE = 2,
	PIDSPACE_MEMBER_F_NO_TASK = 4,
};

/**
 * struct pidspace_member - A number in use, as PIDSPACE_IOC_MEMBERS describes it.
 */
struct pidspace_member {
	/** @nr: The local nr. */
	__u32 nr;
	/** @flags: A mask of enum pidspace_member_flags. */
	__u32 flags;
	/** @tgid: Local nr of the process; 0 with PIDSPACE_MEMBER_F_NO_TASK. */
	__u32 tgid;
	/** @ppid: Local nr of the parent process; 0 when it is not a member. */
	__u32 ppid;
	/** @pgid: Local nr of the process group; 0 when it is not a member's. */
	__u32 pgid;
	/** @sid: Local nr of the session; 0 when it is not a member's. */
	__u32 sid;
	/** @global: The global nr of @nr. */
	__u32 global;
	/** @global_tgid: The global nr of @tgid. */
	__u32 global_tgid;
	/** @generation: Identifies this use of @nr in the space, for ever. */
	__u64 generation;
};

/**
 * struct pidspace_members - The numbers in use, in ascending order
 * (PIDSPACE_IOC_MEMBERS).
 *
 * The cursor stays valid while members come and go: a number in use from the
 * first call to the last is reported exactly once.
 */
struct pidspace_members {
	/** @size: PIDSPACE_MEMBERS_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: Must be 0. */
	__u32 flags;
	/** @entries: Address of an array of &struct pidspace_member. */
	__u64 entries;
	/** @count: In: room in @entries.  Out: entries filled; 0 at the end. */
	__u32 count;
	/** @entry_size: Size of one entry as the caller knows it. */
	__u32 entry_size;
	/** @cursor: In: numbers above it are listed.  Out: what to pass next. */
	__u32 cursor;
	/** @reserved: Must be 0. */
	__u32 reserved;
};

/**
 * enum pidspace_lookup_op - Which number is translated into which.
 * @PIDSPACE_LOOKUP_FROM_SPACE: A local nr of the handle's space into a global nr.
 * @PIDSPACE_LOOKUP_IN_SPACE:   A global nr into a local nr.
 * @PIDSPACE_LOOKUP_PIDFD:      The process of a pidfd into a local nr.
 *
 * A handle that is bound finds the members of its space; one that is not finds
 * the members of every space that the caller may open, and the caller itself.
 */
enum pidspace_lookup_op {
	PIDSPACE_LOOKUP_FROM_SPACE = 0,
	PIDSPACE_LOOKUP_IN_SPACE = 1,
	PIDSPACE_LOOKUP_PIDFD = 2,
};

/**
 * struct pidspace_nr - One question of PIDSPACE_IOC_LOOKUP and its answer.
 */
struct pidspace_nr {
	/** @from: The number, or the pidfd, to translate. */
	__s32 from;
	/** @to: Out: what it translates to, 0 when there is no such member. */
	__s32 to;
	/** @generation: Out: as in &struct pidspace_member. */
	__u64 generation;
	/** @space: Out: the id of the space that the member is in. */
	__u64 space;
};

/**
 * struct pidspace_lookup - Translate numbers (PIDSPACE_IOC_LOOKUP).
 */
struct pidspace_lookup {
	/** @size: PIDSPACE_LOOKUP_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: Must be 0. */
	__u32 flags;
	/** @op: One of enum pidspace_lookup_op. */
	__u32 op;
	/**
	 * @count: 0 to translate @nr, where "no such member" is ESRCH; else the
	 * number of &struct pidspace_nr at @entries, where it is a @to of 0.
	 */
	__u32 count;
	/** @entries: Address of the array; 0 when @count is 0. */
	__u64 entries;
	/** @nr: The question and the answer when @count is 0; else all zero. */
	struct pidspace_nr nr;
};

/**
 * enum pidspace_kill_flags - Flags of PIDSPACE_IOC_KILL.
 * @PIDSPACE_KILL_F_SPACE: Signal every process of the space; @nr must be 0.
 */
enum pidspace_kill_flags {
	PIDSPACE_KILL_F_SPACE = 1,
};

/**
 * struct pidspace_kill - Signal members of the handle's space
 * (PIDSPACE_IOC_KILL).  Permission is kill(2)'s, for each target.
 *
 * A signal to more than one process is atomic with respect to fork: a process
 * gets it exactly once, and a child born meanwhile gets it unless its parent had
 * it before the fork.  While SIGKILL is sent to the whole space, forks in it
 * fail with EAGAIN.
 */
struct pidspace_kill {
	/** @size: PIDSPACE_KILL_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: A mask of enum pidspace_kill_flags. */
	__u32 flags;
	/**
	 * @nr: As kill(2), by local nr: above 0 a process, below -1 the process group
	 * -@nr, -1 every process but the caller's, 0 the caller's process group
	 * where the caller is a member (EINVAL where it is not).
	 */
	__s32 nr;
	/** @sig: The signal; 0 only checks. */
	__u32 sig;
	/** @signalled: Out: processes that got the signal. */
	__u32 signalled;
	/** @refused: Out: processes that the caller may not signal. */
	__u32 refused;
	/**
	 * @generation: With @nr other than 0 and -1, the generation that its number must
	 * have (else ESRCH: it is another one's by now); 0 for any.
	 */
	__u64 generation;
};

#define PIDSPACE_SPAWN_SIZE_VER0	8
#define PIDSPACE_ADOPT_SIZE_VER0	24
#define PIDSPACE_MEMBER_SIZE_VER0	40
#define PIDSPACE_MEMBERS_SIZE_VER0	32
#define PIDSPACE_LOOKUP_SIZE_VER0	48
#define PIDSPACE_KILL_SIZE_VER0		24
#define PIDSPACE_KILL_SIZE_VER1		32

#endif /* _UAPI_LINUX_PIDSPACE_MEMBERS_H */
