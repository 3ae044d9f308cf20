// SPDX-License-Identifier: GPL-2.0
/*
 * What ADOPT refuses, with which error, and that nothing has changed then; and
 * the nested pid namespaces that decide what it can see.
 */
#include <fcntl.h>
#include <signal.h>

#include "adoptlib.h"
#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define TREE	PIDSPACE_ADOPT_F_TREE
#define PIDFD	PIDSPACE_ADOPT_F_PIDFD
#define NOBODY	4000000

/* A space with a member, and a process outside that does what it is told. */
FIXTURE(refused) {
	int space;
	struct agent agent;
	pid_t pid;
	pid_t member;
};

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	self->member = sp_spawn(self->space);
	ASSERT_LT(0, self->member);
	ASSERT_EQ(0, agent_start(&self->agent, AGENT_OUTSIDE));
	self->pid = self->agent.pid;
}

FIXTURE_TEARDOWN(refused)
{
	agent_stop(&self->agent);
	EXPECT_EQ(0, sp_end(self->space));
}

/* Numbers and pidfds of nobody are ESRCH. */
TEST_F(refused, no_such_process)
{
	pid_t child = sp_fork_paused();
	int pidfd = ad_pidfd(child);

	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(-ESRCH, ad_refused(self->space, NOBODY, 0));
	EXPECT_EQ(-ESRCH, ad_refused(self->space, NOBODY, TREE));
	EXPECT_EQ(-ESRCH, ad_refused(self->space, child, 0));
	EXPECT_EQ(-ESRCH, ad_refused(self->space, pidfd, PIDFD));
	EXPECT_EQ(-ESRCH, ad_refused(self->space, pidfd, PIDFD | TREE));
	/* 0 and what is below is nobody's number, of no group either. */
	EXPECT_EQ(-ESRCH, ad_refused(self->space, 0, 0));
	EXPECT_EQ(-ESRCH, ad_refused(self->space, -1, 0));
	EXPECT_EQ(-ESRCH, ad_refused(self->space, -getpgrp(), TREE));
	close(pidfd);
}

/* What is no pidfd is EBADF. */
TEST_F(refused, bad_pidfd)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int pidfd = ad_pidfd(self->pid);

	ASSERT_LE(0, file);
	ASSERT_LE(0, pidfd);
	close(pidfd);
	EXPECT_EQ(-EBADF, ad_refused(self->space, pidfd, PIDFD));
	EXPECT_EQ(-EBADF, ad_refused(self->space, file, PIDFD));
	EXPECT_EQ(-EBADF, ad_refused(self->space, self->space, PIDFD));
	EXPECT_EQ(-EBADF, ad_refused(self->space, -1, PIDFD));
	close(file);
}

/* Kernel threads, init, and zombies stay where they are. */
TEST_F(refused, not_to_be_had)
{
	pid_t zombie = sp_fork_paused();
	int pidfd = ad_pidfd(zombie);

	ASSERT_EQ(0, kill(zombie, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(zombie));
	EXPECT_EQ(-EINVAL, ad_refused(self->space, 1, 0));
	EXPECT_EQ(-EINVAL, ad_refused(self->space, 1, TREE));
	EXPECT_EQ(-EINVAL, ad_refused(self->space, 2, 0));
	EXPECT_EQ(-EINVAL, ad_refused(self->space, 2, TREE));
	EXPECT_EQ(-EINVAL, ad_refused(self->space, zombie, 0));
	EXPECT_EQ(-EINVAL, ad_refused(self->space, zombie, TREE));
	EXPECT_EQ(-EINVAL, ad_refused(self->space, pidfd, PIDFD));
	EXPECT_TRUE(ad_outside(self->space, zombie));
	EXPECT_LT(0, sp_reap(zombie));
	close(pidfd);
}

/* A tree that the caller is part of is EINVAL, at its top and below. */
static long adopt_in_child(long call)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(-ad_adopt(call));
	return -WEXITSTATUS(sp_reap(pid));
}

TEST_F(refused, own_tree)
{
	long call = AD_CALL(self->space, self->pid, TREE);

	EXPECT_EQ(-EINVAL, agent_call(&self->agent, ad_adopt, call));
	EXPECT_EQ(-EINVAL, agent_call(&self->agent, adopt_in_child, call));
	EXPECT_EQ(1, sp_numbers(self->space));
	EXPECT_TRUE(ad_outside(self->space, self->pid));
}

/* A member of this space, or of another one, is EBUSY, wherever in the tree. */
TEST_F(refused, member)
{
	long child = agent_call(&self->agent, ad_family, 2);
	int other = sp_create(NULL, 0, NULL);
	pid_t pids[8];

	ASSERT_LE(0, other);
	ASSERT_EQ(7, ad_tree_of(child, pids, 8));
	EXPECT_EQ(-EBUSY, ad_refused(self->space, self->member, 0));
	EXPECT_EQ(-EBUSY, ad_refused(other, self->member, 0));
	ASSERT_EQ(0, sp_adopt(other, pids[6], 0));
	EXPECT_EQ(-EBUSY, ad_refused(self->space, self->pid, TREE));
	EXPECT_EQ(-EBUSY, ad_refused(other, self->pid, TREE));
	for (int i = 0; i < 6; i++)
		EXPECT_TRUE(ad_outside(self->space, pids[i]));
	EXPECT_TRUE(ad_kept(other, pids[6]));
	/* Without it the rest can be had. */
	EXPECT_EQ(0, sp_adopt(self->space, pids[1], TREE));
	agent_stop(&self->agent);
	EXPECT_EQ(0, sp_end(other));
}

/* So is what an adopted process has forked since. */
TEST_F(refused, adopted_before)
{
	long child;

	ASSERT_EQ(0, sp_adopt(self->space, self->pid, 0));
	child = agent_call(&self->agent, verb_fork, 0);
	EXPECT_EQ(-EBUSY, ad_refused(self->space, self->pid, 0));
	EXPECT_EQ(-EBUSY, ad_refused(self->space, child, 0));
	EXPECT_EQ(-EBUSY, ad_refused(self->space, self->pid, TREE));
	EXPECT_EQ(2, sp_local(self->space, child));
}

/* Who spawns for a space is EBUSY as long as it is marked. */
static long mark(long space)
{
	return sp_mark(space);
}

static long clear(long space)
{
	return sp_clear(space);
}

TEST_F(refused, spawner)
{
	int other = sp_create(NULL, 0, NULL);

	ASSERT_LE(0, other);
	agent_stop(&self->agent);
	ASSERT_EQ(0, agent_start(&self->agent, AGENT_OUTSIDE));
	self->pid = self->agent.pid;
	ASSERT_EQ(0, agent_call(&self->agent, mark, other));
	EXPECT_EQ(-EBUSY, ad_refused(self->space, self->pid, 0));
	EXPECT_EQ(-EBUSY, ad_refused(other, self->pid, TREE));
	ASSERT_EQ(0, agent_call(&self->agent, clear, other));
	EXPECT_EQ(0, sp_adopt(self->space, self->pid, 0));
	EXPECT_EQ(0, sp_end(other));
}

/* A number that the space has in use is EEXIST, be it deep in a tree. */
TEST_F(refused, number_taken)
{
	pid_t low = ev_fork_from(2), holder;
	int space = sp_create(NULL, 0, NULL);

	ASSERT_LT(1, low);
	ASSERT_LE(0, space);
	ASSERT_LE(0, ev_churn_in(space, low - 1));
	holder = sp_spawn(space);
	ASSERT_EQ(low, sp_local(space, holder));
	EXPECT_EQ(-EEXIST, ad_refused(space, low, 0));
	EXPECT_EQ(-EEXIST, ad_refused(space, low, TREE));
	EXPECT_TRUE(ad_outside(space, low));
	/* A zombie holds it as well. */
	ASSERT_EQ(0, kill(holder, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(holder));
	EXPECT_EQ(-EEXIST, ad_refused(space, low, 0));
	ASSERT_LT(0, sp_reap(holder));
	EXPECT_EQ(0, sp_adopt(space, low, 0));
	EXPECT_EQ(0, sp_end(space));
}

static long fork_as(long nr)
{
	return ev_fork_as(nr);
}

TEST_F(refused, number_taken_in_a_tree)
{
	pid_t low = ev_fork_from(2);
	int space = sp_create(NULL, 0, NULL);

	ASSERT_EQ(0, sp_kill_reap(low));
	ASSERT_EQ(low, agent_call(&self->agent, fork_as, low));
	ASSERT_LE(0, ev_churn_in(space, low - 1));
	ASSERT_EQ(low, sp_local(space, sp_spawn(space)));
	EXPECT_EQ(-EEXIST, ad_refused(space, self->pid, TREE));
	EXPECT_TRUE(ad_outside(space, self->pid));
	/* None is held back: the tree fits elsewhere. */
	EXPECT_EQ(0, sp_adopt(self->space, self->pid, TREE));
	EXPECT_EQ(3, sp_numbers(self->space));
	EXPECT_EQ(0, sp_end(space));
}

/* More than max_members is EAGAIN, for one and for a tree. */
TEST_F(refused, over_max_members)
{
	struct pidspace_set set = {
		.flags = PIDSPACE_SET_F_MAX_MEMBERS,
		.max_members = 3,
	};

	ASSERT_EQ(0, agent_call(&self->agent, ad_threads, 2));
	ASSERT_EQ(0, ev_set(self->space, set));
	EXPECT_EQ(-EAGAIN, ad_refused(self->space, self->pid, 0));
	EXPECT_EQ(-EAGAIN, ad_refused(self->space, self->pid, TREE));
	EXPECT_TRUE(ad_outside(self->space, self->pid));
	set.max_members = 4;
	ASSERT_EQ(0, ev_set(self->space, set));
	EXPECT_EQ(0, sp_adopt(self->space, self->pid, TREE));
	EXPECT_EQ(4, sp_numbers(self->space));
}

/* A dying space takes nobody in. */
static void on_signal(int sig)
{
	(void)sig;
}

static long destroy(long space)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR2, &action, NULL);
	return sp_destroy(space, PIDSPACE_DESTROY_F_KILL);
}

TEST_F(refused, dying_space)
{
	struct agent destroyer;

	ASSERT_EQ(0, agent_start(&destroyer, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_send(&destroyer, destroy, self->space));
	/* Its zombie, which is ours, makes it wait. */
	ASSERT_EQ(0, sp_await_zombie(self->member));
	EXPECT_EQ(-EAGAIN, ad_refused(self->space, self->pid, 0));
	EXPECT_EQ(-EAGAIN, ad_refused(self->space, self->pid, TREE));
	ASSERT_LT(0, sp_reap(self->member));
	EXPECT_EQ(0, agent_receive(&destroyer));
	EXPECT_EQ(-ESTALE, sp_adopt(self->space, self->pid, 0));
	agent_stop(&destroyer);
}

/* A member of any space adopts nobody, not even itself. */
TEST_F(refused, caller_is_member)
{
	int other = sp_create(NULL, 0, NULL);
	struct agent inside;
	long child;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, agent_start(&inside, self->space));
	child = agent_call(&inside, verb_fork, 0);
	EXPECT_EQ(-EPERM, agent_call(&inside, ad_adopt, AD_CALL(self->space, self->pid, 0)));
	EXPECT_EQ(-EPERM, agent_call(&inside, ad_adopt, AD_CALL(other, self->pid, TREE)));
	EXPECT_EQ(-EPERM, agent_call(&inside, ad_adopt, AD_CALL(other, inside.pid, 0)));
	EXPECT_EQ(-EPERM, agent_call(&inside, ad_adopt, AD_CALL(other, child, 0)));
	EXPECT_TRUE(ad_outside(self->space, self->pid));
	EXPECT_EQ(0, sp_numbers(other));
	agent_stop(&inside);
	EXPECT_EQ(0, sp_end(other));
}

/* A process of a nested pid namespace keeps what the space's creator calls it. */
TEST_F(refused, nested_pid_namespace)
{
	struct agent nested;
	pid_t pids[3];

	ASSERT_EQ(0, agent_start(&nested, AGENT_PIDNS));
	ASSERT_EQ(1, agent_call(&nested, verb_getpid, 0));
	ASSERT_EQ(2, agent_call(&nested, verb_fork, 0));
	ASSERT_EQ(2, ad_tree_of(nested.pid, pids, 3));
	ASSERT_EQ(0, sp_adopt(self->space, nested.pid, TREE));
	EXPECT_TRUE(ad_kept(self->space, nested.pid));
	EXPECT_TRUE(ad_kept(self->space, pids[1]));
	ASSERT_EQ(3, agent_call(&nested, verb_fork, 0));
	EXPECT_EQ(4, sp_numbers(self->space));
	EXPECT_LT(0, sp_global(self->space, 2));
	agent_stop(&nested);
}

/* The space of a nested pid namespace, for its agent. */
static int nested_space;
static char nested_name[PIDSPACE_NAME_SIZE];

static long create_nested(long unused)
{
	(void)unused;
	nested_space = sp_create(nested_name, 0, NULL);
	return nested_space < 0 ? nested_space : 0;
}

static long adopt_nested(long nr)
{
	return sp_adopt(nested_space, nr, 0);
}

static long local_nested(long nr)
{
	return sp_local(nested_space, nr);
}

/* A space made there knows its numbers, and nobody whom they do not show. */
TEST_F(refused, creator_in_pid_namespace)
{
	struct agent nested;
	pid_t pids[3];
	int space;

	strcpy(nested_name, sp_unique_name());
	ASSERT_EQ(0, agent_start(&nested, AGENT_PIDNS));
	ASSERT_EQ(0, agent_call(&nested, create_nested, 0));
	ASSERT_EQ(2, agent_call(&nested, verb_fork, 0));
	ASSERT_EQ(3, agent_call(&nested, verb_fork, 0));
	ASSERT_EQ(3, ad_tree_of(nested.pid, pids, 3));
	space = sp_open(nested_name, 0);
	ASSERT_LE(0, space);
	EXPECT_EQ(-EINVAL, ad_refused(space, self->pid, 0));
	EXPECT_EQ(-EINVAL, ad_refused(space, self->pid, TREE));
	EXPECT_EQ(-ESRCH, agent_call(&nested, adopt_nested, self->pid));
	EXPECT_EQ(0, agent_call(&nested, adopt_nested, 2));
	EXPECT_EQ(2, agent_call(&nested, local_nested, 2));
	/* From here the same process has another name, and the space has its own. */
	EXPECT_EQ(2, sp_local(space, pids[1]));
	EXPECT_EQ(0, sp_adopt(space, pids[2], 0));
	EXPECT_EQ(3, sp_local(space, pids[2]));
	agent_stop(&nested);
	EXPECT_EQ(0, sp_end(space));
}

TEST_HARNESS_MAIN
