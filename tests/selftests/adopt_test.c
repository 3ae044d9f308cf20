// SPDX-License-Identifier: GPL-2.0
/* ADOPT: who is taken in, under which number, and what becomes of them then. */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "adoptlib.h"
#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define SEVERAL	8
#define DEPTH	3
#define FAMILY	15

/* A space, and a process outside that does what it is told. */
FIXTURE(adopt) {
	int space;
	__u64 id;
	struct agent agent;
	pid_t pid;
};

FIXTURE_SETUP(adopt)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, &self->id);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->agent, AGENT_OUTSIDE));
	self->pid = self->agent.pid;
}

FIXTURE_TEARDOWN(adopt)
{
	agent_stop(&self->agent);
	EXPECT_EQ(0, sp_end(self->space));
}

/* One process becomes a member under its own number; its children do not. */
TEST_F(adopt, one_process)
{
	struct pidspace_adopt answer;
	struct pidspace_member member;
	struct pidspace_info info;
	long child = agent_call(&self->agent, verb_fork, 0);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_adopt_counted(self->space, self->pid, 0, &answer));
	EXPECT_EQ(1, answer.processes);
	EXPECT_EQ(1, answer.numbers);
	EXPECT_TRUE(ad_kept(self->space, self->pid));
	EXPECT_TRUE(ad_outside(self->space, child));
	ASSERT_EQ(0, sp_member(self->space, self->pid, &member));
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER, member.flags);
	EXPECT_EQ(self->pid, member.tgid);
	EXPECT_EQ(self->pid, member.global_tgid);
	EXPECT_EQ(0, member.ppid);
	EXPECT_EQ(0, member.pgid);
	EXPECT_EQ(0, member.sid);
	EXPECT_LT(0, member.generation);
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(1, info.numbers);
}

/* What an adopted process forks and starts gets its number from the space. */
TEST_F(adopt, children_are_numbered_by_the_space)
{
	struct pidspace_member member;
	long child, tid;

	ASSERT_EQ(0, sp_adopt(self->space, self->pid, 0));
	child = agent_call(&self->agent, verb_fork, 0);
	EXPECT_EQ(1, sp_local(self->space, child));
	ASSERT_EQ(0, sp_member(self->space, 1, &member));
	EXPECT_EQ(self->pid, member.ppid);
	EXPECT_EQ(child, member.global);
	tid = agent_call(&self->agent, verb_thread, 0);
	EXPECT_EQ(2, sp_local(self->space, tid));
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(self->pid, member.tgid);
}

/* All threads of a process come with it, and keep their numbers. */
TEST_F(adopt, threads)
{
	struct pidspace_adopt answer;
	struct pidspace_member member;

	ASSERT_EQ(0, agent_call(&self->agent, ad_threads, SEVERAL));
	ASSERT_EQ(0, sp_adopt_counted(self->space, self->pid, 0, &answer));
	EXPECT_EQ(1, answer.processes);
	EXPECT_EQ(1 + SEVERAL, answer.numbers);
	EXPECT_EQ(1 + SEVERAL, sp_numbers(self->space));
	for (int i = 0; i < SEVERAL; i++) {
		long tid = agent_call(&self->agent, ad_thread_tid, i);

		EXPECT_TRUE(ad_kept(self->space, tid));
		ASSERT_EQ(0, sp_member(self->space, tid, &member));
		EXPECT_EQ(0, member.flags);
		EXPECT_EQ(self->pid, member.tgid);
	}
}

/* With F_TREE all descendants come along, however deep. */
TEST_F(adopt, tree)
{
	long top = agent_call(&self->agent, ad_family, DEPTH);
	struct pidspace_adopt answer;
	struct pidspace_member member;
	pid_t outsider = sp_fork_paused();
	pid_t pids[2 * FAMILY];

	ASSERT_LT(0, top);
	ASSERT_EQ(1 + FAMILY, ad_tree_of(self->pid, pids, 2 * FAMILY));
	ASSERT_EQ(0, sp_adopt_counted(self->space, self->pid, PIDSPACE_ADOPT_F_TREE, &answer));
	EXPECT_EQ(1 + FAMILY, answer.processes);
	EXPECT_EQ(1 + FAMILY, answer.numbers);
	for (int i = 0; i < 1 + FAMILY; i++)
		EXPECT_TRUE(ad_kept(self->space, pids[i]));
	ASSERT_EQ(0, sp_member(self->space, top, &member));
	EXPECT_EQ(self->pid, member.ppid);
	EXPECT_TRUE(ad_outside(self->space, outsider));
	EXPECT_TRUE(ad_outside(self->space, getpid()));
}

/* The tree of an inner process leaves out what is above and beside it. */
TEST_F(adopt, part_of_a_tree)
{
	long beside = agent_call(&self->agent, verb_fork, 0);
	long top = agent_call(&self->agent, ad_family, DEPTH);

	ASSERT_LT(0, beside);
	ASSERT_EQ(0, sp_adopt(self->space, top, PIDSPACE_ADOPT_F_TREE));
	EXPECT_EQ(FAMILY, sp_numbers(self->space));
	EXPECT_TRUE(ad_outside(self->space, self->pid));
	EXPECT_TRUE(ad_outside(self->space, beside));
}

/* A tree takes the threads of all its processes in. */
TEST_F(adopt, tree_with_threads)
{
	struct pidspace_adopt answer;
	long child = agent_call(&self->agent, verb_fork, 0);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, agent_call(&self->agent, ad_threads, SEVERAL));
	ASSERT_EQ(0, sp_adopt_counted(self->space, self->pid, PIDSPACE_ADOPT_F_TREE, &answer));
	EXPECT_EQ(2, answer.processes);
	EXPECT_EQ(2 + SEVERAL, answer.numbers);
	for (int i = 0; i < SEVERAL; i++)
		EXPECT_TRUE(ad_kept(self->space, agent_call(&self->agent, ad_thread_tid, i)));
}

/* A daemon whose orphans' keeper is in the tree is a descendant still. */
TEST_F(adopt, daemon_in_the_tree)
{
	struct pidspace_member member;
	long daemon = agent_call(&self->agent, ad_daemon, 0);

	ASSERT_LT(0, daemon);
	ASSERT_EQ(0, sp_adopt(self->space, self->pid, PIDSPACE_ADOPT_F_TREE));
	EXPECT_TRUE(ad_kept(self->space, daemon));
	ASSERT_EQ(0, sp_member(self->space, daemon, &member));
	EXPECT_EQ(self->pid, member.ppid);
	EXPECT_EQ(daemon, member.sid);
	EXPECT_EQ(daemon, member.pgid);
}

/* Zombies hold their number, in the space too, until they are reaped. */
TEST_F(adopt, zombie_descendant)
{
	struct pidspace_member member;
	long zombie = agent_call(&self->agent, verb_fork_zombie, 0);

	ASSERT_LT(0, zombie);
	ASSERT_EQ(0, sp_adopt(self->space, self->pid, PIDSPACE_ADOPT_F_TREE));
	EXPECT_EQ(2, sp_numbers(self->space));
	ASSERT_EQ(0, sp_member(self->space, zombie, &member));
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER | PIDSPACE_MEMBER_F_ZOMBIE, member.flags);
	EXPECT_EQ(zombie, member.global);
	EXPECT_EQ(self->pid, member.ppid);
	EXPECT_EQ(0, agent_call(&self->agent, verb_reap, zombie));
	EXPECT_EQ(1, sp_numbers(self->space));
	EXPECT_EQ(-ESRCH, sp_member(self->space, zombie, &member));
}

/* A process whose leader is gone lives, and comes along with both numbers. */
TEST_F(adopt, leader_is_gone)
{
	struct pidspace_adopt answer;
	struct pidspace_member member;
	long pid = agent_call(&self->agent, ad_leader_gone, 0);
	char stat[64];

	ASSERT_LT(0, pid);
	snprintf(stat, sizeof(stat), "grep -q 'Z (zombie)' /proc/%ld/status", pid);
	ASSERT_TRUE(WAIT_FOR(!system(stat)));
	ASSERT_EQ(0, sp_adopt_counted(self->space, self->pid, PIDSPACE_ADOPT_F_TREE, &answer));
	EXPECT_EQ(3, answer.numbers);
	ASSERT_EQ(0, sp_member(self->space, pid, &member));
	EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER | PIDSPACE_MEMBER_F_ZOMBIE, member.flags);
	EXPECT_EQ(0, sp_kill(self->space, pid, SIGTERM));
	EXPECT_EQ(SIGTERM, agent_call(&self->agent, verb_reap, pid));
	/* A thread tells that it has ended just before it gives its number back. */
	EXPECT_TRUE(WAIT_FOR(sp_numbers(self->space) == 1));
}

/* A pidfd names the process as well as its number does. */
TEST_F(adopt, by_pidfd)
{
	int pidfd = ad_pidfd(self->pid);

	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, sp_adopt(self->space, pidfd, PIDSPACE_ADOPT_F_PIDFD));
	EXPECT_TRUE(ad_kept(self->space, self->pid));
	close(pidfd);
}

TEST_F(adopt, tree_by_pidfd)
{
	int pidfd = ad_pidfd(self->pid);
	long child = agent_call(&self->agent, verb_fork, 0);

	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, sp_adopt(self->space, pidfd,
			      PIDSPACE_ADOPT_F_PIDFD | PIDSPACE_ADOPT_F_TREE));
	EXPECT_TRUE(ad_kept(self->space, self->pid));
	EXPECT_TRUE(ad_kept(self->space, child));
	close(pidfd);
}

/* The caller may take itself in, and is a member when the call returns. */
TEST_F(adopt, caller_itself)
{
	EXPECT_EQ(1, agent_call(&self->agent, ad_adopt, AD_CALL(self->space, self->pid, 0)));
	EXPECT_TRUE(ad_kept(self->space, self->pid));
	EXPECT_EQ(1, sp_local(self->space, agent_call(&self->agent, verb_fork, 0)));
	EXPECT_EQ(-EPERM, agent_call(&self->agent, ad_adopt,
				     AD_CALL(self->space, getpid(), 0)));
}

/* A number above pid_max is kept; what comes then is below it. */
TEST_F(adopt, above_pid_max)
{
	int space = sp_create(NULL, PIDSPACE_PID_MAX_MIN, NULL);
	pid_t high = ev_fork_from(30000);

	ASSERT_LE(0, space);
	ASSERT_LT(0, high);
	ASSERT_EQ(0, sp_adopt(space, high, 0));
	ASSERT_EQ(0, sp_adopt(space, self->pid, 0));
	EXPECT_TRUE(ad_kept(space, high));
	EXPECT_EQ(0, sp_kill(space, high, SIGUSR1));
	EXPECT_TRUE(sp_pending(high, SIGUSR1));
	EXPECT_EQ(1, sp_local(space, agent_call(&self->agent, verb_fork, 0)));
	EXPECT_EQ(0, sp_kill_reap(high));
	EXPECT_EQ(2, sp_numbers(space));
	agent_stop(&self->agent);
	EXPECT_EQ(0, sp_end(space));
}

/* The space hands out no number that an adopted process has. */
TEST_F(adopt, kept_number_is_not_handed_out)
{
	pid_t low = ev_fork_from(2);

	ASSERT_LT(1, low);
	ASSERT_EQ(0, sp_adopt(self->space, low, 0));
	ASSERT_LE(0, ev_churn_in(self->space, low - 2));
	EXPECT_EQ(low - 1, sp_local(self->space, sp_spawn(self->space)));
	EXPECT_EQ(low + 1, sp_local(self->space, sp_spawn(self->space)));
	EXPECT_TRUE(ad_kept(self->space, low));
}

/* Membership outlasts setsid, setpgid and exec. */
static long lead_session(long unused)
{
	(void)unused;
	return setsid() < 0 ? -errno : 0;
}

static long exec_sleep(long unused)
{
	(void)unused;
	execl("/bin/sleep", "sleep", "1000", NULL);
	return -errno;
}

TEST_F(adopt, setsid_and_exec)
{
	struct pidspace_member member;
	char exe[32], target[32] = "";

	ASSERT_EQ(0, sp_adopt(self->space, self->pid, 0));
	ASSERT_EQ(0, agent_call(&self->agent, lead_session, 0));
	ASSERT_EQ(0, sp_member(self->space, self->pid, &member));
	EXPECT_EQ(self->pid, member.sid);
	EXPECT_EQ(self->pid, member.pgid);
	snprintf(exe, sizeof(exe), "/proc/%d/exe", self->pid);
	ASSERT_EQ(0, agent_send(&self->agent, exec_sleep, 0));
	ASSERT_TRUE(WAIT_FOR(readlink(exe, target, sizeof(target) - 1) > 0 &&
			     strstr(target, "/sleep")));
	EXPECT_TRUE(ad_kept(self->space, self->pid));
	EXPECT_EQ(1, sp_numbers(self->space));
}

/* An adopted process is its parent's child as before, and frees its number. */
TEST_F(adopt, parent_reaps)
{
	long child = agent_call(&self->agent, verb_fork, 0);

	ASSERT_EQ(0, sp_adopt(self->space, child, 0));
	EXPECT_EQ(0, sp_kill(self->space, child, SIGTERM));
	EXPECT_EQ(SIGTERM, agent_call(&self->agent, verb_reap, child));
	EXPECT_EQ(0, sp_numbers(self->space));
	EXPECT_TRUE(ad_outside(self->space, child));
}

/* A child with CLONE_PARENT is a member too, though its parent is none. */
static long fork_sibling(long unused)
{
	pid_t pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	(void)unused;
	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	return pid < 0 ? -errno : pid;
}

TEST_F(adopt, child_of_the_same_parent)
{
	struct pidspace_member member;
	long sibling;

	ASSERT_EQ(0, sp_adopt(self->space, self->pid, 0));
	sibling = agent_call(&self->agent, fork_sibling, 0);
	EXPECT_EQ(1, sp_local(self->space, sibling));
	ASSERT_EQ(0, sp_member(self->space, 1, &member));
	EXPECT_EQ(0, member.ppid);
}

/* A space takes in one after the other, beside those that it spawned. */
TEST_F(adopt, several)
{
	pid_t pids[SEVERAL];

	ASSERT_LT(0, sp_spawn(self->space));
	for (int i = 0; i < SEVERAL; i++) {
		pids[i] = sp_fork_paused();
		ASSERT_EQ(0, sp_adopt(self->space, pids[i], 0));
	}
	EXPECT_EQ(1 + SEVERAL, sp_numbers(self->space));
	for (int i = 0; i < SEVERAL; i++)
		EXPECT_TRUE(ad_kept(self->space, pids[i]));
	EXPECT_EQ(2, sp_local(self->space, sp_spawn(self->space)));
}

TEST_HARNESS_MAIN
