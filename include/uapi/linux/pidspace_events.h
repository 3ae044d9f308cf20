/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pidspace - What poll(2) and read(2) say of a space.  Part of <linux/pidspace.h>.
 *
 * A handle bound to a space polls EPOLLHUP while the space has no numbers in use,
 * and EPOLLIN while its stream has events.  It has a stream when it was bound with
 * @events other than 0; each handle has its own.  read(2) returns as many whole
 * events as there are and fit.  It waits for the first one, or fails with EAGAIN
 * on a descriptor with O_NONBLOCK; it returns 0 when the space is gone and every
 * event was read, and fails with EINVAL when there is no stream or no room for
 * one event.
 */

#ifndef _UAPI_LINUX_PIDSPACE_EVENTS_H
#define _UAPI_LINUX_PIDSPACE_EVENTS_H

#include <linux/types.h>

/* The most events that a stream can hold. */
#define PIDSPACE_EVENTS_MAX	65536

/* The most streams that a space can have. */
#define PIDSPACE_STREAMS_MAX	64

/* Room for the name of a command, as in /proc/PID/comm. */
#define PIDSPACE_COMM_SIZE	16

/**
 * enum pidspace_event_type - What happened.
 * @PIDSPACE_EVENT_FORK:     A process was born in the space.
 * @PIDSPACE_EVENT_EXEC:     A process runs another program.
 * @PIDSPACE_EVENT_EXIT:     The last thread of a process has ended.
 * @PIDSPACE_EVENT_ADOPT:    A running process became a member.
 * @PIDSPACE_EVENT_EMPTY:    The last number in use was released.
 * @PIDSPACE_EVENT_OVERFLOW: Here @count events are missing: the stream was full.
 *
 * Threads have no events of their own.
 */
enum pidspace_event_type {
	PIDSPACE_EVENT_FORK = 1,
	PIDSPACE_EVENT_EXEC = 2,
	PIDSPACE_EVENT_EXIT = 3,
	PIDSPACE_EVENT_ADOPT = 4,
	PIDSPACE_EVENT_EMPTY = 5,
	PIDSPACE_EVENT_OVERFLOW = 6,
};

/**
 * struct pidspace_event - One event, as read(2) returns it.  What an event has no
 * use for is 0.
 */
struct pidspace_event {
	/** @type: One of enum pidspace_event_type. */
	__u32 type;
	/** @nr: Local nr of the process. */
	__u32 nr;
	/** @parent: Local nr of the process that forked it; 0 when that is no member. */
	__u32 parent;
	/** @global: What the pid namespace of the space's creator calls the process. */
	__u32 global;
	/** @generation: As in &struct pidspace_member. */
	__u64 generation;
	/** @time: When, in nanoseconds of CLOCK_MONOTONIC. */
	__u64 time;
	/** @count: OVERFLOW: how many events are missing. */
	__u64 count;
	/** @utime: EXIT: CPU time in user mode, of all threads, in nanoseconds. */
	__u64 utime;
	/** @stime: EXIT: CPU time in the kernel, of all threads, in nanoseconds. */
	__u64 stime;
	/** @max_rss: EXIT: the largest resident set, in kilobytes. */
	__u64 max_rss;
	/** @status: EXIT: the status as wait(2) encodes it. */
	__u32 status;
	/** @reserved: 0. */
	__u32 reserved;
	/** @comm: The name of the command, filled up with NULs. */
	__u8 comm[PIDSPACE_COMM_SIZE];
};

#define PIDSPACE_EVENT_SIZE	88

#endif /* _UAPI_LINUX_PIDSPACE_EVENTS_H */
