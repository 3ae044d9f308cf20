// SPDX-License-Identifier: GPL-2.0
/* What agents do on demand. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent.h"
#include "spacelib.h"

struct kept_thread {
	pthread_t thread;
	pid_t tid;
	sem_t started;
	sem_t end;
};

static struct kept_thread kept;

long verb_getpid(long unused)
{
	(void)unused;
	return getpid();
}

long verb_fork(long unused)
{
	(void)unused;
	return sp_fork_paused();
}

long verb_fork_zombie(long unused)
{
	pid_t pid = fork();
	int err;

	(void)unused;
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	err = sp_await_zombie(pid);
	return err ? err : pid;
}

long verb_fork_reaped(long unused)
{
	pid_t pid = fork();
	int status;

	(void)unused;
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	status = sp_reap(pid);
	return status < 0 ? status : pid;
}

long verb_reap(long pid)
{
	return sp_reap(pid);
}

long verb_kill_reap(long pid)
{
	return sp_kill_reap(pid);
}

static void *stay(void *arg)
{
	struct kept_thread *self = arg;

	self->tid = gettid();
	sem_post(&self->started);
	while (sem_wait(&self->end))
		;
	return NULL;
}

long verb_thread(long unused)
{
	int err;

	(void)unused;
	sem_init(&kept.started, 0, 0);
	sem_init(&kept.end, 0, 0);
	err = pthread_create(&kept.thread, NULL, stay, &kept);
	if (err)
		return -err;
	while (sem_wait(&kept.started))
		;
	return kept.tid;
}

long verb_thread_end(long unused)
{
	(void)unused;
	sem_post(&kept.end);
	return -pthread_join(kept.thread, NULL);
}

long verb_setuid(long uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return -errno;
	/* Or /proc/self would still be root's. */
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

long verb_newuserns(long unused)
{
	uid_t uid = geteuid();
	char map[32];
	int fd, err = 0;

	(void)unused;
	if (unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, map, strlen(map)) != (ssize_t)strlen(map))
		err = -errno;
	close(fd);
	if (!err && geteuid() != 0)
		err = -EPERM;
	return err;
}

long verb_exit(long status)
{
	_exit(status);
}
