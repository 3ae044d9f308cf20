// SPDX-License-Identifier: GPL-2.0
/* What an unprivileged user may do, and what not, in a user namespace either. */
#include <sys/stat.h>

#include "agent.h"
#include "kselftest_harness.h"
#include "spacelib.h"

#define SOME_UID	61234
#define OTHER_UID	61235

/* A user, another user's agent, and a space of root's with a member. */
FIXTURE(user) {
	struct agent user;
	struct agent other;
	int root_space;
	__u64 root_id;
	pid_t root_member;
};

/* For agents, which inherit it: the space of root's, without its handle. */
static __u64 foreign_id;
static char foreign_name[PIDSPACE_NAME_SIZE];
static pid_t foreign_member;

FIXTURE_SETUP(user)
{
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, chmod(SP_DEVICE, 0666));
	strcpy(foreign_name, sp_unique_name());
	self->root_space = sp_create(foreign_name, 0, &self->root_id);
	ASSERT_LE(0, self->root_space);
	self->root_member = sp_spawn(self->root_space);
	ASSERT_LT(0, self->root_member);
	foreign_id = self->root_id;
	foreign_member = self->root_member;
	ASSERT_EQ(0, agent_start(&self->user, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->user, verb_setuid, SOME_UID));
	ASSERT_EQ(0, agent_start(&self->other, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->other, verb_setuid, OTHER_UID));
}

FIXTURE_TEARDOWN(user)
{
	agent_stop(&self->user);
	agent_stop(&self->other);
	EXPECT_EQ(0, sp_end(self->root_space));
}

/* The space that an agent made, kept by it. */
static int made = -1;
static __u64 made_id;

static long make_space(long unused)
{
	(void)unused;
	made = sp_create(NULL, 0, &made_id);
	return made < 0 ? made : (long)made_id;
}

static long use_space(long unused)
{
	pid_t child = sp_spawn(made);
	struct pidspace_info info;
	int err;

	(void)unused;
	if (child < 0)
		return child;
	err = sp_info(made, &info);
	if (err)
		return err;
	if (sp_local(made, child) != 1 || info.owner != geteuid())
		return -EPROTO;
	err = sp_kill(made, 1, SIGKILL);
	if (err || sp_reap(child) != SIGKILL)
		return -ECHILD;
	return sp_destroy(made, 0);
}

/* A user makes, fills, signals and destroys spaces without privilege. */
TEST_F(user, own_space)
{
	ASSERT_LT(0, agent_call(&self->user, make_space, 0));
	EXPECT_EQ(0, agent_call(&self->user, use_space, 0));
}

static long open_by_id(long id)
{
	int fd = sp_open(NULL, id);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static long open_foreign(long by_name)
{
	int fd = by_name ? sp_open(foreign_name, 0) : sp_open(NULL, foreign_id);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* OPEN is for the owner and for root; to others it is EPERM. */
TEST_F(user, open)
{
	long id = agent_call(&self->user, make_space, 0);

	ASSERT_LT(0, id);
	EXPECT_EQ(-EPERM, agent_call(&self->user, open_foreign, false));
	EXPECT_EQ(-EPERM, agent_call(&self->user, open_foreign, true));
	EXPECT_EQ(-EPERM, agent_call(&self->other, open_by_id, id));
	EXPECT_EQ(0, agent_call(&self->user, open_by_id, id));
	EXPECT_EQ(0, open_by_id(id));
}

/* All capabilities of a user namespace are none over what others own. */
TEST_F(user, user_namespace)
{
	long id = agent_call(&self->other, make_space, 0);
	long err = agent_call(&self->user, verb_newuserns, 0);

	ASSERT_LT(0, id);
	if (err == -EPERM || err == -ENOSPC || err == -EUSERS)
		SKIP(return, "users cannot make user namespaces here");
	ASSERT_EQ(0, err);
	EXPECT_EQ(-EPERM, agent_call(&self->user, open_foreign, false));
	EXPECT_EQ(-EPERM, agent_call(&self->user, open_foreign, true));
	EXPECT_EQ(-EPERM, agent_call(&self->user, open_by_id, id));
	id = agent_call(&self->user, make_space, 0);
	ASSERT_LT(0, id);
	EXPECT_EQ(-EPERM, agent_call(&self->other, open_by_id, id));
	EXPECT_EQ(0, agent_call(&self->user, use_space, 0));
}

/* How many spaces LIST has, and whether one of them is @id. */
static long list_has(long id)
{
	__u64 ids[256];
	int fd = sp_device();
	long found = 0;
	int count;

	if (fd < 0)
		return fd;
	count = sp_list_ids(fd, ids, 256);
	close(fd);
	for (int i = 0; i < count; i++)
		found |= ids[i] == (__u64)id;
	return count < 0 ? count : count * 10L + found;
}

/* LIST has a user's own spaces only, and everybody's for root. */
TEST_F(user, list)
{
	long id = agent_call(&self->user, make_space, 0);

	ASSERT_LT(0, id);
	EXPECT_EQ(11, agent_call(&self->user, list_has, id));
	EXPECT_EQ(10, agent_call(&self->user, list_has, self->root_id));
	EXPECT_EQ(0, agent_call(&self->other, list_has, id));
	EXPECT_TRUE(sp_listed(id));
	EXPECT_TRUE(sp_listed(self->root_id));
}

static long lookup_foreign_member(long unused)
{
	int fd = sp_device();
	long local = fd < 0 ? fd : sp_local(fd, foreign_member);

	(void)unused;
	close(fd);
	return local;
}

/* An unbound handle does not find members of spaces that are another's. */
TEST_F(user, lookup)
{
	EXPECT_EQ(-ESRCH, agent_call(&self->user, lookup_foreign_member, 0));
	EXPECT_EQ(1, lookup_foreign_member(0));
}

static long lookup_self(long unused)
{
	int fd = sp_device();
	long local = fd < 0 ? fd : sp_local(fd, getpid());

	(void)unused;
	close(fd);
	return local;
}

/* But the caller always finds itself. */
TEST_F(user, lookup_self)
{
	struct agent member;

	ASSERT_EQ(0, agent_start(&member, self->root_space));
	ASSERT_EQ(0, agent_call(&member, verb_setuid, SOME_UID));
	EXPECT_EQ(2, agent_call(&member, lookup_self, 0));
	EXPECT_EQ(-ESRCH, agent_call(&member, lookup_foreign_member, 0));
	agent_stop(&member);
}

static long kill_foreign_member(long space)
{
	return sp_kill(space, 1, SIGUSR1);
}

static long kill_unbound(long unused)
{
	int fd = sp_device();
	long err = fd < 0 ? fd : sp_kill(fd, 1, SIGUSR1);

	(void)unused;
	close(fd);
	return err;
}

/* A handle is the right to name members, not the right to signal them. */
TEST_F(user, kill)
{
	EXPECT_EQ(-EPERM, agent_call(&self->user, kill_foreign_member, self->root_space));
	EXPECT_EQ(-EBADFD, agent_call(&self->user, kill_unbound, 0));
	EXPECT_FALSE(sp_pending(self->root_member, SIGUSR1));
	EXPECT_EQ(0, kill_foreign_member(self->root_space));
	EXPECT_TRUE(sp_pending(self->root_member, SIGUSR1));
}

TEST_HARNESS_MAIN
