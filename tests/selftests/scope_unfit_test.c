// SPDX-License-Identifier: GPL-2.0
/*
 * A race of SET: a thread without no_new_privs is not overlooked when a user confines
 * a space, though it execs and has another number then.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

#define ROUNDS		(160 / WORK_SCALE)
/* They lie between the process and its thread, and take their time to be looked at. */
#define FELLOWS		(1000 / WORK_SCALE)
/* The thread execs when SET begins, or so long before that. */
#define MOST_LEAD_US	8000

/* Where a process that has exec'd finds what all share. */
#define STAGE_FD	100
#define EXECD		"SCOPE_UNFIT"

static struct {
	/* Who has done what the round begins with. */
	int ready;
	/* The round. */
	int round;
} *stage;

static int map_stage(void)
{
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED, STAGE_FD, 0);
	return stage == MAP_FAILED ? -errno : 0;
}

static void be_ready(void)
{
	__atomic_fetch_add(&stage->ready, 1, __ATOMIC_SEQ_CST);
}

static int round_now(void)
{
	return __atomic_load_n(&stage->round, __ATOMIC_SEQ_CST);
}

/* Takes the leader's number on the way, and gives up its own. */
static void *exec_at_round(void *unused)
{
	int round = round_now();

	be_ready();
	while (round_now() == round)
		;
	execl("/proc/self/exe", "process", NULL);
	_exit(1);
	return unused;
}

/* A process that is fit but for its thread, which makes the next one of its kind. */
static void be_process(void) __attribute__((noreturn));
static void be_process(void)
{
	pthread_t thread;

	alarm(200 * SLOWEST * TIME_SCALE);
	if (pthread_create(&thread, NULL, exec_at_round, NULL) || sc_no_new_privs(0))
		_exit(1);
	be_ready();
	for (;;)
		pause();
}

/* Before main(), of which that process is to know nothing. */
static void __attribute__((constructor)) maybe_be_process(void)
{
	if (!getenv(EXECD))
		return;
	if (map_stage())
		_exit(1);
	be_process();
}

static void be_fellow(void)
{
	sp_child_begin();
	if (sc_no_new_privs(0))
		_exit(1);
	be_ready();
	sp_child_pause();
}

static bool are_ready(int count)
{
	return WAIT_FOR(__atomic_load_n(&stage->ready, __ATOMIC_SEQ_CST) == count);
}

FIXTURE(unfit) {
	struct agent user;
};

FIXTURE_SETUP(unfit)
{
	int fd = memfd_create("stage", 0);

	ASSERT_EQ(0, sp_init());
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, sizeof(*stage)));
	ASSERT_EQ(STAGE_FD, dup2(fd, STAGE_FD));
	ASSERT_EQ(0, map_stage());
	ASSERT_EQ(0, agent_start(&self->user, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->user, verb_setuid, SCOPE_UID));
}

FIXTURE_TEARDOWN(unfit)
{
	agent_stop(&self->user);
}

/* In the user: a space, of a process that waits for the first round and its fellows. */
static int space = -1;

static long make_space(long unused)
{
	pid_t pid;

	(void)unused;
	space = sc_create(PIDSPACE_MODE_TRACK, NULL);
	pid = sp_fork(space);
	if (pid == 0) {
		/* The thread is made when the fellows are there. */
		while (round_now() == 0)
			usleep(1000);
		setenv(EXECD, "1", true);
		execl("/proc/self/exe", "process", NULL);
		_exit(1);
	}
	if (pid < 0 || sp_mark(space))
		return -EPROTO;
	for (int i = 0; i < FELLOWS; i++)
		if (fork() == 0)
			be_fellow();
	sp_clear(space);
	return are_ready(FELLOWS) ? 0 : -ETIMEDOUT;
}

static void next_round(void)
{
	__atomic_store_n(&stage->ready, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&stage->round, 1, __ATOMIC_SEQ_CST);
}

static long tighten_during_exec(long lead_us)
{
	if (!are_ready(2))
		return -ETIMEDOUT;
	next_round();
	usleep(lead_us);
	return sc_tighten(space, PIDSPACE_MODE_SCOPE);
}

static long end_space(long unused)
{
	(void)unused;
	return sp_end(space);
}

TEST_F_TIMEOUT(unfit, thread_that_execs, 120)
{
	ASSERT_EQ(0, agent_call(&self->user, make_space, 0));
	next_round();
	for (int round = 0; round < ROUNDS; round++) {
		long lead = MOST_LEAD_US * round / ROUNDS;

		ASSERT_EQ(-EPERM, agent_call(&self->user, tighten_during_exec, lead));
	}
	EXPECT_EQ(0, agent_call(&self->user, end_space, 0));
}

TEST_HARNESS_MAIN
