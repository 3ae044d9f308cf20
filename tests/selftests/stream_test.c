// SPDX-License-Identifier: GPL-2.0
/* Many events: none is lost silently, whoever reads how fast. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define CHILDREN	(10000 / WORK_SCALE)
#define PRODUCERS	2
#define STALLED		300

/* A space with members that stay and have the children of the test. */
FIXTURE(stream) {
	__u64 id;
	int space;
	struct agent producers[PRODUCERS];
};

FIXTURE_SETUP(stream)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, &self->id);
	ASSERT_LE(0, self->space);
	for (int i = 0; i < PRODUCERS; i++)
		ASSERT_EQ(0, agent_start(&self->producers[i], self->space));
}

FIXTURE_TEARDOWN(stream)
{
	for (int i = 0; i < PRODUCERS; i++)
		agent_stop(&self->producers[i]);
	EXPECT_EQ(0, sp_end(self->space));
}

/* How the child with a global number ends, as wait(2) encodes it. */
static unsigned int end_of(pid_t pid)
{
	return pid % 8 ? (pid % 251) << 8 : SIGKILL;
}

static int produce_one(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		pid = getpid();
		if (end_of(pid) == SIGKILL)
			kill(pid, SIGKILL);
		_exit(end_of(pid) >> 8);
	}
	if (pid < 0)
		return -errno;
	return sp_reap(pid) == (int)end_of(pid) ? 0 : -EPROTO;
}

/* Has @count children that end as said above, one after the other. */
static long produce(long count)
{
	int err = 0;

	while (count-- && !err)
		err = produce_one();
	return err;
}

/* What has been seen of a child, by its generation. */
struct life {
	unsigned int nr;
	unsigned int global;
	__u64 born;
	bool ended;
};

/* What a reader has seen. */
struct record {
	struct life lives[CHILDREN + PRODUCERS + 1];
	int forks;
	int exits;
	__u64 missing;
	/* The first event that was not as it should be; 0 while there is none. */
	int wrong;
	struct pidspace_event culprit;
};

/* What is wrong with an event, told as the line that finds it. */
static int check_fork(struct record *record, const struct pidspace_event *event)
{
	struct life *life = &record->lives[event->generation];

	if (life->nr)
		return __LINE__;
	if (event->parent < 1 || event->parent > PRODUCERS)
		return __LINE__;
	*life = (struct life) {
		.nr = event->nr,
		.global = event->global,
		.born = event->time,
	};
	record->forks++;
	return 0;
}

static int check_exit(struct record *record, const struct pidspace_event *event)
{
	struct life *life = &record->lives[event->generation];

	if (life->nr != event->nr || life->global != event->global || life->ended)
		return __LINE__;
	if (event->time < life->born)
		return __LINE__;
	if (event->status != end_of(event->global))
		return __LINE__;
	life->ended = true;
	record->exits++;
	return 0;
}

static int check(struct record *record, const struct pidspace_event *event)
{
	if (event->generation >= ARRAY_SIZE(record->lives))
		return __LINE__;
	switch (event->type) {
	case PIDSPACE_EVENT_FORK:
		return check_fork(record, event);
	case PIDSPACE_EVENT_EXIT:
		return check_exit(record, event);
	case PIDSPACE_EVENT_OVERFLOW:
		record->missing += event->count;
		return 0;
	default:
		return __LINE__;
	}
}

static void note(struct record *record, const struct pidspace_event *event)
{
	int wrong = check(record, event);

	if (wrong && !record->wrong) {
		record->wrong = wrong;
		record->culprit = *event;
	}
}

/* A thread that reads until it has seen so many exits. */
struct reader {
	struct record record;
	int fd;
	int exits;
};

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	struct pidspace_event events[64];
	int got;

	while (reader->record.exits < reader->exits && !reader->record.wrong) {
		got = ev_read(reader->fd, events, ARRAY_SIZE(events));
		if (got <= 0)
			break;
		for (int i = 0; i < got; i++)
			note(&reader->record, &events[i]);
	}
	return NULL;
}

#define EXPECT_RIGHT(record)						\
	EXPECT_EQ(0, (record)->wrong)					\
		TH_LOG("line %d: type %u nr %u parent %u global %u status %x", \
		       (record)->wrong, (record)->culprit.type,		\
		       (record)->culprit.nr, (record)->culprit.parent,	\
		       (record)->culprit.global, (record)->culprit.status)

/* 10 000 short-lived children: each is born and ends once, with its status. */
TEST_F_TIMEOUT(stream, every_child_is_seen, 150)
{
	static struct reader reader = { .exits = CHILDREN };
	pthread_t thread;

	reader.fd = ev_watch(self->id, 1 << 14);
	ASSERT_LE(0, reader.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_all, &reader));
	for (int i = 0; i < PRODUCERS; i++)
		agent_send(&self->producers[i], produce, CHILDREN / PRODUCERS);
	for (int i = 0; i < PRODUCERS; i++) {
		long result;

		do {
			result = agent_receive(&self->producers[i]);
		} while (result == -EAGAIN);
		EXPECT_EQ(0, result);
	}
	ASSERT_TRUE(WAIT_FOR(reader.record.exits == CHILDREN || reader.record.wrong));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_RIGHT(&reader.record);
	EXPECT_EQ(CHILDREN, reader.record.forks);
	EXPECT_EQ(CHILDREN, reader.record.exits);
	EXPECT_EQ(0, reader.record.missing);
	EXPECT_EQ(0, ev_drain(reader.fd));
	close(reader.fd);
}

/* The largest stream holds as many as it says, and not one more. */
TEST_F(stream, stalled_reader)
{
	static struct pidspace_event events[2 * STALLED];
	int fd = ev_watch(self->id, STALLED);
	__u64 before = ev_clock();
	int got = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, agent_call(&self->producers[0], produce, STALLED));
	for (int count = 1; count > 0 && ev_poll(fd) & POLLIN; got += count) {
		count = ev_read(fd, events + got, ARRAY_SIZE(events) - got);
		ASSERT_LT(0, count);
	}
	ASSERT_EQ(STALLED + 1, got);
	for (int i = 0; i < STALLED; i++) {
		EXPECT_EQ(i % 2 ? PIDSPACE_EVENT_EXIT : PIDSPACE_EVENT_FORK, events[i].type);
	}
	EXPECT_EQ(PIDSPACE_EVENT_OVERFLOW, events[STALLED].type);
	EXPECT_EQ(STALLED, events[STALLED].count);
	EXPECT_LE(before, events[STALLED].time);
	EXPECT_GE(ev_clock(), events[STALLED].time);
	EXPECT_EQ(0, events[STALLED].nr);
	EXPECT_EQ(0, events[STALLED].generation);
	EXPECT_EQ(0, events[STALLED].status);
	/* From then on events are told again. */
	ASSERT_EQ(0, agent_call(&self->producers[0], produce, 1));
	EXPECT_EQ(2, ev_drain(fd));
	close(fd);
}

/* What is lost is told where it is missing: nothing is stored until then. */
TEST_F(stream, overflow_has_its_place)
{
	struct pidspace_event event;
	int fd = ev_watch(self->id, 4);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, agent_call(&self->producers[0], produce, 3));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(1, ev_read(fd, &event, 1));
		EXPECT_NE(PIDSPACE_EVENT_OVERFLOW, event.type);
	}
	/* There is room, but it is behind the gap. */
	ASSERT_EQ(0, agent_call(&self->producers[0], produce, 1));
	ASSERT_EQ(1, ev_read(fd, &event, 1));
	EXPECT_EQ(PIDSPACE_EVENT_EXIT, event.type);
	ASSERT_EQ(1, ev_read(fd, &event, 1));
	EXPECT_EQ(PIDSPACE_EVENT_OVERFLOW, event.type);
	EXPECT_EQ(4, event.count);
	EXPECT_EQ(0, ev_drain(fd));
	close(fd);
}

/* The smallest stream holds one event, the largest as many as the header says. */
TEST_F(stream, sizes)
{
	struct pidspace_event event;
	int small = ev_watch(self->id, 1);
	int large = ev_watch(self->id, PIDSPACE_EVENTS_MAX);

	ASSERT_LE(0, small);
	ASSERT_LE(0, large);
	EXPECT_EQ(-EINVAL, ev_watch(self->id, PIDSPACE_EVENTS_MAX + 1));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, agent_call(&self->producers[0], produce, 50));
		ASSERT_EQ(1, ev_read(small, &event, 1));
		EXPECT_EQ(PIDSPACE_EVENT_FORK, event.type);
		ASSERT_EQ(1, ev_read(small, &event, 1));
		EXPECT_EQ(PIDSPACE_EVENT_OVERFLOW, event.type);
		EXPECT_EQ(99, event.count);
	}
	/* One stream's overflow is not another's. */
	EXPECT_EQ(200, ev_drain(large));
	close(small);
	close(large);
}

/* Reads all there is, in no hurry, and tells how often events were missing. */
static int read_slowly(int fd, struct record *record)
{
	struct pidspace_event event;
	int overflows = 0;

	while (ev_poll(fd) & POLLIN && ev_read(fd, &event, 1) == 1) {
		if (event.type == PIDSPACE_EVENT_OVERFLOW) {
			record->missing += event.count;
			overflows++;
		} else if (event.type == PIDSPACE_EVENT_FORK) {
			record->forks++;
		} else if (event.type != PIDSPACE_EVENT_EXIT ||
			   event.status != end_of(event.global)) {
			record->wrong++;
		} else {
			record->exits++;
		}
		if (!(rand() % 8))
			usleep(50000);
	}
	return overflows;
}

/* How much a slow reader has room for, how often it begins, and how many are born each time. */
#define ROOM		8
#define BEGINNINGS	2
#define BIRTHS		500

/* A reader too slow for what happens: what it sees and what it is told add up. */
TEST_F_TIMEOUT(stream, slow_reader, 90)
{
	static struct record record;
	int fd = ev_watch(self->id, ROOM);
	int overflows = 0;

	ASSERT_LE(0, fd);
	for (int round = 0; round < BEGINNINGS; round++) {
		struct pidspace_info info;
		bool done = false;
		__u64 before;

		ASSERT_EQ(0, sp_info(self->space, &info));
		before = info.generation;
		for (int i = 0; i < PRODUCERS; i++)
			agent_send(&self->producers[i], produce, BIRTHS);
		/* More happens than there is room for before the first event is read. */
		ASSERT_TRUE(WAIT_FOR(!sp_info(self->space, &info) &&
				     info.generation > before + ROOM + PRODUCERS));
		while (!done) {
			done = ev_poll(self->producers[0].fd) & POLLIN &&
			       ev_poll(self->producers[1].fd) & POLLIN;
			overflows += read_slowly(fd, &record);
		}
		for (int i = 0; i < PRODUCERS; i++) {
			EXPECT_EQ(0, agent_receive(&self->producers[i]));
		}
	}
	EXPECT_EQ(0, record.wrong);
	EXPECT_LE(BEGINNINGS, overflows);
	EXPECT_LT(ROOM, record.forks + record.exits);
	EXPECT_EQ(BEGINNINGS * PRODUCERS * 2 * BIRTHS,
		  record.forks + record.exits + record.missing);
	close(fd);
}

TEST_HARNESS_MAIN
