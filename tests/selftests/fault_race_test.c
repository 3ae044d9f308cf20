// SPDX-License-Identifier: GPL-2.0
/*
 * ADOPT of a tree that forks and exits at random, while allocations fail at random:
 * the adopter's, and those that the hooks make for births and ends under way.
 */
#include <signal.h>

#include "agent.h"
#include "eventlib.h"
#include "faultlib.h"
#include "harness.h"
#include "spacelib.h"
#include "tree.h"

#define TARGET	40
#define TREES	6
#define TRIES	10

FIXTURE(race) {
	struct agent host;
	int space;
};

FIXTURE_VARIANT(race) {
	/* How many in a hundred fail, and whether the adopter's do. */
	unsigned int percent;
	bool adopter;
};

/* Few enough for an adoption to come through. */
FIXTURE_VARIANT_ADD(race, anywhere) { .percent = 2, .adopter = true };
/* Those of births and ends alone. */
FIXTURE_VARIANT_ADD(race, in_hooks) { .percent = 50 };

FIXTURE_SETUP(race)
{
	int err = fault_init(FAULT_MEMORY, NULL);

	if (err == -EOPNOTSUPP)
		SKIP(return, "this kernel cannot fail allocations");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, tree_init());
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(0, fault_at_random(0));
}

/* Adopts until it succeeds, and tells how often it failed, with nobody left over. */
static int adopt_at_last(int space, pid_t root)
{
	int err;

	for (int failures = 0; failures < TRIES; failures++) {
		err = sp_adopt(space, root, PIDSPACE_ADOPT_F_TREE);
		if (err != -ENOMEM)
			return err ? err : failures;
		/* A number that a hook is about to take back is in use for a moment. */
		if (!WAIT_FOR(sp_numbers(space) == 0))
			return -EUCLEAN;
	}
	/* So much happens meanwhile that something always fails, until nothing does. */
	err = fault_at_random(0);
	if (!err)
		err = sp_adopt(space, root, PIDSPACE_ADOPT_F_TREE);
	return err ? err : TRIES;
}

static bool is_alive(void)
{
	pid_t tids[TREE_ROOM];

	tree_tids(tids);
	for (int i = 0; i < TREE_ROOM; i++)
		if (tids[i] && !kill(tids[i], 0))
			return true;
	return false;
}

/* Nobody becomes a member or all do: whom a signal to the space leaves was none. */
TEST_F_TIMEOUT(race, all_or_nobody, 120)
{
	struct pidspace_kill answer;
	int failures, sum = 0;
	pid_t root;

	/* By chance all may succeed at once. */
	for (int i = 0; i < TREES || (variant->adopter && !sum && i < 10 * TREES); i++) {
		self->space = sp_create(NULL, 0, NULL);
		ASSERT_LE(0, self->space);
		ASSERT_EQ(0, agent_start(&self->host, AGENT_OUTSIDE));
		ASSERT_EQ(0, agent_call(&self->host, fault_at_random, variant->percent));
		if (variant->adopter)
			ASSERT_EQ(0, fault_at_random(variant->percent));
		root = agent_call(&self->host, tree_plant, TARGET);
		ASSERT_LT(0, root);
		ASSERT_TRUE(WAIT_FOR(tree_alive() >= TARGET / 2));
		failures = adopt_at_last(self->space, root);
		ASSERT_LE(0, failures);
		sum += failures;
		ASSERT_EQ(0, fault_at_random(0));
		ASSERT_EQ(0, sp_kill_counted(self->space, 0, SIGKILL, PIDSPACE_KILL_F_SPACE,
					     &answer));
		EXPECT_TRUE(WAIT_FOR(!is_alive()));
		EXPECT_EQ(0, agent_call(&self->host, tree_barren, 0));
		agent_stop(&self->host);
		ASSERT_EQ(0, sp_end(self->space));
	}
	TH_LOG("%d adoptions failed", sum);
	if (variant->adopter)
		EXPECT_LT(0, sum);
}

TEST_HARNESS_MAIN
