// SPDX-License-Identifier: GPL-2.0
/* Attempts to read or set how a task is scheduled, and its limits. */
#include <linux/ioprio.h>
#include <linux/sched/types.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attemptlib.h"

static long try_getpriority(long nr)
{
	return OUTCOME(syscall(SYS_getpriority, PRIO_PROCESS, nr));
}

static long try_getpriority_group(long nr)
{
	return OUTCOME(syscall(SYS_getpriority, PRIO_PGRP, nr));
}

static long try_setpriority(long nr)
{
	return OUTCOME(setpriority(PRIO_PROCESS, nr, 5));
}

static long try_setpriority_group(long nr)
{
	return OUTCOME(setpriority(PRIO_PGRP, nr, 5));
}

static long try_sched_getparam(long nr)
{
	struct sched_param param;

	return OUTCOME(sched_getparam(nr, &param));
}

static long try_sched_setparam(long nr)
{
	const struct sched_param param = {};

	return OUTCOME(sched_setparam(nr, &param));
}

static long try_sched_getscheduler(long nr)
{
	return OUTCOME(sched_getscheduler(nr));
}

static long try_sched_setscheduler(long nr)
{
	const struct sched_param param = {};

	return OUTCOME(sched_setscheduler(nr, SCHED_BATCH, &param));
}

static long try_sched_getattr(long nr)
{
	struct sched_attr attr;

	return OUTCOME(syscall(SYS_sched_getattr, nr, &attr, sizeof(attr), 0));
}

static long try_sched_setattr(long nr)
{
	struct sched_attr attr = { .size = sizeof(attr), .sched_nice = 3 };

	return OUTCOME(syscall(SYS_sched_setattr, nr, &attr, 0));
}

static long try_sched_getaffinity(long nr)
{
	cpu_set_t cpus;

	return OUTCOME(sched_getaffinity(nr, sizeof(cpus), &cpus));
}

static long try_sched_setaffinity(long nr)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return OUTCOME(sched_setaffinity(nr, sizeof(cpus), &cpus));
}

static long try_sched_rr_get_interval(long nr)
{
	struct timespec interval;

	return OUTCOME(sched_rr_get_interval(nr, &interval));
}

static long try_ioprio_get(long nr)
{
	return OUTCOME(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, nr));
}

static long try_ioprio_get_group(long nr)
{
	return OUTCOME(syscall(SYS_ioprio_get, IOPRIO_WHO_PGRP, nr));
}

#define LOW_PRIORITY	IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7)

static long try_ioprio_set(long nr)
{
	return OUTCOME(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, nr, LOW_PRIORITY));
}

static long try_ioprio_set_group(long nr)
{
	return OUTCOME(syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, nr, LOW_PRIORITY));
}

static long try_prlimit_get(long nr)
{
	struct rlimit limit;

	return OUTCOME(prlimit(nr, RLIMIT_NOFILE, NULL, &limit));
}

static long try_prlimit_set(long nr)
{
	const struct rlimit limit = { .rlim_cur = 61, .rlim_max = 62 };

	return OUTCOME(prlimit(nr, RLIMIT_NOFILE, &limit, NULL));
}

const struct attempt attempts_schedule[] = {
	{ "getpriority", try_getpriority, -ESRCH, 0, 0 },
	{ "getpriority of a group", try_getpriority_group, -ESRCH, 0, ATTEMPT_PROCESS },
	{ "setpriority", try_setpriority, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "setpriority of a group", try_setpriority_group, -ESRCH, 0,
	  ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "sched_getparam", try_sched_getparam, -ESRCH, 0, 0 },
	{ "sched_setparam", try_sched_setparam, -ESRCH, 0, 0 },
	{ "sched_getscheduler", try_sched_getscheduler, -ESRCH, 0, 0 },
	{ "sched_setscheduler", try_sched_setscheduler, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "sched_getattr", try_sched_getattr, -ESRCH, 0, 0 },
	{ "sched_setattr", try_sched_setattr, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "sched_getaffinity", try_sched_getaffinity, -ESRCH, 0, 0 },
	{ "sched_setaffinity", try_sched_setaffinity, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "sched_rr_get_interval", try_sched_rr_get_interval, -ESRCH, 0, 0 },
	{ "ioprio_get", try_ioprio_get, -ESRCH, 0, 0 },
	{ "ioprio_get of a group", try_ioprio_get_group, -ESRCH, 0, ATTEMPT_PROCESS },
	{ "ioprio_set", try_ioprio_set, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "ioprio_set of a group", try_ioprio_set_group, -ESRCH, 0,
	  ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "prlimit to get", try_prlimit_get, -ESRCH, 0, 0 },
	{ "prlimit to set", try_prlimit_set, -ESRCH, 0, ATTEMPT_LEAVES },
	{}
};
