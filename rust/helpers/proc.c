// SPDX-License-Identifier: GPL-2.0
/*
 * fs/proc/internal.h, which no module can include: whose inode it is.
 */

#include <linux/build_bug.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "helpers.h"

/* The kernel's own, as far as its layout goes. */
struct proc_inode {
	struct pid *pid;
	unsigned int fd;
	void *op;
	void *pde;
	void *sysctl;
	const void *sysctl_entry;
	struct hlist_node sibling_inodes;
	const void *ns_ops;
	struct inode vfs_inode;
};

/* What scripts/check finds in the kernels that the module is built for. */
static_assert(offsetof(struct proc_inode, vfs_inode) == 72);

/*
 * Returns the struct pid of a file or directory below /proc/<pid>, which holds a
 * reference on it.
 */
struct pid *pidspace_proc_inode_pid(struct inode *inode)
{
	return container_of(inode, struct proc_inode, vfs_inode)->pid;
}

/* The same of a name there; NULL when it has no inode.  Expects rcu_read_lock held. */
struct pid *pidspace_proc_dentry_pid(struct dentry *dentry)
{
	struct inode *inode = d_inode_rcu(dentry);

	return inode ? pidspace_proc_inode_pid(inode) : NULL;
}
