// SPDX-License-Identifier: GPL-2.0
/* Exit events: one for each process, with the status that wait(2) would tell. */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

/* A space with a member that stays, or it would empty each time. */
FIXTURE(exit) {
	int space;
	pid_t member;
};

FIXTURE_SETUP(exit)
{
	ASSERT_EQ(0, sp_init());
	self->space = ev_watch_new(64, NULL);
	ASSERT_LE(0, self->space);
	self->member = sp_spawn(self->space);
	ASSERT_LT(0, self->member);
	ASSERT_EQ(1, ev_drain(self->space));
}

FIXTURE_TEARDOWN(exit)
{
	EXPECT_EQ(0, sp_end(self->space));
}

/* What the children below do. */
static void exit_zero(void)
{
	_exit(0);
}

static void exit_high(void)
{
	_exit(255);
}

static void end_by_term(void)
{
	raise(SIGTERM);
}

static void end_by_kill(void)
{
	raise(SIGKILL);
}

static void end_by_real_time_signal(void)
{
	raise(SIGRTMAX);
}

static void fault_without_core(void)
{
	const struct rlimit none = {};

	setrlimit(RLIMIT_CORE, &none);
	raise(SIGSEGV);
}

static void *run_then_exit_group(void *unused)
{
	(void)unused;
	_exit(17);
}

static void exit_group_in_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, run_then_exit_group, NULL))
		sp_child_pause();
}

static pid_t leader;

/* Outlives the leader, which it finds a zombie, and ends with a status of its own. */
static void *outlive_leader(void *unused)
{
	char path[32], state = 0;

	(void)unused;
	snprintf(path, sizeof(path), "/proc/%d/stat", leader);
	while (state != 'Z') {
		FILE *file = fopen(path, "re");

		if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
			break;
		fclose(file);
		sp_nap();
	}
	syscall(SYS_exit, 21);
	return NULL;
}

static void leader_exits_first(void)
{
	pthread_t thread;

	leader = getpid();
	if (!pthread_create(&thread, NULL, outlive_leader, NULL))
		syscall(SYS_exit, 13);
}

static void *end_thread(void *unused)
{
	return unused;
}

static void join_threads(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, end_thread, NULL))
			_exit(1);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	_exit(9);
}

static void exec_false(void)
{
	execl("/bin/false", "false", NULL);
}

static const struct {
	const char *what;
	void (*run)(void);
	unsigned int status;
} ends[] = {
	{ "0", exit_zero, 0 },
	{ "255", exit_high, 255 << 8 },
	{ "SIGTERM", end_by_term, SIGTERM },
	{ "SIGKILL", end_by_kill, SIGKILL },
	{ "signal 64", end_by_real_time_signal, 64 },
	{ "SIGSEGV, no core", fault_without_core, SIGSEGV },
	{ "exit_group() in a thread", exit_group_in_thread, 17 << 8 },
	{ "the last thread's, not the leader's", leader_exits_first, 21 << 8 },
	{ "threads end before", join_threads, 9 << 8 },
	{ "another program's", exec_false, 1 << 8 },
};

/* The status is what wait(2) returns, however a process ends, and there is one. */
TEST_F(exit, status)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct pidspace_event birth, event;
		pid_t child = ev_fork_to(self->space, ends[i].run, &birth);
		__u64 after;
		int status;

		ASSERT_LT(0, child);
		ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &event));
		after = ev_clock();
		status = sp_reap(child);
		EXPECT_EQ(ends[i].status, status);
		EXPECT_EQ(ends[i].status, event.status)
			TH_LOG("the end: %s", ends[i].what);
		EXPECT_EQ(birth.nr, event.nr);
		EXPECT_EQ(child, event.global);
		EXPECT_EQ(birth.generation, event.generation);
		EXPECT_LE(birth.time, event.time);
		EXPECT_GE(after, event.time);
		EXPECT_EQ(0, event.count);
		EXPECT_EQ(0, event.reserved);
		EXPECT_EQ(0, ev_drain(self->space));
	}
}

static void dump_core(void)
{
	const struct rlimit all = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };

	if (chdir("/tmp/pidspace-core") || setrlimit(RLIMIT_CORE, &all))
		_exit(1);
	raise(SIGQUIT);
}

/* A core dump is a bit of the status. */
TEST_F(exit, core_dump)
{
	struct pidspace_event birth, event;
	char path[64];
	pid_t child;
	int status;

	ASSERT_EQ(0, mkdir("/tmp/pidspace-core", 0700));
	child = ev_fork_to(self->space, dump_core, &birth);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &event));
	status = sp_reap(child);
	snprintf(path, sizeof(path), "/tmp/pidspace-core/core.%d", child);
	unlink(path);
	unlink("/tmp/pidspace-core/core");
	rmdir("/tmp/pidspace-core");
	EXPECT_EQ(status, (int)event.status);
	if (!WCOREDUMP(status))
		SKIP(return, "no core dump is written here");
	EXPECT_EQ(SIGQUIT | 0x80, event.status);
}

/* A signal that ends a process with threads is told once, whichever thread is the last. */
TEST_F(exit, killed_with_threads)
{
	struct pidspace_event event;
	struct agent victim;

	ASSERT_EQ(0, agent_start(&victim, self->space));
	ASSERT_LT(0, agent_call(&victim, verb_thread, 0));
	ASSERT_EQ(0, kill(victim.pid, SIGINT));
	ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &event));
	EXPECT_EQ(SIGINT, event.status);
	EXPECT_EQ(SIGINT, sp_reap(victim.pid));
	EXPECT_EQ(0, ev_drain(self->space));
	close(victim.fd);
}

TEST_HARNESS_MAIN
