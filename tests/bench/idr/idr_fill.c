// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to get a number from an IDR, as alloc_pid() does, that is nearly
 * used up.  The figures are the module's parameters, once it is loaded.
 */
#include <linux/idr.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/timex.h>

#define RANGE	4194304
#define FIRST	300
#define SAMPLES	1000
#define FILLS	4

static const unsigned int fills[FILLS] = { 0, 500, 990, 999 };

static unsigned int alloc[FILLS];
static unsigned int free[FILLS];
module_param_array(alloc, uint, NULL, 0444);
MODULE_PARM_DESC(alloc, "instructions to get a number, for each fill");
module_param_array(free, uint, NULL, 0444);
MODULE_PARM_DESC(free, "instructions to give a number back, for each fill");

static unsigned int taken[SAMPLES];
static int numbers[SAMPLES];

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static unsigned int median(void)
{
	sort(taken, SAMPLES, sizeof(taken[0]), compare, NULL);
	return taken[SAMPLES / 2];
}

/* Gets all numbers; the null pointer goes in, as alloc_pid() has it at first. */
static int fill(struct idr *idr)
{
	int nr;

	for (nr = FIRST; nr < RANGE; nr++) {
		if (idr_alloc_cyclic(idr, NULL, FIRST, RANGE, GFP_KERNEL) != nr)
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

/* Gives numbers back, evenly spread, at random, but the same ones every time. */
static void thin_out(struct idr *idr, unsigned int thousandths)
{
	u64 state = 1;
	int nr;

	for (nr = FIRST; nr < RANGE; nr++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		if ((state >> 33) % 1000 >= thousandths)
			idr_remove(idr, nr);
		cond_resched();
	}
	idr_set_cursor(idr, FIRST);
}

static void measure(struct idr *idr, unsigned int at)
{
	cycles_t begin;
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		idr_preload(GFP_KERNEL);
		begin = get_cycles();
		numbers[i] = idr_alloc_cyclic(idr, NULL, FIRST, RANGE, GFP_ATOMIC);
		taken[i] = get_cycles() - begin;
		idr_preload_end();
	}
	alloc[at] = median();
	for (i = 0; i < SAMPLES; i++) {
		begin = get_cycles();
		idr_remove(idr, numbers[i]);
		taken[i] = get_cycles() - begin;
	}
	free[at] = median();
}

/* From full to empty, as filling takes long. */
static int __init idr_fill_init(void)
{
	struct idr idr = IDR_INIT(idr);
	int at, err;

	err = fill(&idr);
	for (at = FILLS - 1; at >= 0 && !err; at--) {
		thin_out(&idr, fills[at]);
		measure(&idr, at);
	}
	idr_destroy(&idr);
	return err;
}
module_init(idr_fill_init);

static void __exit idr_fill_exit(void)
{
}
module_exit(idr_fill_exit);

MODULE_DESCRIPTION("Measures the IDR on nearly full ranges");
MODULE_LICENSE("GPL");
