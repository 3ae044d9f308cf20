/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pidspace - User space API of /dev/pidspace
 *
 * Every command takes a pointer to a structure whose first
 * member is @size, the size of the structure as the caller knows it.  The
 * kernel accepts any size from the ..._SIZE_VER0 of the structure up to a page:
 * what a shorter structure lacks counts as zero, and what a longer one has in
 * excess must be zero (E2BIG).  A command is told by its direction, type and
 * number; the size that _IOWR() encodes is not looked at.  A structure that grew
 * at a later ABI level has a ..._SIZE_VERn for each of its sizes.
 *
 * Numbers are named after what they are: a *local nr* is what a space calls a
 * struct pid, a *global nr* is what the caller's pid namespace calls it (on a
 * host: the number that ps(1) shows), and 0 is "none" of either.
 */

#ifndef _UAPI_LINUX_PIDSPACE_H
#define _UAPI_LINUX_PIDSPACE_H

#include <linux/ioctl.h>
#include <linux/pidspace_events.h>
#include <linux/pidspace_hooks.h>
#include <linux/pidspace_members.h>
#include <linux/types.h>

/* The ABI level that this header describes, and the ioctl type of every command. */
#define PIDSPACE_ABI_LEVEL	3
#define PIDSPACE_IOC_MAGIC	0xB9

/* Room for a name and its terminating NUL. */
#define PIDSPACE_NAME_SIZE	64

/* The pid_max of a space that asks for none, the lowest, and the highest. */
#define PIDSPACE_PID_MAX_DEFAULT	32768
#define PIDSPACE_PID_MAX_MIN	301
#define PIDSPACE_PID_MAX_LIMIT	4194304

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
 * struct pidspace_abi - What the loaded module can do (PIDSPACE_IOC_ABI).
 */
struct pidspace_abi {
	/** @size: PIDSPACE_ABI_SIZE_VER0 or larger. */
	__u32 size;
	/** @level: Out: the ABI level of the module. */
	__u32 level;
	/** @modes: Out: bit N is set when mode N of enum pidspace_mode works. */
	__u32 modes;
	/** @hooks: Out: what hooks in force are for, a mask of enum pidspace_hook. */
	__u32 hooks;
	/** @anomalies: Out: events since load that should not happen; 0 in health. */
	__u64 anomalies;
};

/**
 * enum pidspace_bind_flags - Flags of PIDSPACE_IOC_CREATE and PIDSPACE_IOC_OPEN.
 * @PIDSPACE_BIND_F_KILL_ON_CLOSE: When the last descriptor of the handle goes, for
 *                                 whatever reason, every process of the space gets
 *                                 SIGKILL, by the rights of who opened the handle.
 */
enum pidspace_bind_flags {
	PIDSPACE_BIND_F_KILL_ON_CLOSE = 1,
};

/**
 * enum pidspace_policy - What a space does of its own accord.
 * @PIDSPACE_POLICY_NO_REUSE: No number is handed out twice until the range is used
 *                            up, those that adopted tasks brought along included:
 *                            numbers go on behind the highest of them.
 * @PIDSPACE_POLICY_INIT:     When the process with number 1 ends, so does the
 *                            space: every member gets SIGKILL, whoever it is, as by
 *                            cgroup.kill; nobody is let in any more, and the space
 *                            goes with its last number.
 */
enum pidspace_policy {
	PIDSPACE_POLICY_NO_REUSE = 1,
	PIDSPACE_POLICY_INIT = 2,
};

/**
 * struct pidspace_create - Make a space and bind the handle to it
 * (PIDSPACE_IOC_CREATE).
 */
struct pidspace_create {
	/** @size: PIDSPACE_CREATE_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: A mask of enum pidspace_bind_flags. */
	__u32 flags;
	/**
	 * @mode: One of enum pidspace_mode.  The first space of a mode that is not TRACK
	 * puts the hooks in force which that mode needs; where one of them cannot be,
	 * there is no space (EBUSY when another one changes the function already, such
	 * as a live patch; see PIDSPACE_IOC_HOOKS).
	 */
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
	/** @events: As in &struct pidspace_open. */
	__u32 events;
	/** @policies: A mask of enum pidspace_policy. */
	__u32 policies;
	/** @max_members: Forks fail with EAGAIN at this many numbers; 0: no limit. */
	__u32 max_members;
	/** @reserved: Must be 0. */
	__u32 reserved;
};

/**
 * struct pidspace_open - Bind the handle to a space that exists
 * (PIDSPACE_IOC_OPEN).
 */
struct pidspace_open {
	/** @size: PIDSPACE_OPEN_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: A mask of enum pidspace_bind_flags. */
	__u32 flags;
	/** @id: The id of the space, or 0 to go by @name.  Out: its id. */
	__u64 id;
	/** @name: The name of the space; all NULs when @id is given. */
	__u8 name[PIDSPACE_NAME_SIZE];
	/**
	 * @events: How many events the handle's own stream holds until they are read, up
	 * to PIDSPACE_EVENTS_MAX; 0 for a handle without events.  A space has up to
	 * PIDSPACE_STREAMS_MAX streams (else EUSERS).
	 */
	__u32 events;
	/** @reserved: Must be 0. */
	__u32 reserved;
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
	/** @policies: A mask of enum pidspace_policy. */
	__u32 policies;
	/** @max_members: Forks fail at this many numbers; 0: no limit. */
	__u32 max_members;
};

/**
 * enum pidspace_set_flags - Which members of &struct pidspace_set count.
 * @PIDSPACE_SET_F_PID_MAX:     @pid_max.
 * @PIDSPACE_SET_F_POLICIES:    @policies.
 * @PIDSPACE_SET_F_MAX_MEMBERS: @max_members.
 * @PIDSPACE_SET_F_MODE:        @mode.
 */
enum pidspace_set_flags {
	PIDSPACE_SET_F_PID_MAX = 1,
	PIDSPACE_SET_F_POLICIES = 2,
	PIDSPACE_SET_F_MAX_MEMBERS = 4,
	PIDSPACE_SET_F_MODE = 8,
};

/**
 * struct pidspace_set - Change the handle's space (PIDSPACE_IOC_SET).  It holds for
 * what comes: numbers in use stay as they are, be they above a limit.
 */
struct pidspace_set {
	/** @size: PIDSPACE_SET_SIZE_VER0 or larger. */
	__u32 size;
	/** @flags: A mask of enum pidspace_set_flags; the other members must be 0. */
	__u32 flags;
	/** @pid_max: As in &struct pidspace_create. */
	__u32 pid_max;
	/** @policies: A mask of enum pidspace_policy. */
	__u32 policies;
	/** @max_members: As in &struct pidspace_create. */
	__u32 max_members;
	/**
	 * @mode: The mode of the space or a tighter one (else EINVAL).  It holds for
	 * the members that there are, and needs for each of them what it would need
	 * to let them in.
	 */
	__u32 mode;
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
#define PIDSPACE_CREATE_SIZE_VER1	104
#define PIDSPACE_OPEN_SIZE_VER0		80
#define PIDSPACE_OPEN_SIZE_VER1		88
#define PIDSPACE_INFO_SIZE_VER0		120
#define PIDSPACE_INFO_SIZE_VER1		128
#define PIDSPACE_LIST_SIZE_VER0		32
#define PIDSPACE_SET_SIZE_VER0		24
#define PIDSPACE_DESTROY_SIZE_VER0	8

/* Numbers are an enum so that generated bindings carry them. */
enum pidspace_ioc {
	PIDSPACE_IOC_ABI	= _IOWR(PIDSPACE_IOC_MAGIC, 0, struct pidspace_abi),
	PIDSPACE_IOC_CREATE	= _IOWR(PIDSPACE_IOC_MAGIC, 1, struct pidspace_create),
	PIDSPACE_IOC_OPEN	= _IOWR(PIDSPACE_IOC_MAGIC, 2, struct pidspace_open),
	PIDSPACE_IOC_INFO	= _IOWR(PIDSPACE_IOC_MAGIC, 3, struct pidspace_info),
	PIDSPACE_IOC_LIST	= _IOWR(PIDSPACE_IOC_MAGIC, 4, struct pidspace_list),
	PIDSPACE_IOC_SPAWN	= _IOWR(PIDSPACE_IOC_MAGIC, 5, struct pidspace_spawn),
	PIDSPACE_IOC_ADOPT	= _IOWR(PIDSPACE_IOC_MAGIC, 6, struct pidspace_adopt),
	PIDSPACE_IOC_MEMBERS	= _IOWR(PIDSPACE_IOC_MAGIC, 7, struct pidspace_members),
	PIDSPACE_IOC_LOOKUP	= _IOWR(PIDSPACE_IOC_MAGIC, 8, struct pidspace_lookup),
	PIDSPACE_IOC_KILL	= _IOWR(PIDSPACE_IOC_MAGIC, 9, struct pidspace_kill),
	PIDSPACE_IOC_SET	= _IOWR(PIDSPACE_IOC_MAGIC, 10, struct pidspace_set),
	PIDSPACE_IOC_DESTROY	= _IOWR(PIDSPACE_IOC_MAGIC, 11, struct pidspace_destroy),
	PIDSPACE_IOC_HOOKS	= _IOWR(PIDSPACE_IOC_MAGIC, 12, struct pidspace_hooks),
};

#endif /* _UAPI_LINUX_PIDSPACE_H */
