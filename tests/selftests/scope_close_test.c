// SPDX-License-Identifier: GPL-2.0
/*
 * A handle that kills on close and got into a space in mode SCOPE: whoever closes
 * it last, its own space ends, and nothing else.
 */
#include <signal.h>

#include "eventlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* What the heir inherits. */
static int killer = -1;

/* A scene, another space with a member, and an heir of the handle that kills it. */
FIXTURE(killer) {
	struct scene scene;
	int victims;
	pid_t victim;
	struct agent heir;
	bool confined;
};

SCENE_VARIANTS(killer);

FIXTURE_SETUP(killer)
{
	__u64 id;

	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, variant->uid));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
	self->victims = sp_create(NULL, 0, &id);
	ASSERT_LE(0, self->victims);
	self->victim = sp_spawn(self->victims);
	ASSERT_LT(0, self->victim);
	killer = ev_open_killer(id);
	ASSERT_LE(0, killer);
	ASSERT_EQ(0, agent_start(&self->heir, self->scene.space));
	if (variant->uid)
		ASSERT_EQ(0, agent_call(&self->heir, verb_setuid, variant->uid));
	/* From now on only the heir has it. */
	close(killer);
	ASSERT_EQ(1, sp_numbers(self->victims));
}

FIXTURE_TEARDOWN(killer)
{
	agent_stop(&self->heir);
	EXPECT_EQ(0, sp_end(self->victims));
	EXPECT_EQ(0, scene_stop(&self->scene));
}

static long close_killer(long unused)
{
	(void)unused;
	return OUTCOME(close(killer));
}

/* By close(2); the closer goes on, and may do no more than before. */
TEST_F(killer, close)
{
	EXPECT_EQ(0, agent_call(&self->heir, close_killer, 0));
	EXPECT_EQ(SIGKILL, sp_reap(self->victim));
	EXPECT_EQ(0, sp_numbers(self->victims));
	EXPECT_EQ(self->confined ? -ESRCH : 0,
		  agent_call(&self->heir, sc_kill, self->scene.outsider.pid));
	EXPECT_EQ(self->scene.fellow.pid, agent_call(&self->scene.fellow, verb_getpid, 0));
	EXPECT_EQ(self->scene.outsider.pid,
		  agent_call(&self->scene.outsider, verb_getpid, 0));
}

/* By death. */
TEST_F(killer, death)
{
	agent_stop(&self->heir);
	EXPECT_EQ(SIGKILL, sp_reap(self->victim));
	EXPECT_EQ(0, sp_numbers(self->victims));
}

/* By exec. */
static long exec_cat(long unused)
{
	(void)unused;
	execl("/bin/cat", "cat", NULL);
	return -errno;
}

TEST_F(killer, exec)
{
	ASSERT_EQ(0, agent_send(&self->heir, exec_cat, 0));
	EXPECT_EQ(SIGKILL, sp_reap(self->victim));
	EXPECT_EQ(0, sp_numbers(self->victims));
}

TEST_HARNESS_MAIN
