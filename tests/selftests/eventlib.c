// SPDX-License-Identifier: GPL-2.0
/* Streams, policies, cheap processes, and handles on their way. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "eventlib.h"
#include "spacelib.h"

/* Enough for a process that does nothing but system calls; and how many there are. */
#define LIGHT_STACK	512
#define LIGHT_MAX	20480

static int bind_device(unsigned long cmd, void *arg)
{
	int fd = sp_device();
	int err;

	if (fd < 0)
		return fd;
	err = sp_ioctl(fd, cmd, arg);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int ev_create(struct pidspace_create *arg)
{
	arg->size = sizeof(*arg);
	return bind_device(PIDSPACE_IOC_CREATE, arg);
}

int ev_open(struct pidspace_open *arg)
{
	arg->size = sizeof(*arg);
	return bind_device(PIDSPACE_IOC_OPEN, arg);
}

int ev_watch_new(unsigned int events, __u64 *id)
{
	struct pidspace_create arg = { .events = events };
	int fd = ev_create(&arg);

	if (id)
		*id = arg.id;
	return fd;
}

int ev_watch(__u64 id, unsigned int events)
{
	struct pidspace_open arg = { .id = id, .events = events };

	return ev_open(&arg);
}

int ev_open_killer(__u64 id)
{
	struct pidspace_open arg = { .id = id, .flags = PIDSPACE_BIND_F_KILL_ON_CLOSE };

	return ev_open(&arg);
}

int ev_read(int fd, struct pidspace_event *events, int room)
{
	ssize_t got = read(fd, events, room * sizeof(*events));

	if (got < 0)
		return -errno;
	return got % sizeof(*events) ? -EPROTO : (int)(got / sizeof(*events));
}

int ev_next(int fd, struct pidspace_event *event)
{
	int got;

	/* An empty space hangs up all the time, so poll(2) is no help. */
	if (!WAIT_FOR(ev_poll(fd) & POLLIN))
		return -ETIMEDOUT;
	got = ev_read(fd, event, 1);
	if (got < 0)
		return got;
	return got ? 0 : -ESTALE;
}

int ev_find(int fd, unsigned int type, struct pidspace_event *event)
{
	int err;

	do {
		err = ev_next(fd, event);
	} while (!err && event->type != type);
	return err;
}

int ev_drain(int fd)
{
	struct pidspace_event events[16];
	int got, count = 0;

	while (ev_poll(fd) & POLLIN) {
		got = ev_read(fd, events, 16);
		if (got <= 0)
			return got ? got : count;
		count += got;
	}
	return count;
}

static int poll_for(int fd, int timeout)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };

	return poll(&poll_fd, 1, timeout) < 0 ? -errno : poll_fd.revents;
}

int ev_poll(int fd)
{
	return poll_for(fd, 0);
}

int ev_await(int fd)
{
	return poll_for(fd, SP_PATIENCE_MS);
}

pid_t ev_fork_to(int space, void (*run)(void), struct pidspace_event *birth)
{
	pid_t pid = sp_fork(space);
	int err;

	if (pid == 0) {
		run();
		_exit(99);
	}
	if (pid < 0)
		return pid;
	err = ev_find(space, PIDSPACE_EVENT_FORK, birth);
	return err ? err : pid;
}

__u64 ev_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

bool ev_sleeps_in(pid_t pid, long nr)
{
	char line[32];
	long found = -1;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/syscall", pid);
	file = fopen(line, "re");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file) && line[0] >= '0' && line[0] <= '9')
		found = atol(line);
	fclose(file);
	return found == nr;
}

int ev_set(int space, struct pidspace_set arg)
{
	arg.size = sizeof(arg);
	return sp_ioctl(space, PIDSPACE_IOC_SET, &arg);
}

pid_t ev_fork_as(pid_t nr)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (__u64)(unsigned long)&nr,
		.set_tid_size = 1,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	return pid < 0 ? -errno : pid;
}

long ev_fork_from(long nr)
{
	long pid;

	do
		pid = ev_fork_as(nr++);
	while (pid == -EEXIST);
	return pid;
}

static int stay(void *unused)
{
	(void)unused;
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL);
	return 0;
}

pid_t ev_light(void)
{
	static char stacks[LIGHT_MAX][LIGHT_STACK] __attribute__((aligned(16)));
	static size_t next;
	pid_t pid;

	/* One that comes round again has long been left by who had it. */
	next = (next + 1) % LIGHT_MAX;
	pid = clone(stay, stacks[next] + LIGHT_STACK,
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, NULL);
	return pid < 0 ? -errno : pid;
}

static int churn_once(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -errno : 0;
}

int ev_churn(int count)
{
	int err = 0;

	while (count-- && !err)
		err = churn_once();
	return err;
}

pid_t ev_light_in(int space)
{
	int err = sp_mark(space);
	pid_t pid;

	if (err)
		return err;
	pid = ev_light();
	sp_clear(space);
	return pid;
}

int ev_churn_in(int space, int count)
{
	int err = sp_mark(space);

	if (err)
		return err;
	err = ev_churn(count);
	sp_clear(space);
	return err;
}

void ev_reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
}

/* Room for one file descriptor, aligned as the kernel wants it. */
union passage {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int ev_pass(int socket, int fd)
{
	char byte = 'f';
	union passage passage = {};
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &passage,
		.msg_controllen = sizeof(passage),
	};

	passage.header.cmsg_level = SOL_SOCKET;
	passage.header.cmsg_type = SCM_RIGHTS;
	passage.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&passage.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int ev_receive(int socket)
{
	char byte;
	union passage passage = {};
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &passage,
		.msg_controllen = sizeof(passage),
	};
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	if (passage.header.cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(&passage.header), sizeof(fd));
	return fd;
}
