// SPDX-License-Identifier: GPL-2.0
/* Members, under faults: how they get in, are found and signalled. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adoptlib.h"
#include "eventlib.h"
#include "faultops.h"
#include "faultscene.h"
#include "spacelib.h"

#define THREADS	3

/* What an operation works on. */
static int pidfd;
static pid_t target;
static struct agent threads;

static long act_mark(void)
{
	return sp_mark(fault_scene.space);
}

static int undo_mark(long result)
{
	return result < 0 ? 0 : sp_clear(fault_scene.space);
}

const struct fault_operation fault_mark = { .act = act_mark, .undo = undo_mark };

static int prepare_unmark(void)
{
	return sp_mark(fault_scene.space);
}

static long act_unmark(void)
{
	return sp_clear(fault_scene.space);
}

static int undo_unmark(long result)
{
	return result < 0 ? sp_clear(fault_scene.space) : 0;
}

const struct fault_operation fault_unmark = {
	.prepare = prepare_unmark,
	.act = act_unmark,
	.undo = undo_unmark,
};

static int prepare_target(void)
{
	target = agent_call(&fault_scene.outsider, ad_family, 0);
	return target;
}

static long act_adopt(void)
{
	return sp_adopt(fault_scene.space, target, 0);
}

static long reap_any(long unused)
{
	(void)unused;
	return waitpid(-1, NULL, 0) < 0 ? -errno : 0;
}

/* Nobody has become a member, or all of them have. */
static int undo_adopt(long result)
{
	pid_t pids[16];
	int count = ad_tree_of(target, pids, 16);
	int members = 0;

	for (int i = 0; i < count; i++)
		members += sp_local(fault_scene.space, pids[i]) > 0;
	for (int i = count - 1; i >= 0; i--)
		kill(pids[i], SIGKILL);
	/* The children of who is killed come to the agent. */
	for (int i = 0; i < count; i++)
		if (agent_call(&fault_scene.outsider, reap_any, 0))
			return -ECHILD;
	if (members && members != count)
		return -EXDEV;
	return fault_is_due(members, result) ? 0 : -EXDEV;
}

const struct fault_operation fault_adopt = {
	.prepare = prepare_target,
	.act = act_adopt,
	.undo = undo_adopt,
};

static int prepare_pidfd(void)
{
	int err = prepare_target();

	pidfd = err < 0 ? err : ad_pidfd(target);
	return pidfd;
}

static long act_adopt_by_pidfd(void)
{
	return sp_adopt(fault_scene.space, pidfd, PIDSPACE_ADOPT_F_PIDFD);
}

static int undo_pidfd(long result)
{
	close(pidfd);
	return undo_adopt(result);
}

const struct fault_operation fault_adopt_by_pidfd = {
	.prepare = prepare_pidfd,
	.act = act_adopt_by_pidfd,
	.undo = undo_pidfd,
};

static int prepare_threads(void)
{
	int err = agent_start(&threads, AGENT_OUTSIDE);

	return err ? err : agent_call(&threads, ad_threads, THREADS);
}

static long act_adopt_threads(void)
{
	return sp_adopt(fault_scene.space, threads.pid, 0);
}

/* All but the scene's own member. */
static int undo_threads(long result)
{
	int members = sp_numbers(fault_scene.space) - 1;

	agent_stop(&threads);
	/* A thread tells that it has ended just before it gives its number back. */
	if (!WAIT_FOR(sp_numbers(fault_scene.space) == 1))
		return -EUCLEAN;
	if (members && members != THREADS + 1)
		return -EXDEV;
	return fault_is_due(members, result) ? 0 : -EXDEV;
}

const struct fault_operation fault_adopt_threads = {
	.prepare = prepare_threads,
	.act = act_adopt_threads,
	.undo = undo_threads,
};

/* Two generations below the first. */
static int prepare_tree(void)
{
	target = agent_call(&fault_scene.outsider, ad_family, 2);
	return target;
}

static long act_adopt_tree(void)
{
	return sp_adopt(fault_scene.space, target, PIDSPACE_ADOPT_F_TREE);
}

const struct fault_operation fault_adopt_tree = {
	.prepare = prepare_tree,
	.act = act_adopt_tree,
	.undo = undo_adopt,
};

static long act_members(void)
{
	struct pidspace_member members[16];

	return sp_members(fault_scene.space, members, 16);
}

const struct fault_operation fault_members = { .act = act_members };

static long act_lookup(void)
{
	struct pidspace_nr numbers[] = {
		{ .from = fault_scene.member.pid },
		{ .from = getpid() },
	};
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_IN_SPACE,
		.count = 2,
		.entries = (unsigned long)numbers,
	};

	return sp_ioctl(fault_scene.space, PIDSPACE_IOC_LOOKUP, &arg);
}

const struct fault_operation fault_lookup = { .act = act_lookup };

static int prepare_members_pidfd(void)
{
	pidfd = ad_pidfd(fault_scene.member.pid);
	return pidfd;
}

static long act_lookup_by_pidfd(void)
{
	struct pidspace_nr answer;

	return sp_lookup(fault_scene.space, PIDSPACE_LOOKUP_PIDFD, pidfd, &answer);
}

static int undo_lookup_by_pidfd(long result)
{
	(void)result;
	return close(pidfd);
}

const struct fault_operation fault_lookup_by_pidfd = {
	.prepare = prepare_members_pidfd,
	.act = act_lookup_by_pidfd,
	.undo = undo_lookup_by_pidfd,
};

static long act_kill(void)
{
	return sp_kill(fault_scene.space, 1, SIGURG);
}

const struct fault_operation fault_kill = { .act = act_kill };

/* A signal that queues needs memory of the kernel's own. */
static long act_kill_queued(void)
{
	return sp_kill(fault_scene.space, -1, SIGRTMIN);
}

const struct fault_operation fault_kill_queued = { .act = act_kill_queued, .refusal = -EAGAIN };
