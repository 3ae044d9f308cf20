// SPDX-License-Identifier: GPL-2.0
/*
 * Handles of processes outside that a member of a space in mode SCOPE inherited,
 * was sent or got out of a socket: they do nothing.
 */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "eventlib.h"
#include "handlelib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77
#endif

/* What the members below inherit: handles of an outsider, and of a member. */
static struct handles outside, inside;
static int channel[2];
/* What the targets have open. */
static int null = -1;

/* Agents of one user, and handles of targets outside and inside. */
FIXTURE(handle) {
	struct scene scene;
	/* Born when all of the above was there. */
	struct agent heir;
	bool confined;
};

SCENE_VARIANTS(handle);

FIXTURE_SETUP(handle)
{
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, null);
	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, variant->uid));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
	ASSERT_EQ(0, handles_open(&outside, agent_call(&self->scene.outsider, attempt_target, 0),
				  null));
	ASSERT_EQ(0, handles_open(&inside, agent_call(&self->scene.fellow, attempt_target, 0),
				  null));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel));
	ASSERT_EQ(0, agent_start(&self->heir, self->scene.space));
	if (variant->uid)
		ASSERT_EQ(0, agent_call(&self->heir, verb_setuid, variant->uid));
}

FIXTURE_TEARDOWN(handle)
{
	agent_stop(&self->heir);
	handles_close(&outside);
	handles_close(&inside);
	close(channel[0]);
	close(channel[1]);
	close(null);
	EXPECT_EQ(0, scene_stop(&self->scene));
}

/* Makes the attempts on one target: how many ended as they should not. */
static int make_all(const FIXTURE_DATA(handle) *self, const struct attempt *table,
		    const struct handles *handles, bool refused)
{
	int wrong = 0;

	for (const struct attempt *attempt = table; attempt->name; attempt++) {
		long wanted = refused ? attempt->refused : attempt->allowed;
		long got;

		if (attempt->flags & ATTEMPT_ROOT && !self->scene.as_root)
			continue;
		got = agent_call((struct agent *)&self->heir, attempt->run, (long)handles);
		if (got == wanted || got == UNAVAILABLE)
			continue;
		fprintf(stderr, "# %s: %ld instead of %ld\n", attempt->name, got, wanted);
		wrong++;
	}
	return wrong;
}

/* A pidfd of an outsider is of no use, and the outsider notices nothing. */
TEST_F(handle, pidfd_of_an_outsider)
{
	struct traces before, after;

	ASSERT_EQ(0, attempt_look(&before, outside.pid));
	EXPECT_EQ(0, make_all(self, attempts_pidfd, &outside, self->confined));
	ASSERT_EQ(0, attempt_look(&after, outside.pid));
	EXPECT_EQ(self->confined, !strcmp(before.text, after.text));
}

/* Nor is its directory in /proc. */
TEST_F(handle, proc_directory_of_an_outsider)
{
	struct traces before, after;

	ASSERT_EQ(0, attempt_look(&before, outside.pid));
	EXPECT_EQ(0, make_all(self, attempts_proc_dir, &outside, self->confined));
	ASSERT_EQ(0, attempt_look(&after, outside.pid));
	EXPECT_EQ(self->confined, !strcmp(before.text, after.text));
}

/* Those of another member are as good as ever. */
TEST_F(handle, of_a_member)
{
	EXPECT_EQ(0, make_all(self, attempts_pidfd, &inside, false));
	EXPECT_EQ(0, make_all(self, attempts_proc_dir, &inside, false));
	EXPECT_TRUE(sp_pending(inside.pid, SIGUSR1));
}

/* Of one that is gone, they are what they are without a space. */
TEST_F(handle, of_the_dead)
{
	ASSERT_EQ(0, agent_call(&self->scene.outsider, verb_kill_reap, outside.pid));
	ASSERT_EQ(0, agent_call(&self->scene.fellow, verb_kill_reap, inside.pid));
	EXPECT_EQ(-ESRCH, agent_call(&self->heir, handle_signal, outside.pidfd));
	EXPECT_EQ(-ESRCH, agent_call(&self->heir, handle_signal, inside.pidfd));
	EXPECT_EQ(-ESRCH, agent_call(&self->heir, handle_info, outside.pidfd));
	EXPECT_EQ(-ESRCH, agent_call(&self->heir, handle_info, inside.pidfd));
}

static long receive_and_signal(long unused)
{
	int fd = ev_receive(channel[1]);
	long outcome = fd < 0 ? -EPROTO : handle_signal(fd);

	(void)unused;
	close(fd);
	return outcome;
}

/* It makes no difference when a handle arrived. */
TEST_F(handle, received_over_a_socket)
{
	const long refused = self->confined ? -EPERM : 0;

	ASSERT_EQ(0, ev_pass(channel[0], outside.pidfd));
	EXPECT_EQ(refused, agent_call(&self->heir, receive_and_signal, 0));
	ASSERT_EQ(0, ev_pass(channel[0], outside.dir));
	EXPECT_EQ(refused, agent_call(&self->heir, receive_and_signal, 0));
	EXPECT_NE(self->confined, sp_pending(outside.pid, SIGUSR1));
	ASSERT_EQ(0, ev_pass(channel[0], inside.pidfd));
	EXPECT_EQ(0, agent_call(&self->heir, receive_and_signal, 0));
}

static long poll_handle(long fd)
{
	return ev_await(fd);
}

static long poll_handle_now(long fd)
{
	return ev_poll(fd);
}

/* That a process outside has ended is told. */
TEST_F(handle, poll)
{
	EXPECT_EQ(0, agent_call(&self->heir, poll_handle_now, outside.pidfd));
	ASSERT_EQ(0, agent_send(&self->heir, poll_handle, outside.pidfd));
	ASSERT_EQ(0, agent_call(&self->scene.outsider, verb_kill_reap, outside.pid));
	EXPECT_EQ(POLLIN, agent_receive(&self->heir) & ~POLLHUP);
}

/* An abstract address that is this test's own: all are in its group. */
static struct sockaddr_un address(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "scope-%d", getpgrp());
	return address;
}

static long listen_there(long unused)
{
	struct sockaddr_un there = address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)unused;
	if (fd < 0 || bind(fd, (struct sockaddr *)&there, sizeof(there)) || listen(fd, 1))
		return -errno;
	return fd;
}

static long connect_and_signal(long unused)
{
	struct sockaddr_un there = address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(int);
	int pidfd = -1;
	long outcome;

	(void)unused;
	if (fd < 0 || connect(fd, (struct sockaddr *)&there, sizeof(there)))
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size))
		return -errno;
	outcome = handle_signal(pidfd);
	close(pidfd);
	close(fd);
	return outcome;
}

/* The handle of a peer outside that a socket gives does no more. */
TEST_F(handle, peer_outside)
{
	ASSERT_LE(0, agent_call(&self->scene.outsider, listen_there, 0));
	EXPECT_EQ(self->confined ? -EPERM : 0,
		  agent_call(&self->heir, connect_and_signal, 0));
	EXPECT_NE(self->confined, sp_pending(self->scene.outsider.pid, SIGUSR1));
}

TEST_F(handle, peer_inside)
{
	ASSERT_LE(0, agent_call(&self->scene.fellow, listen_there, 0));
	EXPECT_EQ(0, agent_call(&self->heir, connect_and_signal, 0));
	EXPECT_TRUE(sp_pending(self->scene.fellow.pid, SIGUSR1));
}

TEST_HARNESS_MAIN
