/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tree of processes and threads that are born and end at random, become
 * daemons, and leave zombies.  They share the memory of the agent that hosts
 * them, which makes them cheap; and the kernel itself writes down who is
 * alive, so that the test knows them without parent links.
 */
#ifndef TREE_H
#define TREE_H

#include <sys/types.h>

/* The most tasks of a tree that are alive at a time. */
#define TREE_ROOM	512

/* Maps what test and host share; to be called before the host is started. */
int tree_init(void);

/*
 * For the host: plants a tree, and tells the pid of its root.  It grows to
 * @target tasks and stays about there; or, below, until it may not fork.
 * Orphans go to the root.
 */
long tree_plant(long target);
#define TREE_BOMB	0
/* The same, the root a member of the space of handle @space. */
long tree_plant_bomb_in(long space);
/* For the host: whether no child of it is left, be it dead; 0 or -EBUSY. */
long tree_barren(long unused);

/* How many tasks are alive. */
int tree_alive(void);
/* From now on nobody forks or ends; 0 when that holds for all of them. */
int tree_freeze(void);
/* The tids of all that are alive, or 0; each keeps its place while it lives. */
void tree_tids(pid_t tids[TREE_ROOM]);

#endif /* TREE_H */
