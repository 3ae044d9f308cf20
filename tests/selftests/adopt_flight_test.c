// SPDX-License-Identifier: GPL-2.0
/*
 * ADOPT of a process that is just forking.  A birth into a control group waits
 * for a lock after the child has its number and before anybody can find it; a
 * process that changes its own group again and again keeps that lock for long.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "adoptlib.h"
#include "agent.h"
#include "eventlib.h"
#include "harness.h"
#include "spacelib.h"

/* How many births are looked for under way, and for how long at most. */
#define CATCHES		(10 / WORK_SCALE)
#define HUNT_MS		(60000 * TIME_SCALE)

/* Between two changes of group, so that each one waits anew. */
#define CALM_US		40000

/* What test, child and the one that keeps the lock share. */
struct flight {
	/* Odd while the lock is kept. */
	atomic_uint changes;
	/* The kernel fills it in when the child is there and not yet running. */
	atomic_int child;
	/* What the child finds itself to be, first of all. */
	atomic_int local;
};

static struct flight *flight;
static int cgroup = -1;

FIXTURE(flight) {
	int space;
	struct agent parent;
	char mount[32];
	char group[64];
	pid_t keeper;
};

FIXTURE_VARIANT(flight) {
	unsigned int flags;
	/* Whether the parent's parent is adopted, and the parent with it. */
	bool above;
};

FIXTURE_VARIANT_ADD(flight, alone) { };
FIXTURE_VARIANT_ADD(flight, tree) { .flags = PIDSPACE_ADOPT_F_TREE };
FIXTURE_VARIANT_ADD(flight, deeper_in_a_tree) { .flags = PIDSPACE_ADOPT_F_TREE, .above = true };

static void change_group(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	flight->changes++;
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(1);
	flight->changes++;
	close(fd);
	usleep(CALM_US);
}

static void keep_the_lock(const char *mount, const char *group)
{
	char here[64], there[80];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(here, sizeof(here), "%s/cgroup.procs", mount);
	snprintf(there, sizeof(there), "%s/cgroup.procs", group);
	for (;;) {
		change_group(there);
		change_group(here);
	}
}

FIXTURE_SETUP(flight)
{
	strcpy(self->mount, "/tmp/pidspace-XXXXXX");
	ASSERT_EQ(0, sp_init());
	ASSERT_NE(NULL, mkdtemp(self->mount));
	if (mount("none", self->mount, "cgroup2", 0, NULL)) {
		rmdir(self->mount);
		SKIP(return, "cgroup2 cannot be mounted: %s", strerror(errno));
	}
	cgroup = open(self->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, cgroup);
	flight = mmap(NULL, sizeof(*flight), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, flight);
	snprintf(self->group, sizeof(self->group), "%s/flight-%d", self->mount, getpid());
	ASSERT_EQ(0, mkdir(self->group, 0755));
	self->keeper = fork();
	ASSERT_LE(0, self->keeper);
	if (self->keeper == 0) {
		sp_child_begin();
		keep_the_lock(self->mount, self->group);
	}
}

FIXTURE_TEARDOWN(flight)
{
	EXPECT_EQ(0, sp_kill_reap(self->keeper));
	EXPECT_TRUE(WAIT_FOR(!rmdir(self->group)));
	close(cgroup);
	umount2(self->mount, MNT_DETACH);
	rmdir(self->mount);
}

static int find_oneself(void)
{
	int fd = sp_device();
	int local = sp_local(fd, getpid());

	close(fd);
	return local;
}

/* A child that says at once what it is, and pauses. */
static long fork_into_group(long unused)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_PARENT_SETTID,
		.exit_signal = SIGCHLD,
		.parent_tid = (unsigned long)&flight->child,
		.cgroup = cgroup,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	(void)unused;
	if (pid == 0) {
		flight->local = find_oneself();
		sp_child_begin();
		sp_child_pause();
	}
	return pid < 0 ? -errno : pid;
}

/* A child of the parent's in whose stead that forks, and that is told to. */
static long fork_in_child(long unused)
{
	pid_t pid = fork();

	if (pid == 0) {
		sp_child_begin();
		_exit(fork_into_group(unused) < 0);
	}
	return pid;
}

/* Who forks, and so what sleeps: the parent, or its child. */
static pid_t begin_birth(FIXTURE_DATA(flight) *self, bool above)
{
	unsigned int before;

	flight->child = 0;
	flight->local = 0;
	before = flight->changes;
	while (flight->changes == before || !(flight->changes & 1))
		usleep(100);
	if (above)
		return agent_call(&self->parent, fork_in_child, 0);
	return agent_send(&self->parent, fork_into_group, 0) ? -EIO : self->parent.pid;
}

/* Has a birth begin: who forks, if it got stuck on its way, or 0 if it is through. */
static pid_t catch_a_birth(FIXTURE_DATA(flight) *self, bool above)
{
	pid_t forker = begin_birth(self, above);

	while (forker > 0 && !flight->child)
		if (ev_sleeps_in(forker, SYS_clone3))
			return forker;
	return 0;
}

/* It becomes a member, and has its number, before it runs. */
TEST_F_TIMEOUT(flight, child_becomes_a_member, 120)
{
	long long end = sp_now_ms() + HUNT_MS;
	int catches = 0;

	while (catches < CATCHES && sp_now_ms() < end) {
		struct pidspace_member member;
		pid_t forker;
		bool caught;

		self->space = sp_create(NULL, 0, NULL);
		ASSERT_LE(0, self->space);
		ASSERT_EQ(0, agent_start(&self->parent, AGENT_OUTSIDE));
		forker = catch_a_birth(self, variant->above);
		if (forker)
			ASSERT_EQ(0, sp_adopt(self->space, self->parent.pid, variant->flags));
		caught = forker && !flight->child;
		/* Alone, a child that is born by now may have come first, and be no member. */
		if (!variant->flags)
			caught = caught && ev_sleeps_in(forker, SYS_clone3);
		ASSERT_TRUE(WAIT_FOR(flight->child && flight->local));
		if (caught) {
			catches++;
			/* The next number, or its own if the adoption found it first. */
			EXPECT_TRUE(flight->local == 1 || flight->local == flight->child);
			EXPECT_EQ(flight->local, sp_local(self->space, flight->child));
			ASSERT_EQ(0, sp_member(self->space, flight->local, &member));
			EXPECT_EQ(PIDSPACE_MEMBER_F_LEADER, member.flags);
			EXPECT_LT(0, member.generation);
		}
		agent_stop(&self->parent);
		ASSERT_EQ(0, sp_end(self->space));
	}
	TH_LOG("%d births were caught under way", catches);
	EXPECT_LT(0, catches);
}

/* SIGKILL for all, sent while it is not yet born, ends its birth or its life. */
TEST_F_TIMEOUT(flight, child_is_killed_with_the_rest, 120)
{
	long long end = sp_now_ms() + HUNT_MS;
	struct pidspace_kill answer;
	int catches = 0;

	while (catches < CATCHES && sp_now_ms() < end) {
		self->space = sp_create(NULL, 0, NULL);
		ASSERT_LE(0, self->space);
		ASSERT_EQ(0, agent_start(&self->parent, AGENT_OUTSIDE));
		if (catch_a_birth(self, variant->above)) {
			ASSERT_EQ(0, sp_adopt(self->space, self->parent.pid, variant->flags));
			ASSERT_EQ(0, sp_kill_counted(self->space, 0, SIGKILL,
						     PIDSPACE_KILL_F_SPACE, &answer));
			catches += !flight->child;
			EXPECT_TRUE(WAIT_FOR((ev_reap_all(), sp_numbers(self->space) == 0)));
			/* Alone, who was born just before is no member. */
			if (variant->flags)
				EXPECT_TRUE(WAIT_FOR((ev_reap_all(), !flight->child ||
						      kill(flight->child, 0))));
		}
		agent_stop(&self->parent);
		ASSERT_EQ(0, sp_end(self->space));
	}
	TH_LOG("%d births were caught under way", catches);
	EXPECT_LT(0, catches);
}

TEST_HARNESS_MAIN
