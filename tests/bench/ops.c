// SPDX-License-Identifier: GPL-2.0
/* What any program does, wherever it is. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "spacelib.h"

#define NOTHING		"/bench/nothing"
/* A number that nobody has. */
#define NOBODY		29999
/* How many means of how many calls. */
#define STEADY		60
#define STEADY_CALLS	100

static char child_stack[8192] __attribute__((aligned(16)));
/* The caller, and a process at its side that sleeps. */
static pid_t self, other;
static int pid_dir;

static void run_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void run_exec(void)
{
	static char *const arguments[] = { NOTHING, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execv(NOTHING, arguments);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static int exit_at_once(void *unused)
{
	(void)unused;
	syscall(SYS_exit_group, 0);
	return 0;
}

static void run_vfork(void)
{
	pid_t pid = clone(exit_at_once, child_stack + sizeof(child_stack),
			  CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	waitpid(pid, NULL, 0);
}

static void *thread(void *argument)
{
	return argument;
}

static void run_thread(void)
{
	pthread_t id;

	if (!pthread_create(&id, NULL, thread, NULL))
		pthread_join(id, NULL);
}

static void run_getpid(void)
{
	syscall(SYS_getpid);
}

static void run_kill_self(void)
{
	kill(self, 0);
}

static void run_kill_other(void)
{
	kill(other, 0);
}

static void run_kill_nobody(void)
{
	kill(NOBODY, 0);
}

static void run_getpgid(void)
{
	getpgid(other);
}

static void run_pidfd(void)
{
	close(syscall(SYS_pidfd_open, other, 0));
}

static void run_status(void)
{
	char text[4096];
	int fd = openat(pid_dir, "status", O_RDONLY);

	if (read(fd, text, sizeof(text)) < 0)
		_exit(1);
	close(fd);
}

static const struct op ops[] = {
	{ .row = "fork", .run = run_fork, .calls = 1 },
	{ .row = "exec", .run = run_exec, .calls = 1 },
	{ .row = "vfork", .run = run_vfork, .calls = 1 },
	{ .row = "thread", .run = run_thread, .calls = 1 },
	{ .row = "getpid", .run = run_getpid, .calls = 500 },
	{ .row = "kill_self", .run = run_kill_self, .calls = 200 },
	{ .row = "kill_other", .run = run_kill_other, .calls = 200 },
	{ .row = "kill_nobody", .run = run_kill_nobody, .calls = 200 },
	{ .row = "getpgid_other", .run = run_getpgid, .calls = 200 },
	{ .row = "pidfd_open_other", .run = run_pidfd, .calls = 20 },
	{ .row = "proc_status", .run = run_status, .calls = 4 },
};

/*
 * The costs of a fork after which nobody rests: with what was put off, like the
 * memory that is freed after a grace period.
 */
static void measure_steady(const char *variant)
{
	double means[STEADY];

	for (int i = -1; i < STEADY; i++) {
		unsigned long long begin = instructions();

		for (int call = 0; call < STEADY_CALLS; call++)
			run_vfork();
		if (i >= 0)
			means[i] = (double)(instructions() - begin) / STEADY_CALLS;
	}
	tell_value("vfork_steady", variant, -1, median(means, STEADY), "instructions");
}

static pid_t fork_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid < 0 ? -errno : pid;
}

int measure_process(const char *variant)
{
	self = getpid();
	other = fork_sleeper();
	if (other < 0)
		return other;
	pid_dir = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (pid_dir < 0)
		return -errno;
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		measure_and_tell(&ops[i], variant, -1);
	measure_steady(variant);
	close(pid_dir);
	return sp_kill_reap(other);
}

int measure_vfork(const char *variant, long n)
{
	const struct op op = { .row = "vfork", .run = run_vfork, .calls = 1 };

	measure_and_tell(&op, variant, n);
	return 0;
}

void vfork_once(void)
{
	run_vfork();
}

void kill_self_once(void)
{
	kill(getpid(), 0);
}
