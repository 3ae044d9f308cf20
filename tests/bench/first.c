// SPDX-License-Identifier: GPL-2.0
/* A new space or pid namespace, and a first process in it that ends at once. */
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "spacelib.h"

#define ATTEMPTS	24

static int fork_and_wait(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -errno : 0;
}

static int first_in_space(void)
{
	int fd = sp_create(NULL, 0, NULL);
	int err = fd < 0 ? fd : sp_mark(fd);

	if (!err)
		err = fork_and_wait();
	sp_clear(fd);
	close(fd);
	return err;
}

static int first_in_pidns(void)
{
	if (unshare(CLONE_NEWPID))
		return -errno;
	return fork_and_wait();
}

/*
 * Somewhere new for a process, and a process there that ends at once.  Each time
 * in a child, as one can leave its pid namespace only once.
 */
static void measure_first(const char *variant, int (*fn)(void))
{
	double *taken = mmap(NULL, ATTEMPTS * sizeof(*taken), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	if (idle_begin()) {
		tell_failure("first_child", variant, -errno);
		return;
	}
	for (int i = 0; i < ATTEMPTS && !status; i++) {
		pid_t pid;

		rest();
		pid = fork();
		if (pid == 0) {
			set_urgent(true);
			stopwatch_start();
			status = fn();
			taken[i] = stopwatch_read();
			_exit(-status);
		}
		waitpid(pid, &status, 0);
	}
	idle_end();
	if (status)
		tell_failure("first_child", variant, -WEXITSTATUS(status));
	else
		tell_value("first_child", variant, -1, median(taken, ATTEMPTS), "instructions");
	munmap(taken, ATTEMPTS * sizeof(*taken));
}

void measure_first_child(void)
{
	measure_first("loaded", fork_and_wait);
	measure_first("track", first_in_space);
}

void measure_first_child_peers(void)
{
	measure_first("bare", fork_and_wait);
	measure_first("pidns1", first_in_pidns);
}
