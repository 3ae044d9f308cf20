// SPDX-License-Identifier: GPL-2.0
/* The commands of the device, one by one. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "spacelib.h"

#define BATCH		64

static int space, pidfd;
static __u64 space_id;
static pid_t member;
static int local;
static struct pidspace_nr batch[BATCH];

int create_in_mode(unsigned int mode)
{
	struct pidspace_create arg = { .size = sizeof(arg), .mode = mode };
	int fd = sp_device();
	int err;

	if (fd < 0)
		return fd;
	err = sp_ioctl(fd, PIDSPACE_IOC_CREATE, &arg);
	if (!err)
		return fd;
	close(fd);
	return err;
}

unsigned int modes_of_module(void)
{
	struct pidspace_abi abi = { .size = sizeof(abi) };
	int fd = sp_device();

	if (fd < 0)
		return 0;
	sp_ioctl(fd, PIDSPACE_IOC_ABI, &abi);
	close(fd);
	return abi.modes;
}

static void run_unknown_ioctl(void)
{
	ioctl(space, UNKNOWN_COMMAND, 0);
}

static void run_local(void)
{
	sp_local(space, member);
}

static void run_global(void)
{
	sp_global(space, local);
}

static void run_pidfd(void)
{
	struct pidspace_nr answer;

	sp_lookup(space, PIDSPACE_LOOKUP_PIDFD, pidfd, &answer);
}

static void run_batch(void)
{
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = PIDSPACE_LOOKUP_IN_SPACE,
		.entries = (unsigned long)batch,
		.count = BATCH,
	};

	sp_ioctl(space, PIDSPACE_IOC_LOOKUP, &arg);
}

static void run_kill(void)
{
	sp_kill(space, local, 0);
}

static void run_info(void)
{
	struct pidspace_info info;

	sp_info(space, &info);
}

static void run_open(void)
{
	close(sp_open(NULL, space_id));
}

/* The space goes with its only handle. */
static void run_create(void)
{
	close(sp_create(NULL, 0, NULL));
}

static void run_create_named(void)
{
	int fd = sp_create("named", 0, NULL);

	sp_destroy(fd, 0);
	close(fd);
}

static void run_mark(void)
{
	sp_mark(space);
	sp_clear(space);
}

static const struct op commands[] = {
	{ .row = "ioctl_unknown", .run = run_unknown_ioctl, .calls = 100 },
	{ .row = "lookup_in_space", .run = run_local, .calls = 100 },
	{ .row = "lookup_from_space", .run = run_global, .calls = 100 },
	{ .row = "lookup_pidfd", .run = run_pidfd, .calls = 100 },
	{ .row = "lookup_batch", .run = run_batch, .calls = 10, .per = BATCH },
	{ .row = "kill_member", .run = run_kill, .calls = 50 },
	{ .row = "info", .run = run_info, .calls = 50 },
	{ .row = "open", .run = run_open, .calls = 5 },
	{ .row = "create_destroy", .run = run_create, .calls = 1 },
	{ .row = "create_destroy_named", .run = run_create_named, .calls = 1 },
	{ .row = "mark_clear", .run = run_mark, .calls = 1 },
};

static int with_member(void)
{
	space = sp_create(NULL, 0, &space_id);
	if (space < 0)
		return space;
	member = sp_spawn(space);
	if (member < 0)
		return member;
	local = sp_local(space, member);
	pidfd = syscall(SYS_pidfd_open, member, 0);
	for (int i = 0; i < BATCH; i++)
		batch[i] = (struct pidspace_nr) { .from = member };
	return local < 0 ? local : pidfd < 0 ? -errno : 0;
}

void measure_device(void)
{
	int err = with_member();

	if (err) {
		tell_failure("device", "track", err);
		return;
	}
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		measure_and_tell(&commands[i], "track", -1);
	close(pidfd);
	err = sp_end(space);
	if (err)
		tell_failure("device", "track", err);
}
