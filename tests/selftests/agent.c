// SPDX-License-Identifier: GPL-2.0
/* Agents: child processes that run functions of the test program on demand. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "spacelib.h"

/* How long a test waits for an agent's answer. */
#define ANSWER_SECONDS	(60 * SLOWEST * TIME_SCALE)

/* The address space is a copy of the test's, so a function is its address. */
struct request {
	agent_fn fn;
	long arg;
};

/* The agent's own end, in an agent. */
static int own_end = -1;

void agent_forget(void)
{
	if (own_end >= 0)
		close(own_end);
	own_end = -1;
}

static void serve(int fd) __attribute__((noreturn));
static void serve(int fd)
{
	struct request request;
	long result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sp_init())
		_exit(1);
	own_end = fd;
	while (recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
		result = request.fn(request.arg);
		if (send(fd, &result, sizeof(result), MSG_NOSIGNAL) != sizeof(result))
			break;
	}
	_exit(0);
}

/* Forks number 1 of a new pid namespace, and leaves the caller's as it was. */
static pid_t fork_pidns(void)
{
	int self = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (self < 0)
		return -errno;
	if (unshare(CLONE_NEWPID)) {
		pid = -errno;
		close(self);
		return pid;
	}
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		return 0;
	}
	if (pid < 0)
		pid = -errno;
	setns(self, CLONE_NEWPID);
	close(self);
	return pid;
}

static pid_t fork_outside(void)
{
	pid_t pid = fork();

	if (pid == 0)
		sp_child_begin();
	return pid < 0 ? -errno : pid;
}

int agent_start(struct agent *agent, int space)
{
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	if (space == AGENT_PIDNS)
		agent->pid = fork_pidns();
	else if (space == AGENT_OUTSIDE)
		agent->pid = fork_outside();
	else
		agent->pid = sp_fork(space);
	if (agent->pid == 0) {
		close(ends[0]);
		serve(ends[1]);
	}
	close(ends[1]);
	agent->fd = ends[0];
	if (agent->pid < 0) {
		close(ends[0]);
		agent->fd = -1;
		return agent->pid;
	}
	setsockopt(agent->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	/* Only once it has answered is it known to be ready for signals. */
	return agent_call(agent, verb_getpid, 0) > 0 ? 0 : -EIO;
}

int agent_send(struct agent *agent, agent_fn fn, long arg)
{
	struct request request = { .fn = fn, .arg = arg };

	if (send(agent->fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return -EPIPE;
	return 0;
}

long agent_receive(struct agent *agent)
{
	long result;
	ssize_t got;

	/* With a time-out, even the kernel's own task work interrupts it. */
	do {
		got = recv(agent->fd, &result, sizeof(result), 0);
	} while (got < 0 && errno == EINTR);
	if (got == (ssize_t)sizeof(result))
		return result;
	return got < 0 ? -errno : -EPIPE;
}

long agent_call(struct agent *agent, agent_fn fn, long arg)
{
	int err = agent_send(agent, fn, arg);

	return err ? err : agent_receive(agent);
}

void agent_stop(struct agent *agent)
{
	if (agent->pid <= 0)
		return;
	close(agent->fd);
	sp_kill_reap(agent->pid);
	agent->pid = 0;
}
