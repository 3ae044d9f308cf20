// SPDX-License-Identifier: GPL-2.0
/* What a handle says to poll(2) and its kin, and who it wakes. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

/* How long a waiter waits before it answers that nothing came. */
#define LIMIT_MS	(2 * SP_PATIENCE_MS)

/* A handle with a stream, and one without, of the same space. */
FIXTURE(poll) {
	__u64 id;
	int space;
	int plain;
};

FIXTURE_SETUP(poll)
{
	ASSERT_EQ(0, sp_init());
	self->space = ev_watch_new(64, &self->id);
	ASSERT_LE(0, self->space);
	self->plain = sp_open(NULL, self->id);
	ASSERT_LE(0, self->plain);
}

FIXTURE_TEARDOWN(poll)
{
	close(self->plain);
	EXPECT_EQ(0, sp_end(self->space));
}

/* An unbound handle is an error to poll, until it is bound. */
TEST(unbound)
{
	int fd = sp_device();

	ASSERT_LE(0, fd);
	EXPECT_EQ(POLLERR, ev_poll(fd));
	ASSERT_EQ(0, sp_bind(fd, NULL, 0, NULL));
	EXPECT_EQ(POLLHUP, ev_poll(fd));
	close(fd);
}

/* The handle hangs up while no number is in use; a zombie's is. */
TEST_F(poll, hangup)
{
	pid_t child;

	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(POLLHUP, ev_poll(self->plain));
		child = sp_spawn(self->space);
		ASSERT_LT(0, child);
		EXPECT_EQ(0, ev_poll(self->plain));
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(0, sp_await_zombie(child));
		EXPECT_EQ(0, ev_poll(self->plain));
		ASSERT_LT(0, sp_reap(child));
	}
	EXPECT_EQ(POLLHUP, ev_poll(self->plain));
}

/* One of several numbers is enough, be it a group's without its leader. */
TEST_F(poll, hangup_after_the_last)
{
	pid_t first = sp_spawn(self->space);
	pid_t second = sp_spawn(self->space);

	ASSERT_LT(0, first);
	ASSERT_LT(0, second);
	ASSERT_EQ(0, setpgid(first, first));
	ASSERT_EQ(0, sp_kill_reap(second));
	EXPECT_EQ(0, ev_poll(self->plain));
	second = sp_fork_paused();
	ASSERT_LT(0, second);
	ASSERT_EQ(0, setpgid(second, first));
	ASSERT_EQ(0, sp_kill_reap(first));
	EXPECT_EQ(0, ev_poll(self->plain));
	ASSERT_EQ(0, sp_kill_reap(second));
	EXPECT_EQ(POLLHUP, ev_poll(self->plain));
}

/* It hangs up when the space is gone too. */
TEST_F(poll, hangup_of_what_is_gone)
{
	ASSERT_EQ(0, sp_destroy(self->space, 0));
	EXPECT_EQ(POLLHUP, ev_poll(self->plain));
	EXPECT_EQ(POLLHUP, ev_poll(self->space));
}

/* There is input while the stream has events. */
TEST_F(poll, input)
{
	struct pidspace_event event;
	pid_t child;

	EXPECT_EQ(POLLHUP, ev_poll(self->space));
	child = sp_spawn(self->space);
	ASSERT_LT(0, child);
	EXPECT_EQ(POLLIN, ev_poll(self->space));
	EXPECT_EQ(POLLIN, ev_poll(self->space));
	EXPECT_EQ(1, ev_read(self->space, &event, 1));
	EXPECT_EQ(0, ev_poll(self->space));
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(POLLIN | POLLHUP, ev_poll(self->space));
	EXPECT_EQ(2, ev_drain(self->space));
	EXPECT_EQ(POLLHUP, ev_poll(self->space));
}

/* What is told to a full stream is input, for as long as it is not read. */
TEST_F(poll, overflow_is_input)
{
	struct pidspace_event event;
	int small = ev_watch(self->id, 1);

	ASSERT_LE(0, small);
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_EQ(1, ev_read(small, &event, 1));
	EXPECT_EQ(PIDSPACE_EVENT_FORK, event.type);
	EXPECT_EQ(POLLIN, ev_poll(small));
	ASSERT_EQ(1, ev_read(small, &event, 1));
	EXPECT_EQ(PIDSPACE_EVENT_OVERFLOW, event.type);
	EXPECT_EQ(0, ev_poll(small));
	close(small);
}

/* What a waiter is woken by, and what select(2) says then, which cannot tell. */
static short answer;

static long wait_poll(long fd)
{
	const struct timespec limit = { .tv_sec = LIMIT_MS / 1000 };
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return ppoll(&poll_fd, 1, &limit, NULL) < 0 ? -errno : poll_fd.revents;
}

static long wait_select(long fd)
{
	const struct timespec limit = { .tv_sec = LIMIT_MS / 1000 };
	fd_set set;
	int count;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	count = pselect(fd + 1, &set, NULL, NULL, &limit, NULL);
	if (count < 0)
		return -errno;
	return FD_ISSET(fd, &set) ? answer : 0;
}

static long wait_epoll(long fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	long result;

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	event.events = 0;
	result = epoll_pwait(epoll, &event, 1, LIMIT_MS, NULL) < 0 ? -errno : (int)event.events;
	close(epoll);
	return result;
}

static const struct {
	agent_fn wait;
	long nr;
} ways[] = {
	{ wait_poll, SYS_ppoll },
	{ wait_select, SYS_pselect6 },
	{ wait_epoll, SYS_epoll_pwait },
};

#define WAITERS	(2 * ARRAY_SIZE(ways))

/* Starts two waiters of each kind; the first that does not is the result. */
static int start_waiters(struct agent *waiters, int fd, short expected)
{
	int err = 0;

	answer = expected;
	for (size_t i = 0; i < WAITERS && !err; i++) {
		size_t way = i % ARRAY_SIZE(ways);

		err = agent_start(&waiters[i], AGENT_OUTSIDE);
		if (!err)
			err = agent_send(&waiters[i], ways[way].wait, fd);
		if (!err && !WAIT_FOR(ev_sleeps_in(waiters[i].pid, ways[way].nr)))
			err = -ETIMEDOUT;
	}
	return err;
}

static int stop_waiters(struct agent *waiters)
{
	int woken = 0;

	for (size_t i = 0; i < WAITERS; i++) {
		woken += agent_receive(&waiters[i]) == answer;
		agent_stop(&waiters[i]);
	}
	return woken;
}

/* An event wakes all that wait for one, whatever call they wait in. */
TEST_F_TIMEOUT(poll, input_wakes, 60)
{
	struct agent waiters[WAITERS];
	pid_t child = sp_spawn(self->space);

	ASSERT_LT(0, child);
	ASSERT_EQ(1, ev_drain(self->space));
	ASSERT_EQ(0, start_waiters(waiters, self->space, POLLIN));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(WAITERS, stop_waiters(waiters));
}

/* So does the last number, and not the one before it. */
TEST_F_TIMEOUT(poll, hangup_wakes, 60)
{
	struct agent waiters[WAITERS];
	pid_t first = sp_spawn(self->space);
	pid_t second = sp_spawn(self->space);

	ASSERT_LT(0, first);
	ASSERT_LT(0, second);
	ASSERT_EQ(0, start_waiters(waiters, self->plain, POLLHUP));
	ASSERT_EQ(0, sp_kill_reap(first));
	for (size_t i = 0; i < WAITERS; i++) {
		EXPECT_TRUE(WAIT_FOR(ev_sleeps_in(waiters[i].pid,
						  ways[i % ARRAY_SIZE(ways)].nr)));
	}
	ASSERT_EQ(0, sp_kill_reap(second));
	EXPECT_EQ(WAITERS, stop_waiters(waiters));
}

/* Waiters on different handles are woken all the same. */
TEST_F(poll, each_handle_wakes)
{
	struct agent waiters[2];
	int second = ev_watch(self->id, 4);
	pid_t child = sp_spawn(self->space);

	ASSERT_LE(0, second);
	ASSERT_LT(0, child);
	ASSERT_EQ(1, ev_drain(self->space));
	ASSERT_EQ(1, ev_drain(second));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, agent_start(&waiters[i], AGENT_OUTSIDE));
		ASSERT_EQ(0, agent_send(&waiters[i], wait_poll, i ? second : self->space));
		ASSERT_TRUE(WAIT_FOR(ev_sleeps_in(waiters[i].pid, SYS_ppoll)));
	}
	ASSERT_LT(0, sp_spawn(self->space));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(POLLIN, agent_receive(&waiters[i]));
		agent_stop(&waiters[i]);
	}
	close(second);
}

/* To select(2) both an error and a hang-up are readable. */
TEST(select_now)
{
	struct timeval now = {};
	int fd = sp_device();
	fd_set set;

	ASSERT_EQ(0, sp_init());
	ASSERT_LE(0, fd);
	FD_ZERO(&set);
	FD_SET(fd, &set);
	EXPECT_EQ(1, select(fd + 1, &set, NULL, NULL, &now));
	ASSERT_EQ(0, sp_bind(fd, NULL, 0, NULL));
	EXPECT_EQ(1, select(fd + 1, &set, NULL, NULL, &now));
	ASSERT_LT(0, sp_spawn(fd));
	EXPECT_EQ(0, select(fd + 1, &set, NULL, NULL, &now));
	EXPECT_EQ(0, sp_end(fd));
}

/* What an epoll instance says about @fd right now. */
static int epoll_now(int epoll)
{
	struct epoll_event event = {};
	int count = epoll_wait(epoll, &event, 1, 0);

	return count <= 0 ? count : (int)event.events;
}

static int epoll_of(int fd, unsigned int events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : epoll;
}

/* Level-triggered, epoll(7) tells of events until they are read. */
TEST_F(poll, epoll_level)
{
	int epoll = epoll_of(self->space, EPOLLIN);
	pid_t child = sp_spawn(self->space);

	ASSERT_LE(0, epoll);
	ASSERT_LT(0, child);
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	ASSERT_EQ(1, ev_drain(self->space));
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(EPOLLIN | EPOLLHUP, epoll_now(epoll));
	ASSERT_EQ(2, ev_drain(self->space));
	EXPECT_EQ(EPOLLHUP, epoll_now(epoll));
	close(epoll);
}

/* Edge-triggered, it tells of each event once, and of the hang-up once. */
TEST_F(poll, epoll_edge)
{
	pid_t child = sp_spawn(self->space), second;
	int epoll, plain;

	ASSERT_LT(0, child);
	ASSERT_EQ(1, ev_drain(self->space));
	epoll = epoll_of(self->space, EPOLLIN | EPOLLET);
	plain = epoll_of(self->plain, EPOLLET);
	ASSERT_LE(0, epoll);
	ASSERT_LE(0, plain);
	EXPECT_EQ(0, epoll_now(epoll));
	second = sp_spawn(self->space);
	ASSERT_LT(0, second);
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(EPOLLIN, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(epoll));
	EXPECT_EQ(0, epoll_now(plain));
	ASSERT_EQ(2, ev_drain(self->space));
	EXPECT_EQ(0, epoll_now(epoll));
	ASSERT_EQ(0, sp_kill_reap(second));
	EXPECT_EQ(EPOLLHUP, epoll_now(plain));
	EXPECT_EQ(0, epoll_now(plain));
	close(plain);
	close(epoll);
}

TEST_HARNESS_MAIN
