// SPDX-License-Identifier: GPL-2.0
/*
 * Operations whose instructions are counted from outside, by function.  Each window
 * is told on stdout, and in the end all symbols.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "markers.h"
#include "measure.h"
#include "place.h"
#include "spacelib.h"

#define CALLS	200
#define ROW	20

static void count(const char *row, const char *variant, void (*run)(void))
{
	fprintf(stderr, "bench: profile of %s, %s ...\n", row, variant);
	set_urgent(true);
	for (int i = 0; i < CALLS; i++) {
		if (i % ROW == 0) {
			rest();
			run();
		}
		profile_begin();
		run();
		profile_end();
	}
	set_urgent(false);
	tell_window(row, variant, CALLS);
}

static int space, member;

/* A child that ends closes what is open, so the same is open everywhere. */
static int count_vfork(const char *variant, long unused)
{
	(void)unused;
	if (space)
		close(space);
	count("vfork", variant, vfork_once);
	return 0;
}

static int count_kill(const char *variant, long unused)
{
	(void)unused;
	if (space)
		close(space);
	count("kill_self", variant, kill_self_once);
	return 0;
}

static void look_up(void)
{
	sp_local(space, member);
}

static int count_lookup(void)
{
	space = sp_create(NULL, 0, NULL);
	member = space < 0 ? space : sp_spawn(space);
	if (member < 0)
		return member;
	count("lookup_in_space", "track", look_up);
	return sp_end(space);
}

static int count_member(unsigned int mode, const char *variant, place_fn fn)
{
	int err;

	space = create_in_mode(mode);
	if (space < 0)
		return space;
	err = run_in_space(space, fn, variant, 0);
	return sp_end(space) ?: err;
}

static int count_all(void)
{
	int err = run_outside(count_vfork, "bare", 0);

	if (!err)
		err = run_outside(count_kill, "bare", 0);
	if (!err)
		err = load_module(getenv("PIDSPACE_KO") ?: "/lib/pidspace.ko");
	rest();
	if (!err)
		err = run_outside(count_vfork, "loaded", 0);
	if (!err)
		err = count_member(PIDSPACE_MODE_TRACK, "track", count_vfork);
	if (!err)
		err = count_lookup();
	if (err || !(modes_of_module() >> PIDSPACE_MODE_SCOPE & 1))
		return err;
	err = count_member(PIDSPACE_MODE_SCOPE, "scope", count_kill);
	space = 0;
	return err ?: run_outside(count_kill, "scope_armed", 0);
}

int profile(void)
{
	int err;

	tell_release();
	err = count_all() ?: tell_symbols();
	if (err)
		tell_failure("profile", "all", err);
	return err ? 1 : 0;
}
