// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark: what pidspace costs, beside what Linux has, in one run of a guest
 * in which the clock counts instructions.  The module must not be loaded.
 *
 *   bench [--quick] [PART]...
 *   bench --storm
 *   bench --profile
 *   bench --sharing
 *
 * Each figure is a line of JSON on stdout; the last two tell windows and symbols.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "place.h"
#include "spacelib.h"

/* Processes whose numbers are near to those of whoever measures. */
#define NEIGHBOURS	24
#define NEIGHBOURHOOD	500

/*
 * A fresh program, so that its memory is the same whatever was measured before:
 * what a fork costs depends on how many pages there are to share.
 */
static int become(const char *what, const char *name)
{
	execl("/proc/self/exe", "bench", is_quick() ? "--quick" : "--full", what, name, NULL);
	return -errno;
}

static int be_process(const char *variant, long unused)
{
	(void)unused;
	return become("--process", variant);
}

static void check(const char *variant, int err)
{
	if (err)
		tell_failure("process", variant, err);
}

/* In no space, beside neighbours that are in @space unless there is none. */
static int measure_beside_neighbours(int space, const char *variant)
{
	pid_t pids[NEIGHBOURS];
	int err = 0, count = 0;

	while (count < NEIGHBOURS && !err) {
		pid_t pid = set_last_pid(SEAT - 1 + count * NEIGHBOURHOOD);

		if (!pid)
			pid = space < 0 ? sp_fork_paused() : sp_spawn(space);
		if (pid < 0)
			err = pid;
		else
			pids[count++] = pid;
	}
	if (!err)
		err = run_outside(be_process, variant, 0);
	while (count--)
		err = sp_kill_reap(pids[count]) ?: err;
	return err;
}

static void process_peers(void)
{
	check("bare", run_outside(be_process, "bare", 0));
	check("neighbours", measure_beside_neighbours(-1, "neighbours"));
	check("pidns1", run_in_pidns(1, be_process, "pidns1", 0));
	check("pidns2", run_in_pidns(2, be_process, "pidns2", 0));
	check("cgroup", run_in_cgroup(be_process, "cgroup", 0));
}

/* In no space, where there are members all over. */
static int measure_outsider(const char *variant)
{
	int err, space = sp_create(NULL, 0, NULL);

	if (space < 0)
		return space;
	err = measure_beside_neighbours(space, variant);
	return sp_end(space) ?: err;
}

static int measure_member(unsigned int mode, const char *variant)
{
	int err, space = create_in_mode(mode);

	if (space < 0)
		return space;
	err = run_in_space(space, be_process, variant, 0);
	return sp_end(space) ?: err;
}

static void process_track(void)
{
	check("loaded", run_outside(be_process, "loaded", 0));
	check("outsider", measure_outsider("outsider"));
	check("track", measure_member(PIDSPACE_MODE_TRACK, "track"));
}

/* The hooks of this mode stay in force once there was such a space. */
static void process_scope(void)
{
	check("scope", measure_member(PIDSPACE_MODE_SCOPE, "scope"));
	check("scope_armed", run_outside(be_process, "scope_armed", 0));
	check("scope_outsider", measure_outsider("scope_outsider"));
}

/* How far off all of this is: the same as in the beginning, in the end. */
static void process_again(void)
{
	check("bare_again", run_outside(be_process, "bare_again", 0));
}

struct step {
	const char *part;
	const char *name;
	void (*run)(void);
};

/* Before the module is loaded, while it is, and after it was. */
static const struct step before[] = {
	{ "process", "process_peers", process_peers },
	{ "device", "device_peers", measure_peers },
	{ "device", "first_child_peers", measure_first_child_peers },
	{ "adoption", "adoption_peers", measure_adoption_peers },
	{ "ending", "ending_peers", measure_ending_peers },
	{ "scale", "scale_peers", measure_scale_peers },
	{ "range", "range", measure_range },
	{}
};

static const struct step meanwhile[] = {
	{ "process", "process_track", process_track },
	{ "device", "device", measure_device },
	{ "device", "first_child", measure_first_child },
	{ "adoption", "adoption", measure_adoption },
	{ "ending", "ending", measure_ending },
	{ "scale", "scale", measure_scale },
	{ "memory", "memory", measure_memory },
	{}
};

static const struct step confining[] = {
	{ "process", "process_scope", process_scope },
	{}
};

static const struct step after[] = {
	{ "process", "process_again", process_again },
	{}
};

static const struct step *const phases[] = { before, meanwhile, confining, after };

/* The parts that are wanted, all where none is named. */
static char **parts;

static bool is_wanted(const char *part)
{
	if (!*parts)
		return true;
	for (char **name = parts; *name; name++)
		if (!strcmp(*name, part))
			return true;
	return false;
}

static int be_step(const char *name, long unused)
{
	(void)unused;
	return become("--step", name);
}

static void take(const struct step *steps)
{
	for (; steps->part; steps++) {
		int err;

		if (!is_wanted(steps->part))
			continue;
		fprintf(stderr, "bench: %s ...\n", steps->name);
		err = run_outside(be_step, steps->name, 0);
		if (err)
			tell_failure(steps->part, steps->name, err);
	}
}

static int run_step(const char *name)
{
	for (unsigned int i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		for (const struct step *step = phases[i]; step->part; step++)
			if (!strcmp(step->name, name)) {
				step->run();
				return has_failed() ? 1 : 0;
			}
	return 1;
}

static int measure_module(void)
{
	int err = load_module(getenv("PIDSPACE_KO") ?: "/lib/pidspace.ko");
	unsigned int modes;

	if (err)
		return err;
	rest();
	modes = modes_of_module();
	tell_modes(modes);
	take(meanwhile);
	if (modes >> PIDSPACE_MODE_SCOPE & 1)
		take(confining);
	return unload_module("pidspace");
}

static int measure_all(void)
{
	struct utsname name;
	int err;

	uname(&name);
	printf("{\"release\": \"%s\", \"machine\": \"%s\"}\n", name.release, name.machine);
	take(before);
	err = measure_module();
	if (err)
		tell_failure("module", "loaded", err);
	take(after);
	return has_failed() ? 1 : 0;
}

/* Where memory lies must not depend on chance: it decides how often a page faults. */
static void derandomize(char **argv)
{
	if (personality(0xffffffff) & ADDR_NO_RANDOMIZE)
		return;
	personality(ADDR_NO_RANDOMIZE);
	execv("/proc/self/exe", argv);
	perror("/proc/self/exe");
	exit(1);
}

/* What a run that is under way becomes. */
static int run_part_of(char **argv)
{
	if (sp_init())
		return 1;
	if (!strcmp(argv[0], "--step"))
		return run_step(argv[1]);
	return measure_process(argv[1]) ? 1 : 0;
}

/* Whether the guest's own clock has to count instructions. */
static bool is_counted(const char *option)
{
	return !option || strcmp(option, "--sharing");
}

/* What is not done by parts. */
static int run_kind(const char *option)
{
	static const struct {
		const char *option;
		int (*run)(void);
	} kinds[] = {
		{ "--storm", measure_storms },
		{ "--profile", profile },
		{ "--sharing", profile_sharing },
	};

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(option, kinds[i].option))
			return kinds[i].run();
	fprintf(stderr, "bench: unknown option %s\n", option);
	return 1;
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];
	bool quick = argc > 1 && !strcmp(argv[1], "--quick");
	int state;

	derandomize(argv);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (quick)
		measure_quickly();
	if (measure_init())
		return 1;
	if (argc == 4 && (!strcmp(argv[2], "--step") || !strcmp(argv[2], "--process"))) {
		state = run_part_of(argv + 2);
		return fflush(stdout) ? 1 : state;
	}
	parts = argv + 1 + quick;
	if (sp_init() || (is_counted(*parts) && settle()))
		return 1;
	state = *parts && **parts == '-' ? run_kind(*parts) : measure_all();
	return fflush(stdout) ? 1 : state;
}
