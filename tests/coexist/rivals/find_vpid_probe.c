// SPDX-License-Identifier: GPL-2.0
/*
 * A kprobe with a post handler.  Where kprobes go by ftrace, on x86, it changes
 * the function as a live patch does, and only one of the two can.
 */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static atomic_long_t hits;

static int get_hits(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(&hits));
}

static const struct kernel_param_ops hits_ops = {
	.get = get_hits,
};
module_param_cb(hits, &hits_ops, NULL, 0444);
MODULE_PARM_DESC(hits, "How often the post handler ran");

static void hit(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
	atomic_long_inc(&hits);
}

static struct kprobe probe = {
	.symbol_name = "find_vpid",
	.post_handler = hit,
};

static int __init probe_init(void)
{
	return register_kprobe(&probe);
}
module_init(probe_init);

static void __exit probe_exit(void)
{
	unregister_kprobe(&probe);
}
module_exit(probe_exit);

MODULE_DESCRIPTION("A probe that is in the way of pidspace, and the other way round");
MODULE_LICENSE("GPL");
