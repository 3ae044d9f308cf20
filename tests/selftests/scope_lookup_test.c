// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever takes a number finds members only, for a member of a space in mode
 * SCOPE.  In mode TRACK the same attempts succeed.
 */
#include <fcntl.h>

#include "eventlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

FIXTURE(lookup) {
	struct scene scene;
	bool confined;
};

SCENE_VARIANTS(lookup);

FIXTURE_SETUP(lookup)
{
	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, variant->uid));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
}

FIXTURE_TEARDOWN(lookup)
{
	EXPECT_EQ(0, scene_stop(&self->scene));
}

/* A member does not find a process outside, by any means, nor affect it. */
TEST_F_TIMEOUT(lookup, outsider, 60)
{
	struct trial trial = {
		.who = &self->scene.member,
		.parent = &self->scene.outsider,
		.as_root = self->scene.as_root,
		.refused = self->confined,
	};

	EXPECT_EQ(0, attempts_make_all(&trial));
}

/* Nor does it find a thread there. */
TEST_F_TIMEOUT(lookup, thread_of_an_outsider, 60)
{
	struct trial trial = {
		.who = &self->scene.member,
		.parent = &self->scene.outsider,
		.as_root = self->scene.as_root,
		.refused = self->confined,
		.thread = true,
	};

	EXPECT_EQ(0, attempts_make_all(&trial));
}

/* It finds other members as ever. */
TEST_F_TIMEOUT(lookup, fellow_member, 60)
{
	struct trial trial = {
		.who = &self->scene.member,
		.parent = &self->scene.fellow,
		.as_root = self->scene.as_root,
	};

	EXPECT_EQ(0, attempts_make_all(&trial));
	trial.thread = true;
	EXPECT_EQ(0, attempts_make_all(&trial));
}

/* From outside, members are found as ever. */
TEST_F_TIMEOUT(lookup, member_from_outside, 60)
{
	struct trial trial = {
		.who = &self->scene.outsider,
		.parent = &self->scene.fellow,
		.as_root = self->scene.as_root,
	};

	EXPECT_EQ(0, attempts_make_all(&trial));
}

/* A member of another space is an outsider too, whatever the mode of that. */
TEST_F_TIMEOUT(lookup, member_of_another_space, 120)
{
	static const unsigned int modes[] = { PIDSPACE_MODE_SCOPE, PIDSPACE_MODE_TRACK };
	/* Who is confined in turn may be reached from the mode that confines nobody. */
	const size_t count = self->confined ? ARRAY_SIZE(modes) : 1;

	for (size_t i = 0; i < count; i++) {
		struct agent foreigner = {};
		struct trial trial = {
			.who = &self->scene.member,
			.parent = &foreigner,
			.as_root = self->scene.as_root,
			.refused = self->confined,
		};
		int space = sc_create(modes[i], NULL);

		ASSERT_LE(0, space);
		ASSERT_EQ(0, agent_start(&foreigner, space));
		if (variant->uid)
			ASSERT_EQ(0, agent_call(&foreigner, verb_setuid, variant->uid));
		EXPECT_EQ(0, attempts_make_all(&trial));
		agent_stop(&foreigner);
		EXPECT_EQ(0, sp_end(space));
	}
}

/* Numbers of nobody are what they are without a space. */
static long try_all_of_nobody(long nr)
{
	long wrong = 0;

	for (const struct attempt *attempt = attempts_signal; attempt->name; attempt++)
		wrong += attempt->run(nr) != attempt->refused;
	return wrong;
}

TEST_F(lookup, nobody)
{
	long reaped = agent_call(&self->scene.fellow, verb_fork_reaped, 0);

	ASSERT_LT(0, reaped);
	EXPECT_EQ(0, agent_call(&self->scene.member, try_all_of_nobody, reaped));
	EXPECT_EQ(0, agent_call(&self->scene.member, try_all_of_nobody,
				PIDSPACE_PID_MAX_LIMIT - 1));
}

/* A zombie is found inside, and not outside. */
TEST_F(lookup, zombies)
{
	long inside = agent_call(&self->scene.fellow, verb_fork_zombie, 0);
	long outside = agent_call(&self->scene.outsider, verb_fork_zombie, 0);

	ASSERT_LT(0, inside);
	ASSERT_LT(0, outside);
	EXPECT_EQ(0, agent_call(&self->scene.member, sc_kill, inside));
	EXPECT_EQ(self->confined ? -ESRCH : 0,
		  agent_call(&self->scene.member, sc_kill, outside));
	agent_call(&self->scene.outsider, verb_reap, outside);
	agent_call(&self->scene.fellow, verb_reap, inside);
}

/* A number that is taken outside is taken, for clone3(set_tid) too. */
static long fork_as(long nr)
{
	long pid = ev_fork_as(nr);

	return pid > 0 ? sp_kill_reap(pid) : pid;
}

TEST_F(lookup, set_tid)
{
	long free = agent_call(&self->scene.fellow, verb_fork_reaped, 0);

	if (variant->uid)
		SKIP(return, "only root chooses numbers");
	EXPECT_EQ(-EEXIST, agent_call(&self->scene.member, fork_as, self->scene.outsider.pid));
	EXPECT_EQ(0, agent_call(&self->scene.member, fork_as, free));
}

/* Root inside does not make a process outside the one to get ctrl-alt-del. */
static long choose_ctrl_alt_del(long nr)
{
	int fd = open("/proc/sys/kernel/cad_pid", O_WRONLY | O_CLOEXEC);
	char text[16];
	long err;

	if (fd < 0)
		return -errno;
	err = OUTCOME(write(fd, text, snprintf(text, sizeof(text), "%ld", nr)));
	close(fd);
	return err;
}

TEST_F(lookup, ctrl_alt_del)
{
	if (variant->uid)
		SKIP(return, "only root may write the sysctl");
	EXPECT_EQ(self->confined ? -ESRCH : 0,
		  agent_call(&self->scene.member, choose_ctrl_alt_del,
			     self->scene.outsider.pid));
	EXPECT_EQ(0, agent_call(&self->scene.member, choose_ctrl_alt_del,
				self->scene.fellow.pid));
	EXPECT_EQ(0, choose_ctrl_alt_del(1));
}

TEST_HARNESS_MAIN
