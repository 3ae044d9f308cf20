// SPDX-License-Identifier: GPL-2.0
/*
 * Families that the border of a space in mode SCOPE divides: what parents and
 * children do to each other by number, and what they are still told.
 */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "ringlib.h"
#include "scopelib.h"
#include "spacelib.h"

/* The terminal of the parent's session. */
static int terminal = -1;

/* A member whose child, in a group of its own, stayed outside. */
FIXTURE(family) {
	int space;
	int master;
	struct agent parent;
	pid_t child;
	bool confined;
};

SCENE_VARIANTS(family);

static long lead_session(long unused)
{
	(void)unused;
	/* Or it could not set the terminal's group once that is another one. */
	signal(SIGTTOU, SIG_IGN);
	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0))
		return -errno;
	return 0;
}

FIXTURE_SETUP(family)
{
	ASSERT_EQ(0, sp_init());
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
	self->space = sc_create(variant->mode, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, openpty(&self->master, &terminal, NULL, NULL, NULL));
	ASSERT_EQ(0, agent_start(&self->parent, AGENT_OUTSIDE));
	if (variant->uid)
		ASSERT_EQ(0, agent_call(&self->parent, verb_setuid, variant->uid));
	ASSERT_EQ(0, agent_call(&self->parent, lead_session, 0));
	self->child = agent_call(&self->parent, sc_fork_leader, 0);
	ASSERT_LT(0, self->child);
	ASSERT_EQ(0, sp_adopt(self->space, self->parent.pid, 0));
}

FIXTURE_TEARDOWN(family)
{
	agent_stop(&self->parent);
	close(self->master);
	close(terminal);
	EXPECT_EQ(0, sp_end(self->space));
}

static long move_to_own_group(long nr)
{
	return OUTCOME(setpgid(nr, 0));
}

static long move_to_group_of_itself(long nr)
{
	return OUTCOME(setpgid(nr, nr));
}

/* A member does not move a child outside to another group. */
TEST_F(family, setpgid_of_a_child)
{
	pid_t inside = agent_call(&self->parent, verb_fork, 0);
	pid_t group = getpgid(self->child);

	EXPECT_EQ(self->confined ? -ESRCH : 0,
		  agent_call(&self->parent, move_to_own_group, self->child));
	EXPECT_EQ(self->confined ? -ESRCH : 0,
		  agent_call(&self->parent, move_to_group_of_itself, self->child));
	EXPECT_EQ(group, getpgid(self->child));
	EXPECT_EQ(0, agent_call(&self->parent, move_to_group_of_itself, inside));
	EXPECT_EQ(inside, getpgid(inside));
}

static long set_front_group(long nr)
{
	return OUTCOME(tcsetpgrp(terminal, nr));
}

/* Nor does it put it in front of the terminal. */
TEST_F(family, tcsetpgrp_to_a_child)
{
	pid_t inside = agent_call(&self->parent, sc_fork_leader, 0);

	EXPECT_EQ(self->confined ? -ESRCH : 0,
		  agent_call(&self->parent, set_front_group, self->child));
	EXPECT_EQ(0, agent_call(&self->parent, set_front_group, inside));
	EXPECT_EQ(inside, tcgetpgrp(self->master));
}

static int wait_for(int type, int id, int *dead)
{
	siginfo_t info = {};
	int err = OUTCOME(waitid(type, id, &info, WEXITED | WNOWAIT));

	*dead = info.si_pid;
	return err;
}

static long wait_by_number(long nr)
{
	int dead;
	int err = wait_for(P_PID, nr, &dead);

	return err ? err : dead;
}

static long wait_by_group(long nr)
{
	int dead;
	int err = wait_for(P_PGID, nr, &dead);

	return err ? err : dead;
}

static long wait_for_anybody(long unused)
{
	int dead;
	int err = wait_for(P_ALL, unused, &dead);

	return err ? err : dead;
}

static long wait_by_pidfd(long pidfd)
{
	int dead;
	int err = wait_for(P_PIDFD, pidfd, &dead);

	return err ? err : dead;
}

static long reap_by_number(long nr)
{
	return OUTCOME(waitpid(nr, NULL, 0));
}

static long reap_anybody(long unused)
{
	int status;

	(void)unused;
	return wait(&status) < 0 ? -errno : status;
}

/* By number there is no such child; but that one has ended is told. */
TEST_F(family, wait_for_a_child)
{
	struct agent *parent = &self->parent;

	ASSERT_EQ(0, kill(self->child, SIGKILL));
	EXPECT_EQ(self->child, agent_call(parent, wait_for_anybody, 0));
	EXPECT_EQ(self->confined ? -ECHILD : self->child,
		  agent_call(parent, wait_by_number, self->child));
	EXPECT_EQ(self->confined ? -ECHILD : self->child,
		  agent_call(parent, wait_by_group, self->child));
	if (self->confined)
		EXPECT_EQ(-ECHILD, agent_call(parent, reap_by_number, self->child));
	EXPECT_EQ(SIGKILL, agent_call(parent, reap_anybody, 0));
	EXPECT_EQ(-ESRCH, OUTCOME(kill(self->child, 0)));
}

/* The handle that a parent has of its child keeps working for this. */
static long open_child(long nr)
{
	return sc_pidfd(nr);
}

TEST_F(family, wait_by_handle)
{
	struct agent second;
	pid_t child;
	long pidfd;

	ASSERT_EQ(0, agent_start(&second, AGENT_OUTSIDE));
	child = agent_call(&second, verb_fork, 0);
	pidfd = agent_call(&second, open_child, child);
	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, sp_adopt(self->space, second.pid, 0));
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(child, agent_call(&second, wait_by_pidfd, pidfd));
	EXPECT_EQ(self->confined ? -ECHILD : child,
		  agent_call(&second, wait_by_number, child));
	agent_stop(&second);
}

static long wait_by_ring(long nr)
{
	siginfo_t info = {};
	struct io_uring_sqe request = {
		.opcode = IORING_OP_WAITID,
		.fd = nr,
		.len = nr ? P_PID : P_ALL,
		.file_index = WEXITED | WNOWAIT,
		.addr2 = (unsigned long)&info,
	};
	int err = ring_do(&request);

	return err ? err : info.si_pid;
}

/* So it is for a ring. */
TEST_F(family, wait_by_ring)
{
	if (!ring_available())
		SKIP(return, "io_uring is not available");
	ASSERT_EQ(0, kill(self->child, SIGKILL));
	EXPECT_EQ(self->confined ? -ECHILD : self->child,
		  agent_call(&self->parent, wait_by_ring, self->child));
	EXPECT_EQ(self->child, agent_call(&self->parent, wait_by_ring, 0));
}

/* A child of the parent that does what it is told, by way of the parent. */
static struct agent grandchild;

static long start_grandchild(long unused)
{
	int err = agent_start(&grandchild, AGENT_OUTSIDE);

	(void)unused;
	return err ? err : grandchild.pid;
}

static long hand_down(long fn)
{
	return agent_call(&grandchild, (agent_fn)fn, 0);
}

/* Whether the kernel keeps keys at all. */
static bool has_keys(void)
{
	/* No command at all, as others give the caller a keyring. */
	return !syscall(SYS_keyctl, -1) || errno != ENOSYS;
}

static long session_to_parent(long unused)
{
	(void)unused;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return -errno;
	return OUTCOME(syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT));
}

/* A member gives its keyring to a parent inside. */
TEST_F(family, keyring_of_a_parent_inside)
{
	if (!has_keys())
		SKIP(return, "the kernel has no keys");
	ASSERT_LT(0, agent_call(&self->parent, start_grandchild, 0));
	EXPECT_EQ(0, agent_call(&self->parent, hand_down, (long)session_to_parent));
}

/* It does not replace that of a parent outside. */
TEST_F(family, keyring_of_a_parent_outside)
{
	struct agent second;
	pid_t child;

	if (!has_keys())
		SKIP(return, "the kernel has no keys");
	ASSERT_EQ(0, agent_start(&second, AGENT_OUTSIDE));
	if (variant->uid)
		ASSERT_EQ(0, agent_call(&second, verb_setuid, variant->uid));
	child = agent_call(&second, start_grandchild, 0);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_adopt(self->space, child, 0));
	EXPECT_EQ(self->confined ? -EPERM : 0,
		  agent_call(&second, hand_down, (long)session_to_parent));
	agent_stop(&second);
}

static long be_traced(long unused)
{
	(void)unused;
	return OUTCOME(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

/* A parent outside traces a member that asks for it. */
TEST_F(family, traced_by_a_parent_outside)
{
	int status;

	ASSERT_EQ(0, agent_call(&self->parent, be_traced, 0));
	ASSERT_EQ(0, kill(self->parent.pid, SIGUSR2));
	ASSERT_EQ(self->parent.pid, waitpid(self->parent.pid, &status, 0));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGUSR2, WSTOPSIG(status));
	EXPECT_EQ(0, ptrace(PTRACE_DETACH, self->parent.pid, NULL, NULL));
	EXPECT_EQ(self->parent.pid, agent_call(&self->parent, verb_getpid, 0));
}

/* What a member tells of its parent is the number that this has outside. */
static long parent_number(long unused)
{
	(void)unused;
	return getppid();
}

TEST_F(family, number_of_a_parent_outside)
{
	EXPECT_EQ(getpid(), agent_call(&self->parent, parent_number, 0));
}

TEST_HARNESS_MAIN
