// SPDX-License-Identifier: GPL-2.0
/* Attempts by way of clocks, timers, counters, sockets and control groups. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attemptlib.h"

/* The clock of a process's CPU time, as the kernel encodes it. */
#define PROCESS_CLOCK(nr)	((clockid_t)(~(unsigned int)(nr) << 3 | 2))

static long try_clock_getres(long nr)
{
	struct timespec time;

	return OUTCOME(clock_getres(PROCESS_CLOCK(nr), &time));
}

static long try_clock_gettime(long nr)
{
	struct timespec time;

	return OUTCOME(syscall(SYS_clock_gettime, PROCESS_CLOCK(nr), &time));
}

static long try_clock_getcpuclockid(long nr)
{
	clockid_t clock;

	return -clock_getcpuclockid(nr, &clock);
}

static long create_timer(clockid_t clock, struct sigevent *event)
{
	int timer;
	long err = OUTCOME(syscall(SYS_timer_create, clock, event, &timer));

	if (!err)
		syscall(SYS_timer_delete, timer);
	return err;
}

static long try_timer_create(long nr)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };

	return create_timer(PROCESS_CLOCK(nr), &event);
}

/* The signals of a timer never go to another process. */
static long try_timer_create_thread(long nr)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };

	event._sigev_un._tid = nr;
	return create_timer(CLOCK_MONOTONIC, &event);
}

static long open_counter(long nr)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
	};
	long fd = syscall(SYS_perf_event_open, &attr, nr, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static long try_perf_event_open(long nr)
{
	return open_counter(0) ? UNAVAILABLE : open_counter(nr);
}

/* Asks for a file that is not open: it is not found only if its owner is. */
static long try_bpf_task_fd_query(long nr)
{
	union bpf_attr attr = { .task_fd_query = { .pid = nr, .fd = 1 << 20 } };

	return OUTCOME(syscall(SYS_bpf, BPF_TASK_FD_QUERY, &attr, sizeof(attr)));
}

union credentials {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(struct ucred))];
};

/* Says to be somebody else, in a message to oneself. */
static long try_scm_credentials(long nr)
{
	struct ucred someone = { .pid = nr };
	union credentials credentials = {};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &credentials,
		.msg_controllen = sizeof(credentials),
	};
	int ends[2];
	long outcome;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	credentials.header.cmsg_level = SOL_SOCKET;
	credentials.header.cmsg_type = SCM_CREDENTIALS;
	credentials.header.cmsg_len = CMSG_LEN(sizeof(someone));
	memcpy(CMSG_DATA(&credentials.header), &someone, sizeof(someone));
	outcome = OUTCOME(sendmsg(ends[0], &message, MSG_NOSIGNAL));
	close(ends[0]);
	close(ends[1]);
	return outcome;
}

static long write_number(const char *path, long nr)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%ld", nr);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long err;

	if (fd < 0)
		return -errno;
	err = OUTCOME(write(fd, text, length));
	close(fd);
	return err;
}

#define CGROUPS		"/sys/fs/cgroup"

/* Moves the target to a group that is made for it, and back. */
static long try_cgroup_procs(long nr)
{
	char group[64], procs[96];
	long err;

	snprintf(group, sizeof(group), CGROUPS "/attempt-%d", getpid());
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
	if (mkdir(group, 0700))
		return UNAVAILABLE;
	err = write_number(procs, nr);
	if (!err)
		err = write_number(CGROUPS "/cgroup.procs", nr);
	rmdir(group);
	return err;
}

const struct attempt attempts_system[] = {
	{ "clock_getres", try_clock_getres, -EINVAL, 0, ATTEMPT_PROCESS },
	{ "clock_gettime", try_clock_gettime, -EINVAL, 0, ATTEMPT_PROCESS },
	{ "clock_getcpuclockid", try_clock_getcpuclockid, -ESRCH, 0, ATTEMPT_PROCESS },
	{ "timer_create", try_timer_create, -EINVAL, 0, ATTEMPT_PROCESS },
	{ "timer_create to a thread", try_timer_create_thread, -EINVAL, -EINVAL, 0 },
	{ "perf_event_open", try_perf_event_open, -ESRCH, 0, ATTEMPT_ROOT },
	{ "BPF_TASK_FD_QUERY", try_bpf_task_fd_query, -ENOENT, -EBADF, ATTEMPT_ROOT },
	{ "SCM_CREDENTIALS", try_scm_credentials, -ESRCH, 0, ATTEMPT_ROOT },
	{ "write to cgroup.procs", try_cgroup_procs, -ESRCH, 0, ATTEMPT_ROOT },
	{}
};
