// SPDX-License-Identifier: GPL-2.0
/* Trees of processes and threads that are born and end at random. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spacelib.h"
#include "tree.h"

#define STACK_SIZE	8192
#define NAP_NS		2000000

/* No tree lives longer, whatever becomes of its test. */
#define LIFETIME_MS	(60000 * TIME_SCALE)

/* A place whose task is being born. */
#define TAKEN		(-1)

/* Where a task is, and what it is, in the one argument it gets. */
#define ROOT_PLACE	0
#define PLACE(arg)	((arg) % TREE_ROOM)
#define DAEMON		TREE_ROOM

#define PROCESS	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND)
#define THREAD	(PROCESS | CLONE_THREAD | CLONE_SYSVSEM)

struct tree {
	long target;
	long long deadline;
	atomic_int alive;
	atomic_int frozen;
	atomic_bool freeze;
	/* The kernel fills a place at birth and clears it at death. */
	atomic_int tids[TREE_ROOM];
};

static struct tree *tree;

/* The host's; each place has its own. */
static char stacks[TREE_ROOM][STACK_SIZE] __attribute__((aligned(16)));

int tree_init(void)
{
	tree = mmap(NULL, sizeof(*tree), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return tree == MAP_FAILED ? -errno : 0;
}

int tree_alive(void)
{
	return tree->alive;
}

void tree_tids(pid_t tids[TREE_ROOM])
{
	for (int i = 0; i < TREE_ROOM; i++) {
		pid_t tid = tree->tids[i];

		tids[i] = tid == TAKEN ? 0 : tid;
	}
}

int tree_freeze(void)
{
	tree->freeze = true;
	return WAIT_FOR(tree->frozen == tree->alive) ? 0 : -ETIMEDOUT;
}

/* Tasks of the tree have no thread storage of their own, so no more than this. */
static void nap(unsigned int ns)
{
	const struct timespec time = { .tv_nsec = ns };

	syscall(SYS_nanosleep, &time, NULL);
}

static int take_place(unsigned int start)
{
	for (unsigned int i = 0; i < TREE_ROOM; i++) {
		unsigned int place = (start + i) % TREE_ROOM;
		pid_t none = 0;

		if (place != ROOT_PLACE &&
		    atomic_compare_exchange_strong(&tree->tids[place], &none, TAKEN))
			return place;
	}
	return -EAGAIN;
}

static int live(void *arg);

/* Has a child, or a thread: 0, or -EAGAIN where there is to be none now. */
static int bear(int flags, long kind, unsigned int random)
{
	pid_t *tid;
	int place = -EAGAIN;

	if (atomic_fetch_add(&tree->alive, 1) < tree->target || tree->target == TREE_BOMB)
		place = take_place(random);
	if (place < 0) {
		tree->alive--;
		return -EAGAIN;
	}
	tid = (pid_t *)&tree->tids[place];
	if (clone(live, stacks[place] + STACK_SIZE,
		  flags | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		  (void *)(place | kind), tid, NULL, tid) > 0)
		return 0;
	tree->tids[place] = 0;
	tree->alive--;
	return -EAGAIN;
}

/* One in eight reports its end to nobody, and stays until its parent ends. */
static int bear_process(long kind, unsigned int random)
{
	return bear(PROCESS | (random / 8 % 8 ? SIGCHLD : 0), kind, random);
}

/* Whether this one is to end; the root never is, and a bomb has no end. */
static bool may_end(int place)
{
	return place != ROOT_PLACE && tree->target != TREE_BOMB &&
	       tree->alive > tree->target * 3 / 4;
}

static void stay_frozen(void)
{
	tree->frozen++;
	while (sp_now_ms() < tree->deadline)
		nap(100 * NAP_NS);
}

static void act_at_random(int place)
{
	unsigned int seed = place * 7919 + sp_now_ms();

	while (sp_now_ms() < tree->deadline) {
		unsigned int random = rand_r(&seed);
		int err = 0;

		if (tree->freeze)
			return stay_frozen();
		switch (random % 8) {
		case 0:
			if (may_end(place))
				return;
			nap(random % NAP_NS);
			break;
		case 1:
			nap(random % NAP_NS);
			break;
		case 2:
			err = bear(THREAD, 0, random);
			break;
		case 3:
		case 4:
			err = bear_process(DAEMON, random);
			break;
		default:
			err = bear_process(0, random);
		}
		if (err)
			nap(random % NAP_NS);
	}
}

/* What every task of the tree runs; it ends when this returns. */
static int live(void *arg)
{
	long self = (long)arg;
	unsigned int random = PLACE(self) * 7919 + sp_now_ms();

	/* The daemon itself is this one's child. */
	if (self & DAEMON) {
		setsid();
		bear_process(0, random);
	} else {
		act_at_random(PLACE(self));
	}
	tree->alive--;
	return 0;
}

static int live_as_root(void *arg)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return live(arg);
}

long tree_plant(long target)
{
	pid_t *tid = (pid_t *)&tree->tids[ROOT_PLACE];
	pid_t pid;

	/* Who was killed while it bore a child has left the place taken. */
	for (int i = 0; i < TREE_ROOM; i++)
		tree->tids[i] = 0;
	/* The dead are reaped by the kernel. */
	signal(SIGCHLD, SIG_IGN);
	tree->target = target;
	tree->deadline = sp_now_ms() + LIFETIME_MS;
	tree->alive = 1;
	tree->frozen = 0;
	tree->freeze = false;
	pid = clone(live_as_root, stacks[ROOT_PLACE] + STACK_SIZE,
		    PROCESS | SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		    (void *)ROOT_PLACE, tid, NULL, tid);
	return pid < 0 ? -errno : pid;
}

long tree_plant_bomb_in(long space)
{
	long pid = sp_mark(space);

	if (pid)
		return pid;
	pid = tree_plant(TREE_BOMB);
	sp_clear(space);
	return pid;
}

long tree_barren(long unused)
{
	(void)unused;
	return WAIT_FOR(waitpid(-1, NULL, WNOHANG | __WALL) < 0) ? 0 : -EBUSY;
}
