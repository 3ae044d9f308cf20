// SPDX-License-Identifier: GPL-2.0
/*
 * A fork bomb in a space, with new sessions and double forks, bounded by what
 * the space holds.  One SIGKILL to the whole space ends it, every time.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"
#include "tree.h"

#define BOMBS		(100 / WORK_SCALE)

/* How many members the space has room for. */
#define BOUND		120

/* How long a bomb goes off, at most: it is full after some of it. */
#define DELAY_US	100000

FIXTURE(bomb) {
	struct agent host;
	int space;
};

FIXTURE_VARIANT(bomb) {
	bool one_cpu;
	/* What the bound is: that, or the numbers there are. */
	__u32 max_members;
	int bombs;
};

FIXTURE_VARIANT_ADD(bomb, one_cpu) {
	.one_cpu = true, .max_members = BOUND, .bombs = BOMBS
};

FIXTURE_VARIANT_ADD(bomb, all_cpus) { .max_members = BOUND, .bombs = BOMBS };

FIXTURE_VARIANT_ADD(bomb, all_numbers) { .bombs = BOMBS / 10 };

static int run_on_one_cpu(void)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		return -errno;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

FIXTURE_SETUP(bomb)
{
	struct pidspace_create create = {
		.size = sizeof(create),
		.pid_max = PIDSPACE_PID_MAX_MIN,
		.max_members = variant->max_members,
	};

	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, tree_init());
	if (variant->one_cpu)
		ASSERT_EQ(0, run_on_one_cpu());
	self->space = ev_create(&create);
	ASSERT_LE(0, self->space);
	/* It spawns the bomb, and stays outside. */
	ASSERT_EQ(0, agent_start(&self->host, AGENT_OUTSIDE));
	setpriority(PRIO_PROCESS, 0, -20);
}

FIXTURE_TEARDOWN(bomb)
{
	EXPECT_EQ(0, sp_end(self->space));
	agent_stop(&self->host);
}

/* Some are killed while they grow, and some when they have been full for long. */
TEST_F_TIMEOUT(bomb, dies_at_the_first_kill, 200)
{
	int most = 0;

	for (int i = 0; i < variant->bombs; i++) {
		struct pidspace_kill answer;
		struct pidspace_info info;

		ASSERT_LT(0, agent_call(&self->host, tree_plant_bomb_in, self->space));
		usleep(rand() % DELAY_US);
		ASSERT_EQ(0, sp_kill_counted(self->space, 0, SIGKILL,
					     PIDSPACE_KILL_F_SPACE, &answer));
		EXPECT_LT(0, answer.signalled);
		EXPECT_EQ(0, answer.refused);
		most = (int)answer.signalled > most ? (int)answer.signalled : most;
		/* Nobody is left, in the space or elsewhere. */
		ASSERT_TRUE(WAIT_FOR(sp_numbers(self->space) == 0))
			TH_LOG("bomb %d goes on", i);
		ASSERT_EQ(0, agent_call(&self->host, tree_barren, 0));
		ASSERT_EQ(0, sp_info(self->space, &info));
		EXPECT_EQ(0, info.numbers);
		EXPECT_EQ(PIDSPACE_STATE_LIVE, info.state);
	}
	TH_LOG("%d bombs, the largest of %d processes", variant->bombs, most);
}

TEST_HARNESS_MAIN
