// SPDX-License-Identifier: GPL-2.0
/* What directories of process numbers show. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proclib.h"

#define BUFFER_SIZE	4096

/* More steps than this are no end. */
#define MAX_STEPS	100000

const char *proc_root = "/proc";

struct entry {
	unsigned long long ino;
	long long off;
	unsigned short size;
	unsigned char type;
	char name[];
};

/* One step: how many bytes there were, or a negative errno. */
static int read_step(int dir, int size, int nr, struct listing *listing)
{
	char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
	int got = syscall(SYS_getdents64, dir, buffer, size);

	if (got < 0)
		return -errno;
	for (int at = 0; at < got;) {
		const struct entry *entry = (const struct entry *)(buffer + at);
		int number = atoi(entry->name);

		listing->numbers += number > 0;
		listing->found |= number > 0 && number == nr;
		at += entry->size;
	}
	return got;
}

int proc_read_on(int dir, int size, int nr, struct listing *listing)
{
	int got;

	*listing = (struct listing) {};
	do {
		got = read_step(dir, size, nr, listing);
		if (++listing->steps > MAX_STEPS)
			return -ELOOP;
	} while (got > 0);
	return got;
}

static int read_listing(const char *below, int nr, struct listing *listing)
{
	char path[64];
	int dir, err;

	snprintf(path, sizeof(path), "%s%s", proc_root, below);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	err = proc_read_on(dir, BUFFER_SIZE, nr, listing);
	close(dir);
	return err;
}

long proc_count(long unused)
{
	struct listing listing;
	int err = read_listing("", 0, &listing);

	(void)unused;
	return err ? err : listing.numbers;
}

long proc_lists(long nr)
{
	struct listing listing;
	int err = read_listing("", nr, &listing);

	return err ? err : listing.found;
}

long proc_count_threads(long nr)
{
	struct listing listing;
	char below[32];
	int err;

	snprintf(below, sizeof(below), "/%ld/task", nr);
	err = read_listing(below, 0, &listing);
	return err ? err : listing.numbers;
}

/* Whether the file status in a directory is that of @nr. */
static long shows(const char *directory, long nr)
{
	char path[96], line[64];
	long found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/status", proc_root, directory);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (!found && fgets(line, sizeof(line), file))
		sscanf(line, "Pid: %ld", &found);
	fclose(file);
	return found == nr ? 0 : -EPROTO;
}

long proc_shows(long nr)
{
	char directory[32];

	snprintf(directory, sizeof(directory), "%ld", nr);
	return shows(directory, nr);
}

long proc_shows_as_thread(long nr)
{
	char directory[64];

	snprintf(directory, sizeof(directory), "%ld/task/%ld", nr, nr);
	return shows(directory, nr);
}

long proc_shows_as_own_thread(long nr)
{
	char directory[64];

	snprintf(directory, sizeof(directory), "self/task/%ld", nr);
	return shows(directory, nr);
}

long proc_shows_cached(long nr)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%ld/status", proc_root, nr);
	fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
