// SPDX-License-Identifier: GPL-2.0
/*
 * KILL with kill(2)'s meanings.  Every process here blocks SIGUSR1, so that
 * who got it can be read from /proc without a race.
 */
#include <limits.h>
#include <signal.h>

#include "agent.h"
#include "harness.h"
#include "spacelib.h"

/* The space of the running test, for its agents. */
static int own_space;

/* Number 1 has a child with number 2; number 3 stands beside them. */
FIXTURE(kill) {
	int space;
	struct agent first;
	pid_t child;
	struct agent third;
	pid_t outsider;
};

FIXTURE_SETUP(kill)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	own_space = self->space;
	ASSERT_EQ(0, agent_start(&self->first, self->space));
	self->child = agent_call(&self->first, verb_fork, 0);
	ASSERT_LT(0, self->child);
	ASSERT_EQ(0, agent_start(&self->third, self->space));
	self->outsider = sp_fork_paused();
	ASSERT_LT(0, self->outsider);
}

FIXTURE_TEARDOWN(kill)
{
	/* In a group of theirs it would keep the number of that. */
	if (self->outsider > 0)
		sp_kill_reap(self->outsider);
	agent_stop(&self->first);
	agent_stop(&self->third);
	EXPECT_EQ(0, sp_end(self->space));
}

/* Who of first, child, third and outsider has SIGUSR1, as bits 1, 2, 4 and 8. */
static int who_got_it(const FIXTURE_DATA(kill) *self)
{
	return sp_pending(self->first.pid, SIGUSR1) |
	       sp_pending(self->child, SIGUSR1) << 1 |
	       sp_pending(self->third.pid, SIGUSR1) << 2 |
	       sp_pending(self->outsider, SIGUSR1) << 3;
}

static long kill_by_number(long nr)
{
	return sp_kill(own_space, nr, SIGUSR1);
}

/* A number above 0 is one process. */
TEST_F(kill, one_process)
{
	struct pidspace_kill answer;

	ASSERT_EQ(0, sp_kill_counted(self->space, 2, SIGUSR1, 0, &answer));
	EXPECT_EQ(1, answer.signalled);
	EXPECT_EQ(0, answer.refused);
	EXPECT_EQ(2, who_got_it(self));
}

/* A process ends by a signal that it does not handle. */
TEST_F(kill, signal_is_delivered)
{
	long status;

	ASSERT_EQ(0, sp_kill(self->space, 2, SIGTERM));
	status = agent_call(&self->first, verb_reap, self->child);
	ASSERT_LE(0, status);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGTERM, WTERMSIG(status));
	EXPECT_EQ(2, sp_numbers(self->space));
}

/* The number of a thread stands for its process, as with kill(2). */
TEST_F(kill, thread_number)
{
	long tid = agent_call(&self->third, verb_thread, 0);
	int nr = sp_local(self->space, tid);

	ASSERT_EQ(4, nr);
	ASSERT_EQ(0, sp_kill(self->space, nr, SIGUSR1));
	EXPECT_EQ(4, who_got_it(self));
}

/* -1 is every process of the space, from outside. */
TEST_F(kill, all_from_outside)
{
	struct pidspace_kill answer;

	ASSERT_EQ(0, sp_kill_counted(self->space, -1, SIGUSR1, 0, &answer));
	EXPECT_EQ(3, answer.signalled);
	EXPECT_EQ(7, who_got_it(self));
}

/* -1 leaves out the caller, as with kill(2). */
TEST_F(kill, all_from_inside)
{
	ASSERT_EQ(0, agent_call(&self->third, kill_by_number, -1));
	EXPECT_EQ(3, who_got_it(self));
}

/* A process with several threads gets the signal once. */
TEST_F(kill, once_for_each_process)
{
	struct pidspace_kill answer;

	ASSERT_LT(0, agent_call(&self->third, verb_thread, 0));
	ASSERT_EQ(4, sp_numbers(self->space));
	ASSERT_EQ(0, sp_kill_counted(self->space, -1, SIGUSR1, 0, &answer));
	EXPECT_EQ(3, answer.signalled);
}

/* F_SPACE leaves nobody out, the calling member neither. */
static long kill_space_inside(long space)
{
	struct pidspace_kill answer;
	int err = sp_kill_counted(space, 0, SIGUSR1, PIDSPACE_KILL_F_SPACE, &answer);

	return err ? err : (long)answer.signalled;
}

TEST_F(kill, whole_space_from_inside)
{
	EXPECT_EQ(3, agent_call(&self->third, kill_space_inside, self->space));
	EXPECT_EQ(7, who_got_it(self));
}

/* Below -1 is a process group; of one shared with others, the members. */
TEST_F(kill, process_group)
{
	struct pidspace_kill answer;

	EXPECT_EQ(-ESRCH, sp_kill(self->space, -3, SIGUSR1));
	ASSERT_EQ(0, setpgid(self->third.pid, self->third.pid));
	ASSERT_EQ(0, setpgid(self->first.pid, self->third.pid));
	ASSERT_EQ(0, setpgid(self->outsider, self->third.pid));
	ASSERT_EQ(0, sp_kill_counted(self->space, -3, SIGUSR1, 0, &answer));
	EXPECT_EQ(2, answer.signalled);
	EXPECT_EQ(5, who_got_it(self));
}

/* A group whose leader is no member has no number here. */
TEST_F(kill, foreign_process_group)
{
	EXPECT_EQ(-ESRCH, sp_kill(self->space, -getpgrp(), SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, -2, SIGUSR1));
	EXPECT_EQ(0, who_got_it(self));
}

/* 0 is the caller's group where the caller is a member, and members only. */
TEST_F(kill, own_group)
{
	ASSERT_EQ(0, setpgid(self->third.pid, self->third.pid));
	ASSERT_EQ(0, setpgid(self->outsider, self->third.pid));
	ASSERT_EQ(0, agent_call(&self->third, kill_by_number, 0));
	EXPECT_EQ(4, who_got_it(self));
	EXPECT_EQ(-EINVAL, sp_kill(self->space, 0, SIGUSR1));
}

/* Signal 0 only checks; the lowest and highest signal exist, 65 does not. */
TEST_F(kill, signal_range)
{
	EXPECT_EQ(0, sp_kill(self->space, 2, 0));
	EXPECT_EQ(0, sp_kill(self->space, -1, 0));
	EXPECT_EQ(-EINVAL, sp_kill(self->space, 2, 65));
	EXPECT_EQ(-EINVAL, sp_kill(self->space, 2, ~0U));
	EXPECT_EQ(-EINVAL, sp_kill(self->space, -1, 65));
	EXPECT_EQ(3, sp_numbers(self->space));
	EXPECT_EQ(0, sp_kill(self->space, 2, 64));
	EXPECT_LT(0, agent_call(&self->first, verb_reap, self->child));
}

/* Numbers that nobody has are ESRCH, also the one a process just had. */
TEST_F(kill, no_such_member)
{
	ASSERT_EQ(0, agent_call(&self->first, verb_kill_reap, self->child));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, 2, SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, 99, SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, INT_MAX, SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, INT_MIN, SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, -99, SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, self->outsider, SIGUSR1));
	EXPECT_EQ(0, who_got_it(self));
}

/* An empty space has nobody to signal. */
TEST_F(kill, empty_space)
{
	struct pidspace_kill answer;
	int empty = sp_create(NULL, 0, NULL);

	ASSERT_LE(0, empty);
	EXPECT_EQ(-ESRCH, sp_kill(empty, 1, SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill(empty, -1, SIGUSR1));
	EXPECT_EQ(-ESRCH, sp_kill_counted(empty, 0, SIGKILL, PIDSPACE_KILL_F_SPACE,
					  &answer));
	EXPECT_EQ(0, sp_end(empty));
}

/* A zombie gets no signal, but it is somebody, as for kill(2). */
TEST_F(kill, zombies)
{
	struct pidspace_kill answer;
	int space = sp_create(NULL, 0, NULL);
	pid_t zombie = sp_spawn(space);

	ASSERT_LT(0, zombie);
	ASSERT_EQ(0, kill(zombie, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(zombie));
	EXPECT_EQ(0, sp_kill(space, 1, SIGUSR1));
	EXPECT_EQ(0, sp_kill_counted(space, 0, SIGUSR1, PIDSPACE_KILL_F_SPACE, &answer));
	EXPECT_EQ(0, answer.signalled);
	ASSERT_LT(0, sp_spawn(space));
	EXPECT_EQ(0, sp_kill_counted(space, 0, SIGUSR1, PIDSPACE_KILL_F_SPACE, &answer));
	EXPECT_EQ(1, answer.signalled);
	EXPECT_EQ(0, sp_end(space));
}

/* SIGKILL to the whole space counts every process once. */
TEST_F(kill, killed_are_counted_once)
{
	struct pidspace_kill answer;
	int space = sp_create(NULL, 0, NULL);

	ASSERT_LE(0, space);
	for (int i = 0; i < 20; i++)
		ASSERT_LT(0, sp_spawn(space));
	EXPECT_EQ(0, sp_kill_counted(space, 0, SIGKILL, PIDSPACE_KILL_F_SPACE, &answer));
	EXPECT_EQ(20, answer.signalled);
	EXPECT_EQ(0, sp_end(space));
}

/* F_SPACE goes with no number, and other flags do not exist. */
TEST_F(kill, flags)
{
	struct pidspace_kill answer;

	EXPECT_EQ(-EINVAL, sp_kill_counted(self->space, 1, SIGUSR1,
					   PIDSPACE_KILL_F_SPACE, &answer));
	EXPECT_EQ(-EINVAL, sp_kill_counted(self->space, 1, SIGUSR1, 2, &answer));
	EXPECT_EQ(0, who_got_it(self));
}

/* A caller may signal what kill(2) lets it; the rest is counted, not signalled. */
static long kill_all_refused(long space)
{
	struct pidspace_kill answer;
	int err = sp_kill_counted(space, 0, SIGUSR1, PIDSPACE_KILL_F_SPACE, &answer);

	return err ? err : answer.signalled * 100L + answer.refused;
}

TEST_F(kill, permission_is_checked_for_each)
{
	struct agent stranger;

	ASSERT_EQ(0, agent_start(&stranger, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&stranger, verb_setuid, 61234));
	EXPECT_EQ(-EPERM, agent_call(&stranger, kill_all_refused, self->space));
	EXPECT_EQ(-EPERM, agent_call(&stranger, kill_by_number, 2));
	EXPECT_EQ(-EPERM, agent_call(&stranger, kill_by_number, -1));
	EXPECT_EQ(0, who_got_it(self));
	ASSERT_EQ(0, agent_call(&self->third, verb_setuid, 61234));
	EXPECT_EQ(102, agent_call(&stranger, kill_all_refused, self->space));
	EXPECT_EQ(4, who_got_it(self));
	agent_stop(&stranger);
}

/*
 * Forks as fast as it can, in new sessions and by double forks, until the space
 * is full, and then goes on trying; nobody reaps.  Ends by itself, in case that
 * nothing else ends it.
 */
static void storm(long long deadline)
{
	while (sp_now_ms() < deadline) {
		pid_t pid = fork();

		if (pid == 0) {
			setsid();
			if (fork() > 0)
				_exit(0);
		} else if (pid < 0) {
			usleep(20000);
		}
	}
	_exit(0);
}

/* SIGKILL to the whole space ends a fork storm, and the space is usable again. */
TEST_F_TIMEOUT(kill, fork_storm, 90)
{
	long long deadline = sp_now_ms() + 60000 * TIME_SCALE;
	struct pidspace_kill answer;
	struct pidspace_info info;
	int space = sp_create(NULL, 400, NULL);

	ASSERT_LE(0, space);
	/* Children are reaped by the kernel, ours and the storm's. */
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 4; i++) {
		pid_t pid = sp_fork(space);

		if (pid == 0)
			storm(deadline);
		/* The others may have filled the space by now. */
		ASSERT_TRUE(pid > 0 || (i > 0 && pid == -EAGAIN));
	}
	ASSERT_TRUE(WAIT_FOR(sp_numbers(space) > 100));
	ASSERT_EQ(0, sp_kill_counted(space, 0, SIGKILL, PIDSPACE_KILL_F_SPACE, &answer));
	EXPECT_LT(0, answer.signalled);
	EXPECT_EQ(0, answer.refused);
	EXPECT_TRUE(WAIT_FOR(sp_numbers(space) == 0));
	EXPECT_LT(sp_now_ms(), deadline);
	signal(SIGCHLD, SIG_DFL);
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(PIDSPACE_STATE_LIVE, info.state);
	EXPECT_LT(0, sp_spawn(space));
	EXPECT_EQ(1, sp_numbers(space));
	EXPECT_EQ(0, sp_end(space));
}

TEST_HARNESS_MAIN
