// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the module, and putting the hooks of mode SCOPE in force, while the kernel
 * has no memory: each fails as a whole, takes back what it has done, and can be tried
 * again.  PIDSPACE_KO is the path of the module; every test starts and ends with the
 * module loaded.
 */
#include "faultlib.h"
#include "harness.h"
#include "modulelib.h"
#include "scopelib.h"
#include "spacelib.h"

/* More than there are hooks. */
#define HOOKS	64

/* As many allocations as one hook takes, at least; the others take the same. */
#define ONE_HOOK	12

/* How many hooks can be armed where nothing fails. */
static int hooks;

static bool is_loaded(void)
{
	return !access("/sys/module/pidspace", F_OK);
}

/* What holds the module goes with a space that has just ended, in a moment. */
static int prepare_load(void)
{
	return is_loaded() && !WAIT_FOR(module_unload() == 0) ? -EBUSY : 0;
}

static long act_load(void)
{
	return module_load("");
}

/* A space works from its first number to its end. */
static int undo_load(long result)
{
	int space;

	if (result < 0)
		return is_loaded() || !access(SP_DEVICE, F_OK) ? -EEXIST : 0;
	space = sp_create(NULL, 0, NULL);
	if (space < 0)
		return space;
	return sp_spawn(space) < 0 ? -EAGAIN : sp_end(space);
}

static int check_nothing(void)
{
	return 0;
}

/* How many hooks of the mode are in force. */
static int count_armed(void)
{
	struct pidspace_hook_info rows[HOOKS];
	struct pidspace_hooks arg = {
		.size = sizeof(arg),
		.count = HOOKS,
		.entries = (unsigned long)rows,
		.entry_size = sizeof(rows[0]),
	};
	int device = sp_device();
	int err = sp_ioctl(device, PIDSPACE_IOC_HOOKS, &arg);
	int armed = 0;

	close(device);
	for (unsigned int i = 0; i < arg.count; i++)
		armed += (rows[i].flags & PIDSPACE_HOOK_F_SCOPE) &&
			 (rows[i].flags & PIDSPACE_HOOK_F_ARMED);
	return err ? err : armed;
}

/* Nothing is in force; only unloading takes off what was. */
static int prepare_arm(void)
{
	int err = 0;

	if (count_armed()) {
		err = prepare_load();
		if (!err)
			err = module_load("");
	}
	return err ? err : fault_init(FAULT_MEMORY, NULL);
}

static long act_arm(void)
{
	return sc_create(PIDSPACE_MODE_SCOPE, NULL);
}

/* All that can be in force is, or nothing. */
static int undo_arm(long result)
{
	int armed = count_armed();

	if (result >= 0)
		return armed == hooks ? sp_end(result) : -EXDEV;
	return !armed || armed == hooks ? 0 : -EXDEV;
}

FIXTURE(load) {
};

FIXTURE_SETUP(load)
{
	int err = fault_init(FAULT_MEMORY, "do_one_initcall");

	if (err == -EOPNOTSUPP)
		SKIP(return, "this kernel cannot fail allocations");
	if (!getenv("PIDSPACE_KO"))
		SKIP(return, "PIDSPACE_KO does not name the module");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, sp_init());
}

FIXTURE_TEARDOWN(load)
{
	if (!is_loaded())
		EXPECT_EQ(0, module_load(""));
}

static int walk_over(struct fault_walk walk, struct __test_metadata *_metadata)
{
	int failed;

	walk.error = -ENOMEM;
	walk.check = check_nothing;
	failed = fault_walk(&walk);
	TH_LOG("%s", walk.report);
	return failed;
}

static const struct fault_operation loading = {
	.prepare = prepare_load,
	.act = act_load,
	.undo = undo_load,
};

static const struct fault_operation arming = {
	.prepare = prepare_arm,
	.act = act_arm,
	.undo = undo_arm,
};

/* The module is not loaded, and can be. */
TEST_F_TIMEOUT(load, module_lacks_one_allocation, 60)
{
	EXPECT_LE(20, walk_over((struct fault_walk) { .operation = &loading }, _metadata));
}

/* The same when all allocations fail from one on. */
TEST_F_TIMEOUT(load, module_lacks_memory, 60)
{
	EXPECT_LE(5, walk_over((struct fault_walk) {
		.operation = &loading,
		.onwards = true,
		.stride = 7,
	}, _metadata));
}

static int measure_hooks(void)
{
	int space = prepare_arm() ? -EBUSY : sc_create(PIDSPACE_MODE_SCOPE, NULL);

	hooks = count_armed();
	return space < 0 ? space : sp_end(space);
}

/* There is no mode SCOPE, and there can be. */
TEST_F_TIMEOUT(load, hooks_lack_one_allocation, 120)
{
	ASSERT_EQ(0, measure_hooks());
	EXPECT_LE(ONE_HOOK, walk_over((struct fault_walk) {
		.operation = &arming,
		.dense = ONE_HOOK,
		.stride = 6 * ONE_HOOK + 1,
	}, _metadata));
}

/* The same when all allocations fail from one on. */
TEST_F_TIMEOUT(load, hooks_lack_memory, 120)
{
	ASSERT_EQ(0, measure_hooks());
	EXPECT_LE(ONE_HOOK, walk_over((struct fault_walk) {
		.operation = &arming,
		.onwards = true,
		.dense = ONE_HOOK,
		.stride = 6 * ONE_HOOK + 1,
	}, _metadata));
}

TEST_HARNESS_MAIN
