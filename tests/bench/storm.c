// SPDX-License-Identifier: GPL-2.0
/*
 * Forks on several CPUs at once, by a process on each: in no space, in spaces of
 * their own, in pid namespaces of their own, and all in one space.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "markers.h"
#include "measure.h"
#include "place.h"
#include "spacelib.h"

#define CPUS		4
#define FORKS		300
/* When it is counted who uses which memory, which takes longer. */
#define FORKS_SHARED	100
/* These are not counted. */
#define FORKS_FIRST	50
#define ATTEMPTS	7

enum where { OUTSIDE, PIDNS, OWN_SPACE, ONE_SPACE };

struct storm {
	const char *variant;
	enum where where;
	int cpus;
	/* How often each of them forks. */
	int forks;
};

static int spaces[CPUS];
static pid_t workers[CPUS];
static int ready[2], go[2], done[2];

/* An emulated CPU that says so lets the others go on. */
static inline void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	asm volatile("yield");
#endif
}

static void say(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

static int hear(int fd, int count)
{
	char byte;

	while (count--)
		if (read(fd, &byte, 1) != 1)
			return -EIO;
	return 0;
}

static void fork_often(int count)
{
	while (count--) {
		vfork_once();
		relax();
	}
}

static void work(int cpu, int forks) __attribute__((noreturn));
static void work(int cpu, int forks)
{
	cpu_set_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(1);
	fork_often(FORKS_FIRST);
	say(ready[1]);
	if (hear(go[0], 1))
		_exit(1);
	fork_often(forks);
	say(done[1]);
	for (;;)
		pause();
}

/* In spaces[@cpu], if there is one. */
static int start_worker(const struct storm *storm, int cpu)
{
	int flags = storm->where == PIDNS ? CLONE_NEWPID : 0;
	int space = storm->where == ONE_SPACE ? spaces[0] : spaces[cpu];
	bool marks = storm->where == OWN_SPACE || storm->where == ONE_SPACE;
	int err = marks ? sp_mark(space) : 0;

	if (err)
		return err;
	workers[cpu] = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (workers[cpu] == 0)
		work(cpu, storm->forks);
	if (marks)
		sp_clear(space);
	return workers[cpu] < 0 ? -errno : 0;
}

static int start(const struct storm *storm)
{
	int err = set_last_pid(SEAT);

	if (pipe(ready) || pipe(go) || pipe(done))
		return -errno;
	for (int cpu = 0; cpu < storm->cpus && !err; cpu++)
		err = start_worker(storm, cpu);
	if (!err)
		err = hear(ready[0], storm->cpus);
	rest();
	return err;
}

static int release_and_wait(const struct storm *storm)
{
	for (int cpu = 0; cpu < storm->cpus; cpu++)
		say(go[1]);
	return hear(done[0], storm->cpus);
}

static void end(const struct storm *storm)
{
	for (int cpu = 0; cpu < storm->cpus; cpu++)
		sp_kill_reap(workers[cpu]);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
		close(done[i]);
	}
	rest();
}

/* The instructions of all CPUs, for each fork. */
static double attempt(const struct storm *storm)
{
	unsigned long long begin, taken;
	int err = start(storm);

	if (err)
		return err;
	begin = instructions();
	err = release_and_wait(storm);
	taken = instructions() - begin;
	end(storm);
	return err ? err : (double)taken / (storm->cpus * storm->forks);
}

static void measure_storm(const char *variant, enum where where)
{
	for (int cpus = 1; cpus <= CPUS; cpus *= 2) {
		const struct storm storm = { variant, where, cpus, FORKS };
		double taken[ATTEMPTS];

		for (int i = 0; i < ATTEMPTS; i++) {
			taken[i] = attempt(&storm);
			if (taken[i] < 0) {
				tell_failure("storm", variant, taken[i]);
				return;
			}
		}
		tell_value("storm", variant, cpus, median(taken, ATTEMPTS), "instructions");
	}
}

static int create_spaces(void)
{
	for (int cpu = 0; cpu < CPUS; cpu++) {
		spaces[cpu] = sp_create(NULL, 0, NULL);
		if (spaces[cpu] < 0)
			return spaces[cpu];
	}
	return 0;
}

static int end_spaces(void)
{
	int err = 0;

	for (int cpu = 0; cpu < CPUS; cpu++)
		err = sp_end(spaces[cpu]) ?: err;
	return err;
}

static int load_and_create(void)
{
	int err = load_module(getenv("PIDSPACE_KO") ?: "/lib/pidspace.ko");

	rest();
	return err ?: create_spaces();
}

int measure_storms(void)
{
	int err;

	measure_storm("bare", OUTSIDE);
	measure_storm("pidns1", PIDNS);
	err = load_and_create();
	if (!err) {
		measure_storm("loaded", OUTSIDE);
		measure_storm("track", OWN_SPACE);
		measure_storm("one_space", ONE_SPACE);
		err = end_spaces();
	}
	if (err)
		tell_failure("storm", "track", err);
	return has_failed() ? 1 : 0;
}

static int share(const char *variant, enum where where)
{
	const struct storm storm = { variant, where, CPUS, FORKS_SHARED };
	int err = start(&storm);

	if (err)
		return err;
	profile_begin();
	err = release_and_wait(&storm);
	profile_end();
	tell_window("sharing", variant, CPUS * FORKS_SHARED);
	end(&storm);
	return err;
}

static int share_all(void)
{
	int err = share("bare", OUTSIDE);

	if (!err)
		err = share("pidns1", PIDNS);
	if (!err)
		err = load_and_create();
	if (!err)
		err = share("loaded", OUTSIDE);
	if (!err)
		err = share("track", OWN_SPACE);
	return err ?: share("one_space", ONE_SPACE);
}

int profile_sharing(void)
{
	int err;

	tell_release();
	err = share_all() ?: tell_symbols();
	if (err)
		tell_failure("sharing", "all", err);
	return err ? 1 : 0;
}
