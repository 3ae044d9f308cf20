// SPDX-License-Identifier: GPL-2.0
/* LOOKUP: from the space, into the space, from a pidfd, one by one and in batches. */
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

FIXTURE(lookup) {
	int space;
	__u64 id;
	struct agent member;
};

FIXTURE_SETUP(lookup)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, &self->id);
	ASSERT_LE(0, self->space);
	ASSERT_EQ(0, agent_start(&self->member, self->space));
}

FIXTURE_TEARDOWN(lookup)
{
	agent_stop(&self->member);
	EXPECT_EQ(0, sp_end(self->space));
}

static int pidfd_of(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* A local number finds the global one, with the id of the space. */
TEST_F(lookup, from_space)
{
	struct pidspace_nr answer;

	ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_FROM_SPACE, 1, &answer));
	EXPECT_EQ(self->member.pid, answer.to);
	EXPECT_EQ(1, answer.from);
	EXPECT_EQ(self->id, answer.space);
}

/* A global number finds the local one. */
TEST_F(lookup, in_space)
{
	struct pidspace_nr answer;

	ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_IN_SPACE,
			       self->member.pid, &answer));
	EXPECT_EQ(1, answer.to);
	EXPECT_EQ(self->id, answer.space);
}

/* A pidfd finds the local number of its process. */
TEST_F(lookup, from_pidfd)
{
	struct pidspace_nr answer;
	int pidfd = pidfd_of(self->member.pid);

	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, pidfd, &answer));
	EXPECT_EQ(1, answer.to);
	EXPECT_EQ(self->id, answer.space);
	close(pidfd);
}

/* The pidfd of a process that is no member, or is gone, finds nothing. */
TEST_F(lookup, pidfd_of_no_member)
{
	struct pidspace_nr answer;
	pid_t child = sp_spawn(self->space);
	int own = pidfd_of(getpid());
	int gone = pidfd_of(child);

	ASSERT_LE(0, own);
	ASSERT_LE(0, gone);
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(-ESRCH, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, own, &answer));
	EXPECT_EQ(-ESRCH, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, gone, &answer));
	close(own);
	close(gone);
}

/* Nor does it find a member that has the global number of its process now. */
TEST_F(lookup, pidfd_of_number_used_again)
{
	struct pidspace_nr answer;
	pid_t child = sp_fork_paused();
	int gone = pidfd_of(child);

	ASSERT_LE(0, gone);
	ASSERT_EQ(0, sp_kill_reap(child));
	ASSERT_EQ(0, sp_mark(self->space));
	ASSERT_EQ(child, ev_fork_as(child));
	ASSERT_EQ(0, sp_clear(self->space));
	EXPECT_EQ(2, sp_local(self->space, child));
	EXPECT_EQ(-ESRCH, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, gone, &answer));
	close(gone);
}

/* What is not a pidfd is EBADF. */
TEST_F(lookup, bad_pidfd)
{
	struct pidspace_nr answer;

	EXPECT_EQ(-EBADF, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, -1, &answer));
	EXPECT_EQ(-EBADF, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD,
				    self->space, &answer));
}

/* Threads have numbers of their own, both ways. */
TEST_F(lookup, thread)
{
	long tid = agent_call(&self->member, verb_thread, 0);

	ASSERT_LT(0, tid);
	EXPECT_EQ(2, sp_local(self->space, tid));
	EXPECT_EQ(tid, sp_global(self->space, 2));
}

/* Numbers that nobody has are ESRCH, whatever they are. */
TEST_F(lookup, not_found)
{
	static const int none[] = { 0, 2, -1, -2, 300, 32767, 32768, 4194304,
				    INT_MAX, INT_MIN };
	struct pidspace_nr answer;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT_EQ(-ESRCH, sp_lookup(self->space, PIDSPACE_LOOKUP_FROM_SPACE,
					    none[i], &answer))
			TH_LOG("local %d", none[i]);
	}
	EXPECT_EQ(-ESRCH, sp_local(self->space, getpid()));
	EXPECT_EQ(-ESRCH, sp_local(self->space, 0));
	EXPECT_EQ(-ESRCH, sp_local(self->space, -1));
	EXPECT_EQ(-ESRCH, sp_local(self->space, INT_MAX));
}

/* Who was adopted is found by the number that it keeps, and only as long as it lives. */
TEST_F(lookup, adopted)
{
	struct pidspace_nr answer;
	pid_t child = sp_fork_paused();
	int pidfd = pidfd_of(child);

	ASSERT_LE(0, pidfd);
	EXPECT_EQ(-ESRCH, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, pidfd, &answer));
	ASSERT_EQ(0, sp_adopt(self->space, child, 0));
	EXPECT_EQ(child, sp_local(self->space, child));
	EXPECT_EQ(child, sp_global(self->space, child));
	ASSERT_EQ(0, sp_lookup(self->space, PIDSPACE_LOOKUP_PIDFD, pidfd, &answer));
	EXPECT_EQ(child, answer.to);
	EXPECT_EQ(self->id, answer.space);
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(-ESRCH, sp_local(self->space, child));
	EXPECT_EQ(-ESRCH, sp_global(self->space, child));
	close(pidfd);
}

/* A number that was released is one that nobody has. */
TEST_F(lookup, released)
{
	pid_t child = sp_spawn(self->space);

	ASSERT_EQ(child, sp_global(self->space, 2));
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_EQ(-ESRCH, sp_global(self->space, 2));
	EXPECT_EQ(-ESRCH, sp_kill(self->space, 2, 0));
}

/* A bound handle does not find members of another space. */
TEST_F(lookup, other_space)
{
	int other = sp_create(NULL, 0, NULL);
	pid_t stranger;

	ASSERT_LE(0, other);
	stranger = sp_spawn(other);
	ASSERT_LT(0, stranger);
	EXPECT_EQ(1, sp_local(other, stranger));
	EXPECT_EQ(-ESRCH, sp_local(self->space, stranger));
	EXPECT_EQ(-ESRCH, sp_local(other, self->member.pid));
	EXPECT_EQ(0, sp_end(other));
}

/* An operation that does not exist is EINVAL. */
TEST_F(lookup, bad_operation)
{
	struct pidspace_nr answer;

	EXPECT_EQ(-EINVAL, sp_lookup(self->space, 3, 1, &answer));
	EXPECT_EQ(-EINVAL, sp_lookup(self->space, ~0U, 1, &answer));
}

/* A batch answers each question, with 0 where there is no such member. */
TEST_F(lookup, batch)
{
	long child = agent_call(&self->member, verb_fork, 0);
	struct pidspace_nr entries[] = {
		{ .from = 2 }, { .from = 99 }, { .from = 1 }, { .from = -1 }, { .from = 2 },
	};
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_FROM_SPACE,
		.count = ARRAY_SIZE(entries),
		.entries = (unsigned long)entries,
	};

	ASSERT_LT(0, child);
	ASSERT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_LOOKUP, &arg));
	EXPECT_EQ(child, entries[0].to);
	EXPECT_EQ(0, entries[1].to);
	EXPECT_EQ(self->member.pid, entries[2].to);
	EXPECT_EQ(0, entries[3].to);
	EXPECT_EQ(child, entries[4].to);
	EXPECT_EQ(self->id, entries[0].space);
	EXPECT_EQ(entries[0].generation, entries[4].generation);
	EXPECT_NE(entries[0].generation, entries[2].generation);
}

/* The largest batch is answered to the last entry, a larger one is EINVAL. */
TEST_F(lookup, batch_limit)
{
	static struct pidspace_nr entries[PIDSPACE_BATCH_MAX + 1];
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_IN_SPACE,
		.count = PIDSPACE_BATCH_MAX,
		.entries = (unsigned long)entries,
	};
	int found = 0;

	for (int i = 0; i < PIDSPACE_BATCH_MAX; i++)
		entries[i].from = self->member.pid;
	ASSERT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_LOOKUP, &arg));
	for (int i = 0; i < PIDSPACE_BATCH_MAX; i++)
		found += entries[i].to == 1;
	EXPECT_EQ(PIDSPACE_BATCH_MAX, found);
	arg.count = PIDSPACE_BATCH_MAX + 1;
	EXPECT_EQ(-EINVAL, sp_ioctl(self->space, PIDSPACE_IOC_LOOKUP, &arg));
}

/* A batch in memory that cannot be written is EFAULT. */
TEST_F(lookup, batch_bad_pointer)
{
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_IN_SPACE,
		.count = 1,
		.entries = 8,
	};

	EXPECT_EQ(-EFAULT, sp_ioctl(self->space, PIDSPACE_IOC_LOOKUP, &arg));
}

/* What one form of the question does not use must be zero in it. */
TEST_F(lookup, unused_fields)
{
	struct pidspace_nr entry = { .from = 1 };
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_FROM_SPACE,
		.entries = (unsigned long)&entry,
		.nr.from = 1,
	};

	EXPECT_EQ(-EINVAL, sp_ioctl(self->space, PIDSPACE_IOC_LOOKUP, &arg));
	arg.count = 1;
	EXPECT_EQ(-EINVAL, sp_ioctl(self->space, PIDSPACE_IOC_LOOKUP, &arg));
	arg.nr.from = 0;
	EXPECT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_LOOKUP, &arg));
	EXPECT_EQ(self->member.pid, entry.to);
}

/* An unbound handle finds a member of any space, and tells which. */
TEST_F(lookup, unbound_handle)
{
	struct pidspace_nr answer;
	int other = sp_create(NULL, 0, NULL);
	int fd = sp_device();
	pid_t stranger;

	ASSERT_LE(0, other);
	ASSERT_LE(0, fd);
	stranger = sp_spawn(other);
	ASSERT_EQ(0, sp_lookup(fd, PIDSPACE_LOOKUP_IN_SPACE, self->member.pid, &answer));
	EXPECT_EQ(1, answer.to);
	EXPECT_EQ(self->id, answer.space);
	ASSERT_EQ(0, sp_lookup(fd, PIDSPACE_LOOKUP_IN_SPACE, stranger, &answer));
	EXPECT_EQ(1, answer.to);
	EXPECT_NE(self->id, answer.space);
	EXPECT_EQ(-ESRCH, sp_local(fd, getpid()));
	EXPECT_EQ(-EBADFD, sp_global(fd, 1));
	close(fd);
	EXPECT_EQ(0, sp_end(other));
}

static long local_of_self(long fd)
{
	return sp_local(fd, getpid());
}

static long global_of_one(long fd)
{
	return sp_global(fd, 1);
}

/* A member translates with a handle that it inherited. */
TEST_F(lookup, from_inside)
{
	EXPECT_EQ(1, agent_call(&self->member, local_of_self, self->space));
	EXPECT_EQ(self->member.pid, agent_call(&self->member, global_of_one, self->space));
}

/* A number that was used again has another generation. */
TEST_F(lookup, generation_tells_uses_apart)
{
	struct pidspace_nr before, after;
	int space = sp_create(NULL, 301, NULL);
	pid_t child = 0;

	ASSERT_LE(0, space);
	for (int i = 1; i <= 300; i++) {
		child = sp_spawn(space);
		ASSERT_LT(0, child);
		if (i < 300) {
			ASSERT_EQ(0, sp_kill_reap(child));
		}
	}
	ASSERT_EQ(0, sp_lookup(space, PIDSPACE_LOOKUP_IN_SPACE, child, &before));
	ASSERT_EQ(300, before.to);
	ASSERT_EQ(0, sp_kill_reap(child));
	child = sp_spawn(space);
	ASSERT_EQ(0, sp_lookup(space, PIDSPACE_LOOKUP_IN_SPACE, child, &after));
	EXPECT_EQ(300, after.to);
	EXPECT_LT(before.generation, after.generation);
	EXPECT_EQ(0, sp_end(space));
}

TEST_HARNESS_MAIN
