// SPDX-License-Identifier: GPL-2.0
/* HOOKS: what it lists, how, and what is in force when. */
#include <ctype.h>

#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* More than any version has. */
#define ROOM	128

/* All hooks, asked for at once. */
FIXTURE(hooks) {
	int fd;
	struct pidspace_hook_info all[ROOM];
	unsigned int count;
};

static int list(int fd, struct pidspace_hooks *arg, struct pidspace_hook_info *entries,
		unsigned int count)
{
	arg->size = sizeof(*arg);
	arg->entries = (unsigned long)entries;
	arg->count = count;
	arg->entry_size = sizeof(*entries);
	return sp_ioctl(fd, PIDSPACE_IOC_HOOKS, arg);
}

FIXTURE_SETUP(hooks)
{
	struct pidspace_hooks arg = {};

	ASSERT_EQ(0, sp_init());
	self->fd = sp_device();
	ASSERT_LE(0, self->fd);
	memset(self->all, 0xff, sizeof(self->all));
	ASSERT_EQ(0, list(self->fd, &arg, self->all, ROOM));
	self->count = arg.count;
	ASSERT_LT(5, self->count);
	ASSERT_GT(ROOM, self->count);
}

FIXTURE_TEARDOWN(hooks)
{
	close(self->fd);
}

static bool is_text(const __u8 *text, size_t size)
{
	size_t length = strnlen((const char *)text, size);

	if (!length || length == size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (i < length ? !isprint(text[i]) : text[i])
			return false;
	return true;
}

/* Each has a name and says what is lost without it; flags are known ones. */
TEST_F(hooks, rows)
{
	const __u32 known = PIDSPACE_HOOK_F_REQUIRED | PIDSPACE_HOOK_F_ARMED |
			    PIDSPACE_HOOK_F_SCOPE;

	for (unsigned int i = 0; i < self->count; i++) {
		const struct pidspace_hook_info *hook = &self->all[i];

		EXPECT_TRUE(is_text(hook->symbol, sizeof(hook->symbol)));
		EXPECT_TRUE(is_text(hook->loss, sizeof(hook->loss)));
		EXPECT_EQ(0, hook->flags & ~known);
		for (unsigned int j = 0; j < i; j++)
			EXPECT_NE(0, strcmp((const char *)hook->symbol,
					    (const char *)self->all[j].symbol));
	}
	EXPECT_EQ(0xff, self->all[self->count].symbol[0]);
}

static const struct pidspace_hook_info *find(const FIXTURE_DATA(hooks) *self,
					     const char *symbol)
{
	for (unsigned int i = 0; i < self->count; i++)
		if (!strcmp((const char *)self->all[i].symbol, symbol))
			return &self->all[i];
	return NULL;
}

/* Those that every space needs are in force while the module is loaded. */
TEST_F(hooks, of_every_space)
{
	static const char *const symbols[] = {
		"cgroup_can_fork", "free_pid", "task_newtask", "sched_process_exit",
		"sched_process_exec",
	};

	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		const struct pidspace_hook_info *hook = find(self, symbols[i]);

		ASSERT_NE(NULL, hook)
			TH_LOG("%s", symbols[i]);
		EXPECT_EQ(PIDSPACE_HOOK_F_REQUIRED | PIDSPACE_HOOK_F_ARMED, hook->flags);
		EXPECT_EQ(0, hook->error);
	}
}

static __u32 purposes_in_force(int fd)
{
	struct pidspace_abi abi = { .size = sizeof(abi) };

	return sp_ioctl(fd, PIDSPACE_IOC_ABI, &abi) ? 0 : abi.hooks;
}

/* From the first space in mode SCOPE on, those that it requires are, too. */
TEST_F(hooks, of_mode_scope)
{
	int space = sc_create(PIDSPACE_MODE_SCOPE, NULL);
	struct pidspace_hooks arg = {};
	unsigned int scope = 0;

	ASSERT_LE(0, space);
	ASSERT_EQ(0, list(self->fd, &arg, self->all, ROOM));
	EXPECT_EQ(self->count, arg.count);
	for (unsigned int i = 0; i < self->count; i++) {
		const struct pidspace_hook_info *hook = &self->all[i];

		if (!(hook->flags & PIDSPACE_HOOK_F_REQUIRED))
			continue;
		EXPECT_TRUE(hook->flags & PIDSPACE_HOOK_F_ARMED)
			TH_LOG("%s: error %d", hook->symbol, hook->error);
		EXPECT_EQ(0, hook->error);
		scope += !!(hook->flags & PIDSPACE_HOOK_F_SCOPE);
	}
	EXPECT_LT(5, scope);
	EXPECT_TRUE(purposes_in_force(self->fd) & PIDSPACE_HOOK_SCOPE);
	close(space);
	/* They stay, as other spaces may come. */
	EXPECT_TRUE(purposes_in_force(self->fd) & PIDSPACE_HOOK_SCOPE);
}

/* Those that a look-up or a handle needs are among them. */
TEST_F(hooks, that_confine)
{
	static const char *const symbols[] = {
		"find_vpid", "find_get_pid", "find_task_by_vpid", "find_get_task_by_vpid",
		"find_task_by_pid_ns", "find_ge_pid", "security_task_kill",
		"security_ptrace_access_check", "pidfd_ioctl", "pid_revalidate",
	};

	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		const struct pidspace_hook_info *hook = find(self, symbols[i]);

		ASSERT_NE(NULL, hook)
			TH_LOG("%s", symbols[i]);
		EXPECT_EQ(PIDSPACE_HOOK_F_REQUIRED | PIDSPACE_HOOK_F_SCOPE,
			  hook->flags & ~PIDSPACE_HOOK_F_ARMED);
	}
}

/* In batches they are the same, and then comes the end. */
TEST_F(hooks, batches)
{
	struct pidspace_hook_info batch[3];
	struct pidspace_hooks arg = {};
	unsigned int seen = 0;

	do {
		memset(batch, 0, sizeof(batch));
		ASSERT_EQ(0, list(self->fd, &arg, batch, ARRAY_SIZE(batch)));
		ASSERT_GE(self->count, seen + arg.count);
		EXPECT_EQ(0, memcmp(batch, self->all + seen, arg.count * sizeof(batch[0])));
		seen += arg.count;
	} while (arg.count);
	EXPECT_EQ(self->count, seen);
	ASSERT_EQ(0, list(self->fd, &arg, batch, ARRAY_SIZE(batch)));
	EXPECT_EQ(0, arg.count);
}

/* A cursor from nowhere is behind the end, and no room is no error. */
TEST_F(hooks, cursors)
{
	struct pidspace_hooks arg = { .cursor = ~0U };
	struct pidspace_hook_info batch[2];

	ASSERT_EQ(0, list(self->fd, &arg, batch, 2));
	EXPECT_EQ(0, arg.count);
	arg.cursor = 0;
	ASSERT_EQ(0, list(self->fd, &arg, NULL, 0));
	EXPECT_EQ(0, arg.count);
	EXPECT_EQ(0, arg.cursor);
	ASSERT_EQ(0, list(self->fd, &arg, self->all, ~0U));
	EXPECT_EQ(self->count, arg.count);
}

/* Entries that the caller knows to be longer are filled up with zeros. */
TEST_F(hooks, larger_entries)
{
	struct {
		struct pidspace_hook_info hook;
		__u64 more[4];
	} batch[2];
	struct pidspace_hooks arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)batch,
		.count = ARRAY_SIZE(batch),
		.entry_size = sizeof(batch[0]),
	};

	memset(batch, 0xff, sizeof(batch));
	ASSERT_EQ(0, sp_ioctl(self->fd, PIDSPACE_IOC_HOOKS, &arg));
	ASSERT_EQ(2, arg.count);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, memcmp(&self->all[i], &batch[i].hook, sizeof(batch[i].hook)));
		for (size_t j = 0; j < ARRAY_SIZE(batch[i].more); j++)
			EXPECT_EQ(0, batch[i].more[j]);
	}
}

/* What the command refuses. */
TEST_F(hooks, bad_entries)
{
	struct pidspace_hooks arg = {};

	ASSERT_EQ(0, list(self->fd, &arg, self->all, 1));
	arg.cursor = 0;
	arg.entry_size = PIDSPACE_HOOK_INFO_SIZE_VER0 - 1;
	EXPECT_EQ(-EINVAL, sp_ioctl(self->fd, PIDSPACE_IOC_HOOKS, &arg));
	arg.entry_size = 4097;
	EXPECT_EQ(-E2BIG, sp_ioctl(self->fd, PIDSPACE_IOC_HOOKS, &arg));
	arg.entry_size = sizeof(self->all[0]);
	arg.entries = 8;
	EXPECT_EQ(-EFAULT, sp_ioctl(self->fd, PIDSPACE_IOC_HOOKS, &arg));
}

/* Everybody may ask, a member too. */
static long count_hooks(long unused)
{
	static struct pidspace_hook_info all[ROOM];
	struct pidspace_hooks arg = {};
	int fd = sp_device();
	int err = list(fd, &arg, all, ROOM);

	(void)unused;
	close(fd);
	return err ? err : (long)arg.count;
}

TEST_F(hooks, asked_by_a_member)
{
	struct scene scene;

	ASSERT_EQ(0, scene_start(&scene, PIDSPACE_MODE_SCOPE, SCOPE_UID));
	EXPECT_EQ(self->count, agent_call(&scene.member, count_hooks, 0));
	EXPECT_EQ(self->count, agent_call(&scene.outsider, count_hooks, 0));
	EXPECT_EQ(0, scene_stop(&scene));
}

/* The file of debugfs has a line for each, in the same order. */
TEST_F(hooks, file_of_debugfs)
{
	FILE *file = fopen("/sys/kernel/debug/pidspace/hooks", "re");
	unsigned int lines = 0;
	char line[256];

	if (!file)
		SKIP(return, "no debugfs: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		ASSERT_LT(lines, self->count);
		EXPECT_NE(NULL, strstr(line, (const char *)self->all[lines].loss));
		EXPECT_STREQ((const char *)self->all[lines].symbol, strtok(line, " "));
		lines++;
	}
	EXPECT_EQ(self->count, lines);
	fclose(file);
}

TEST_HARNESS_MAIN
