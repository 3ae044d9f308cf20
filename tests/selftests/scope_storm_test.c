// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers that go from hand to hand: members and outsiders fork as fast as they
 * can in a small range of numbers, while members signal all of that range.  No
 * outsider may be hit.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "attacklib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

/* The kernel hands out numbers from FIRST on; so few come round again soon. */
#define FIRST		300
#define NUMBERS		300
#define FORKERS		2
#define PID_MAX_FILE	"/proc/sys/kernel/pid_max"

/* How often outsiders resp. members were hit. */
struct count {
	atomic_long outside;
	atomic_long inside;
	atomic_long attacks;
	atomic_bool stop;
};

static struct count *count;
/* Which of them a process counts for. */
static atomic_long *own_count;

FIXTURE(storm) {
	int space;
	bool confined;
	long pid_max;
	pid_t processes[3 * FORKERS];
	int started;
};

FIXTURE_VARIANT(storm) {
	unsigned int mode;
};

FIXTURE_VARIANT_ADD(storm, scope) { .mode = PIDSPACE_MODE_SCOPE };
FIXTURE_VARIANT_ADD(storm, track) { .mode = PIDSPACE_MODE_TRACK };

static long read_pid_max(void)
{
	char text[16] = "";
	int fd = open(PID_MAX_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -errno;
	close(fd);
	return atol(text);
}

static int write_pid_max(long max)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%ld", max);
	int fd = open(PID_MAX_FILE, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : OUTCOME(write(fd, text, length));

	close(fd);
	return err;
}

FIXTURE_SETUP(storm)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SCOPE_SIGNAL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, sp_init());
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, count);
	self->space = sc_create(variant->mode, NULL);
	ASSERT_LE(0, self->space);
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
	self->pid_max = read_pid_max();
	ASSERT_LT(FIRST + NUMBERS, self->pid_max);
	ASSERT_EQ(0, write_pid_max(FIRST + NUMBERS));
}

FIXTURE_TEARDOWN(storm)
{
	count->stop = true;
	for (int i = 0; i < self->started; i++)
		waitpid(self->processes[i], NULL, 0);
	EXPECT_EQ(0, write_pid_max(self->pid_max));
	EXPECT_EQ(0, sp_end(self->space));
}

static void count_hit(int unused)
{
	(void)unused;
	(*own_count)++;
}

/* Forks children that live for a moment, and counts who of them is hit. */
static void fork_on(atomic_long *counter) __attribute__((noreturn));
static void fork_on(atomic_long *counter)
{
	sigset_t set;

	own_count = counter;
	signal(SCOPE_SIGNAL, count_hit);
	sigemptyset(&set);
	sigaddset(&set, SCOPE_SIGNAL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	while (!count->stop) {
		pid_t pid = fork();

		if (pid == 0) {
			sched_yield();
			_exit(0);
		}
		while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	_exit(0);
}

static void signal_by_pidfd(int nr)
{
	int fd = sc_pidfd(nr);

	if (fd < 0)
		return;
	syscall(SYS_pidfd_send_signal, fd, SCOPE_SIGNAL, NULL, 0);
	close(fd);
}

/* Signals whatever has one of the numbers, in one way and another. */
static void signal_on(void) __attribute__((noreturn));
static void signal_on(void)
{
	for (long i = 0; !count->stop; i++) {
		int nr = FIRST + i % NUMBERS;

		switch (i / NUMBERS % 5) {
		case 0:
			sc_kill(nr);
			break;
		case 1:
			syscall(SYS_tkill, nr, SCOPE_SIGNAL);
			break;
		case 2:
			syscall(SYS_tgkill, nr, nr, SCOPE_SIGNAL);
			break;
		case 3:
			signal_by_pidfd(nr);
			break;
		default:
			if (nr % 16 == 0)
				sc_kill(-1);
			else
				sc_kill(-nr);
		}
		count->attacks++;
	}
	_exit(0);
}

static bool start_all(FIXTURE_DATA(storm) *self)
{
	for (int i = 0; i < 3 * FORKERS; i++) {
		pid_t pid = i < FORKERS ? fork() : sp_fork(self->space);

		if (pid == 0) {
			if (i < FORKERS) {
				sp_child_begin();
				fork_on(&count->outside);
			}
			if (i < 2 * FORKERS)
				fork_on(&count->inside);
			signal_on();
		}
		if (pid < 0)
			return false;
		self->processes[self->started++] = pid;
	}
	return true;
}

/* Whether the attacks go on until there have been enough. */
static bool await_attacks(long wanted)
{
	long now;

	while ((now = count->attacks) < wanted)
		if (!WAIT_FOR(count->attacks > now))
			return false;
	return true;
}

TEST_F_TIMEOUT(storm, numbers_used_again, 300)
{
	ASSERT_TRUE(start_all(self));
	ASSERT_TRUE(await_attacks(arena_rounds()));
	/* Who was hit has yet to say so. */
	EXPECT_TRUE(WAIT_FOR(count->inside > 0));
	if (self->confined) {
		EXPECT_EQ(0, count->outside);
	} else {
		EXPECT_TRUE(WAIT_FOR(count->outside > 0));
	}
}

TEST_HARNESS_MAIN
