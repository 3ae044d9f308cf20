// SPDX-License-Identifier: GPL-2.0
/* The policy INIT: a space that ends with its number 1. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define SOME_UID	61234
#define BOMBS		(15 / WORK_SCALE)

/* Number 1 has a child, number 2, and beside them is number 3. */
FIXTURE(init) {
	const char *name;
	__u64 id;
	int space;
	struct agent first;
	pid_t child;
	struct agent third;
};

FIXTURE_SETUP(init)
{
	struct pidspace_create arg = {
		.policies = PIDSPACE_POLICY_INIT,
		.pid_max = 400,
		.events = 16,
	};

	ASSERT_EQ(0, sp_init());
	self->name = sp_unique_name();
	strcpy((char *)arg.name, self->name);
	self->space = ev_create(&arg);
	ASSERT_LE(0, self->space);
	self->id = arg.id;
	ASSERT_EQ(0, agent_start(&self->first, self->space));
	self->child = agent_call(&self->first, verb_fork, 0);
	ASSERT_LT(0, self->child);
	ASSERT_EQ(0, agent_start(&self->third, self->space));
	ASSERT_EQ(3, ev_drain(self->space));
}

FIXTURE_TEARDOWN(init)
{
	signal(SIGCHLD, SIG_DFL);
	agent_stop(&self->first);
	agent_stop(&self->third);
	EXPECT_EQ(0, sp_end(self->space));
}

static int set_policies(int space, unsigned int policies)
{
	return ev_set(space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_POLICIES,
		.policies = policies,
	});
}

static int state_of(int space)
{
	struct pidspace_info info;
	int err = sp_info(space, &info);

	return err ? err : (int)info.state;
}

/* Reaps an agent that has ended and returns its status. */
static int reap_agent(struct agent *agent)
{
	int status = sp_reap(agent->pid);

	close(agent->fd);
	agent->pid = 0;
	return status;
}

/* Whether everybody got killed after number 1, and the space went with the last. */
static bool all_gone(FIXTURE_DATA(init) *self)
{
	return reap_agent(&self->third) == SIGKILL &&
	       WAIT_FOR((ev_reap_all(), sp_numbers(self->space) == -ESTALE)) &&
	       kill(self->child, 0) && !sp_listed(self->id);
}

static bool nobody_gone(FIXTURE_DATA(init) *self)
{
	return agent_call(&self->third, verb_getpid, 0) == self->third.pid &&
	       !kill(self->child, 0) && state_of(self->space) == PIDSPACE_STATE_LIVE;
}

/* When number 1 exits, all die, the space goes, and its name is free. */
TEST_F(init, exits)
{
	int again;

	agent_send(&self->first, verb_exit, 3);
	EXPECT_EQ(3 << 8, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
	again = sp_create(self->name, 0, NULL);
	ASSERT_LE(0, again);
	ASSERT_EQ(0, sp_destroy(again, 0));
	close(again);
}

/* So they do when it is killed. */
TEST_F(init, is_killed)
{
	ASSERT_EQ(0, sp_kill(self->space, 1, SIGTERM));
	EXPECT_EQ(SIGTERM, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

/* The end of others is nothing of the kind. */
TEST_F(init, others_end)
{
	ASSERT_EQ(0, agent_call(&self->first, verb_kill_reap, self->child));
	agent_stop(&self->third);
	EXPECT_EQ(PIDSPACE_STATE_LIVE, state_of(self->space));
	EXPECT_EQ(self->first.pid, agent_call(&self->first, verb_getpid, 0));
	EXPECT_EQ(1, sp_numbers(self->space));
}

/* Meanwhile the space is dying: its zombies keep it, and nobody gets in. */
TEST_F(init, dying)
{
	struct pidspace_set set = { .flags = PIDSPACE_SET_F_MAX_MEMBERS, .max_members = 9 };

	ASSERT_EQ(0, kill(self->first.pid, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(self->first.pid));
	ASSERT_EQ(0, sp_await_zombie(self->third.pid));
	EXPECT_EQ(PIDSPACE_STATE_DYING, state_of(self->space));
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	EXPECT_EQ(-EEXIST, sp_create(self->name, 0, NULL));
	/* No policy brings it back, but SET works as ever. */
	EXPECT_EQ(0, ev_set(self->space, set));
	EXPECT_EQ(0, set_policies(self->space, 0));
	EXPECT_EQ(PIDSPACE_STATE_DYING, state_of(self->space));
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	EXPECT_EQ(SIGKILL, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

/* Each end is an event, then the space is empty, and then there is no more. */
TEST_F(init, events)
{
	struct pidspace_event event;
	unsigned int nrs = 0;

	agent_send(&self->first, verb_exit, 3);
	reap_agent(&self->first);
	ASSERT_TRUE(all_gone(self));
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EXIT, event.type);
	EXPECT_EQ(1, event.nr);
	EXPECT_EQ(3 << 8, event.status);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, ev_next(self->space, &event));
		EXPECT_EQ(PIDSPACE_EVENT_EXIT, event.type);
		EXPECT_EQ(SIGKILL, event.status);
		nrs |= 1 << event.nr;
	}
	EXPECT_EQ(1 << 2 | 1 << 3, nrs);
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EMPTY, event.type);
	EXPECT_EQ(0, ev_read(self->space, &event, 1));
}

/* The kernel kills, so number 1 needs no right to signal the others. */
TEST_F(init, needs_no_permission)
{
	ASSERT_EQ(0, agent_call(&self->first, verb_setuid, SOME_UID));
	agent_send(&self->first, verb_exit, 0);
	EXPECT_EQ(0, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

/* Descendants that went their own way are members all the same. */
static long daemonize(long unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0) {
		setsid();
		pid = sp_fork_paused();
		_exit(pid < 0);
	}
	return pid < 0 ? -errno : sp_reap(pid);
}

TEST_F(init, daemons_die)
{
	ASSERT_EQ(0, agent_call(&self->third, daemonize, 0));
	EXPECT_EQ(5, sp_numbers(self->space));
	agent_send(&self->first, verb_exit, 0);
	EXPECT_EQ(0, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

/* Forks as fast as it can, with new sessions, until the space is full, and on. */
static void bomb(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			setsid();
			if (fork() > 0)
				_exit(0);
		} else if (pid < 0) {
			usleep(20000);
		}
	}
}

/* Forks under way are no way out, however far they have come. */
TEST_F_TIMEOUT(init, fork_bomb, 120)
{
	struct pidspace_create arg = {
		.policies = PIDSPACE_POLICY_INIT,
		.pid_max = 400,
	};

	/* Children are reaped by the kernel, ours and the bomb's. */
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < BOMBS; i++) {
		int space = ev_create(&arg);
		pid_t first = sp_spawn(space);

		ASSERT_LT(0, first);
		for (int j = 0; j < 2; j++) {
			pid_t pid = sp_fork(space);

			if (pid == 0)
				bomb();
			/* The other one may have filled the space by now. */
			ASSERT_TRUE(pid > 0 || (j > 0 && pid == -EAGAIN));
		}
		ASSERT_TRUE(WAIT_FOR(sp_numbers(space) > 20 + 5 * i));
		ASSERT_EQ(0, kill(first, SIGKILL));
		ASSERT_TRUE(WAIT_FOR(sp_numbers(space) == -ESTALE));
		EXPECT_FALSE(sp_listed(arg.id));
		close(space);
	}
	EXPECT_TRUE(nobody_gone(self));
}

static void *outlive(void *thread)
{
	(void)thread;
	sp_child_pause();
}

static long leave_to_thread(long unused)
{
	pthread_t thread;

	(void)unused;
	if (!pthread_create(&thread, NULL, outlive, NULL))
		syscall(SYS_exit, 0);
	return -EAGAIN;
}

static bool is_zombie(int space, unsigned int nr)
{
	struct pidspace_member member;

	return !sp_member(space, nr, &member) && member.flags & PIDSPACE_MEMBER_F_ZOMBIE;
}

/* The process counts: its leader may go while another thread runs on. */
TEST_F(init, leader_exits_first)
{
	agent_send(&self->first, leave_to_thread, 0);
	ASSERT_TRUE(WAIT_FOR(is_zombie(self->space, 1)));
	EXPECT_TRUE(nobody_gone(self));
	ASSERT_EQ(0, sp_kill(self->space, 1, SIGKILL));
	EXPECT_EQ(SIGKILL, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

/* Who has lost its leader is killed as all others are. */
TEST_F(init, leaderless_member_dies)
{
	agent_send(&self->third, leave_to_thread, 0);
	ASSERT_TRUE(WAIT_FOR(is_zombie(self->space, 3)));
	agent_send(&self->first, verb_exit, 0);
	EXPECT_EQ(0, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

static void *exec_sleep(void *unused)
{
	execl("/bin/sleep", "sleep", "1000", NULL);
	return unused;
}

static long exec_in_thread(long unused)
{
	pthread_t thread;

	(void)unused;
	if (!pthread_create(&thread, NULL, exec_sleep, NULL))
		pthread_join(thread, NULL);
	return -EAGAIN;
}

/* Nor is it an end when a thread of it takes over by exec. */
TEST_F(init, exec_by_nonleader)
{
	struct pidspace_event event;

	agent_send(&self->first, exec_in_thread, 0);
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EXEC, event.type);
	EXPECT_EQ(1, event.nr);
	EXPECT_TRUE(nobody_gone(self));
	ASSERT_EQ(0, sp_kill(self->space, 1, SIGKILL));
	EXPECT_EQ(SIGKILL, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

/* Taken away from a live space, number 1 is a member like any other. */
TEST_F(init, cleared)
{
	ASSERT_EQ(0, set_policies(self->space, 0));
	agent_stop(&self->first);
	EXPECT_TRUE(nobody_gone(self));
	EXPECT_LT(0, sp_spawn(self->space));
}

/* Given to a live space, it works from then on. */
TEST_F(init, set_later)
{
	ASSERT_EQ(0, set_policies(self->space, 0));
	ASSERT_EQ(0, set_policies(self->space, PIDSPACE_POLICY_INIT));
	agent_send(&self->first, verb_exit, 0);
	EXPECT_EQ(0, reap_agent(&self->first));
	EXPECT_TRUE(all_gone(self));
}

/* Given too late, be number 1 still a zombie, it does nothing, ever. */
TEST_F(init, set_too_late)
{
	ASSERT_EQ(0, set_policies(self->space, 0));
	ASSERT_EQ(0, kill(self->first.pid, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(self->first.pid));
	ASSERT_EQ(0, set_policies(self->space, PIDSPACE_POLICY_INIT));
	EXPECT_TRUE(nobody_gone(self));
	EXPECT_EQ(SIGKILL, reap_agent(&self->first));
	EXPECT_TRUE(nobody_gone(self));
	ASSERT_EQ(0, kill(self->child, SIGKILL));
	ASSERT_EQ(self->child, waitpid(self->child, NULL, 0));
	EXPECT_EQ(self->third.pid, agent_call(&self->third, verb_getpid, 0));
	EXPECT_EQ(PIDSPACE_STATE_LIVE, state_of(self->space));
}

/* Alone in its space, number 1 takes it along too. */
TEST(alone)
{
	struct pidspace_create arg = {
		.policies = PIDSPACE_POLICY_INIT,
		.name = "selftest-alone",
	};
	pid_t child;
	int space;

	ASSERT_EQ(0, sp_init());
	space = ev_create(&arg);
	ASSERT_LE(0, space);
	EXPECT_EQ(PIDSPACE_STATE_LIVE, state_of(space));
	child = sp_spawn(space);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(-ESTALE, sp_numbers(space));
	EXPECT_EQ(POLLHUP, ev_poll(space));
	EXPECT_FALSE(sp_listed(arg.id));
	close(space);
}

TEST_HARNESS_MAIN
