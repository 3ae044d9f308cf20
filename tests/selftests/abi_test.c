// SPDX-License-Identifier: GPL-2.0
/* The rules that every command follows, and the arguments that it refuses. */
#include <stddef.h>
#include <sys/mman.h>

#include "harness.h"
#include "spacelib.h"

#define PAGE_LIMIT	4096

/* A command, the handle it wants and the arguments that it accepts. */
struct command {
	unsigned long ioc;
	/* The size of its structure at the first level, and at this one. */
	__u32 first_size;
	__u32 size;
	bool unbound;
	/* The offset of its flags, or 0 where there are none, and those it knows. */
	__u32 flags;
	__u32 known;
	/* The offset of a field that must be 0, or 0 where there is none. */
	__u32 reserved;
	/* What @fill gets for an answer. */
	int good;
	void (*fill)(void *arg);
};

static struct pidspace_info list_room;
static struct pidspace_member member_room;

static void fill_list(void *arg)
{
	struct pidspace_list *list = arg;

	list->entries = (unsigned long)&list_room;
	list->entry_size = sizeof(list_room);
	list->count = 1;
}

static void fill_members(void *arg)
{
	struct pidspace_members *members = arg;

	members->entries = (unsigned long)&member_room;
	members->entry_size = sizeof(member_room);
	members->count = 1;
}

static char opened_name[PIDSPACE_NAME_SIZE];

static void fill_open(void *arg)
{
	memcpy(((struct pidspace_open *)arg)->name, opened_name, sizeof(opened_name));
}

static struct pidspace_hook_info hook_room;

static void fill_hooks(void *arg)
{
	struct pidspace_hooks *hooks = arg;

	hooks->entries = (unsigned long)&hook_room;
	hooks->entry_size = sizeof(hook_room);
	hooks->count = 1;
}

static void fill_lookup(void *arg)
{
	((struct pidspace_lookup *)arg)->nr.from = 1;
}

static void fill_kill(void *arg)
{
	((struct pidspace_kill *)arg)->nr = 1;
}

/* A process that is nobody's. */
static void fill_adopt(void *arg)
{
	((struct pidspace_adopt *)arg)->pid = PIDSPACE_PID_MAX_LIMIT - 1;
}

FIXTURE(command) {
	/* A space to open, a handle as the command wants it, and three pages. */
	int named;
	int fd;
	char *pages;
};

FIXTURE_VARIANT(command) {
	struct command command;
};

#define COMMAND(name_, NAME, ...)						\
FIXTURE_VARIANT_ADD(command, name_) {						\
	.command = {								\
		.ioc = PIDSPACE_IOC_##NAME,					\
		.first_size = PIDSPACE_##NAME##_SIZE_VER0,			\
		.size = sizeof(struct pidspace_##name_),			\
		__VA_ARGS__							\
	},									\
}

#define FIELD(name, field)	.field = offsetof(struct pidspace_##name, field)

COMMAND(abi, ABI, .unbound = true);
COMMAND(create, CREATE, .unbound = true, FIELD(create, flags), FIELD(create, reserved),
	.known = PIDSPACE_BIND_F_KILL_ON_CLOSE);
COMMAND(open, OPEN, .unbound = true, FIELD(open, flags), FIELD(open, reserved),
	.known = PIDSPACE_BIND_F_KILL_ON_CLOSE, .fill = fill_open);
COMMAND(info, INFO, FIELD(info, flags));
COMMAND(list, LIST, .unbound = true, FIELD(list, flags), .fill = fill_list);
COMMAND(spawn, SPAWN, FIELD(spawn, flags), .known = PIDSPACE_SPAWN_F_CLEAR);
COMMAND(adopt, ADOPT, FIELD(adopt, flags), FIELD(adopt, reserved), .fill = fill_adopt,
	.known = PIDSPACE_ADOPT_F_TREE | PIDSPACE_ADOPT_F_PIDFD, .good = -ESRCH);
COMMAND(members, MEMBERS, FIELD(members, flags), FIELD(members, reserved),
	.fill = fill_members);
COMMAND(lookup, LOOKUP, FIELD(lookup, flags), .fill = fill_lookup, .good = -ESRCH);
COMMAND(kill, KILL, FIELD(kill, flags), .known = PIDSPACE_KILL_F_SPACE,
	.fill = fill_kill, .good = -ESRCH);
/* Without the flag for it, the mode must be 0. */
COMMAND(set, SET, FIELD(set, flags), .reserved = offsetof(struct pidspace_set, mode),
	.known = PIDSPACE_SET_F_PID_MAX | PIDSPACE_SET_F_POLICIES |
		 PIDSPACE_SET_F_MAX_MEMBERS | PIDSPACE_SET_F_MODE);
COMMAND(destroy, DESTROY, FIELD(destroy, flags), .known = PIDSPACE_DESTROY_F_KILL);
COMMAND(hooks, HOOKS, .unbound = true, FIELD(hooks, flags), FIELD(hooks, reserved),
	.fill = fill_hooks);

FIXTURE_SETUP(command)
{
	ASSERT_EQ(0, sp_init());
	strcpy(opened_name, sp_unique_name());
	self->named = sp_create(opened_name, 0, NULL);
	ASSERT_LE(0, self->named);
	self->fd = variant->command.unbound ? sp_device() : sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->fd);
	self->pages = mmap(NULL, 3 * PAGE_LIMIT, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->pages);
}

FIXTURE_TEARDOWN(command)
{
	EXPECT_EQ(0, sp_end(self->named));
	EXPECT_EQ(0, sp_end(self->fd));
}

/* An argument that is good but for its size. */
static void *prepare(FIXTURE_DATA(command) *self, const struct command *command, __u32 size)
{
	memset(self->pages, 0, 3 * PAGE_LIMIT);
	if (command->fill)
		command->fill(self->pages);
	memcpy(self->pages, &size, sizeof(size));
	return self->pages;
}

/* A structure of a known size is accepted. */
TEST_F(command, known_size)
{
	const struct command *command = &variant->command;

	EXPECT_EQ(command->good,
		  sp_ioctl(self->fd, command->ioc, prepare(self, command, command->size)));
}

/* So is that of the first level, and all between; nothing is written behind it. */
TEST_F(command, older_size)
{
	const struct command *command = &variant->command;

	for (__u32 size = command->first_size; size < command->size; size += 4) {
		int fd = command->unbound ? sp_device() : dup(self->fd);
		char *arg = prepare(self, command, size);

		ASSERT_LE(0, fd);
		memset(arg + size, 0xa5, PAGE_LIMIT);
		EXPECT_EQ(command->good, sp_ioctl(fd, command->ioc, arg))
			TH_LOG("size %u", size);
		for (int i = 0; i < PAGE_LIMIT; i++)
			ASSERT_EQ((char)0xa5, arg[size + i]);
		close(fd);
	}
}

/* A larger one, up to a page, is accepted where the rest is zero. */
TEST_F(command, larger_size)
{
	const struct command *command = &variant->command;

	EXPECT_EQ(command->good,
		  sp_ioctl(self->fd, command->ioc, prepare(self, command, command->size + 8)));
}

TEST_F(command, page_size)
{
	const struct command *command = &variant->command;

	EXPECT_EQ(command->good,
		  sp_ioctl(self->fd, command->ioc, prepare(self, command, PAGE_LIMIT)));
}

/* A size that no structure has is EINVAL, one above a page is E2BIG. */
TEST_F(command, bad_size)
{
	const struct command *command = &variant->command;
	const __u32 small[] = { 0, 4, command->first_size - 4, command->first_size - 1 };
	const __u32 large[] = { PAGE_LIMIT + 1, PAGE_LIMIT + 8, 0x80000000, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
		EXPECT_EQ(-EINVAL, sp_ioctl(self->fd, command->ioc,
					    prepare(self, command, small[i])))
			TH_LOG("size %u", small[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
		EXPECT_EQ(-E2BIG, sp_ioctl(self->fd, command->ioc,
					   prepare(self, command, large[i])))
			TH_LOG("size %u", large[i]);
	}
}

/* A larger structure whose rest is not zero is E2BIG, to its last byte. */
TEST_F(command, tail_not_zero)
{
	const struct command *command = &variant->command;
	char *arg = prepare(self, command, command->size + 8);

	arg[command->size] = 1;
	EXPECT_EQ(-E2BIG, sp_ioctl(self->fd, command->ioc, arg));
	arg = prepare(self, command, PAGE_LIMIT);
	arg[PAGE_LIMIT - 1] = 1;
	EXPECT_EQ(-E2BIG, sp_ioctl(self->fd, command->ioc, arg));
	/* What lies behind the structure is nobody's business. */
	arg = prepare(self, command, command->size);
	arg[command->size] = 1;
	EXPECT_EQ(command->good, sp_ioctl(self->fd, command->ioc, arg));
}

/* Memory that is not there, or only in part, is EFAULT. */
TEST_F(command, bad_pointer)
{
	const struct command *command = &variant->command;
	char *edge = self->pages + PAGE_LIMIT - sizeof(__u32);

	EXPECT_EQ(-EFAULT, sp_ioctl(self->fd, command->ioc, NULL));
	EXPECT_EQ(-EFAULT, sp_ioctl(self->fd, command->ioc, (void *)-4096L));
	ASSERT_EQ(0, mprotect(self->pages + PAGE_LIMIT, PAGE_LIMIT, PROT_NONE));
	memcpy(edge, &command->size, sizeof(command->size));
	EXPECT_EQ(-EFAULT, sp_ioctl(self->fd, command->ioc, edge));
}

/* Every flag that means nothing is EINVAL, and so is a reserved field. */
TEST_F(command, unknown_flags)
{
	const struct command *command = &variant->command;

	if (!command->flags)
		SKIP(return, "the command has no flags");
	for (int bit = 0; bit < 32; bit++) {
		char *arg = prepare(self, command, command->size);
		__u32 value = 1U << bit;

		if (value & command->known)
			continue;
		memcpy(arg + command->flags, &value, sizeof(value));
		EXPECT_EQ(-EINVAL, sp_ioctl(self->fd, command->ioc, arg))
			TH_LOG("flag %#x", value);
	}
}

TEST_F(command, reserved_field)
{
	const struct command *command = &variant->command;

	if (!command->reserved)
		SKIP(return, "the command has no reserved field");
	for (int bit = 0; bit < 32; bit++) {
		char *arg = prepare(self, command, command->size);
		__u32 value = 1U << bit;

		memcpy(arg + command->reserved, &value, sizeof(value));
		EXPECT_EQ(-EINVAL, sp_ioctl(self->fd, command->ioc, arg))
			TH_LOG("value %#x", value);
	}
}

/* Direction, type and number make the command; the encoded size does not. */
TEST_F(command, direction)
{
	const struct command *command = &variant->command;
	const unsigned int nr = _IOC_NR(command->ioc);
	const unsigned int type = _IOC_TYPE(command->ioc);
	const unsigned int wrong[] = { _IOC_NONE, _IOC_READ, _IOC_WRITE };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-ENOTTY, sp_ioctl(self->fd,
					    _IOC(wrong[i], type, nr, command->size),
					    prepare(self, command, command->size)));
	}
	EXPECT_EQ(-ENOTTY, sp_ioctl(self->fd,
				    _IOC(_IOC_READ | _IOC_WRITE, type ^ 1, nr, command->size),
				    prepare(self, command, command->size)));
	EXPECT_EQ(command->good, sp_ioctl(self->fd,
					  _IOC(_IOC_READ | _IOC_WRITE, type, nr, 1234),
					  prepare(self, command, command->size)));
}

/* A handle without a space has no answer to what is about one. */
TEST_F(command, unbound_handle)
{
	const struct command *command = &variant->command;
	int fd = sp_device();

	ASSERT_LE(0, fd);
	EXPECT_EQ(command->unbound ? command->good : -EBADFD,
		  sp_ioctl(fd, command->ioc, prepare(self, command, command->size)));
	close(fd);
}

/* A handle whose space was destroyed says so. */
TEST_F(command, destroyed_space)
{
	const struct command *command = &variant->command;

	if (command->unbound)
		SKIP(return, "the command needs no space");
	ASSERT_EQ(0, sp_destroy(self->fd, 0));
	EXPECT_EQ(-ESTALE, sp_ioctl(self->fd, command->ioc,
				    prepare(self, command, command->size)));
}

/* Commands that do not exist are ENOTTY. */
TEST(unknown_commands)
{
	static const unsigned int unknown[] = { 13, 14, 63, 128, 255 };
	__u32 arg[64] = { sizeof(arg) };
	int fd = sp_device();

	ASSERT_LE(0, fd);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENOTTY, sp_ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE,
						     PIDSPACE_IOC_MAGIC, unknown[i],
						     sizeof(arg)), arg))
			TH_LOG("command %u", unknown[i]);
	}
	EXPECT_EQ(-ENOTTY, sp_ioctl(fd, 0, arg));
	EXPECT_EQ(-ENOTTY, sp_ioctl(fd, 0x5401, arg));
	close(fd);
}

/* The sizes are those that programs were and are built with. */
TEST(sizes)
{
	EXPECT_EQ(PIDSPACE_ABI_SIZE_VER0, sizeof(struct pidspace_abi));
	EXPECT_EQ(PIDSPACE_CREATE_SIZE_VER1, sizeof(struct pidspace_create));
	EXPECT_EQ(PIDSPACE_OPEN_SIZE_VER1, sizeof(struct pidspace_open));
	EXPECT_EQ(PIDSPACE_INFO_SIZE_VER1, sizeof(struct pidspace_info));
	EXPECT_EQ(PIDSPACE_LIST_SIZE_VER0, sizeof(struct pidspace_list));
	EXPECT_EQ(PIDSPACE_SPAWN_SIZE_VER0, sizeof(struct pidspace_spawn));
	EXPECT_EQ(PIDSPACE_ADOPT_SIZE_VER0, sizeof(struct pidspace_adopt));
	EXPECT_EQ(PIDSPACE_MEMBER_SIZE_VER0, sizeof(struct pidspace_member));
	EXPECT_EQ(PIDSPACE_MEMBERS_SIZE_VER0, sizeof(struct pidspace_members));
	EXPECT_EQ(PIDSPACE_LOOKUP_SIZE_VER0, sizeof(struct pidspace_lookup));
	EXPECT_EQ(PIDSPACE_KILL_SIZE_VER1, sizeof(struct pidspace_kill));
	EXPECT_EQ(PIDSPACE_SET_SIZE_VER0, sizeof(struct pidspace_set));
	EXPECT_EQ(PIDSPACE_DESTROY_SIZE_VER0, sizeof(struct pidspace_destroy));
	EXPECT_EQ(PIDSPACE_HOOKS_SIZE_VER0, sizeof(struct pidspace_hooks));
	EXPECT_EQ(PIDSPACE_HOOK_INFO_SIZE_VER0, sizeof(struct pidspace_hook_info));
	EXPECT_EQ(PIDSPACE_EVENT_SIZE, sizeof(struct pidspace_event));
}

/*
 * The module is the one that this header describes, with all hooks in force; those
 * of mode SCOPE may be.
 */
TEST(abi)
{
	struct pidspace_abi abi = { .size = sizeof(abi) };
	int fd = sp_device();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sp_ioctl(fd, PIDSPACE_IOC_ABI, &abi));
	EXPECT_EQ(PIDSPACE_ABI_LEVEL, abi.level);
	EXPECT_EQ(1 << PIDSPACE_MODE_TRACK | 1 << PIDSPACE_MODE_SCOPE, abi.modes);
	EXPECT_EQ(PIDSPACE_HOOK_FORK | PIDSPACE_HOOK_EXIT | PIDSPACE_HOOK_NEWTASK |
		  PIDSPACE_HOOK_EXITING | PIDSPACE_HOOK_EXEC,
		  abi.hooks & ~PIDSPACE_HOOK_SCOPE);
	EXPECT_EQ(0, abi.anomalies);
	close(fd);
}

TEST_HARNESS_MAIN
