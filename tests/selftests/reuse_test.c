// SPDX-License-Identifier: GPL-2.0
/* Which number comes next: with NO_REUSE, and without. */
#include <signal.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

/* Where to look for global numbers that no process of the guest has. */
#define LOW_NR		4000
#define HIGH_NR		30000

FIXTURE(reuse) {
	int space;
};

FIXTURE_VARIANT(reuse) {
	unsigned int policies;
};

FIXTURE_VARIANT_ADD(reuse, allowed) { .policies = 0 };
FIXTURE_VARIANT_ADD(reuse, forbidden) { .policies = PIDSPACE_POLICY_NO_REUSE };

FIXTURE_SETUP(reuse)
{
	struct pidspace_create arg = {
		.policies = variant->policies,
		/* The highest global number can be passed, too. */
		.pid_max = 2 * PIDSPACE_PID_MAX_DEFAULT,
	};

	ASSERT_EQ(0, sp_init());
	self->space = ev_create(&arg);
	ASSERT_LE(0, self->space);
}

FIXTURE_TEARDOWN(reuse)
{
	EXPECT_EQ(0, sp_end(self->space));
}

/* Adopts a new process that has the first free global number from @nr on. */
static pid_t adopt_from(int space, pid_t nr)
{
	pid_t pid = ev_fork_from(nr);
	int err;

	if (pid < 0)
		return pid;
	err = sp_adopt(space, pid, 0);
	return err ? err : pid;
}

/* The number of the next child. */
static int next_nr(int space)
{
	return sp_local(space, sp_spawn(space));
}

/* Numbers of the dead are not the next ones, with or without the policy. */
TEST_F(reuse, cyclic)
{
	ASSERT_EQ(0, ev_churn_in(self->space, 20));
	EXPECT_EQ(21, next_nr(self->space));
}

/* Numbers go on behind an adopted one, if they are not to be used twice. */
TEST_F(reuse, behind_adopted)
{
	struct pidspace_info info;
	pid_t high;

	ASSERT_EQ(0, ev_churn_in(self->space, 3));
	high = adopt_from(self->space, HIGH_NR);
	ASSERT_LE(HIGH_NR, high);
	EXPECT_EQ(variant->policies ? high + 1 : 4, next_nr(self->space));
	/* A lower one changes nothing. */
	ASSERT_LE(LOW_NR, adopt_from(self->space, LOW_NR));
	EXPECT_EQ(variant->policies ? high + 2 : 5, next_nr(self->space));
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(variant->policies ? high + 2 : 5, info.last_nr);
	EXPECT_EQ(4, info.numbers);
	EXPECT_EQ(7, info.generation);
}

/* Also when the adopted one has gone before the next child comes. */
TEST_F(reuse, behind_adopted_and_gone)
{
	pid_t high = adopt_from(self->space, HIGH_NR);

	ASSERT_LE(HIGH_NR, high);
	ASSERT_EQ(0, sp_kill_reap(high));
	EXPECT_EQ(variant->policies ? high + 1 : 1, next_nr(self->space));
}

/* Of a tree, the highest number counts. */
TEST_F(reuse, behind_adopted_tree)
{
	struct agent root;
	pid_t highest;

	ASSERT_EQ(0, agent_start(&root, AGENT_OUTSIDE));
	highest = agent_call(&root, ev_fork_from, HIGH_NR);
	ASSERT_LE(HIGH_NR, highest);
	ASSERT_LE(LOW_NR, agent_call(&root, ev_fork_from, LOW_NR));
	highest = root.pid > highest ? root.pid : highest;
	ASSERT_EQ(0, sp_adopt(self->space, root.pid, PIDSPACE_ADOPT_F_TREE));
	EXPECT_EQ(variant->policies ? highest + 1 : 1, next_nr(self->space));
	agent_stop(&root);
}

/* A number above pid_max cannot be handed out, so there is nothing to pass. */
TEST_F(reuse, adopted_above_pid_max)
{
	struct pidspace_set low = { .flags = PIDSPACE_SET_F_PID_MAX, .pid_max = 1000 };

	ASSERT_EQ(0, ev_set(self->space, low));
	ASSERT_EQ(0, ev_churn_in(self->space, 3));
	ASSERT_LE(HIGH_NR, adopt_from(self->space, HIGH_NR));
	EXPECT_EQ(4, next_nr(self->space));
}

/* When the range is used up it starts over, whatever the policy. */
TEST_F(reuse, wraps)
{
	struct pidspace_set low = { .flags = PIDSPACE_SET_F_PID_MAX, .pid_max = 304 };

	ASSERT_EQ(0, ev_set(self->space, low));
	ASSERT_EQ(0, ev_churn_in(self->space, 302));
	EXPECT_EQ(303, next_nr(self->space));
	EXPECT_EQ(300, next_nr(self->space));
	EXPECT_EQ(301, next_nr(self->space));
}

/* The policy holds for what is adopted from then on. */
TEST_F(reuse, set_on_a_live_space)
{
	struct pidspace_set other = {
		.flags = PIDSPACE_SET_F_POLICIES,
		.policies = variant->policies ^ PIDSPACE_POLICY_NO_REUSE,
	};
	pid_t high;

	ASSERT_EQ(0, ev_churn_in(self->space, 3));
	ASSERT_EQ(0, ev_set(self->space, other));
	high = adopt_from(self->space, HIGH_NR);
	ASSERT_LE(HIGH_NR, high);
	EXPECT_EQ(other.policies ? high + 1 : 4, next_nr(self->space));
}

TEST_HARNESS_MAIN
