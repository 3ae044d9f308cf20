// SPDX-License-Identifier: GPL-2.0
/*
 * Commands under faults.  Each allocation of each command fails once, alone and with
 * all after it: the command then fails with ENOMEM and has done nothing, or succeeds.
 * So does each copy from and to its caller's memory, which makes it EFAULT.
 */
#include "faultlib.h"
#include "faultops.h"
#include "faultscene.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

FIXTURE(command) {
};

FIXTURE_VARIANT(command) {
	const struct fault_operation *operation;
	int allocations;
	int copies;
};

#define VARIANT(name, allocations_, copies_)				\
FIXTURE_VARIANT_ADD(command, name) {					\
	.operation = &fault_##name,					\
	.allocations = allocations_,					\
	.copies = copies_,						\
}

FAULT_OPERATIONS(VARIANT);

FIXTURE_SETUP(command)
{
	int scope, err = fault_scene_start();

	if (err == -EOPNOTSUPP)
		SKIP(return, "this kernel cannot fail allocations");
	ASSERT_EQ(0, err);
	/* The hooks of the mode are put in force by a test of its own. */
	scope = sc_create(PIDSPACE_MODE_SCOPE, NULL);
	ASSERT_LE(0, scope);
	ASSERT_EQ(0, sp_end(scope));
}

FIXTURE_TEARDOWN(command)
{
	EXPECT_EQ(0, fault_scene_stop());
}

static int walk_over(struct fault_walk walk, struct __test_metadata *_metadata)
{
	int failed;

	walk.check = fault_all_as_before;
	failed = fault_walk(&walk);
	TH_LOG("%s", walk.report);
	return failed;
}

/* One allocation fails. */
TEST_F_TIMEOUT(command, lacks_one_allocation, 60)
{
	EXPECT_LE(variant->allocations, walk_over((struct fault_walk) {
		.operation = variant->operation,
		.error = -ENOMEM,
	}, _metadata));
}

/* From one allocation on, all fail. */
TEST_F_TIMEOUT(command, lacks_memory, 60)
{
	EXPECT_LE(variant->allocations, walk_over((struct fault_walk) {
		.operation = variant->operation,
		.error = -ENOMEM,
		.onwards = true,
	}, _metadata));
}

/* One copy fails. */
TEST_F_TIMEOUT(command, has_bad_memory, 60)
{
	ASSERT_EQ(0, fault_init(FAULT_COPY, NULL));
	EXPECT_LE(variant->copies, walk_over((struct fault_walk) {
		.operation = variant->operation,
		.error = -EFAULT,
	}, _metadata));
}

TEST_HARNESS_MAIN
