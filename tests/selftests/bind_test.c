// SPDX-License-Identifier: GPL-2.0
/* CREATE and OPEN: what they accept, what they refuse, and handles. */
#include "harness.h"
#include "spacelib.h"

/* A structure for CREATE with @name, whatever bytes that has. */
static struct pidspace_create request(const char *name, size_t length)
{
	struct pidspace_create arg = { .size = sizeof(arg) };

	memcpy(arg.name, name, length);
	return arg;
}

static int create(struct pidspace_create *arg)
{
	int fd = sp_device();
	int err = sp_ioctl(fd, PIDSPACE_IOC_CREATE, arg);

	if (err)
		close(fd);
	return err ? err : fd;
}

/* Names are letters, digits and ._- after a letter or digit, 63 at most. */
TEST(good_names)
{
	static const char *const good[] = {
		"a", "Z", "0", "web", "9._-", "A-b_c.D",
		"123456789012345678901234567890123456789012345678901234567890123",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct pidspace_info info;
		int space = sp_create(good[i], 0, NULL);

		EXPECT_LE(0, space)
			TH_LOG("name %s", good[i]);
		ASSERT_EQ(0, sp_info(space, &info));
		EXPECT_STREQ(good[i], (char *)info.name);
		ASSERT_EQ(0, sp_destroy(space, 0));
		close(space);
	}
}

/* Other names are EINVAL. */
#define BAD(text)	{ text, sizeof(text) - 1 }

TEST(bad_names)
{
	static const struct {
		const char *name;
		size_t length;
	} bad[] = {
		BAD("-a"), BAD(".a"), BAD("_a"), BAD("a b"), BAD("a/b"), BAD("a\n"),
		BAD("a@"), BAD("@a"), BAD("a:1"), BAD("\303\244"), BAD("a\177"),
		/* Something behind the terminating NUL, or in front of all. */
		BAD("a\0b"), BAD("\0b"),
		/* 64 characters leave no room for a NUL. */
		BAD("1234567890123456789012345678901234567890123456789012345678901234"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pidspace_create arg = request(bad[i].name, bad[i].length);

		EXPECT_EQ(-EINVAL, create(&arg))
			TH_LOG("name %s", bad[i].name);
	}
}

/* Two spaces cannot have one name, any number can have none. */
TEST(taken_name)
{
	const char *name = sp_unique_name();
	int first = sp_create(name, 0, NULL);
	int unnamed = sp_create(NULL, 0, NULL);
	int another = sp_create(NULL, 0, NULL);

	ASSERT_LE(0, first);
	EXPECT_EQ(-EEXIST, sp_create(name, 0, NULL));
	EXPECT_LE(0, unnamed);
	EXPECT_LE(0, another);
	close(unnamed);
	close(another);
	ASSERT_EQ(0, sp_destroy(first, 0));
	close(first);
}

/* pid_max has kernel.pid_max's range; 0 is the default. */
TEST(pid_max)
{
	static const struct {
		unsigned int asked;
		unsigned int got;
	} good[] = {
		{ 0, PIDSPACE_PID_MAX_DEFAULT },
		{ PIDSPACE_PID_MAX_MIN, PIDSPACE_PID_MAX_MIN },
		{ 1000, 1000 },
		{ PIDSPACE_PID_MAX_LIMIT, PIDSPACE_PID_MAX_LIMIT },
	};
	static const unsigned int bad[] = {
		1, PIDSPACE_PID_MAX_MIN - 1, PIDSPACE_PID_MAX_LIMIT + 1, 0x80000000, ~0U,
	};
	struct pidspace_info info;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int space = sp_create(NULL, good[i].asked, NULL);

		ASSERT_LE(0, space);
		ASSERT_EQ(0, sp_info(space, &info));
		EXPECT_EQ(good[i].got, info.pid_max);
		close(space);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, sp_create(NULL, bad[i], NULL))
			TH_LOG("pid_max %u", bad[i]);
	}
}

/* A mode that the module does not have yet, and modes that do not exist. */
TEST(mode)
{
	struct pidspace_create arg = { .size = sizeof(arg) };

	arg.mode = PIDSPACE_MODE_VIEW;
	EXPECT_EQ(-EOPNOTSUPP, create(&arg));
	arg.mode = PIDSPACE_MODE_VIEW + 1;
	EXPECT_EQ(-EINVAL, create(&arg));
	arg.mode = ~0U;
	EXPECT_EQ(-EINVAL, create(&arg));
}

/* A handle is bound once, be it to the same space. */
TEST(bound_for_life)
{
	struct pidspace_open arg = { .size = sizeof(arg) };
	int space = sp_create(NULL, 0, (__u64 *)&arg.id);

	ASSERT_LE(0, space);
	EXPECT_EQ(-EBUSY, sp_bind(space, NULL, 0, NULL));
	EXPECT_EQ(-EBUSY, sp_ioctl(space, PIDSPACE_IOC_OPEN, &arg));
	close(space);
}

/* A CREATE that fails leaves the handle unbound. */
TEST(failed_create_binds_nothing)
{
	int fd = sp_device();

	ASSERT_LE(0, fd);
	ASSERT_EQ(-EINVAL, sp_bind(fd, "-", 0, NULL));
	EXPECT_EQ(-EBADFD, sp_numbers(fd));
	EXPECT_EQ(0, sp_bind(fd, NULL, 0, NULL));
	EXPECT_EQ(0, sp_numbers(fd));
	close(fd);
}

/* A space is opened by name or by id, and both handles are of one space. */
TEST(open_by_name_and_id)
{
	struct pidspace_info info;
	const char *name = sp_unique_name();
	__u64 id = 0;
	int space = sp_create(name, 0, &id);
	int by_name = sp_open(name, 0);
	int by_id = sp_open(NULL, id);

	ASSERT_LE(0, space);
	ASSERT_LT(0, id);
	ASSERT_LE(0, by_name);
	ASSERT_LE(0, by_id);
	ASSERT_EQ(0, sp_info(by_name, &info));
	EXPECT_EQ(id, info.id);
	EXPECT_EQ(3, info.handles);
	close(by_name);
	ASSERT_EQ(0, sp_info(by_id, &info));
	EXPECT_EQ(id, info.id);
	EXPECT_EQ(2, info.handles);
	EXPECT_EQ(PIDSPACE_MODE_TRACK, info.mode);
	EXPECT_EQ(PIDSPACE_STATE_LIVE, info.state);
	EXPECT_EQ(geteuid(), info.owner);
	ASSERT_EQ(0, sp_destroy(by_id, 0));
	EXPECT_EQ(-ESTALE, sp_numbers(space));
	close(by_id);
	close(space);
}

/* OPEN tells the id that a name stands for. */
TEST(open_answers_id)
{
	struct pidspace_open arg = { .size = sizeof(arg) };
	const char *name = sp_unique_name();
	__u64 id = 0;
	int space = sp_create(name, 0, &id);
	int fd = sp_device();

	ASSERT_LE(0, space);
	ASSERT_LE(0, fd);
	strcpy((char *)arg.name, name);
	ASSERT_EQ(0, sp_ioctl(fd, PIDSPACE_IOC_OPEN, &arg));
	EXPECT_EQ(id, arg.id);
	ASSERT_EQ(0, sp_destroy(fd, 0));
	close(fd);
	close(space);
}

/* What does not exist is ENOENT; both a name and an id, or neither, is EINVAL. */
TEST(open_refuses)
{
	const char *name = sp_unique_name();
	__u64 id = 0;
	int space = sp_create(name, 0, &id);

	ASSERT_LE(0, space);
	EXPECT_EQ(-ENOENT, sp_open("nothing-of-this-name", 0));
	EXPECT_EQ(-ENOENT, sp_open(NULL, id + 1000000));
	EXPECT_EQ(-ENOENT, sp_open(NULL, ~0ULL));
	EXPECT_EQ(-EINVAL, sp_open(name, id));
	EXPECT_EQ(-EINVAL, sp_open(NULL, 0));
	EXPECT_EQ(-EINVAL, sp_open("-", 0));
	ASSERT_EQ(0, sp_destroy(space, 0));
	EXPECT_EQ(-ENOENT, sp_open(name, 0));
	EXPECT_EQ(-ENOENT, sp_open(NULL, id));
	close(space);
}

TEST_HARNESS_MAIN
