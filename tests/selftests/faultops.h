/* SPDX-License-Identifier: GPL-2.0 */
/* Every command, and what else is done with a handle, to be done under faults. */
#ifndef FAULTOPS_H
#define FAULTOPS_H

#include <errno.h>

#include "faultlib.h"

/*
 * X(name, allocations, copies): the operation fault_##name, and how many times it
 * allocates, and copies from or to its caller's memory, at least.
 */
#define FAULT_OPERATIONS(X)						\
	X(open, 1, 0);							\
	X(close, 0, 0);							\
	X(create, 8, 3);						\
	X(create_scope, 8, 3);						\
	X(create_large, 8, 3);						\
	X(bind, 2, 3);							\
	X(set, 0, 1);							\
	X(tighten, 0, 1);						\
	X(destroy, 0, 1);						\
	X(destroy_with_members, 0, 1);					\
	X(abi, 0, 2);							\
	X(hooks, 0, 10);						\
	X(list, 0, 4);							\
	X(info, 0, 2);							\
	X(poll, 0, 0);							\
	X(epoll, 1, 0);							\
	X(read, 0, 1);							\
	X(mark, 1, 1);							\
	X(unmark, 0, 1);						\
	X(adopt, 1, 3);							\
	X(adopt_by_pidfd, 1, 3);					\
	X(adopt_threads, 1, 3);						\
	X(adopt_tree, 1, 3);						\
	X(members, 0, 4);						\
	X(lookup, 0, 5);						\
	X(lookup_by_pidfd, 0, 2);					\
	X(kill, 0, 2);							\
	X(kill_queued, 1, 2);						\
	X(kill_space, 0, 2)

#define FAULT_DECLARE(name, ...)	extern const struct fault_operation fault_##name
FAULT_OPERATIONS(FAULT_DECLARE);

/*
 * Whether something that is @done or not is what @result promises.  After a fault in
 * a copy it may be either: the last one tells the caller what was done.
 */
static inline bool fault_is_due(bool done, long result)
{
	return result == -EFAULT || done == (result >= 0);
}

#endif /* FAULTOPS_H */
