// SPDX-License-Identifier: GPL-2.0
/*
 * Every use of a number has a generation of its own: MEMBERS and LOOKUP tell
 * it, and KILL can ask for it.
 */
#include <signal.h>
#include <stdlib.h>

#include "adoptlib.h"
#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

/* Numbers 1 to 300 are all there are, and 300 is what comes after a full turn. */
#define PID_MAX	PIDSPACE_PID_MAX_MIN
#define LAST_NR	(PID_MAX - 1)

FIXTURE(generation) {
	int space;
	struct agent first;
};

FIXTURE_SETUP(generation)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, PID_MAX, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->first, self->space));
}

FIXTURE_TEARDOWN(generation)
{
	agent_stop(&self->first);
	EXPECT_EQ(0, sp_end(self->space));
}

static __u64 generation_of(int space, unsigned int nr)
{
	struct pidspace_member member;

	return sp_member(space, nr, &member) ? 0 : member.generation;
}

static int kill_exactly(int space, int nr, unsigned int sig, __u64 generation)
{
	struct pidspace_kill arg = {
		.size = sizeof(arg),
		.nr = nr,
		.sig = sig,
		.generation = generation,
	};

	return sp_ioctl(space, PIDSPACE_IOC_KILL, &arg);
}

/* They count up from 1, and INFO tells how many there were. */
TEST_F(generation, counts_births)
{
	struct pidspace_info info;
	__u64 last = generation_of(self->space, 1);

	EXPECT_EQ(1, last);
	for (int nr = 2; nr < 10; nr++) {
		pid_t child = sp_spawn(self->space);

		ASSERT_EQ(nr, sp_local(self->space, child));
		EXPECT_EQ(last + 1, generation_of(self->space, nr));
		last = generation_of(self->space, nr);
		ASSERT_EQ(0, sp_info(self->space, &info));
		EXPECT_EQ(last, info.generation);
		if (nr % 2)
			ASSERT_EQ(0, sp_kill_reap(child));
	}
}

/* LOOKUP has the same, both ways, and from a pidfd. */
TEST_F(generation, lookup)
{
	pid_t child = sp_spawn(self->space);
	__u64 generation = generation_of(self->space, 2);
	int pidfd = ad_pidfd(child);
	struct pidspace_nr answer;

	ASSERT_LT(0, generation);
	ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_FROM_SPACE, 2, &answer));
	EXPECT_EQ(generation, answer.generation);
	ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_IN_SPACE, child, &answer));
	EXPECT_EQ(generation, answer.generation);
	ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, pidfd, &answer));
	EXPECT_EQ(generation, answer.generation);
	close(pidfd);
}

/* Threads have one, and so do zombies, theirs. */
TEST_F(generation, threads_and_zombies)
{
	long tid = agent_call(&self->first, verb_thread, 0);
	pid_t child = sp_spawn(self->space);
	__u64 thread = generation_of(self->space, sp_local(self->space, tid));
	__u64 zombie = generation_of(self->space, sp_local(self->space, child));

	EXPECT_EQ(2, thread);
	EXPECT_EQ(3, zombie);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(child));
	EXPECT_EQ(zombie, generation_of(self->space, 3));
}

/* Exec by a thread other than the first leaves the process its number and that. */
static long exec_sleep(long unused)
{
	(void)unused;
	execl("/bin/sleep", "sleep", "1000", NULL);
	return -errno;
}

TEST_F(generation, exec_keeps_it)
{
	char path[32], target[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", self->first.pid);
	ASSERT_EQ(0, agent_send(&self->first, exec_sleep, 0));
	ASSERT_TRUE(WAIT_FOR(readlink(path, target, sizeof(target) - 1) > 0 &&
			     strstr(target, "/sleep")));
	EXPECT_EQ(1, generation_of(self->space, 1));
}

/* Adopted tasks get theirs like all others, one for each number. */
TEST_F(generation, adopted)
{
	struct pidspace_member members[8];
	struct agent outsider;

	ASSERT_EQ(0, agent_start(&outsider, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&outsider, ad_threads, 2));
	ASSERT_LT(0, agent_call(&outsider, verb_fork, 0));
	ASSERT_EQ(0, sp_adopt(self->space, outsider.pid, PIDSPACE_ADOPT_F_TREE));
	ASSERT_EQ(5, sp_members(self->space, members, 8));
	for (int i = 1; i < 5; i++) {
		EXPECT_LE(2, members[i].generation);
		EXPECT_GE(5, members[i].generation);
		for (int j = 1; j < i; j++)
			EXPECT_NE(members[j].generation, members[i].generation);
	}
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(6, generation_of(self->space, 2));
	agent_stop(&outsider);
}

/* KILL with the right one is as without, and with another one ESRCH. */
TEST_F(generation, kill)
{
	pid_t child = sp_spawn(self->space);
	__u64 generation = generation_of(self->space, 2);

	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 2, SIGUSR1, generation - 1));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 2, SIGUSR1, generation + 1));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 2, SIGUSR1, ~0ULL));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 2, SIGUSR1, generation | 1ULL << 32));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 1, SIGUSR1, generation));
	EXPECT_FALSE(sp_pending(child, SIGUSR1));
	EXPECT_EQ(0, kill_exactly(self->space, 2, SIGUSR1, generation));
	EXPECT_TRUE(sp_pending(child, SIGUSR1));
	EXPECT_FALSE(sp_pending(self->first.pid, SIGUSR1));
}

/* Signal 0 asks whether it is still the same. */
TEST_F(generation, check)
{
	EXPECT_EQ(0, kill_exactly(self->space, 1, 0, 1));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 1, 0, 2));
}

/* A thread's number is asked for its own generation, not its process's. */
TEST_F(generation, kill_by_thread)
{
	long tid = agent_call(&self->first, verb_thread, 0);

	ASSERT_EQ(2, sp_local(self->space, tid));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 2, SIGUSR1, 1));
	EXPECT_FALSE(sp_pending(self->first.pid, SIGUSR1));
	EXPECT_EQ(0, kill_exactly(self->space, 2, SIGUSR1, 2));
	EXPECT_TRUE(sp_pending(self->first.pid, SIGUSR1));
}

/* For a group it is that of the group's number, its leader gone or not. */
TEST_F(generation, kill_group)
{
	pid_t leader = sp_spawn(self->space);
	pid_t child = sp_spawn(self->space);

	ASSERT_EQ(0, setpgid(leader, leader));
	ASSERT_EQ(0, setpgid(child, leader));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, -2, SIGUSR1, 3));
	EXPECT_FALSE(sp_pending(child, SIGUSR1));
	EXPECT_EQ(0, kill_exactly(self->space, -2, 0, 2));
	ASSERT_EQ(0, sp_kill_reap(leader));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, -2, SIGUSR1, 1));
	EXPECT_EQ(0, kill_exactly(self->space, -2, SIGUSR1, 2));
	EXPECT_TRUE(sp_pending(child, SIGUSR1));
}

/* Where no one number is meant there is none to ask for. */
TEST_F(generation, kill_many)
{
	struct pidspace_kill arg = {
		.size = sizeof(arg),
		.flags = PIDSPACE_KILL_F_SPACE,
		.sig = SIGUSR1,
		.generation = 1,
	};

	EXPECT_EQ(-EINVAL, kill_exactly(self->space, -1, SIGUSR1, 1));
	EXPECT_EQ(-EINVAL, kill_exactly(self->space, 0, SIGUSR1, 1));
	EXPECT_EQ(-EINVAL, sp_ioctl(self->space, PIDSPACE_IOC_KILL, &arg));
	EXPECT_FALSE(sp_pending(self->first.pid, SIGUSR1));
}

/* The structure of level 1 has no generation, and asks for none. */
TEST_F(generation, kill_of_level_1)
{
	struct pidspace_kill arg = {
		.size = PIDSPACE_KILL_SIZE_VER0,
		.nr = 1,
		.sig = SIGUSR1,
		.generation = 77,
	};

	EXPECT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_KILL, &arg));
	EXPECT_EQ(1, arg.signalled);
	EXPECT_TRUE(sp_pending(self->first.pid, SIGUSR1));
}

/* The next one with the same number is somebody else. */
TEST_F(generation, recycled_number)
{
	pid_t child = sp_spawn(self->space);
	__u64 old = generation_of(self->space, 2);

	ASSERT_EQ(2, sp_local(self->space, child));
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, 2, SIGUSR1, old));
	/* From 3 to the last one; after that only 300, again and again. */
	ASSERT_LE(0, ev_churn_in(self->space, LAST_NR - 2));
	child = sp_spawn(self->space);
	ASSERT_EQ(LAST_NR, sp_local(self->space, child));
	old = generation_of(self->space, LAST_NR);
	EXPECT_EQ(LAST_NR + 1, old);
	ASSERT_EQ(0, sp_kill_reap(child));
	child = sp_spawn(self->space);
	ASSERT_EQ(LAST_NR, sp_local(self->space, child));
	EXPECT_EQ(old + 1, generation_of(self->space, LAST_NR));
	EXPECT_EQ(-ESRCH, kill_exactly(self->space, LAST_NR, SIGUSR1, old));
	EXPECT_FALSE(sp_pending(child, SIGUSR1));
	EXPECT_EQ(0, kill_exactly(self->space, LAST_NR, SIGUSR1, old + 1));
	EXPECT_TRUE(sp_pending(child, SIGUSR1));
}

/* A birth that fails uses one up, or not; but nobody gets one twice. */
TEST_F(generation, never_repeats)
{
	__u64 last = generation_of(self->space, 1);

	for (int i = 0; i < LAST_NR + 20; i++) {
		struct pidspace_nr answer;
		pid_t child = ev_light_in(self->space);

		ASSERT_LT(0, child);
		ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_IN_SPACE, child, &answer));
		ASSERT_LT(last, answer.generation);
		last = answer.generation;
		ASSERT_EQ(0, sp_kill_reap(child));
	}
}

TEST_HARNESS_MAIN
