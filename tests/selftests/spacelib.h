/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every selftest needs: typed calls of /dev/pidspace, children that
 * cannot outlive the test, and waiting with a bound.
 *
 * Calls return what they ask for, or a negative errno.
 */
#ifndef SPACELIB_H
#define SPACELIB_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/pidspace.h>

#define SP_DEVICE	"/dev/pidspace"

/* So many times slower than usual may a guest be that has little of its host. */
#define SLOWEST		5

/* How long anything asynchronous may take under emulation. */
#define SP_PATIENCE_MS	(10000 * SLOWEST * TIME_SCALE)

/*
 * Waits until @cond holds, and tells whether it came to hold in time. Only naps count, and
 * each for little: a guest that was stopped for long has not had that time.
 */
#define WAIT_FOR(cond)							\
({									\
	long long left_ = SP_PATIENCE_MS;				\
	bool held_;							\
									\
	while (!(held_ = (cond)) && left_ > 0)				\
		left_ -= sp_nap();					\
	held_;								\
})

long long sp_now_ms(void);
/* Sleeps a moment, and tells how long that was, in milliseconds: from 1 to 100. */
int sp_nap(void);

/* Makes this process the one that orphans and leashed children depend on. */
int sp_init(void);
/* What every forked child does first. */
void sp_child_begin(void);
/* Stays until the process that called sp_init() or the agent above is gone. */
void sp_child_pause(void) __attribute__((noreturn));
/* A child in no space that pauses. */
pid_t sp_fork_paused(void);
/* Kills and reaps @pid, a child of the caller. */
int sp_kill_reap(pid_t pid);
/* Reaps @pid and returns its wait status. */
int sp_reap(pid_t pid);
/* Waits until child @pid is dead, and leaves it a zombie. */
int sp_await_zombie(pid_t pid);
/* Whether @sig is pending for process @pid; children block SIGUSR1. */
bool sp_pending(pid_t pid, int sig);

int sp_device(void);
int sp_ioctl(int fd, unsigned long cmd, void *arg);
/* Binds @fd to a new space; @name may be NULL and @id too. */
int sp_bind(int fd, const char *name, unsigned int pid_max, __u64 *id);
/* A handle of a new space, resp. of one that exists. */
int sp_create(const char *name, unsigned int pid_max, __u64 *id);
int sp_open(const char *name, __u64 id);
/* A name that no other test of this run uses. */
const char *sp_unique_name(void);

int sp_info(int space, struct pidspace_info *info);
int sp_numbers(int space);
int sp_mark(int space);
int sp_clear(int space);
int sp_destroy(int space, unsigned int flags);
int sp_kill(int space, int nr, unsigned int sig);
int sp_kill_counted(int space, int nr, unsigned int sig, unsigned int flags,
		    struct pidspace_kill *answer);
/* Adopts by global nr, or by pidfd where @flags say so. */
int sp_adopt(int space, int pid, unsigned int flags);
int sp_adopt_counted(int space, int pid, unsigned int flags,
		     struct pidspace_adopt *answer);
int sp_lookup(int fd, unsigned int op, int from, struct pidspace_nr *answer);
int sp_local(int space, int global);
int sp_global(int space, int local);
/* Every number in use, up to @room of them. */
int sp_members(int space, struct pidspace_member *members, int room);
/* The member @nr: 0 or -ESRCH. */
int sp_member(int space, unsigned int nr, struct pidspace_member *member);
/* Whether LIST has the space, resp. all ids it has, up to @room of them. */
bool sp_listed(__u64 id);
int sp_list_ids(int fd, __u64 *ids, int room);

/* Forks a child into the space; it has done sp_child_begin(). */
pid_t sp_fork(int space);
/* The same, and the child pauses. */
pid_t sp_spawn(int space);
/*
 * Kills all that is in the space, reaps it, destroys and closes the space;
 * -EBUSY where a number stayed in use, -EUCLEAN where the module counted an
 * anomaly.  A handle without a space is just closed.
 */
int sp_end(int space);

#endif /* SPACELIB_H */
