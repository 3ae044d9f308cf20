// SPDX-License-Identifier: GPL-2.0
/* What things cost in memory, and that nothing is left behind. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "eventlib.h"
#include "measure.h"
#include "memlib.h"
#include "spacelib.h"

#define MANY		10000
#define CHURN		100000
#define CHURN_QUICK	10000

static int handles[MANY];
static pid_t pids[MANY];

/* Bytes of memory that every CPU has for itself. */
static long long percpu_in_use(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	long long kilobytes = 0;
	char line[128];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Percpu: %lld", &kilobytes) == 1)
			break;
	fclose(file);
	return kilobytes << 10;
}

static long long in_use(void)
{
	return mem_in_use() + percpu_in_use();
}

static void close_all(int count)
{
	for (int i = 0; i < count; i++)
		close(handles[i]);
}

/* What @count things cost that @make makes, each, and are as cheap as they get. */
static double cost(int (*make)(int index), int count, int *made)
{
	long long before = in_use();

	for (*made = 0; *made < count; ++*made) {
		int err = make(*made);

		if (err < 0)
			return err;
	}
	return (double)(in_use() - before) / count;
}

static __u64 one_space;

static int make_space(int index)
{
	handles[index] = sp_create(NULL, 0, NULL);
	return handles[index];
}

static int make_handle(int index)
{
	handles[index] = sp_open(NULL, one_space);
	return handles[index];
}

static int make_unbound(int index)
{
	handles[index] = sp_device();
	return handles[index];
}

static int make_process(int index)
{
	pids[index] = ev_light();
	return pids[index];
}

static void end_processes(int count)
{
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < count; i++)
		waitpid(pids[i], NULL, 0);
}

static double cost_of_handles(int (*make)(int index))
{
	int made;
	double bytes = cost(make, MANY, &made);

	close_all(made);
	return bytes;
}

static double cost_of_processes(int space)
{
	int made;
	double bytes;

	if (space >= 0 && sp_mark(space))
		return -EIO;
	bytes = cost(make_process, MANY, &made);
	if (space >= 0)
		sp_clear(space);
	end_processes(made);
	return bytes;
}

static void tell_bytes(const char *row, const char *variant, long n, double bytes)
{
	tell_value(row, variant, n, bytes, "bytes");
}

/* What many births and ends leave behind, in all. */
static void measure_growth(int space)
{
	int count = is_quick() ? CHURN_QUICK : CHURN;
	long long before;
	int err = ev_churn_in(space, count / 10);

	before = in_use();
	if (!err)
		err = ev_churn_in(space, count);
	if (err)
		tell_failure("growth", "track", err);
	else
		tell_bytes("growth", "track", -1, in_use() - before);
}

/* The handle that makes a space costs what an unbound one does, and is counted out. */
void measure_memory(void)
{
	const struct rlimit limit = { 2 * MANY, 2 * MANY };
	int space = sp_create(NULL, 0, &one_space);
	double unbound, outside;

	if (space < 0 || setrlimit(RLIMIT_NOFILE, &limit)) {
		tell_failure("memory", "track", space < 0 ? space : -errno);
		return;
	}
	unbound = cost_of_handles(make_unbound);
	tell_bytes("handle_unbound", "track", MANY, unbound);
	tell_bytes("handle", "track", MANY, cost_of_handles(make_handle));
	tell_bytes("space", "track", MANY, cost_of_handles(make_space) - unbound);
	outside = cost_of_processes(-1);
	tell_bytes("process", "loaded", MANY, outside);
	tell_bytes("member", "track", MANY, cost_of_processes(space) - outside);
	measure_growth(space);
	close(space);
}
