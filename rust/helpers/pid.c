// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/pid.h>: struct pid from the initial pid namespace, and from a pidfd.
 */

#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/magic.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>

#include "helpers.h"

/* Expects rcu_read_lock held, which also keeps what it returns. */
struct pid *pidspace_find_init_pid(int nr)
{
	return find_pid_ns(nr, &init_pid_ns);
}

/*
 * Returns the struct pid that a pidfd holds a reference on, or NULL when the
 * file is not a pidfd.  The kernel's pidfd_pid() compares f_op with a table that
 * is not exported; the magic number of the file system tells as much.
 */
struct pid *pidspace_pidfd_pid(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (inode->i_sb->s_magic != PID_FS_MAGIC)
		return NULL;
	return inode->i_private;
}

/* Expects @pid in use, or rcu_read_lock held. */
void pidspace_get_pid(struct pid *pid)
{
	get_pid(pid);
}

/*
 * Expects rcu_read_lock held.  Returns the struct pid with the lowest number from
 * *@nr on in @ns, and that number in *@nr, as find_ge_pid().
 */
struct pid *pidspace_next_pid(struct pid_namespace *ns, int *nr)
{
	return idr_get_next(&ns->idr, nr);
}
