/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's test harness, with time-outs that grow as the kernel under test
 * gets slower: TIME_SCALE is 1 for a stock kernel.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "kselftest_harness.h"
#include "spacelib.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	(30 * SLOWEST * TIME_SCALE)

#undef TEST_F_TIMEOUT
#define TEST_F_TIMEOUT(fixture, test, seconds)				\
	__TEST_F_IMPL(fixture, test, -1, (seconds) * SLOWEST * TIME_SCALE)

#endif /* HARNESS_H */
