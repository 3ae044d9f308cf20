// SPDX-License-Identifier: GPL-2.0
/* Attempts to send a signal, at once or by way of a file's owner. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asm/sockios.h>

#include "attemptlib.h"

/* Targets block it, so it stays pending. */
#define SIGNAL	SIGUSR1

static long try_kill(long nr)
{
	return OUTCOME(kill(nr, SIGNAL));
}

static long try_kill_none(long nr)
{
	return OUTCOME(kill(nr, 0));
}

static long try_kill_group(long nr)
{
	return OUTCOME(kill(-nr, SIGNAL));
}

static long try_tkill(long nr)
{
	return OUTCOME(syscall(SYS_tkill, nr, SIGNAL));
}

static long try_tgkill(long nr)
{
	return OUTCOME(syscall(SYS_tgkill, nr, nr, SIGNAL));
}

static siginfo_t queued_info(void)
{
	siginfo_t info = { .si_signo = SIGNAL, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	return info;
}

static long try_rt_sigqueueinfo(long nr)
{
	siginfo_t info = queued_info();

	return OUTCOME(syscall(SYS_rt_sigqueueinfo, nr, SIGNAL, &info));
}

static long try_rt_tgsigqueueinfo(long nr)
{
	siginfo_t info = queued_info();

	return OUTCOME(syscall(SYS_rt_tgsigqueueinfo, nr, nr, SIGNAL, &info));
}

const struct attempt attempts_signal[] = {
	{ "kill", try_kill, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "kill with no signal", try_kill_none, -ESRCH, 0, 0 },
	{ "kill of a group", try_kill_group, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "tkill", try_tkill, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "tgkill", try_tgkill, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "rt_sigqueueinfo", try_rt_sigqueueinfo, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "rt_tgsigqueueinfo", try_rt_tgsigqueueinfo, -ESRCH, 0,
	  ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{}
};

long attempt_own(owner_fn set, int nr, int signal)
{
	int ends[2];
	long outcome;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	outcome = OUTCOME(set(ends[0], nr));
	if (fcntl(ends[0], F_SETSIG, signal) || fcntl(ends[0], F_SETFL, O_ASYNC) ||
	    send(ends[1], "x", 1, MSG_NOSIGNAL) != 1)
		outcome = -EPROTO;
	close(ends[0]);
	close(ends[1]);
	return outcome;
}

int owner_set(int fd, int nr)
{
	return fcntl(fd, F_SETOWN, nr);
}

static int set_owner_ex(int fd, int type, int nr)
{
	struct f_owner_ex owner = { .type = type, .pid = nr };

	return fcntl(fd, F_SETOWN_EX, &owner);
}

static int set_owner_thread(int fd, int nr)
{
	return set_owner_ex(fd, F_OWNER_TID, nr);
}

static int set_owner_process(int fd, int nr)
{
	return set_owner_ex(fd, F_OWNER_PID, nr);
}

int owner_set_group(int fd, int nr)
{
	return set_owner_ex(fd, F_OWNER_PGRP, nr);
}

static int set_owner_fiosetown(int fd, int nr)
{
	return ioctl(fd, FIOSETOWN, &nr);
}

static int set_owner_siocspgrp(int fd, int nr)
{
	return ioctl(fd, SIOCSPGRP, &nr);
}

static long try_setown(long nr)
{
	return attempt_own(owner_set, nr, SIGNAL);
}

static long try_setown_group(long nr)
{
	return attempt_own(owner_set, -nr, SIGNAL);
}

static long try_setown_ex_thread(long nr)
{
	return attempt_own(set_owner_thread, nr, SIGNAL);
}

static long try_setown_ex_process(long nr)
{
	return attempt_own(set_owner_process, nr, SIGNAL);
}

static long try_setown_ex_group(long nr)
{
	return attempt_own(owner_set_group, nr, SIGNAL);
}

static long try_fiosetown(long nr)
{
	return attempt_own(set_owner_fiosetown, nr, SIGNAL);
}

static long try_siocspgrp(long nr)
{
	return attempt_own(set_owner_siocspgrp, nr, SIGNAL);
}

static long try_siocspgrp_group(long nr)
{
	return attempt_own(set_owner_siocspgrp, -nr, SIGNAL);
}

const struct attempt attempts_owner[] = {
	{ "F_SETOWN", try_setown, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "F_SETOWN of a group", try_setown_group, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "F_SETOWN_EX of a thread", try_setown_ex_thread, -ESRCH, 0, ATTEMPT_LEAVES },
	{ "F_SETOWN_EX of a process", try_setown_ex_process, -ESRCH, 0,
	  ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "F_SETOWN_EX of a group", try_setown_ex_group, -ESRCH, 0,
	  ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "FIOSETOWN", try_fiosetown, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "SIOCSPGRP", try_siocspgrp, -ESRCH, 0, ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{ "SIOCSPGRP of a group", try_siocspgrp_group, -ESRCH, 0,
	  ATTEMPT_LEAVES | ATTEMPT_PROCESS },
	{}
};
