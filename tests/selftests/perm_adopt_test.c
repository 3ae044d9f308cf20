// SPDX-License-Identifier: GPL-2.0
/*
 * Whom an unprivileged user may adopt: whom kill(2) lets it signal, and a tree
 * only where that holds for all of it.
 */
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "adoptlib.h"
#include "agent.h"
#include "harness.h"
#include "spacelib.h"

#define SOME_UID	61234
#define OTHER_UID	61235

#define TREE	PIDSPACE_ADOPT_F_TREE

/* A user with a space, another user, and somebody of root's. */
FIXTURE(rights) {
	struct agent user;
	struct agent other;
	pid_t roots;
	/* The user's space. */
	int space;
};

/* Kept by the user's agent. */
static int own_space = -1;

static long make_space(long unused)
{
	__u64 id = 0;

	(void)unused;
	own_space = sp_create(NULL, 0, &id);
	return own_space < 0 ? own_space : (long)id;
}

/* The same call as AD_CALL() makes, into the agent's own space. */
static long adopt(long call)
{
	return ad_adopt((long)own_space << 40 | (call & 0xffffffffffL));
}

FIXTURE_SETUP(rights)
{
	long id;

	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, chmod(SP_DEVICE, 0666));
	ASSERT_EQ(0, agent_start(&self->user, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->user, verb_setuid, SOME_UID));
	id = agent_call(&self->user, make_space, 0);
	ASSERT_LT(0, id);
	self->space = sp_open(NULL, id);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->other, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->other, verb_setuid, OTHER_UID));
	self->roots = sp_fork_paused();
	ASSERT_LT(0, self->roots);
}

FIXTURE_TEARDOWN(rights)
{
	agent_stop(&self->user);
	agent_stop(&self->other);
	EXPECT_EQ(0, sp_end(self->space));
}

/* What the user gets for adopting @pid; -EPROTO for an error that changed something. */
static long adopt_as_user(FIXTURE_DATA(rights) *self, pid_t pid, long flags)
{
	int before = sp_numbers(self->space);
	long err = agent_call(&self->user, adopt, AD_CALL(0L, pid, flags));

	return err < 0 && sp_numbers(self->space) != before ? -EPROTO : err;
}

/* One's own children, and theirs, need no privilege. */
TEST_F(rights, own_children)
{
	long child = agent_call(&self->user, verb_fork, 0);
	long family = agent_call(&self->user, ad_family, 2);

	EXPECT_EQ(1, adopt_as_user(self, child, 0));
	EXPECT_EQ(7, adopt_as_user(self, family, TREE));
	EXPECT_TRUE(ad_kept(self->space, child));
	EXPECT_TRUE(ad_kept(self->space, family));
	EXPECT_EQ(8, sp_numbers(self->space));
}

/* Nor does a process of one's own that is another's child, nor oneself. */
TEST_F(rights, own_processes)
{
	struct agent stranger;

	ASSERT_EQ(0, agent_start(&stranger, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&stranger, verb_setuid, SOME_UID));
	EXPECT_EQ(1, adopt_as_user(self, stranger.pid, 0));
	EXPECT_EQ(1, adopt_as_user(self, self->user.pid, 0));
	EXPECT_TRUE(ad_kept(self->space, self->user.pid));
	agent_stop(&stranger);
}

/* Another user's process, and root's, is EPERM. */
TEST_F(rights, others)
{
	EXPECT_EQ(-EPERM, adopt_as_user(self, self->other.pid, 0));
	EXPECT_EQ(-EPERM, adopt_as_user(self, self->other.pid, TREE));
	EXPECT_EQ(-EPERM, adopt_as_user(self, self->roots, 0));
	EXPECT_TRUE(ad_outside(self->space, self->other.pid));
	/* For root it is not. */
	EXPECT_EQ(0, sp_adopt(self->space, self->other.pid, 0));
	EXPECT_EQ(0, sp_adopt(self->space, self->roots, 0));
}

/* Three user ids, as kill(2) looks at them. */
struct ids {
	uid_t real;
	uid_t effective;
	uid_t saved;
};

static struct ids wanted_ids;

static long change_ids(long unused)
{
	const struct ids *ids = &wanted_ids;

	(void)unused;
	return setresuid(ids->real, ids->effective, ids->saved) ? -errno : 0;
}

static int start_with_ids(struct agent *agent, struct ids ids)
{
	int err;

	wanted_ids = ids;
	err = agent_start(agent, AGENT_OUTSIDE);
	return err ? err : agent_call(agent, change_ids, 0);
}

/* The real and the saved user id of the target count, the effective one does not. */
TEST_F(rights, rule_of_kill)
{
	const struct {
		struct ids ids;
		long answer;
	} cases[] = {
		{ { SOME_UID, OTHER_UID, OTHER_UID }, 1 },
		{ { OTHER_UID, OTHER_UID, SOME_UID }, 1 },
		{ { OTHER_UID, SOME_UID, OTHER_UID }, -EPERM },
		{ { OTHER_UID, OTHER_UID, OTHER_UID }, -EPERM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct agent target;

		ASSERT_EQ(0, start_with_ids(&target, cases[i].ids));
		EXPECT_EQ(cases[i].answer, adopt_as_user(self, target.pid, 0))
			TH_LOG("case %zu", i);
		agent_stop(&target);
	}
}

/* A child of root's that then becomes another user's. */
static long fork_foreign(long uid)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		if (!verb_setuid(uid) && write(ends[1], "x", 1) == 1)
			sp_child_pause();
		_exit(1);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &byte, 1) != 1)
		pid = -EIO;
	close(ends[0]);
	return pid;
}

/* One descendant that may not be had keeps the whole tree outside. */
TEST_F(rights, foreign_descendant)
{
	struct agent top;
	long family, foreign;

	ASSERT_EQ(0, agent_start(&top, AGENT_OUTSIDE));
	foreign = agent_call(&top, fork_foreign, OTHER_UID);
	ASSERT_LT(0, foreign);
	ASSERT_EQ(0, agent_call(&top, verb_setuid, SOME_UID));
	family = agent_call(&top, ad_family, 2);
	ASSERT_LT(0, family);
	EXPECT_EQ(-EPERM, adopt_as_user(self, top.pid, TREE));
	EXPECT_TRUE(ad_outside(self->space, top.pid));
	EXPECT_TRUE(ad_outside(self->space, foreign));
	EXPECT_TRUE(ad_outside(self->space, family));
	/* It is the only one. */
	ASSERT_EQ(0, kill(foreign, SIGKILL));
	ASSERT_EQ(SIGKILL, agent_call(&top, verb_reap, foreign));
	EXPECT_EQ(8, adopt_as_user(self, top.pid, TREE));
	agent_stop(&top);
}

/* All capabilities of a user namespace are none over those outside of it. */
TEST_F(rights, user_namespace)
{
	long child = agent_call(&self->user, verb_fork, 0);
	long err = agent_call(&self->user, verb_newuserns, 0);

	if (err == -EPERM || err == -ENOSPC || err == -EUSERS)
		SKIP(return, "users cannot make user namespaces here");
	ASSERT_EQ(0, err);
	EXPECT_EQ(-EPERM, adopt_as_user(self, self->other.pid, 0));
	EXPECT_EQ(-EPERM, adopt_as_user(self, self->roots, 0));
	EXPECT_EQ(-EPERM, adopt_as_user(self, self->roots, TREE));
	/* Its own processes are its own still, there and outside. */
	EXPECT_EQ(1, adopt_as_user(self, child, 0));
	EXPECT_EQ(1, adopt_as_user(self, agent_call(&self->user, verb_fork, 0), 0));
}

/* A user with one capability of root's. */
static long keep_capability(long capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	__u32 mask = 1U << (capability % 32);

	data[capability / 32].effective = mask;
	data[capability / 32].permitted = mask;
	if (prctl(PR_SET_KEEPCAPS, 1) || setresuid(SOME_UID, SOME_UID, SOME_UID) ||
	    syscall(SYS_capset, &header, data))
		return -errno;
	return 0;
}

/* CAP_SYS_ADMIN is enough, and so is what lets kill(2) through; others are not. */
TEST_F(rights, capabilities)
{
	const struct {
		long capability;
		long answer;
	} cases[] = {
		{ CAP_SYS_ADMIN, 1 }, { CAP_KILL, 1 }, { CAP_SYS_PTRACE, -EPERM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pid_t target = sp_fork_paused();
		struct agent agent;

		ASSERT_EQ(0, agent_start(&agent, AGENT_OUTSIDE));
		ASSERT_EQ(0, agent_call(&agent, keep_capability, cases[i].capability));
		EXPECT_EQ(cases[i].answer,
			  agent_call(&agent, ad_adopt, AD_CALL(self->space, target, 0)))
			TH_LOG("capability %ld", cases[i].capability);
		ASSERT_EQ(0, sp_kill_reap(target));
		agent_stop(&agent);
	}
}

TEST_HARNESS_MAIN
