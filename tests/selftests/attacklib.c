// SPDX-License-Identifier: GPL-2.0
/* Attackers: processes that signal others as fast as they can. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacklib.h"
#include "scopelib.h"
#include "spacelib.h"

/* Enough to meet the others in every state, little enough for an emulator. */
#define DEFAULT_ROUNDS	(10000 / WORK_SCALE)

struct arena *arena;
static pid_t attackers[ATTACKERS];

int arena_start(void)
{
	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		return -errno;
	arena->pidfd = -1;
	return 0;
}

long arena_rounds(void)
{
	const char *rounds = getenv("SCOPE_ROUNDS");

	return rounds ? atol(rounds) : DEFAULT_ROUNDS;
}

static long signal_by_pidfd(int fd)
{
	return OUTCOME(syscall(SYS_pidfd_send_signal, fd, SCOPE_SIGNAL, NULL, 0));
}

static long attack_by_new_pidfd(int target)
{
	int fd = sc_pidfd(target);
	long outcome;

	if (fd < 0)
		return fd;
	outcome = signal_by_pidfd(fd);
	close(fd);
	return outcome;
}

/* One of the ways to signal a process that say whether it went well. */
static long attack(long way, int target)
{
	const int pidfd = arena->pidfd;

	switch (way % 4) {
	case 0:
		return OUTCOME(syscall(SYS_tkill, target, SCOPE_SIGNAL));
	case 1:
		return attack_by_new_pidfd(target);
	case 2:
		return pidfd < 0 ? sc_kill(target) : signal_by_pidfd(pidfd);
	default:
		return sc_kill(target);
	}
}

/* Makes one attack, and counts it as what it is by the stages around it. */
static void attack_and_count(long way)
{
	int target = arena->target;
	enum attack_stage before = arena->stage;
	bool hit = target > 0 && !attack(way, target);
	enum attack_stage after = arena->stage;

	/* A target that has changed meanwhile says nothing. */
	if (target > 0 && arena->target == target) {
		arena->hits += hit;
		arena->escapes += hit && before == STAGE_CLOSED && after == STAGE_CLOSED;
		arena->misses += !hit && before == STAGE_OPEN && after == STAGE_OPEN;
	}
	arena->attacks++;
}

static void be_attacker(long way) __attribute__((noreturn));
static void be_attacker(long way)
{
	while (!arena->stop)
		attack_and_count(way++);
	_exit(0);
}

int attackers_start(int space)
{
	arena->stop = false;
	for (int i = 0; i < ATTACKERS; i++) {
		attackers[i] = space < 0 ? fork() : sp_fork(space);
		if (attackers[i] == 0) {
			if (space < 0)
				sp_child_begin();
			be_attacker(i);
		}
		if (attackers[i] < 0)
			return attackers[i];
	}
	return ATTACKERS;
}

bool attackers_advance(long attacks)
{
	long wanted = arena->attacks + attacks;

	/* As long as they go on, it takes as long as it takes. */
	for (;;) {
		long now = arena->attacks;

		if (now >= wanted)
			return true;
		if (!WAIT_FOR(arena->attacks > now))
			return false;
	}
}

void attackers_stop(void)
{
	arena->stop = true;
	for (int i = 0; i < ATTACKERS; i++)
		if (attackers[i] > 0)
			waitpid(attackers[i], NULL, 0);
}

pid_t attacker_pid(int i)
{
	return attackers[i];
}
