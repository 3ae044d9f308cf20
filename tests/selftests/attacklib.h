/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attackers: processes that signal others as fast as they can, while the test
 * changes what they may reach; and memory in which everybody counts.
 */
#ifndef ATTACKLIB_H
#define ATTACKLIB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define ATTACKERS	4

/**
 * enum attack_stage - What is known of the border between attackers and target.
 * @STAGE_CLOSED: The target cannot be reached.
 * @STAGE_MOVING: That is about to change.
 * @STAGE_OPEN:   It can be reached.
 */
enum attack_stage {
	STAGE_CLOSED,
	STAGE_MOVING,
	STAGE_OPEN,
};

/* Shared by all processes of a test. */
struct arena {
	/* Whom attackers attack now, a handle of it that they inherited, or -1. */
	atomic_int target;
	atomic_int pidfd;
	atomic_int stage;
	atomic_bool stop;
	/* Attacks so far; those that went through; and those while they must not. */
	atomic_long attacks;
	atomic_long hits;
	atomic_long escapes;
	/* Attacks that failed while they must not. */
	atomic_long misses;
};

extern struct arena *arena;

/* Maps the arena; attacks are to be many thousand, or what SCOPE_ROUNDS says. */
int arena_start(void);
long arena_rounds(void);

/* Attackers in @space, or in none where it is -1: how many, or an error. */
int attackers_start(int space);
/* Waits until so many more attacks have been made, by all of them together. */
bool attackers_advance(long attacks);
/* Ends and reaps them. */
void attackers_stop(void);
/* The pid of one of them. */
pid_t attacker_pid(int i);

#endif /* ATTACKLIB_H */
