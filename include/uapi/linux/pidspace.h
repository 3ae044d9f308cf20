/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pidspace - User space API of /dev/pidspace
 *
 * Every command takes a pointer to a structure whose first
 * member is @size, the size of the structure as the caller knows it.  The
 * kernel accepts any size from the ..._SIZE_VER0 of the structure up to a page:
 * what a shorter structure lacks counts as zero, and what a longer one has in
 * excess must be zero (E2BIG).  A command is told by its direction, type and
 * number; the size that _IOWR() encodes is not looked at.
 *
 * Numbers are named after what they are: a *local nr* is what a space calls a
 * struct pid, a *global nr* is what the caller's pid namespace calls it (on a
 * host: the number that ps(1) shows), and 0 is "none" of either.
 */

#ifndef _UAPI_LINUX_PIDSPACE_H
#define _UAPI_LINUX_PIDSPACE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The ABI level that this header describes, and the ioctl type of every command. */
#define PIDSPACE_ABI_LEVEL	1
#define PIDSPACE_IOC_MAGIC	0xB9

/* Room for a name and its terminating NUL. */
#define PIDSPACE_NAME_SIZE	64

/* The pid_max of a space that asks for none, the lowest, and the highest. */
#define PIDSPACE_PID_MAX_DEFAULT	32768
#define PIDSPACE_PID_MAX_MIN	301
#define PIDSPACE_PID_MAX_LIMIT	4194304

/* The most entries that one batched call answers. */
#define PIDSPACE_BATCH_MAX	1024

/**
 * enum pidspace_mode - What a space does to its members.
 * @PIDSPACE_MODE_TRACK: Membership and local numbers exist; only the commands
 *                       of this header use them.
 * @PIDSPACE_MODE_SCOPE: Also, what takes a pid finds only members.
 * @PIDSPACE_MODE_VIEW:  Also, members see and use local numbers everywhere.
 *
 * Each mode contains the one before.  A space may be tightened, never loosened.
 * PIDSPACE_IOC_ABI tells which modes the loaded module has.
 */
enum pidspace_mode {
	PIDSPACE_MODE_TRACK = 0,
	PIDSPACE_MODE_SCOPE = 1,
	PIDSPACE_MODE_VIEW = 2,
};

/**
 * enum pidspace_state - Where a space is in its life.
 * @PIDSPACE_STATE_LIVE:  Forks in it succeed.
 * @PIDSPACE_STATE_DYING: It is being destroyed; forks in it fail with EAGAIN.
 */
enum pidspace_state {
	PIDSPACE_STATE_LIVE = 0,
	PIDSPACE_STATE_DYING = 1,
};

/**
 * enum pidspace_hook - Kernel hooks, as bits of &struct pidspace_abi.hooks.
 * @PIDSPACE_HOOK_FORK:    cgroup_can_fork(): numbers a child, or refuses it.
 * @PIDSPACE_HOOK_EXIT:    free_pid(): releases a number.
 * @PIDSPACE_HOOK_NEWTASK: the task_newtask tracepoint: catches a child that was
 *                         being born while its space was killed.
 */
enum pidspace_hook {
	PIDSPACE_HOOK_FORK = 1,
	PIDSPACE_HOOK_EXIT = 2,
	PIDSPACE_HOOK_NEWTASK = 4,
};

/**
 * struct pidspace_abi - What the loaded module can do (PIDSPACE_IOC_ABI).
 */
struct pidspace_abi {
	/** @size: PIDSPACE_ABI_SIZE_VER0 or larger. */
	__u32 size;
	/** @level: Out: the ABI level of the module. */
	__u32 level;
	/** @modes: Out: bit N is set when mode N of enum pidspace_mode works. */
	__u32 modes;
	/** @hooks: Out: the hooks in force, a mask of enum pidspace_hook. */
	__u32 hooks;
	/** @anomalies: Out: events since load that should not happen; 0 in health. */
	__u64 anomalies;
};

/**
 * struct pidspace_create - Make a space and bind the handle to it
 * (PIDSPACE_IOC_CREATE).
 */
struct pidspace_create {
	/** @size: PIDSPACE_CREATE_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: Must be 0. */
	__u32 flags;
	/** @mode: One of enum pidspace_mode. */
	__u32 mode;
	/**
	 * @pid_max: Numbers go up to @pid_max - 1; 0 stands for
	 * PIDSPACE_PID_MAX_DEFAULT.
	 */
	__u32 pid_max;
	/** @id: Out: the id of the space, never used again for another one. */
	__u64 id;
	/**
	 * @name: 1 to 63 of [A-Za-z0-9._-], the first one a letter or digit, filled up
	 * with NULs; or all NULs for a space without a name, which goes with its
	 * last handle and number.
	 */
	__u8 name[PIDSPACE_NAME_SIZE];
};

/**
 * struct pidspace_open - Bind the handle to a space that exists
 * (PIDSPACE_IOC_OPEN).
 */
struct pidspace_open {
	/** @size: PIDSPACE_OPEN_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: Must be 0. */
	__u32 flags;
	/** @id: The id of the space, or 0 to go by @name.  Out: its id. */
	__u64 id;
	/** @name: The name of the space; all NULs when @id is given. */
	__u8 name[PIDSPACE_NAME_SIZE];
};

/**
 * struct pidspace_info - A space, as PIDSPACE_IOC_INFO and PIDSPACE_IOC_LIST
 * describe it.  All members but @size and @flags are output.
 */
struct pidspace_info {
	/** @size: PIDSPACE_INFO_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: Must be 0. */
	__u32 flags;
	/** @id: The id of the space. */
	__u64 id;
	/** @generation: How many numbers the space has handed out so far. */
	__u64 generation;
	/** @mode: One of enum pidspace_mode. */
	__u32 mode;
	/** @state: One of enum pidspace_state. */
	__u32 state;
	/** @pid_max: Numbers go up to @pid_max - 1. */
	__u32 pid_max;
	/** @last_nr: The number handed out last, 0 when there was none. */
	__u32 last_nr;
	/**
	 * @numbers: Numbers in use: of tasks, of zombies, of process groups and
	 * sessions whose leader is gone, and of children being born.
	 */
	__u32 numbers;
	/** @handles: Open handles bound to the space. */
	__u32 handles;
	/** @spawners: Threads marked by PIDSPACE_IOC_SPAWN. */
	__u32 spawners;
	/** @owner: The creator's effective uid, in the caller's user namespace. */
	__u32 owner;
	/** @name: The name, filled up with NULs; all NULs when it has none. */
	__u8 name[PIDSPACE_NAME_SIZE];
};

/**
 * struct pidspace_list - The spaces the caller may open, by ascending id
 * (PIDSPACE_IOC_LIST).
 */
struct pidspace_list {
	/** @size: PIDSPACE_LIST_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: Must be 0. */
	__u32 flags;
	/** @cursor: In: ids above it are listed.  Out: what to pass next. */
	__u64 cursor;
	/** @entries: Address of an array of &struct pidspace_info. */
	__u64 entries;
	/** @count: In: room in @entries.  Out: entries filled; 0 at the end. */
	__u32 count;
	/** @entry_size: Size of one entry as the caller knows it. */
	__u32 entry_size;
};

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
};

/**
 * enum pidspace_destroy_flags - Flags of PIDSPACE_IOC_DESTROY.
 * @PIDSPACE_DESTROY_F_KILL: Kill what is in the space and wait until every number
 *                           is released; a zombie whose parent does not reap it
 *                           makes that wait.  EINTR leaves the space dying: it goes
 *                           with its last number.
 */
enum pidspace_destroy_flags {
	PIDSPACE_DESTROY_F_KILL = 1,
};

/**
 * struct pidspace_destroy - End the handle's space (PIDSPACE_IOC_DESTROY).
 */
struct pidspace_destroy {
	/** @size: PIDSPACE_DESTROY_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: A mask of enum pidspace_destroy_flags. */
	__u32 flags;
};

#define PIDSPACE_ABI_SIZE_VER0		24
#define PIDSPACE_CREATE_SIZE_VER0	88
#define PIDSPACE_OPEN_SIZE_VER0		80
#define PIDSPACE_INFO_SIZE_VER0		120
#define PIDSPACE_LIST_SIZE_VER0		32
#define PIDSPACE_SPAWN_SIZE_VER0	8
#define PIDSPACE_MEMBER_SIZE_VER0	40
#define PIDSPACE_MEMBERS_SIZE_VER0	32
#define PIDSPACE_LOOKUP_SIZE_VER0	48
#define PIDSPACE_KILL_SIZE_VER0		24
#define PIDSPACE_DESTROY_SIZE_VER0	8

/*
 * Numbers are an enum so that generated bindings carry them.  6 and 10 are kept
 * for adopting a process and for changing a space.
 */
enum pidspace_ioc {
	PIDSPACE_IOC_ABI	= _IOWR(PIDSPACE_IOC_MAGIC, 0, struct pidspace_abi),
	PIDSPACE_IOC_CREATE	= _IOWR(PIDSPACE_IOC_MAGIC, 1, struct pidspace_create),
	PIDSPACE_IOC_OPEN	= _IOWR(PIDSPACE_IOC_MAGIC, 2, struct pidspace_open),
	PIDSPACE_IOC_INFO	= _IOWR(PIDSPACE_IOC_MAGIC, 3, struct pidspace_info),
	PIDSPACE_IOC_LIST	= _IOWR(PIDSPACE_IOC_MAGIC, 4, struct pidspace_list),
	PIDSPACE_IOC_SPAWN	= _IOWR(PIDSPACE_IOC_MAGIC, 5, struct pidspace_spawn),
	PIDSPACE_IOC_MEMBERS	= _IOWR(PIDSPACE_IOC_MAGIC, 7, struct pidspace_members),
	PIDSPACE_IOC_LOOKUP	= _IOWR(PIDSPACE_IOC_MAGIC, 8, struct pidspace_lookup),
	PIDSPACE_IOC_KILL	= _IOWR(PIDSPACE_IOC_MAGIC, 9, struct pidspace_kill),
	PIDSPACE_IOC_DESTROY	= _IOWR(PIDSPACE_IOC_MAGIC, 11, struct pidspace_destroy),
};

#endif /* _UAPI_LINUX_PIDSPACE_H */
