/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fails on demand, by the kernel's fault injection: only for one thread, and
 * only below chosen code, so that each fault is the module's to cope with.
 */
#ifndef FAULTLIB_H
#define FAULTLIB_H

#include <stdbool.h>

#include "agent.h"

enum fault_kind {
	FAULT_MEMORY,	/* allocations, of objects and of pages */
	FAULT_COPY,	/* copies from and to user space */
};

/*
 * Chooses what fails, and the code: a function of the kernel, or with NULL the whole
 * module.  May be called again; -EOPNOTSUPP where the kernel has no such faults.
 */
int fault_init(enum fault_kind kind, const char *function);
/* Lets the @nth of the calling thread fail, and all after it if @onwards. */
int fault_begin(unsigned int nth, bool onwards);
/* Lets no more fail, and tells whether one did. */
bool fault_stop(void);
/* Lets @percent of a hundred of the caller's and its future children's fail. */
long fault_at_random(long percent);

/* Something to be done under faults.  All return 0 or more, or a negative errno. */
struct fault_operation {
	/* What it needs, without faults. */
	int (*prepare)(void);
	/* Itself, and nothing but itself. */
	long (*act)(void);
	/* Takes it back; when it failed, checks that it has done nothing. */
	int (*undo)(long result);
	/* What it may fail with apart from the walk's error. */
	int refusal;
};

struct fault_walk {
	const struct fault_operation *operation;
	/* Who acts: an agent, or NULL for the caller. */
	struct agent *by;
	/* What a fault is answered by, if it is not coped with. */
	int error;
	bool onwards;
	/* From the fault @dense on only every @stride one is tried, if that is given. */
	unsigned int dense;
	unsigned int stride;
	/* What is to hold after every run. */
	int (*check)(void);
	/* Where the walk is, and in what. */
	unsigned int nth;
	const char *step;
	long result;
	/* What came of it, in words. */
	char report[128];
};

/*
 * Does the operation again and again: first the first thing fails that can, then the
 * second, and so on until none does.  How many did, or what was not as it must be.
 */
int fault_walk(struct fault_walk *walk);

#endif /* FAULTLIB_H */
