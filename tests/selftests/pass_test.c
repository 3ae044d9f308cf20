// SPDX-License-Identifier: GPL-2.0
/* Handles passed over a socket: how a manager delegates a space. */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define SOME_UID	61234

/* The sockets between the test and the receiver, at their ends. */
static int channel[2];

/* A handle and a receiver, which was there before it. */
FIXTURE(pass) {
	struct agent receiver;
	__u64 id;
	int space;
	pid_t member;
};

static long close_fd(long fd)
{
	return close(fd) ? -errno : 0;
}

FIXTURE_SETUP(pass)
{
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel));
	ASSERT_EQ(0, agent_start(&self->receiver, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&self->receiver, close_fd, channel[0]));
	close(channel[1]);
	self->space = ev_watch_new(64, &self->id);
	ASSERT_LE(0, self->space);
	self->member = sp_spawn(self->space);
	ASSERT_LT(0, self->member);
}

FIXTURE_TEARDOWN(pass)
{
	close(channel[0]);
	agent_stop(&self->receiver);
	EXPECT_EQ(0, sp_end(self->space));
}

/* In the receiver: the handle it got. */
static int got = -1;

static long receive(long unused)
{
	(void)unused;
	got = ev_receive(channel[1]);
	return got < 0 ? got : 0;
}

static long poll_got(long unused)
{
	(void)unused;
	return ev_poll(got);
}

static long read_got(long unused)
{
	struct pidspace_event event;
	int count = ev_read(got, &event, 1);

	(void)unused;
	return count > 0 ? (long)event.nr : count;
}

static long kill_got(long nr)
{
	return sp_kill(got, nr, SIGUSR1);
}

static long spawn_got(long unused)
{
	(void)unused;
	return sp_spawn(got);
}

static long close_got(long unused)
{
	(void)unused;
	return close_fd(got);
}

/* The receiver polls and reads the stream that the sender began. */
TEST_F(pass, poll_and_read)
{
	struct agent *receiver = &self->receiver;
	int plain = sp_open(NULL, self->id);
	pid_t second;

	ASSERT_LE(0, plain);
	ASSERT_EQ(0, ev_pass(channel[0], self->space));
	close(self->space);
	self->space = plain;
	ASSERT_EQ(0, agent_call(receiver, receive, 0));
	EXPECT_EQ(POLLIN, agent_call(receiver, poll_got, 0));
	EXPECT_EQ(1, agent_call(receiver, read_got, 0));
	EXPECT_EQ(0, agent_call(receiver, poll_got, 0));
	second = sp_spawn(plain);
	ASSERT_LT(0, second);
	EXPECT_EQ(2, agent_call(receiver, read_got, 0));
	ASSERT_EQ(0, sp_kill_reap(second));
	ASSERT_EQ(0, sp_kill_reap(self->member));
	EXPECT_EQ(POLLIN | POLLHUP, agent_call(receiver, poll_got, 0));
}

/* While both hold it, what one of them reads the other does not get. */
TEST_F(pass, stream_is_shared)
{
	struct pidspace_event event;

	ASSERT_EQ(0, ev_pass(channel[0], self->space));
	ASSERT_EQ(0, agent_call(&self->receiver, receive, 0));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(1, agent_call(&self->receiver, read_got, 0));
	ASSERT_EQ(1, ev_read(self->space, &event, 1));
	EXPECT_EQ(2, event.nr);
	EXPECT_EQ(0, agent_call(&self->receiver, poll_got, 0));
}

/* The receiver signals and spawns by its own rights, whoever opened the handle. */
TEST_F(pass, kill_and_spawn)
{
	struct agent *receiver = &self->receiver;
	long child;

	ASSERT_EQ(0, ev_pass(channel[0], self->space));
	ASSERT_EQ(0, agent_call(receiver, receive, 0));
	ASSERT_EQ(0, agent_call(receiver, kill_got, 1));
	EXPECT_TRUE(sp_pending(self->member, SIGUSR1));
	ASSERT_EQ(0, agent_call(receiver, verb_setuid, SOME_UID));
	child = agent_call(receiver, spawn_got, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(2, sp_local(self->space, child));
	EXPECT_EQ(0, agent_call(receiver, kill_got, 2));
	EXPECT_TRUE(sp_pending(child, SIGUSR1));
	EXPECT_EQ(-EPERM, agent_call(receiver, kill_got, 1));
	ASSERT_EQ(0, agent_call(receiver, verb_kill_reap, child));
}

/* A handle that kills on close, passed on; what was passed is the only one left. */
static int pass_killer(__u64 id)
{
	int killer = ev_open_killer(id);
	int err;

	if (killer < 0)
		return killer;
	err = ev_pass(channel[0], killer);
	close(killer);
	return err;
}

static bool is_alive(pid_t child)
{
	return waitpid(child, NULL, WNOHANG) == 0;
}

/* The space dies when the receiver lets go, and not when the sender does. */
TEST_F(pass, kill_on_close)
{
	ASSERT_EQ(0, pass_killer(self->id));
	ASSERT_EQ(0, agent_call(&self->receiver, receive, 0));
	EXPECT_TRUE(is_alive(self->member));
	ASSERT_EQ(0, agent_call(&self->receiver, close_got, 0));
	EXPECT_EQ(SIGKILL, sp_reap(self->member));
}

/* It dies when the receiver is killed. */
TEST_F(pass, kill_with_receiver)
{
	ASSERT_EQ(0, pass_killer(self->id));
	ASSERT_EQ(0, agent_call(&self->receiver, receive, 0));
	EXPECT_TRUE(is_alive(self->member));
	agent_stop(&self->receiver);
	EXPECT_EQ(SIGKILL, sp_reap(self->member));
}

/* It lives while the sender holds on, whatever the receiver does. */
TEST_F(pass, last_descriptor_counts)
{
	int killer = ev_open_killer(self->id);

	ASSERT_LE(0, killer);
	ASSERT_EQ(0, ev_pass(channel[0], killer));
	ASSERT_EQ(0, agent_call(&self->receiver, receive, 0));
	agent_stop(&self->receiver);
	EXPECT_TRUE(is_alive(self->member));
	close(killer);
	EXPECT_EQ(SIGKILL, sp_reap(self->member));
}

/* A handle on its way is held, and goes with the socket if nobody takes it. */
TEST_F(pass, never_received)
{
	ASSERT_EQ(0, pass_killer(self->id));
	EXPECT_TRUE(is_alive(self->member));
	agent_stop(&self->receiver);
	EXPECT_EQ(SIGKILL, sp_reap(self->member));
}

/* The kill has the rights of who opened the handle, not of who closes it. */
TEST_F(pass, closed_by_a_stranger)
{
	ASSERT_EQ(0, pass_killer(self->id));
	ASSERT_EQ(0, agent_call(&self->receiver, receive, 0));
	ASSERT_EQ(0, agent_call(&self->receiver, verb_setuid, SOME_UID));
	ASSERT_EQ(0, agent_call(&self->receiver, close_got, 0));
	EXPECT_EQ(SIGKILL, sp_reap(self->member));
}

/* A user's space with a member; the handle is passed on. */
static long make_and_pass(long unused)
{
	struct pidspace_create arg = { .flags = PIDSPACE_BIND_F_KILL_ON_CLOSE };
	int killer = ev_create(&arg);
	struct agent member;
	int err;

	(void)unused;
	if (killer < 0)
		return killer;
	err = agent_start(&member, killer);
	if (!err)
		err = agent_call(&member, close_fd, killer);
	if (!err)
		err = ev_pass(channel[1], killer);
	close(killer);
	return err;
}

/* So what a user opened kills, closed by root, only what the user may kill. */
TEST_F(pass, closed_by_root)
{
	struct pidspace_info info;
	struct pidspace_kill answer;
	struct pidspace_member left[3];
	struct agent member;
	int killer, space;

	ASSERT_EQ(0, agent_call(&self->receiver, verb_setuid, SOME_UID));
	ASSERT_EQ(0, agent_call(&self->receiver, make_and_pass, 0));
	killer = ev_receive(channel[0]);
	ASSERT_LE(0, killer);
	ASSERT_EQ(0, sp_info(killer, &info));
	EXPECT_EQ(SOME_UID, info.owner);
	space = sp_open(NULL, info.id);
	ASSERT_LE(0, space);
	ASSERT_EQ(0, agent_start(&member, space));
	ASSERT_EQ(0, agent_call(&member, close_fd, killer));
	ASSERT_EQ(0, sp_kill_counted(space, 0, 0, PIDSPACE_KILL_F_SPACE, &answer));
	EXPECT_EQ(2, answer.signalled);
	close(killer);
	EXPECT_TRUE(WAIT_FOR(sp_members(space, left, 3) == 2 &&
			     left[0].flags & PIDSPACE_MEMBER_F_ZOMBIE));
	EXPECT_EQ(member.pid, agent_call(&member, verb_getpid, 0));
	EXPECT_EQ(2, sp_local(space, member.pid));
	agent_stop(&member);
	/* The zombie is the user's, who goes first. */
	agent_stop(&self->receiver);
	EXPECT_EQ(0, sp_end(space));
}

TEST_HARNESS_MAIN
