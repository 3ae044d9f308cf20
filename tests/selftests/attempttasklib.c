// SPDX-License-Identifier: GPL-2.0
/* Attempts to trace a task, to reach its memory, and to learn about it. */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attemptlib.h"

/* At the same address in every process of the test. */
static char anything[16] = "anything";

static long try_ptrace_attach(long nr)
{
	long err = OUTCOME(ptrace(PTRACE_ATTACH, nr, NULL, NULL));

	if (err)
		return err;
	if (waitpid(nr, NULL, __WALL) != nr)
		return -ECHILD;
	return OUTCOME(ptrace(PTRACE_DETACH, nr, NULL, NULL));
}

static long try_ptrace_seize(long nr)
{
	long err = OUTCOME(ptrace(PTRACE_SEIZE, nr, NULL, NULL));

	if (err)
		return err;
	if (ptrace(PTRACE_INTERRUPT, nr, NULL, NULL) || waitpid(nr, NULL, __WALL) != nr)
		return -ECHILD;
	return OUTCOME(ptrace(PTRACE_DETACH, nr, NULL, NULL));
}

static long try_process_vm_readv(long nr)
{
	char copy[sizeof(anything)];
	struct iovec local = { .iov_base = copy, .iov_len = sizeof(copy) };
	struct iovec remote = { .iov_base = anything, .iov_len = sizeof(anything) };

	return OUTCOME(process_vm_readv(nr, &local, 1, &remote, 1, 0));
}

static long try_process_vm_writev(long nr)
{
	struct iovec both = { .iov_base = anything, .iov_len = sizeof(anything) };

	return OUTCOME(process_vm_writev(nr, &both, 1, &both, 1, 0));
}

static long try_move_pages(long nr)
{
	void *page = anything;
	int status;

	return OUTCOME(syscall(SYS_move_pages, nr, 1, &page, NULL, &status, 0));
}

static long try_migrate_pages(long nr)
{
	unsigned long node = 1;

	return OUTCOME(syscall(SYS_migrate_pages, nr, 8 * sizeof(node), &node, &node));
}

static long try_kcmp(long nr)
{
	return OUTCOME(syscall(SYS_kcmp, getpid(), nr, KCMP_FILES, 0, 0));
}

static long try_kcmp_first(long nr)
{
	return OUTCOME(syscall(SYS_kcmp, nr, getpid(), KCMP_FILES, 0, 0));
}

static long try_capget(long nr)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = nr,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return OUTCOME(syscall(SYS_capget, &header, data));
}

static long try_get_robust_list(long nr)
{
	size_t size;
	void *head;

	return OUTCOME(syscall(SYS_get_robust_list, nr, &head, &size));
}

/* A futex that somebody else holds, as its word has it: a wait that is over. */
static long try_futex_lock_pi(long nr)
{
	const struct timespec past = { .tv_sec = 1 };
	unsigned int word = nr;

	return OUTCOME(syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, &past, NULL, 0));
}

static long open_and_close(long fd)
{
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static long try_pidfd_open(long nr)
{
	return open_and_close(syscall(SYS_pidfd_open, nr, 0));
}

static long try_pidfd_open_thread(long nr)
{
	return open_and_close(syscall(SYS_pidfd_open, nr, PIDFD_THREAD));
}

static long try_getpgid(long nr)
{
	return OUTCOME(getpgid(nr));
}

static long try_getsid(long nr)
{
	return OUTCOME(getsid(nr));
}

/* Joins the group of the target, in a child that is of no more use then. */
static long try_join_group(long nr)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(setpgid(0, nr) ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static long try_ptracer(long nr)
{
	long err;

	if (prctl(PR_SET_PTRACER, 0, 0, 0, 0))
		return UNAVAILABLE;
	err = OUTCOME(prctl(PR_SET_PTRACER, nr, 0, 0, 0));
	prctl(PR_SET_PTRACER, 0, 0, 0, 0);
	return err;
}

static long ask_pid_namespace(unsigned long question, long nr)
{
	int fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	long err;

	if (fd < 0)
		return -errno;
	err = OUTCOME(ioctl(fd, question, nr));
	close(fd);
	return err;
}

static long try_ns_pid_from(long nr)
{
	return ask_pid_namespace(NS_GET_PID_FROM_PIDNS, nr);
}

static long try_ns_tgid_from(long nr)
{
	return ask_pid_namespace(NS_GET_TGID_FROM_PIDNS, nr);
}

static long try_ns_pid_in(long nr)
{
	return ask_pid_namespace(NS_GET_PID_IN_PIDNS, nr);
}

static long try_ns_tgid_in(long nr)
{
	return ask_pid_namespace(NS_GET_TGID_IN_PIDNS, nr);
}

static const char *proc_path(long nr, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%ld%s", nr, name);
	return path;
}

static long try_proc_stat(long nr)
{
	struct stat stat_buf;

	return OUTCOME(stat(proc_path(nr, ""), &stat_buf));
}

static long try_proc_access(long nr)
{
	return OUTCOME(access(proc_path(nr, "/task"), F_OK));
}

static long try_proc_status(long nr)
{
	return open_and_close(open(proc_path(nr, "/status"), O_RDONLY | O_CLOEXEC));
}

static long try_proc_mem(long nr)
{
	return open_and_close(open(proc_path(nr, "/mem"), O_RDWR | O_CLOEXEC));
}

static long try_proc_comm(long nr)
{
	return open_and_close(open(proc_path(nr, "/comm"), O_WRONLY | O_CLOEXEC));
}

static long try_proc_exe(long nr)
{
	char target[64];

	return OUTCOME(readlink(proc_path(nr, "/exe"), target, sizeof(target)));
}

static long try_proc_ns(long nr)
{
	return open_and_close(open(proc_path(nr, "/ns/mnt"), O_RDONLY | O_CLOEXEC));
}

const struct attempt attempts_task[] = {
	{ "PTRACE_ATTACH", try_ptrace_attach, -ESRCH, 0, 0 },
	{ "PTRACE_SEIZE", try_ptrace_seize, -ESRCH, 0, 0 },
	{ "process_vm_readv", try_process_vm_readv, -ESRCH, 0, 0 },
	{ "process_vm_writev", try_process_vm_writev, -ESRCH, 0, 0 },
	{ "move_pages", try_move_pages, -ESRCH, 0, 0 },
	{ "migrate_pages", try_migrate_pages, -ESRCH, 0, 0 },
	{ "kcmp", try_kcmp, -ESRCH, 0, 0 },
	{ "kcmp, the other way", try_kcmp_first, -ESRCH, 0, 0 },
	{ "capget", try_capget, -ESRCH, 0, 0 },
	{ "get_robust_list", try_get_robust_list, -ESRCH, 0, 0 },
	{ "FUTEX_LOCK_PI", try_futex_lock_pi, -ESRCH, -ETIMEDOUT, 0 },
	{ "pidfd_open", try_pidfd_open, -ESRCH, 0, ATTEMPT_PROCESS },
	{ "pidfd_open with PIDFD_THREAD", try_pidfd_open_thread, -ESRCH, 0, 0 },
	{ "getpgid", try_getpgid, -ESRCH, 0, 0 },
	{ "getsid", try_getsid, -ESRCH, 0, 0 },
	{ "setpgid to its group", try_join_group, -EPERM, 0, ATTEMPT_PROCESS },
	{ "PR_SET_PTRACER", try_ptracer, -EINVAL, 0, 0 },
	{ "NS_GET_PID_FROM_PIDNS", try_ns_pid_from, -ESRCH, 0, 0 },
	{ "NS_GET_TGID_FROM_PIDNS", try_ns_tgid_from, -ESRCH, 0, 0 },
	{ "NS_GET_PID_IN_PIDNS", try_ns_pid_in, -ESRCH, 0, 0 },
	{ "NS_GET_TGID_IN_PIDNS", try_ns_tgid_in, -ESRCH, 0, 0 },
	{ "stat of /proc/N", try_proc_stat, -ENOENT, 0, 0 },
	{ "access to /proc/N/task", try_proc_access, -ENOENT, 0, 0 },
	{ "open of /proc/N/status", try_proc_status, -ENOENT, 0, 0 },
	{ "open of /proc/N/mem", try_proc_mem, -ENOENT, 0, 0 },
	{ "open of /proc/N/comm", try_proc_comm, -ENOENT, 0, 0 },
	{ "readlink of /proc/N/exe", try_proc_exe, -ENOENT, 0, 0 },
	{ "open of /proc/N/ns/mnt", try_proc_ns, -ENOENT, 0, 0 },
	{}
};
