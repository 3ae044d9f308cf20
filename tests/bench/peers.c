// SPDX-License-Identifier: GPL-2.0
/* What Linux has that is like the commands of the device. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "place.h"
#include "spacelib.h"

#ifndef NS_GET_TGID_FROM_PIDNS
#define NS_GET_TGID_FROM_PIDNS	_IOR(NSIO, 0x7, int)
#define NS_GET_TGID_IN_PIDNS	_IOR(NSIO, 0x9, int)
#endif

/* Beside the cgroup of place.c. */
#define OTHER_CGROUP	"/sys/fs/cgroup/other"

static int null_device, namespace, process_dir;
/* Number 1 of the namespace. */
static pid_t first;

static void run_ioctl(void)
{
	ioctl(null_device, UNKNOWN_COMMAND, 0);
}

static void run_open(void)
{
	close(open("/dev/null", O_RDWR | O_CLOEXEC));
}

static void run_in_namespace(void)
{
	ioctl(namespace, NS_GET_TGID_IN_PIDNS, first);
}

static void run_from_namespace(void)
{
	ioctl(namespace, NS_GET_TGID_FROM_PIDNS, 1);
}

static void run_read_cgroup(void)
{
	char text[256];
	int fd = openat(process_dir, "cgroup", O_RDONLY | O_CLOEXEC);

	if (read(fd, text, sizeof(text)) <= 0)
		_exit(1);
	close(fd);
}

static void run_cgroup(void)
{
	if (mkdir(OTHER_CGROUP, 0755) || rmdir(OTHER_CGROUP))
		_exit(1);
}

static const struct {
	const char *variant;
	struct op op;
} peers[] = {
	{ "null", { .row = "ioctl_unknown", .run = run_ioctl, .calls = 100 } },
	{ "null", { .row = "open", .run = run_open, .calls = 5 } },
	{ "pidns1", { .row = "lookup_in_space", .run = run_in_namespace, .calls = 100 } },
	{ "pidns1", { .row = "lookup_from_space", .run = run_from_namespace, .calls = 100 } },
	{ "cgroup", { .row = "lookup_in_space", .run = run_read_cgroup, .calls = 4 } },
	{ "cgroup", { .row = "create_destroy", .run = run_cgroup, .calls = 1 } },
};

/* A process that is number 1 somewhere, and in a cgroup. */
static int start_first(void)
{
	char path[64];
	int err;

	first = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (first == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (first < 0)
		return -errno;
	err = cgroup_enter(first);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d", first);
	process_dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	namespace = openat(process_dir, "ns/pid", O_RDONLY | O_CLOEXEC);
	if (process_dir < 0 || namespace < 0)
		return -errno;
	/* Both must be answered, and not refused, which costs less. */
	if (ioctl(namespace, NS_GET_TGID_IN_PIDNS, first) != 1 ||
	    ioctl(namespace, NS_GET_TGID_FROM_PIDNS, 1) != first)
		return -EPROTO;
	return 0;
}

void measure_peers(void)
{
	int err = start_first();

	null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (unsigned int i = 0; i < sizeof(peers) / sizeof(peers[0]) && !err; i++)
		measure_and_tell(&peers[i].op, peers[i].variant, -1);
	if (!err)
		err = sp_kill_reap(first);
	if (err)
		tell_failure("device", "peers", err);
}
