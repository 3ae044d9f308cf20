// SPDX-License-Identifier: GPL-2.0
/* How long a number is in use, here and in a pid namespace. */
#include <fcntl.h>
#include <pthread.h>

#include "harness.h"
#include "spacelib.h"
#include "world.h"

FIXTURE(lifetime) {
	struct world world;
};

WORLD_VARIANTS(lifetime);

FIXTURE_SETUP(lifetime)
{
	ASSERT_EQ(0, world_start(&self->world, variant->ops, 0));
}

FIXTURE_TEARDOWN(lifetime)
{
	EXPECT_EQ(0, world_stop(&self->world));
}

/* A zombie holds its number until it is reaped. */
TEST_F(lifetime, zombie)
{
	struct world *world = &self->world;
	long pid = agent_call(&world->first, verb_fork_zombie, 0);

	ASSERT_EQ(2, world_number(world, pid));
	EXPECT_EQ(1, world_held(world, 2));
	ASSERT_EQ(0, agent_call(&world->first, verb_reap, pid));
	EXPECT_EQ(0, world_held(world, 2));
}

/* How the child below becomes a leader. */
static int lead_group(void)
{
	return setpgid(0, 0);
}

static int lead_session(void)
{
	return setsid() < 0 ? -1 : 0;
}

/*
 * A child leads a group or session, leaves a child of its own in it, and is
 * reaped: what the orphan is called.
 */
static long orphan(int (*lead)(void))
{
	int ends[2];
	long left = -EIO;
	pid_t leader;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	leader = fork();
	if (leader == 0) {
		if (!lead())
			left = sp_fork_paused();
		_exit(write(ends[1], &left, sizeof(left)) != sizeof(left));
	}
	close(ends[1]);
	if (leader < 0 || read(ends[0], &left, sizeof(left)) < 0 || sp_reap(leader))
		left = -EIO;
	close(ends[0]);
	return left;
}

static long orphan_group(long unused)
{
	(void)unused;
	return orphan(lead_group);
}

static long orphan_session(long unused)
{
	(void)unused;
	return orphan(lead_session);
}

/* The number of a group outlives its leader, and goes with its last process. */
TEST_F(lifetime, orphaned_group)
{
	struct world *world = &self->world;
	long left = agent_call(&world->first, orphan_group, 0);

	ASSERT_EQ(3, world_number(world, left));
	EXPECT_EQ(1, world_held(world, 2));
	ASSERT_EQ(0, agent_call(&world->first, verb_kill_reap, left));
	EXPECT_EQ(0, world_held(world, 3));
	EXPECT_EQ(0, world_held(world, 2));
}

/* So does the number of a session. */
TEST_F(lifetime, orphaned_session)
{
	struct world *world = &self->world;
	long left = agent_call(&world->first, orphan_session, 0);

	ASSERT_EQ(3, world_number(world, left));
	EXPECT_EQ(1, world_held(world, 2));
	ASSERT_EQ(0, agent_call(&world->first, verb_kill_reap, left));
	EXPECT_EQ(0, world_held(world, 3));
	EXPECT_EQ(0, world_held(world, 2));
}

/* A zombie thread group leader with a live thread holds its number. */
static void *outlive(void *end)
{
	if (write(*(int *)end, "x", 1) == 1)
		sp_child_pause();
	return NULL;
}

static long leader_exits(long unused)
{
	static int ends[2];
	pthread_t thread;
	char byte;
	pid_t pid;

	(void)unused;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		if (pthread_create(&thread, NULL, outlive, &ends[1]))
			_exit(1);
		pthread_exit(NULL);
	}
	close(ends[1]);
	/* The thread has its number when it says so. */
	if (pid < 0 || read(ends[0], &byte, 1) != 1)
		return -EIO;
	close(ends[0]);
	return pid;
}

TEST_F(lifetime, zombie_leader)
{
	struct world *world = &self->world;
	long pid = agent_call(&world->first, leader_exits, 0);

	ASSERT_EQ(2, world_number(world, pid));
	EXPECT_EQ(1, world_held(world, 3));
	EXPECT_EQ(1, world_held(world, 2));
	ASSERT_EQ(0, agent_call(&world->first, verb_kill_reap, pid));
	EXPECT_EQ(0, world_held(world, 2));
	/* A thread tells that it has ended just before it gives its number back. */
	EXPECT_TRUE(WAIT_FOR(world_held(world, 3) == 0));
}

/* The pipes that the program of a non-leader thread talks through. */
static int to_program[2], from_program[2];

static void *exec_in_thread(void *unused)
{
	dup2(to_program[0], STDIN_FILENO);
	dup2(from_program[1], STDOUT_FILENO);
	execl("/bin/cat", "cat", NULL);
	return unused;
}

/* A child, whose second thread has exec'ed and echoes by now. */
static long nonleader_exec(long unused)
{
	char byte = 'x';
	pthread_t thread;
	pid_t pid;

	(void)unused;
	if (pipe2(to_program, O_CLOEXEC) || pipe2(from_program, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		if (!pthread_create(&thread, NULL, exec_in_thread, NULL))
			pthread_join(thread, NULL);
		_exit(1);
	}
	close(to_program[0]);
	close(from_program[1]);
	if (pid < 0 || write(to_program[1], &byte, 1) != 1 ||
	    read(from_program[0], &byte, 1) != 1)
		return -EIO;
	return pid;
}

/* Exec by a thread keeps the number of the process, and frees the thread's. */
TEST_F(lifetime, exec_by_nonleader)
{
	struct world *world = &self->world;
	long pid = agent_call(&world->first, nonleader_exec, 0);

	ASSERT_EQ(2, world_number(world, pid));
	EXPECT_EQ(1, world_held(world, 2));
	EXPECT_EQ(0, world_held(world, 3));
	EXPECT_EQ(4, world_number(world, agent_call(&world->first, verb_fork, 0)));
	ASSERT_EQ(0, agent_call(&world->first, verb_kill_reap, pid));
	EXPECT_EQ(0, world_held(world, 2));
}

FIXTURE(flags) {
	int space;
	struct agent first;
};

FIXTURE_SETUP(flags)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->first, self->space));
}

FIXTURE_TEARDOWN(flags)
{
	agent_stop(&self->first);
	EXPECT_EQ(0, sp_end(self->space));
}

/* MEMBERS tells a zombie as such, and still knows its process and parent. */
TEST_F(flags, zombie)
{
	struct pidspace_member member;
	long pid = agent_call(&self->first, verb_fork_zombie, 0);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER | PIDSPACE_MEMBER_F_ZOMBIE, member.flags);
	EXPECT_EQ(2, member.tgid);
	EXPECT_EQ(1, member.ppid);
	EXPECT_EQ(pid, member.global);
}

/* A leader that exited before its thread is a zombie, its thread is not. */
TEST_F(flags, zombie_leader)
{
	struct pidspace_member member;
	long pid = agent_call(&self->first, leader_exits, 0);

	ASSERT_LT(0, pid);
	EXPECT_TRUE(WAIT_FOR(!sp_member(self->space, 2, &member) &&
			     member.flags == (PIDSPACE_MEMBER_F_LEADER |
					      PIDSPACE_MEMBER_F_ZOMBIE)));
	ASSERT_EQ(0, sp_member(self->space, 3, &member));
	EXPECT_EQ(0, member.flags);
	EXPECT_EQ(2, member.tgid);
	EXPECT_EQ(pid, member.global_tgid);
}

/* MEMBERS tells a group without its leader as a number without a task. */
TEST_F(flags, orphaned_group)
{
	struct pidspace_member member;

	ASSERT_LT(0, agent_call(&self->first, orphan_group, 0));
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(PIDSPACE_MEMBER_F_NO_TASK, member.flags);
	EXPECT_EQ(0, member.tgid);
	EXPECT_LT(0, member.global);
	ASSERT_EQ(0, sp_member(self->space, 3, &member));
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER, member.flags);
	EXPECT_EQ(2, member.pgid);
	EXPECT_EQ(0, member.sid);
}

/* And so a session without its leader. */
TEST_F(flags, orphaned_session)
{
	struct pidspace_member member;

	ASSERT_LT(0, agent_call(&self->first, orphan_session, 0));
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(PIDSPACE_MEMBER_F_NO_TASK, member.flags);
	ASSERT_EQ(0, sp_member(self->space, 3, &member));
	EXPECT_EQ(2, member.sid);
	EXPECT_EQ(2, member.pgid);
}

/* A process group whose leader is gone can still be signalled. */
TEST_F(flags, orphaned_group_is_signalled)
{
	long left = agent_call(&self->first, orphan_group, 0);

	ASSERT_LT(0, left);
	EXPECT_EQ(-ESRCH, sp_kill(self->space, 2, SIGUSR1));
	EXPECT_EQ(0, sp_kill(self->space, -2, SIGUSR1));
	EXPECT_TRUE(sp_pending(left, SIGUSR1));
}

TEST_HARNESS_MAIN
