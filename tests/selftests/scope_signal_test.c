// SPDX-License-Identifier: GPL-2.0
/*
 * Signals to many: a member of a space in mode SCOPE reaches members only, and
 * is told so only where it asked for nobody else.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "eventlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* Who has got the signal, as bits. */
#define MEMBER		1
#define FELLOW		2
#define OUTSIDER	4
#define TEST_ITSELF	8

FIXTURE(signals) {
	struct scene scene;
	bool confined;
};

SCENE_VARIANTS(signals);

FIXTURE_SETUP(signals)
{
	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, variant->uid));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
}

FIXTURE_TEARDOWN(signals)
{
	EXPECT_EQ(0, scene_stop(&self->scene));
}

static int who_got_it(const FIXTURE_DATA(signals) *self)
{
	return (sc_got_it(self->scene.member.pid) ? MEMBER : 0) |
	       (sc_got_it(self->scene.fellow.pid) ? FELLOW : 0) |
	       (sc_got_it(self->scene.outsider.pid) ? OUTSIDER : 0) |
	       (sc_got_it(getpid()) ? TEST_ITSELF : 0);
}

/* Outsiders that the member may signal but for the space. */
static int reachable_outside(const FIXTURE_DATA(signals) *self)
{
	if (self->confined)
		return 0;
	return self->scene.as_root ? OUTSIDER | TEST_ITSELF : OUTSIDER;
}

/* kill(-1) is everybody in the space, but for the caller. */
TEST_F(signals, everybody)
{
	EXPECT_EQ(0, agent_call(&self->scene.member, sc_kill, -1));
	EXPECT_EQ(FELLOW | reachable_outside(self), who_got_it(self));
}

/* It succeeds where there is nobody else. */
TEST_F(signals, everybody_but_nobody_is_there)
{
	agent_stop(&self->scene.fellow);
	EXPECT_EQ(0, agent_call(&self->scene.member, sc_kill, -1));
	EXPECT_EQ(reachable_outside(self), sc_got_it(getpid()) * TEST_ITSELF |
		  sc_got_it(self->scene.outsider.pid) * OUTSIDER);
}

/* From outside it reaches members too. */
TEST_F(signals, everybody_from_outside)
{
	EXPECT_EQ(0, agent_call(&self->scene.outsider, sc_kill, -1));
	EXPECT_EQ(MEMBER | FELLOW, who_got_it(self) & ~TEST_ITSELF);
}

/* kill(0): of the group that a member was born in, members get it. */
TEST_F(signals, own_group)
{
	EXPECT_EQ(0, agent_call(&self->scene.member, sc_kill, 0));
	EXPECT_EQ(MEMBER | FELLOW | reachable_outside(self), who_got_it(self));
}

/* Alone in that group it signals itself only. */
TEST_F(signals, own_group_without_other_members)
{
	agent_stop(&self->scene.fellow);
	EXPECT_EQ(0, agent_call(&self->scene.member, sc_kill, 0));
	EXPECT_TRUE(sc_got_it(self->scene.member.pid));
	EXPECT_EQ(!self->confined, sc_got_it(self->scene.outsider.pid));
}

static long kill_own_group(long unused)
{
	(void)unused;
	return sc_kill(-getpgrp());
}

/* By number there is no such group, as its leader is outside. */
TEST_F(signals, own_group_by_number)
{
	EXPECT_EQ(self->confined ? -ESRCH : 0,
		  agent_call(&self->scene.member, kill_own_group, 0));
	EXPECT_EQ(self->confined ? 0 : MEMBER | FELLOW | reachable_outside(self),
		  who_got_it(self));
}

static long join_group(long nr)
{
	return OUTCOME(setpgid(0, nr));
}

/* The number of a group whose leader is a member reaches those in the space. */
TEST_F(signals, group_with_outsiders)
{
	pid_t leader = self->scene.member.pid;

	ASSERT_EQ(0, agent_call(&self->scene.member, join_group, 0));
	ASSERT_EQ(0, agent_call(&self->scene.fellow, join_group, leader));
	ASSERT_EQ(0, agent_call(&self->scene.outsider, join_group, leader));
	EXPECT_EQ(0, agent_call(&self->scene.fellow, sc_kill, -leader));
	EXPECT_EQ(MEMBER | FELLOW | (self->confined ? 0 : OUTSIDER), who_got_it(self));
}

/* Where only outsiders are in it, nobody may be signalled. */
TEST_F(signals, group_of_outsiders)
{
	pid_t leader = agent_call(&self->scene.fellow, sc_fork_leader, 0);

	ASSERT_LT(0, leader);
	ASSERT_EQ(0, agent_call(&self->scene.outsider, join_group, leader));
	ASSERT_EQ(0, agent_call(&self->scene.fellow, verb_kill_reap, leader));
	EXPECT_EQ(self->confined ? -EPERM : 0,
		  agent_call(&self->scene.member, sc_kill, -leader));
	EXPECT_EQ(self->confined ? 0 : OUTSIDER, who_got_it(self));
}

/* From outside the whole group is signalled. */
TEST_F(signals, group_from_outside)
{
	pid_t leader = self->scene.member.pid;

	ASSERT_EQ(0, agent_call(&self->scene.member, join_group, 0));
	ASSERT_EQ(0, agent_call(&self->scene.fellow, join_group, leader));
	EXPECT_EQ(0, agent_call(&self->scene.outsider, sc_kill, -leader));
	EXPECT_EQ(MEMBER | FELLOW, who_got_it(self));
}

static long signal_by_owner(long group)
{
	return attempt_own(owner_set, -group, SCOPE_SIGNAL);
}

static long signal_by_owner_ex(long group)
{
	return attempt_own(owner_set_group, group, SCOPE_SIGNAL);
}

/* The kernel signals the owner of a file, so a group with outsiders is none. */
TEST_F(signals, owner_with_outsiders)
{
	const int who = MEMBER | FELLOW | OUTSIDER;
	pid_t leader = self->scene.member.pid;

	ASSERT_EQ(0, agent_call(&self->scene.member, join_group, 0));
	ASSERT_EQ(0, agent_call(&self->scene.fellow, join_group, leader));
	ASSERT_EQ(0, agent_call(&self->scene.outsider, join_group, leader));
	EXPECT_EQ(0, agent_call(&self->scene.fellow, signal_by_owner, leader));
	EXPECT_EQ(self->confined ? 0 : who, who_got_it(self));
	EXPECT_EQ(0, agent_call(&self->scene.fellow, signal_by_owner_ex, leader));
	EXPECT_EQ(self->confined ? 0 : who, who_got_it(self));
	EXPECT_EQ(0, agent_call(&self->scene.outsider, signal_by_owner, leader));
	EXPECT_EQ(who, who_got_it(self));
}

TEST_F(signals, owner_of_members)
{
	pid_t leader = self->scene.member.pid;

	ASSERT_EQ(0, agent_call(&self->scene.member, join_group, 0));
	ASSERT_EQ(0, agent_call(&self->scene.fellow, join_group, leader));
	EXPECT_EQ(0, agent_call(&self->scene.fellow, signal_by_owner, leader));
	EXPECT_EQ(MEMBER | FELLOW, who_got_it(self));
}

/* A child that wants the signal when its parent ends, and then stays. */
static long fork_bereaved(long unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0) {
		sp_child_begin();
		prctl(PR_SET_PDEATHSIG, SCOPE_SIGNAL);
		for (;;)
			syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	}
	if (pid < 0)
		return -errno;
	return WAIT_FOR(ev_sleeps_in(pid, SYS_ppoll)) ? pid : -ETIMEDOUT;
}

/* A member learns of the end of a parent outside. */
TEST_F(signals, death_of_a_parent_outside)
{
	pid_t child = agent_call(&self->scene.outsider, fork_bereaved, 0);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_adopt(self->scene.space, child, 0));
	agent_stop(&self->scene.outsider);
	EXPECT_TRUE(WAIT_FOR(sc_got_it(child)));
	EXPECT_EQ(0, sp_kill_reap(child));
}

/* A child outside learns of the end of a member: it has asked for that. */
TEST_F(signals, death_of_a_parent_inside)
{
	pid_t child = agent_call(&self->scene.outsider, fork_bereaved, 0);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_adopt(self->scene.space, self->scene.outsider.pid, 0));
	agent_stop(&self->scene.outsider);
	EXPECT_TRUE(WAIT_FOR(sc_got_it(child)));
	EXPECT_EQ(0, sp_kill_reap(child));
}

/* The nice values of fellow and outsider, as two decimal digits. */
static int nice_values(const FIXTURE_DATA(signals) *self)
{
	return 10 * getpriority(PRIO_PROCESS, self->scene.fellow.pid) +
	       getpriority(PRIO_PROCESS, self->scene.outsider.pid);
}

static long set_nice_of_group(long nice)
{
	return OUTCOME(setpriority(PRIO_PGRP, 0, nice));
}

/* The priority of a group changes for members, and the call tells of the others. */
TEST_F(signals, priority_of_own_group)
{
	long expected = self->confined || !self->scene.as_root ? -EPERM : 0;

	EXPECT_EQ(expected, agent_call(&self->scene.member, set_nice_of_group, 5));
	EXPECT_EQ(self->confined ? 50 : 55, nice_values(self));
	EXPECT_EQ(self->scene.as_root && !self->confined ? 5 : 0,
		  getpriority(PRIO_PROCESS, 0));
}

static long set_nice_of_user(long nice)
{
	return OUTCOME(setpriority(PRIO_USER, 0, nice));
}

/* So does that of a user. */
TEST_F(signals, priority_of_user)
{
	if (!variant->uid)
		SKIP(return, "it would change all of root's processes");
	EXPECT_EQ(self->confined ? -EPERM : 0,
		  agent_call(&self->scene.member, set_nice_of_user, 7));
	EXPECT_EQ(self->confined ? 70 : 77, nice_values(self));
}

static void *stay(void *unused)
{
	pause();
	return unused;
}

/* Itself, and the threads of its own, a member signals in any way. */
static long signal_itself(long unused)
{
	const union sigval value = {};
	pthread_t thread;

	(void)unused;
	if (pthread_create(&thread, NULL, stay, NULL))
		return -EAGAIN;
	if (raise(SCOPE_SIGNAL) || kill(getpid(), SCOPE_SIGNAL) ||
	    sigqueue(getpid(), SCOPE_SIGNAL, value) || pthread_kill(thread, SCOPE_SIGNAL) ||
	    pthread_sigqueue(thread, SCOPE_SIGNAL, value) || kill(getpid(), 0))
		return -EPERM;
	return 0;
}

TEST_F(signals, itself)
{
	EXPECT_EQ(0, agent_call(&self->scene.member, signal_itself, 0));
	EXPECT_EQ(MEMBER, who_got_it(self));
}

TEST_HARNESS_MAIN
