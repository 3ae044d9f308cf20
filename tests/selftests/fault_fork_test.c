// SPDX-License-Identifier: GPL-2.0
/*
 * Births while the module gets no memory: each allocation that a fork makes for
 * the space fails once, alone and with all after it.  The fork then fails with
 * EAGAIN, as if there were too many processes, or the child is a member.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "eventlib.h"
#include "faultlib.h"
#include "faultscene.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* How many global numbers share a page of the module's table of all bindings. */
#define LEAF		509
#define FIRST_LEAF	10
#define LAST_LEAF	60

/* So many local numbers share two levels of nodes of the tree of those. */
#define NODES		(61 * 61)

/* What an operation works on. */
static int space;

/* Whoever follows needs new nodes. */
static pid_t before_nodes;

static long act_process(void)
{
	return verb_fork(0);
}

static int undo_process(long result)
{
	return result < 0 ? 0 : agent_call(&fault_scene.member, verb_kill_reap, result);
}

static long act_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -errno : sp_reap(pid);
}

static long act_thread(void)
{
	return verb_thread(0);
}

static int undo_thread(long result)
{
	if (result < 0)
		return 0;
	if (agent_call(&fault_scene.member, verb_thread_end, 0))
		return -ECHILD;
	/* A thread tells that it has ended just before it gives its number back. */
	return WAIT_FOR(sp_numbers(fault_scene.space) == 1) ? 0 : -EUCLEAN;
}

/* Number 1 of a pid namespace has a number in the space, too. */
static long act_pidns(void)
{
	struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	return pid < 0 ? -errno : pid;
}

/* The next global number is in a part of the table that nobody has used. */
static int prepare_leaf(void)
{
	static int leaf = FIRST_LEAF;
	char text[16];
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof(text), "%d", leaf * LEAF);

	leaf = leaf < LAST_LEAF ? leaf + 1 : FIRST_LEAF;
	if (fd < 0 || write(fd, text, length) != length)
		return -errno;
	return close(fd);
}

/* The mark is of the test itself. */
static int prepare_mark(void)
{
	space = sp_create(NULL, 0, NULL);
	return space < 0 ? space : sp_mark(space);
}

/* The same, of a space that confines. */
static int prepare_confined(void)
{
	space = sc_create(PIDSPACE_MODE_SCOPE, NULL);
	return space < 0 ? space : sp_mark(space);
}

/* The next number comes after one that was brought along. */
static int prepare_nodes(void)
{
	struct pidspace_create arg = { .policies = PIDSPACE_POLICY_NO_REUSE };
	int err;

	before_nodes = -EEXIST;
	for (pid_t nr = 2 * NODES - 1; before_nodes == -EEXIST; nr += NODES)
		before_nodes = ev_fork_as(nr);
	space = before_nodes < 0 ? before_nodes : ev_create(&arg);
	if (space < 0)
		return space;
	err = sp_adopt(space, before_nodes, 0);
	return err ? err : sp_mark(space);
}

static int undo_marked(long result)
{
	int numbers = sp_numbers(space);

	sp_clear(space);
	if (result > 0)
		numbers -= sp_local(space, result) > 0;
	if (numbers > 1 || (numbers == 1 && sp_local(space, before_nodes) != before_nodes))
		return -EUCLEAN;
	return sp_end(space);
}

FIXTURE(birth) {
};

FIXTURE_VARIANT(birth) {
	struct fault_operation operation;
	/* Whether a member forks, and not the test. */
	bool by_member;
	/* How many allocations there are at least. */
	int allocations;
};

#define BIRTH(name, count, member, ...)					\
FIXTURE_VARIANT_ADD(birth, name) {					\
	.operation = { __VA_ARGS__ },					\
	.by_member = member,						\
	.allocations = count,						\
}

BIRTH(process, 1, true, .act = act_process, .undo = undo_process);
BIRTH(vfork, 1, true, .act = act_vfork);
BIRTH(thread, 1, true, .act = act_thread, .undo = undo_thread);
BIRTH(pidns, 1, true, .act = act_pidns, .undo = undo_process);
BIRTH(in_a_new_leaf, 2, true, .prepare = prepare_leaf, .act = act_process, .undo = undo_process);
BIRTH(by_mark, 4, false, .prepare = prepare_mark, .act = act_process, .undo = undo_marked);
BIRTH(in_scope, 4, false, .prepare = prepare_confined, .act = act_process, .undo = undo_marked);
BIRTH(with_new_nodes, 3, false, .prepare = prepare_nodes, .act = act_process, .undo = undo_marked);

FIXTURE_SETUP(birth)
{
	int err = fault_scene_start();

	if (err == -EOPNOTSUPP)
		SKIP(return, "this kernel cannot fail allocations");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(birth)
{
	EXPECT_EQ(0, fault_scene_stop());
}

static int walk_over(const FIXTURE_VARIANT(birth) *variant, bool onwards,
		     struct __test_metadata *_metadata)
{
	struct fault_walk walk = {
		.operation = &variant->operation,
		.by = variant->by_member ? &fault_scene.member : NULL,
		.error = -EAGAIN,
		.onwards = onwards,
		.check = fault_all_as_before,
	};
	int failed = fault_walk(&walk);

	TH_LOG("%s", walk.report);
	return failed;
}

/* One allocation fails. */
TEST_F_TIMEOUT(birth, fails_alone, 60)
{
	EXPECT_LE(variant->allocations, walk_over(variant, false, _metadata));
}

/* From one allocation on, all fail. */
TEST_F_TIMEOUT(birth, fails_from_there_on, 60)
{
	EXPECT_LE(variant->allocations, walk_over(variant, true, _metadata));
}

TEST_HARNESS_MAIN
