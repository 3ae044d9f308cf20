// SPDX-License-Identifier: GPL-2.0
/* Taking in processes that run, and moving them between cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "eventlib.h"
#include "measure.h"
#include "place.h"
#include "spacelib.h"

#define TREE		256
#define ATTEMPTS	9

/* The root of a tree of TREE processes, all of which sleep; they go with it. */
static pid_t root;

static void be_root(int ready) __attribute__((noreturn));
static void be_root(int ready)
{
	int err = 0;

	for (int i = 1; i < TREE && !err; i++)
		err = ev_light() < 0;
	if (err || write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int tree_start(void)
{
	int ends[2], err = 0;
	char byte;

	if (pipe(ends))
		return -errno;
	/* Always the same numbers: it may be the first that is adopted of its like. */
	err = set_last_pid(SEAT);
	if (err)
		return err;
	root = fork();
	if (root == 0)
		be_root(ends[1]);
	close(ends[1]);
	if (root < 0 || read(ends[0], &byte, 1) != 1)
		err = -EIO;
	close(ends[0]);
	rest();
	return err;
}

static void tree_end(void)
{
	kill(root, SIGKILL);
	waitpid(root, NULL, 0);
	/* Its children are ours now. */
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	rest();
}

/* Does something to the tree, and tells what that cost: negative where it failed. */
static double attempt(int (*fn)(void))
{
	double taken;
	int err = tree_start();

	if (!err)
		err = idle_begin();
	if (err)
		return err;
	set_urgent(true);
	stopwatch_start();
	err = fn();
	taken = stopwatch_read();
	set_urgent(false);
	idle_end();
	tree_end();
	return err ? err : taken;
}

/* The median of some attempts, for each of @per things. */
static void measure_attempts(const char *row, const char *variant, int (*fn)(void), int per)
{
	double taken[ATTEMPTS];

	for (int i = 0; i < ATTEMPTS; i++) {
		taken[i] = attempt(fn);
		if (taken[i] < 0) {
			tell_failure(row, variant, taken[i]);
			return;
		}
	}
	tell_value(row, variant, -1, median(taken, ATTEMPTS) / per, "instructions");
}

static int space;

static int adopt_tree(void)
{
	return sp_adopt(space, root, PIDSPACE_ADOPT_F_TREE);
}

static int adopt_one(void)
{
	return sp_adopt(space, root, 0);
}

void measure_adoption(void)
{
	space = sp_create(NULL, 0, NULL);
	if (space < 0) {
		tell_failure("adopt", "track", space);
		return;
	}
	measure_attempts("adopt_tree", "track", adopt_tree, TREE);
	measure_attempts("adopt_one", "track", adopt_one, 1);
	close(space);
}

static int move_one(void)
{
	return cgroup_enter(root);
}

/* There is no call for a tree: each process is moved by a write. */
static int move_tree(void)
{
	char path[64], list[TREE * 8] = "", *next, *rest;
	int fd, procs, err = 0;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", root, root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	procs = cgroup_open("cgroup.procs", O_WRONLY);
	if (fd < 0 || procs < 0)
		return -EIO;
	got = read(fd, list, sizeof(list) - 1);
	close(fd);
	if (got <= 0)
		return -EIO;
	list[got] = '\0';
	err = move_one();
	for (next = strtok_r(list, " ", &rest); next && !err; next = strtok_r(NULL, " ", &rest))
		err = write(procs, next, strlen(next)) < 0 ? -errno : 0;
	close(procs);
	return err;
}

void measure_adoption_peers(void)
{
	measure_attempts("adopt_tree", "cgroup", move_tree, TREE);
	measure_attempts("adopt_one", "cgroup", move_one, 1);
}
