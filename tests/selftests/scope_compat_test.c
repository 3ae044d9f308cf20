// SPDX-License-Identifier: GPL-2.0
/* The 32-bit system calls of x86 reach no further than the 64-bit ones. */
#include <signal.h>

#include "compatlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* A pidfd of an outsider and one of a member, for the heir. */
static int outside = -1;
static int inside = -1;

FIXTURE(compat) {
	struct scene scene;
	/* Born when the pidfds were there. */
	struct agent heir;
	bool confined;
};

SCENE_VARIANTS(compat);

FIXTURE_SETUP(compat)
{
	if (!compat_available())
		SKIP(return, "there are no 32-bit system calls of x86");
	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, variant->uid));
	outside = sc_pidfd(self->scene.outsider.pid);
	ASSERT_LE(0, outside);
	inside = sc_pidfd(self->scene.fellow.pid);
	ASSERT_LE(0, inside);
	ASSERT_EQ(0, agent_start(&self->heir, self->scene.space));
	if (variant->uid)
		ASSERT_EQ(0, agent_call(&self->heir, verb_setuid, variant->uid));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
}

FIXTURE_TEARDOWN(compat)
{
	agent_stop(&self->heir);
	close(outside);
	close(inside);
	EXPECT_EQ(0, scene_stop(&self->scene));
}

/* A member does not find a process or thread outside. */
TEST_F_TIMEOUT(compat, outsider, 60)
{
	struct trial trial = {
		.who = &self->scene.member,
		.parent = &self->scene.outsider,
		.as_root = self->scene.as_root,
		.refused = self->confined,
	};

	EXPECT_EQ(0, attempts_make(attempts_compat, &trial));
	trial.thread = true;
	EXPECT_EQ(0, attempts_make(attempts_compat, &trial));
}

/* It finds other members as ever. */
TEST_F_TIMEOUT(compat, fellow_member, 60)
{
	struct trial trial = {
		.who = &self->scene.member,
		.parent = &self->scene.fellow,
		.as_root = self->scene.as_root,
	};

	EXPECT_EQ(0, attempts_make(attempts_compat, &trial));
	trial.thread = true;
	EXPECT_EQ(0, attempts_make(attempts_compat, &trial));
}

/* From outside, members are found as ever. */
TEST_F_TIMEOUT(compat, member_from_outside, 60)
{
	struct trial trial = {
		.who = &self->scene.outsider,
		.parent = &self->scene.fellow,
		.as_root = self->scene.as_root,
	};

	EXPECT_EQ(0, attempts_make(attempts_compat, &trial));
}

/* By handle a member neither signals an outsider nor learns of it. */
TEST_F(compat, pidfd)
{
	EXPECT_EQ(self->confined ? -EPERM : 0,
		  agent_call(&self->heir, compat_signal, outside));
	EXPECT_NE(self->confined, sp_pending(self->scene.outsider.pid, SIGUSR1));
	EXPECT_EQ(0, agent_call(&self->heir, compat_signal, inside));
	EXPECT_TRUE(sp_pending(self->scene.fellow.pid, SIGUSR1));
	EXPECT_EQ(self->confined ? -EREMOTE : 0,
		  agent_call(&self->heir, compat_info, outside));
	EXPECT_EQ(0, agent_call(&self->heir, compat_info, inside));
}

/* It does not wait by number for a child that stayed outside. */
TEST_F(compat, zombie_outside)
{
	long child = agent_call(&self->scene.outsider, verb_fork_zombie, 0);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_adopt(self->scene.space, self->scene.outsider.pid, 0));
	EXPECT_EQ(self->confined ? -ECHILD : 0,
		  agent_call(&self->scene.outsider, compat_wait, child));
}

TEST_HARNESS_MAIN
