// SPDX-License-Identifier: GPL-2.0
/* Slab and vmalloc counters. */
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memlib.h"
#include "spacelib.h"

/* When the figure has not changed by more for so long, nothing is under way. */
#define SETTLED_BYTES	8192
#define SETTLED_MS	300

static bool is_counted(const char *cache)
{
	return !strncmp(cache, "kmalloc-", strlen("kmalloc-")) ||
	       !strcmp(cache, "radix_tree_node") || !strncmp(cache, "pidspace", strlen("pidspace"));
}

/* Gives back what CPUs keep ready of a cache, which counts as in use. */
static void give_back(const char *cache)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		perror(path);
	close(fd);
}

static long long slab_in_use(bool shrink_first)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	unsigned long active, total, size;
	char line[512], cache[64];
	long long sum = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lu %lu %lu", cache, &active, &total, &size) != 4 ||
		    !is_counted(cache))
			continue;
		if (shrink_first)
			give_back(cache);
		sum += (long long)active * size;
	}
	fclose(file);
	return sum;
}

/*
 * Stacks of tasks, what was freed and only waits to be unmapped, and the chunks that
 * all per-CPU memory comes from: the kernel adds one of several MiB when it likes.
 */
static bool is_other_area(const char *line)
{
	return strstr(line, "kernel_clone") || strstr(line, "unpurged") || strstr(line, " pcpu_");
}

static long long vmalloc_in_use(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	unsigned long size;
	long long sum = 0;
	char line[512];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %lu", &size) == 1 && !is_other_area(line))
			sum += size;
	fclose(file);
	return sum;
}

static long long measure(bool shrink_first)
{
	long long slab = slab_in_use(shrink_first);
	long long area = vmalloc_in_use();

	if (slab < 0 || area < 0)
		return slab < 0 ? slab : area;
	return slab + area;
}

/* Lets some time pass, and an RCU grace period: what waits for one is about to be freed. */
static void settle(void)
{
	usleep(SETTLED_MS * 1000);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

long long mem_in_use(void)
{
	long long deadline = sp_now_ms() + SP_PATIENCE_MS;
	long long before, now = measure(true);

	do {
		before = now;
		settle();
		now = measure(false);
	} while (now >= 0 && llabs(now - before) > SETTLED_BYTES && sp_now_ms() < deadline);
	measure(true);
	return measure(false);
}

static long long active_objects(const char *cache)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	long long active, found = -ENOENT;
	char line[512], name[64];

	if (!file)
		return -errno;
	give_back(cache);
	while (found < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %lld", name, &active) == 2 && !strcmp(name, cache))
			found = active;
	fclose(file);
	return found;
}

long long mem_objects(const char *cache)
{
	long long deadline = sp_now_ms() + SP_PATIENCE_MS;
	long long before, now = active_objects(cache);

	do {
		before = now;
		settle();
		now = active_objects(cache);
	} while (now >= 0 && now < before && sp_now_ms() < deadline);
	return now;
}
