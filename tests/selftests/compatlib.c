// SPDX-License-Identifier: GPL-2.0
/* Attempts by the 32-bit system calls of x86. */
#include "compatlib.h"

#ifdef __x86_64__

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioctl.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers of system calls, as <asm/unistd_32.h> has them. */
enum compat_call {
	CALL_PTRACE = 26,
	CALL_KILL = 37,
	CALL_IOCTL = 54,
	CALL_GETPRIORITY = 96,
	CALL_SETPRIORITY = 97,
	CALL_GETPGID = 132,
	CALL_GETSID = 147,
	CALL_SCHED_SETPARAM = 154,
	CALL_SCHED_GETPARAM = 155,
	CALL_SCHED_SETSCHEDULER = 156,
	CALL_SCHED_GETSCHEDULER = 157,
	CALL_SCHED_RR_GET_INTERVAL = 161,
	CALL_RT_SIGQUEUEINFO = 178,
	CALL_CAPGET = 184,
	CALL_FCNTL64 = 221,
	CALL_TKILL = 238,
	CALL_SCHED_SETAFFINITY = 241,
	CALL_SCHED_GETAFFINITY = 242,
	CALL_CLOCK_GETTIME = 265,
	CALL_CLOCK_GETRES = 266,
	CALL_TGKILL = 270,
	CALL_WAITID = 284,
	CALL_IOPRIO_SET = 289,
	CALL_IOPRIO_GET = 290,
	CALL_GET_ROBUST_LIST = 312,
	CALL_RT_TGSIGQUEUEINFO = 335,
	CALL_PRLIMIT64 = 340,
	CALL_PROCESS_VM_READV = 347,
	CALL_KCMP = 349,
	CALL_SCHED_SETATTR = 351,
	CALL_SCHED_GETATTR = 352,
	CALL_CLOCK_GETTIME64 = 403,
	CALL_PIDFD_SEND_SIGNAL = 424,
	CALL_PIDFD_OPEN = 434,
};

/* Makes one with up to six arguments, as a 32-bit program does. */
static long call6(enum compat_call nr, long a, long b, long c, long d, long e, long f)
{
	long result = nr;

	asm volatile("xchg %1, %%rbp\n\t"
		     "int $0x80\n\t"
		     "xchg %1, %%rbp"
		     : "+a" (result), "+&r" (f)
		     : "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "r8", "r9", "r10", "r11", "memory", "cc");
	result = (int)result;
	return result < 0 ? result : 0;
}

#define CALL(nr, a, b, c, d, e)	call6(CALL_##nr, (long)(a), (long)(b), (long)(c),	\
				      (long)(d), (long)(e), 0)

/* PIDFD_GET_INFO, as its first version was. */
#define GET_INFO	_IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64)

/* What the calls read and write: memory that 32 bits can name. */
static char *low;

static void not_available(int unused)
{
	(void)unused;
	_exit(1);
}

/* In a child, as it is a fault where the kernel does without these calls. */
bool compat_available(void)
{
	int status;
	pid_t pid;

	low = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, not_available);
		_exit(CALL(KILL, getpid(), 0, 0, 0, 0) ? 1 : 0);
	}
	return low != MAP_FAILED && pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* The memory, filled with 0 but for what the caller says. */
static char *cleared(void)
{
	return memset(low, 0, 256);
}

static char *words(unsigned int first, unsigned int second)
{
	const unsigned int both[] = { first, second };

	return memcpy(cleared(), both, sizeof(both));
}

static long try_kill(long nr)
{
	return CALL(KILL, nr, SIGUSR1, 0, 0, 0);
}

static long try_kill_group(long nr)
{
	return CALL(KILL, -nr, SIGUSR1, 0, 0, 0);
}

static long try_tkill(long nr)
{
	return CALL(TKILL, nr, SIGUSR1, 0, 0, 0);
}

static long try_tgkill(long nr)
{
	return CALL(TGKILL, nr, nr, SIGUSR1, 0, 0);
}

/* The first words of a siginfo: number, error, code. */
static char *queued_info(void)
{
	words(SIGUSR1, 0);
	((int *)low)[2] = SI_QUEUE;
	return low;
}

static long try_rt_sigqueueinfo(long nr)
{
	return CALL(RT_SIGQUEUEINFO, nr, SIGUSR1, queued_info(), 0, 0);
}

static long try_rt_tgsigqueueinfo(long nr)
{
	return CALL(RT_TGSIGQUEUEINFO, nr, nr, SIGUSR1, queued_info(), 0);
}

static long try_ptrace(long nr)
{
	long err = CALL(PTRACE, PTRACE_ATTACH, nr, 0, 0, 0);

	if (err)
		return err;
	return waitpid(nr, NULL, __WALL) != nr ? -ECHILD :
	       CALL(PTRACE, PTRACE_DETACH, nr, 0, 0, 0);
}

static long try_getpriority(long nr)
{
	return CALL(GETPRIORITY, PRIO_PROCESS, nr, 0, 0, 0);
}

static long try_setpriority(long nr)
{
	return CALL(SETPRIORITY, PRIO_PROCESS, nr, 5, 0, 0);
}

static long try_getpgid(long nr)
{
	return CALL(GETPGID, nr, 0, 0, 0, 0);
}

static long try_getsid(long nr)
{
	return CALL(GETSID, nr, 0, 0, 0, 0);
}

static long try_sched_setparam(long nr)
{
	return CALL(SCHED_SETPARAM, nr, cleared(), 0, 0, 0);
}

static long try_sched_getparam(long nr)
{
	return CALL(SCHED_GETPARAM, nr, low, 0, 0, 0);
}

static long try_sched_setscheduler(long nr)
{
	return CALL(SCHED_SETSCHEDULER, nr, SCHED_BATCH, cleared(), 0, 0);
}

static long try_sched_getscheduler(long nr)
{
	return CALL(SCHED_GETSCHEDULER, nr, 0, 0, 0, 0);
}

static long try_sched_rr_get_interval(long nr)
{
	return CALL(SCHED_RR_GET_INTERVAL, nr, low, 0, 0, 0);
}

static long try_sched_setaffinity(long nr)
{
	return CALL(SCHED_SETAFFINITY, nr, 4, words(1, 0), 0, 0);
}

static long try_sched_getaffinity(long nr)
{
	return CALL(SCHED_GETAFFINITY, nr, 128, low, 0, 0);
}

static long try_sched_getattr(long nr)
{
	return CALL(SCHED_GETATTR, nr, low, 64, 0, 0);
}

/* The size, and SCHED_BATCH. */
static long try_sched_setattr(long nr)
{
	return CALL(SCHED_SETATTR, nr, words(48, SCHED_BATCH), 0, 0, 0);
}

static long try_ioprio_set(long nr)
{
	return CALL(IOPRIO_SET, IOPRIO_WHO_PROCESS, nr,
		    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7), 0, 0);
}

static long try_ioprio_get(long nr)
{
	return CALL(IOPRIO_GET, IOPRIO_WHO_PROCESS, nr, 0, 0, 0);
}

static long try_prlimit(long nr)
{
	return CALL(PRLIMIT64, nr, RLIMIT_NOFILE, 0, low, 0);
}

static long try_capget(long nr)
{
	return CALL(CAPGET, words(_LINUX_CAPABILITY_VERSION_3, nr), low + 16, 0, 0, 0);
}

static long try_kcmp(long nr)
{
	return CALL(KCMP, getpid(), nr, KCMP_FILES, 0, 0);
}

static long try_get_robust_list(long nr)
{
	return CALL(GET_ROBUST_LIST, nr, low, low + 16, 0, 0);
}

/* The target has the same memory at the same address. */
static long try_process_vm_readv(long nr)
{
	words((long)low + 64, 4);
	return call6(CALL_PROCESS_VM_READV, nr, (long)low, 1, (long)low, 1, 0);
}

static long try_setown(long nr)
{
	int ends[2];
	long err;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	err = CALL(FCNTL64, ends[0], F_SETOWN, nr, 0, 0);
	close(ends[0]);
	close(ends[1]);
	return err;
}

#define PROCESS_CLOCK(nr)	(int)(~(unsigned int)(nr) << 3 | 2)

static long try_clock_gettime(long nr)
{
	return CALL(CLOCK_GETTIME, PROCESS_CLOCK(nr), low, 0, 0, 0);
}

static long try_clock_getres(long nr)
{
	return CALL(CLOCK_GETRES, PROCESS_CLOCK(nr), low, 0, 0, 0);
}

static long try_clock_gettime64(long nr)
{
	return CALL(CLOCK_GETTIME64, PROCESS_CLOCK(nr), low, 0, 0, 0);
}

static long try_pidfd_open(long nr)
{
	return CALL(PIDFD_OPEN, nr, 0, 0, 0, 0);
}

static long try_pidfd_open_thread(long nr)
{
	return CALL(PIDFD_OPEN, nr, O_EXCL, 0, 0, 0);
}

const struct attempt attempts_compat[] = {
	{ "kill", try_kill, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "kill of a group", try_kill_group, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "tkill", try_tkill, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "tgkill", try_tgkill, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "rt_sigqueueinfo", try_rt_sigqueueinfo, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "rt_tgsigqueueinfo", try_rt_tgsigqueueinfo, -ESRCH, 0,
	  ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "ptrace", try_ptrace, -ESRCH, 0, 0 },
	{ "getpriority", try_getpriority, -ESRCH, 0, 0 },
	{ "setpriority", try_setpriority, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "getpgid", try_getpgid, -ESRCH, 0, 0 },
	{ "getsid", try_getsid, -ESRCH, 0, 0 },
	{ "sched_setparam", try_sched_setparam, -ESRCH, 0, 0 },
	{ "sched_getparam", try_sched_getparam, -ESRCH, 0, 0 },
	{ "sched_setscheduler", try_sched_setscheduler, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "sched_getscheduler", try_sched_getscheduler, -ESRCH, 0, 0 },
	{ "sched_rr_get_interval", try_sched_rr_get_interval, -ESRCH, 0, 0 },
	{ "sched_setaffinity", try_sched_setaffinity, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "sched_getaffinity", try_sched_getaffinity, -ESRCH, 0, 0 },
	{ "sched_getattr", try_sched_getattr, -ESRCH, 0, 0 },
	{ "sched_setattr", try_sched_setattr, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "ioprio_set", try_ioprio_set, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "ioprio_get", try_ioprio_get, -ESRCH, 0, 0 },
	{ "prlimit64", try_prlimit, -ESRCH, 0, 0 },
	{ "capget", try_capget, -ESRCH, 0, 0 },
	{ "kcmp", try_kcmp, -ESRCH, 0, 0 },
	{ "get_robust_list", try_get_robust_list, -ESRCH, 0, 0 },
	{ "process_vm_readv", try_process_vm_readv, -ESRCH, 0, 0 },
	{ "F_SETOWN", try_setown, -ESRCH, 0, ATTEMPT_PROCESS },
	{ "clock_gettime", try_clock_gettime, -EINVAL, 0, ATTEMPT_PROCESS },
	{ "clock_getres", try_clock_getres, -EINVAL, 0, ATTEMPT_PROCESS },
	{ "clock_gettime64", try_clock_gettime64, -EINVAL, 0, ATTEMPT_PROCESS },
	{ "pidfd_open", try_pidfd_open, -ESRCH, 0, ATTEMPT_PROCESS },
	{ "pidfd_open with PIDFD_THREAD", try_pidfd_open_thread, -ESRCH, 0, 0 },
	{}
};

long compat_signal(long pidfd)
{
	return CALL(PIDFD_SEND_SIGNAL, pidfd, SIGUSR1, 0, 0, 0);
}

long compat_info(long pidfd)
{
	unsigned long long *mask = (unsigned long long *)cleared();

	*mask = 1;
	return CALL(IOCTL, pidfd, GET_INFO, low, 0, 0);
}

long compat_wait(long nr)
{
	return CALL(WAITID, P_PID, nr, low, WEXITED | WNOWAIT, 0);
}

#else /* !__x86_64__ */

bool compat_available(void)
{
	return false;
}

const struct attempt attempts_compat[] = { {} };

long compat_signal(long pidfd)
{
	return pidfd;
}

long compat_info(long pidfd)
{
	return pidfd;
}

long compat_wait(long nr)
{
	return nr;
}

#endif /* !__x86_64__ */
