// SPDX-License-Identifier: GPL-2.0
/*
 * ADOPT while processes in the middle of the tree end, whose children nobody in it
 * takes.
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "adoptlib.h"
#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

/*
 * A chain: each process is the child of the one before, and nobody in it takes
 * orphans.  Some of them end on demand, all at about the same time.
 */
#define LINKS		30
#define BREAKS		3
#define ROUNDS		(40 / WORK_SCALE)

struct chain {
	atomic_int pids[LINKS];
	atomic_int links;
	atomic_bool go;
	bool ends[LINKS];
};

static struct chain *chain;

static void be_link(void)
{
	sp_child_begin();
	for (int i = 1; i < LINKS; i++) {
		pid_t pid = fork();

		if (pid) {
			/* Nothing but looking is quick enough. */
			while (chain->ends[i - 1] && !chain->go)
				sched_yield();
			if (chain->ends[i - 1])
				_exit(0);
			sp_child_pause();
		}
		sp_child_begin();
		chain->pids[i] = getpid();
		chain->links++;
	}
	sp_child_pause();
}

static long start_chain(long unused)
{
	pid_t pid;

	(void)unused;
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0)
		be_link();
	chain->pids[0] = pid;
	chain->links++;
	return pid;
}

FIXTURE(chain) {
	int space;
};

FIXTURE_SETUP(chain)
{
	ASSERT_EQ(0, sp_init());
	self->space = -1;
	chain = mmap(NULL, sizeof(*chain), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, chain);
	/* The test is to strike when it wants to, not when the chain lets it. */
	setpriority(PRIO_PROCESS, 0, -20);
}

FIXTURE_TEARDOWN(chain)
{
	if (self->space >= 0)
		EXPECT_EQ(0, sp_end(self->space));
	munmap(chain, sizeof(*chain));
}

/* A space that has room for the chain, and for nobody else. */
static int create_for_chain(void)
{
	struct pidspace_set set = { .flags = PIDSPACE_SET_F_MAX_MEMBERS, .max_members = LINKS };
	int space = sp_create(NULL, 0, NULL);

	return space < 0 ? space : ev_set(space, set) ?: space;
}

/* How many links, from the top, are members; -EPROTO where one below is too. */
static int members_from_top(int space)
{
	int count = 0;

	while (count < LINKS && (chain->ends[count] || ad_kept(space, chain->pids[count])))
		count++;
	for (int i = count; i < LINKS; i++)
		if (!chain->ends[i] && !ad_outside(space, chain->pids[i]))
			return -EPROTO;
	return count;
}

/*
 * Who ends while it is being adopted has cut off what is below it, or has not:
 * the members are the chain down to one of those, or all of it.
 */
TEST_F_TIMEOUT(chain, breaks_while_adopted, 120)
{
	int whole = 0, cut = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct agent host;
		int count;

		memset(chain, 0, sizeof(*chain));
		for (int j = 0; j < BREAKS; j++)
			chain->ends[1 + rand() % (LINKS - 2)] = true;
		ASSERT_EQ(0, agent_start(&host, AGENT_OUTSIDE));
		ASSERT_LT(0, agent_call(&host, start_chain, 0));
		self->space = create_for_chain();
		ASSERT_LE(0, self->space);
		ASSERT_TRUE(WAIT_FOR(chain->links == LINKS));
		chain->go = true;
		if (i % 2)
			usleep(rand() % 300);
		ASSERT_EQ(0, sp_adopt(self->space, chain->pids[0],
				      PIDSPACE_ADOPT_F_TREE));
		for (int j = 0; j < LINKS; j++)
			if (chain->ends[j])
				ASSERT_TRUE(WAIT_FOR(kill(chain->pids[j], 0)));
		count = members_from_top(self->space);
		ASSERT_LT(0, count);
		if (count == LINKS)
			whole++;
		else
			cut++;
		ASSERT_TRUE(count == LINKS || chain->ends[count - 1])
			TH_LOG("round %d: cut below %d", i, count);
		agent_stop(&host);
		ASSERT_EQ(0, sp_end(self->space));
		self->space = -1;
	}
	TH_LOG("%d whole, %d cut", whole, cut);
}

TEST_HARNESS_MAIN
