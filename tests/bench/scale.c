// SPDX-License-Identifier: GPL-2.0
/* What grows with the number of members, and with that of spaces. */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "eventlib.h"
#include "measure.h"
#include "place.h"
#include "spacelib.h"

#define MOST		10000
/* How many entries are asked for at once. */
#define ENTRIES		64

static const long sizes[] = { 1, 10, 100, 1000, MOST };

static pid_t pids[MOST];
static int space;
static pid_t last;
static int last_local;
static int last_space;

/* The sizes that are measured; a quick run leaves out every other one. */
static long size_at(unsigned int *at)
{
	unsigned int step = is_quick() ? 2 : 1;
	long size = *at < sizeof(sizes) / sizeof(sizes[0]) ? sizes[*at] : 0;

	*at += step;
	return size;
}

static int start(int from, int count)
{
	for (int i = from; i < count; i++) {
		pids[i] = ev_light();
		if (pids[i] < 0)
			return pids[i];
	}
	return 0;
}

static int end(int count)
{
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < count; i++)
		if (waitpid(pids[i], NULL, 0) < 0)
			return -errno;
	rest();
	return 0;
}

static void run_lookup(void)
{
	sp_local(space, last);
}

static void run_from_space(void)
{
	sp_global(space, last_local);
}

static void run_kill(void)
{
	sp_kill(space, last_local, 0);
}

/* Checks the rights on each member, as signal 0 does. */
static void run_kill_space(void)
{
	struct pidspace_kill answer;

	sp_kill_counted(space, 0, 0, PIDSPACE_KILL_F_SPACE, &answer);
}

static void run_members(void)
{
	struct pidspace_member members[ENTRIES];
	struct pidspace_members arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)members,
		.entry_size = sizeof(members[0]),
	};

	do {
		arg.count = ENTRIES;
		if (sp_ioctl(space, PIDSPACE_IOC_MEMBERS, &arg))
			_exit(1);
	} while (arg.count);
}

static void run_list(void)
{
	struct pidspace_info infos[ENTRIES];
	struct pidspace_list arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)infos,
		.entry_size = sizeof(infos[0]),
	};

	do {
		arg.count = ENTRIES;
		if (sp_ioctl(space, PIDSPACE_IOC_LIST, &arg))
			_exit(1);
	} while (arg.count);
}

static void run_readdir(void)
{
	char entries[32768];
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (syscall(SYS_getdents64, fd, entries, sizeof(entries)) > 0)
		;
	close(fd);
}

static void run_create(void)
{
	close(sp_create(NULL, 0, NULL));
}

static void run_open(void)
{
	struct pidspace_open arg = { .size = sizeof(arg) };
	int fd = sp_device();

	snprintf((char *)arg.name, sizeof(arg.name), "scale-%d", last_space);
	sp_ioctl(fd, PIDSPACE_IOC_OPEN, &arg);
	close(fd);
}

static void measure_members(long n)
{
	const struct op ops[] = {
		{ .row = "lookup_in_space", .run = run_lookup, .calls = 100 },
		{ .row = "lookup_from_space", .run = run_from_space, .calls = 100 },
		{ .row = "kill_member", .run = run_kill, .calls = 50 },
		{ .row = "kill_space", .run = run_kill_space, .calls = 1, .per = n },
		{ .row = "list_members", .run = run_members, .calls = 1, .per = n },
	};

	last = pids[n - 1];
	last_local = sp_local(space, last);
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		measure_and_tell(&ops[i], "track", n);
}

static void scale_members(void)
{
	unsigned int at = 0;
	int err = 0, count = 0;

	space = sp_create(NULL, 0, NULL);
	if (space < 0)
		err = space;
	for (long n = size_at(&at); n && !err; n = size_at(&at)) {
		err = sp_mark(space);
		if (!err)
			err = start(count, n);
		sp_clear(space);
		count = n;
		if (err)
			break;
		measure_members(n);
		err = run_in_space(space, measure_vfork, "track", n);
	}
	end(count);
	close(space);
	if (err)
		tell_failure("members", "track", err);
}

static int create_to(int from, int count)
{
	char name[PIDSPACE_NAME_SIZE];

	for (int i = from; i < count; i++) {
		int fd;

		snprintf(name, sizeof(name), "scale-%d", i);
		fd = sp_create(name, 0, NULL);
		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

static void destroy_all(int count)
{
	char name[PIDSPACE_NAME_SIZE];

	for (int i = 0; i < count; i++) {
		int fd;

		snprintf(name, sizeof(name), "scale-%d", i);
		fd = sp_open(name, 0);
		sp_destroy(fd, 0);
		close(fd);
	}
}

static int measure_spaces(long n)
{
	const struct op ops[] = {
		{ .row = "create_destroy", .run = run_create, .calls = 1 },
		{ .row = "open_by_name", .run = run_open, .calls = 1 },
		{ .row = "list_spaces", .run = run_list, .calls = 1, .per = n },
	};
	char name[PIDSPACE_NAME_SIZE];
	int fd, err;

	last_space = n - 1;
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		measure_and_tell(&ops[i], "spaces", n);
	snprintf(name, sizeof(name), "scale-%d", last_space);
	fd = sp_open(name, 0);
	err = fd < 0 ? fd : run_in_space(fd, measure_vfork, "spaces", n);
	close(fd);
	return err;
}

static void scale_spaces(void)
{
	unsigned int at = 0;
	int err = 0, count = 0;

	space = sp_device();
	for (long n = size_at(&at); n && !err; n = size_at(&at)) {
		err = create_to(count, n);
		count = n;
		if (!err)
			err = measure_spaces(n);
	}
	destroy_all(count);
	close(space);
	if (err)
		tell_failure("spaces", "spaces", err);
}

void measure_scale(void)
{
	scale_members();
	scale_spaces();
}

/* The processes are children of whoever measures, and have its pid namespace. */
static int among(const char *variant, long n)
{
	int err = start(0, n);

	if (!err)
		err = measure_vfork(variant, n);
	end(n);
	return err;
}

static void measure_readdir(long n)
{
	const struct op op = { .row = "list_members", .run = run_readdir, .calls = 1, .per = n };

	measure_and_tell(&op, "proc", n);
}

void measure_scale_peers(void)
{
	unsigned int at = 0;
	int err = 0, count = 0;

	for (long n = size_at(&at); n && !err; n = size_at(&at)) {
		err = start(count, n);
		count = n;
		if (err)
			break;
		measure_readdir(n);
		err = run_outside(measure_vfork, "bare", n);
	}
	end(count);
	at = 0;
	for (long n = size_at(&at); n && !err && !is_quick(); n = size_at(&at))
		err = run_in_pidns(1, among, "pidns1", n);
	if (err)
		tell_failure("members", "peers", err);
}
