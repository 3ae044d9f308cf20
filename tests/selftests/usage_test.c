// SPDX-License-Identifier: GPL-2.0
/* Exit events: the times and the size that wait4(2) would tell. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

#define NS_PER_MS	1000000LL

/* How much CPU time a child takes, and how far off its event's may be. */
#define BURN_MS		400
#define TOLERANCE_MS	150

/* How much memory a child fills, in kilobytes. */
#define FILL_KB		(32 << 10)

/* A space with a member that stays, or it would empty each time. */
FIXTURE(usage) {
	int space;
};

FIXTURE_SETUP(usage)
{
	ASSERT_EQ(0, sp_init());
	self->space = ev_watch_new(64, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_LT(0, sp_spawn(self->space));
	ASSERT_EQ(1, ev_drain(self->space));
}

FIXTURE_TEARDOWN(usage)
{
	EXPECT_EQ(0, sp_end(self->space));
}

static long long cpu_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

/* Computes, for so long. */
static void *burn_user(void *unused)
{
	volatile unsigned int sum = 0;

	while (cpu_ns(CLOCK_THREAD_CPUTIME_ID) < BURN_MS * NS_PER_MS)
		for (int i = 0; i < 200000; i++)
			sum += i;
	return unused;
}

static void burn_in_main(void)
{
	burn_user(NULL);
	_exit(0);
}

static void burn_in_threads(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, burn_user, NULL))
			_exit(1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* Lets the kernel fill memory, for so long. */
static void burn_system(void)
{
	const size_t length = 4 << 20;
	char *room = mmap(NULL, length, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	while (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) < BURN_MS * NS_PER_MS)
		if (read(zero, room, length) < 0)
			break;
	_exit(0);
}

static const struct {
	const char *what;
	void (*run)(void);
	bool user;
	int threads;
} burners[] = {
	{ "in user mode", burn_in_main, true, 1 },
	{ "in threads that are gone", burn_in_threads, true, 2 },
	{ "in the kernel", burn_system, false, 1 },
};

static long long to_ns(struct timeval time)
{
	return time.tv_sec * 1000 * NS_PER_MS + time.tv_usec * 1000;
}

/* The times are wait4(2)'s, where they are spent and in whatever thread. */
TEST_F_TIMEOUT(usage, times, 60)
{
	for (size_t i = 0; i < ARRAY_SIZE(burners); i++) {
		struct pidspace_event birth, event;
		pid_t child = ev_fork_to(self->space, burners[i].run, &birth);
		struct rusage usage;
		long long user, system;

		ASSERT_LT(0, child);
		ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &event));
		ASSERT_EQ(child, wait4(child, NULL, 0, &usage));
		user = event.utime;
		system = event.stime;
		TH_LOG("%s: %lld ms and %lld ms", burners[i].what, user / NS_PER_MS,
		       system / NS_PER_MS);
		EXPECT_LE(burners[i].threads * BURN_MS * NS_PER_MS, user + system);
		if (burners[i].user) {
			EXPECT_GT(user, system);
		} else {
			EXPECT_GT(system, user);
		}
		EXPECT_GE(TOLERANCE_MS * NS_PER_MS, llabs(user - to_ns(usage.ru_utime)));
		EXPECT_GE(TOLERANCE_MS * NS_PER_MS, llabs(system - to_ns(usage.ru_stime)));
	}
}

static void burn_in_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		burn_in_main();
	if (pid > 0)
		waitpid(pid, NULL, 0);
	_exit(0);
}

/* What the children of a process spend is theirs alone. */
TEST_F(usage, times_of_children)
{
	struct pidspace_event birth, child, parent;
	pid_t pid = ev_fork_to(self->space, burn_in_child, &birth);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &child));
	ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &parent));
	EXPECT_EQ(birth.nr, parent.nr);
	EXPECT_LE(BURN_MS * NS_PER_MS, child.utime + child.stime);
	EXPECT_GT(BURN_MS * NS_PER_MS / 2, parent.utime + parent.stime);
	ASSERT_EQ(0, sp_reap(pid));
}

static void fill_memory(void)
{
	const size_t length = FILL_KB * 1024UL;
	char *room = mmap(NULL, length, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		_exit(1);
	memset(room, 1, length);
	/* The largest counts, not the last. */
	munmap(room, length);
	_exit(0);
}

static void exit_at_once(void)
{
	_exit(0);
}

/* The size is wait4(2)'s, the largest that the process had. */
TEST_F(usage, max_rss)
{
	struct pidspace_event birth, event;
	pid_t child = ev_fork_to(self->space, fill_memory, &birth);
	struct rusage usage;

	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &event));
	ASSERT_EQ(child, wait4(child, NULL, 0, &usage));
	ASSERT_LE(FILL_KB, usage.ru_maxrss);
	EXPECT_EQ(usage.ru_maxrss, event.max_rss);
	child = ev_fork_to(self->space, exit_at_once, &birth);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, ev_find(self->space, PIDSPACE_EVENT_EXIT, &event));
	ASSERT_EQ(child, wait4(child, NULL, 0, &usage));
	EXPECT_LT(0, event.max_rss);
	EXPECT_GT(FILL_KB, event.max_rss);
	EXPECT_EQ(usage.ru_maxrss, event.max_rss);
}

TEST_HARNESS_MAIN
