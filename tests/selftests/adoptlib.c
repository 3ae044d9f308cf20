// SPDX-License-Identifier: GPL-2.0
/* What the tests of ADOPT share. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adoptlib.h"
#include "spacelib.h"

#define MAX_THREADS	16

long ad_adopt(long call)
{
	struct pidspace_adopt answer;
	int err = sp_adopt_counted(call >> 40, (int)call, call >> 32 & 0xff, &answer);

	return err ? err : (long)answer.processes;
}

int ad_pidfd(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int ad_refused(int space, int pid, unsigned int flags)
{
	struct pidspace_info before, after;
	int err;

	if (sp_info(space, &before))
		return sp_adopt(space, pid, flags);
	err = sp_adopt(space, pid, flags);
	if (sp_info(space, &after) || memcmp(&before, &after, sizeof(before)))
		return -EPROTO;
	return err;
}

bool ad_kept(int space, pid_t pid)
{
	struct pidspace_member member;

	return sp_local(space, pid) == pid && sp_global(space, pid) == pid &&
	       !sp_member(space, pid, &member) && member.global == (__u32)pid;
}

bool ad_outside(int space, pid_t pid)
{
	return sp_local(space, pid) == -ESRCH;
}

static pid_t parent_of(const char *pid)
{
	char path[300], line[256] = "";
	pid_t parent = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	/* The name may hold anything, but what comes after it is orderly. */
	if (read(fd, line, sizeof(line) - 1) > 0 && strrchr(line, ')'))
		sscanf(strrchr(line, ')') + 1, " %*c %d", &parent);
	close(fd);
	return parent;
}

static int children_of(pid_t parent, pid_t *pids, int room)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (proc && (entry = readdir(proc)))
		if (atoi(entry->d_name) && count < room && parent_of(entry->d_name) == parent)
			pids[count++] = atoi(entry->d_name);
	if (proc)
		closedir(proc);
	return count;
}

int ad_tree_of(pid_t root, pid_t *pids, int room)
{
	int count = 1;

	pids[0] = root;
	for (int i = 0; i < count; i++)
		count += children_of(pids[i], pids + count, room - count);
	return count;
}

struct kept_thread {
	pid_t tid;
	sem_t started;
};

static struct kept_thread threads[MAX_THREADS];

static void *stay(void *arg)
{
	struct kept_thread *self = arg;

	self->tid = gettid();
	sem_post(&self->started);
	sp_child_pause();
}

long ad_threads(long count)
{
	pthread_t thread;

	for (long i = 0; i < count; i++) {
		int err = sem_init(&threads[i].started, 0, 0) ? errno :
			  pthread_create(&thread, NULL, stay, &threads[i]);

		if (err)
			return -err;
		while (sem_wait(&threads[i].started))
			;
	}
	return 0;
}

long ad_thread_tid(long i)
{
	return threads[i].tid;
}

/* Where a child of an agent tells that it, and all it needs, is there. */
static int report[2];

static long await_report(long pid, int count)
{
	pid_t told = pid;

	close(report[1]);
	for (int i = 0; i < count && pid > 0; i++)
		if (read(report[0], &told, sizeof(told)) != sizeof(told))
			told = -EIO;
	close(report[0]);
	return pid < 0 ? -EAGAIN : told;
}

static void tell(void)
{
	pid_t pid = getpid();

	if (write(report[1], &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
}

long ad_daemon(long unused)
{
	pid_t pid;

	(void)unused;
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		if (fork() > 0)
			_exit(0);
		setsid();
		tell();
		sp_child_pause();
	}
	/* Only a parent that is gone has no child left. */
	if (pid > 0 && sp_reap(pid))
		return -ECHILD;
	return await_report(pid, 1);
}

static void *outlive(void *unused)
{
	tell();
	sp_child_pause();
	return unused;
}

long ad_leader_gone(long unused)
{
	pthread_t thread;
	pid_t pid;

	(void)unused;
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		if (pthread_create(&thread, NULL, outlive, NULL))
			_exit(1);
		pthread_exit(NULL);
	}
	return await_report(pid, 1);
}

/* A process with two children, each with two, and so on; each goes this way. */
static void be_family(long depth)
{
	int children = 0;

	sp_child_begin();
	while (depth > 0 && children < 2) {
		children++;
		if (fork() == 0) {
			sp_child_begin();
			children = 0;
			depth--;
		}
	}
	tell();
	sp_child_pause();
}

long ad_family(long depth)
{
	pid_t pid;
	long err;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		be_family(depth);
	err = await_report(pid, (2 << depth) - 1);
	return err < 0 ? err : pid;
}
