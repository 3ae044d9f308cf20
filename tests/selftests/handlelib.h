/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handles of a process, as they are passed on or inherited, and attempts to do
 * something with them.
 */
#ifndef HANDLELIB_H
#define HANDLELIB_H

#include <fcntl.h>

#include "attemptlib.h"

/* As much as pidfs needs, and more. */
#define PIDFS_HANDLE_ROOM	32

struct handles {
	int pid;
	int tid;
	int pidfd;
	/* One of the thread beside the leader. */
	int thread;
	/* A descriptor of its that anybody may open. */
	int descriptor;
	/* Descriptors of /proc/<pid>, and of what is below it. */
	int dir;
	int task_dir;
	int fd_dir;
	int ns_dir;
	int attr_dir;
	int net_dir;
	/* That of the thread. */
	int thread_dir;
	/* The handle of the pidfd by name_to_handle_at(2). */
	union {
		struct file_handle header;
		char room[sizeof(struct file_handle) + PIDFS_HANDLE_ROOM];
	} file;
};

/*
 * Opens them for a target that attempt_target() made, which has that descriptor;
 * 0 or a negative errno.
 */
int handles_open(struct handles *handles, long target, int descriptor);
void handles_close(struct handles *handles);

/*
 * What members do with what was opened before they were born: the attempts take
 * the address of the handles for their number.
 */
extern const struct attempt attempts_pidfd[];
extern const struct attempt attempts_proc_dir[];

/* For agents: kill by the pidfd in @fd, resp. what PIDFD_GET_INFO says. */
long handle_signal(long fd);
long handle_info(long fd);

#endif /* HANDLELIB_H */
