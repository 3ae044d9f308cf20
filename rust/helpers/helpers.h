/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Rust cannot reach: macros and inline functions of the kernel, one file
 * for each of its headers.  No policy and no state here.
 */

#ifndef _PIDSPACE_HELPERS_H
#define _PIDSPACE_HELPERS_H

#include <linux/types.h>

struct cred;
struct dentry;
struct file;
struct ftrace_regs;
struct inode;
struct pid;
struct pid_namespace;
struct task_struct;

unsigned long pidspace_ftrace_argument_0(struct ftrace_regs *fregs);
unsigned long pidspace_ftrace_argument_1(struct ftrace_regs *fregs);
unsigned long pidspace_ftrace_argument_2(struct ftrace_regs *fregs);
unsigned long pidspace_ftrace_argument_3(struct ftrace_regs *fregs);
void pidspace_ftrace_return_error(struct ftrace_regs *fregs, int error);
void pidspace_ftrace_return_value(struct ftrace_regs *fregs, unsigned long value);
const struct cred *pidspace_override_creds(struct file *file);
void pidspace_revert_creds(const struct cred *old);
struct pid *pidspace_find_init_pid(int nr);
void pidspace_get_pid(struct pid *pid);
struct pid *pidspace_next_pid(struct pid_namespace *ns, int *nr);
struct pid *pidspace_pidfd_pid(struct file *file);
struct pid *pidspace_proc_dentry_pid(struct dentry *dentry);
struct pid *pidspace_proc_inode_pid(struct inode *inode);
bool pidspace_in_task(void);
bool pidspace_no_new_privs(struct task_struct *task);
void pidspace_cpu_time(struct task_struct *task, u64 *user, u64 *system, u64 *runtime);
struct task_struct *pidspace_first_thread(struct task_struct *task);
struct task_struct *pidspace_next_process(struct task_struct *task);
struct task_struct *pidspace_next_thread(struct task_struct *task);
void pidspace_tracepoint_synchronize_unregister(void);

#endif /* _PIDSPACE_HELPERS_H */
