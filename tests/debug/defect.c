// SPDX-License-Identifier: GPL-2.0
/*
 * A module that errs on request, to prove that the debug kernel notices and that
 * the lane then fails.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *kind = "";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "use_after_free, sleep_in_atomic, leak or data_race");

static DEFINE_SPINLOCK(lock);

static void use_after_free(void)
{
	int *object = kzalloc(sizeof(*object), GFP_KERNEL);

	kfree(object);
	READ_ONCE(*object);
}

static void sleep_in_atomic(void)
{
	void *object;

	spin_lock(&lock);
	object = kzalloc(64, GFP_KERNEL);
	spin_unlock(&lock);
	kfree(object);
}

/*
 * Many, as a stack, or the slab allocator's array of what was free, may still seem to
 * point to the last.
 */
static void leak(void)
{
	void *object;
	int i;

	for (i = 0; i < 1000; i++) {
		object = kzalloc(64, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(object);
	}
}

static unsigned long counter;

static int count(void *unused)
{
	while (!kthread_should_stop()) {
		counter++;
		cond_resched();
	}
	return 0;
}

/* Two threads that count with one counter. */
static void count_twice(void)
{
	struct task_struct *threads[2];
	int i;

	for (i = 0; i < 2; i++)
		threads[i] = kthread_run(count, NULL, "defect/%d", i);
	msleep(10 * MSEC_PER_SEC);
	for (i = 0; i < 2; i++)
		if (!IS_ERR(threads[i]))
			kthread_stop(threads[i]);
}

static int __init defect_init(void)
{
	if (!strcmp(kind, "use_after_free"))
		use_after_free();
	else if (!strcmp(kind, "sleep_in_atomic"))
		sleep_in_atomic();
	else if (!strcmp(kind, "leak"))
		leak();
	else if (!strcmp(kind, "data_race"))
		count_twice();
	else
		return -EINVAL;
	return 0;
}
module_init(defect_init);

static void __exit defect_exit(void)
{
}
module_exit(defect_exit);

MODULE_DESCRIPTION("Defects that a debug kernel must report");
MODULE_LICENSE("GPL");
