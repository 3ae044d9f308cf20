// SPDX-License-Identifier: GPL-2.0
/*
 * A signal to all of many processes that fork meanwhile: each gets it once.
 *
 * What a process has seen of a signal is in its own memory, which its child
 * gets a copy of.  So after one broadcast everybody has seen one: who was born
 * before it, and who inherited that from a parent that had got it.  A count at
 * birth need not be reset, and whether a child still had to get the signal
 * need not be known.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "agent.h"
#include "harness.h"
#include "spacelib.h"

#define MANY		(250 / WORK_SCALE)
#define SOME		(60 / WORK_SCALE)
#define ROUNDS		3

/*
 * As many naps a second are to end whatever the number of lines is, and not more than
 * can be forks: who waits for a CPU is reached by a signal long before it is done.
 */
#define NAP_US(lines)	((lines) * 8000 * TIME_SCALE)
#define DELAY_US	50000

/* No line goes on for longer, whatever becomes of the test. */
#define LIFETIME_MS	(240000 * SLOWEST * TIME_SCALE)

/*
 * A line is a process and its heirs: a child that takes over when its parent
 * ends.  Heirs lead sessions or groups of their own now and then.
 */
struct line {
	atomic_int round;
	atomic_int seen;
	atomic_uint beats;
};

struct shared {
	long long deadline;
	int width;
	/* The round to report for, 0 while they are to fork. */
	atomic_int round;
	atomic_int reports;
	/* Children with no heirs that saw more or less than they should. */
	atomic_int wrong_children;
	struct line lines[MANY];
};

static struct shared *shared;

/* The process's own. */
static volatile int seen;

FIXTURE(broadcast) {
	int space;
	int lines;
	int leader;
};

FIXTURE_VARIANT(broadcast) {
	int lines;
	/* What to signal: the whole space, or a number and its meaning. */
	unsigned int flags;
	int nr;
	bool group;
};

FIXTURE_VARIANT_ADD(broadcast, whole_space) {
	.lines = MANY, .flags = PIDSPACE_KILL_F_SPACE
};

FIXTURE_VARIANT_ADD(broadcast, all_others) { .lines = SOME, .nr = -1 };

FIXTURE_VARIANT_ADD(broadcast, group) { .lines = SOME, .group = true };

FIXTURE_SETUP(broadcast)
{
	ASSERT_EQ(0, sp_init());
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	self->lines = variant->lines;
	shared->width = variant->lines;
	shared->deadline = sp_now_ms() + LIFETIME_MS;
	/* The dead are reaped by the kernel, orphans too. */
	signal(SIGCHLD, SIG_IGN);
	setpriority(PRIO_PROCESS, 0, -20);
}

FIXTURE_TEARDOWN(broadcast)
{
	EXPECT_EQ(0, sp_end(self->space));
}

static void on_signal(int sig)
{
	(void)sig;
	seen++;
}

/*
 * Forks as the kernel does it. The C library blocks signals around it: one that
 * comes then is its parent's only, who has not acted on it.
 */
static pid_t plain_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

/* A signal sent before the round was announced is delivered by a system call. */
static int announced_round(void)
{
	int round = shared->round;

	if (round)
		getppid();
	return round;
}

/* A child with no heirs, which lives a little while. */
static void be_childless(void)
{
	int round, count;

	usleep(rand() % NAP_US(shared->width));
	round = announced_round();
	count = seen;
	/* It may have slept into the next round. */
	if (round && count != round && shared->round == round)
		shared->wrong_children++;
	_exit(0);
}

static void go_on(struct line *line, bool group)
{
	while (sp_now_ms() < shared->deadline) {
		int round = announced_round();

		line->beats++;
		if (round && line->round != round) {
			line->seen = seen;
			line->round = round;
			shared->reports++;
		}
		usleep(rand() % NAP_US(shared->width));
		if (round)
			continue;
		switch (rand() % 3) {
		case 0:
			if (plain_fork() == 0)
				be_childless();
			break;
		case 1:
			/* The heir goes on here. */
			if (plain_fork() > 0)
				_exit(0);
			if (!group && rand() % 2)
				setsid();
		}
	}
	_exit(0);
}

/* A member that goes on for ever, in a line of its own. */
static pid_t start_line(int space, int number, int leader)
{
	pid_t pid = sp_fork(space);

	if (pid == 0) {
		sigset_t set;

		signal(SIGUSR1, on_signal);
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		srand(number);
		if (leader && setpgid(0, leader))
			_exit(1);
		go_on(&shared->lines[number], leader);
	}
	return pid;
}

/* Whether each line goes on. */
static bool all_beat(const FIXTURE_DATA(broadcast) *self)
{
	static unsigned int before[MANY];
	bool all = true;

	for (int i = 0; i < self->lines; i++)
		before[i] = shared->lines[i].beats;
	for (int i = 0; i < self->lines && all; i++)
		all = WAIT_FOR(shared->lines[i].beats != before[i]);
	return all;
}

/* Starts all lines; for a group there is also a leader that just pauses. */
static int start_lines(FIXTURE_DATA(broadcast) *self, bool group)
{
	pid_t leader = group ? sp_spawn(self->space) : 0;

	if (leader < 0 || (leader && setpgid(leader, leader)))
		return -EIO;
	self->leader = group ? sp_local(self->space, leader) : 0;
	for (int i = 0; i < self->lines; i++)
		if (start_line(self->space, i, leader) < 0)
			return -EAGAIN;
	return all_beat(self) ? 0 : -ETIMEDOUT;
}

static int kill_all(FIXTURE_DATA(broadcast) *self, const FIXTURE_VARIANT(broadcast) *variant,
		    unsigned int sig)
{
	struct pidspace_kill answer;
	int err = sp_kill_counted(self->space, variant->group ? -self->leader : variant->nr,
				  sig, variant->flags, &answer);

	return err ? err : (int)answer.signalled;
}

/* Whether each line reports: it takes as long as it takes while reports come in. */
static bool all_report(const FIXTURE_DATA(broadcast) *self)
{
	int now = -1;

	while (now < self->lines && WAIT_FOR(shared->reports > now))
		now = shared->reports;
	return now == self->lines;
}

/* SIGUSR1 is counted once by everybody, round for round. */
TEST_F_TIMEOUT(broadcast, once_for_each, 240)
{
	ASSERT_EQ(0, start_lines(self, variant->group));
	for (int round = 1; round <= ROUNDS; round++) {
		int wrong = 0;

		shared->round = 0;
		shared->reports = 0;
		usleep(DELAY_US + rand() % DELAY_US);
		EXPECT_LE(self->lines, kill_all(self, variant, SIGUSR1));
		shared->round = round;
		ASSERT_TRUE(all_report(self))
			TH_LOG("round %d: %d reports", round, shared->reports);
		for (int i = 0; i < self->lines; i++)
			wrong += shared->lines[i].seen != round;
		ASSERT_EQ(0, wrong);
		ASSERT_EQ(0, shared->wrong_children);
	}
}

static unsigned int all_beats(const FIXTURE_DATA(broadcast) *self)
{
	unsigned int beats = 0;

	for (int i = 0; i < self->lines; i++)
		beats += shared->lines[i].beats;
	return beats;
}

static char state_of(pid_t pid)
{
	char path[32], line[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 'X';
	if (!fgets(line, sizeof(line), file) || !strrchr(line, ')'))
		line[0] = '\0';
	fclose(file);
	return line[0] ? strrchr(line, ')')[2] : 'X';
}

/* Whether all members are stopped or dead. */
static bool all_stopped(int space)
{
	static struct pidspace_member members[4 * MANY];
	int count = sp_members(space, members, sizeof(members) / sizeof(members[0]));
	bool all = count >= 0;

	for (int i = 0; i < count && all; i++)
		all = strchr("TZX", state_of(members[i].global));
	return all;
}

/* SIGSTOP stops everybody, whoever is just being born too; SIGCONT ends that. */
TEST_F_TIMEOUT(broadcast, stop_and_continue, 240)
{
	struct pidspace_info before, after;
	unsigned int beats;

	ASSERT_EQ(0, start_lines(self, variant->group));
	for (int round = 1; round <= ROUNDS; round++) {
		usleep(DELAY_US + rand() % DELAY_US);
		EXPECT_LE(self->lines, kill_all(self, variant, SIGSTOP));
		ASSERT_TRUE(WAIT_FOR(all_stopped(self->space)));
		beats = all_beats(self);
		ASSERT_EQ(0, sp_info(self->space, &before));
		usleep(NAP_US(shared->width));
		EXPECT_EQ(beats, all_beats(self));
		ASSERT_EQ(0, sp_info(self->space, &after));
		EXPECT_EQ(before.generation, after.generation);
		EXPECT_LE(self->lines, kill_all(self, variant, SIGCONT));
		ASSERT_TRUE(all_beat(self));
	}
}

TEST_HARNESS_MAIN
