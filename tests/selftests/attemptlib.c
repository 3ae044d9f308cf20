// SPDX-License-Identifier: GPL-2.0
/* How attempts are made, and what they leave behind. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attemptlib.h"
#include "spacelib.h"

/* What attempts change, of all that these files of /proc say. */
static const char *const kept_lines[] = {
	"TracerPid:", "SigPnd:", "ShdPnd:", "Cpus_allowed:", "NoNewPrivs:", "Groups:", "NSsid:",
	"NSpgid:", "Max core file size", "Max open files", "0::",
};

static bool is_kept(const char *line)
{
	for (size_t i = 0; i < sizeof(kept_lines) / sizeof(kept_lines[0]); i++)
		if (!strncmp(line, kept_lines[i], strlen(kept_lines[i])))
			return true;
	return false;
}

static int look_at_file(struct traces *traces, int nr, const char *name)
{
	char line[256];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/%s", nr, name);
	file = fopen(line, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		size_t length = strlen(traces->text);

		if (is_kept(line))
			strncat(traces->text, line, sizeof(traces->text) - length - 1);
	}
	fclose(file);
	return 0;
}

int attempt_look(struct traces *traces, int nr)
{
	static const char *const files[] = { "status", "limits", "cgroup" };
	int err = 0;

	snprintf(traces->text, sizeof(traces->text), "nice %ld ioprio %ld policy %ld\n",
		 syscall(SYS_getpriority, PRIO_PROCESS, nr),
		 syscall(SYS_ioprio_get, 1, nr), syscall(SYS_sched_getscheduler, nr));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++)
		err = look_at_file(traces, nr, files[i]);
	return err;
}

static void *tell_and_pause(void *told)
{
	*(volatile int *)told = gettid();
	sp_child_pause();
}

static void be_target(int *told) __attribute__((noreturn));
static void be_target(int *told)
{
	pthread_t thread;

	sp_child_begin();
	setpgid(0, 0);
	if (pthread_create(&thread, NULL, tell_and_pause, told))
		_exit(1);
	sp_child_pause();
}

long attempt_target(long unused)
{
	volatile int *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long pid;
	int tid;

	(void)unused;
	if (told == MAP_FAILED)
		return -errno;
	pid = fork();
	if (pid == 0)
		be_target((int *)told);
	if (pid > 0 && !WAIT_FOR(*told)) {
		sp_kill_reap(pid);
		pid = -1;
	}
	tid = *told;
	munmap((int *)told, sizeof(*told));
	return pid < 0 ? -EAGAIN : pid << 32 | tid;
}

/* Who is attempted at, and what it was like when last looked at. */
struct target {
	long numbers;
	int nr;
	struct traces traces;
};

static int make_target(struct target *target, const struct trial *trial)
{
	target->numbers = agent_call(trial->parent, attempt_target, 0);
	if (target->numbers < 0)
		return target->numbers;
	target->nr = trial->thread ? TARGET_TID(target->numbers) : TARGET_PID(target->numbers);
	return attempt_look(&target->traces, target->nr);
}

static void end_target(const struct target *target, const struct trial *trial)
{
	if (target->numbers > 0)
		agent_call(trial->parent, verb_kill_reap, TARGET_PID(target->numbers));
}

/* Looks again, and tells whether there is anything new. */
static bool has_changed(struct target *target)
{
	struct traces before = target->traces;

	if (attempt_look(&target->traces, target->nr))
		strcpy(target->traces.text, "it is gone\n");
	return strcmp(before.text, target->traces.text);
}

/* Whether an attempt that ended with @got did what it should. */
static bool is_right(const struct attempt *attempt, const struct trial *trial, long got,
		     bool changed)
{
	bool leaves = !trial->refused && attempt->flags & ATTEMPT_LEAVES;
	long wanted = trial->refused ? attempt->refused : attempt->allowed;

	if (got == UNAVAILABLE) {
		fprintf(stderr, "# %s is not available here\n", attempt->name);
		return true;
	}
	if (got == wanted && changed == leaves)
		return true;
	fprintf(stderr, "# %s: %ld instead of %ld, and the target has %schanged\n",
		attempt->name, got, wanted, changed ? "" : "not ");
	return false;
}

static bool applies(const struct attempt *attempt, const struct trial *trial)
{
	return (trial->as_root || !(attempt->flags & ATTEMPT_ROOT)) &&
	       (!trial->thread || !(attempt->flags & ATTEMPT_PROCESS));
}

int attempts_make(const struct attempt *table, const struct trial *trial)
{
	struct target target = {};
	bool changed = true;
	int wrong = 0;

	for (const struct attempt *attempt = table; attempt->name; attempt++) {
		long got;

		if (!applies(attempt, trial))
			continue;
		if (changed) {
			end_target(&target, trial);
			if (make_target(&target, trial)) {
				fprintf(stderr, "# %s: no target\n", attempt->name);
				return wrong + 1;
			}
		}
		got = agent_call(trial->who, attempt->run, target.nr);
		changed = has_changed(&target);
		wrong += !is_right(attempt, trial, got, changed);
	}
	end_target(&target, trial);
	return wrong;
}

int attempts_make_all(const struct trial *trial)
{
	static const struct attempt *const tables[] = {
		attempts_signal, attempts_schedule, attempts_task, attempts_owner, attempts_system,
		attempts_net,
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		wrong += attempts_make(tables[i], trial);
	return wrong;
}
