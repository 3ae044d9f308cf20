// SPDX-License-Identifier: GPL-2.0
/* Processes in spaces, pid namespaces and cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "place.h"
#include "spacelib.h"

#define ROOT_CGROUP	"/sys/fs/cgroup"
#define OUR_CGROUP	ROOT_CGROUP "/bench"

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int set_last_pid(pid_t nr)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", nr);
	return write_text("/proc/sys/kernel/ns_last_pid", text);
}

/* What was told stays in a buffer until nothing is measured any more. */
static void work(place_fn fn, const char *variant, long arg) __attribute__((noreturn));
static void work(place_fn fn, const char *variant, long arg)
{
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = fn(variant, arg);
	fflush(stdout);
	if (err)
		fprintf(stderr, "bench: %s: %s\n", variant, strerror(-err));
	_exit(err ? 1 : 0);
}

/* The parent's part: the process did its work, or the reason is on stderr. */
static int finish(pid_t pid)
{
	int status;

	if (pid < 0)
		return pid;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	rest();
	return status ? -ECHILD : 0;
}

/* What is forked has a number that others have not been near to. */
static pid_t fork_seated(void)
{
	pid_t pid;
	int err;

	fflush(stdout);
	err = set_last_pid(SEAT);
	if (err)
		return err;
	pid = fork();
	return pid < 0 ? -errno : pid;
}

int run_outside(place_fn fn, const char *variant, long arg)
{
	pid_t pid = fork_seated();

	if (pid == 0)
		work(fn, variant, arg);
	return finish(pid);
}

/* Number 1 of each namespace waits for that of the next one. */
static void descend(int levels, place_fn fn, const char *variant, long arg)
	__attribute__((noreturn));
static void descend(int levels, place_fn fn, const char *variant, long arg)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!levels)
		work(fn, variant, arg);
	if (unshare(CLONE_NEWPID))
		_exit(1);
	pid = fork();
	if (pid == 0)
		descend(levels - 1, fn, variant, arg);
	_exit(finish(pid) ? 1 : 0);
}

int run_in_pidns(int levels, place_fn fn, const char *variant, long arg)
{
	pid_t pid = fork_seated();

	if (pid == 0)
		descend(levels, fn, variant, arg);
	return finish(pid);
}

static int cgroup_make(void)
{
	if (mkdir(OUR_CGROUP, 0755))
		return errno == EEXIST ? 0 : -errno;
	return write_text(ROOT_CGROUP "/cgroup.subtree_control", "+pids");
}

int cgroup_open(const char *file, int flags)
{
	char path[64];
	int fd, err = cgroup_make();

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/%s", OUR_CGROUP, file);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int cgroup_move(const char *path, pid_t pid)
{
	char text[16];
	int err = cgroup_make();

	if (err)
		return err;
	snprintf(text, sizeof(text), "%d", pid);
	return write_text(path, text);
}

int cgroup_enter(pid_t pid)
{
	return cgroup_move(OUR_CGROUP "/cgroup.procs", pid);
}

int cgroup_leave(pid_t pid)
{
	return cgroup_move(ROOT_CGROUP "/cgroup.procs", pid);
}

int run_in_cgroup(place_fn fn, const char *variant, long arg)
{
	pid_t pid = fork_seated();

	if (pid == 0) {
		int err = cgroup_enter(0);

		if (err)
			_exit(1);
		work(fn, variant, arg);
	}
	return finish(pid);
}

int run_in_space(int space, place_fn fn, const char *variant, long arg)
{
	pid_t pid;
	int err = sp_mark(space);

	if (err)
		return err;
	pid = fork_seated();
	if (pid == 0)
		work(fn, variant, arg);
	sp_clear(space);
	return finish(pid);
}
