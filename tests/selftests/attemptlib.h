/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attempts: the ways to reach a process or thread by its number, each with what
 * comes of it.  They are tried by agents on targets made for the purpose, which
 * are looked at from outside before and after.
 */
#ifndef ATTEMPTLIB_H
#define ATTEMPTLIB_H

#include <errno.h>
#include <stdbool.h>

#include "agent.h"

/* What an attempt answers that cannot be made on this kernel or machine. */
#define UNAVAILABLE	(-ENOSYS)

/* What 0 or -1 and errno, or a result of 0 or more, is to a test. */
#define OUTCOME(call)	((long)(call) < 0 ? -errno : 0)

/**
 * enum attempt_flags - What is special about an attempt.
 * @ATTEMPT_ROOT:    Only root may do it at all.
 * @ATTEMPT_PROCESS: The number must be that of a process, and of its group.
 * @ATTEMPT_LEAVES:  Where it succeeds the target is not what it was before.
 */
enum attempt_flags {
	ATTEMPT_ROOT = 1,
	ATTEMPT_PROCESS = 2,
	ATTEMPT_LEAVES = 4,
};

struct attempt {
	const char *name;
	agent_fn run;
	/* What a confined member gets for an outsider, and what all others get. */
	int refused;
	int allowed;
	unsigned int flags;
};

/* Tables end with an attempt without a name. */
extern const struct attempt attempts_signal[];
extern const struct attempt attempts_schedule[];
extern const struct attempt attempts_task[];
extern const struct attempt attempts_owner[];
extern const struct attempt attempts_system[];
extern const struct attempt attempts_net[];

/* Who tries, on children of whom, and how that is to end. */
struct trial {
	struct agent *who;
	struct agent *parent;
	bool as_root;
	/* The target is a thread beside its process's leader. */
	bool thread;
	bool refused;
};

/*
 * Makes every attempt of @table, on another target whenever one has changed: how
 * many of them did not end as they should.  Each of those is told, and each that
 * is unavailable.
 */
int attempts_make(const struct attempt *table, const struct trial *trial);
/* The same for all the tables above. */
int attempts_make_all(const struct trial *trial);

/*
 * For agents: a child, the leader of its own group, with a thread beside the
 * leader.  Both numbers are in the answer.
 */
long attempt_target(long unused);
#define TARGET_PID(target)	((long)(target) >> 32)
#define TARGET_TID(target)	((long)(int)(target))

/* Makes @nr, or the group -@nr, the owner of a file. */
typedef int (*owner_fn)(int fd, int nr);

int owner_set(int fd, int nr);		/* F_SETOWN */
int owner_set_group(int fd, int nr);	/* F_SETOWN_EX, with @nr itself the group */

/* Makes @nr the owner of a socket by @set, and has data arrive, which @signal tells. */
long attempt_own(owner_fn set, int nr, int signal);

/* What attempts leave behind, as seen by the caller. */
struct traces {
	char text[1024];
};

int attempt_look(struct traces *traces, int nr);

#endif /* ATTEMPTLIB_H */
