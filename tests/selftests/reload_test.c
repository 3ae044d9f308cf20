// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. */
#include <signal.h>
#include <sys/prctl.h>

#include "agent.h"
#include "harness.h"
#include "modulelib.h"
#include "spacelib.h"

#define ROUNDS		(20 / WORK_SCALE)
#define SOME_UID	61234
#define OTHER_UID	61235

FIXTURE(reload) {
};

FIXTURE_SETUP(reload)
{
	if (!getenv("PIDSPACE_KO"))
		SKIP(return, "PIDSPACE_KO does not name the module");
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, access(SP_DEVICE, F_OK));
	ASSERT_EQ(0, module_destroy_spaces());
}

FIXTURE_TEARDOWN(reload)
{
	if (access(SP_DEVICE, F_OK))
		module_load("");
}

/* An open handle, bound or not, keeps the module. */
TEST_F_TIMEOUT(reload, refused_with_handle, 60)
{
	int fd = sp_device();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	ASSERT_EQ(0, sp_bind(fd, NULL, 0, NULL));
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	close(fd);
	EXPECT_TRUE(WAIT_FOR(module_unload() == 0));
}

/* A named space keeps the module, without any handle. */
TEST_F_TIMEOUT(reload, refused_with_space, 60)
{
	const char *name = sp_unique_name();
	int space = sp_create(name, 0, NULL);

	ASSERT_LE(0, space);
	close(space);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	space = sp_open(name, 0);
	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_destroy(space, 0));
	close(space);
	EXPECT_TRUE(WAIT_FOR(module_unload() == 0));
}

/* A member keeps the module, and so does a zombie. */
TEST_F_TIMEOUT(reload, refused_with_member, 60)
{
	int space = sp_create(NULL, 0, NULL);
	pid_t child;

	ASSERT_LE(0, space);
	child = sp_spawn(space);
	ASSERT_LT(0, child);
	close(space);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(0, sp_await_zombie(child));
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	ASSERT_LT(0, sp_reap(child));
	EXPECT_TRUE(WAIT_FOR(module_unload() == 0));
}

/* A mark keeps the module. */
TEST_F_TIMEOUT(reload, refused_with_mark, 60)
{
	__u64 id = 0;
	int space = sp_create(NULL, 0, &id);

	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_mark(space));
	close(space);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	space = sp_open(NULL, id);
	ASSERT_LE(0, space);
	ASSERT_EQ(0, sp_clear(space));
	close(space);
	EXPECT_TRUE(WAIT_FOR(module_unload() == 0));
}

/*
 * Makes spaces until the limit refuses one, and then one more in the place of the
 * first: how many it could have at a time, or @bound where nothing was refused.
 */
static long make_many(long bound)
{
	int first = sp_create(NULL, 0, NULL);
	int fd = first;
	long count;

	for (count = 0; fd >= 0 && count < bound; count++)
		fd = sp_create(NULL, 0, NULL);
	if (fd != -EUSERS)
		return fd < 0 ? fd : count;
	close(first);
	fd = sp_create(NULL, 0, NULL);
	if (fd < 0)
		return fd;
	return sp_create(NULL, 0, NULL) == -EUSERS ? count : -EPROTO;
}

static long make_as(uid_t uid, long bound)
{
	struct agent user;
	long made;

	if (agent_start(&user, AGENT_OUTSIDE))
		return -EIO;
	made = agent_call(&user, verb_setuid, uid);
	if (!made)
		made = agent_call(&user, make_many, bound);
	agent_stop(&user);
	return made;
}

/* max_user_spaces is what one user can have at a time; root has no limit. */
TEST_F_TIMEOUT(reload, limit_per_user, 60)
{
	ASSERT_TRUE(WAIT_FOR(module_unload() == 0));
	ASSERT_EQ(0, module_load("max_user_spaces=8"));
	EXPECT_EQ(8, make_as(SOME_UID, 20));
	EXPECT_EQ(8, make_as(OTHER_UID, 20));
	/* What the first user had went with its handles. */
	EXPECT_EQ(8, make_as(SOME_UID, 20));
	EXPECT_EQ(20, make_as(0, 20));
	ASSERT_TRUE(WAIT_FOR(module_unload() == 0));
	ASSERT_EQ(0, module_load(""));
}

/* Forks and reaps for ever; counts in memory shared with the test. */
static void fork_for_ever(volatile long *forks)
{
	/* Instead of the alarm, which may come too early here. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(0);
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0 || sp_reap(pid))
			_exit(1);
		++*forks;
	}
}

/* A space works from its first number to its end. */
static int space_works(void)
{
	int space = sp_create("reload", 0, NULL);
	pid_t child;
	int err;

	if (space < 0)
		return space;
	child = sp_spawn(space);
	err = child < 0 ? child : sp_local(space, child) == 1 ? 0 : -EPROTO;
	if (child > 0 && sp_kill_reap(child))
		err = -ECHILD;
	if (!err)
		err = sp_destroy(space, 0);
	close(space);
	return err;
}

/* Unloading and loading under forks in other processes, all of which succeed. */
TEST_F_TIMEOUT(reload, under_a_fork_loop, 240)
{
	volatile long *forks = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t loops[2];
	long before;

	ASSERT_NE(MAP_FAILED, (void *)forks);
	for (int i = 0; i < 2; i++) {
		loops[i] = fork();
		ASSERT_LE(0, loops[i]);
		if (loops[i] == 0) {
			sp_child_begin();
			fork_for_ever(&forks[i]);
		}
	}
	for (int round = 0; round < ROUNDS; round++) {
		before = forks[0] + forks[1];
		ASSERT_TRUE(WAIT_FOR(module_unload() == 0));
		ASSERT_EQ(0, module_load(""));
		ASSERT_EQ(0, space_works());
		ASSERT_TRUE(WAIT_FOR(forks[0] + forks[1] > before));
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, waitpid(loops[i], NULL, WNOHANG));
		EXPECT_EQ(0, sp_kill_reap(loops[i]));
	}
}

TEST_HARNESS_MAIN
