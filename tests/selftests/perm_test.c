// SPDX-License-Identifier: GPL-2.0
/* What an unprivileged user may do, and what not, in a user namespace either. */
#include <sys/stat.h>

#include "adoptlib.h"
#include "agent.h"
#include "eventlib.h"
#include "harness.h"
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
/* And with it, where it was passed on. */
static int foreign_space = -1;

FIXTURE_SETUP(user)
{
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, chmod(SP_DEVICE, 0666));
	strcpy(foreign_name, sp_unique_name());
	self->root_space = sp_create(foreign_name, 0, &self->root_id);
	ASSERT_LE(0, self->root_space);
	self->root_member = sp_spawn(self->root_space);
	ASSERT_LT(0, self->root_member);
	foreign_space = self->root_space;
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

static long destroy_foreign(long flags)
{
	return sp_destroy(foreign_space, flags);
}

static long spawn_foreign(long unused)
{
	pid_t pid = sp_spawn(foreign_space);

	(void)unused;
	return pid < 0 ? pid : sp_local(foreign_space, pid);
}

static long set_foreign(long max_members)
{
	return ev_set(foreign_space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_MAX_MEMBERS,
		.max_members = max_members,
	});
}

static long owner_of_foreign(long unused)
{
	struct pidspace_info info;
	int err = sp_info(foreign_space, &info);

	(void)unused;
	return err ? err : (long)info.owner;
}

/* Who got a handle from the owner may do what it is for, but kill nobody. */
TEST_F(user, handle_is_a_capability)
{
	struct pidspace_info info;
	long child = agent_call(&self->user, verb_fork, 0);

	EXPECT_EQ(0, agent_call(&self->user, owner_of_foreign, 0));
	EXPECT_EQ(2, agent_call(&self->user, spawn_foreign, 0));
	EXPECT_EQ(1, agent_call(&self->user, ad_adopt, AD_CALL(self->root_space, child, 0)));
	EXPECT_TRUE(ad_kept(self->root_space, child));
	EXPECT_EQ(0, agent_call(&self->user, set_foreign, 3));
	EXPECT_EQ(-EAGAIN, agent_call(&self->user, spawn_foreign, 0));
	EXPECT_EQ(-EBUSY, agent_call(&self->user, destroy_foreign, 0));
	EXPECT_EQ(-EPERM, agent_call(&self->user, destroy_foreign, PIDSPACE_DESTROY_F_KILL));
	ASSERT_EQ(0, sp_info(self->root_space, &info));
	EXPECT_EQ(PIDSPACE_STATE_LIVE, info.state);
	EXPECT_EQ(3, info.max_members);
}

/* With all capabilities of a user namespace it may no more than without. */
TEST_F(user, handle_in_a_user_namespace)
{
	long err = agent_call(&self->user, verb_newuserns, 0);

	if (err == -EPERM || err == -ENOSPC || err == -EUSERS)
		SKIP(return, "users cannot make user namespaces here");
	ASSERT_EQ(0, err);
	EXPECT_EQ(-EPERM, agent_call(&self->user, kill_foreign_member, self->root_space));
	EXPECT_EQ(-EPERM, agent_call(&self->user, destroy_foreign, PIDSPACE_DESTROY_F_KILL));
	EXPECT_EQ(-EPERM, agent_call(&self->user, ad_adopt,
				     AD_CALL(self->root_space, self->other.pid, 0)));
	EXPECT_EQ(1, sp_numbers(self->root_space));
	EXPECT_FALSE(sp_pending(self->root_member, SIGUSR1));
	/* Root is nobody there. */
	EXPECT_EQ(65534, agent_call(&self->user, owner_of_foreign, 0));
	EXPECT_EQ(-ESRCH, agent_call(&self->user, lookup_foreign_member, 0));
	EXPECT_EQ(0, agent_call(&self->user, list_has, self->root_id));
}

/* A member of another space lets nobody in anywhere; the rest it may. */
TEST_F(user, member_of_another_space)
{
	struct agent member;
	long child;

	foreign_space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, foreign_space);
	ASSERT_EQ(0, agent_start(&member, self->root_space));
	child = agent_call(&member, verb_fork, 0);
	EXPECT_EQ(-EPERM, agent_call(&member, make_space, 0));
	EXPECT_EQ(-EPERM, agent_call(&member, spawn_foreign, 0));
	EXPECT_EQ(-EPERM, agent_call(&member, ad_adopt,
				     AD_CALL(foreign_space, self->user.pid, 0)));
	EXPECT_EQ(-EPERM, agent_call(&member, ad_adopt, AD_CALL(foreign_space, child, 0)));
	EXPECT_EQ(0, sp_numbers(foreign_space));
	ASSERT_EQ(1, sp_local(foreign_space, sp_spawn(foreign_space)));
	EXPECT_EQ(0, agent_call(&member, kill_foreign_member, foreign_space));
	EXPECT_EQ(0, agent_call(&member, owner_of_foreign, 0));
	EXPECT_EQ(0, agent_call(&member, set_foreign, 5));
	EXPECT_EQ(0, agent_call(&member, open_foreign, false));
	EXPECT_EQ(-EBUSY, agent_call(&member, destroy_foreign, 0));
	agent_stop(&member);
	EXPECT_EQ(0, sp_end(foreign_space));
}

TEST_HARNESS_MAIN
