// SPDX-License-Identifier: GPL-2.0
/*
 * /proc for a member of a space in mode SCOPE has members only, also where
 * others look into the same mount; and for those it stays what it is.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "eventlib.h"
#include "harness.h"
#include "proclib.h"
#include "scopelib.h"
#include "spacelib.h"

/* The scene's agents inside. */
#define INSIDE		2
#define MANY		400

FIXTURE(proc) {
	struct scene scene;
	bool confined;
	/* What a member gets for the directory of an outsider. */
	long hidden;
};

SCENE_VARIANTS(proc);

FIXTURE_SETUP(proc)
{
	ASSERT_EQ(0, scene_start(&self->scene, variant->mode, variant->uid));
	self->confined = variant->mode == PIDSPACE_MODE_SCOPE;
	self->hidden = self->confined ? -ENOENT : 0;
}

FIXTURE_TEARDOWN(proc)
{
	EXPECT_EQ(0, scene_stop(&self->scene));
}

/* A listing has members, each process once, and nobody else. */
TEST_F(proc, listing)
{
	struct agent *member = &self->scene.member;

	ASSERT_LT(0, agent_call(&self->scene.fellow, verb_thread, 0));
	EXPECT_EQ(1, agent_call(member, proc_lists, member->pid));
	EXPECT_EQ(1, agent_call(member, proc_lists, self->scene.fellow.pid));
	EXPECT_EQ(!self->confined, agent_call(member, proc_lists, self->scene.outsider.pid));
	EXPECT_EQ(!self->confined, agent_call(member, proc_lists, 1));
	if (self->confined)
		EXPECT_EQ(INSIDE, agent_call(member, proc_count, 0));
}

/* From outside all of them are listed. */
TEST_F(proc, listing_from_outside)
{
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(1, proc_lists(self->scene.member.pid));
		EXPECT_EQ(1, proc_lists(self->scene.fellow.pid));
		EXPECT_EQ(1, proc_lists(self->scene.outsider.pid));
		EXPECT_EQ(1, proc_lists(1));
		EXPECT_LE(0, agent_call(&self->scene.member, proc_count, 0));
	}
}

static long list_by_small_steps(long nr)
{
	int dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct listing listing;
	int err = proc_read_on(dir, 64, nr, &listing);

	close(dir);
	return err ? err : listing.numbers * 10 + listing.found;
}

/* It comes to its end with many outsiders between and behind members. */
TEST_F(proc, listing_with_many_outsiders)
{
	struct agent last;
	long seen;

	for (int i = 0; i < MANY; i++)
		ASSERT_LT(0, ev_light());
	ASSERT_EQ(0, agent_start(&last, self->scene.space));
	for (int i = 0; i < MANY; i++)
		ASSERT_LT(0, ev_light());
	EXPECT_EQ(1, agent_call(&self->scene.member, proc_lists, last.pid));
	seen = agent_call(&self->scene.member, list_by_small_steps, last.pid);
	if (self->confined) {
		EXPECT_EQ((INSIDE + 1) * 10 + 1, seen);
	} else {
		EXPECT_LT(2 * MANY * 10, seen);
	}
	agent_stop(&last);
}

static int open_listing = -1;

static long begin_listing(long unused)
{
	struct listing listing;

	(void)unused;
	open_listing = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (open_listing < 0)
		return -errno;
	/* To the end, and so to after the last process that there is now. */
	return proc_read_on(open_listing, 512, 0, &listing);
}

static long go_on_listing(long nr)
{
	struct listing listing;
	int err;

	/* Behind what is no number in there. */
	if (lseek(open_listing, 300, SEEK_SET) < 0)
		return -errno;
	err = proc_read_on(open_listing, 512, nr, &listing);
	return err ? err : listing.numbers * 10 + listing.found;
}

/* A directory that was open before its reader became a member is no way around. */
TEST_F(proc, listing_open_before_entry)
{
	struct agent *late = &self->scene.outsider;
	pid_t outsider = sp_fork_paused();
	long seen;

	ASSERT_EQ(0, agent_call(late, begin_listing, 0));
	EXPECT_EQ(1, agent_call(late, go_on_listing, outsider) % 10);
	ASSERT_EQ(0, sp_adopt(self->scene.space, late->pid, 0));
	seen = agent_call(late, go_on_listing, outsider);
	EXPECT_EQ(!self->confined, seen % 10);
	if (self->confined)
		EXPECT_EQ(INSIDE + 1, seen / 10);
	EXPECT_EQ(1, agent_call(late, go_on_listing, self->scene.fellow.pid) % 10);
	EXPECT_EQ(0, sp_kill_reap(outsider));
}

/* Everything that is looked up here. */
static int look_everywhere(struct agent *who, long nr, long expected)
{
	return (agent_call(who, proc_shows, nr) != expected) |
	       (agent_call(who, proc_shows_as_thread, nr) != expected) << 1;
}

/* What others have just looked at is not there for a member, time and again. */
TEST_F(proc, directory_that_others_looked_at)
{
	pid_t outsider = self->scene.outsider.pid;

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, proc_shows(outsider));
		ASSERT_EQ(0, proc_shows_as_thread(outsider));
		EXPECT_EQ(0, look_everywhere(&self->scene.member, outsider, self->hidden));
	}
	EXPECT_EQ(0, proc_shows(outsider));
	EXPECT_EQ(0, proc_shows_as_thread(outsider));
}

/* That a member looked first does no harm to others. */
TEST_F(proc, directory_that_a_member_looked_at)
{
	pid_t outsider = sp_fork_paused();

	ASSERT_LT(0, outsider);
	EXPECT_EQ(0, look_everywhere(&self->scene.member, outsider, self->hidden));
	EXPECT_EQ(0, proc_shows(outsider));
	EXPECT_EQ(0, proc_shows_as_thread(outsider));
	EXPECT_EQ(0, look_everywhere(&self->scene.outsider, outsider, 0));
	EXPECT_EQ(0, sp_kill_reap(outsider));
}

/* Directories of members are there for everybody. */
TEST_F(proc, directory_of_a_member)
{
	pid_t fellow = self->scene.fellow.pid;
	long tid = agent_call(&self->scene.fellow, verb_thread, 0);

	ASSERT_LT(0, tid);
	EXPECT_EQ(0, look_everywhere(&self->scene.member, fellow, 0));
	EXPECT_EQ(0, look_everywhere(&self->scene.member, tid, 0));
	EXPECT_EQ(2, agent_call(&self->scene.member, proc_count_threads, fellow));
	EXPECT_EQ(0, look_everywhere(&self->scene.outsider, fellow, 0));
	EXPECT_EQ(0, look_everywhere(&self->scene.outsider, tid, 0));
	EXPECT_EQ(2, proc_count_threads(fellow));
}

/* Threads of others are in no directory. */
TEST_F(proc, thread_of_an_outsider)
{
	long tid = agent_call(&self->scene.outsider, verb_thread, 0);
	struct agent *member = &self->scene.member;

	ASSERT_LT(0, tid);
	ASSERT_EQ(0, proc_shows(tid));
	EXPECT_EQ(0, look_everywhere(member, tid, self->hidden));
	EXPECT_EQ(self->confined ? -ENOENT : 2,
		  agent_call(member, proc_count_threads, self->scene.outsider.pid));
	EXPECT_EQ(-ENOENT, agent_call(member, proc_shows_as_own_thread, tid));
	EXPECT_EQ(0, agent_call(member, proc_shows_as_own_thread, member->pid));
}

/* The path walk that sees only what is cached refuses too, or cannot tell. */
TEST_F(proc, cached_directory)
{
	pid_t outsider = self->scene.outsider.pid;
	long seen;

	ASSERT_EQ(0, proc_shows(outsider));
	ASSERT_EQ(0, proc_shows_cached(outsider));
	seen = agent_call(&self->scene.member, proc_shows_cached, outsider);
	if (self->confined) {
		EXPECT_TRUE(seen == -ENOENT || seen == -EAGAIN);
	} else {
		EXPECT_EQ(0, seen);
	}
	EXPECT_EQ(0, proc_shows_cached(outsider));
}

/* A mount on a file of an outsider stays, though a member looks there. */
TEST_F(proc, mount_on_a_file)
{
	char path[64];
	struct stat before, after;

	snprintf(path, sizeof(path), "/proc/%d/environ", self->scene.outsider.pid);
	ASSERT_EQ(0, mount("/dev/null", path, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, stat(path, &before));
	EXPECT_EQ(0, look_everywhere(&self->scene.member, self->scene.outsider.pid,
				     self->hidden));
	EXPECT_EQ(0, stat(path, &after));
	EXPECT_TRUE(S_ISCHR(after.st_mode));
	EXPECT_EQ(0, umount(path));
}

/* Zombies are there like others. */
TEST_F(proc, zombies)
{
	long inside = agent_call(&self->scene.fellow, verb_fork_zombie, 0);
	long outside = agent_call(&self->scene.outsider, verb_fork_zombie, 0);

	EXPECT_EQ(0, agent_call(&self->scene.member, proc_shows, inside));
	EXPECT_EQ(1, agent_call(&self->scene.member, proc_lists, inside));
	EXPECT_EQ(self->hidden, agent_call(&self->scene.member, proc_shows, outside));
	EXPECT_EQ(!self->confined, agent_call(&self->scene.member, proc_lists, outside));
	agent_call(&self->scene.fellow, verb_reap, inside);
	agent_call(&self->scene.outsider, verb_reap, outside);
}

static long find_itself(long unused)
{
	char target[32] = "", expected[32];

	(void)unused;
	snprintf(expected, sizeof(expected), "%d", getpid());
	if (readlink("/proc/self", target, sizeof(target) - 1) < 0 || strcmp(target, expected))
		return -EPROTO;
	memset(target, 0, sizeof(target));
	snprintf(expected, sizeof(expected), "%d/task/%d", getpid(), gettid());
	if (readlink("/proc/thread-self", target, sizeof(target) - 1) < 0 ||
	    strcmp(target, expected))
		return -EPROTO;
	if (access("/proc/self/status", R_OK) || access("/proc/thread-self/comm", R_OK))
		return -errno;
	return access("/proc/self/fd/0", F_OK) ? -errno : 0;
}

/* A member finds itself, and what is in /proc beside processes. */
TEST_F(proc, itself)
{
	EXPECT_EQ(0, agent_call(&self->scene.member, find_itself, 0));
	EXPECT_EQ(0, OUTCOME(access("/proc/self/status", R_OK)));
}

static long mount_own(long unused)
{
	(void)unused;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/tmp", "proc", 0, NULL))
		return -errno;
	proc_root = "/tmp";
	return 0;
}

/* A mount of its own shows a member no more. */
TEST_F(proc, own_mount)
{
	struct agent *member = &self->scene.member;

	if (variant->uid)
		SKIP(return, "only root mounts");
	ASSERT_EQ(0, agent_call(member, mount_own, 0));
	EXPECT_EQ(0, look_everywhere(member, self->scene.outsider.pid, self->hidden));
	EXPECT_EQ(0, look_everywhere(member, self->scene.fellow.pid, 0));
	EXPECT_EQ(!self->confined, agent_call(member, proc_lists, self->scene.outsider.pid));
	EXPECT_EQ(1, agent_call(member, proc_lists, self->scene.fellow.pid));
	if (self->confined)
		EXPECT_EQ(INSIDE, agent_call(member, proc_count, 0));
}

#define ROUNDS	(3000 / WORK_SCALE)

/* How often of many times a look at @nr did not end as the first one did. */
static long look_again_and_again(long nr)
{
	long first = proc_shows(nr);
	long others = 0;

	for (int i = 0; i < ROUNDS; i++)
		others += proc_shows(nr) != first;
	return others;
}

/* Both sides look into the same mount at the same time, and see what is theirs. */
TEST_F_TIMEOUT(proc, both_at_once, 60)
{
	pid_t outsider = sp_fork_paused();

	ASSERT_EQ(0, agent_send(&self->scene.member, look_again_and_again, outsider));
	ASSERT_EQ(0, agent_send(&self->scene.outsider, look_again_and_again, outsider));
	EXPECT_EQ(0, agent_receive(&self->scene.member));
	EXPECT_EQ(0, agent_receive(&self->scene.outsider));
	EXPECT_EQ(self->hidden, agent_call(&self->scene.member, proc_shows, outsider));
	EXPECT_EQ(0, proc_shows(outsider));
	EXPECT_EQ(0, sp_kill_reap(outsider));
}

TEST_HARNESS_MAIN
