// SPDX-License-Identifier: GPL-2.0
/* Limits and policies of a space: at its birth, and while it lives. */
#include <poll.h>
#include <signal.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define ALL_POLICIES	(PIDSPACE_POLICY_NO_REUSE | PIDSPACE_POLICY_INIT)
#define ALL_FLAGS	(PIDSPACE_SET_F_PID_MAX | PIDSPACE_SET_F_POLICIES | \
			 PIDSPACE_SET_F_MAX_MEMBERS)

FIXTURE(policy) {
	__u64 id;
	int space;
};

FIXTURE_SETUP(policy)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, &self->id);
	ASSERT_LE(0, self->space);
}

FIXTURE_TEARDOWN(policy)
{
	EXPECT_EQ(0, sp_end(self->space));
}

static int set_pid_max(int space, unsigned int pid_max)
{
	return ev_set(space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_PID_MAX,
		.pid_max = pid_max,
	});
}

static int set_policies(int space, unsigned int policies)
{
	return ev_set(space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_POLICIES,
		.policies = policies,
	});
}

static int set_max_members(int space, unsigned int max_members)
{
	return ev_set(space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_MAX_MEMBERS,
		.max_members = max_members,
	});
}

/* What a space is created with, INFO and LIST tell. */
TEST(create)
{
	struct pidspace_create arg = {
		.pid_max = 1000,
		.policies = ALL_POLICIES,
		.max_members = 17,
	};
	int space = ev_create(&arg);
	struct pidspace_info info;
	struct pidspace_list list = {
		.size = sizeof(list),
		.cursor = arg.id - 1,
		.entries = (unsigned long)&info,
		.count = 1,
		.entry_size = sizeof(info),
	};

	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(1000, info.pid_max);
	EXPECT_EQ(ALL_POLICIES, info.policies);
	EXPECT_EQ(17, info.max_members);
	memset(&info, 0, sizeof(info));
	ASSERT_EQ(0, sp_ioctl(space, PIDSPACE_IOC_LIST, &list));
	EXPECT_EQ(arg.id, info.id);
	EXPECT_EQ(ALL_POLICIES, info.policies);
	EXPECT_EQ(17, info.max_members);
	close(space);
}

/* Without asking, a space has no policy and no limit. */
TEST_F(policy, none_by_default)
{
	struct pidspace_info info;

	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(0, info.policies);
	EXPECT_EQ(0, info.max_members);
}

/* SET changes what its flags say, and nothing else. */
TEST_F(policy, set_each)
{
	struct pidspace_set all = {
		.flags = ALL_FLAGS,
		.pid_max = PIDSPACE_PID_MAX_LIMIT,
		.policies = PIDSPACE_POLICY_NO_REUSE,
		.max_members = ~0U,
	};
	struct pidspace_info info, before;

	ASSERT_EQ(0, sp_info(self->space, &before));
	ASSERT_EQ(0, set_pid_max(self->space, PIDSPACE_PID_MAX_MIN));
	ASSERT_EQ(0, sp_info(self->space, &info));
	before.pid_max = PIDSPACE_PID_MAX_MIN;
	EXPECT_EQ(0, memcmp(&info, &before, sizeof(info)));
	ASSERT_EQ(0, set_policies(self->space, PIDSPACE_POLICY_INIT));
	ASSERT_EQ(0, sp_info(self->space, &info));
	before.policies = PIDSPACE_POLICY_INIT;
	EXPECT_EQ(0, memcmp(&info, &before, sizeof(info)));
	ASSERT_EQ(0, set_max_members(self->space, 5));
	ASSERT_EQ(0, sp_info(self->space, &info));
	before.max_members = 5;
	EXPECT_EQ(0, memcmp(&info, &before, sizeof(info)));
	ASSERT_EQ(0, ev_set(self->space, all));
	ASSERT_EQ(0, sp_info(self->space, &info));
	before.pid_max = PIDSPACE_PID_MAX_LIMIT;
	before.policies = PIDSPACE_POLICY_NO_REUSE;
	before.max_members = ~0U;
	EXPECT_EQ(0, memcmp(&info, &before, sizeof(info)));
	/* 0 stands for no limit, no policy, and the default. */
	ASSERT_EQ(0, ev_set(self->space, (struct pidspace_set) { .flags = ALL_FLAGS }));
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(PIDSPACE_PID_MAX_DEFAULT, info.pid_max);
	EXPECT_EQ(0, info.policies);
	EXPECT_EQ(0, info.max_members);
}

/* What SET refuses changes nothing, also where a part of it is right. */
TEST_F(policy, set_refuses)
{
	static const struct pidspace_set bad[] = {
		{ .flags = 16 },
		{ .flags = ~0U },
		{ .flags = ALL_FLAGS, .max_members = 3, .mode = 1 },
		{ .pid_max = 400 },
		{ .policies = PIDSPACE_POLICY_INIT },
		{ .max_members = 3 },
		{ .flags = PIDSPACE_SET_F_MAX_MEMBERS, .max_members = 3, .pid_max = 400 },
		{ .flags = PIDSPACE_SET_F_MAX_MEMBERS, .max_members = 3, .policies = 1 },
		{ .flags = PIDSPACE_SET_F_PID_MAX, .pid_max = 400, .max_members = 3 },
		{ .flags = PIDSPACE_SET_F_PID_MAX, .pid_max = 1 },
		{ .flags = PIDSPACE_SET_F_PID_MAX, .pid_max = PIDSPACE_PID_MAX_MIN - 1 },
		{ .flags = PIDSPACE_SET_F_PID_MAX, .pid_max = PIDSPACE_PID_MAX_LIMIT + 1 },
		{ .flags = PIDSPACE_SET_F_PID_MAX, .pid_max = ~0U },
		{ .flags = PIDSPACE_SET_F_POLICIES, .policies = 4 },
		{ .flags = PIDSPACE_SET_F_POLICIES, .policies = ~0U },
		{ .flags = ALL_FLAGS, .pid_max = 300, .policies = 1, .max_members = 3 },
		{ .flags = ALL_FLAGS, .pid_max = 400, .policies = 5, .max_members = 3 },
	};
	struct pidspace_info before, after;

	ASSERT_EQ(0, sp_info(self->space, &before));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, ev_set(self->space, bad[i]))
			TH_LOG("request %zu", i);
		ASSERT_EQ(0, sp_info(self->space, &after));
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)))
			TH_LOG("request %zu", i);
	}
}

/* An unbound handle has nothing to set, nor has one of a space that is gone. */
TEST_F(policy, set_without_space)
{
	int fd = sp_device();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADFD, set_max_members(fd, 3));
	ASSERT_EQ(0, sp_destroy(self->space, 0));
	EXPECT_EQ(-ESTALE, set_max_members(self->space, 3));
	EXPECT_EQ(-EBADFD, set_max_members(fd, 3));
	close(fd);
}

/* pid_max raised: a full space takes in more. */
TEST_F(policy, pid_max_raised)
{
	ASSERT_EQ(0, set_pid_max(self->space, 301));
	ASSERT_EQ(0, ev_churn_in(self->space, 299));
	ASSERT_EQ(300, sp_local(self->space, ev_light_in(self->space)));
	ASSERT_EQ(-EAGAIN, ev_light_in(self->space));
	ASSERT_EQ(0, set_pid_max(self->space, 303));
	EXPECT_EQ(301, sp_local(self->space, ev_light_in(self->space)));
	EXPECT_EQ(302, sp_local(self->space, ev_light_in(self->space)));
	EXPECT_EQ(-EAGAIN, ev_light_in(self->space));
}

/* Lowered: numbers above it stay, and new ones start over below it. */
TEST_F(policy, pid_max_lowered)
{
	pid_t high, low;

	ASSERT_EQ(0, ev_churn_in(self->space, 300));
	low = ev_light_in(self->space);
	ASSERT_EQ(301, sp_local(self->space, low));
	ASSERT_EQ(0, ev_churn_in(self->space, 98));
	high = ev_light_in(self->space);
	ASSERT_EQ(400, sp_local(self->space, high));
	ASSERT_EQ(0, set_pid_max(self->space, 303));
	EXPECT_EQ(high, sp_global(self->space, 400));
	EXPECT_EQ(0, sp_kill(self->space, 400, 0));
	EXPECT_EQ(300, sp_local(self->space, ev_light_in(self->space)));
	EXPECT_EQ(302, sp_local(self->space, ev_light_in(self->space)));
	EXPECT_EQ(-EAGAIN, ev_light_in(self->space));
	/* What is freed above the bound is out of reach, below it is not. */
	ASSERT_EQ(0, sp_kill_reap(high));
	EXPECT_EQ(-EAGAIN, ev_light_in(self->space));
	ASSERT_EQ(0, sp_kill_reap(low));
	EXPECT_EQ(301, sp_local(self->space, ev_light_in(self->space)));
	EXPECT_EQ(3, sp_numbers(self->space));
}

static bool is_zombie(int space, unsigned int nr)
{
	struct pidspace_member member;

	return !sp_member(space, nr, &member) && member.flags & PIDSPACE_MEMBER_F_ZOMBIE;
}

/* At max_members numbers, forks of members and of spawners fail with EAGAIN. */
TEST_F(policy, max_members)
{
	struct pidspace_info info;
	struct agent member;
	long child;

	ASSERT_EQ(0, set_max_members(self->space, 3));
	ASSERT_EQ(0, agent_start(&member, self->space));
	child = agent_call(&member, verb_fork, 0);
	ASSERT_LT(0, child);
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	EXPECT_EQ(-EAGAIN, agent_call(&member, verb_fork, 0));
	EXPECT_EQ(-EAGAIN, agent_call(&member, verb_thread, 0));
	EXPECT_EQ(3, sp_numbers(self->space));
	/* A number is taken until it is released. */
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_TRUE(WAIT_FOR(is_zombie(self->space, 2)));
	EXPECT_EQ(-EAGAIN, agent_call(&member, verb_fork, 0));
	ASSERT_LE(0, agent_call(&member, verb_reap, child));
	EXPECT_LT(0, agent_call(&member, verb_thread, 0));
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	/* And what failed took no number away. */
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(4, info.last_nr);
	agent_stop(&member);
}

/* Lowered below what there is, nobody goes, and nobody comes until there is room. */
TEST_F(policy, max_members_lowered)
{
	pid_t child[4];

	for (int i = 0; i < 4; i++)
		child[i] = sp_spawn(self->space);
	ASSERT_LT(0, child[3]);
	ASSERT_EQ(0, set_max_members(self->space, 2));
	EXPECT_EQ(4, sp_numbers(self->space));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
		ASSERT_EQ(0, sp_kill_reap(child[i]));
	}
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	ASSERT_EQ(0, sp_kill_reap(child[2]));
	EXPECT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	ASSERT_EQ(0, set_max_members(self->space, 3));
	EXPECT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(-EAGAIN, sp_spawn(self->space));
	ASSERT_EQ(0, set_max_members(self->space, 0));
	for (int i = 0; i < 5; i++) {
		EXPECT_LT(0, sp_spawn(self->space));
	}
}

/* An adoption that would exceed it is EAGAIN as a whole. */
TEST_F(policy, max_members_adopt)
{
	struct pidspace_info before, after;
	struct agent root;
	long child;

	ASSERT_EQ(0, agent_start(&root, AGENT_OUTSIDE));
	child = agent_call(&root, verb_fork, 0);
	ASSERT_LT(0, child);
	ASSERT_LT(0, agent_call(&root, verb_thread, 0));
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_EQ(0, set_max_members(self->space, 3));
	ASSERT_EQ(0, sp_info(self->space, &before));
	EXPECT_EQ(-EAGAIN, sp_adopt(self->space, root.pid, PIDSPACE_ADOPT_F_TREE));
	ASSERT_EQ(0, sp_info(self->space, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(-ESRCH, sp_local(self->space, root.pid));
	EXPECT_EQ(-ESRCH, sp_local(self->space, child));
	ASSERT_EQ(0, set_max_members(self->space, 4));
	EXPECT_EQ(0, sp_adopt(self->space, root.pid, PIDSPACE_ADOPT_F_TREE));
	EXPECT_EQ(4, sp_numbers(self->space));
	EXPECT_EQ(-EAGAIN, agent_call(&root, verb_fork, 0));
	agent_stop(&root);
}

/* Nor does an empty space become empty by it, which would be an event. */
TEST(adopt_refused_by_empty_space)
{
	struct pidspace_create arg = { .max_members = 1, .events = 4 };
	struct agent root;
	int space;

	ASSERT_EQ(0, sp_init());
	space = ev_create(&arg);
	ASSERT_LE(0, space);
	ASSERT_EQ(0, agent_start(&root, AGENT_OUTSIDE));
	ASSERT_LT(0, agent_call(&root, verb_fork, 0));
	EXPECT_EQ(-EAGAIN, sp_adopt(space, root.pid, PIDSPACE_ADOPT_F_TREE));
	EXPECT_EQ(POLLHUP, ev_poll(space));
	EXPECT_EQ(0, ev_drain(space));
	agent_stop(&root);
	EXPECT_EQ(0, sp_end(space));
}

TEST_HARNESS_MAIN
