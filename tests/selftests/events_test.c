// SPDX-License-Identifier: GPL-2.0
/* What the events of a space say, and what is no event. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define SOME_UID	61234

/* A space whose number 1 is an agent, which is known to its handle's stream. */
FIXTURE(events) {
	__u64 id;
	int space;
	struct agent first;
	struct pidspace_event birth;
};

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, sp_init());
	self->space = ev_watch_new(64, &self->id);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->first, self->space));
	ASSERT_EQ(0, ev_next(self->space, &self->birth));
}

FIXTURE_TEARDOWN(events)
{
	agent_stop(&self->first);
	EXPECT_EQ(0, sp_end(self->space));
}

/* The name of this program, as comm has it, filled up with NULs. */
static const char *own_comm(void)
{
	static char comm[PIDSPACE_COMM_SIZE];

	prctl(PR_GET_NAME, comm);
	return comm;
}

/* A fork tells who was born, by whom, and when. */
TEST_F(events, fork)
{
	struct pidspace_member member;
	struct pidspace_event event;
	__u64 before = ev_clock();
	long child = agent_call(&self->first, verb_fork, 0);
	__u64 after = ev_clock();

	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_next(self->space, &event));
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(PIDSPACE_EVENT_FORK, event.type);
	EXPECT_EQ(2, event.nr);
	EXPECT_EQ(1, event.parent);
	EXPECT_EQ(child, event.global);
	EXPECT_EQ(member.generation, event.generation);
	EXPECT_LE(before, event.time);
	EXPECT_GE(after, event.time);
	EXPECT_EQ(0, memcmp(own_comm(), event.comm, sizeof(event.comm)));
	EXPECT_EQ(0, event.count);
	EXPECT_EQ(0, event.utime);
	EXPECT_EQ(0, event.stime);
	EXPECT_EQ(0, event.max_rss);
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(0, event.reserved);
	EXPECT_EQ(0, ev_drain(self->space));
}

/* The parent of a spawner's child is no member. */
TEST_F(events, fork_from_outside)
{
	EXPECT_EQ(PIDSPACE_EVENT_FORK, self->birth.type);
	EXPECT_EQ(1, self->birth.nr);
	EXPECT_EQ(0, self->birth.parent);
	EXPECT_EQ(self->first.pid, self->birth.global);
}

static long watch_own_space(long unused)
{
	struct pidspace_event event;
	int space = ev_watch_new(8, NULL);
	pid_t child = sp_spawn(space);
	int err = ev_next(space, &event);

	(void)unused;
	if (err)
		return err;
	return event.nr == 1 && (pid_t)event.global == child ? child : -EPROTO;
}

/* The global number is that of the pid namespace in which the space was made. */
TEST_F(events, global_number)
{
	struct agent creator;

	ASSERT_EQ(0, agent_start(&creator, AGENT_PIDNS));
	EXPECT_EQ(2, agent_call(&creator, watch_own_space, 0));
	agent_stop(&creator);
}

static long clone_sibling(long unused)
{
	long pid;

	(void)unused;
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	return pid < 0 ? -errno : pid;
}

/* Who forks counts, not whom the child is given to. */
TEST_F(events, fork_of_a_sibling)
{
	struct pidspace_event event;
	long child = agent_call(&self->first, clone_sibling, 0);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(child, event.global);
	EXPECT_EQ(1, event.parent);
}

static void *fork_in_thread(void *child)
{
	*(long *)child = sp_fork_paused();
	return NULL;
}

static long thread_forks(long unused)
{
	pthread_t thread;
	long child = -EAGAIN;

	(void)unused;
	if (!pthread_create(&thread, NULL, fork_in_thread, &child))
		pthread_join(thread, NULL);
	return child;
}

/* The parent is the process, also where a thread of it forked. */
TEST_F(events, fork_by_a_thread)
{
	struct pidspace_event event;
	long child = agent_call(&self->first, thread_forks, 0);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_FORK, event.type);
	EXPECT_EQ(3, event.nr);
	EXPECT_EQ(child, event.global);
	EXPECT_EQ(1, event.parent);
	EXPECT_EQ(0, ev_drain(self->space));
}

static long vfork_and_exit(long status)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(status);
	return pid < 0 ? -errno : sp_reap(pid);
}

/* A child of vfork(2) is a child. */
TEST_F(events, vfork)
{
	struct pidspace_event event;

	ASSERT_EQ(3 << 8, agent_call(&self->first, vfork_and_exit, 3));
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_FORK, event.type);
	EXPECT_EQ(1, event.parent);
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EXIT, event.type);
	EXPECT_EQ(3 << 8, event.status);
	EXPECT_EQ(0, ev_drain(self->space));
}

/* Threads come and go without an event. */
TEST_F(events, threads)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_LT(0, agent_call(&self->first, verb_thread, 0));
		EXPECT_EQ(2, sp_numbers(self->space));
		ASSERT_EQ(0, agent_call(&self->first, verb_thread_end, 0));
		ASSERT_TRUE(WAIT_FOR(sp_numbers(self->space) == 1));
	}
	EXPECT_EQ(0, ev_drain(self->space));
}

static long limit_processes(long count)
{
	struct rlimit limit = { .rlim_cur = count, .rlim_max = count };

	return setrlimit(RLIMIT_NPROC, &limit) ? -errno : verb_setuid(SOME_UID);
}

/* Nor is a fork one that fails, for whatever reason. */
TEST_F(events, failed_fork)
{
	struct pidspace_set limit = {
		.flags = PIDSPACE_SET_F_MAX_MEMBERS,
		.max_members = 1,
	};

	ASSERT_EQ(0, ev_set(self->space, limit));
	EXPECT_EQ(-EAGAIN, agent_call(&self->first, verb_fork, 0));
	limit.max_members = 0;
	ASSERT_EQ(0, ev_set(self->space, limit));
	ASSERT_EQ(0, agent_call(&self->first, limit_processes, 1));
	EXPECT_EQ(-EAGAIN, agent_call(&self->first, verb_fork, 0));
	EXPECT_EQ(0, ev_drain(self->space));
}

/* The program that an exec(2) below runs, which echoes. */
static int to_program[2], from_program[2];

static void exec_cat(void)
{
	dup2(to_program[0], STDIN_FILENO);
	dup2(from_program[1], STDOUT_FILENO);
	execl("/bin/cat", "cat", NULL);
	_exit(1);
}

static void *exec_in_thread(void *unused)
{
	(void)unused;
	exec_cat();
	return NULL;
}

/* A child that has exec'ed by now, in a thread or not. */
static long fork_exec(long in_thread)
{
	char byte = 'x';
	pthread_t thread;
	pid_t pid;

	if (pipe2(to_program, O_CLOEXEC) || pipe2(from_program, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		if (!in_thread)
			exec_cat();
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

/* An exec tells the new name; who it is stays. */
TEST_F(events, exec)
{
	struct pidspace_event birth, event;
	long child = agent_call(&self->first, fork_exec, false);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_next(self->space, &birth));
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EXEC, event.type);
	EXPECT_EQ(2, event.nr);
	EXPECT_EQ(child, event.global);
	EXPECT_EQ(birth.generation, event.generation);
	EXPECT_LE(birth.time, event.time);
	EXPECT_GE(ev_clock(), event.time);
	EXPECT_EQ(0, memcmp("cat\0\0\0\0\0\0\0\0\0\0\0\0", event.comm, PIDSPACE_COMM_SIZE));
	EXPECT_EQ(0, ev_drain(self->space));
	ASSERT_EQ(0, agent_call(&self->first, verb_kill_reap, child));
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EXIT, event.type);
	EXPECT_STREQ("cat", (char *)event.comm);
}

/* Exec by another thread is the process's, and nobody's exit. */
TEST_F(events, exec_by_nonleader)
{
	struct pidspace_event birth, event;
	long child = agent_call(&self->first, fork_exec, true);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_next(self->space, &birth));
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EXEC, event.type);
	EXPECT_EQ(2, event.nr);
	EXPECT_EQ(child, event.global);
	EXPECT_EQ(birth.generation, event.generation);
	EXPECT_STREQ("cat", (char *)event.comm);
	EXPECT_EQ(0, ev_drain(self->space));
}

static long exec_nothing(long unused)
{
	(void)unused;
	execl("/nowhere/nothing", "nothing", NULL);
	return -errno;
}

/* An exec that fails is none. */
TEST_F(events, failed_exec)
{
	ASSERT_EQ(-ENOENT, agent_call(&self->first, exec_nothing, 0));
	EXPECT_EQ(0, ev_drain(self->space));
}

/* A process that was adopted is named by the number that it keeps. */
TEST_F(events, adopt)
{
	struct pidspace_member member;
	struct pidspace_event event;
	pid_t child = sp_fork_paused();
	__u64 before = ev_clock();

	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_adopt(self->space, child, 0));
	ASSERT_EQ(0, ev_next(self->space, &event));
	ASSERT_EQ(0, sp_member(self->space, child, &member));
	EXPECT_EQ(PIDSPACE_EVENT_ADOPT, event.type);
	EXPECT_EQ(child, event.nr);
	EXPECT_EQ(child, event.global);
	EXPECT_EQ(0, event.parent);
	EXPECT_EQ(member.generation, event.generation);
	EXPECT_LE(before, event.time);
	EXPECT_GE(ev_clock(), event.time);
	EXPECT_STREQ(own_comm(), (char *)event.comm);
	EXPECT_EQ(0, ev_drain(self->space));
	ASSERT_EQ(0, sp_kill_reap(child));
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_EXIT, event.type);
	EXPECT_EQ(child, event.nr);
	EXPECT_EQ(member.generation, event.generation);
}

/* Of a tree each process is adopted, its threads are not told; none when it fails. */
TEST_F(events, adopt_tree)
{
	struct pidspace_event event;
	struct agent root;
	unsigned int seen = 0;
	long child;

	ASSERT_EQ(0, agent_start(&root, AGENT_OUTSIDE));
	ASSERT_LT(0, agent_call(&root, verb_thread, 0));
	child = agent_call(&root, verb_fork, 0);
	ASSERT_LT(0, child);
	ASSERT_EQ(-EINVAL, sp_adopt(self->space, 1, PIDSPACE_ADOPT_F_TREE));
	EXPECT_EQ(0, ev_drain(self->space));
	ASSERT_EQ(0, sp_adopt(self->space, root.pid, PIDSPACE_ADOPT_F_TREE));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, ev_next(self->space, &event));
		EXPECT_EQ(PIDSPACE_EVENT_ADOPT, event.type);
		seen |= (int)event.nr == root.pid ? 1 : 0;
		seen |= (int)event.nr == child ? 2 : 0;
	}
	EXPECT_EQ(3, seen);
	EXPECT_EQ(0, ev_drain(self->space));
	ASSERT_LT(0, agent_call(&root, verb_fork, 0));
	ASSERT_EQ(0, ev_next(self->space, &event));
	EXPECT_EQ(PIDSPACE_EVENT_FORK, event.type);
	EXPECT_EQ(root.pid, event.parent);
	EXPECT_EQ(2, event.nr);
	agent_stop(&root);
}

TEST_HARNESS_MAIN
