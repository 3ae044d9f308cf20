// SPDX-License-Identifier: GPL-2.0
/* A program for debuggers: it waits in a function they can stop at, with a number to read. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

volatile int answer = 4242;

/* For a debugger to call: the errno of a signal to @pid. */
__attribute__((used)) static int signal_errno(int pid)
{
	return kill(pid, 0) ? errno : 0;
}

static void *second(void *unused)
{
	while (pause())
		;
	return unused;
}

static void wait_in_here(int depth)
{
	if (depth) {
		wait_in_here(depth - 1);
		return;
	}
	puts("waiting");
	fflush(stdout);
	while (pause())
		;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, second, NULL))
		return 1;
	wait_in_here(2);
	return 0;
}
