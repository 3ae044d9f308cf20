// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's numbers of members, wherever in its range they are: the module has a
 * page for those that are near to one another, which comes with the first and goes
 * with the last.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "harness.h"
#include "memlib.h"
#include "spacelib.h"

/* The slab cache that such a page is from. */
#define CACHE		"kmalloc-cg-4k"
/* So many pages, and what others may have of them meanwhile. */
#define FAR		40
#define SLACK		10
/* Farther from one another than numbers of one page are. */
#define APART		600
#define FIRST		2000

#define FORKERS		4
#define ROUNDS		(2000 / WORK_SCALE)
#define STAY		(ROUNDS / FAR)

FIXTURE(table) {
	int space;
	long long before;
};

FIXTURE_SETUP(table)
{
	ASSERT_EQ(0, sp_init());
	self->before = mem_objects(CACHE);
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	if (self->before < 0)
		SKIP(return, "this kernel does not tell of " CACHE);
}

FIXTURE_TEARDOWN(table)
{
	if (self->space >= 0)
		EXPECT_EQ(0, sp_end(self->space));
}

/* Lets the kernel go on with the numbers of place @at. */
static int go_to(int at)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || dprintf(fd, "%d", FIRST + at * APART) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* A member with a number of place @at. */
static pid_t spawn_at(int space, int at)
{
	return go_to(at) ?: sp_spawn(space);
}

/* How many pages there are more than before, once it is at most @expected. */
static long long more_than(long long before, long long expected)
{
	long long more;

	WAIT_FOR((more = mem_objects(CACHE) - before) <= expected);
	return more;
}

TEST_F(table, births_move_on)
{
	for (int at = 0; at < FAR; at++) {
		pid_t pid = spawn_at(self->space, at);

		ASSERT_LT(0, pid);
		ASSERT_EQ(0, sp_kill_reap(pid));
	}
	EXPECT_GE(SLACK, more_than(self->before, SLACK));
}

TEST_F(table, members_end)
{
	for (int at = 0; at < FAR; at++)
		ASSERT_LT(0, spawn_at(self->space, at));
	EXPECT_LE(FAR - SLACK, mem_objects(CACHE) - self->before);
	EXPECT_EQ(0, sp_end(self->space));
	self->space = -1;
	EXPECT_GE(SLACK, more_than(self->before, SLACK));
}

/*
 * Forks here and there, and farther on in a while: each child must be found, with its
 * number, until it is reaped.
 */
static void fork_here_and_there(int space)
{
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid = spawn_at(space, round / STAY % (FAR - 1) + round % 2);

		if (pid < 0 || sp_local(space, pid) < 1)
			_exit(1);
		if (sp_kill_reap(pid))
			_exit(2);
	}
	_exit(0);
}

/* A page goes while there are births that need it. */
TEST_F_TIMEOUT(table, births_come_back, 300)
{
	pid_t pids[FORKERS];

	for (int i = 0; i < FORKERS; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (pids[i] == 0)
			fork_here_and_there(self->space);
	}
	for (int i = 0; i < FORKERS; i++)
		EXPECT_EQ(0, sp_reap(pids[i]));
	EXPECT_EQ(0, sp_numbers(self->space));
	EXPECT_GE(SLACK, more_than(self->before, SLACK));
}

TEST_HARNESS_MAIN
