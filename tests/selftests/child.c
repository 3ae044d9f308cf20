// SPDX-License-Identifier: GPL-2.0
/* Children that cannot outlive a test, and waiting with a bound. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "spacelib.h"

/* Children read one end; the other is open only in the process they depend on. */
static int leash[2] = { -1, -1 };

long long sp_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int sp_nap(void)
{
	long long took = sp_now_ms();

	usleep(1000);
	took = sp_now_ms() - took;
	return took < 1 ? 1 : took > 100 ? 100 : took;
}

int sp_init(void)
{
	sigset_t set;

	if (leash[0] >= 0)
		close(leash[0]);
	if (leash[1] >= 0)
		close(leash[1]);
	if (pipe2(leash, O_CLOEXEC))
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Orphans come to us, not to an init that reaps when it pleases. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -errno;
	return 0;
}

void sp_child_begin(void)
{
	/* The last resort, for children that are busy and watch nothing. */
	alarm(600 * SLOWEST * TIME_SCALE);
	agent_forget();
	if (leash[1] >= 0)
		close(leash[1]);
	leash[1] = -1;
}

void sp_child_pause(void)
{
	char byte;

	while (read(leash[0], &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

pid_t sp_fork_paused(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	return pid < 0 ? -errno : pid;
}

int sp_reap(pid_t pid)
{
	int status;

	return waitpid(pid, &status, __WALL) == pid ? status : -errno;
}

int sp_kill_reap(pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL))
		return -errno;
	status = sp_reap(pid);
	return status < 0 ? status : 0;
}

int sp_await_zombie(pid_t pid)
{
	return waitid(P_PID, pid, NULL, WEXITED | WNOWAIT) ? -errno : 0;
}

bool sp_pending(pid_t pid, int sig)
{
	unsigned long long pending = 0;
	char line[128];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	file = fopen(line, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "ShdPnd: %llx", &pending) == 1)
			break;
	fclose(file);
	return pending >> (sig - 1) & 1;
}
