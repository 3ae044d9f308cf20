// SPDX-License-Identifier: GPL-2.0
/* The settings of the kernel's faults, and walks over all those of an operation. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faultlib.h"

#define SETTINGS	"/sys/kernel/debug/"
#define MODULE		"pidspace"

/* More than any operation has places where it can fail. */
#define MANY		2000

/* What the kernel can let fail, each in a directory of its own. */
static const struct {
	const char *name;
	enum fault_kind kind;
} injectors[] = {
	{ "failslab", FAULT_MEMORY },
	{ "fail_page_alloc", FAULT_MEMORY },
	{ "fail_usercopy", FAULT_COPY },
};

#define INJECTORS	(sizeof(injectors) / sizeof(injectors[0]))

struct range {
	unsigned long long start, end;
};

/* Of the thread that lets its allocations fail. */
static int fail_nth = -1;

/* What an agent is to do. */
static const struct fault_operation *chosen;

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -errno;
	close(fd);
	return err;
}

static int set(const char *injector, const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), SETTINGS "%s/%s", injector, name);
	return put(path, value);
}

static int set_range(const char *injector, const char *which, struct range range)
{
	char name[32], text[32];
	int err;

	snprintf(name, sizeof(name), "%s-start", which);
	snprintf(text, sizeof(text), "0x%llx", range.start);
	err = set(injector, name, text);
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s-end", which);
	snprintf(text, sizeof(text), "0x%llx", range.end);
	return set(injector, name, text);
}

static int set_probability(const char *percent)
{
	int err = 0;

	for (size_t i = 0; i < INJECTORS && !err; i++)
		err = set(injectors[i].name, "probability", percent);
	return err;
}

/* The code of the module, and a bit more, which nothing else is near to. */
static int find_module(struct range *range)
{
	unsigned long long size, address;
	FILE *file = fopen("/proc/modules", "re");
	char line[512];

	if (!file)
		return -errno;
	while (!range->end && fgets(line, sizeof(line), file))
		if (sscanf(line, MODULE " %llu %*s %*s %*s %llx", &size, &address) == 2)
			*range = (struct range) { address, address + size };
	fclose(file);
	return range->end ? 0 : -ENOENT;
}

/*
 * The code from one function of the kernel to the end of another, or of the same:
 * its symbols are in order.
 */
static int find_functions(const char *first, const char *last, struct range *range)
{
	unsigned long long address;
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[256];
	bool found = false;

	if (!file)
		return -errno;
	while (!range->end && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %*c %255s", &address, name) != 2)
			continue;
		if (found && address > range->start)
			range->end = address;
		if (!strcmp(name, first))
			range->start = address;
		found |= range->start && !strcmp(name, last);
	}
	fclose(file);
	return range->end ? 0 : -ENOENT;
}

/*
 * Kmemleak's notes on an allocation are none of the module's, and expendable.  The
 * kernel's symbols take long to read, and do not move.
 */
static int find_kmemleak(struct range *range)
{
	static struct range found;
	int err = found.end ? 0 : find_functions("kmemleak_alloc", "kmemleak_vmalloc", &found);

	*range = found;
	return err;
}

static int set_up(const char *injector, struct range below, struct range but)
{
	static const char *const settings[][2] = {
		{ "probability", "0" }, { "interval", "1" }, { "times", "-1" },
		{ "space", "0" }, { "verbose", "0" }, { "task-filter", "Y" },
		/* As far as the kernel looks up the stack. */
		{ "stacktrace-depth", "32" },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !err; i++)
		err = set(injector, settings[i][0], settings[i][1]);
	if (!err)
		err = set_range(injector, "reject", but);
	return err ? err : set_range(injector, "require", below);
}

/* All allocations count, and not only those that may not wait, or of many pages. */
static int leave_none_out(void)
{
	static const char *const settings[][3] = {
		{ "failslab", "ignore-gfp-wait", "N" },
		{ "failslab", "cache-filter", "N" },
		{ "fail_page_alloc", "ignore-gfp-wait", "N" },
		{ "fail_page_alloc", "ignore-gfp-highmem", "N" },
		{ "fail_page_alloc", "min-order", "0" },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !err; i++)
		err = set(settings[i][0], settings[i][1], settings[i][2]);
	return err;
}

int fault_init(enum fault_kind kind, const char *function)
{
	/* Where there is no code. */
	const struct range nowhere = { 1, 1 };
	struct range below = { }, kmemleak = { };
	int err;

	if (access("/proc/thread-self/fail-nth", F_OK))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < INJECTORS; i++)
		if (set(injectors[i].name, "stacktrace-depth", "0"))
			return -EOPNOTSUPP;
	err = find_kmemleak(&kmemleak);
	if (!err)
		err = function ? find_functions(function, function, &below) : find_module(&below);
	if (!err)
		err = leave_none_out();
	for (size_t i = 0; i < INJECTORS && !err; i++)
		err = set_up(injectors[i].name, injectors[i].kind == kind ? below : nowhere,
			     kmemleak);
	return err;
}

int fault_begin(unsigned int nth, bool onwards)
{
	char text[16];
	int err = 0;

	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		return -errno;
	/* What comes after the one is left to chance, and that is certain. */
	if (onwards) {
		err = set_probability("100");
		if (!err)
			err = put("/proc/thread-self/make-it-fail", "1");
	}
	snprintf(text, sizeof(text), "%u", nth);
	if (!err && write(fail_nth, text, strlen(text)) < 0)
		err = -errno;
	return err;
}

bool fault_stop(void)
{
	char text[16] = "";
	bool failed = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	if (write(fail_nth, "0", 1) != 1)
		perror("fail-nth");
	close(fail_nth);
	put("/proc/thread-self/make-it-fail", "0");
	set_probability("0");
	return failed;
}

long fault_at_random(long percent)
{
	char text[16];
	int err;

	snprintf(text, sizeof(text), "%ld", percent);
	err = put("/proc/thread-self/make-it-fail", percent ? "1" : "0");
	return err ? err : set_probability(text);
}

/* Whether something failed is the lowest bit of the answer. */
static long attempt(const struct fault_operation *operation, unsigned int nth, bool onwards)
{
	int err = fault_begin(nth, onwards);
	long result;

	if (err)
		return -ECANCELED * 2L;
	result = operation->act();
	return result * 2 + fault_stop();
}

/* For agents. */
static long choose(long operation)
{
	chosen = (const struct fault_operation *)operation;
	return 0;
}

static long attempt_chosen(long how)
{
	return attempt(chosen, how >> 1, how & 1);
}

static long attempt_by(struct fault_walk *walk)
{
	if (!walk->by)
		return attempt(walk->operation, walk->nth, walk->onwards);
	agent_call(walk->by, choose, (long)walk->operation);
	return agent_call(walk->by, attempt_chosen, (long)walk->nth << 1 | walk->onwards);
}

static int run(struct fault_walk *walk, bool *failed)
{
	const struct fault_operation *operation = walk->operation;
	long answer;
	int err;

	walk->step = "preparation";
	err = operation->prepare ? operation->prepare() : 0;
	if (err < 0)
		return err;
	walk->step = "operation";
	answer = attempt_by(walk);
	*failed = answer & 1;
	walk->result = answer >> 1;
	if (walk->result < 0 && (!*failed || (walk->result != walk->error &&
					      walk->result != operation->refusal)))
		return walk->result;
	walk->step = "what it left behind";
	err = operation->undo ? operation->undo(walk->result) : 0;
	if (err < 0)
		return err;
	walk->step = "what is to hold";
	return walk->check();
}

static unsigned int next(const struct fault_walk *walk)
{
	return walk->stride && walk->nth >= walk->dense ? walk->stride : 1;
}

int fault_walk(struct fault_walk *walk)
{
	unsigned int tried = 0;
	bool failed = true;
	int err = 0;

	for (walk->nth = 1; walk->nth < MANY; walk->nth += next(walk)) {
		err = run(walk, &failed);
		if (err || !failed)
			break;
		tried++;
	}
	if (err)
		snprintf(walk->report, sizeof(walk->report), "fault %u, result %ld: %s: %s",
			 walk->nth, walk->result, walk->step, strerror(-err));
	else
		snprintf(walk->report, sizeof(walk->report), "%u faults, up to number %u", tried,
			 walk->nth - 1);
	return err ? err : (int)tried;
}
