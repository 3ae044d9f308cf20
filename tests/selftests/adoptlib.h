/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of ADOPT share: agents that adopt, processes with chosen
 * numbers, and proof that a refusal changed nothing.
 */
#ifndef ADOPTLIB_H
#define ADOPTLIB_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/pidspace.h>

/* For agents: adopts what AD_CALL() says; how many processes, or an error. */
long ad_adopt(long call);
#define AD_CALL(space, pid, flags) \
	((long)(space) << 40 | (long)(flags) << 32 | (unsigned int)(pid))

int ad_pidfd(pid_t pid);

/*
 * Adopts, and expects a refusal that leaves the space as it was: the error, or
 * -EPROTO where something is not as before.
 */
int ad_refused(int space, int pid, unsigned int flags);
/* Whether @pid is a member under the number it has outside. */
bool ad_kept(int space, pid_t pid);
/* Whether @pid is no member. */
bool ad_outside(int space, pid_t pid);
/* @root and all its descendants, up to @room of them, by what /proc says. */
int ad_tree_of(pid_t root, pid_t *pids, int room);

/* For agents. */
long ad_threads(long count);			/* threads that stay */
long ad_thread_tid(long i);			/* the tid of one of them */
long ad_daemon(long unused);			/* a grandchild of its own session */
long ad_leader_gone(long unused);		/* a child, of a thread only by now */
long ad_family(long depth);			/* 2^(depth+1)-1 processes: the first */

#endif /* ADOPTLIB_H */
