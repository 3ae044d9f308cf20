// SPDX-License-Identifier: GPL-2.0
/*
 * Exhaustion and wrapping around, here and in a pid namespace: once the number
 * after the last one lies above 300, the lowest number handed out is 300.
 */
#include <pthread.h>

#include "harness.h"
#include "spacelib.h"
#include "world.h"

#define RESERVED_PIDS	300

FIXTURE(wrap) {
	struct world world;
};

WORLD_VARIANTS(wrap);

FIXTURE_SETUP(wrap)
{
	self->world.first.pid = 0;
	self->world.space = -1;
}

FIXTURE_TEARDOWN(wrap)
{
	EXPECT_EQ(0, world_stop(&self->world));
}

static void *hold(void *unused)
{
	sp_child_pause();
	return unused;
}

/* Starts threads, @limit or until it fails: how many there were. */
static long fill(long limit)
{
	pthread_attr_t attr;
	pthread_t thread;
	long count;
	int err = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (count = 0; count < limit; count++) {
		err = pthread_create(&thread, &attr, hold, NULL);
		if (err)
			break;
	}
	return !err || err == EAGAIN ? count : -err;
}

/* Makes and reaps @count children one after the other: the last one's number. */
static long churn(long count)
{
	pid_t pid = 0;

	while (count-- > 0) {
		pid = vfork();
		if (pid == 0)
			_exit(0);
		if (pid < 0 || sp_reap(pid))
			return -errno;
	}
	return pid;
}

static long last_fork;

static long fork_kept(long unused)
{
	last_fork = verb_fork(unused);
	return last_fork;
}

static long kill_kept(long unused)
{
	(void)unused;
	return sp_kill_reap(last_fork);
}

/* pid_max 301 is 300 numbers; then fork fails with EAGAIN, again and again. */
TEST_F_TIMEOUT(wrap, exhaustion, 60)
{
	struct world *world = &self->world;

	ASSERT_EQ(0, world_start(world, variant->ops, RESERVED_PIDS + 1));
	EXPECT_EQ(RESERVED_PIDS - 1, agent_call(&world->first, fill, 1000));
	EXPECT_EQ(-EAGAIN, agent_call(&world->first, verb_fork, 0));
	EXPECT_EQ(-EAGAIN, agent_call(&world->first, verb_thread, 0));
	EXPECT_EQ(1, world_held(world, RESERVED_PIDS));
}

/* A number above the reserved ones that is freed ends the exhaustion. */
TEST_F_TIMEOUT(wrap, recovery, 60)
{
	struct world *world = &self->world;

	ASSERT_EQ(0, world_start(world, variant->ops, RESERVED_PIDS + 1));
	ASSERT_EQ(RESERVED_PIDS - 2, agent_call(&world->first, fill, RESERVED_PIDS - 2));
	ASSERT_EQ(RESERVED_PIDS,
		  world_number(world, agent_call(&world->first, fork_kept, 0)));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(-EAGAIN, agent_call(&world->first, verb_fork, 0));
		ASSERT_EQ(0, agent_call(&world->first, kill_kept, 0));
		ASSERT_EQ(RESERVED_PIDS,
			  world_number(world, agent_call(&world->first, fork_kept, 0)));
	}
}

/* A reserved number that is freed does not: those are handed out only once. */
TEST_F_TIMEOUT(wrap, reserved_numbers_stay_free, 60)
{
	struct world *world = &self->world;

	ASSERT_EQ(0, world_start(world, variant->ops, RESERVED_PIDS + 1));
	ASSERT_EQ(2, world_number(world, agent_call(&world->first, fork_kept, 0)));
	ASSERT_EQ(RESERVED_PIDS - 2, agent_call(&world->first, fill, 1000));
	ASSERT_EQ(0, agent_call(&world->first, kill_kept, 0));
	EXPECT_EQ(0, world_held(world, 2));
	EXPECT_EQ(-EAGAIN, agent_call(&world->first, verb_fork, 0));
}

/* After the highest number comes 300, and then 301. */
TEST_F_TIMEOUT(wrap, wraps_to_reserved, 60)
{
	struct world *world = &self->world;
	const int pid_max = RESERVED_PIDS + 20;

	ASSERT_EQ(0, world_start(world, variant->ops, pid_max));
	ASSERT_LT(0, agent_call(&world->first, churn, pid_max - 3));
	EXPECT_EQ(pid_max - 1,
		  world_number(world, agent_call(&world->first, verb_fork, 0)));
	EXPECT_EQ(RESERVED_PIDS,
		  world_number(world, agent_call(&world->first, verb_fork, 0)));
	EXPECT_EQ(RESERVED_PIDS + 1,
		  world_number(world, agent_call(&world->first, verb_fork, 0)));
}

/* Wrapping around skips numbers in use, and hands the others out in order. */
TEST_F_TIMEOUT(wrap, skips_numbers_in_use, 60)
{
	struct world *world = &self->world;
	const int pid_max = RESERVED_PIDS + 20;

	ASSERT_EQ(0, world_start(world, variant->ops, pid_max));
	ASSERT_LT(0, agent_call(&world->first, churn, RESERVED_PIDS - 2));
	EXPECT_EQ(RESERVED_PIDS,
		  world_number(world, agent_call(&world->first, verb_fork, 0)));
	ASSERT_LT(0, agent_call(&world->first, churn, 1));
	EXPECT_EQ(RESERVED_PIDS + 2,
		  world_number(world, agent_call(&world->first, verb_fork, 0)));
	ASSERT_LT(0, agent_call(&world->first, churn, pid_max - RESERVED_PIDS - 3));
	EXPECT_EQ(RESERVED_PIDS + 1,
		  world_number(world, agent_call(&world->first, verb_fork, 0)));
	EXPECT_EQ(RESERVED_PIDS + 3,
		  world_number(world, agent_call(&world->first, verb_fork, 0)));
}

/* A number that is freed is not the next one handed out. */
TEST_F(wrap, cyclic)
{
	struct world *world = &self->world;

	ASSERT_EQ(0, world_start(world, variant->ops, 0));
	ASSERT_EQ(2, world_number(world, agent_call(&world->first, fork_kept, 0)));
	ASSERT_EQ(0, agent_call(&world->first, kill_kept, 0));
	EXPECT_EQ(0, world_held(world, 2));
	EXPECT_EQ(3, world_number(world, agent_call(&world->first, verb_fork, 0)));
}

/* INFO follows: how many numbers, the last one, how many there ever were. */
TEST(info_counts)
{
	struct pidspace_info info;
	int space;

	ASSERT_EQ(0, sp_init());
	space = sp_create(NULL, 301, NULL);
	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(301, info.pid_max);
	EXPECT_EQ(0, info.last_nr);
	EXPECT_EQ(0, info.generation);
	EXPECT_EQ(0, info.numbers);
	for (int i = 1; i <= 3; i++) {
		pid_t child = sp_spawn(space);

		ASSERT_LT(0, child);
		ASSERT_EQ(0, sp_info(space, &info));
		EXPECT_EQ(i, info.last_nr);
		EXPECT_EQ(i, info.generation);
		EXPECT_EQ(1, info.numbers);
		ASSERT_EQ(0, sp_kill_reap(child));
	}
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(0, info.numbers);
	EXPECT_EQ(0, sp_end(space));
}

/* The largest pid_max can be had, and numbers start from 1 there too. */
TEST(largest_range)
{
	struct pidspace_info info;
	pid_t child;
	int space;

	ASSERT_EQ(0, sp_init());
	space = sp_create(NULL, PIDSPACE_PID_MAX_LIMIT, NULL);
	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(PIDSPACE_PID_MAX_LIMIT, info.pid_max);
	child = sp_spawn(space);
	EXPECT_EQ(1, sp_local(space, child));
	EXPECT_EQ(0, sp_end(space));
}

TEST_HARNESS_MAIN
