// SPDX-License-Identifier: GPL-2.0
/* The life of a space, at random. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eventlib.h"
#include "life.h"
#include "spacelib.h"

#define EVENTS		64
#define MOST_MEMBERS	8
#define MOST_STEPS	6
#define FORKS		50
#define COUNT(array)	((int)(sizeof(array) / sizeof((array)[0])))

struct life {
	int space;
	__u64 id;
};

const char *step;

static unsigned int seed;

void life_seed(unsigned int value)
{
	seed = value;
}

static int one_in(int count)
{
	return rand_r(&seed) % count == 0;
}

static int up_to(int most)
{
	return 1 + rand_r(&seed) % most;
}

static int begin(struct life *life, unsigned int mode)
{
	struct pidspace_create arg = {
		.mode = mode,
		.events = one_in(2) ? EVENTS : 0,
		.policies = one_in(2) ? PIDSPACE_POLICY_NO_REUSE : 0,
	};

	step = "create";
	if (one_in(2))
		strcpy((char *)arg.name, sp_unique_name());
	life->space = ev_create(&arg);
	life->id = arg.id;
	return life->space < 0 ? life->space : 0;
}

static int fill(struct life *life)
{
	int err = 0;

	step = "spawn";
	for (int i = up_to(MOST_MEMBERS); i > 0 && err >= 0; i--)
		err = sp_spawn(life->space);
	return err;
}

/* Forks for a while, until it is killed or the space takes in nobody any more. */
static void be_busy(void)
{
	for (int i = 0; i < FORKS; i++)
		if (fork() == 0)
			_exit(0);
	sp_child_pause();
}

static int fill_busily(struct life *life)
{
	pid_t child = sp_fork(life->space);

	step = "fork";
	if (child == 0)
		be_busy();
	return child;
}

/*
 * Adopts a process and what it has just forked, or not yet.  A number that one of
 * them keeps may have been given to a member already.
 */
static int adopt(struct life *life)
{
	pid_t root = fork();
	int err;

	step = "adopt";
	if (root == 0) {
		sp_child_begin();
		be_busy();
	}
	err = root < 0 ? -errno : sp_adopt(life->space, root, PIDSPACE_ADOPT_F_TREE);
	return err == -EEXIST ? kill(root, SIGKILL) : err;
}

static int look(struct life *life)
{
	struct pidspace_member members[64];
	__u64 ids[64];
	int err = sp_members(life->space, members, 64);

	step = "look";
	for (int i = 0; i < err; i++)
		sp_global(life->space, members[i].nr);
	if (err >= 0)
		err = sp_list_ids(life->space, ids, 64);
	return err < 0 ? err : sp_listed(life->id) ? 0 : -ENOENT;
}

static int signal_all(struct life *life)
{
	int err = sp_kill(life->space, -1, one_in(2) ? SIGSTOP : SIGCONT);

	step = "signal";
	return err == -ESRCH ? 0 : err;
}

static int tighten(struct life *life)
{
	step = "tighten";
	return ev_set(life->space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_MODE,
		.mode = PIDSPACE_MODE_SCOPE,
	});
}

static int watch(struct life *life)
{
	int handle = ev_watch(life->id, EVENTS);
	int read;

	step = "watch";
	if (handle < 0)
		return handle;
	read = ev_drain(handle);
	close(handle);
	return read;
}

static int end_at_once(struct life *life)
{
	int err = sp_destroy(life->space, PIDSPACE_DESTROY_F_KILL);

	step = "destroy";
	close(life->space);
	return err;
}

/* The handle that kills is closed, and then the space empties. */
static int end_by_close(struct life *life)
{
	int killer = ev_open_killer(life->id);

	step = "close";
	if (killer < 0)
		return killer;
	close(killer);
	if (!WAIT_FOR(sp_numbers(life->space) == 0))
		return -EBUSY;
	return sp_end(life->space);
}

static int end_patiently(struct life *life)
{
	step = "end";
	return sp_end(life->space);
}

int life_random(void)
{
	static int (*const steps[])(struct life *life) = {
		fill, fill, fill_busily, adopt, adopt, look, signal_all, tighten, watch,
	};
	static int (*const ends[])(struct life *life) = {
		end_at_once, end_by_close, end_patiently,
	};
	struct life life;
	int err = begin(&life, one_in(2) ? PIDSPACE_MODE_TRACK : PIDSPACE_MODE_SCOPE);

	if (err)
		return err;
	for (int i = up_to(MOST_STEPS); i > 0 && err >= 0; i--)
		err = steps[rand_r(&seed) % (COUNT(steps))](&life);
	return err < 0 ? err : ends[rand_r(&seed) % (COUNT(ends))](&life);
}

int life_short(unsigned int mode)
{
	struct life life;
	int err = begin(&life, mode);

	if (!err)
		err = fill(&life);
	return err < 0 ? err : end_at_once(&life);
}
