// SPDX-License-Identifier: GPL-2.0
/* Numbers of children, however they are made, here and in a pid namespace. */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "harness.h"
#include "spacelib.h"
#include "world.h"

FIXTURE(numbering) {
	struct world world;
};

WORLD_VARIANTS(numbering);

FIXTURE_SETUP(numbering)
{
	ASSERT_EQ(0, world_start(&self->world, variant->ops, 0));
}

FIXTURE_TEARDOWN(numbering)
{
	EXPECT_EQ(0, world_stop(&self->world));
}

/* The child of vfork() finds its own number, while its parent is stopped. */
static long vfork_number(long unused)
{
	volatile long number = 0;
	pid_t pid = vfork();

	(void)unused;
	if (pid == 0) {
		number = world_number(world_current, syscall(SYS_getpid));
		_exit(0);
	}
	return pid < 0 || sp_reap(pid) ? -errno : number;
}

static long clone3_paused(long unused)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	(void)unused;
	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	return pid < 0 ? -errno : pid;
}

/* A child makes a sibling: what the child was told, through a pipe. */
static long clone_sibling(long unused)
{
	int ends[2];
	long sibling = -EIO;
	pid_t pid;

	(void)unused;
	if (pipe(ends))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sibling = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
		if (sibling) {
			sibling = sibling < 0 ? -errno : sibling;
			if (write(ends[1], &sibling, sizeof(sibling)) < 0)
				_exit(1);
		}
		sp_child_begin();
		sp_child_pause();
	}
	if (pid < 0 || read(ends[0], &sibling, sizeof(sibling)) < 0)
		sibling = -errno;
	close(ends[0]);
	close(ends[1]);
	return sibling;
}

/* fork, thread, vfork, clone3 and CLONE_PARENT count on in one sequence. */
TEST_F(numbering, one_sequence)
{
	struct world *world = &self->world;
	struct agent *first = &world->first;

	EXPECT_EQ(1, world_number(world, agent_call(first, verb_getpid, 0)));
	EXPECT_EQ(2, world_number(world, agent_call(first, verb_fork, 0)));
	EXPECT_EQ(3, world_number(world, agent_call(first, verb_thread, 0)));
	EXPECT_EQ(4, agent_call(first, vfork_number, 0));
	EXPECT_EQ(5, world_number(world, agent_call(first, clone3_paused, 0)));
	/* The child that makes the sibling is 6. */
	EXPECT_EQ(7, world_number(world, agent_call(first, clone_sibling, 0)));
	EXPECT_EQ(8, world_number(world, agent_call(first, verb_fork, 0)));
}

/* The number of a child that is gone is not the next one's. */
TEST_F(numbering, numbers_are_not_reused_at_once)
{
	struct world *world = &self->world;

	ASSERT_LT(0, agent_call(&world->first, verb_fork_reaped, 0));
	ASSERT_LT(0, agent_call(&world->first, verb_fork_reaped, 0));
	EXPECT_EQ(4, world_number(world, agent_call(&world->first, verb_fork, 0)));
	EXPECT_EQ(0, world_held(world, 2));
	EXPECT_EQ(0, world_held(world, 3));
	EXPECT_EQ(1, world_held(world, 4));
}

/* The number of a thread is free once the thread is gone. */
TEST_F(numbering, thread_end_releases)
{
	struct world *world = &self->world;
	long tid = agent_call(&world->first, verb_thread, 0);

	ASSERT_EQ(2, world_number(world, tid));
	EXPECT_EQ(1, world_held(world, 2));
	ASSERT_EQ(0, agent_call(&world->first, verb_thread_end, 0));
	EXPECT_TRUE(WAIT_FOR(world_held(world, 2) == 0));
}

FIXTURE(member) {
	int space;
	struct agent agent;
};

FIXTURE_SETUP(member)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->agent, self->space));
}

FIXTURE_TEARDOWN(member)
{
	agent_stop(&self->agent);
	EXPECT_EQ(0, sp_end(self->space));
}

/* What MEMBERS says of a family: roles, parents and both kinds of number. */
TEST_F(member, members_tell_roles)
{
	long tid = agent_call(&self->agent, verb_thread, 0);
	long child = agent_call(&self->agent, verb_fork, 0);
	struct pidspace_member members[4];

	ASSERT_LT(0, tid);
	ASSERT_LT(0, child);
	ASSERT_EQ(3, sp_members(self->space, members, 4));
	EXPECT_EQ(1, members[0].nr);
	EXPECT_EQ(2, members[1].nr);
	EXPECT_EQ(3, members[2].nr);
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER, members[0].flags);
	EXPECT_EQ(0, members[1].flags);
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER, members[2].flags);
	EXPECT_EQ(1, members[1].tgid);
	EXPECT_EQ(3, members[2].tgid);
	EXPECT_EQ(0, members[0].ppid);
	EXPECT_EQ(1, members[2].ppid);
	EXPECT_EQ(0, members[2].pgid);
	EXPECT_EQ(0, members[2].sid);
	EXPECT_EQ(tid, members[1].global);
	EXPECT_EQ(self->agent.pid, members[1].global_tgid);
	EXPECT_EQ(child, members[2].global);
	EXPECT_EQ(child, members[2].global_tgid);
	EXPECT_LT(members[0].generation, members[1].generation);
	EXPECT_LT(members[1].generation, members[2].generation);
}

static long lead_session(long unused)
{
	(void)unused;
	return setsid();
}

/* Group and session are told by local number where their leader is a member. */
TEST_F(member, members_tell_group_and_session)
{
	struct pidspace_member members[3];

	ASSERT_EQ(self->agent.pid, agent_call(&self->agent, lead_session, 0));
	ASSERT_LT(0, agent_call(&self->agent, verb_fork, 0));
	ASSERT_EQ(2, sp_members(self->space, members, 3));
	EXPECT_EQ(1, members[0].pgid);
	EXPECT_EQ(1, members[0].sid);
	EXPECT_EQ(1, members[1].pgid);
	EXPECT_EQ(1, members[1].sid);
}

static long limit_processes(long count)
{
	const struct rlimit limit = { count, count };

	return setrlimit(RLIMIT_NPROC, &limit) ? -errno : 0;
}

/* Forks that RLIMIT_NPROC refuses leave no number behind. */
TEST_F(member, refused_by_rlimit)
{
	long child;

	ASSERT_EQ(0, agent_call(&self->agent, limit_processes, 1));
	ASSERT_EQ(0, agent_call(&self->agent, verb_setuid, 61234));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(-EAGAIN, agent_call(&self->agent, verb_fork, 0));
	}
	EXPECT_EQ(1, sp_numbers(self->space));
	child = sp_spawn(self->space);
	EXPECT_EQ(2, sp_local(self->space, child));
}

/* A cgroup2 directory with the pids controller for the tests below. */
FIXTURE(cgroup) {
	int space;
	struct agent agent;
	char mount[32];
	char path[64];
};

static int write_text(const char *directory, const char *file, const char *text)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

FIXTURE_SETUP(cgroup)
{
	strcpy(self->mount, "/tmp/pidspace-XXXXXX");
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_NE(NULL, mkdtemp(self->mount));
	if (mount("none", self->mount, "cgroup2", 0, NULL)) {
		int err = errno;

		rmdir(self->mount);
		EXPECT_EQ(0, sp_end(self->space));
		SKIP(return, "cgroup2 cannot be mounted: %s", strerror(err));
	}
	snprintf(self->path, sizeof(self->path), "%s/selftest-%d", self->mount, getpid());
	ASSERT_EQ(0, mkdir(self->path, 0755));
	ASSERT_EQ(0, agent_start(&self->agent, self->space));
}

FIXTURE_TEARDOWN(cgroup)
{
	agent_stop(&self->agent);
	EXPECT_EQ(0, sp_end(self->space));
	WAIT_FOR(!rmdir(self->path) || errno == ENOENT);
	umount2(self->mount, MNT_DETACH);
	rmdir(self->mount);
}

/* Forks that pids.max refuses, after the number is bound, release it again. */
TEST_F(cgroup, refused_by_pids_max)
{
	char pid[16];
	long child;

	if (write_text(self->mount, "cgroup.subtree_control", "+pids"))
		SKIP(return, "the pids controller is not available");
	snprintf(pid, sizeof(pid), "%d", self->agent.pid);
	ASSERT_EQ(0, write_text(self->path, "cgroup.procs", pid));
	ASSERT_EQ(0, write_text(self->path, "pids.max", "1"));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(-EAGAIN, agent_call(&self->agent, verb_fork, 0));
	}
	EXPECT_EQ(1, sp_numbers(self->space));
	ASSERT_EQ(0, write_text(self->path, "pids.max", "max"));
	child = agent_call(&self->agent, verb_fork, 0);
	ASSERT_LT(0, child);
	EXPECT_LT(1, sp_local(self->space, child));
	EXPECT_EQ(2, sp_numbers(self->space));
}

static char cgroup_path[64];

static long clone_into_cgroup(long unused)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	int fd = open(cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long pid;

	(void)unused;
	if (fd < 0)
		return -errno;
	args.cgroup = fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	close(fd);
	return pid < 0 ? -errno : pid;
}

/* A child born into another control group is numbered as any other. */
TEST_F(cgroup, clone_into_cgroup)
{
	struct agent second;
	char path[128], line[32];
	long child;
	FILE *file;

	strcpy(cgroup_path, self->path);
	/* A member that was forked later knows the path. */
	ASSERT_EQ(0, agent_start(&second, self->space));
	child = agent_call(&second, clone_into_cgroup, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(3, sp_local(self->space, child));
	snprintf(path, sizeof(path), "%s/cgroup.procs", self->path);
	file = fopen(path, "re");
	ASSERT_NE(NULL, file);
	EXPECT_NE(NULL, fgets(line, sizeof(line), file));
	fclose(file);
	EXPECT_EQ(child, atol(line));
	agent_stop(&second);
}

TEST_HARNESS_MAIN
