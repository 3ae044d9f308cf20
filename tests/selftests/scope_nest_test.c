// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever a member of a space in mode SCOPE becomes or brings forth is as
 * confined as it is itself.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "eventlib.h"
#include "handlelib.h"
#include "harness.h"
#include "proclib.h"
#include "scopelib.h"
#include "spacelib.h"

/* What all inherit, and what they write down. */
static struct handles outside;

struct report {
	/* What signals to an outsider and to a fellow, and its handle, gave. */
	int by_number;
	int to_fellow;
	int by_handle;
	int by_proc;
	int done;
};

/* What number 1 of a pid namespace, where the numbers are others, writes down. */
struct inner {
	int by_number;
	int by_handle;
	int by_proc;
	int to_child;
	int to_all;
	int to_group;
	int own_proc;
	int done;
};

static struct report *report;
static struct inner *inner;
static pid_t outsider, fellow;

/* A scene, as root, and a member that is born after the handles were opened. */
FIXTURE(nest) {
	struct scene scene;
	struct agent heir;
	bool confined;
};

FIXTURE_VARIANT(nest) {
	unsigned int mode;
};

FIXTURE_VARIANT_ADD(nest, scope) { .mode = PIDSPACE_MODE_SCOPE };
FIXTURE_VARIANT_ADD(nest, track) { .mode = PIDSPACE_MODE_TRACK };

FIXTURE_SETUP(nest)
{
	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, 0));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
	report = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, report);
	inner = (struct inner *)report;
	ASSERT_EQ(0, handles_open(&outside, agent_call(&self->scene.outsider, attempt_target, 0),
				  STDIN_FILENO));
	outsider = outside.pid;
	fellow = self->scene.fellow.pid;
	ASSERT_EQ(0, agent_start(&self->heir, self->scene.space));
}

FIXTURE_TEARDOWN(nest)
{
	agent_stop(&self->heir);
	handles_close(&outside);
	EXPECT_EQ(0, scene_stop(&self->scene));
}

/* What everybody does here, wherever it came from. */
static void try_and_tell(void)
{
	report->by_number = sc_kill(outsider);
	report->to_fellow = sc_kill(fellow);
	report->by_handle = handle_signal(outside.pidfd);
	report->by_proc = proc_shows(outsider);
	report->done = 1;
}

/* Whether it went as it should. */
static bool is_as_expected(const FIXTURE_DATA(nest) *self)
{
	const struct report expected = {
		.by_number = self->confined ? -ESRCH : 0,
		.by_handle = self->confined ? -EPERM : 0,
		.by_proc = self->confined ? -ENOENT : 0,
		.done = 1,
	};

	if (!WAIT_FOR(*(volatile int *)&report->done))
		return false;
	if (!memcmp(report, &expected, sizeof(expected)) && sc_got_it(fellow) &&
	    sc_got_it(outsider) != self->confined)
		return true;
	fprintf(stderr, "# by number %d, to a fellow %d, by handle %d, by /proc %d\n",
		report->by_number, report->to_fellow, report->by_handle, report->by_proc);
	return false;
}

static long try_itself(long unused)
{
	(void)unused;
	try_and_tell();
	return 0;
}

TEST_F(nest, itself)
{
	EXPECT_EQ(0, agent_call(&self->heir, try_itself, 0));
	EXPECT_TRUE(is_as_expected(self));
}

static void *try_as_thread(void *unused)
{
	try_and_tell();
	return unused;
}

static long in_thread(long unused)
{
	pthread_t thread;

	(void)unused;
	return -pthread_create(&thread, NULL, try_as_thread, NULL);
}

TEST_F(nest, thread)
{
	EXPECT_EQ(0, agent_call(&self->heir, in_thread, 0));
	EXPECT_TRUE(is_as_expected(self));
}

/* A daemon: another session, and a parent that is gone. */
static long in_daemon(long unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0) {
		sp_child_begin();
		setsid();
		if (fork() == 0) {
			sp_child_begin();
			try_and_tell();
		}
		_exit(0);
	}
	return pid < 0 ? -errno : sp_reap(pid);
}

TEST_F(nest, daemon)
{
	EXPECT_EQ(0, agent_call(&self->heir, in_daemon, 0));
	EXPECT_TRUE(is_as_expected(self));
}

static long clone_to_try(struct clone_args args)
{
	long pid;

	args.exit_signal = args.flags & CLONE_PARENT ? 0 : SIGCHLD;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		sp_child_begin();
		try_and_tell();
		sp_child_pause();
	}
	return pid < 0 ? -errno : 0;
}

static long in_sibling(long unused)
{
	(void)unused;
	return clone_to_try((struct clone_args) { .flags = CLONE_PARENT });
}

/* A child of the parent outside. */
TEST_F(nest, child_of_the_same_parent)
{
	EXPECT_EQ(0, agent_call(&self->heir, in_sibling, 0));
	EXPECT_TRUE(is_as_expected(self));
}

#define CGROUP	"/sys/fs/cgroup/scope-nest"

static long in_cgroup(long unused)
{
	int fd = open(CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)unused;
	if (fd < 0)
		return -errno;
	return clone_to_try((struct clone_args) { .flags = CLONE_INTO_CGROUP, .cgroup = fd });
}

/* A child in another control group. */
TEST_F(nest, child_in_a_cgroup)
{
	if (mkdir(CGROUP, 0700))
		SKIP(return, "no control groups: %s", strerror(errno));
	EXPECT_EQ(0, agent_call(&self->heir, in_cgroup, 0));
	EXPECT_TRUE(is_as_expected(self));
	agent_stop(&self->heir);
	EXPECT_TRUE(WAIT_FOR(!rmdir(CGROUP)));
}

/* In a user namespace of its own, with all capabilities there. */
static long in_user_namespace(long unused)
{
	long err = verb_newuserns(unused);

	if (!err)
		try_and_tell();
	return err;
}

TEST_F(nest, user_namespace)
{
	ASSERT_EQ(0, agent_call(&self->heir, in_user_namespace, 0));
	EXPECT_TRUE(is_as_expected(self));
}

static void try_inside(void)
{
	pid_t child = sp_fork_paused();

	inner->to_child = sc_kill(child);
	inner->by_number = sc_kill(outsider);
	inner->by_handle = OUTCOME(syscall(SYS_pidfd_getfd, outside.pidfd, STDERR_FILENO, 0));
	/* The mount is still that of the outer pid namespace. */
	inner->by_proc = proc_shows(outsider);
	inner->to_all = sc_kill(-1);
	/* The group is the one that the test and its agents are in. */
	inner->to_group = sc_kill(0);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/tmp", "proc", 0, NULL))
		_exit(1);
	proc_root = "/tmp";
	inner->own_proc = proc_count(0);
	inner->done = 1;
	sp_child_pause();
}

static long in_pid_namespace(long unused)
{
	pid_t pid;

	(void)unused;
	if (unshare(CLONE_NEWPID))
		return -errno;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		if (sp_init())
			_exit(1);
		try_inside();
	}
	return pid < 0 ? -errno : pid;
}

TEST_F(nest, pid_namespace)
{
	pid_t first = agent_call(&self->heir, in_pid_namespace, 0);

	ASSERT_LT(0, first);
	ASSERT_TRUE(WAIT_FOR(inner->done));
	EXPECT_LT(0, sp_local(self->scene.space, first));
	EXPECT_EQ(0, inner->to_child);
	/* Outer numbers mean nothing there. */
	EXPECT_EQ(-ESRCH, inner->by_number);
	EXPECT_EQ(self->confined ? -EPERM : 0, inner->by_handle);
	EXPECT_EQ(self->confined ? -ENOENT : 0, inner->by_proc);
	EXPECT_EQ(0, inner->to_all);
	EXPECT_EQ(0, inner->to_group);
	EXPECT_EQ(2, inner->own_proc);
	EXPECT_FALSE(sc_got_it(outsider));
	EXPECT_TRUE(sc_got_it(fellow));
	EXPECT_EQ(!self->confined, sc_got_it(self->scene.outsider.pid));
	EXPECT_EQ(!self->confined, sc_got_it(getpid()));
}

/* What it execs is a member as well: a shell has the same limits. */
static long exec_shell(long unused)
{
	static char script[256];

	(void)unused;
	snprintf(script, sizeof(script),
		 "exec 2>/dev/null; kill -0 %d; a=$?; kill -0 %d; b=$?; test -d /proc/%d; exit $((a*4+b*2+$?))",
		 outsider, fellow, outsider);
	execl("/bin/bash", "bash", "-c", script, NULL);
	return -errno;
}

/* How the heir's program ended, which is not an agent any more. */
static int exec_and_reap(struct agent *heir, agent_fn exec)
{
	int status = agent_send(heir, exec, 0);

	if (status)
		return status;
	status = sp_reap(heir->pid);
	heir->pid = 0;
	close(heir->fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EPROTO;
}

TEST_F(nest, exec)
{
	EXPECT_EQ(self->confined ? 5 : 0, exec_and_reap(&self->heir, exec_shell));
}

#define SUID_SHELL	"/tmp/scope-nest-shell"

static long exec_suid_shell(long unused)
{
	static char script[256];

	(void)unused;
	snprintf(script, sizeof(script),
		 "exec 2>/dev/null; test $EUID = 0 || exit 9; kill -0 %d; a=$?; kill -0 %d; exit $((a*4+$?))",
		 outsider, fellow);
	execl(SUID_SHELL, "bash", "-p", "-c", script, NULL);
	return -errno;
}

/* Root's rights that a set-uid program gives reach no further than the space. */
TEST_F(nest, set_uid_program)
{
	ASSERT_EQ(0, system("cp /bin/bash " SUID_SHELL " && chmod 4755 " SUID_SHELL));
	ASSERT_EQ(0, agent_call(&self->heir, verb_setuid, SCOPE_UID));
	EXPECT_EQ(self->confined ? 4 : 0, exec_and_reap(&self->heir, exec_suid_shell));
	EXPECT_EQ(0, unlink(SUID_SHELL));
}

TEST_HARNESS_MAIN
