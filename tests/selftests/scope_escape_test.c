// SPDX-License-Identifier: GPL-2.0
/*
 * Races at the border of a space in mode SCOPE: members signal an outsider all the
 * time while it execs, ends, is adopted, or its number is used again; or while
 * the border is just being drawn.  Not one signal may go across.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "attacklib.h"
#include "eventlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* Of so many attacks, one is the occasion for a change that takes its time. */
#define ATTACKS_FOR_A_CHANGE	100

#define EXECS		60
#define EXECS_LEFT	"SCOPE_EXECS"
/* What a target that will exec no more says so by. */
#define DONE_FD		100

FIXTURE(escape) {
	int space;
	bool confined;
};

FIXTURE_VARIANT(escape) {
	unsigned int mode;
};

FIXTURE_VARIANT_ADD(escape, scope) { .mode = PIDSPACE_MODE_SCOPE };
FIXTURE_VARIANT_ADD(escape, track) { .mode = PIDSPACE_MODE_TRACK };

FIXTURE_SETUP(escape)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SCOPE_SIGNAL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, arena_start());
	self->space = sc_create(variant->mode, NULL);
	ASSERT_LE(0, self->space);
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
}

FIXTURE_TEARDOWN(escape)
{
	attackers_stop();
	EXPECT_EQ(0, sp_end(self->space));
}

static void *exec_again(void *unused)
{
	execl("/proc/self/exe", "target", NULL);
	_exit(1);
	return unused;
}

static void *stay(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/*
 * A target execs itself so many times, by turns from a thread, which takes the
 * leader's number then, and from the leader beside a thread.
 */
static void be_target(int left) __attribute__((noreturn));
static void be_target(int left)
{
	pthread_t thread;
	char text[16];

	alarm(200 * SLOWEST * TIME_SCALE);
	if (!left) {
		if (write(DONE_FD, "x", 1) != 1)
			_exit(1);
		stay(NULL);
	}
	snprintf(text, sizeof(text), "%d", left - 1);
	setenv(EXECS_LEFT, text, true);
	if (pthread_create(&thread, NULL, left % 2 ? exec_again : stay, NULL))
		_exit(1);
	if (left % 2)
		stay(NULL);
	exec_again(NULL);
	_exit(1);
}

/* Before main(), of which a target is to know nothing. */
static void __attribute__((constructor)) maybe_be_target(void)
{
	const char *left = getenv(EXECS_LEFT);

	if (left)
		be_target(atoi(left));
}

/* A number and a handle lead nowhere while the target execs, threads and all. */
TEST_F_TIMEOUT(escape, target_execs, 300)
{
	int ends[2];
	char byte;
	pid_t target;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	target = fork();
	if (target == 0) {
		sp_child_begin();
		/* Only now the attackers have its handle. */
		if (read(ends[0], &byte, 1) != 1 || dup2(ends[1], DONE_FD) != DONE_FD)
			_exit(1);
		be_target(EXECS);
	}
	ASSERT_LT(0, target);
	arena->pidfd = sc_pidfd(target);
	ASSERT_LE(0, arena->pidfd);
	ASSERT_EQ(ATTACKERS, attackers_start(self->space));
	arena->target = target;
	arena->stage = self->confined ? STAGE_CLOSED : STAGE_OPEN;
	ASSERT_EQ(1, write(ends[1], "x", 1));
	ASSERT_TRUE(attackers_advance(arena_rounds()));
	EXPECT_EQ(1, read(ends[0], &byte, 1));
	attackers_stop();
	EXPECT_EQ(0, arena->escapes);
	EXPECT_EQ(!self->confined, sc_got_it(target));
	EXPECT_EQ(!self->confined, arena->hits > 0);
	EXPECT_EQ(0, sp_kill_reap(target));
}

/* Nor while targets come to their end, reaped or not. */
TEST_F_TIMEOUT(escape, target_ends, 300)
{
	long changes = arena_rounds() / ATTACKS_FOR_A_CHANGE;

	ASSERT_EQ(ATTACKERS, attackers_start(self->space));
	for (long i = 0; i < changes; i++) {
		pid_t target = sp_fork_paused();

		ASSERT_LT(0, target);
		arena->target = target;
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE / 2));
		ASSERT_EQ(0, kill(target, SIGKILL));
		ASSERT_EQ(0, sp_await_zombie(target));
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE / 2));
		ASSERT_EQ(SIGKILL, sp_reap(target));
	}
	attackers_stop();
	EXPECT_EQ(self->confined ? 0 : arena->hits, arena->escapes);
	EXPECT_EQ(!self->confined, arena->hits > 0);
}

/* A target is reached once it is adopted, and not before. */
TEST_F_TIMEOUT(escape, target_is_adopted, 300)
{
	long changes = arena_rounds() / ATTACKS_FOR_A_CHANGE;

	ASSERT_EQ(ATTACKERS, attackers_start(self->space));
	for (long i = 0; i < changes; i++) {
		pid_t target = sp_fork_paused();

		ASSERT_LT(0, target);
		arena->stage = self->confined ? STAGE_CLOSED : STAGE_OPEN;
		arena->target = target;
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE / 2));
		EXPECT_EQ(!self->confined, sc_got_it(target));
		arena->stage = STAGE_MOVING;
		ASSERT_EQ(0, sp_adopt(self->space, target, 0));
		arena->stage = STAGE_OPEN;
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE / 2));
		EXPECT_TRUE(sc_got_it(target));
		arena->target = 0;
		ASSERT_EQ(0, sp_kill_reap(target));
	}
	attackers_stop();
	EXPECT_EQ(0, arena->escapes);
	EXPECT_EQ(0, arena->misses);
}

/* Attackers outside reach a target there until they are adopted, and not after. */
TEST_F_TIMEOUT(escape, attackers_are_adopted, 300)
{
	long changes = arena_rounds() / ATTACKS_FOR_A_CHANGE / ATTACKERS / 2;
	pid_t target = sp_fork_paused();

	ASSERT_LT(0, target);
	arena->pidfd = sc_pidfd(target);
	arena->target = target;
	for (long i = 0; i < changes; i++) {
		arena->stage = STAGE_OPEN;
		ASSERT_EQ(ATTACKERS, attackers_start(-1));
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE));
		arena->stage = STAGE_MOVING;
		for (int j = 0; j < ATTACKERS; j++)
			ASSERT_EQ(0, sp_adopt(self->space, attacker_pid(j), 0));
		arena->stage = self->confined ? STAGE_CLOSED : STAGE_OPEN;
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE));
		attackers_stop();
	}
	EXPECT_LT(0, arena->hits);
	EXPECT_EQ(0, arena->escapes);
	EXPECT_EQ(0, arena->misses);
	EXPECT_EQ(0, sp_kill_reap(target));
}

/* Forgets the signals that an agent has got so far. */
static long forget_signals(long unused)
{
	const struct timespec none = {};
	sigset_t set;

	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SCOPE_SIGNAL);
	while (sigtimedwait(&set, NULL, &none) == SCOPE_SIGNAL)
		;
	return 0;
}

/* When SET has returned, what was under way across the border has arrived. */
TEST_F_TIMEOUT(escape, mode_is_set, 300)
{
	long changes = arena_rounds() / ATTACKS_FOR_A_CHANGE / ATTACKERS / 2;
	struct agent target;

	if (self->confined)
		SKIP(return, "the mode is what is to be set");
	ASSERT_EQ(0, agent_start(&target, AGENT_OUTSIDE));
	arena->pidfd = sc_pidfd(target.pid);
	arena->target = target.pid;
	for (long i = 0; i < changes; i++) {
		int space = sp_create(NULL, 0, NULL);

		ASSERT_LE(0, space);
		arena->stage = STAGE_OPEN;
		ASSERT_EQ(ATTACKERS, attackers_start(space));
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE));
		arena->stage = STAGE_MOVING;
		ASSERT_EQ(0, sc_tighten(space, PIDSPACE_MODE_SCOPE));
		arena->stage = STAGE_CLOSED;
		ASSERT_EQ(0, agent_call(&target, forget_signals, 0));
		ASSERT_TRUE(attackers_advance(ATTACKS_FOR_A_CHANGE));
		attackers_stop();
		EXPECT_FALSE(sc_got_it(target.pid));
		ASSERT_EQ(0, sp_end(space));
	}
	EXPECT_LT(0, arena->hits);
	EXPECT_EQ(0, arena->escapes);
	EXPECT_EQ(0, arena->misses);
	agent_stop(&target);
}

TEST_HARNESS_MAIN
