/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of mode SCOPE share: spaces in a mode, and a scene of members
 * and outsiders who may signal and trace each other but for the space.
 */
#ifndef SCOPELIB_H
#define SCOPELIB_H

#include <linux/types.h>

#include "agent.h"
#include "attemptlib.h"

/* The ordinary user of these tests. */
#define SCOPE_UID	61234

/* A handle of a new space in @mode. */
int sc_create(unsigned int mode, __u64 *id);
/* Puts a space that exists in @mode. */
int sc_tighten(int space, unsigned int mode);

struct scene {
	int space;
	__u64 id;
	/* Two members, and one in no space: siblings, in one group and session. */
	struct agent member;
	struct agent fellow;
	struct agent outsider;
	bool as_root;
};

/* The agents are of user @uid; what they fork is, too. */
int scene_start(struct scene *scene, unsigned int mode, long uid);
int scene_stop(struct scene *scene);

/*
 * The signal of these tests.  Whoever does not wait for it ignores it; agents
 * and what they fork keep it pending.
 */
#define SCOPE_SIGNAL	SIGURG

/* Whether @pid has got SCOPE_SIGNAL. */
bool sc_got_it(int pid);
/* For agents: kill(@nr) with it; a child, leader of its group, that pauses. */
long sc_kill(long nr);
long sc_fork_leader(long unused);
/* For agents: no privileges are gained any more, by their children neither. */
long sc_no_new_privs(long unused);

/* A pidfd by number, and a descriptor of a process's directory in /proc. */
int sc_pidfd(int pid);
int sc_proc_dir(int pid);

/* The variants of a fixture that runs in both modes, as root and as a user. */
#define SCENE_VARIANTS(fixture)						\
FIXTURE_VARIANT(fixture) {						\
	unsigned int mode;						\
	long uid;							\
};									\
FIXTURE_VARIANT_ADD(fixture, scope_root) {				\
	.mode = PIDSPACE_MODE_SCOPE,					\
};									\
FIXTURE_VARIANT_ADD(fixture, scope_user) {				\
	.mode = PIDSPACE_MODE_SCOPE,					\
	.uid = SCOPE_UID,						\
};									\
FIXTURE_VARIANT_ADD(fixture, track_root) {				\
	.mode = PIDSPACE_MODE_TRACK,					\
};									\
FIXTURE_VARIANT_ADD(fixture, track_user) {				\
	.mode = PIDSPACE_MODE_TRACK,					\
	.uid = SCOPE_UID,						\
}

#endif /* SCOPELIB_H */
