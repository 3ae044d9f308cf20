// SPDX-License-Identifier: GPL-2.0
/* The spawn mark: who is born in a space, and who is not. */
#include <fcntl.h>
#include <pthread.h>

#include "agent.h"
#include "harness.h"
#include "spacelib.h"

FIXTURE(spawn) {
	int space;
};

FIXTURE_SETUP(spawn)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
}

FIXTURE_TEARDOWN(spawn)
{
	EXPECT_EQ(0, sp_end(self->space));
}

/* Forks while marked, or not, as the caller left it: the paused child. */
static pid_t fork_as_is(void)
{
	return sp_fork_paused();
}

/* The first child of a marked thread has number 1, the second number 2. */
TEST_F(spawn, first_child_is_one)
{
	pid_t first = sp_spawn(self->space);
	pid_t second = sp_spawn(self->space);

	ASSERT_LT(0, first);
	ASSERT_LT(0, second);
	EXPECT_EQ(1, sp_local(self->space, first));
	EXPECT_EQ(2, sp_local(self->space, second));
	EXPECT_EQ(first, sp_global(self->space, 1));
	EXPECT_EQ(second, sp_global(self->space, 2));
	EXPECT_EQ(2, sp_numbers(self->space));
}

/* The marked thread stays outside. */
TEST_F(spawn, manager_stays_outside)
{
	ASSERT_EQ(0, sp_mark(self->space));
	EXPECT_EQ(-ESRCH, sp_local(self->space, getpid()));
	EXPECT_EQ(0, sp_numbers(self->space));
	ASSERT_LT(0, fork_as_is());
	EXPECT_EQ(-ESRCH, sp_local(self->space, getpid()));
	EXPECT_EQ(1, sp_numbers(self->space));
}

/* A child forked without the mark, or after CLEAR, is not a member. */
TEST_F(spawn, clear_takes_the_mark_off)
{
	pid_t before = fork_as_is();
	pid_t after;

	ASSERT_EQ(0, sp_mark(self->space));
	ASSERT_EQ(0, sp_clear(self->space));
	after = fork_as_is();
	EXPECT_EQ(-ESRCH, sp_local(self->space, before));
	EXPECT_EQ(-ESRCH, sp_local(self->space, after));
	EXPECT_EQ(0, sp_numbers(self->space));
	EXPECT_EQ(0, sp_kill_reap(before));
	EXPECT_EQ(0, sp_kill_reap(after));
}

/* CLEAR without a mark, or with the mark of another space, is EINVAL. */
TEST_F(spawn, clear_wants_a_mark)
{
	int other = sp_create(NULL, 0, NULL);

	ASSERT_LE(0, other);
	EXPECT_EQ(-EINVAL, sp_clear(self->space));
	ASSERT_EQ(0, sp_mark(self->space));
	EXPECT_EQ(-EINVAL, sp_clear(other));
	EXPECT_EQ(0, sp_clear(self->space));
	EXPECT_EQ(-EINVAL, sp_clear(self->space));
	EXPECT_EQ(0, sp_end(other));
}

/* Marking twice for one space is allowed, for two it is EBUSY. */
TEST_F(spawn, one_mark_at_a_time)
{
	int other = sp_create(NULL, 0, NULL);
	struct pidspace_info info;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, sp_mark(self->space));
	EXPECT_EQ(0, sp_mark(self->space));
	EXPECT_EQ(-EBUSY, sp_mark(other));
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(1, info.spawners);
	ASSERT_EQ(0, sp_clear(self->space));
	EXPECT_EQ(0, sp_mark(other));
	ASSERT_EQ(0, sp_clear(other));
	EXPECT_EQ(0, sp_end(other));
}

/* A new thread of a marked process is not a member. */
static void *return_tid(void *arg)
{
	*(pid_t *)arg = gettid();
	return NULL;
}

TEST_F(spawn, thread_of_the_manager_is_no_member)
{
	struct pidspace_info info;
	pthread_t thread;
	pid_t tid = 0;

	ASSERT_EQ(0, sp_mark(self->space));
	ASSERT_EQ(0, pthread_create(&thread, NULL, return_tid, &tid));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_LT(0, tid);
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(0, info.numbers);
	EXPECT_EQ(0, info.generation);
	ASSERT_EQ(0, sp_clear(self->space));
}

/* The mark is a thread's: other threads of the process fork outside. */
static void *fork_in_thread(void *arg)
{
	*(pid_t *)arg = fork_as_is();
	return NULL;
}

TEST_F(spawn, mark_is_of_one_thread)
{
	pthread_t thread;
	pid_t child = 0;

	ASSERT_EQ(0, sp_mark(self->space));
	ASSERT_EQ(0, pthread_create(&thread, NULL, fork_in_thread, &child));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, sp_clear(self->space));
	ASSERT_LT(0, child);
	EXPECT_EQ(-ESRCH, sp_local(self->space, child));
	EXPECT_EQ(0, sp_numbers(self->space));
	EXPECT_EQ(0, sp_kill_reap(child));
}

/* A thread other than the first can be marked, and its children are members. */
struct marking {
	int space;
	int err;
	pid_t child;
};

static void *mark_and_fork(void *arg)
{
	struct marking *marking = arg;

	marking->err = sp_mark(marking->space);
	marking->child = fork_as_is();
	return NULL;
}

TEST_F(spawn, mark_in_a_second_thread)
{
	struct marking marking = { .space = self->space };
	struct pidspace_info info;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, mark_and_fork, &marking));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, marking.err);
	ASSERT_LT(0, marking.child);
	EXPECT_EQ(1, sp_local(self->space, marking.child));
	/* And the mark goes with its thread. */
	EXPECT_TRUE(WAIT_FOR(!sp_info(self->space, &info) && info.spawners == 0));
}

static long mark_space(long space)
{
	return sp_mark(space);
}

static long create_space(long unused)
{
	int fd = sp_create(NULL, 0, NULL);

	(void)unused;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* A member can neither mark itself nor make a space. */
TEST_F(spawn, member_may_not_spawn_or_create)
{
	int other = sp_create(NULL, 0, NULL);
	struct agent member;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, agent_start(&member, self->space));
	EXPECT_EQ(-EPERM, agent_call(&member, mark_space, self->space));
	EXPECT_EQ(-EPERM, agent_call(&member, mark_space, other));
	EXPECT_EQ(-EPERM, agent_call(&member, create_space, 0));
	agent_stop(&member);
	EXPECT_EQ(0, sp_end(other));
}

/* A space lives on when number 1 is gone, and the next child is number 2. */
TEST_F(spawn, number_one_is_not_special)
{
	struct agent first, second;
	long child;

	ASSERT_EQ(0, agent_start(&first, self->space));
	ASSERT_EQ(0, agent_start(&second, self->space));
	agent_stop(&first);
	EXPECT_EQ(1, sp_numbers(self->space));
	child = agent_call(&second, verb_fork, 0);
	EXPECT_EQ(3, sp_local(self->space, child));
	agent_stop(&second);
}

/* A spawner of a destroyed space cannot fork until its mark is off. */
TEST_F(spawn, destroyed_space_refuses_its_spawner)
{
	pid_t child;

	ASSERT_EQ(0, sp_mark(self->space));
	ASSERT_EQ(0, sp_destroy(self->space, 0));
	EXPECT_EQ(-EAGAIN, fork_as_is());
	EXPECT_EQ(-EAGAIN, fork_as_is());
	EXPECT_EQ(0, sp_clear(self->space));
	child = fork_as_is();
	ASSERT_LT(0, child);
	EXPECT_EQ(0, sp_kill_reap(child));
}

/* Exec keeps number and membership, and what it forks then is a member. */
TEST_F(spawn, exec_keeps_membership)
{
	struct pidspace_member member;
	int to[2], from[2];
	char byte = 'x';
	pid_t pid;

	ASSERT_EQ(0, pipe2(to, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(from, O_CLOEXEC));
	pid = sp_fork(self->space);
	if (pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", "(cat; exit 0); exit 0", NULL);
		_exit(127);
	}
	ASSERT_LT(0, pid);
	close(from[1]);
	/* The echo proves that both execs are done. */
	ASSERT_EQ(1, write(to[1], &byte, 1));
	ASSERT_EQ(1, read(from[0], &byte, 1));
	EXPECT_EQ(1, sp_local(self->space, pid));
	ASSERT_LE(2, sp_numbers(self->space));
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(1, member.ppid);
	close(to[1]);
	EXPECT_EQ(0, sp_reap(pid));
	EXPECT_EQ(0, sp_numbers(self->space));
}

/* A process has one space for life: children of members are its members too. */
TEST_F(spawn, grandchildren_are_members)
{
	struct pidspace_member member;
	struct agent first;
	long child;

	ASSERT_EQ(0, agent_start(&first, self->space));
	child = agent_call(&first, verb_fork, 0);
	ASSERT_LT(0, child);
	ASSERT_EQ(2, sp_local(self->space, child));
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(1, member.ppid);
	EXPECT_EQ(child, member.global);
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER, member.flags);
	agent_stop(&first);
}

TEST_HARNESS_MAIN
