// SPDX-License-Identifier: GPL-2.0
/* A space and a native pid namespace behind one set of operations. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spacelib.h"
#include "world.h"

struct world *world_current;

static int space_start(struct world *world, unsigned int pid_max)
{
	world->space = sp_create(NULL, pid_max, NULL);
	if (world->space < 0)
		return world->space;
	return agent_start(&world->first, world->space);
}

static int space_number(struct world *world, long reported)
{
	return sp_local(world->space, reported);
}

static int space_held(struct world *world, int nr)
{
	struct pidspace_member member;
	int err = sp_member(world->space, nr, &member);

	if (err == -ESRCH)
		return 0;
	return err ? err : 1;
}

const struct world_ops world_pidspace = {
	.start = space_start,
	.number = space_number,
	.held = space_held,
};

/* A write from inside: the sysctl is that of the writer's pid namespace. */
static long write_pid_max(long pid_max)
{
	int fd = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);
	char text[16];
	int err = 0;

	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%ld", pid_max);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -errno;
	close(fd);
	return err;
}

static int pidns_start(struct world *world, unsigned int pid_max)
{
	int err;

	world->space = -1;
	err = agent_start(&world->first, AGENT_PIDNS);
	if (err || !pid_max)
		return err;
	return agent_call(&world->first, write_pid_max, pid_max);
}

static int pidns_number(struct world *world, long reported)
{
	(void)world;
	return reported;
}

/* Asks for number @nr by name: EEXIST is what a number in use answers. */
static long probe_number(long nr)
{
	pid_t wanted = nr;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (unsigned long)&wanted,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno == EEXIST ? 1 : -errno;
	return sp_reap(pid) < 0 ? -errno : 0;
}

static int pidns_held(struct world *world, int nr)
{
	return agent_call(&world->first, probe_number, nr);
}

const struct world_ops world_pidns = {
	.start = pidns_start,
	.number = pidns_number,
	.held = pidns_held,
};

int world_start(struct world *world, const struct world_ops *ops, unsigned int pid_max)
{
	int err = sp_init();

	if (err)
		return err;
	world->ops = ops;
	world->space = -1;
	world_current = world;
	return ops->start(world, pid_max);
}

int world_stop(struct world *world)
{
	agent_stop(&world->first);
	return world->space >= 0 ? sp_end(world->space) : 0;
}

int world_number(struct world *world, long reported)
{
	return reported < 0 ? reported : world->ops->number(world, reported);
}

int world_held(struct world *world, int nr)
{
	return world->ops->held(world, nr);
}
