// SPDX-License-Identifier: GPL-2.0
/* read(2) of a handle: when it waits, what it refuses, and who gets what. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define READERS	3

/* A space with a member that stays, whose birth has been read. */
FIXTURE(read) {
	__u64 id;
	int space;
	pid_t member;
};

FIXTURE_SETUP(read)
{
	ASSERT_EQ(0, sp_init());
	self->space = ev_watch_new(64, &self->id);
	ASSERT_LE(0, self->space);
	self->member = sp_spawn(self->space);
	ASSERT_LT(0, self->member);
	ASSERT_EQ(1, ev_drain(self->space));
}

FIXTURE_TEARDOWN(read)
{
	EXPECT_EQ(0, sp_end(self->space));
}

/* An unbound handle is EBADFD. */
TEST(unbound)
{
	struct pidspace_event event;
	int fd = sp_device();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADFD, ev_read(fd, &event, 1));
	close(fd);
}

/* A handle without a stream is EINVAL, whatever happens in the space. */
TEST_F(read, without_stream)
{
	struct pidspace_event event;
	int plain = sp_open(NULL, self->id);

	ASSERT_LE(0, plain);
	EXPECT_EQ(-EINVAL, ev_read(plain, &event, 1));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(-EINVAL, ev_read(plain, &event, 1));
	close(plain);
}

/* Room for less than an event is EINVAL, and the event stays; events are whole. */
TEST_F(read, room)
{
	struct pidspace_event events[3];
	static const size_t less[] = { 0, 1, 87 };

	EXPECT_EQ(PIDSPACE_EVENT_SIZE, sizeof(events[0]));
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_LT(0, sp_spawn(self->space));
	for (size_t i = 0; i < ARRAY_SIZE(less); i++) {
		EXPECT_EQ(-1, read(self->space, events, less[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(sizeof(events[0]), read(self->space, events, 2 * sizeof(events[0]) - 1));
	EXPECT_EQ(2, events[0].nr);
	EXPECT_EQ(sizeof(events[0]), read(self->space, events, sizeof(events)));
	EXPECT_EQ(3, events[0].nr);
}

/* It returns as many as there are. */
TEST_F(read, batch)
{
	struct pidspace_event events[16];

	for (int i = 0; i < 10; i++)
		ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_EQ(4, ev_read(self->space, events, 4));
	ASSERT_EQ(6, ev_read(self->space, events + 4, 12));
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(i + 2, events[i].nr);
	}
}

/* Memory that cannot be written is EFAULT, and what it was to hold stays. */
TEST_F(read, bad_pointer)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct pidspace_event event;
	char *end = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)end);
	end += page;
	ASSERT_EQ(0, munmap(end, page));
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(-EFAULT, ev_read(self->space, (void *)8, 1));
	EXPECT_EQ(-EFAULT, ev_read(self->space, (void *)(end - 8), 1));
	/* The first one fits, the second does not. */
	EXPECT_EQ(1, ev_read(self->space, (void *)(end - sizeof(event)), 2));
	memcpy(&event, end - sizeof(event), sizeof(event));
	EXPECT_EQ(2, event.nr);
	ASSERT_EQ(1, ev_read(self->space, &event, 1));
	EXPECT_EQ(3, event.nr);
	munmap(end - page, page);
}

/* With O_NONBLOCK, nothing to read is EAGAIN. */
TEST_F(read, nonblocking)
{
	struct pidspace_event event;

	ASSERT_EQ(0, fcntl(self->space, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, ev_read(self->space, &event, 1));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(1, ev_read(self->space, &event, 1));
	EXPECT_EQ(-EAGAIN, ev_read(self->space, &event, 1));
}

/* Reads one event and returns its number, or 0 at the end. */
static long read_nr(long fd)
{
	struct pidspace_event event;
	int got = ev_read(fd, &event, 1);

	return got > 0 ? (long)event.nr : got;
}

static int start_reader(struct agent *reader, int fd)
{
	int err = agent_start(reader, AGENT_OUTSIDE);

	if (!err)
		err = agent_send(reader, read_nr, fd);
	if (!err && !WAIT_FOR(ev_sleeps_in(reader->pid, SYS_read)))
		err = -ETIMEDOUT;
	return err;
}

/* Without, it waits for an event. */
TEST_F(read, waits)
{
	struct agent reader;

	ASSERT_EQ(0, start_reader(&reader, self->space));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(2, agent_receive(&reader));
	agent_stop(&reader);
}

static void on_signal(int sig)
{
	(void)sig;
}

static long handle_signal(long flags)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	return sigaction(SIGUSR2, &action, NULL) ? -errno : 0;
}

/* A signal ends the wait with EINTR, and takes nothing. */
TEST_F(read, interrupted)
{
	struct agent reader;

	ASSERT_EQ(0, agent_start(&reader, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&reader, handle_signal, 0));
	ASSERT_EQ(0, agent_send(&reader, read_nr, self->space));
	ASSERT_TRUE(WAIT_FOR(ev_sleeps_in(reader.pid, SYS_read)));
	ASSERT_EQ(0, kill(reader.pid, SIGUSR2));
	EXPECT_EQ(-EINTR, agent_receive(&reader));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(2, agent_call(&reader, read_nr, self->space));
	agent_stop(&reader);
}

/* With a handler that asks for it, the read is started again. */
TEST_F(read, restarted)
{
	struct agent reader;

	ASSERT_EQ(0, agent_start(&reader, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&reader, handle_signal, SA_RESTART));
	ASSERT_EQ(0, agent_send(&reader, read_nr, self->space));
	ASSERT_TRUE(WAIT_FOR(ev_sleeps_in(reader.pid, SYS_read)));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, kill(reader.pid, SIGUSR2));
		ASSERT_TRUE(WAIT_FOR(!sp_pending(reader.pid, SIGUSR2) &&
				     ev_sleeps_in(reader.pid, SYS_read)));
	}
	EXPECT_EQ(0, ev_poll(reader.fd) & POLLIN);
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(2, agent_receive(&reader));
	agent_stop(&reader);
}

/* A reader that waits can be killed. */
TEST_F(read, killed)
{
	struct agent reader;

	ASSERT_EQ(0, start_reader(&reader, self->space));
	ASSERT_EQ(0, kill(reader.pid, SIGKILL));
	EXPECT_EQ(SIGKILL, sp_reap(reader.pid));
	close(reader.fd);
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(2, read_nr(self->space));
}

/* Each handle has a stream of its own, of what happens from its bind on. */
TEST_F(read, own_streams)
{
	struct pidspace_event early[4], late[4];
	int second = ev_watch(self->id, 8);
	int third;

	ASSERT_LE(0, second);
	EXPECT_EQ(0, ev_drain(second));
	ASSERT_LT(0, sp_spawn(self->space));
	third = ev_watch(self->id, 8);
	ASSERT_LE(0, third);
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_EQ(2, ev_read(self->space, early, 4));
	ASSERT_EQ(2, ev_read(second, late, 4));
	EXPECT_EQ(0, memcmp(early, late, 2 * sizeof(early[0])));
	ASSERT_EQ(1, ev_read(third, late, 4));
	EXPECT_EQ(0, memcmp(&early[1], &late[0], sizeof(early[0])));
	close(second);
	close(third);
}

/* A closed handle takes its stream along, the others go on. */
TEST_F(read, closed_stream)
{
	int second = ev_watch(self->id, 8);

	ASSERT_LE(0, second);
	ASSERT_LT(0, sp_spawn(self->space));
	close(second);
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(2, ev_drain(self->space));
}

/* A descriptor made by dup(2) has the same stream as the first. */
TEST_F(read, dup_shares)
{
	int second = dup(self->space);

	ASSERT_LE(0, second);
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_LT(0, sp_spawn(self->space));
	EXPECT_EQ(2, read_nr(second));
	EXPECT_EQ(3, read_nr(self->space));
	EXPECT_EQ(0, ev_drain(second));
	close(second);
}

/* Who shares a stream shares what comes: each event is one reader's. */
TEST_F(read, shared_by_waiting_readers)
{
	struct agent readers[READERS];
	int seen = 0;

	for (int i = 0; i < READERS; i++)
		ASSERT_EQ(0, start_reader(&readers[i], self->space));
	for (int i = 0; i < READERS; i++)
		ASSERT_LT(0, sp_spawn(self->space));
	for (int i = 0; i < READERS; i++) {
		long nr = agent_receive(&readers[i]);

		ASSERT_LE(2, nr);
		ASSERT_GE(READERS + 1, nr);
		seen |= 1 << nr;
		agent_stop(&readers[i]);
	}
	EXPECT_EQ(((1 << READERS) - 1) << 2, seen);
}

/* The last number is an event of its own, behind the exit. */
TEST_F(read, empty)
{
	struct pidspace_event events[4];
	__u64 before = ev_clock();

	ASSERT_EQ(0, sp_kill_reap(self->member));
	ASSERT_EQ(2, ev_read(self->space, events, 4));
	EXPECT_EQ(PIDSPACE_EVENT_EXIT, events[0].type);
	EXPECT_EQ(PIDSPACE_EVENT_EMPTY, events[1].type);
	EXPECT_EQ(0, events[1].nr);
	EXPECT_EQ(0, events[1].parent);
	EXPECT_EQ(0, events[1].global);
	EXPECT_EQ(0, events[1].generation);
	EXPECT_EQ(0, events[1].count);
	EXPECT_LE(before, events[0].time);
	EXPECT_LE(events[0].time, events[1].time);
	EXPECT_LE(events[1].time, ev_clock());
}

/* Each time the space empties there is one. */
TEST_F(read, empty_again)
{
	ASSERT_EQ(0, sp_kill_reap(self->member));
	ASSERT_EQ(2, ev_drain(self->space));
	for (int i = 0; i < 3; i++) {
		struct pidspace_event events[4];

		ASSERT_EQ(0, ev_churn_in(self->space, 1));
		ASSERT_EQ(3, ev_read(self->space, events, 4));
		EXPECT_EQ(PIDSPACE_EVENT_FORK, events[0].type);
		EXPECT_EQ(PIDSPACE_EVENT_EXIT, events[1].type);
		EXPECT_EQ(PIDSPACE_EVENT_EMPTY, events[2].type);
	}
}

/* What happened can be read when the space is gone, and then comes the end. */
TEST_F(read, gone)
{
	struct pidspace_event event;

	ASSERT_EQ(0, sp_kill_reap(self->member));
	ASSERT_EQ(0, sp_destroy(self->space, 0));
	ASSERT_EQ(-ESTALE, sp_numbers(self->space));
	ASSERT_EQ(1, ev_read(self->space, &event, 1));
	EXPECT_EQ(PIDSPACE_EVENT_EXIT, event.type);
	ASSERT_EQ(1, ev_read(self->space, &event, 1));
	EXPECT_EQ(PIDSPACE_EVENT_EMPTY, event.type);
	EXPECT_EQ(0, ev_read(self->space, &event, 1));
	ASSERT_EQ(0, fcntl(self->space, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, ev_read(self->space, &event, 1));
}

/* The end also comes to readers that wait for it. */
TEST_F(read, gone_while_waiting)
{
	struct agent readers[READERS];

	ASSERT_EQ(0, sp_kill_reap(self->member));
	ASSERT_EQ(2, ev_drain(self->space));
	for (int i = 0; i < READERS; i++)
		ASSERT_EQ(0, start_reader(&readers[i], self->space));
	ASSERT_EQ(0, sp_destroy(self->space, 0));
	for (int i = 0; i < READERS; i++) {
		EXPECT_EQ(0, agent_receive(&readers[i]));
		agent_stop(&readers[i]);
	}
}

/* Also when it is destroyed with what is in it. */
TEST_F(read, killed_while_waiting)
{
	struct agent reader;

	ASSERT_EQ(0, start_reader(&reader, self->space));
	signal(SIGCHLD, SIG_IGN);
	ASSERT_EQ(0, sp_destroy(self->space, PIDSPACE_DESTROY_F_KILL));
	signal(SIGCHLD, SIG_DFL);
	EXPECT_EQ(1, agent_receive(&reader));
	EXPECT_EQ(0, agent_call(&reader, read_nr, self->space));
	EXPECT_EQ(0, agent_call(&reader, read_nr, self->space));
	agent_stop(&reader);
}

TEST_HARNESS_MAIN
