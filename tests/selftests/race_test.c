// SPDX-License-Identifier: GPL-2.0
/*
 * KILL of a whole space against forks that are under way: whoever is a member
 * when it takes effect gets the signal, however far its birth has come, and
 * nobody else does.  What is hunted here is a matter of microseconds, so each
 * test goes through many rounds.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "agent.h"
#include "harness.h"
#include "spacelib.h"

/* How long a test goes on, and how long a round may wait before it strikes. */
#define HUNT_MS		4000
#define DELAY_US	2000

#define AUDIENCE	200
#define REACTIONS	20

FIXTURE(race) {
	int space;
};

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, self->space);
}

FIXTURE_TEARDOWN(race)
{
	signal(SIGCHLD, SIG_DFL);
	EXPECT_EQ(0, sp_end(self->space));
}

static int kill_space(int space, unsigned int sig, struct pidspace_kill *answer)
{
	return sp_kill_counted(space, 0, sig, PIDSPACE_KILL_F_SPACE, answer);
}

/* The caller runs on the first of its processors, and before everything else. */
static int run_first(int priority)
{
	const struct sched_param param = { .sched_priority = priority };
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		return -errno;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return -errno;
	if (priority && sched_setscheduler(0, SCHED_FIFO, &param))
		return -errno;
	return 0;
}

static __u64 generation(int space)
{
	struct pidspace_info info;

	return sp_info(space, &info) ? 0 : info.generation;
}

/* Whether no number is left that was in use by @generation. */
static bool all_gone(int space, __u64 generation)
{
	struct pidspace_member members[256];
	int count = sp_members(space, members, 256);

	for (int i = 0; i < count; i++)
		if (members[i].generation <= generation)
			return false;
	return count >= 0;
}

/* Stays outside, and has one child after the other in the space. */
static void spawn_for_ever(int space)
{
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (run_first(0) || sp_mark(space))
		_exit(1);
	for (;;) {
		if (fork() == 0)
			sp_child_pause();
	}
}

/*
 * A spawner outside gets no signal, so that its fork succeeds; the child dies
 * nevertheless.  The test takes the processor from the spawner wherever that is.
 */
TEST_F_TIMEOUT(race, child_of_a_spawner, 60)
{
	long long end = sp_now_ms() + HUNT_MS;
	struct pidspace_kill answer;
	pid_t spawner = fork();
	__u64 last;

	ASSERT_LE(0, spawner);
	if (spawner == 0) {
		sp_child_begin();
		spawn_for_ever(self->space);
	}
	if (run_first(1))
		SKIP(goto out, "no right to a real-time priority");
	while (sp_now_ms() < end) {
		usleep(rand() % DELAY_US);
		last = generation(self->space);
		kill_space(self->space, SIGKILL, &answer);
		ASSERT_TRUE(WAIT_FOR(all_gone(self->space, last)));
	}
out:
	EXPECT_EQ(0, sp_kill_reap(spawner));
}

/* Answers each signal with a child, and tells its pid. */
static void answer_by_fork(volatile pid_t *child)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	while (!sigwait(&set, &sig))
		*child = sp_fork_paused();
	_exit(1);
}

/* Who is born because of a signal does not get it, though the walk comes to it. */
TEST_F_TIMEOUT(race, child_of_the_signal, 60)
{
	volatile pid_t *child = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pidspace_kill answer;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)child);
	pid = sp_fork(self->space);
	ASSERT_LE(0, pid);
	if (pid == 0)
		answer_by_fork(child);
	for (int i = 0; i < AUDIENCE; i++)
		ASSERT_LT(0, sp_spawn(self->space));
	for (int i = 0; i < REACTIONS; i++) {
		*child = 0;
		ASSERT_EQ(0, kill_space(self->space, SIGUSR1, &answer));
		ASSERT_TRUE(WAIT_FOR(*child));
		EXPECT_EQ(1 + AUDIENCE + i, answer.signalled);
		EXPECT_FALSE(sp_pending(*child, SIGUSR1));
	}
	munmap((void *)child, 4096);
}

/*
 * The numbers of the space below: free ones, which the children of the storm
 * get, zombies, which make the walk take its time, and free ones again.
 */
#define FIRST_ZOMBIE	310
#define ZOMBIES		1500
#define FIRST_FORKER	(FIRST_ZOMBIE + ZOMBIES)
#define PID_MAX		(FIRST_FORKER + FORKERS + 2)
#define FORKERS		3

FIXTURE(storm) {
	int space;
	struct agent keeper;
	char mount[32];
	int cgroup;
	pid_t hog;
};

static long make_zombies(long space)
{
	pid_t pid = 0;
	int err = sp_mark(space);

	for (int nr = 1; nr < FIRST_FORKER && !err; nr++) {
		pid = vfork();
		if (pid == 0)
			_exit(0);
		if (pid < 0 || (nr < FIRST_ZOMBIE && sp_reap(pid) < 0))
			err = -errno;
	}
	sp_clear(space);
	return err ? err : sp_await_zombie(pid);
}

/*
 * Keeps the lock that a birth in a control group waits for, after the child has
 * got its number and before anybody can find it.
 */
static void keep_busy(const char *mount)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/busy-%d", mount, getpid());
	while (!mkdir(path, 0755) && !rmdir(path))
		usleep(50);
	_exit(1);
}

FIXTURE_SETUP(storm)
{
	strcpy(self->mount, "/tmp/pidspace-XXXXXX");
	ASSERT_EQ(0, sp_init());
	self->space = sp_create(NULL, PID_MAX, NULL);
	ASSERT_LE(0, self->space);
	ASSERT_NE(NULL, mkdtemp(self->mount));
	ASSERT_EQ(0, agent_start(&self->keeper, AGENT_OUTSIDE));
	if (mount("none", self->mount, "cgroup2", 0, NULL)) {
		int err = errno;

		agent_stop(&self->keeper);
		rmdir(self->mount);
		EXPECT_EQ(0, sp_end(self->space));
		SKIP(return, "cgroup2 cannot be mounted: %s", strerror(err));
	}
	self->cgroup = open(self->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->cgroup);
	ASSERT_EQ(0, agent_call(&self->keeper, make_zombies, self->space));
	self->hog = fork();
	ASSERT_LE(0, self->hog);
	if (self->hog == 0) {
		sp_child_begin();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		keep_busy(self->mount);
	}
}

FIXTURE_TEARDOWN(storm)
{
	char path[64];

	signal(SIGCHLD, SIG_DFL);
	EXPECT_EQ(0, sp_kill_reap(self->hog));
	agent_stop(&self->keeper);
	EXPECT_EQ(0, sp_end(self->space));
	snprintf(path, sizeof(path), "%s/busy-%d", self->mount, self->hog);
	rmdir(path);
	close(self->cgroup);
	umount2(self->mount, MNT_DETACH);
	rmdir(self->mount);
}

/* Has one child after the other, and ends them itself; or somebody else did. */
static void fork_and_kill(int cgroup)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup,
	};
	int status = SIGTERM;

	signal(SIGCHLD, SIG_DFL);
	while (status == SIGTERM) {
		pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

		if (pid == 0)
			sp_child_pause();
		if (pid < 0 || kill(pid, SIGTERM))
			continue;
		status = sp_reap(pid);
	}
	_exit(1);
}

/* A member with a number above the zombies' that does the above. */
static pid_t start_forker(int space, int cgroup)
{
	for (;;) {
		pid_t pid = sp_fork(space);

		if (pid == 0) {
			if (sp_local(space, getpid()) < FIRST_FORKER)
				_exit(0);
			fork_and_kill(cgroup);
		}
		if (pid < 0 || sp_local(space, pid) >= FIRST_FORKER)
			return pid;
	}
}

/*
 * The child of a member dies even where the walk came to its number before it
 * could be found, and to its parent's after that.
 */
TEST_F_TIMEOUT(storm, child_of_a_member, 90)
{
	struct pidspace_kill answer;
	long long end;

	/* Children are reaped by the kernel, and so are orphans. */
	signal(SIGCHLD, SIG_IGN);
	for (end = sp_now_ms() + 2 * HUNT_MS; sp_now_ms() < end;) {
		for (int i = 0; i < FORKERS; i++)
			ASSERT_LT(0, start_forker(self->space, self->cgroup));
		usleep(rand() % (5 * DELAY_US));
		ASSERT_EQ(0, kill_space(self->space, SIGKILL, &answer));
		ASSERT_TRUE(WAIT_FOR(sp_numbers(self->space) == ZOMBIES));
	}
}

static long kill_for_long(long space)
{
	long long end = sp_now_ms() + HUNT_MS;
	struct pidspace_kill answer;
	int err = -EPERM;

	while (err == -EPERM && sp_now_ms() < end) {
		usleep(rand() % DELAY_US);
		err = kill_space(space, SIGKILL, &answer);
	}
	return err;
}

/* Who may not signal a member does not kill its unborn child either. */
TEST_F_TIMEOUT(storm, child_of_a_stranger, 90)
{
	pid_t forker = start_forker(self->space, self->cgroup);
	struct agent user;

	ASSERT_LT(0, forker);
	ASSERT_EQ(0, agent_start(&user, AGENT_OUTSIDE));
	ASSERT_EQ(0, agent_call(&user, verb_setuid, 61234));
	EXPECT_EQ(-EPERM, agent_call(&user, kill_for_long, self->space));
	EXPECT_EQ(0, waitpid(forker, NULL, WNOHANG));
	EXPECT_EQ(0, sp_kill_reap(forker));
	agent_stop(&user);
}

TEST_HARNESS_MAIN
