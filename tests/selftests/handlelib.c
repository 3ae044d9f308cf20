// SPDX-License-Identifier: GPL-2.0
/* Handles of processes, and attempts to do something with them. */
#include <linux/ioctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlelib.h"
#include "scopelib.h"

#define SIGNAL	SIGUSR1

/* The first version of what the C library does not have yet. */
struct pidfd_info_v0 {
	unsigned long long mask;
	unsigned long long cgroupid;
	unsigned int pid;
	unsigned int rest[11];
};

#define GET_INFO	_IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info_v0)
#define INFO_PID	1

static char anything[16];

static int open_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int handles_open(struct handles *handles, long target, int descriptor)
{
	char name[16];
	int mount;

	if (target < 0)
		return target;
	handles->pid = TARGET_PID(target);
	handles->tid = TARGET_TID(target);
	handles->descriptor = descriptor;
	handles->pidfd = sc_pidfd(handles->pid);
	handles->thread = syscall(SYS_pidfd_open, handles->tid, PIDFD_THREAD);
	handles->dir = sc_proc_dir(handles->pid);
	handles->task_dir = open_at(handles->dir, "task");
	handles->fd_dir = open_at(handles->dir, "fd");
	handles->ns_dir = open_at(handles->dir, "ns");
	handles->net_dir = open_at(handles->dir, "net");
	/* Not all kernels have this one. */
	handles->attr_dir = open_at(handles->dir, "attr");
	snprintf(name, sizeof(name), "%d", handles->tid);
	handles->thread_dir = open_at(handles->task_dir, name);
	handles->file.header.handle_bytes = PIDFS_HANDLE_ROOM;
	if (name_to_handle_at(handles->pidfd, "", &handles->file.header, &mount, AT_EMPTY_PATH))
		return -errno;
	return handles->pidfd < 0 || handles->thread < 0 || handles->ns_dir < 0 ||
	       handles->net_dir < 0 || handles->thread_dir < 0 ? -ENOENT : 0;
}

void handles_close(struct handles *handles)
{
	close(handles->pidfd);
	close(handles->thread);
	close(handles->dir);
	close(handles->task_dir);
	close(handles->fd_dir);
	close(handles->ns_dir);
	close(handles->net_dir);
	close(handles->attr_dir);
	close(handles->thread_dir);
}

static const struct handles *handles_of(long nr)
{
	return (const struct handles *)nr;
}

static long send_signal(int fd, int sig, unsigned int flags)
{
	return OUTCOME(syscall(SYS_pidfd_send_signal, fd, sig, NULL, flags));
}

long handle_signal(long fd)
{
	return send_signal(fd, SIGNAL, 0);
}

static long try_signal(long nr)
{
	return handle_signal(handles_of(nr)->pidfd);
}

static long try_no_signal(long nr)
{
	return send_signal(handles_of(nr)->pidfd, 0, 0);
}

static long try_signal_as_thread(long nr)
{
	return send_signal(handles_of(nr)->pidfd, SIGNAL, PIDFD_SIGNAL_THREAD);
}

static long try_signal_as_process(long nr)
{
	return send_signal(handles_of(nr)->thread, SIGNAL, PIDFD_SIGNAL_THREAD_GROUP);
}

static long try_signal_group(long nr)
{
	return send_signal(handles_of(nr)->pidfd, SIGNAL, PIDFD_SIGNAL_PROCESS_GROUP);
}

static long try_signal_thread(long nr)
{
	return handle_signal(handles_of(nr)->thread);
}

static long try_getfd(long nr)
{
	int fd = syscall(SYS_pidfd_getfd, handles_of(nr)->pidfd,
			 handles_of(nr)->descriptor, 0);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

long handle_info(long fd)
{
	struct pidfd_info_v0 info = { .mask = INFO_PID };
	long err = OUTCOME(ioctl(fd, GET_INFO, &info));

	return err ? err : (long)info.pid;
}

static long try_info(long nr)
{
	long got = handle_info(handles_of(nr)->pidfd);

	return got == handles_of(nr)->pid ? 0 : got;
}

static long try_info_of_thread(long nr)
{
	long got = handle_info(handles_of(nr)->thread);

	return got == handles_of(nr)->tid ? 0 : got;
}

/* Opens each of the ten namespaces: how all of that ended, if it ended alike. */
static long try_namespaces(long nr)
{
	long outcome = 0;

	for (int which = 1; which <= 10; which++) {
		int fd = ioctl(handles_of(nr)->pidfd, _IO(PIDFS_IOCTL_MAGIC, which), 0);
		long got = fd < 0 ? -errno : 0;

		if (!got)
			close(fd);
		if (which > 1 && got != outcome)
			return -EPROTO;
		outcome = got;
	}
	return outcome;
}

static long try_setns(long nr)
{
	return OUTCOME(setns(handles_of(nr)->pidfd, CLONE_NEWUTS));
}

static long try_madvise(long nr)
{
	struct iovec iov = { .iov_len = getpagesize() };

	iov.iov_base = (void *)((unsigned long)anything & -iov.iov_len);
	return OUTCOME(syscall(SYS_process_madvise, handles_of(nr)->pidfd, &iov, 1,
			       MADV_COLD, 0));
}

/* A pidfd out of a file handle is like any other; one's own names the mount. */
static long try_file_handle(long nr)
{
	struct handles handles = *handles_of(nr);
	int own = sc_pidfd(getpid());
	int fd = open_by_handle_at(own, &handles.file.header, 0);
	long outcome = fd < 0 ? -EPROTO : handle_signal(fd);

	close(fd);
	close(own);
	return outcome;
}

const struct attempt attempts_pidfd[] = {
	{ "pidfd_send_signal", try_signal, -EPERM, 0, 0 },
	{ "pidfd_send_signal of none", try_no_signal, -EPERM, 0, 0 },
	{ "pidfd_send_signal to the leader", try_signal_as_thread, -EPERM, 0, 0 },
	{ "pidfd_send_signal to a thread", try_signal_thread, -EPERM, 0, 0 },
	{ "pidfd_send_signal to its process", try_signal_as_process, -EPERM, 0, 0 },
	{ "pidfd_send_signal to its group", try_signal_group, -EPERM, 0, 0 },
	{ "pidfd_getfd", try_getfd, -EPERM, 0, 0 },
	{ "PIDFD_GET_INFO", try_info, -EREMOTE, 0, 0 },
	{ "PIDFD_GET_INFO of a thread", try_info_of_thread, -EREMOTE, 0, 0 },
	{ "namespaces of a pidfd", try_namespaces, -EREMOTE, 0, 0 },
	{ "setns", try_setns, -EPERM, 0, ATTEMPT_ROOT },
	{ "process_madvise", try_madvise, -EPERM, 0, ATTEMPT_ROOT },
	{ "open_by_handle_at, and a signal", try_file_handle, -EPERM, 0, 0 },
	{}
};

static long close_outcome(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static long try_dir_signal(long nr)
{
	return handle_signal(handles_of(nr)->dir);
}

static long try_dir_status(long nr)
{
	return close_outcome(open_at(handles_of(nr)->dir, "status"));
}

static long try_dir_stat(long nr)
{
	struct stat stat_buf;

	return OUTCOME(fstatat(handles_of(nr)->dir, "stat", &stat_buf, 0));
}

static long try_dir_mem(long nr)
{
	return close_outcome(open_at(handles_of(nr)->dir, "mem"));
}

static long try_dir_exe(long nr)
{
	char target[64];

	return OUTCOME(readlinkat(handles_of(nr)->dir, "exe", target, sizeof(target)));
}

static long try_dir_parent(long nr)
{
	return close_outcome(open_at(handles_of(nr)->dir, "../self/status"));
}

/* By way of the caller's own descriptors. */
static long try_dir_by_own_fd(long nr)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/status", handles_of(nr)->dir);
	return close_outcome(open_at(AT_FDCWD, path));
}

/* In a child, as it would stay there. */
static long try_fchdir(long nr)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(fchdir(handles_of(nr)->dir) ? errno : -open_at(AT_FDCWD, "status") & 0x7f);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	return WEXITSTATUS(status) == ENOENT ? -ENOENT : 0;
}

static long try_task_dir(long nr)
{
	char name[32];

	snprintf(name, sizeof(name), "%d/status", handles_of(nr)->tid);
	return close_outcome(open_at(handles_of(nr)->task_dir, name));
}

/* Whoever asks first; the second time the name is known. */
static long open_twice(int dir, const char *name)
{
	long outcome = close_outcome(open_at(dir, name));

	return close_outcome(open_at(dir, name)) == outcome ? outcome : -EPROTO;
}

static long try_thread_dir(long nr)
{
	return open_twice(handles_of(nr)->thread_dir, "status");
}

static long try_thread_dir_write(long nr)
{
	int fd = openat(handles_of(nr)->thread_dir, "oom_score_adj", O_RDWR | O_CLOEXEC);

	return close_outcome(fd < 0 ? -errno : fd);
}

static long try_attr_dir(long nr)
{
	const struct handles *handles = handles_of(nr);

	return handles->attr_dir < 0 ? UNAVAILABLE : open_twice(handles->attr_dir, "current");
}

static long try_net_dir(long nr)
{
	return open_twice(handles_of(nr)->net_dir, "dev");
}

static const char *descriptor_name(const struct handles *handles)
{
	static char name[16];

	snprintf(name, sizeof(name), "%d", handles->descriptor);
	return name;
}

static long try_fd_dir(long nr)
{
	const struct handles *handles = handles_of(nr);
	char target[64];

	return OUTCOME(readlinkat(handles->fd_dir, descriptor_name(handles), target,
				  sizeof(target)));
}

static long try_fd_dir_open(long nr)
{
	const struct handles *handles = handles_of(nr);

	return close_outcome(open_at(handles->fd_dir, descriptor_name(handles)));
}

static long try_ns_dir(long nr)
{
	return close_outcome(open_at(handles_of(nr)->ns_dir, "uts"));
}

const struct attempt attempts_proc_dir[] = {
	{ "pidfd_send_signal", try_dir_signal, -EPERM, 0, 0 },
	{ "open of status", try_dir_status, -ENOENT, 0, 0 },
	{ "stat of stat", try_dir_stat, -ENOENT, 0, 0 },
	{ "open of mem", try_dir_mem, -ENOENT, 0, 0 },
	{ "readlink of exe", try_dir_exe, -ENOENT, 0, 0 },
	{ "open of ../self/status", try_dir_parent, -ENOENT, 0, 0 },
	{ "open by way of /proc/self/fd", try_dir_by_own_fd, -ENOENT, 0, 0 },
	{ "fchdir, and open of status", try_fchdir, -ENOENT, 0, 0 },
	{ "open of a thread's status", try_task_dir, -ENOENT, 0, 0 },
	{ "open of status in a thread's", try_thread_dir, -ENOENT, 0, 0 },
	{ "open of oom_score_adj there", try_thread_dir_write, -ENOENT, 0, 0 },
	{ "open of a label", try_attr_dir, -ENOENT, 0, 0 },
	{ "open of a file of the network", try_net_dir, -ENOENT, 0, 0 },
	{ "readlink of a descriptor", try_fd_dir, -EACCES, 0, 0 },
	{ "open of a descriptor", try_fd_dir_open, -EACCES, 0, 0 },
	{ "open of a namespace", try_ns_dir, -EACCES, 0, 0 },
	{}
};
