/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control group: a test body that runs in a space and, unchanged, in a
 * native pid namespace, where what it expects is the kernel's own behaviour.
 */
#ifndef WORLD_H
#define WORLD_H

#include "agent.h"

struct world;

struct world_ops {
	/* Starts the agent with number 1; @pid_max of 0 is the default. */
	int (*start)(struct world *world, unsigned int pid_max);
	/* The world's number of what its agent calls @reported. */
	int (*number)(struct world *world, long reported);
	/* Whether the world has number @nr in use. */
	int (*held)(struct world *world, int nr);
};

struct world {
	const struct world_ops *ops;
	/* The handle of the space, or -1. */
	int space;
	struct agent first;
};

extern const struct world_ops world_pidspace;
extern const struct world_ops world_pidns;

/* The world last started, for functions that run inside it. */
extern struct world *world_current;

int world_start(struct world *world, const struct world_ops *ops, unsigned int pid_max);
/* Ends all that is in it; -EBUSY where a number stayed in use. */
int world_stop(struct world *world);
int world_number(struct world *world, long reported);
int world_held(struct world *world, int nr);

/* The same two variants for the fixture of every control group test. */
#define WORLD_VARIANTS(fixture)						\
FIXTURE_VARIANT(fixture) {						\
	const struct world_ops *ops;					\
};									\
FIXTURE_VARIANT_ADD(fixture, pidspace) { .ops = &world_pidspace };	\
FIXTURE_VARIANT_ADD(fixture, pidns) { .ops = &world_pidns }

#endif /* WORLD_H */
