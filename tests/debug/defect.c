// SPDX-License-Identifier: GPL-2.0
/*
 * A module that errs on request, to prove that the debug kernel notices and that
 * the lane then fails.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *kind = "";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "use_after_free, sleep_in_atomic or leak");

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

static int __init defect_init(void)
{
	if (!strcmp(kind, "use_after_free"))
		use_after_free();
	else if (!strcmp(kind, "sleep_in_atomic"))
		sleep_in_atomic();
	else if (!strcmp(kind, "leak"))
		leak();
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
