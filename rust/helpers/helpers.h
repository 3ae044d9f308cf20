/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Rust cannot reach: macros and inline functions of the kernel, one file
 * for each of its headers.  No policy and no state here.
 */

#ifndef _PIDSPACE_HELPERS_H
#define _PIDSPACE_HELPERS_H

#include <linux/types.h>

struct cred;
struct file;
struct ftrace_regs;
struct pid;
struct task_struct;
struct xarray;

unsigned long pidspace_ftrace_argument(struct ftrace_regs *fregs, unsigned int n);
void pidspace_ftrace_return_eagain(struct ftrace_regs *fregs);
void pidspace_ftrace_return_restart(struct ftrace_regs *fregs);
const struct cred *pidspace_override_creds(struct file *file);
void pidspace_revert_creds(const struct cred *old);
struct pid *pidspace_find_init_pid(int nr);
struct pid *pidspace_pidfd_pid(struct file *file);
struct task_struct *pidspace_first_thread(struct task_struct *task);
struct task_struct *pidspace_next_process(struct task_struct *task);
struct task_struct *pidspace_next_thread(struct task_struct *task);
void pidspace_tracepoint_synchronize_unregister(void);
void pidspace_xa_init_account(struct xarray *xa);
void pidspace_xa_vacate(struct xarray *xa, unsigned long index);

#endif /* _PIDSPACE_HELPERS_H */
