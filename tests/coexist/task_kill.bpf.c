// SPDX-License-Identifier: GPL-2.0
/*
 * What others may run at functions that mode SCOPE hooks: programs at the exits
 * of many, and at one of them also at its entry and in its stead.
 */
typedef unsigned long long u64;

#define SEC(name)	__attribute__((section(name), used))
#define EACCES		13
/* A signal that nobody sends without being told to. */
#define REFUSED_SIGNAL	31

/* Counted by the programs, read by bpftool. */
u64 entered, passed, refused, refused_here;

/* Of security_task_kill(p, info, sig, cred), and in @ctx[4] what it returns. */
SEC("fentry/security_task_kill")
int enter(u64 *ctx)
{
	(void)ctx;
	__sync_fetch_and_add(&entered, 1);
	return 0;
}

SEC("fmod_ret/security_task_kill")
int answer(u64 *ctx)
{
	if ((int)ctx[2] != REFUSED_SIGNAL)
		return 0;
	__sync_fetch_and_add(&refused_here, 1);
	return -EACCES;
}

SEC("fexit/security_task_kill")
int leave(u64 *ctx)
{
	if ((int)ctx[4] == -1)
		__sync_fetch_and_add(&refused, 1);
	else if (!(int)ctx[4])
		__sync_fetch_and_add(&passed, 1);
	return 0;
}

/* One counter and one program for each, as the programs are told apart by nothing else. */
#define COUNT(function)							\
u64 exits_##function;							\
									\
SEC("fexit/" #function)							\
int leave_##function(u64 *ctx)						\
{									\
	(void)ctx;							\
	__sync_fetch_and_add(&exits_##function, 1);			\
	return 0;							\
}

COUNT(find_vpid)
COUNT(find_get_pid)
COUNT(find_task_by_vpid)
COUNT(find_get_task_by_vpid)
COUNT(find_task_by_pid_ns)
COUNT(find_ge_pid)
COUNT(security_ptrace_access_check)
COUNT(security_task_setnice)
COUNT(do_prlimit)
COUNT(pidfd_ioctl)
COUNT(pid_revalidate)
COUNT(proc_pid_permission)
COUNT(cgroup_can_fork)
COUNT(free_pid)

char gpl[] SEC("license") = "GPL";
