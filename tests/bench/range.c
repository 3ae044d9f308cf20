// SPDX-License-Identifier: GPL-2.0
/*
 * Handing out numbers of a range of 4194304 that is nearly used up: our map, in
 * user space, and the kernel's IDR, in a module of the benchmark's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "pidmap.h"

#define RANGE		4194304
#define FIRST		300
#define SAMPLES		1000
#define FILLS		4
#define IDR_MODULE	"/bench/idr_fill.ko"

/* Numbers in use, in thousandths of the range. */
static const int fills[FILLS] = { 0, 500, 990, 999 };

int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	return err;
}

int unload_module(const char *name)
{
	return syscall(SYS_delete_module, name, 0) ? -errno : 0;
}

/* Gives numbers back, evenly spread, at random, but the same ones every time. */
static void thin_out(struct pidmap *map, int fill)
{
	unsigned long long state = 1;

	for (int nr = FIRST; nr < RANGE; nr++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		if ((int)((state >> 33) % 1000) >= fill)
			pidmap_free(map, nr);
	}
}

static void measure_map(struct pidmap *map, int fill)
{
	static double taken[SAMPLES], released[SAMPLES];
	static unsigned int numbers[SAMPLES];

	thin_out(map, fill);
	for (int i = 0; i < SAMPLES; i++) {
		unsigned long long begin = instructions();

		numbers[i] = pidmap_alloc(map);
		taken[i] = instructions() - begin;
	}
	for (int i = 0; i < SAMPLES; i++) {
		unsigned long long begin = instructions();

		pidmap_free(map, numbers[i]);
		released[i] = instructions() - begin;
	}
	tell_value("alloc", "pidmap", fill, median(taken, SAMPLES), "instructions");
	tell_value("free", "pidmap", fill, median(released, SAMPLES), "instructions");
}

/* From full to empty, as the module does it. */
static void measure_maps(void)
{
	struct pidmap *map = pidmap_new(RANGE);

	if (!map) {
		tell_failure("alloc", "pidmap", -EINVAL);
		return;
	}
	while (pidmap_alloc(map))
		;
	for (int at = FILLS - 1; at >= 0; at--)
		measure_map(map, fills[at]);
	pidmap_drop(map);
}

static int read_parameter(const char *name, unsigned int figures[FILLS])
{
	char path[64];
	FILE *file;
	int got;

	snprintf(path, sizeof(path), "/sys/module/idr_fill/parameters/%s", name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	got = fscanf(file, "%u,%u,%u,%u", &figures[0], &figures[1], &figures[2], &figures[3]);
	fclose(file);
	return got == FILLS ? 0 : -EIO;
}

static void tell_idr(const char *row)
{
	unsigned int figures[FILLS];
	int err = read_parameter(row, figures);

	if (err)
		tell_failure(row, "idr", err);
	else
		for (int i = 0; i < FILLS; i++)
			tell_value(row, "idr", fills[i], figures[i], "instructions");
}

static void measure_idr(void)
{
	int err = load_module(IDR_MODULE);

	if (err) {
		tell_failure("alloc", "idr", err);
		return;
	}
	tell_idr("alloc");
	tell_idr("free");
	unload_module("idr_fill");
}

void measure_range(void)
{
	measure_maps();
	measure_idr();
}
