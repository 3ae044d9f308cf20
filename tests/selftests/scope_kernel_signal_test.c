// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel sends of its own accord arrives across the border of a space
 * in mode SCOPE: ends of children, signals of terminals, timers, and the like.
 */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "eventlib.h"
#include "harness.h"
#include "scopelib.h"
#include "spacelib.h"

#define INTERRUPT	"\003"

FIXTURE(kernel_signals) {
	int space;
};

FIXTURE_SETUP(kernel_signals)
{
	ASSERT_EQ(0, sp_init());
	self->space = sc_create(PIDSPACE_MODE_SCOPE, NULL);
	ASSERT_LE(0, self->space);
}

FIXTURE_TEARDOWN(kernel_signals)
{
	EXPECT_EQ(0, sp_end(self->space));
}

static sigset_t one_signal(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

/* The next @sig, which is blocked: its number, or what kept it away. */
static int await_signal(int sig, siginfo_t *info)
{
	const struct timespec limit = { .tv_sec = SP_PATIENCE_MS / 1000 };
	sigset_t set = one_signal(sig);
	int got;

	do {
		got = sigtimedwait(&set, info, &limit);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static void block(int sig)
{
	sigset_t set = one_signal(sig);

	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A parent outside hears of its child inside, and gets its status. */
TEST_F(kernel_signals, end_of_a_child)
{
	siginfo_t info;
	pid_t child;

	block(SIGCHLD);
	child = sp_fork(self->space);
	if (child == 0)
		_exit(7);
	ASSERT_LT(0, child);
	ASSERT_EQ(SIGCHLD, await_signal(SIGCHLD, &info));
	EXPECT_EQ(child, info.si_pid);
	EXPECT_EQ(CLD_EXITED, info.si_code);
	EXPECT_EQ(7, info.si_status);
	EXPECT_EQ(7 << 8, sp_reap(child));
}

/* It hears of stops as well, and its own signals stop and continue the child. */
TEST_F(kernel_signals, stop_of_a_child)
{
	siginfo_t info;
	int status;
	pid_t child;

	block(SIGCHLD);
	child = sp_spawn(self->space);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, kill(child, SIGSTOP));
	ASSERT_EQ(SIGCHLD, await_signal(SIGCHLD, &info));
	EXPECT_EQ(child, info.si_pid);
	EXPECT_EQ(CLD_STOPPED, info.si_code);
	EXPECT_EQ(child, waitpid(child, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, kill(child, SIGCONT));
	EXPECT_EQ(child, waitpid(child, &status, WCONTINUED));
	EXPECT_TRUE(WIFCONTINUED(status));
}

static long await_child(long unused)
{
	siginfo_t info;
	pid_t child;

	(void)unused;
	block(SIGCHLD);
	child = fork();
	if (child == 0)
		_exit(3);
	if (await_signal(SIGCHLD, &info) != SIGCHLD || info.si_pid != child)
		return -ECHILD;
	return sp_reap(child);
}

/* Inside it is as ever. */
TEST_F(kernel_signals, end_of_a_grandchild)
{
	struct agent member;

	ASSERT_EQ(0, agent_start(&member, self->space));
	EXPECT_EQ(3 << 8, agent_call(&member, await_child, 0));
	agent_stop(&member);
}

/* What a process on a terminal does once that is its own. */
static void sit_at(int terminal, void (*then)(void)) __attribute__((noreturn));
static void sit_at(int terminal, void (*then)(void))
{
	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0))
		_exit(98);
	then();
	sp_child_pause();
}

/* A terminal, and the leader of its session. */
struct seat {
	int master;
	pid_t leader;
};

static int take_seat(struct seat *seat, int space, void (*then)(void))
{
	int terminal;

	if (openpty(&seat->master, &terminal, NULL, NULL, NULL))
		return -errno;
	seat->leader = space == AGENT_OUTSIDE ? fork() : sp_fork(space);
	if (seat->leader == 0) {
		sp_child_begin();
		close(seat->master);
		sit_at(terminal, then);
	}
	close(terminal);
	return seat->leader < 0 ? seat->leader : 0;
}

static bool is_seated(const struct seat *seat)
{
	return WAIT_FOR(tcgetsid(seat->master) == seat->leader);
}

static void do_nothing(void)
{
}

/* Ctrl-C that an outsider types reaches the members in front. */
TEST_F(kernel_signals, interrupt_from_the_terminal)
{
	struct seat seat;

	ASSERT_EQ(0, take_seat(&seat, self->space, do_nothing));
	ASSERT_TRUE(is_seated(&seat));
	ASSERT_EQ(1, write(seat.master, INTERRUPT, 1));
	EXPECT_EQ(SIGINT, sp_reap(seat.leader));
	close(seat.master);
}

static long signal_by_terminal(long master)
{
	return ioctl(master, TIOCSIG, SIGINT) ? -errno : 0;
}

/* The other way round as well: a member that holds the other end has that right. */
TEST_F(kernel_signals, interrupt_of_an_outsider)
{
	struct agent member;
	struct seat seat;

	ASSERT_EQ(0, take_seat(&seat, AGENT_OUTSIDE, do_nothing));
	ASSERT_TRUE(is_seated(&seat));
	ASSERT_EQ(0, agent_start(&member, self->space));
	EXPECT_EQ(0, agent_call(&member, signal_by_terminal, seat.master));
	EXPECT_EQ(SIGINT, sp_reap(seat.leader));
	agent_stop(&member);
	close(seat.master);
}

/* When the terminal goes, the leader of the session hears of it. */
TEST_F(kernel_signals, hang_up_of_the_terminal)
{
	struct seat seat;

	ASSERT_EQ(0, take_seat(&seat, self->space, do_nothing));
	ASSERT_TRUE(is_seated(&seat));
	close(seat.master);
	EXPECT_EQ(SIGHUP, sp_reap(seat.leader));
}

/* A job in front of the terminal, in a group of its own; its leader goes. */
static void start_job_and_leave(void)
{
	pid_t job = fork();

	if (job == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	signal(SIGTTOU, SIG_IGN);
	if (job < 0 || setpgid(job, job) || tcsetpgrp(STDERR_FILENO, job))
		_exit(97);
	_exit(0);
}

static void sit_and_leave(void)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (terminal < 0)
		_exit(96);
	dup2(terminal, STDERR_FILENO);
	start_job_and_leave();
}

/* When a leader inside ends, the job in front of its terminal is hung up. */
TEST_F(kernel_signals, end_of_the_session_leader)
{
	struct seat seat;
	int status;

	ASSERT_EQ(0, take_seat(&seat, self->space, sit_and_leave));
	EXPECT_EQ(0, sp_reap(seat.leader));
	/* The job is the test's child by now. */
	EXPECT_LT(0, wait(&status));
	EXPECT_EQ(SIGHUP, status);
	close(seat.master);
}

static long use_interval_timer(long unused)
{
	const struct itimerval soon = { .it_value.tv_usec = 1000 };
	siginfo_t info;

	(void)unused;
	block(SIGALRM);
	if (setitimer(ITIMER_REAL, &soon, NULL))
		return -errno;
	return await_signal(SIGALRM, &info);
}

static long use_posix_timer(long clock)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	siginfo_t info;
	timer_t timer;
	int got;

	block(SIGUSR2);
	if (timer_create(clock, &event, &timer) || timer_settime(timer, 0, &soon, NULL))
		return -errno;
	if (clock == CLOCK_PROCESS_CPUTIME_ID)
		while (!sp_pending(getpid(), SIGUSR2))
			;
	got = await_signal(SIGUSR2, &info);
	timer_delete(timer);
	return got;
}

/* A thread's own timer signals that thread. */
static long use_thread_timer(long unused)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2 };
	siginfo_t info;
	timer_t timer;

	(void)unused;
	block(SIGUSR2);
	event._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &soon, NULL))
		return -errno;
	return await_signal(SIGUSR2, &info);
}

TEST_F(kernel_signals, timers)
{
	struct agent member;

	ASSERT_EQ(0, agent_start(&member, self->space));
	EXPECT_EQ(SIGALRM, agent_call(&member, use_interval_timer, 0));
	EXPECT_EQ(SIGUSR2, agent_call(&member, use_posix_timer, CLOCK_MONOTONIC));
	EXPECT_EQ(SIGUSR2, agent_call(&member, use_posix_timer, CLOCK_PROCESS_CPUTIME_ID));
	EXPECT_EQ(SIGUSR2, agent_call(&member, use_thread_timer, 0));
	agent_stop(&member);
}

/* Who writes to a pipe that nobody reads is told so. */
static long write_to_nobody(long unused)
{
	siginfo_t info;
	int ends[2];

	(void)unused;
	block(SIGPIPE);
	if (pipe2(ends, O_CLOEXEC) || close(ends[0]))
		return -errno;
	if (write(ends[1], "x", 1) != -1 || errno != EPIPE)
		return -EPROTO;
	return await_signal(SIGPIPE, &info);
}

TEST_F(kernel_signals, broken_pipe)
{
	struct agent member;

	ASSERT_EQ(0, agent_start(&member, self->space));
	EXPECT_EQ(SIGPIPE, agent_call(&member, write_to_nobody, 0));
	agent_stop(&member);
}

/* Errors and limits end a member as they end anybody. */
static void spend_time(void)
{
	const struct rlimit limit = { .rlim_cur = 1, .rlim_max = RLIM_INFINITY };

	setrlimit(RLIMIT_CPU, &limit);
	for (;;)
		;
}

TEST_F(kernel_signals, faults_and_limits)
{
	const struct rlimit none = {};
	pid_t child;

	setrlimit(RLIMIT_CORE, &none);
	child = sp_fork(self->space);
	if (child == 0)
		*(volatile int *)mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 0;
	EXPECT_EQ(SIGSEGV, sp_reap(child));
	child = sp_fork(self->space);
	if (child == 0)
		abort();
	EXPECT_EQ(SIGABRT, sp_reap(child));
	child = sp_fork(self->space);
	if (child == 0)
		spend_time();
	EXPECT_EQ(SIGXCPU, sp_reap(child));
}

TEST_HARNESS_MAIN
