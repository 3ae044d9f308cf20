// SPDX-License-Identifier: GPL-2.0
/* 10 000 members in one space, and 10 000 spaces with a member each. */
#include <signal.h>
#include <sys/mman.h>

#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "memlib.h"
#include "spacelib.h"

#define MANY		(10000 / WORK_SCALE)
#define FEW		(2000 / WORK_SCALE)

/* What a space without members, and what a member, may cost, in bytes. */
#define SPACE_BUDGET	2048
#define MEMBER_BUDGET	96

/*
 * How far off the figures may be, in bytes of all: partly filled objects that
 * hold many numbers, and what the kernel itself allocates meanwhile.  What is left
 * over in the end is compared with a kernel that had not seen the test.
 */
#define NOISE		(64 << 10)

/* Shared, as an agent fills it in too. */
static pid_t *pids;
static __u64 ids[MANY];

static void say_took(const char *what, long long since)
{
	fprintf(stderr, "# %s: %lld ms\n", what, sp_now_ms() - since);
}

static void say_cost(const char *what, long long bytes, int count)
{
	fprintf(stderr, "# %s: %lld bytes of slab and vmalloc in all, %.1f each\n",
		what, bytes, (double)bytes / count);
}

/*
 * Says what each of @count things costs, and tells whether that is within @budget.
 * The slow kernel is one that looks for errors, and pads every object for that.
 */
static bool within(const char *what, long long bytes, int count, int budget)
{
	say_cost(what, bytes, count);
	return TIME_SCALE > 1 || bytes <= (long long)budget * count + NOISE;
}

/* Makes so many processes. */
static long start_many(long count)
{
	int err = 0;

	for (int i = 0; i < count && !err; i++) {
		pids[i] = ev_light();
		err = pids[i] < 0 ? pids[i] : 0;
	}
	return err;
}

/* Reaps all processes, and tells whether SIGKILL ended each. */
static bool reap_all_killed(int count)
{
	int killed = 0;

	for (int i = 0; i < count; i++)
		killed += sp_reap(pids[i]) == SIGKILL;
	return killed == count;
}

/* Kills all members by one call, and tells how many it signalled. */
static int kill_space(int space)
{
	struct pidspace_kill answer;
	int err = sp_kill_counted(space, 0, SIGKILL, PIDSPACE_KILL_F_SPACE, &answer);

	return err ? err : (int)answer.signalled;
}

/* How many of so many processes LOOKUP answers as @right says. */
static int look_up(int fd, int count, bool (*right)(int index, const struct pidspace_nr *answer))
{
	static struct pidspace_nr batch[PIDSPACE_BATCH_MAX];
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_IN_SPACE,
		.entries = (unsigned long)batch,
	};
	int found = 0;

	for (int done = 0; done < count; done += arg.count) {
		arg.count = count - done < PIDSPACE_BATCH_MAX ? count - done : PIDSPACE_BATCH_MAX;
		for (unsigned int i = 0; i < arg.count; i++)
			batch[i] = (struct pidspace_nr) { .from = pids[done + i] };
		if (sp_ioctl(fd, PIDSPACE_IOC_LOOKUP, &arg))
			return -errno;
		for (unsigned int i = 0; i < arg.count; i++)
			found += right(done + i, &batch[i]);
	}
	return found;
}

FIXTURE(scale) {
	long long before;
};

FIXTURE_SETUP(scale)
{
	ASSERT_EQ(0, sp_init());
	pids = mmap(NULL, MANY * sizeof(*pids), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)pids);
	self->before = mem_in_use();
	if (self->before < 0)
		SKIP(return, "no memory counters: %s", strerror(-self->before));
}

/* Whatever the test did, the memory that it took is given back. */
FIXTURE_TEARDOWN(scale)
{
	long long left = mem_in_use() - self->before;

	say_cost("left over", left, 1);
	EXPECT_GT(NOISE, left);
}

static bool is_in_order(int index, const struct pidspace_nr *answer)
{
	return answer->to == index + 1;
}

/* Whether MEMBERS has all, in order. */
static bool are_listed(int space)
{
	static struct pidspace_member members[MANY + 1];

	if (sp_members(space, members, MANY + 1) != MANY)
		return false;
	for (int i = 0; i < MANY; i++)
		if ((int)members[i].nr != i + 1 || (int)members[i].global != pids[i])
			return false;
	return true;
}

static bool has_kept_number(int index, const struct pidspace_nr *answer)
{
	return answer->to == pids[index];
}

static long end_many(long count)
{
	for (int i = 0; i < count; i++)
		if (kill(pids[i], SIGKILL))
			return -errno;
	return reap_all_killed(count) ? 0 : -ECHILD;
}

/* Adopts a tree, and tells what each process of it costs the kernel outside. */
static double adopt_tree(struct __test_metadata *_metadata)
{
	struct pidspace_adopt answer;
	int space = sp_create(NULL, 0, NULL);
	long long before, outside, begin;
	struct agent root;

	ASSERT_LE(0, space);
	ASSERT_EQ(0, agent_start(&root, AGENT_OUTSIDE));
	before = mem_in_use();
	ASSERT_EQ(0, agent_call(&root, start_many, FEW));
	outside = mem_in_use() - before;
	say_cost("processes outside", outside, FEW);
	before = mem_in_use();
	begin = sp_now_ms();
	ASSERT_EQ(0, sp_adopt_counted(space, root.pid, PIDSPACE_ADOPT_F_TREE, &answer));
	say_took("adopt", begin);
	EXPECT_EQ(FEW + 1, answer.processes);
	EXPECT_EQ(FEW + 1, answer.numbers);
	EXPECT_TRUE(within("adopted members", mem_in_use() - before, FEW, MEMBER_BUDGET));
	EXPECT_EQ(FEW + 1, sp_numbers(space));
	EXPECT_EQ(FEW, look_up(space, FEW, has_kept_number));
	ASSERT_EQ(0, agent_call(&root, end_many, FEW));
	EXPECT_EQ(1, sp_numbers(space));
	agent_stop(&root);
	EXPECT_EQ(0, sp_end(space));
	return (double)outside / FEW;
}

/*
 * A space with 10 000 members works as a small one does.  What a member costs is
 * what it takes more than a process outside, be it adopted or born in the space.
 */
TEST_F_TIMEOUT(scale, members, 140)
{
	double outside = adopt_tree(_metadata);
	int space = sp_create(NULL, 0, NULL);
	long long before, begin;

	ASSERT_LE(0, space);
	before = mem_in_use();
	begin = sp_now_ms();
	ASSERT_EQ(0, sp_mark(space));
	ASSERT_EQ(0, start_many(MANY));
	ASSERT_EQ(0, sp_clear(space));
	say_took("members", begin);
	EXPECT_TRUE(within("members", mem_in_use() - before - outside * MANY, MANY, MEMBER_BUDGET));
	EXPECT_EQ(MANY, sp_numbers(space));
	begin = sp_now_ms();
	EXPECT_TRUE(are_listed(space));
	say_took("list", begin);
	begin = sp_now_ms();
	EXPECT_EQ(MANY, look_up(space, MANY, is_in_order));
	say_took("look up", begin);
	begin = sp_now_ms();
	EXPECT_EQ(MANY, kill_space(space));
	EXPECT_TRUE(reap_all_killed(MANY));
	say_took("kill and reap", begin);
	EXPECT_EQ(0, sp_end(space));
}

/* The names of the spaces below. */
static const char *name_of(int index)
{
	static char name[PIDSPACE_NAME_SIZE];

	snprintf(name, sizeof(name), "scale-%d", index);
	return name;
}

/* Calls @fn with a handle of each space; the first that is not right is the result. */
static int with_all(const char *what, int (*fn)(int space, int index))
{
	long long begin = sp_now_ms();
	int err = 0;

	for (int i = 0; i < MANY && !err; i++) {
		int space = sp_open(name_of(i), 0);

		err = space < 0 ? space : fn(space, i);
		close(space);
	}
	say_took(what, begin);
	return err;
}

static int start_one(int space, int index)
{
	pids[index] = ev_light_in(space);
	return pids[index] < 0 ? pids[index] : 0;
}

static int kill_one(int space, int index)
{
	int signalled = kill_space(space);

	(void)index;
	return signalled == 1 ? 0 : -ESRCH;
}

static int destroy_one(int space, int index)
{
	(void)index;
	return sp_destroy(space, 0);
}

static bool is_alone(int index, const struct pidspace_nr *answer)
{
	return answer->to == 1 && answer->space == ids[index];
}

/* 10 000 spaces at once work as one does, and an empty one costs little. */
TEST_F_TIMEOUT(scale, spaces, 140)
{
	static __u64 listed[MANY + 1];
	long long before = mem_in_use();
	long long begin = sp_now_ms();
	int fd = sp_device();

	ASSERT_LE(0, fd);
	for (int i = 0; i < MANY; i++) {
		int space = sp_create(name_of(i), 0, &ids[i]);

		ASSERT_LE(0, space);
		close(space);
	}
	say_took("create", begin);
	EXPECT_TRUE(within("empty spaces", mem_in_use() - before, MANY, SPACE_BUDGET));
	ASSERT_EQ(0, with_all("a member each", start_one));
	/* The first member of a space brings tables along; there is no budget for these. */
	say_cost("spaces with a process each, that included", mem_in_use() - before, MANY);
	begin = sp_now_ms();
	EXPECT_EQ(MANY, sp_list_ids(fd, listed, MANY + 1));
	EXPECT_EQ(0, memcmp(ids, listed, sizeof(ids)));
	say_took("list", begin);
	begin = sp_now_ms();
	EXPECT_EQ(MANY, look_up(fd, MANY, is_alone));
	say_took("look up", begin);
	EXPECT_EQ(0, with_all("kill", kill_one));
	EXPECT_TRUE(reap_all_killed(MANY));
	EXPECT_EQ(0, with_all("destroy", destroy_one));
	EXPECT_EQ(0, sp_list_ids(fd, listed, MANY + 1));
	close(fd);
}

/* Streams, small and large, go with their handles: the teardown would find them. */
TEST_F(scale, streams)
{
	__u64 id = 0;
	int space = sp_create(NULL, 0, &id);

	ASSERT_LE(0, space);
	for (int i = 0; i < FEW; i++) {
		int small = ev_watch(id, 8);

		ASSERT_LE(0, small);
		close(small);
	}
	for (int i = 0; i < 16; i++) {
		int large = ev_watch(id, PIDSPACE_EVENTS_MAX);

		ASSERT_LE(0, large);
		close(large);
	}
	close(space);
}

TEST_HARNESS_MAIN
