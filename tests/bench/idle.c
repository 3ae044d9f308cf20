// SPDX-License-Identifier: GPL-2.0
/* Time that passes while nobody has anything to do. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

/* Who runs when nobody else wants to, and the clock of its CPU time. */
static pid_t idler;
static clockid_t idle_clock;

static unsigned long long begin;
static double idle_before;

static void idle(void) __attribute__((noreturn));
static void idle(void)
{
	const struct sched_param param = {};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sched_setscheduler(0, SCHED_IDLE, &param);
	for (;;)
		asm volatile("");
}

int idle_begin(void)
{
	idler = fork();
	if (idler < 0)
		return -errno;
	if (idler == 0)
		idle();
	rest();
	return -clock_getcpuclockid(idler, &idle_clock);
}

void idle_end(void)
{
	kill(idler, SIGKILL);
	waitpid(idler, NULL, 0);
}

/* The clock counts nanoseconds, each of which is an instruction here. */
static double idle_time(void)
{
	struct timespec time = {};

	clock_gettime(idle_clock, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

void stopwatch_start(void)
{
	idle_before = idle_time();
	begin = instructions();
}

double stopwatch_read(void)
{
	unsigned long long taken = instructions() - begin;

	return taken - (idle_time() - idle_before);
}
