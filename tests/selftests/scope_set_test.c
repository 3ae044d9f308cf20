// SPDX-License-Identifier: GPL-2.0
/* How a space gets into mode SCOPE, by CREATE or by SET, and what shows it. */
#include <signal.h>

#include "adoptlib.h"
#include "eventlib.h"
#include "handlelib.h"
#include "harness.h"
#include "proclib.h"
#include "scopelib.h"
#include "spacelib.h"

#define SEVERAL	5

FIXTURE(mode) {
	int space;
	__u64 id;
};

FIXTURE_SETUP(mode)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, &self->id);
	ASSERT_LE(0, self->space);
}

FIXTURE_TEARDOWN(mode)
{
	EXPECT_EQ(0, sp_end(self->space));
}

static int mode_of(int space)
{
	struct pidspace_info info;
	int err = sp_info(space, &info);

	return err ? err : (int)info.mode;
}

static int mode_listed(__u64 id)
{
	struct pidspace_info info;
	struct pidspace_list arg = {
		.size = sizeof(arg),
		.cursor = id - 1,
		.entries = (unsigned long)&info,
		.count = 1,
		.entry_size = sizeof(info),
	};
	int fd = sp_device();
	int err = sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg);

	close(fd);
	if (err)
		return err;
	return arg.count && info.id == id ? (int)info.mode : -ENOENT;
}

/* CREATE makes a space in the mode, and INFO and LIST tell it. */
TEST_F(mode, create)
{
	__u64 id = 0;
	int space = sc_create(PIDSPACE_MODE_SCOPE, &id);

	ASSERT_LE(0, space);
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, mode_of(space));
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, mode_listed(id));
	EXPECT_EQ(PIDSPACE_MODE_TRACK, mode_of(self->space));
	EXPECT_EQ(PIDSPACE_MODE_TRACK, mode_listed(self->id));
	close(space);
}

/* It goes together with everything else that CREATE takes. */
TEST_F(mode, create_with_the_rest)
{
	struct pidspace_create arg = {
		.flags = PIDSPACE_BIND_F_KILL_ON_CLOSE,
		.mode = PIDSPACE_MODE_SCOPE,
		.pid_max = 1000,
		.events = 16,
		.policies = PIDSPACE_POLICY_NO_REUSE | PIDSPACE_POLICY_INIT,
		.max_members = 7,
	};
	int space = ev_create(&arg);
	struct pidspace_info info;
	struct pidspace_event event;

	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, info.mode);
	EXPECT_EQ(1000, info.pid_max);
	EXPECT_EQ(7, info.max_members);
	EXPECT_EQ(arg.policies, info.policies);
	ASSERT_LT(0, sp_spawn(space));
	ASSERT_EQ(0, ev_next(space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_FORK, event.type);
	EXPECT_EQ(0, sp_end(space));
}

/* Who knows only level 1 makes one as well: the field was there. */
TEST_F(mode, create_by_an_old_caller)
{
	struct pidspace_create arg = {
		.size = PIDSPACE_CREATE_SIZE_VER0,
		.mode = PIDSPACE_MODE_SCOPE,
	};
	int fd = sp_device();

	ASSERT_EQ(0, sp_ioctl(fd, PIDSPACE_IOC_CREATE, &arg));
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, mode_of(fd));
	close(fd);
}

/* SET tightens, and never loosens; the mode of the space changes nothing. */
TEST_F(mode, set)
{
	EXPECT_EQ(0, sc_tighten(self->space, PIDSPACE_MODE_TRACK));
	EXPECT_EQ(PIDSPACE_MODE_TRACK, mode_of(self->space));
	EXPECT_EQ(0, sc_tighten(self->space, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, mode_of(self->space));
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, mode_listed(self->id));
	EXPECT_EQ(0, sc_tighten(self->space, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(-EINVAL, sc_tighten(self->space, PIDSPACE_MODE_TRACK));
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, mode_of(self->space));
}

/* Modes that are not there yet, and modes that do not exist. */
TEST_F(mode, set_refuses)
{
	static const unsigned int before[] = { PIDSPACE_MODE_TRACK, PIDSPACE_MODE_SCOPE };

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		ASSERT_EQ(0, sc_tighten(self->space, before[i]));
		EXPECT_EQ(-EOPNOTSUPP, sc_tighten(self->space, PIDSPACE_MODE_VIEW));
		EXPECT_EQ(-EINVAL, sc_tighten(self->space, PIDSPACE_MODE_VIEW + 1));
		EXPECT_EQ(-EINVAL, sc_tighten(self->space, ~0U));
		EXPECT_EQ(before[i], mode_of(self->space));
	}
}

/* The mode changes with the rest, or nothing does. */
TEST_F(mode, set_with_the_rest)
{
	const struct pidspace_set all = {
		.flags = PIDSPACE_SET_F_MODE | PIDSPACE_SET_F_MAX_MEMBERS |
			 PIDSPACE_SET_F_PID_MAX | PIDSPACE_SET_F_POLICIES,
		.mode = PIDSPACE_MODE_SCOPE,
		.max_members = 9,
		.pid_max = 2000,
		.policies = PIDSPACE_POLICY_NO_REUSE,
	};
	struct pidspace_set bad = all;
	struct pidspace_info before, after;

	ASSERT_EQ(0, sp_info(self->space, &before));
	bad.pid_max = 1;
	EXPECT_EQ(-EINVAL, ev_set(self->space, bad));
	bad = all;
	bad.policies = 1U << 31;
	EXPECT_EQ(-EINVAL, ev_set(self->space, bad));
	bad = all;
	bad.flags &= ~PIDSPACE_SET_F_MODE;
	EXPECT_EQ(-EINVAL, ev_set(self->space, bad));
	bad = all;
	bad.mode = PIDSPACE_MODE_VIEW;
	EXPECT_EQ(-EOPNOTSUPP, ev_set(self->space, bad));
	ASSERT_EQ(0, sp_info(self->space, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	ASSERT_EQ(0, ev_set(self->space, all));
	before.mode = all.mode;
	before.max_members = all.max_members;
	before.pid_max = all.pid_max;
	before.policies = all.policies;
	ASSERT_EQ(0, sp_info(self->space, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	/* Loosening takes nothing else along either. */
	bad = all;
	bad.mode = PIDSPACE_MODE_TRACK;
	bad.max_members = 1;
	EXPECT_EQ(-EINVAL, ev_set(self->space, bad));
	EXPECT_EQ(0, ev_set(self->space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_MAX_MEMBERS,
		.max_members = 0,
	}));
	EXPECT_EQ(PIDSPACE_MODE_SCOPE, mode_of(self->space));
}

/* A space that is gone has no mode. */
TEST_F(mode, set_of_a_destroyed_space)
{
	int space = sp_create(NULL, 0, NULL);

	ASSERT_EQ(0, sp_destroy(space, 0));
	EXPECT_GT(0, sc_tighten(space, PIDSPACE_MODE_SCOPE));
	close(space);
}

/* A space with members, spawned and adopted, and an outsider. */
FIXTURE(tightened) {
	int space;
	struct agent spawned;
	struct agent adopted;
	struct agent outsider;
};

/* What agents have from before. */
static int outside_pidfd = -1;

FIXTURE_SETUP(tightened)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->outsider, AGENT_OUTSIDE));
	outside_pidfd = sc_pidfd(self->outsider.pid);
	ASSERT_LE(0, outside_pidfd);
	ASSERT_EQ(0, agent_start(&self->spawned, self->space));
	ASSERT_EQ(0, agent_start(&self->adopted, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->adopted, ad_threads, SEVERAL));
	ASSERT_EQ(0, sp_adopt(self->space, self->adopted.pid, 0));
}

FIXTURE_TEARDOWN(tightened)
{
	agent_stop(&self->spawned);
	agent_stop(&self->adopted);
	agent_stop(&self->outsider);
	close(outside_pidfd);
	EXPECT_EQ(0, sp_end(self->space));
}

static long check_number(long nr)
{
	return OUTCOME(kill(nr, 0));
}

/* How an agent fares with the outsider and with another member, as the modes have it. */
static int wrong_in(struct agent *agent, pid_t outsider, pid_t member, unsigned int mode)
{
	bool confined = mode == PIDSPACE_MODE_SCOPE;

	return (agent_call(agent, check_number, outsider) != (confined ? -ESRCH : 0)) |
	       (agent_call(agent, proc_shows, outsider) != (confined ? -ENOENT : 0)) << 1 |
	       (agent_call(agent, handle_signal, outside_pidfd) != (confined ? -EPERM : 0)) << 2 |
	       (agent_call(agent, check_number, member) != 0) << 3;
}

/* Members are confined from the moment that SET returns. */
TEST_F(tightened, members)
{
	pid_t outsider = self->outsider.pid;
	struct agent *spawned = &self->spawned, *adopted = &self->adopted;

	EXPECT_EQ(0, wrong_in(spawned, outsider, adopted->pid, PIDSPACE_MODE_TRACK));
	EXPECT_EQ(0, wrong_in(adopted, outsider, spawned->pid, PIDSPACE_MODE_TRACK));
	ASSERT_EQ(0, sc_tighten(self->space, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(0, wrong_in(spawned, outsider, adopted->pid, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(0, wrong_in(adopted, outsider, spawned->pid, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(0, agent_call(&self->outsider, check_number, spawned->pid));
}

/* So are those that come later, whichever way. */
TEST_F(tightened, newcomers)
{
	pid_t outsider = self->outsider.pid;
	struct agent late, adopted;

	ASSERT_EQ(0, agent_start(&adopted, AGENT_OUTSIDE));
	ASSERT_EQ(0, sc_tighten(self->space, PIDSPACE_MODE_SCOPE));
	ASSERT_EQ(0, agent_start(&late, self->space));
	EXPECT_EQ(0, wrong_in(&late, outsider, self->spawned.pid, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(0, wrong_in(&adopted, outsider, self->spawned.pid, PIDSPACE_MODE_TRACK));
	ASSERT_EQ(0, sp_adopt(self->space, adopted.pid, PIDSPACE_ADOPT_F_TREE));
	EXPECT_EQ(0, wrong_in(&adopted, outsider, self->spawned.pid, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(0, wrong_in(&self->spawned, outsider, adopted.pid, PIDSPACE_MODE_SCOPE));
	agent_stop(&late);
	agent_stop(&adopted);
}

/* A mark from before lets children of a privileged caller in, who are confined. */
TEST_F(tightened, mark_from_before)
{
	struct agent late;

	ASSERT_EQ(0, sp_mark(self->space));
	ASSERT_EQ(0, sc_tighten(self->space, PIDSPACE_MODE_SCOPE));
	ASSERT_EQ(0, agent_start(&late, AGENT_OUTSIDE));
	sp_clear(self->space);
	EXPECT_EQ(0, wrong_in(&late, self->outsider.pid, self->spawned.pid,
			      PIDSPACE_MODE_SCOPE));
	agent_stop(&late);
}

/* Other spaces stay as they are. */
TEST_F(tightened, other_space)
{
	struct agent other;
	int space = sp_create(NULL, 0, NULL);

	ASSERT_LE(0, space);
	ASSERT_EQ(0, agent_start(&other, space));
	ASSERT_EQ(0, sc_tighten(self->space, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(0, wrong_in(&other, self->outsider.pid, self->spawned.pid,
			      PIDSPACE_MODE_TRACK));
	EXPECT_EQ(-ESRCH, agent_call(&self->spawned, check_number, other.pid));
	agent_stop(&other);
	EXPECT_EQ(0, sp_end(space));
}

/* A member may tighten its own space, of which it holds the handle, and not loosen. */
static int own_space = -1;

static long tighten_own(long mode)
{
	return sc_tighten(own_space, mode);
}

TEST_F(tightened, by_a_member)
{
	struct agent late;

	own_space = self->space;
	ASSERT_EQ(0, agent_start(&late, self->space));
	EXPECT_EQ(0, agent_call(&late, tighten_own, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(-EINVAL, agent_call(&late, tighten_own, PIDSPACE_MODE_TRACK));
	EXPECT_EQ(0, wrong_in(&late, self->outsider.pid, self->spawned.pid,
			      PIDSPACE_MODE_SCOPE));
	agent_stop(&late);
}

TEST_HARNESS_MAIN
