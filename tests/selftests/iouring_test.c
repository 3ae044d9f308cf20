// SPDX-License-Identifier: GPL-2.0
/* Threads that the kernel makes for io_uring belong to the process's space. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "agent.h"
#include "harness.h"
#include "spacelib.h"

FIXTURE(iouring) {
	int space;
	struct agent agent;
};

FIXTURE_SETUP(iouring)
{
	struct io_uring_params params = {};
	int ring = syscall(SYS_io_uring_setup, 2, &params);

	if (ring < 0 && (errno == ENOSYS || errno == EPERM))
		SKIP(return, "io_uring is not available: %s", strerror(errno));
	ASSERT_LE(0, ring);
	close(ring);
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->agent, self->space));
}

FIXTURE_TEARDOWN(iouring)
{
	agent_stop(&self->agent);
	EXPECT_EQ(0, sp_end(self->space));
}

/* The thread of process @pid beside the leader, or 0 while there is none. */
static pid_t second_thread(pid_t pid)
{
	struct dirent *entry;
	char path[32];
	pid_t found = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);

		if (tid > 0 && tid != pid)
			found = tid;
	}
	if (tasks)
		closedir(tasks);
	return found;
}

static int ring = -1;

/* A ring with a thread of its own that polls for submissions. */
static long start_poller(long unused)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SQPOLL,
		.sq_thread_idle = 1000,
	};

	(void)unused;
	ring = syscall(SYS_io_uring_setup, 2, &params);
	return ring < 0 ? -errno : 0;
}

/* A read of an empty pipe that is forced onto a worker thread. */
static long start_worker(long unused)
{
	struct io_uring_params params = {};
	struct io_uring_sqe *sqe;
	static char byte;
	unsigned int *tail, *array;
	char *sq;
	int ends[2];

	(void)unused;
	ring = syscall(SYS_io_uring_setup, 2, &params);
	if (ring < 0 || pipe2(ends, O_CLOEXEC))
		return -errno;
	sq = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(*array),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, params.sq_entries * sizeof(*sqe),
		   PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || sqe == MAP_FAILED)
		return -errno;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->flags = IOSQE_ASYNC;
	sqe->fd = ends[0];
	sqe->addr = (unsigned long)&byte;
	sqe->len = 1;
	array = (unsigned int *)(sq + params.sq_off.array);
	tail = (unsigned int *)(sq + params.sq_off.tail);
	array[*tail & (params.sq_entries - 1)] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) == 1 ? 0 : -errno;
}

static long close_ring(long unused)
{
	(void)unused;
	return close(ring) ? -errno : 0;
}

/* The submission queue's thread has a number, until its ring is closed. */
TEST_F(iouring, poller)
{
	struct pidspace_member member;
	pid_t tid = 0;

	ASSERT_EQ(0, agent_call(&self->agent, start_poller, 0));
	ASSERT_TRUE(WAIT_FOR((tid = second_thread(self->agent.pid))));
	EXPECT_EQ(2, sp_local(self->space, tid));
	ASSERT_EQ(0, sp_member(self->space, 2, &member));
	EXPECT_EQ(1, member.tgid);
	EXPECT_EQ(tid, member.global);
	EXPECT_EQ(0, member.flags);
	ASSERT_EQ(0, agent_call(&self->agent, close_ring, 0));
	EXPECT_TRUE(WAIT_FOR(sp_numbers(self->space) == 1));
}

/* A worker thread has a number, and goes with its process. */
TEST_F(iouring, worker)
{
	pid_t tid = 0;

	ASSERT_EQ(0, agent_call(&self->agent, start_worker, 0));
	ASSERT_TRUE(WAIT_FOR((tid = second_thread(self->agent.pid))));
	EXPECT_LT(1, sp_local(self->space, tid));
	EXPECT_LE(2, sp_numbers(self->space));
	agent_stop(&self->agent);
	EXPECT_TRUE(WAIT_FOR(sp_numbers(self->space) == 0));
}

TEST_HARNESS_MAIN
