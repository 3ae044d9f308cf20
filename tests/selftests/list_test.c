// SPDX-License-Identifier: GPL-2.0
/* LIST and MEMBERS: cursors, batches and entries of other sizes. */
#include "agent.h"
#include "harness.h"
#include "spacelib.h"

#define SPACES	64

FIXTURE(spaces) {
	int space[SPACES];
	__u64 id[SPACES];
};

FIXTURE_SETUP(spaces)
{
	ASSERT_EQ(0, sp_init());
	for (int i = 0; i < SPACES; i++) {
		self->space[i] = sp_create(NULL, 0, &self->id[i]);
		ASSERT_LE(0, self->space[i]);
	}
}

FIXTURE_TEARDOWN(spaces)
{
	for (int i = 0; i < SPACES; i++) {
		EXPECT_EQ(0, sp_end(self->space[i]));
	}
}

/* 64 spaces at once have a number 1 each, and know them apart. */
TEST_F(spaces, each_has_number_one)
{
	struct pidspace_nr answer;
	pid_t child[SPACES];
	int fd = sp_device();

	ASSERT_LE(0, fd);
	for (int i = 0; i < SPACES; i++) {
		child[i] = sp_spawn(self->space[i]);
		ASSERT_LT(0, child[i]);
	}
	for (int i = 0; i < SPACES; i++) {
		ASSERT_EQ(child[i], sp_global(self->space[i], 1));
		ASSERT_EQ(0, sp_lookup(fd, PIDSPACE_LOOKUP_IN_SPACE, child[i], &answer));
		ASSERT_EQ(1, answer.to);
		ASSERT_EQ(self->id[i], answer.space);
		ASSERT_EQ(-ESRCH, sp_local(self->space[(i + 1) % SPACES], child[i]));
	}
	close(fd);
}

/* LIST in one go has each of them, by ascending id. */
TEST_F(spaces, list_ascends)
{
	__u64 ids[SPACES * 4];
	int fd = sp_device();
	int count, seen = 0;

	ASSERT_LE(0, fd);
	count = sp_list_ids(fd, ids, ARRAY_SIZE(ids));
	ASSERT_LE(SPACES, count);
	for (int i = 0; i < count; i++) {
		if (i) {
			ASSERT_LT(ids[i - 1], ids[i]);
		}
		for (int j = 0; j < SPACES; j++)
			seen += ids[i] == self->id[j];
	}
	EXPECT_EQ(SPACES, seen);
	close(fd);
}

/* One that is there all the time is listed once, whatever comes and goes. */
TEST_F(spaces, cursor_stays_valid)
{
	struct pidspace_info batch[3];
	struct pidspace_list arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)batch,
		.entry_size = sizeof(batch[0]),
	};
	int times[SPACES] = {};
	int fd = sp_device();
	int round = 0;

	ASSERT_LE(0, fd);
	for (;;) {
		arg.count = ARRAY_SIZE(batch);
		ASSERT_EQ(0, sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg));
		ASSERT_GE(ARRAY_SIZE(batch), arg.count);
		if (!arg.count)
			break;
		for (unsigned int i = 0; i < arg.count; i++)
			for (int j = 0; j < SPACES; j++)
				times[j] += batch[i].id == self->id[j];
		/* The odd ones go, as many others come, up to a bound. */
		if (2 * round + 1 < SPACES) {
			int gone = 2 * round + 1;

			close(self->space[gone]);
			self->space[gone] = sp_create(NULL, 0, NULL);
			ASSERT_LE(0, self->space[gone]);
		}
		ASSERT_GT(1000, round++);
	}
	for (int j = 0; j < SPACES; j++) {
		if (j % 2) {
			EXPECT_GE(1, times[j]);
		} else {
			EXPECT_EQ(1, times[j]);
		}
	}
	close(fd);
}

/* Entries that the caller knows to be longer are filled up with zeros. */
TEST_F(spaces, larger_entries)
{
	struct {
		struct pidspace_info info;
		__u64 more[8];
	} batch[4];
	struct pidspace_list arg = {
		.size = sizeof(arg),
		.cursor = self->id[0] - 1,
		.entries = (unsigned long)batch,
		.count = ARRAY_SIZE(batch),
		.entry_size = sizeof(batch[0]),
	};
	int fd = sp_device();

	ASSERT_LE(0, fd);
	memset(batch, 0xff, sizeof(batch));
	ASSERT_EQ(0, sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg));
	ASSERT_EQ(ARRAY_SIZE(batch), arg.count);
	for (size_t i = 0; i < ARRAY_SIZE(batch); i++) {
		EXPECT_EQ(self->id[i], batch[i].info.id);
		for (size_t j = 0; j < ARRAY_SIZE(batch[i].more); j++) {
			EXPECT_EQ(0, batch[i].more[j]);
		}
	}
	EXPECT_EQ(self->id[3], arg.cursor);
	arg.entry_size = PIDSPACE_INFO_SIZE_VER0 - 1;
	EXPECT_EQ(-EINVAL, sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg));
	arg.entry_size = 4097;
	EXPECT_EQ(-E2BIG, sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg));
	arg.entry_size = sizeof(batch[0]);
	arg.entries = 8;
	arg.cursor = 0;
	EXPECT_EQ(-EFAULT, sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg));
	close(fd);
}

/* Entries that the caller knows to be shorter end where it expects them to. */
TEST_F(spaces, shorter_entries)
{
	unsigned char batch[4][PIDSPACE_INFO_SIZE_VER0];
	struct pidspace_list arg = {
		.size = sizeof(arg),
		.cursor = self->id[0] - 1,
		.entries = (unsigned long)batch,
		.count = ARRAY_SIZE(batch) - 1,
		.entry_size = sizeof(batch[0]),
	};
	int fd = sp_device();

	ASSERT_LE(0, fd);
	memset(batch, 0xff, sizeof(batch));
	ASSERT_EQ(0, sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg));
	ASSERT_EQ(ARRAY_SIZE(batch) - 1, arg.count);
	for (size_t i = 0; i < ARRAY_SIZE(batch) - 1; i++) {
		struct pidspace_info info;

		memcpy(&info, batch[i], sizeof(batch[i]));
		EXPECT_EQ(self->id[i], info.id);
		EXPECT_EQ(PIDSPACE_PID_MAX_DEFAULT, info.pid_max);
	}
	for (size_t j = 0; j < sizeof(batch[0]); j++) {
		EXPECT_EQ(0xff, batch[ARRAY_SIZE(batch) - 1][j]);
	}
	close(fd);
}

#define CHILDREN	24

FIXTURE(members) {
	int space;
	pid_t child[CHILDREN];
};

FIXTURE_SETUP(members)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
	for (int i = 0; i < CHILDREN; i++) {
		self->child[i] = sp_spawn(self->space);
		ASSERT_LT(0, self->child[i]);
	}
}

FIXTURE_TEARDOWN(members)
{
	EXPECT_EQ(0, sp_end(self->space));
}

/* A number in use all the time is reported once, whatever comes and goes. */
TEST_F(members, cursor_stays_valid)
{
	struct pidspace_member batch[3];
	struct pidspace_members arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)batch,
		.entry_size = sizeof(batch[0]),
	};
	int times[CHILDREN + 1] = {};
	unsigned int last = 0;
	int round = 0;

	for (;;) {
		arg.count = ARRAY_SIZE(batch);
		ASSERT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_MEMBERS, &arg));
		if (!arg.count)
			break;
		for (unsigned int i = 0; i < arg.count; i++) {
			ASSERT_LT(last, batch[i].nr);
			last = batch[i].nr;
			if (last <= CHILDREN)
				times[last]++;
		}
		/* Number 2, 4 ... go, as many above all others come, up to a bound. */
		if (2 * round + 1 < CHILDREN) {
			ASSERT_EQ(0, sp_kill_reap(self->child[2 * round + 1]));
			ASSERT_LT(0, sp_spawn(self->space));
		}
		ASSERT_GT(1000, round++);
	}
	for (int nr = 1; nr <= CHILDREN; nr++) {
		if (nr % 2) {
			EXPECT_EQ(1, times[nr]);
		} else {
			EXPECT_GE(1, times[nr]);
		}
	}
}

/* Each use of a number has a generation of its own. */
TEST_F(members, generations_differ)
{
	struct pidspace_member members[CHILDREN];

	ASSERT_EQ(CHILDREN, sp_members(self->space, members, CHILDREN));
	for (int i = 0; i < CHILDREN; i++) {
		EXPECT_EQ(i + 1, members[i].nr);
		EXPECT_EQ(self->child[i], members[i].global);
		EXPECT_EQ(0, members[i].ppid);
		for (int j = 0; j < i; j++) {
			EXPECT_NE(members[j].generation, members[i].generation);
		}
	}
}

/* More room than one call fills is no error. */
TEST_F(members, larger_batch_than_allowed)
{
	static struct pidspace_member batch[PIDSPACE_BATCH_MAX];
	struct pidspace_members arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)batch,
		.count = ~0U,
		.entry_size = sizeof(batch[0]),
	};

	ASSERT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_MEMBERS, &arg));
	EXPECT_EQ(CHILDREN, arg.count);
	EXPECT_EQ(CHILDREN, arg.cursor);
	arg.count = ~0U;
	ASSERT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_MEMBERS, &arg));
	EXPECT_EQ(0, arg.count);
}

/* Entries that the caller knows to be longer are filled up with zeros. */
TEST_F(members, larger_entries)
{
	struct {
		struct pidspace_member member;
		__u64 more[4];
	} batch[2];
	struct pidspace_members arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)batch,
		.count = ARRAY_SIZE(batch),
		.entry_size = sizeof(batch[0]),
	};

	memset(batch, 0xff, sizeof(batch));
	ASSERT_EQ(0, sp_ioctl(self->space, PIDSPACE_IOC_MEMBERS, &arg));
	ASSERT_EQ(2, arg.count);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(i + 1, batch[i].member.nr);
		for (size_t j = 0; j < ARRAY_SIZE(batch[i].more); j++) {
			EXPECT_EQ(0, batch[i].more[j]);
		}
	}
	arg.cursor = 0;
	arg.entry_size = PIDSPACE_MEMBER_SIZE_VER0 - 1;
	EXPECT_EQ(-EINVAL, sp_ioctl(self->space, PIDSPACE_IOC_MEMBERS, &arg));
	arg.entry_size = 4097;
	EXPECT_EQ(-E2BIG, sp_ioctl(self->space, PIDSPACE_IOC_MEMBERS, &arg));
	arg.entry_size = sizeof(batch[0]);
	arg.entries = 8;
	EXPECT_EQ(-EFAULT, sp_ioctl(self->space, PIDSPACE_IOC_MEMBERS, &arg));
}

TEST_HARNESS_MAIN
