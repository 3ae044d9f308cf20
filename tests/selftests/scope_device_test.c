// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/pidspace in the hands of a member of a space in mode SCOPE: its own space
 * is all that there is.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "adoptlib.h"
#include "eventlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* What the heir inherits: handles of its own and of another space, and a pidfd. */
static int own_space = -1;
static int foreign_space = -1;
static int foreign_pidfd = -1;
/* What it knows of. */
static __u64 own_id, foreign_id;
static char foreign_name[PIDSPACE_NAME_SIZE];
static pid_t foreign_member, fellow;

/* A scene, and another space with a member; its handle has a stream. */
FIXTURE(device) {
	struct scene scene;
	/* Born when all of the above was there. */
	struct agent heir;
	bool confined;
};

FIXTURE_VARIANT(device) {
	unsigned int mode;
};

FIXTURE_VARIANT_ADD(device, scope) { .mode = PIDSPACE_MODE_SCOPE };
FIXTURE_VARIANT_ADD(device, track) { .mode = PIDSPACE_MODE_TRACK };

static int make_foreign_space(void)
{
	struct pidspace_create arg = { .events = 16 };

	strcpy(foreign_name, sp_unique_name());
	memcpy(arg.name, foreign_name, sizeof(arg.name));
	foreign_space = ev_create(&arg);
	if (foreign_space < 0)
		return foreign_space;
	foreign_id = arg.id;
	foreign_member = sp_spawn(foreign_space);
	if (foreign_member < 0)
		return foreign_member;
	foreign_pidfd = sc_pidfd(foreign_member);
	return foreign_pidfd < 0 ? foreign_pidfd : 0;
}

FIXTURE_SETUP(device)
{
	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, 0));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
	own_space = self->scene.space;
	own_id = self->scene.id;
	fellow = self->scene.fellow.pid;
	ASSERT_EQ(0, make_foreign_space());
	ASSERT_EQ(0, agent_start(&self->heir, own_space));
}

FIXTURE_TEARDOWN(device)
{
	agent_stop(&self->heir);
	close(foreign_pidfd);
	EXPECT_EQ(0, sp_end(foreign_space));
	EXPECT_EQ(0, scene_stop(&self->scene));
}

static long foreign_info(long unused)
{
	struct pidspace_info info;

	(void)unused;
	return sp_info(foreign_space, &info);
}

static long foreign_members(long unused)
{
	struct pidspace_member member;

	(void)unused;
	return sp_members(foreign_space, &member, 1);
}

static long foreign_lookup(long local)
{
	return sp_global(foreign_space, local);
}

static long foreign_lookup_of(long global)
{
	return sp_local(foreign_space, global);
}

static long foreign_kill(long nr)
{
	return sp_kill(foreign_space, nr, SIGUSR1);
}

static long foreign_set(long limit)
{
	return ev_set(foreign_space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_MAX_MEMBERS,
		.max_members = limit,
	});
}

static long foreign_spawn(long unused)
{
	(void)unused;
	return sp_spawn(foreign_space);
}

static long foreign_adopt(long nr)
{
	return sp_adopt(foreign_space, nr, 0);
}

static long foreign_read(long unused)
{
	struct pidspace_event event;

	(void)unused;
	return ev_read(foreign_space, &event, 1);
}

static long foreign_poll(long unused)
{
	(void)unused;
	return ev_poll(foreign_space);
}

static long foreign_destroy(long flags)
{
	return sp_destroy(foreign_space, flags);
}

/* The handle of another space, passed on, is of no use. */
TEST_F(device, foreign_handle)
{
	struct agent *heir = &self->heir;
	struct pidspace_info before, after;
	const long refused = self->confined ? -EPERM : 0;

	ASSERT_EQ(0, sp_info(foreign_space, &before));
	EXPECT_EQ(refused, agent_call(heir, foreign_info, 0));
	EXPECT_EQ(refused ?: 1, agent_call(heir, foreign_members, 0));
	EXPECT_EQ(refused ?: foreign_member, agent_call(heir, foreign_lookup, 1));
	EXPECT_EQ(refused ? -ESRCH : 1, agent_call(heir, foreign_lookup_of, foreign_member));
	EXPECT_EQ(refused, agent_call(heir, foreign_set, 7));
	EXPECT_EQ(refused, agent_call(heir, foreign_kill, 1));
	EXPECT_EQ(refused, agent_call(heir, foreign_kill, -1));
	EXPECT_EQ(refused ?: 1, agent_call(heir, foreign_read, 0));
	EXPECT_EQ(refused ?: -EBUSY, agent_call(heir, foreign_destroy, 0));
	if (refused)
		EXPECT_EQ(refused, agent_call(heir, foreign_destroy, PIDSPACE_DESTROY_F_KILL));
	EXPECT_EQ(-EPERM, agent_call(heir, foreign_spawn, 0));
	EXPECT_EQ(-EPERM, agent_call(heir, foreign_adopt, fellow));
	EXPECT_NE(self->confined, sp_pending(foreign_member, SIGUSR1));
	ASSERT_EQ(0, sp_info(foreign_space, &after));
	EXPECT_EQ(self->confined, !memcmp(&before, &after, sizeof(before)));
}

/* Only that something happens there may be waited for. */
TEST_F(device, foreign_handle_polls)
{
	EXPECT_EQ(POLLIN, agent_call(&self->heir, foreign_poll, 0));
}

static long own_commands(long unused)
{
	struct pidspace_member members[8];
	struct pidspace_info info;
	int local = sp_local(own_space, getpid());
	int err = sp_info(own_space, &info);

	(void)unused;
	if (err)
		return err;
	if (info.numbers != 3 || sp_members(own_space, members, 8) != 3)
		return -EPROTO;
	if (local <= 0 || sp_global(own_space, local) != getpid())
		return -ESRCH;
	return sp_kill(own_space, sp_local(own_space, fellow), SIGUSR1);
}

static long own_entries(long unused)
{
	int err = sp_mark(own_space);

	(void)unused;
	if (err != -EPERM)
		return -EPROTO;
	return sp_adopt(own_space, foreign_member, 0);
}

/* That of its own space works as ever, and lets nobody in. */
TEST_F(device, own_handle)
{
	EXPECT_EQ(0, agent_call(&self->heir, own_commands, 0));
	EXPECT_TRUE(sp_pending(fellow, SIGUSR1));
	EXPECT_EQ(-EPERM, agent_call(&self->heir, own_entries, 0));
}

static long open_space(int space)
{
	if (space < 0)
		return space;
	close(space);
	return 0;
}

static long open_foreign_id(long unused)
{
	(void)unused;
	return open_space(sp_open(NULL, foreign_id));
}

static long open_foreign_name(long unused)
{
	(void)unused;
	return open_space(sp_open(foreign_name, 0));
}

static long open_own(long unused)
{
	(void)unused;
	return open_space(sp_open(NULL, own_id));
}

static long create_space(long mode)
{
	return open_space(sc_create(mode, NULL));
}

/* Other spaces are not there to be opened, and none is made. */
TEST_F(device, open_and_create)
{
	const long refused = self->confined ? -ENOENT : 0;

	EXPECT_EQ(refused, agent_call(&self->heir, open_foreign_id, 0));
	EXPECT_EQ(refused, agent_call(&self->heir, open_foreign_name, 0));
	EXPECT_EQ(0, agent_call(&self->heir, open_own, 0));
	EXPECT_EQ(-EPERM, agent_call(&self->heir, create_space, PIDSPACE_MODE_TRACK));
	EXPECT_EQ(-EPERM, agent_call(&self->heir, create_space, PIDSPACE_MODE_SCOPE));
}

/* Which of own and foreign space LIST has, as bits, and others as one more. */
static long listed(long unused)
{
	__u64 ids[256];
	int fd = sp_device();
	int count = sp_list_ids(fd, ids, 256);
	long bits = 0;

	(void)unused;
	close(fd);
	for (int i = 0; i < count; i++)
		bits |= ids[i] == own_id ? 1 : ids[i] == foreign_id ? 2 : 4;
	return count < 0 ? count : bits;
}

/* LIST has its own space only. */
TEST_F(device, list)
{
	int third = sp_create(NULL, 0, NULL);

	ASSERT_LE(0, third);
	EXPECT_EQ(self->confined ? 1 : 7, agent_call(&self->heir, listed, 0));
	EXPECT_EQ(7, listed(0));
	close(third);
}

static long look_up_unbound(long nr)
{
	int fd = sp_device();
	long found = sp_local(fd, nr);

	close(fd);
	return found;
}

static long look_up_pidfd(long pidfd)
{
	struct pidspace_nr answer;
	int fd = sp_device();
	int err = sp_lookup(fd, PIDSPACE_LOOKUP_PIDFD, pidfd, &answer);

	close(fd);
	return err ? err : answer.to;
}

static long look_up_batch(long nr)
{
	struct pidspace_nr entries[2] = { { .from = nr }, { .from = getpid() } };
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_IN_SPACE,
		.count = 2,
		.entries = (unsigned long)entries,
	};
	int fd = sp_device();
	int err = sp_ioctl(fd, PIDSPACE_IOC_LOOKUP, &arg);

	close(fd);
	if (err)
		return err;
	return entries[1].to > 0 ? entries[0].to + (entries[0].space == foreign_id) : -EPROTO;
}

/* LOOKUP finds its own members only, be it by a pidfd. */
TEST_F(device, lookup)
{
	struct agent *heir = &self->heir;
	const long refused = self->confined ? -ESRCH : 1;

	EXPECT_EQ(refused, agent_call(heir, look_up_unbound, foreign_member));
	EXPECT_EQ(refused, agent_call(heir, look_up_pidfd, foreign_pidfd));
	EXPECT_EQ(self->confined ? 0 : 2, agent_call(heir, look_up_batch, foreign_member));
	EXPECT_EQ(-ESRCH, agent_call(heir, look_up_unbound, self->scene.outsider.pid));
	EXPECT_EQ(sp_local(own_space, fellow), agent_call(heir, look_up_unbound, fellow));
}

/* For the next test: the spaces of one user, the first of them the member's. */
static __u64 *owned;

static long open_owned(long i)
{
	return open_space(sp_open(NULL, owned[i]));
}

static long lists_first_only(long unused)
{
	__u64 ids[16];
	int fd = sp_device();
	int count = sp_list_ids(fd, ids, 16);

	(void)unused;
	close(fd);
	return count == 1 && ids[0] == owned[0];
}

static long make_owned(long i)
{
	int space = sc_create(i ? PIDSPACE_MODE_TRACK : PIDSPACE_MODE_SCOPE, &owned[i]);

	own_space = i ? own_space : space;
	return space;
}

static long adopt_in_owned(long nr)
{
	return sp_adopt(own_space, nr, 0);
}

/* That its user owns another space as well is no way to that. */
TEST(spaces_of_the_same_user)
{
	struct agent member, manager;

	ASSERT_EQ(0, sp_init());
	owned = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, owned);
	ASSERT_EQ(0, chmod(SP_DEVICE, 0666));
	ASSERT_EQ(0, agent_start(&manager, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&manager, verb_setuid, SCOPE_UID));
	ASSERT_EQ(0, agent_start(&member, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&member, verb_setuid, SCOPE_UID));
	ASSERT_EQ(0, agent_call(&member, sc_no_new_privs, 0));
	ASSERT_LE(0, agent_call(&manager, make_owned, 0));
	ASSERT_LE(0, agent_call(&manager, make_owned, 1));
	EXPECT_EQ(0, agent_call(&member, open_owned, 1));
	EXPECT_FALSE(agent_call(&member, lists_first_only, 0));
	ASSERT_EQ(0, agent_call(&manager, adopt_in_owned, member.pid));
	EXPECT_EQ(-ENOENT, agent_call(&member, open_owned, 1));
	EXPECT_EQ(0, agent_call(&member, open_owned, 0));
	EXPECT_TRUE(agent_call(&member, lists_first_only, 0));
	agent_stop(&member);
	agent_stop(&manager);
}

TEST_HARNESS_MAIN
