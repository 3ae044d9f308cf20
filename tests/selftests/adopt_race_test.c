// SPDX-License-Identifier: GPL-2.0
/*
 * ADOPT while the tree forks, exits and is reparented.  Who is alive is known
 * from what the kernel wrote into memory that tree and test share.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "adoptlib.h"
#include "agent.h"
#include "harness.h"
#include "spacelib.h"
#include "tree.h"

/* How often a tree of how many is adopted. */
#define ROUNDS		(200 / WORK_SCALE)
#define TREE_SIZE	200

/* How long a tree goes on before it is adopted, at most. */
#define DELAY_US	10000

#define TREE	PIDSPACE_ADOPT_F_TREE

/* How long there are new rounds with large trees and with small ones. */
#define GROWS_MS	(WORK_SCALE > 1 ? 60000 : 240000)
#define SMALL_MS	(80000 * TIME_SCALE)

/* How often a task that is about to end is looked at, at most. */
#define LOOKS		10

/* Whether there is another round: as many as are asked for, or ROUNDS, while there is time. */
static bool goes_on(int done, long long end)
{
	const char *wanted = getenv("PIDSPACE_ROUNDS");

	if (wanted)
		return done < atoi(wanted);
	return done == 0 || (done < ROUNDS && sp_now_ms() < end);
}

FIXTURE(tree) {
	struct agent host;
	int space;
};

FIXTURE_SETUP(tree)
{
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, tree_init());
	self->space = -1;
	ASSERT_EQ(0, agent_start(&self->host, AGENT_OUTSIDE));
	/* The test is to strike when it wants to, not when the tree lets it. */
	setpriority(PRIO_PROCESS, 0, -20);
}

FIXTURE_TEARDOWN(tree)
{
	if (self->space >= 0)
		EXPECT_EQ(0, sp_end(self->space));
	agent_stop(&self->host);
}

/* Asks for the local numbers of all @tids at once. */
static int locals(int space, const pid_t *tids, struct pidspace_nr *answers)
{
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_IN_SPACE,
		.count = TREE_ROOM,
		.entries = (unsigned long)answers,
	};

	memset(answers, 0, TREE_ROOM * sizeof(*answers));
	for (int i = 0; i < TREE_ROOM; i++)
		answers[i].from = tids[i];
	return sp_ioctl(space, PIDSPACE_IOC_LOOKUP, &arg);
}

/* What there is to know of a task that is not where it should be. */
static void describe(pid_t tid, pid_t before, int local)
{
	char path[32], line[128] = "gone";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t got = read(fd, line, sizeof(line) - 1);

		line[got > 0 ? got : 0] = 0;
		close(fd);
	}
	printf("# %d, before %d, has %d: %s\n", tid, before, local, line);
}

/* Those of @now that are outside, resp. were there @before and are renumbered. */
static int misplaced(int space, const pid_t *before, const pid_t *now, bool last)
{
	static struct pidspace_nr answers[TREE_ROOM];
	int wrong = 0;

	if (locals(space, now, answers))
		return -EIO;
	for (int i = 0; i < TREE_ROOM; i++) {
		int local = answers[i].to;

		if (!now[i] || (before[i] == now[i] ? local == now[i] : local))
			continue;
		wrong++;
		if (last)
			describe(now[i], before[i], local);
	}
	return wrong;
}

/* The same of all that are alive; who is just ending is looked at again. */
static int all_misplaced(int space, const pid_t *before)
{
	pid_t now[TREE_ROOM];
	int wrong = -1;

	for (int i = 0; i < LOOKS && wrong; i++) {
		tree_tids(now);
		wrong = misplaced(space, before, now, i == LOOKS - 1);
		usleep(wrong ? 10000 : 0);
	}
	return wrong;
}

/*
 * Of 200 processes that fork, exit and become daemons at random none is outside
 * afterwards, and none has another number than before.  Then all of them die at
 * one stroke, which leaves no child to who hosts them.
 */
TEST_F_TIMEOUT(tree, adopted_while_it_grows, 480)
{
	long long end = sp_now_ms() + GROWS_MS;
	struct pidspace_adopt answer;
	struct pidspace_kill killed;
	pid_t before[TREE_ROOM];
	int kept = 0, done;

	for (done = 0; goes_on(done, end); done++) {
		long root = agent_call(&self->host, tree_plant, TREE_SIZE);

		ASSERT_LT(0, root);
		self->space = sp_create(NULL, 0, NULL);
		ASSERT_LE(0, self->space);
		ASSERT_TRUE(WAIT_FOR(tree_alive() > TREE_SIZE * 9 / 10));
		usleep(rand() % DELAY_US);
		tree_tids(before);
		ASSERT_EQ(0, sp_adopt_counted(self->space, root, TREE, &answer));
		ASSERT_EQ(0, tree_freeze());
		ASSERT_EQ(0, all_misplaced(self->space, before))
			TH_LOG("round %d", done);
		EXPECT_LE(TREE_SIZE / 2, answer.numbers);
		EXPECT_GE(answer.numbers, answer.processes);
		kept += answer.numbers;
		ASSERT_EQ(0, sp_kill_counted(self->space, 0, SIGKILL,
					     PIDSPACE_KILL_F_SPACE, &killed));
		ASSERT_EQ(0, agent_call(&self->host, tree_barren, 0));
		ASSERT_EQ(0, sp_end(self->space));
		self->space = -1;
	}
	TH_LOG("%d times, %d numbers kept on average", done, kept / done);
}

/* The same with trees of a few, some of which have hardly begun to grow. */
TEST_F_TIMEOUT(tree, adopted_while_it_is_small, 160)
{
	long long end = sp_now_ms() + SMALL_MS;
	struct pidspace_kill killed;
	pid_t before[TREE_ROOM];

	for (int done = 0; goes_on(done, end); done++) {
		long root = agent_call(&self->host, tree_plant, 1 + rand() % 16);

		ASSERT_LT(0, root);
		self->space = sp_create(NULL, 0, NULL);
		ASSERT_LE(0, self->space);
		usleep(rand() % DELAY_US);
		tree_tids(before);
		ASSERT_EQ(0, sp_adopt(self->space, root, TREE));
		ASSERT_EQ(0, tree_freeze());
		ASSERT_EQ(0, all_misplaced(self->space, before))
			TH_LOG("round %d", done);
		ASSERT_EQ(0, sp_kill_counted(self->space, 0, SIGKILL,
					     PIDSPACE_KILL_F_SPACE, &killed));
		ASSERT_EQ(0, agent_call(&self->host, tree_barren, 0));
		ASSERT_EQ(0, sp_end(self->space));
		self->space = -1;
	}
}

/* Of two that adopt the same tree at once one gets all of it, and one nothing. */
#define RIVAL_ROUNDS	(20 / WORK_SCALE)

static long ignore_children(long unused)
{
	(void)unused;
	return signal(SIGCHLD, SIG_IGN) == SIG_ERR ? -errno : 0;
}

TEST_F_TIMEOUT(tree, adopted_by_two, 60)
{
	struct agent rivals[2];
	int spaces[2];

	ASSERT_EQ(0, agent_call(&self->host, ignore_children, 0));
	for (int i = 0; i < 2; i++) {
		spaces[i] = sp_create(NULL, 0, NULL);
		ASSERT_LE(0, spaces[i]);
		ASSERT_EQ(0, agent_start(&rivals[i], AGENT_OUTSIDE));
	}
	for (int i = 0; i < RIVAL_ROUNDS; i++) {
		long top = agent_call(&self->host, ad_family, 3);
		long got[2];
		int winner;

		ASSERT_LT(0, top);
		for (int j = 0; j < 2; j++)
			ASSERT_EQ(0, agent_send(&rivals[j], ad_adopt,
						AD_CALL(spaces[j], top, TREE)));
		for (int j = 0; j < 2; j++)
			got[j] = agent_receive(&rivals[j]);
		winner = got[1] > 0;
		EXPECT_EQ(15, got[winner]);
		EXPECT_EQ(-EBUSY, got[!winner]);
		ASSERT_EQ(15, sp_numbers(spaces[winner]));
		ASSERT_EQ(0, sp_numbers(spaces[!winner]));
		ASSERT_EQ(0, sp_kill(spaces[winner], -1, SIGKILL));
		ASSERT_TRUE(WAIT_FOR(sp_numbers(spaces[winner]) == 0));
	}
	for (int i = 0; i < 2; i++) {
		agent_stop(&rivals[i]);
		EXPECT_EQ(0, sp_end(spaces[i]));
	}
}

#define DYING_ROUNDS	(40 / WORK_SCALE)

/*
 * Who is adopted into a space that is being destroyed is a member and dies with
 * it, or was refused and lives outside.
 */
static long destroy_named(long id)
{
	int space = sp_open(NULL, id);
	int err;

	if (space < 0)
		return space;
	usleep(rand() % 500);
	err = sp_destroy(space, PIDSPACE_DESTROY_F_KILL);
	close(space);
	return err;
}

TEST_F_TIMEOUT(tree, adopted_into_a_dying_space, 60)
{
	int adopted = 0;

	ASSERT_EQ(0, agent_call(&self->host, ignore_children, 0));
	for (int i = 0; i < DYING_ROUNDS; i++) {
		long pid = agent_call(&self->host, verb_fork, 0);
		__u64 id;
		int err;

		self->space = sp_create(NULL, 0, &id);
		ASSERT_LE(0, self->space);
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, agent_send(&self->host, destroy_named, id));
		usleep(rand() % 1000);
		err = sp_adopt(self->space, pid, 0);
		ASSERT_EQ(0, agent_receive(&self->host));
		EXPECT_EQ(-ESTALE, sp_numbers(self->space));
		if (!err) {
			adopted++;
			ASSERT_TRUE(WAIT_FOR(kill(pid, 0)));
		} else {
			ASSERT_TRUE(err == -EAGAIN || err == -ESTALE);
			ASSERT_EQ(0, kill(pid, 0));
			ASSERT_EQ(0, kill(pid, SIGKILL));
		}
		close(self->space);
		self->space = -1;
	}
	TH_LOG("%d of %d were adopted", adopted, DYING_ROUNDS);
}

TEST_HARNESS_MAIN
