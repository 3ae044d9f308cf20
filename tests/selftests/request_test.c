// SPDX-License-Identifier: GPL-2.0
/* CREATE and OPEN: what can be asked for beside a space, and by whom. */
#include <sys/mman.h>

#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

/* What CREATE does not know is EINVAL, beside the rest that is right. */
TEST(create_refuses)
{
	static const struct pidspace_create bad[] = {
		{ .flags = 2 },
		{ .flags = ~0U },
		{ .events = PIDSPACE_EVENTS_MAX + 1 },
		{ .events = 0x80000000 },
		{ .events = ~0U },
		{ .policies = 4 },
		{ .policies = ~0U },
		{ .reserved = 1 },
	};
	struct pidspace_create good = {
		.flags = PIDSPACE_BIND_F_KILL_ON_CLOSE,
		.events = PIDSPACE_EVENTS_MAX,
		.policies = PIDSPACE_POLICY_NO_REUSE | PIDSPACE_POLICY_INIT,
		.max_members = ~0U,
	};
	int space;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pidspace_create arg = bad[i];

		EXPECT_EQ(-EINVAL, ev_create(&arg))
			TH_LOG("request %zu", i);
	}
	space = ev_create(&good);
	EXPECT_LE(0, space);
	close(space);
}

/* So it is for OPEN, and the handle stays unbound. */
TEST(open_refuses)
{
	static const struct pidspace_open bad[] = {
		{ .flags = 2 },
		{ .flags = ~0U },
		{ .events = PIDSPACE_EVENTS_MAX + 1 },
		{ .events = ~0U },
		{ .reserved = 1 },
	};
	__u64 id = 0;
	int space = sp_create(NULL, 0, &id);
	int fd = sp_device();
	struct pidspace_open arg;

	ASSERT_LE(0, space);
	ASSERT_LE(0, fd);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		arg = bad[i];
		arg.size = sizeof(arg);
		arg.id = id;
		EXPECT_EQ(-EINVAL, sp_ioctl(fd, PIDSPACE_IOC_OPEN, &arg))
			TH_LOG("request %zu", i);
		EXPECT_EQ(-EBADFD, sp_numbers(fd));
	}
	arg = (struct pidspace_open) {
		.size = sizeof(arg),
		.flags = PIDSPACE_BIND_F_KILL_ON_CLOSE,
		.id = id,
		.events = PIDSPACE_EVENTS_MAX,
	};
	EXPECT_EQ(0, sp_ioctl(fd, PIDSPACE_IOC_OPEN, &arg));
	EXPECT_EQ(0, sp_numbers(fd));
	close(fd);
	close(space);
}

/* A space has so many streams at most; other handles are not limited by that. */
TEST(streams_limit)
{
	int streams[PIDSPACE_STREAMS_MAX], plain;
	__u64 id = 0;
	int space = ev_watch_new(1, &id);

	ASSERT_LE(0, space);
	streams[0] = space;
	for (int i = 1; i < PIDSPACE_STREAMS_MAX; i++) {
		streams[i] = ev_watch(id, 1);
		ASSERT_LE(0, streams[i]);
	}
	EXPECT_EQ(-EUSERS, ev_watch(id, 1));
	plain = sp_open(NULL, id);
	EXPECT_LE(0, plain);
	close(streams[7]);
	streams[7] = ev_watch(id, 1);
	EXPECT_LE(0, streams[7]);
	EXPECT_EQ(-EUSERS, ev_watch(id, 1));
	for (int i = 0; i < PIDSPACE_STREAMS_MAX; i++)
		close(streams[i]);
	close(plain);
}

/* Where the answer cannot be written, nothing is made and nothing bound. */
TEST(unwritable_request)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct pidspace_create *create = mmap(NULL, page, PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pidspace_open *open = (struct pidspace_open *)create;
	const char *name = sp_unique_name();
	__u64 id = 0;
	int space = sp_create(NULL, 0, &id);
	int fd = sp_device();
	struct pidspace_info info;

	ASSERT_NE(MAP_FAILED, (void *)create);
	ASSERT_LE(0, space);
	ASSERT_LE(0, fd);
	create->size = sizeof(*create);
	strcpy((char *)create->name, name);
	ASSERT_EQ(0, mprotect(create, page, PROT_READ));
	EXPECT_EQ(-EFAULT, sp_ioctl(fd, PIDSPACE_IOC_CREATE, create));
	EXPECT_EQ(-EBADFD, sp_numbers(fd));
	EXPECT_EQ(-ENOENT, sp_open(name, 0));
	ASSERT_EQ(0, mprotect(create, page, PROT_READ | PROT_WRITE));
	memset(open, 0, sizeof(*create));
	open->size = sizeof(*open);
	open->id = id;
	ASSERT_EQ(0, mprotect(open, page, PROT_READ));
	EXPECT_EQ(-EFAULT, sp_ioctl(fd, PIDSPACE_IOC_OPEN, open));
	EXPECT_EQ(-EBADFD, sp_numbers(fd));
	ASSERT_EQ(0, sp_info(space, &info));
	EXPECT_EQ(1, info.handles);
	EXPECT_EQ(0, sp_bind(fd, NULL, 0, NULL));
	close(fd);
	close(space);
	munmap(open, page);
}

/* Who knows only ABI level 1 gets no stream and no policy, and INFO as it was. */
TEST(level_one_caller)
{
	struct pidspace_create create = { .size = PIDSPACE_CREATE_SIZE_VER0 };
	struct pidspace_open open = { .size = PIDSPACE_OPEN_SIZE_VER0 };
	struct pidspace_info info;
	int space = sp_device();
	int second = sp_device();
	char byte;

	ASSERT_LE(0, space);
	ASSERT_LE(0, second);
	/* What lies behind what the caller knows is not looked at. */
	create.events = ~0U;
	create.policies = ~0U;
	create.max_members = 1;
	create.reserved = 1;
	ASSERT_EQ(0, sp_ioctl(space, PIDSPACE_IOC_CREATE, &create));
	EXPECT_EQ(~0U, create.events);
	open.id = create.id;
	open.events = ~0U;
	open.reserved = 1;
	ASSERT_EQ(0, sp_ioctl(second, PIDSPACE_IOC_OPEN, &open));
	EXPECT_EQ(-1, read(space, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	memset(&info, 0xff, sizeof(info));
	info.size = PIDSPACE_INFO_SIZE_VER0;
	info.flags = 0;
	ASSERT_EQ(0, sp_ioctl(second, PIDSPACE_IOC_INFO, &info));
	EXPECT_EQ(create.id, info.id);
	EXPECT_EQ(2, info.handles);
	EXPECT_EQ(~0U, info.policies);
	EXPECT_EQ(~0U, info.max_members);
	ASSERT_EQ(0, sp_info(second, &info));
	EXPECT_EQ(0, info.policies);
	EXPECT_EQ(0, info.max_members);
	close(second);
	close(space);
}

TEST_HARNESS_MAIN
