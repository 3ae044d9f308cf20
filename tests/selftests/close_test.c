// SPDX-License-Identifier: GPL-2.0
/* KILL_ON_CLOSE: whatever ends the last descriptor of a handle ends the members. */
#include <fcntl.h>
#include <signal.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define BOMBS	(10 / WORK_SCALE)

/*
 * A space with an agent in it and a child of that, and a holder outside, which
 * is to hold the only handle that kills: members inherit no such handle.
 */
FIXTURE(close) {
	const char *name;
	__u64 id;
	int space;
	struct agent first;
	pid_t child;
	struct agent holder;
};

FIXTURE_SETUP(close)
{
	ASSERT_EQ(0, sp_init());
	self->name = sp_unique_name();
	self->space = sp_create(self->name, 400, &self->id);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->first, self->space));
	self->child = agent_call(&self->first, verb_fork, 0);
	ASSERT_LT(0, self->child);
	ASSERT_EQ(0, agent_start(&self->holder, AGENT_OUTSIDE));
}

FIXTURE_TEARDOWN(close)
{
	signal(SIGCHLD, SIG_DFL);
	agent_stop(&self->holder);
	agent_stop(&self->first);
	EXPECT_EQ(0, sp_end(self->space));
}

/* In the holder: its descriptor of the handle, and another one. */
static int held = -1;
static int other = -1;

static long hold(long id)
{
	held = ev_open_killer(id);
	return held < 0 ? held : 0;
}

static long hold_plain(long id)
{
	other = sp_open(NULL, id);
	return other < 0 ? other : 0;
}

static long hold_twice(long unused)
{
	(void)unused;
	other = dup(held);
	return other < 0 ? -errno : 0;
}

static long let_go(long unused)
{
	(void)unused;
	return close(held) ? -errno : 0;
}

static long let_go_of_other(long unused)
{
	(void)unused;
	return close(other) ? -errno : 0;
}

/* Whether all members live: the agent, which answers, and its child. */
static bool all_live(FIXTURE_DATA(close) *self)
{
	return agent_call(&self->first, verb_getpid, 0) == self->first.pid &&
	       sp_numbers(self->space) == 2 && !kill(self->child, 0);
}

/* Whether all members get killed, and the space is empty once they are reaped. */
static bool all_die(FIXTURE_DATA(close) *self)
{
	int status = sp_reap(self->first.pid);

	close(self->first.fd);
	self->first.pid = 0;
	return status == SIGKILL && WAIT_FOR((ev_reap_all(), !sp_numbers(self->space)));
}

/* Closing the handle kills every process; the space itself goes on. */
TEST_F(close, close)
{
	struct pidspace_info info;
	pid_t child;

	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	EXPECT_TRUE(all_live(self));
	ASSERT_EQ(0, agent_call(&self->holder, let_go, 0));
	EXPECT_TRUE(all_die(self));
	ASSERT_EQ(0, sp_info(self->space, &info));
	EXPECT_EQ(PIDSPACE_STATE_LIVE, info.state);
	EXPECT_EQ(1, info.handles);
	child = sp_spawn(self->space);
	EXPECT_EQ(3, sp_local(self->space, child));
	close(self->space);
	self->space = sp_open(self->name, 0);
	EXPECT_EQ(1, sp_numbers(self->space));
}

/* So does the holder's exit. */
TEST_F(close, exit)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	ASSERT_EQ(0, agent_send(&self->holder, verb_exit, 0));
	EXPECT_TRUE(all_die(self));
}

/* So does SIGKILL to the holder, before anybody reaps it. */
TEST_F(close, holder_killed)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	EXPECT_TRUE(all_live(self));
	ASSERT_EQ(0, kill(self->holder.pid, SIGKILL));
	EXPECT_EQ(SIGKILL, sp_reap(self->first.pid));
	close(self->first.fd);
	self->first.pid = 0;
}

/* A child in a session of its own whose parent is gone. */
static long daemonize(long unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0) {
		setsid();
		pid = sp_fork_paused();
		_exit(pid < 0);
	}
	return pid < 0 ? -errno : sp_reap(pid);
}

/* No session, group or orphanage is a shelter. */
TEST_F(close, daemons_die)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, agent_call(&self->first, daemonize, 0));
	/* The sessions' numbers are those of their leaders, which are gone. */
	EXPECT_EQ(2 + 3 * 2, sp_numbers(self->space));
	ASSERT_EQ(0, agent_call(&self->holder, let_go, 0));
	EXPECT_TRUE(all_die(self));
}

/* Forks as fast as it can, with new sessions, until the space is full, and on. */
static void bomb(long long deadline)
{
	while (sp_now_ms() < deadline) {
		pid_t pid = fork();

		if (pid == 0) {
			setsid();
			if (fork() > 0)
				_exit(0);
		} else if (pid < 0) {
			usleep(20000);
		}
	}
	_exit(0);
}

/* Nor is a fork bomb faster: all of it dies with the holder. */
TEST_F_TIMEOUT(close, fork_bomb, 120)
{
	long long deadline = sp_now_ms() + 100000 * TIME_SCALE;

	/* Children are reaped by the kernel, ours and the bomb's. */
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < BOMBS; i++) {
		struct agent holder;

		ASSERT_EQ(0, agent_start(&holder, AGENT_OUTSIDE));
		ASSERT_EQ(0, agent_call(&holder, hold, self->id));
		for (int j = 0; j < 2; j++) {
			pid_t pid = sp_fork(self->space);

			if (pid == 0)
				bomb(deadline);
			/* The other one may have filled the space by now. */
			ASSERT_TRUE(pid > 0 || (j > 0 && pid == -EAGAIN));
		}
		ASSERT_TRUE(WAIT_FOR(sp_numbers(self->space) > 20 + 5 * i));
		ASSERT_EQ(0, kill(holder.pid, SIGKILL));
		ASSERT_TRUE(WAIT_FOR(!sp_numbers(self->space)));
		close(holder.fd);
	}
	EXPECT_LT(sp_now_ms(), deadline);
	self->first.pid = 0;
}

/* Of descriptors made by dup(2), the last one counts. */
TEST_F(close, dup)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	ASSERT_EQ(0, agent_call(&self->holder, hold_twice, 0));
	ASSERT_EQ(0, agent_call(&self->holder, let_go, 0));
	EXPECT_TRUE(all_live(self));
	ASSERT_EQ(0, agent_call(&self->holder, let_go_of_other, 0));
	EXPECT_TRUE(all_die(self));
}

/* A child of the holder's has the handle too. */
TEST_F(close, inherited)
{
	long heir;

	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	heir = agent_call(&self->holder, verb_fork, 0);
	ASSERT_LT(0, heir);
	ASSERT_EQ(0, agent_call(&self->holder, let_go, 0));
	EXPECT_TRUE(all_live(self));
	ASSERT_EQ(0, agent_call(&self->holder, verb_kill_reap, heir));
	EXPECT_TRUE(all_die(self));
}

static long exec_sleep(long keep)
{
	if (keep && fcntl(held, F_SETFD, 0))
		return -errno;
	execl("/bin/sleep", "sleep", "1000", NULL);
	return -errno;
}

static bool runs_sleep(pid_t pid)
{
	char line[32] = "";
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/comm", pid);
	file = fopen(line, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return !strcmp(line, "sleep\n");
}

/* Exec closes the handle, as it is opened with O_CLOEXEC. */
TEST_F(close, exec)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	ASSERT_EQ(0, agent_send(&self->holder, exec_sleep, false));
	EXPECT_TRUE(all_die(self));
	EXPECT_TRUE(WAIT_FOR(runs_sleep(self->holder.pid)));
}

/* Without that, the new program holds it. */
TEST_F(close, exec_without_cloexec)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	ASSERT_EQ(0, agent_send(&self->holder, exec_sleep, true));
	ASSERT_TRUE(WAIT_FOR(runs_sleep(self->holder.pid)));
	EXPECT_TRUE(all_live(self));
	agent_stop(&self->holder);
	EXPECT_TRUE(all_die(self));
}

/* A handle without the flag kills nobody. */
TEST_F(close, plain_handle)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold_plain, self->id));
	ASSERT_EQ(0, agent_call(&self->holder, let_go_of_other, 0));
	EXPECT_TRUE(all_live(self));
	ASSERT_EQ(0, agent_call(&self->holder, hold_plain, self->id));
	agent_stop(&self->holder);
	EXPECT_TRUE(all_live(self));
}

/* Of two handles, the one that has the flag kills, though the other stays. */
TEST_F(close, one_of_two)
{
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	ASSERT_EQ(0, agent_call(&self->holder, hold_plain, self->id));
	ASSERT_EQ(0, agent_call(&self->holder, let_go_of_other, 0));
	EXPECT_TRUE(all_live(self));
	ASSERT_EQ(0, agent_call(&self->holder, hold_plain, self->id));
	ASSERT_EQ(0, agent_call(&self->holder, let_go, 0));
	EXPECT_TRUE(all_die(self));
}

/* A member that closes the last one dies with the others. */
TEST_F(close, by_a_member)
{
	struct agent member;

	held = ev_open_killer(self->id);
	ASSERT_LE(0, held);
	ASSERT_EQ(0, agent_start(&member, self->space));
	close(held);
	EXPECT_EQ(0, kill(self->child, 0));
	agent_send(&member, let_go, 0);
	EXPECT_EQ(SIGKILL, sp_reap(member.pid));
	close(member.fd);
	EXPECT_TRUE(all_die(self));
}

/* Members of other spaces have nothing to do with it, nor has the holder. */
TEST_F(close, nobody_else_dies)
{
	int stranger = sp_create(NULL, 0, NULL);
	struct agent bystander;

	ASSERT_LE(0, stranger);
	ASSERT_EQ(0, agent_start(&bystander, stranger));
	ASSERT_EQ(0, agent_call(&self->holder, hold, self->id));
	ASSERT_EQ(0, agent_call(&self->holder, let_go, 0));
	EXPECT_TRUE(all_die(self));
	EXPECT_EQ(bystander.pid, agent_call(&bystander, verb_getpid, 0));
	EXPECT_EQ(self->holder.pid, agent_call(&self->holder, verb_getpid, 0));
	agent_stop(&bystander);
	EXPECT_EQ(0, sp_end(stranger));
}

/* With CREATE: an unnamed space goes with what its handle killed. */
TEST_F(close, create)
{
	struct pidspace_create arg = { .flags = PIDSPACE_BIND_F_KILL_ON_CLOSE };
	int killer = ev_create(&arg);
	pid_t child;

	ASSERT_LE(0, killer);
	child = sp_fork(killer);
	if (child == 0) {
		close(killer);
		sp_child_pause();
	}
	ASSERT_LT(0, child);
	close(killer);
	EXPECT_EQ(SIGKILL, sp_reap(child));
	EXPECT_TRUE(WAIT_FOR(!sp_listed(arg.id)));
	EXPECT_TRUE(all_live(self));
}

/* Where there is nobody to kill, or no space any more, nothing happens. */
TEST_F(close, nobody_to_kill)
{
	const char *name = sp_unique_name();
	__u64 id = 0;
	int space = sp_create(name, 0, &id);
	int killer = ev_open_killer(id);

	ASSERT_LE(0, space);
	ASSERT_LE(0, killer);
	close(killer);
	EXPECT_EQ(0, sp_numbers(space));
	EXPECT_TRUE(sp_listed(id));
	killer = ev_open_killer(id);
	ASSERT_LE(0, killer);
	ASSERT_EQ(0, sp_destroy(space, 0));
	close(killer);
	EXPECT_FALSE(sp_listed(id));
	EXPECT_TRUE(all_live(self));
	close(space);
}

TEST_HARNESS_MAIN
