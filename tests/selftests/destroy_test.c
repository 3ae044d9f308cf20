// SPDX-License-Identifier: GPL-2.0
/* The end of a space: on demand, by the last handle, and what refuses it. */
#include <signal.h>

#include "agent.h"
#include "harness.h"
#include "spacelib.h"

FIXTURE(destroy) {
	const char *name;
	__u64 id;
	int space;
};

FIXTURE_SETUP(destroy)
{
	ASSERT_EQ(0, sp_init());
	self->name = sp_unique_name();
	self->space = sp_create(self->name, 0, &self->id);
	ASSERT_LE(0, self->space);
}

FIXTURE_TEARDOWN(destroy)
{
	EXPECT_EQ(0, sp_end(self->space));
}

/* A space in use is EBUSY and goes on living; an empty one is destroyed. */
TEST_F(destroy, busy_and_empty)
{
	pid_t child = sp_spawn(self->space);

	ASSERT_LT(0, child);
	EXPECT_EQ(-EBUSY, sp_destroy(self->space, 0));
	EXPECT_EQ(1, sp_local(self->space, child));
	/* A zombie is in use too. */
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(child));
	EXPECT_EQ(-EBUSY, sp_destroy(self->space, 0));
	ASSERT_LT(0, sp_reap(child));
	EXPECT_EQ(0, sp_destroy(self->space, 0));
	EXPECT_EQ(-ESTALE, sp_numbers(self->space));
	EXPECT_FALSE(sp_listed(self->id));
}

/* A refused DESTROY leaves forks in the space as they were. */
TEST_F(destroy, refusal_changes_nothing)
{
	struct agent member;
	long child;

	ASSERT_EQ(0, agent_start(&member, self->space));
	ASSERT_EQ(-EBUSY, sp_destroy(self->space, 0));
	child = agent_call(&member, verb_fork, 0);
	EXPECT_EQ(2, sp_local(self->space, child));
	agent_stop(&member);
}

static long destroy_with_kill(long space)
{
	return sp_destroy(space, PIDSPACE_DESTROY_F_KILL);
}

/* F_KILL kills every member and returns when the last number is released. */
TEST_F(destroy, kill_and_wait)
{
	struct agent member;
	long child;

	ASSERT_EQ(0, agent_start(&member, self->space));
	ASSERT_LT(0, agent_call(&member, verb_thread, 0));
	child = agent_call(&member, verb_fork, 0);
	ASSERT_LT(0, child);
	/* Then the kernel reaps the dead, and this process can wait. */
	signal(SIGCHLD, SIG_IGN);
	EXPECT_EQ(0, sp_destroy(self->space, PIDSPACE_DESTROY_F_KILL));
	EXPECT_EQ(-1, kill(member.pid, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-1, kill(child, 0));
	EXPECT_EQ(-ESTALE, sp_numbers(self->space));
	EXPECT_FALSE(sp_listed(self->id));
	close(member.fd);
}

/* F_KILL by who may not signal a member is EPERM, and the space goes on living. */
TEST_F(destroy, kill_refused)
{
	struct agent member, stranger;
	struct pidspace_info info;
	long child;

	ASSERT_EQ(0, agent_start(&member, self->space));
	ASSERT_EQ(0, agent_start(&stranger, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&stranger, verb_setuid, 61234));
	EXPECT_EQ(-EPERM, agent_call(&stranger, destroy_with_kill, self->space));
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(PIDSPACE_STATE_LIVE, info.state);
	child = agent_call(&member, verb_fork, 0);
	EXPECT_EQ(2, sp_local(self->space, child));
	agent_stop(&stranger);
	agent_stop(&member);
}

/* F_KILL of an empty space is as without. */
TEST_F(destroy, kill_nothing)
{
	EXPECT_EQ(0, sp_destroy(self->space, PIDSPACE_DESTROY_F_KILL));
	EXPECT_EQ(-ESTALE, sp_destroy(self->space, PIDSPACE_DESTROY_F_KILL));
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Destroys, and lets SIGUSR2 interrupt it. */
static long destroy_interruptible(long space)
{
	const struct sigaction action = { .sa_handler = on_signal };

	if (sigaction(SIGUSR2, &action, NULL))
		return -errno;
	return sp_destroy(space, PIDSPACE_DESTROY_F_KILL);
}

static bool is_dying(int space)
{
	struct pidspace_info info;

	return !sp_info(space, &info) && info.state == PIDSPACE_STATE_DYING;
}

/*
 * A zombie makes F_KILL wait.  A signal ends the wait with EINTR; the space is
 * dying from then on, refuses children, and goes with its last number.
 */
TEST_F(destroy, interrupted)
{
	pid_t zombie = sp_spawn(self->space);
	struct agent helper;

	ASSERT_LT(0, zombie);
	ASSERT_EQ(0, agent_start(&helper, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_send(&helper, destroy_interruptible, self->space));
	ASSERT_TRUE(WAIT_FOR(is_dying(self->space)));
	ASSERT_EQ(0, sp_await_zombie(zombie));
	ASSERT_EQ(0, kill(helper.pid, SIGUSR2));
	ASSERT_EQ(-EINTR, agent_receive(&helper));
	EXPECT_TRUE(is_dying(self->space));
	EXPECT_EQ(1, sp_numbers(self->space));
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	EXPECT_EQ(-EBUSY, sp_destroy(self->space, 0));
	ASSERT_LT(0, sp_reap(zombie));
	EXPECT_EQ(-ESTALE, sp_numbers(self->space));
	EXPECT_FALSE(sp_listed(self->id));
	agent_stop(&helper);
}

/* A wait that nothing interrupts ends when the zombie is reaped. */
TEST_F(destroy, waits_for_zombie)
{
	pid_t zombie = sp_spawn(self->space);
	struct agent helper;

	ASSERT_LT(0, zombie);
	ASSERT_EQ(0, agent_start(&helper, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_send(&helper, destroy_interruptible, self->space));
	ASSERT_EQ(0, sp_await_zombie(zombie));
	EXPECT_EQ(1, sp_numbers(self->space));
	ASSERT_LT(0, sp_reap(zombie));
	EXPECT_EQ(0, agent_receive(&helper));
	agent_stop(&helper);
}

/* A named space stays without handles, with its settings. */
TEST_F(destroy, named_stays)
{
	struct pidspace_info info;

	close(self->space);
	EXPECT_TRUE(sp_listed(self->id));
	self->space = sp_open(self->name, 0);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(self->id, info.id);
	EXPECT_EQ(1, info.handles);
}

/* The name of a destroyed space can be used again, its id is not. */
TEST_F(destroy, name_is_free_again)
{
	__u64 id = 0;
	int old = self->space;

	ASSERT_EQ(0, sp_destroy(old, 0));
	self->space = sp_create(self->name, 0, &id);
	ASSERT_LE(0, self->space);
	EXPECT_LT(self->id, id);
	EXPECT_EQ(-ESTALE, sp_numbers(old));
	EXPECT_EQ(0, sp_numbers(self->space));
	close(old);
}

/* Ids only grow. */
TEST(ids_grow)
{
	__u64 last = 0;

	for (int i = 0; i < 100; i++) {
		__u64 id = 0;
		int space = sp_create(NULL, 0, &id);

		ASSERT_LE(0, space);
		ASSERT_LT(last, id);
		last = id;
		close(space);
	}
}

/* An unnamed space goes with its last handle. */
TEST(unnamed_goes_with_handle)
{
	__u64 id = 0;
	int space = sp_create(NULL, 0, &id);
	int second = sp_open(NULL, id);

	ASSERT_LE(0, space);
	ASSERT_LE(0, second);
	close(space);
	EXPECT_TRUE(sp_listed(id));
	close(second);
	EXPECT_FALSE(sp_listed(id));
	EXPECT_EQ(-ENOENT, sp_open(NULL, id));
}

/* Or with its last number, be it a zombie's. */
TEST(unnamed_goes_with_number)
{
	__u64 id = 0;
	int space, again;
	pid_t child;

	ASSERT_EQ(0, sp_init());
	space = sp_create(NULL, 0, &id);
	ASSERT_LE(0, space);
	child = sp_spawn(space);
	ASSERT_LT(0, child);
	close(space);
	/* The child inherited the handle; only its number is left when it is dead. */
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(child));
	again = sp_open(NULL, id);
	ASSERT_LE(0, again);
	EXPECT_EQ(1, sp_numbers(again));
	close(again);
	ASSERT_LT(0, sp_reap(child));
	EXPECT_TRUE(WAIT_FOR(!sp_listed(id)));
	EXPECT_EQ(-ENOENT, sp_open(NULL, id));
}

/* Or with its last mark. */
TEST(unnamed_goes_with_mark)
{
	struct pidspace_info info;
	__u64 id = 0;
	int space = sp_create(NULL, 0, &id);

	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_mark(space));
	close(space);
	space = sp_open(NULL, id);
	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(1, info.spawners);
	ASSERT_EQ(0, sp_clear(space));
	close(space);
	EXPECT_EQ(-ENOENT, sp_open(NULL, id));
}

TEST_HARNESS_MAIN
