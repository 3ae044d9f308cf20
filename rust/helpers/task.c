// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/sched.h>, <linux/sched/signal.h>: walking over processes and threads, and
 * what only inline functions tell of a task.
 */

#include <linux/preempt.h>
#include <linux/rculist.h>
#include <linux/seqlock.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "helpers.h"

/*
 * Expects rcu_read_lock held.  Returns the process after the given one, the first
 * one for init_task, and NULL after the last.
 */
struct task_struct *pidspace_next_process(struct task_struct *task)
{
	task = next_task(task);
	return task == &init_task ? NULL : task;
}

/* Expects rcu_read_lock held.  NULL when the process has no thread any more. */
struct task_struct *pidspace_first_thread(struct task_struct *task)
{
	return list_first_or_null_rcu(&task->signal->thread_head,
				      struct task_struct, thread_node);
}

/* Expects rcu_read_lock held.  NULL after the last. */
struct task_struct *pidspace_next_thread(struct task_struct *task)
{
	return __next_thread(task);
}

/*
 * Expects rcu_read_lock held and the task alive.  What its process has used, in ns,
 * as thread_group_cputime(): a thread that ends meanwhile counts once.  A torn count
 * of one that runs costs accuracy only.  Takes stats_lock, with interrupts off, only
 * when a thread ended meanwhile, and nothing within it.
 */
void pidspace_cpu_time(struct task_struct *task, u64 *user, u64 *system, u64 *runtime)
{
	struct signal_struct *signal = task->signal;
	struct task_struct *thread;

	scoped_seqlock_read(&signal->stats_lock, ss_lock_irqsave) {
		*user = signal->utime;
		*system = signal->stime;
		*runtime = signal->sum_sched_runtime;
		__for_each_thread(signal, thread) {
			*user += READ_ONCE(thread->utime);
			*system += READ_ONCE(thread->stime);
			*runtime += READ_ONCE(thread->se.sum_exec_runtime);
		}
	}
}

/* Any context.  Expects the task alive. */
bool pidspace_no_new_privs(struct task_struct *task)
{
	return task_no_new_privs(task);
}

/* Any context.  Whether the calling task itself runs, and no interrupt of it. */
bool pidspace_in_task(void)
{
	return in_task();
}
