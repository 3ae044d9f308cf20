// SPDX-License-Identifier: GPL-2.0
/* What the tests of mode SCOPE share. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "eventlib.h"
#include "scopelib.h"
#include "spacelib.h"

int sc_create(unsigned int mode, __u64 *id)
{
	struct pidspace_create arg = { .mode = mode };
	int space = ev_create(&arg);

	if (id)
		*id = arg.id;
	return space;
}

int sc_tighten(int space, unsigned int mode)
{
	return ev_set(space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_MODE,
		.mode = mode,
	});
}

static int start_agent(struct agent *agent, int space, long uid)
{
	int err = agent_start(agent, space);

	if (err || !uid)
		return err;
	return agent_call(agent, verb_setuid, uid);
}

int scene_start(struct scene *scene, unsigned int mode, long uid)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SCOPE_SIGNAL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	err = sp_init();
	if (err)
		return err;
	scene->as_root = !uid;
	scene->space = sc_create(mode, &scene->id);
	if (scene->space < 0)
		return scene->space;
	err = start_agent(&scene->member, scene->space, uid);
	if (!err)
		err = start_agent(&scene->fellow, scene->space, uid);
	if (!err)
		err = start_agent(&scene->outsider, AGENT_OUTSIDE, uid);
	return err;
}

int scene_stop(struct scene *scene)
{
	agent_stop(&scene->member);
	agent_stop(&scene->fellow);
	agent_stop(&scene->outsider);
	return sp_end(scene->space);
}

bool sc_got_it(int pid)
{
	return sp_pending(pid, SCOPE_SIGNAL);
}

long sc_kill(long nr)
{
	return OUTCOME(kill(nr, SCOPE_SIGNAL));
}

long sc_fork_leader(long unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0) {
		sp_child_begin();
		sp_child_pause();
	}
	if (pid < 0 || setpgid(pid, pid))
		return -errno;
	return pid;
}

long sc_no_new_privs(long unused)
{
	(void)unused;
	return OUTCOME(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int sc_pidfd(int pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int sc_proc_dir(int pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
