// SPDX-License-Identifier: GPL-2.0
/*
 * A live patch of a function that mode SCOPE hooks, to prove that only one of
 * the two gets it.  The function does what it did before.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>

static struct pid *patched_find_vpid(int nr)
{
	return find_pid_ns(nr, task_active_pid_ns(current));
}

static struct klp_func functions[] = {
	{
		.old_name = "find_vpid",
		.new_func = patched_find_vpid,
	},
	{ }
};

static struct klp_object objects[] = {
	{
		/* No name: it is in the kernel itself. */
		.funcs = functions,
	},
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objects,
};

static int __init patch_init(void)
{
	return klp_enable_patch(&patch);
}
module_init(patch_init);

static void __exit patch_exit(void)
{
}
module_exit(patch_exit);

MODULE_DESCRIPTION("A live patch that is in the way of pidspace, and the other way round");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
