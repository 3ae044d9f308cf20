/* SPDX-License-Identifier: GPL-2.0 */
/* A space, a member, and an outsider, to be found unchanged after every fault. */
#ifndef FAULTSCENE_H
#define FAULTSCENE_H

#include "agent.h"

#include <linux/pidspace.h>

struct fault_scene {
	int space;
	__u64 id;
	struct agent member;
	struct agent outsider;
	/* How many there are in the whole system. */
	int spaces;
};

extern struct fault_scene fault_scene;

/* -EOPNOTSUPP where the kernel cannot fail allocations. */
int fault_scene_start(void);
int fault_scene_stop(void);

int fault_count_spaces(void);
/* All is as it was, and a child is born in the space and ends. */
int fault_all_as_before(void);

#endif /* FAULTSCENE_H */
