// SPDX-License-Identifier: GPL-2.0
/* The end of a thousand processes, from the first call until all are reaped. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "place.h"
#include "spacelib.h"

#define MANY		1000
#define ATTEMPTS	5
#define ATTEMPTS_QUICK	3

static pid_t pids[MANY];
/* The space, or the file that kills a cgroup. */
static int target;

static int fork_sleepers(void)
{
	for (int i = 0; i < MANY; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (;;)
				pause();
		if (pids[i] < 0)
			return -errno;
	}
	return 0;
}

static int reap_all(int count)
{
	while (count--)
		if (waitpid(-1, NULL, 0) < 0)
			return -errno;
	return 0;
}

struct way {
	const char *variant;
	int (*start)(void);
	int (*kill_all)(void);
	/* How many there are to be reaped. */
	int reaped;
};

static int start_in_space(void)
{
	int err = sp_mark(target);

	if (!err)
		err = fork_sleepers();
	sp_clear(target);
	return err;
}

static int kill_space(void)
{
	struct pidspace_kill answer;
	int err = sp_kill_counted(target, 0, SIGKILL, PIDSPACE_KILL_F_SPACE, &answer);

	return err || answer.signalled == MANY ? err : -ESRCH;
}

static int start_in_cgroup(void)
{
	int err = cgroup_enter(0);

	if (!err)
		err = fork_sleepers();
	cgroup_leave(0);
	return err;
}

static int kill_cgroup(void)
{
	return write(target, "1", 1) == 1 ? 0 : -errno;
}

static int kill_each(void)
{
	for (int i = 0; i < MANY; i++)
		if (kill(pids[i], SIGKILL))
			return -errno;
	return 0;
}

static void be_first(int ready) __attribute__((noreturn));
static void be_first(int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fork_sleepers() || write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Only number 1 of the namespace is our child. */
static int start_in_pidns(void)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	int ends[2], err = 0;
	char byte;

	if (own < 0 || pipe(ends) || unshare(CLONE_NEWPID))
		return -errno;
	pids[0] = fork();
	if (pids[0] == 0)
		be_first(ends[1]);
	close(ends[1]);
	if (pids[0] < 0 || read(ends[0], &byte, 1) != 1)
		err = -EIO;
	close(ends[0]);
	setns(own, CLONE_NEWPID);
	close(own);
	return err;
}

static int kill_pidns(void)
{
	return kill(pids[0], SIGKILL) ? -errno : 0;
}

static double attempt(const struct way *way)
{
	double taken;
	int err = way->start();

	rest();
	if (!err)
		err = idle_begin();
	if (err)
		return err;
	set_urgent(true);
	stopwatch_start();
	err = way->kill_all();
	if (!err)
		err = reap_all(way->reaped);
	taken = stopwatch_read();
	set_urgent(false);
	idle_end();
	return err ? err : taken;
}

static void measure_way(const struct way *way)
{
	int count = is_quick() ? ATTEMPTS_QUICK : ATTEMPTS;
	double taken[ATTEMPTS];

	for (int i = 0; i < count; i++) {
		taken[i] = attempt(way);
		if (taken[i] < 0) {
			tell_failure("end_many", way->variant, taken[i]);
			return;
		}
		rest();
	}
	tell_value("end_many", way->variant, MANY, median(taken, count) / MANY, "instructions");
}

static void measure_cgroup(const char *variant)
{
	const struct way cgroup = { variant, start_in_cgroup, kill_cgroup, MANY };

	target = cgroup_open("cgroup.kill", O_WRONLY);
	if (target < 0) {
		tell_failure("end_many", variant, target);
		return;
	}
	measure_way(&cgroup);
	close(target);
}

void measure_ending(void)
{
	const struct way space = { "track", start_in_space, kill_space, MANY };
	int err;

	target = sp_create(NULL, 0, NULL);
	if (target < 0) {
		tell_failure("end_many", "track", target);
		return;
	}
	measure_way(&space);
	err = sp_end(target);
	if (err)
		tell_failure("end_many", "track", err);
	measure_cgroup("cgroup_loaded");
}

void measure_ending_peers(void)
{
	const struct way loop = { "loop", fork_sleepers, kill_each, MANY };
	const struct way pidns = { "pidns1", start_in_pidns, kill_pidns, 1 };

	measure_cgroup("cgroup");
	if (is_quick())
		return;
	measure_way(&loop);
	measure_way(&pidns);
}
