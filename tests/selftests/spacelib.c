// SPDX-License-Identifier: GPL-2.0
/* Typed calls of /dev/pidspace, and how a test begins and ends a space. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spacelib.h"

int sp_device(void)
{
	int fd = open(SP_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int sp_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

int sp_bind(int fd, const char *name, unsigned int pid_max, __u64 *id)
{
	struct pidspace_create arg = { .size = sizeof(arg), .pid_max = pid_max };
	int err;

	if (name)
		memcpy(arg.name, name, strnlen(name, sizeof(arg.name)));
	err = sp_ioctl(fd, PIDSPACE_IOC_CREATE, &arg);
	if (!err && id)
		*id = arg.id;
	return err;
}

int sp_create(const char *name, unsigned int pid_max, __u64 *id)
{
	int fd = sp_device();
	int err;

	if (fd < 0)
		return fd;
	err = sp_bind(fd, name, pid_max, id);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int sp_open(const char *name, __u64 id)
{
	struct pidspace_open arg = { .size = sizeof(arg), .id = id };
	int fd = sp_device();
	int err;

	if (fd < 0)
		return fd;
	if (name)
		memcpy(arg.name, name, strnlen(name, sizeof(arg.name)));
	err = sp_ioctl(fd, PIDSPACE_IOC_OPEN, &arg);
	if (!err)
		return fd;
	close(fd);
	return err;
}

const char *sp_unique_name(void)
{
	static char name[PIDSPACE_NAME_SIZE];
	static int count;

	snprintf(name, sizeof(name), "selftest-%d-%d", getpid(), count++);
	return name;
}

int sp_info(int space, struct pidspace_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return sp_ioctl(space, PIDSPACE_IOC_INFO, info);
}

int sp_numbers(int space)
{
	struct pidspace_info info;
	int err = sp_info(space, &info);

	return err ? err : (int)info.numbers;
}

int sp_mark(int space)
{
	struct pidspace_spawn arg = { .size = sizeof(arg) };

	return sp_ioctl(space, PIDSPACE_IOC_SPAWN, &arg);
}

int sp_clear(int space)
{
	struct pidspace_spawn arg = {
		.size = sizeof(arg),
		.flags = PIDSPACE_SPAWN_F_CLEAR,
	};

	return sp_ioctl(space, PIDSPACE_IOC_SPAWN, &arg);
}

int sp_destroy(int space, unsigned int flags)
{
	struct pidspace_destroy arg = { .size = sizeof(arg), .flags = flags };

	return sp_ioctl(space, PIDSPACE_IOC_DESTROY, &arg);
}

int sp_kill_counted(int space, int nr, unsigned int sig, unsigned int flags,
		    struct pidspace_kill *answer)
{
	*answer = (struct pidspace_kill) {
		.size = sizeof(*answer),
		.flags = flags,
		.nr = nr,
		.sig = sig,
	};
	return sp_ioctl(space, PIDSPACE_IOC_KILL, answer);
}

int sp_kill(int space, int nr, unsigned int sig)
{
	struct pidspace_kill answer;

	return sp_kill_counted(space, nr, sig, 0, &answer);
}

int sp_adopt_counted(int space, int pid, unsigned int flags,
		     struct pidspace_adopt *answer)
{
	*answer = (struct pidspace_adopt) {
		.size = sizeof(*answer),
		.flags = flags,
		.pid = pid,
	};
	return sp_ioctl(space, PIDSPACE_IOC_ADOPT, answer);
}

int sp_adopt(int space, int pid, unsigned int flags)
{
	struct pidspace_adopt answer;

	return sp_adopt_counted(space, pid, flags, &answer);
}

int sp_lookup(int fd, unsigned int op, int from, struct pidspace_nr *answer)
{
	struct pidspace_lookup arg = {
		.size = sizeof(arg),
		.op = op,
		.nr.from = from,
	};
	int err = sp_ioctl(fd, PIDSPACE_IOC_LOOKUP, &arg);

	*answer = arg.nr;
	return err;
}

int sp_local(int space, int global)
{
	struct pidspace_nr answer;
	int err = sp_lookup(space, PIDSPACE_LOOKUP_IN_SPACE, global, &answer);

	return err ? err : answer.to;
}

int sp_global(int space, int local)
{
	struct pidspace_nr answer;
	int err = sp_lookup(space, PIDSPACE_LOOKUP_FROM_SPACE, local, &answer);

	return err ? err : answer.to;
}

int sp_members(int space, struct pidspace_member *members, int room)
{
	struct pidspace_members arg = {
		.size = sizeof(arg),
		.entry_size = sizeof(*members),
	};
	int err, filled = 0;

	while (filled < room) {
		arg.entries = (unsigned long)(members + filled);
		arg.count = room - filled;
		err = sp_ioctl(space, PIDSPACE_IOC_MEMBERS, &arg);
		if (err)
			return err;
		if (!arg.count)
			break;
		filled += arg.count;
	}
	return filled;
}

int sp_member(int space, unsigned int nr, struct pidspace_member *member)
{
	struct pidspace_members arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)member,
		.count = 1,
		.entry_size = sizeof(*member),
		.cursor = nr - 1,
	};
	int err = sp_ioctl(space, PIDSPACE_IOC_MEMBERS, &arg);

	if (err)
		return err;
	return arg.count && member->nr == nr ? 0 : -ESRCH;
}

int sp_list_ids(int fd, __u64 *ids, int room)
{
	struct pidspace_info batch[16];
	struct pidspace_list arg = {
		.size = sizeof(arg),
		.entries = (unsigned long)batch,
		.entry_size = sizeof(batch[0]),
	};
	int err, filled = 0;

	for (;;) {
		arg.count = sizeof(batch) / sizeof(batch[0]);
		err = sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg);
		if (err)
			return err;
		if (!arg.count)
			return filled;
		for (unsigned int i = 0; i < arg.count && filled < room; i++)
			ids[filled++] = batch[i].id;
	}
}

bool sp_listed(__u64 id)
{
	struct pidspace_info info;
	struct pidspace_list arg = {
		.size = sizeof(arg),
		.cursor = id - 1,
		.entries = (unsigned long)&info,
		.count = 1,
		.entry_size = sizeof(info),
	};
	int fd = sp_device();
	bool found;

	found = !sp_ioctl(fd, PIDSPACE_IOC_LIST, &arg) && arg.count && info.id == id;
	close(fd);
	return found;
}

pid_t sp_fork(int space)
{
	int err = sp_mark(space);
	pid_t pid;

	if (err)
		return err;
	pid = fork();
	if (pid == 0) {
		sp_child_begin();
		return 0;
	}
	err = pid < 0 ? -errno : pid;
	sp_clear(space);
	return err;
}

pid_t sp_spawn(int space)
{
	pid_t pid = sp_fork(space);

	if (pid == 0)
		sp_child_pause();
	return pid;
}

/* Whether nothing happened since load that should not. */
static bool no_anomalies(int fd)
{
	struct pidspace_abi abi = { .size = sizeof(abi) };

	return !sp_ioctl(fd, PIDSPACE_IOC_ABI, &abi) && !abi.anomalies;
}

int sp_end(int space)
{
	struct pidspace_kill answer;
	int err = 0;

	sp_clear(space);
	sp_kill_counted(space, 0, SIGKILL, PIDSPACE_KILL_F_SPACE, &answer);
	/* Its zombies are ours, or come to us as orphans. */
	if (!WAIT_FOR(({
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		sp_numbers(space) <= 0;
	})))
		err = -EBUSY;
	else if (!no_anomalies(space))
		err = -EUCLEAN;
	sp_destroy(space, 0);
	close(space);
	return err;
}
