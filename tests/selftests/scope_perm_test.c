// SPDX-License-Identifier: GPL-2.0
/*
 * Who may confine whom in mode SCOPE: what enters must have no_new_privs, unless
 * the one who lets it in is privileged.
 */
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "adoptlib.h"
#include "eventlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* An ordinary user, and spaces of root's. */
FIXTURE(perm) {
	struct agent user;
};

/* How many of a family are there, and as they are to be. */
static int *ready;
/* The spaces of root's that the user has handles of. */
static int root_scope = -1;
static int root_track = -1;

FIXTURE_SETUP(perm)
{
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, chmod(SP_DEVICE, 0666));
	ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, ready);
	root_scope = sc_create(PIDSPACE_MODE_SCOPE, NULL);
	ASSERT_LE(0, root_scope);
	root_track = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, root_track);
	ASSERT_EQ(0, agent_start(&self->user, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->user, verb_setuid, SCOPE_UID));
}

FIXTURE_TEARDOWN(perm)
{
	agent_stop(&self->user);
	EXPECT_EQ(0, sp_end(root_track));
	EXPECT_EQ(0, sp_end(root_scope));
}

/* In the user: the space that it made last. */
static int made = -1;

static long make_space(long mode)
{
	__u64 id;

	made = sc_create(mode, &id);
	return made < 0 ? made : (long)id;
}

static long spawn_in(int space)
{
	pid_t pid = sp_spawn(space);

	return pid < 0 ? pid : sp_local(space, pid);
}

static long spawn_in_made(long unused)
{
	(void)unused;
	return spawn_in(made);
}

/* Whether a child in the space does not find the user, who stays outside. */
static long spawn_blind_in_made(long unused)
{
	pid_t user = getpid();
	pid_t pid = sp_fork(made);
	int status;

	(void)unused;
	if (pid == 0)
		_exit(kill(user, 0) && errno == ESRCH && !kill(getpid(), 0) ? 0 : 1);
	status = sp_reap(pid);
	return status < 0 ? status : !status;
}

static long spawn_in_root_scope(long unused)
{
	(void)unused;
	return spawn_in(root_scope);
}

static long tighten_made(long unused)
{
	(void)unused;
	return sc_tighten(made, PIDSPACE_MODE_SCOPE);
}

static long tighten_root_track(long unused)
{
	(void)unused;
	return sc_tighten(root_track, PIDSPACE_MODE_SCOPE);
}

static long mode_of_made(long unused)
{
	struct pidspace_info info;
	int err = sp_info(made, &info);

	(void)unused;
	return err ? err : (long)info.mode;
}

static long numbers_of_made(long unused)
{
	(void)unused;
	return sp_numbers(made);
}

static long adopt_in_made(long nr)
{
	return sp_adopt(made, nr, 0);
}

static long adopt_tree_in_made(long nr)
{
	return sp_adopt(made, nr, PIDSPACE_ADOPT_F_TREE);
}

static long adopt_in_root_scope(long nr)
{
	return sp_adopt(root_scope, nr, 0);
}

/* What a child is like: itself, a thread and a child of its own, if it has them. */
#define FIT		1
#define THREAD		2
#define FIT_THREAD	(THREAD | 4)
#define CHILD		8
#define FIT_CHILD	(CHILD | 16)

static void be_there(bool fit)
{
	if (fit && sc_no_new_privs(0))
		_exit(1);
	__atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
	sp_child_pause();
}

static void *be_thread(void *fit)
{
	be_there(fit);
	return NULL;
}

static void be_family(long kind)
{
	pthread_t thread;

	sp_child_begin();
	/* What the thread gets is not NULL if it is to be fit. */
	if (kind & THREAD && pthread_create(&thread, NULL, be_thread,
					    (kind & FIT_THREAD) == FIT_THREAD ? ready : NULL))
		_exit(1);
	if (kind & CHILD && fork() == 0) {
		sp_child_begin();
		be_there((kind & FIT_CHILD) == FIT_CHILD);
	}
	be_there(kind & FIT);
}

static long fork_family(long kind)
{
	int expected = 1 + !!(kind & THREAD) + !!(kind & CHILD);
	pid_t pid;

	*ready = 0;
	pid = fork();
	if (pid == 0)
		be_family(kind);
	if (pid < 0)
		return -errno;
	return WAIT_FOR(__atomic_load_n(ready, __ATOMIC_SEQ_CST) == expected) ? pid : -ETIMEDOUT;
}

/* Anybody makes a space; into it a user lets what will gain no privileges. */
TEST_F(perm, spawn)
{
	struct agent *user = &self->user;

	ASSERT_LT(0, agent_call(user, make_space, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(-EPERM, agent_call(user, spawn_in_made, 0));
	EXPECT_EQ(-EPERM, agent_call(user, spawn_in_root_scope, 0));
	EXPECT_EQ(0, agent_call(user, numbers_of_made, 0));
	ASSERT_EQ(0, agent_call(user, sc_no_new_privs, 0));
	EXPECT_EQ(1, agent_call(user, spawn_in_made, 0));
	EXPECT_EQ(1, agent_call(user, spawn_blind_in_made, 0));
	EXPECT_EQ(1, agent_call(user, spawn_in_root_scope, 0));
}

/* A space that does not confine takes all as ever. */
TEST_F(perm, spawn_in_mode_track)
{
	ASSERT_LT(0, agent_call(&self->user, make_space, PIDSPACE_MODE_TRACK));
	EXPECT_EQ(1, agent_call(&self->user, spawn_in_made, 0));
}

static long mark_made(long unused)
{
	(void)unused;
	return sp_mark(made);
}

/* A mark from before the space confines is of no use, until no_new_privs is set. */
TEST_F(perm, mark_from_before)
{
	struct agent *user = &self->user;

	ASSERT_LT(0, agent_call(user, make_space, PIDSPACE_MODE_TRACK));
	ASSERT_EQ(0, agent_call(user, mark_made, 0));
	ASSERT_EQ(0, agent_call(user, tighten_made, 0));
	EXPECT_EQ(-EAGAIN, agent_call(user, verb_fork, 0));
	EXPECT_EQ(0, agent_call(user, numbers_of_made, 0));
	ASSERT_EQ(0, agent_call(user, sc_no_new_privs, 0));
	EXPECT_LT(0, agent_call(user, verb_fork, 0));
	EXPECT_EQ(1, agent_call(user, numbers_of_made, 0));
}

/* Of what is adopted, every thread of every process must have it. */
TEST_F(perm, adopt)
{
	static const struct {
		long kind;
		bool tree;
		int numbers;
	} cases[] = {
		{ 0, false, 0 },
		{ FIT, false, 1 },
		{ FIT, true, 1 },
		{ THREAD, false, 0 },
		{ FIT | THREAD, false, 0 },
		{ FIT_THREAD, false, 0 },
		{ FIT | FIT_THREAD, false, 2 },
		{ FIT | CHILD, false, 1 },
		{ FIT | CHILD, true, 0 },
		{ FIT_CHILD, true, 0 },
		{ FIT | FIT_CHILD, true, 2 },
		{ FIT | FIT_THREAD | CHILD, true, 0 },
		{ FIT | THREAD | FIT_CHILD, true, 0 },
		{ FIT | FIT_THREAD | FIT_CHILD, true, 3 },
	};
	struct agent *user = &self->user;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long pid = agent_call(user, fork_family, cases[i].kind);

		ASSERT_LT(0, pid);
		ASSERT_LT(0, agent_call(user, make_space, PIDSPACE_MODE_SCOPE));
		EXPECT_EQ(cases[i].numbers ? 0 : -EPERM,
			  agent_call(user, cases[i].tree ? adopt_tree_in_made : adopt_in_made,
				     pid))
			TH_LOG("case %zu", i);
		EXPECT_EQ(cases[i].numbers, agent_call(user, numbers_of_made, 0))
			TH_LOG("case %zu", i);
		EXPECT_EQ(0, agent_call(user, verb_kill_reap, pid));
	}
}

/* The handle of a space of root's is no right to confine others in it. */
TEST_F(perm, adopt_by_a_handle_of_roots)
{
	long unfit = agent_call(&self->user, fork_family, 0);
	long fit = agent_call(&self->user, fork_family, FIT);

	EXPECT_EQ(-EPERM, agent_call(&self->user, adopt_in_root_scope, unfit));
	EXPECT_EQ(0, sp_numbers(root_scope));
	EXPECT_EQ(0, agent_call(&self->user, adopt_in_root_scope, fit));
	/* Root itself takes in both, whoever they belong to. */
	EXPECT_EQ(0, sp_adopt(root_scope, unfit, 0));
	EXPECT_EQ(2, sp_numbers(root_scope));
}

/* A space is tightened only if all that is in it may be confined. */
TEST_F(perm, tighten)
{
	static const struct {
		long kind;
		bool fit;
	} cases[] = {
		{ 0, false },
		{ FIT, true },
		{ FIT | THREAD, false },
		{ FIT_THREAD, false },
		{ FIT | FIT_THREAD, true },
		{ FIT | CHILD, false },
		{ FIT | FIT_THREAD | FIT_CHILD, true },
	};
	struct agent *user = &self->user;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long pid = agent_call(user, fork_family, cases[i].kind);

		ASSERT_LT(0, pid);
		ASSERT_LT(0, agent_call(user, make_space, PIDSPACE_MODE_TRACK));
		ASSERT_EQ(0, agent_call(user, adopt_tree_in_made, pid));
		EXPECT_EQ(cases[i].fit ? 0 : -EPERM, agent_call(user, tighten_made, 0))
			TH_LOG("case %zu", i);
		EXPECT_EQ(cases[i].fit ? PIDSPACE_MODE_SCOPE : PIDSPACE_MODE_TRACK,
			  agent_call(user, mode_of_made, 0))
			TH_LOG("case %zu", i);
		EXPECT_EQ(0, agent_call(user, verb_kill_reap, pid));
	}
}

/* Without members there is nobody to ask; for root, nobody needs to be. */
TEST_F(perm, tighten_by_others)
{
	EXPECT_EQ(1, spawn_in(root_track));
	EXPECT_EQ(-EPERM, agent_call(&self->user, tighten_root_track, 0));
	EXPECT_EQ(0, tighten_root_track(0));
	EXPECT_EQ(0, agent_call(&self->user, tighten_root_track, 0));
	ASSERT_LT(0, agent_call(&self->user, make_space, PIDSPACE_MODE_TRACK));
	EXPECT_EQ(0, agent_call(&self->user, tighten_made, 0));
}

/* All capabilities of a user namespace are none over anybody. */
TEST_F(perm, user_namespace)
{
	struct agent *user = &self->user;
	long err = agent_call(user, verb_newuserns, 0);
	long unfit;

	if (err == -EPERM || err == -ENOSPC || err == -EUSERS)
		SKIP(return, "users cannot make user namespaces here");
	ASSERT_EQ(0, err);
	unfit = agent_call(user, fork_family, 0);
	ASSERT_LT(0, agent_call(user, make_space, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(-EPERM, agent_call(user, spawn_in_made, 0));
	EXPECT_EQ(-EPERM, agent_call(user, adopt_in_made, unfit));
	ASSERT_LT(0, agent_call(user, make_space, PIDSPACE_MODE_TRACK));
	ASSERT_EQ(0, agent_call(user, adopt_in_made, unfit));
	EXPECT_EQ(-EPERM, agent_call(user, tighten_made, 0));
	ASSERT_EQ(0, agent_call(user, sc_no_new_privs, 0));
	ASSERT_LT(0, agent_call(user, make_space, PIDSPACE_MODE_SCOPE));
	EXPECT_EQ(1, agent_call(user, spawn_in_made, 0));
}

static long drop_admin(long unused)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	(void)unused;
	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	return OUTCOME(syscall(SYS_capset, &header, data));
}

/* It is the capability that counts, and not who has it. */
TEST_F(perm, root_without_the_capability)
{
	struct agent root;
	long unfit;

	ASSERT_EQ(0, agent_start(&root, AGENT_OUTSIDE));
	unfit = agent_call(&root, fork_family, 0);
	EXPECT_EQ(1, agent_call(&root, spawn_in_root_scope, 0));
	ASSERT_EQ(0, agent_call(&root, drop_admin, 0));
	EXPECT_EQ(-EPERM, agent_call(&root, spawn_in_root_scope, 0));
	EXPECT_EQ(-EPERM, agent_call(&root, adopt_in_root_scope, unfit));
	ASSERT_EQ(1, spawn_in(root_track));
	EXPECT_EQ(-EPERM, agent_call(&root, tighten_root_track, 0));
	agent_stop(&root);
}

/* Who is inside has children inside, whatever those may become. */
TEST_F(perm, children_of_members)
{
	struct agent member;

	ASSERT_EQ(0, agent_start(&member, root_scope));
	ASSERT_EQ(0, agent_call(&member, verb_setuid, SCOPE_UID));
	EXPECT_EQ(2, sp_local(root_scope, agent_call(&member, verb_fork, 0)));
	EXPECT_LT(0, agent_call(&member, verb_thread, 0));
	agent_stop(&member);
}

TEST_HARNESS_MAIN
