// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces that come and go, for the stress test:
 *
 *   churn live FILE SEED      makes, fills and ends spaces at random while there is FILE
 *   churn reload COUNT        unloads and loads the module that often
 *   churn check               that there is no space, and no anomaly was counted
 *   churn memory              prints the bytes in use, once they have settled, and the
 *                             objects in use of the cache that bindings come from
 *
 * The status is 0 when everything was answered as it must be.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "life.h"
#include "memlib.h"
#include "modulelib.h"
#include "spacelib.h"

/* Every so many reloads, one has the hooks that confine. */
#define SCOPE_EVERY	10
/* Where the kernel has accounted objects of the size of a binding. */
#define BINDINGS	"kmalloc-cg-64"
/*
 * What the kernel may have more of for other reasons than the module.  One that looks
 * for errors keeps what was freed for a while, and finds leaks in another way.
 */
#define RELOAD_TOLERANCE	(TIME_SCALE > 1 ? 1 << 20 : 64 << 10)

static int live(const char *file)
{
	int lives = 0, err = 0;

	while (!err && !access(file, F_OK)) {
		err = life_random();
		lives += !err;
	}
	printf("%d spaces\n", lives);
	return err;
}

static int check(void)
{
	struct pidspace_abi abi = { .size = sizeof(abi) };
	__u64 ids[64];
	int device = sp_device();
	int spaces = device < 0 ? device : sp_list_ids(device, ids, 64);
	int err;

	step = "check";
	if (spaces)
		return spaces < 0 ? spaces : -EEXIST;
	err = sp_ioctl(device, PIDSPACE_IOC_ABI, &abi);
	close(device);
	return !err && abi.anomalies ? -EUCLEAN : err;
}

/* What a space held is given up after a grace period, and only then the module. */
static int reload_once(unsigned int mode)
{
	int err = life_short(mode);

	if (!err)
		err = check();
	if (err)
		return err;
	step = "unload";
	if (!WAIT_FOR(module_unload() == 0))
		return -EBUSY;
	step = "load";
	return module_load("");
}

/*
 * The figures are those after as many reloads with the hooks that confine, and the
 * first of them is there to warm up.
 */
static int reload(int count)
{
	long long now, warm = 0;
	int err = 0;

	for (int i = 1; !err && i <= count; i++) {
		err = reload_once(i % SCOPE_EVERY ? PIDSPACE_MODE_TRACK : PIDSPACE_MODE_SCOPE);
		if (err || i % SCOPE_EVERY)
			continue;
		now = mem_in_use();
		warm = warm ? warm : now;
		printf("# %d reloads: %lld bytes in use\n", i, now);
		fflush(stdout);
		step = "memory";
		/* What is freed late is not lost. */
		for (int again = 0; again < 5 && now - warm > RELOAD_TOLERANCE; again++)
			now = mem_in_use();
		if (now - warm > RELOAD_TOLERANCE)
			err = -ENOMEM;
	}
	return err;
}

static int print_memory(void)
{
	long long bytes = mem_in_use();
	long long bindings = mem_objects(BINDINGS);

	step = "memory";
	if (bytes < 0 || bindings < 0)
		return bytes < 0 ? bytes : bindings;
	printf("%lld %lld\n", bytes, bindings);
	return 0;
}

static int run(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "live")) {
		life_seed(atoi(argv[3]));
		return live(argv[2]);
	}
	if (argc == 3 && !strcmp(argv[1], "reload"))
		return reload(atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "check"))
		return check();
	if (argc == 2 && !strcmp(argv[1], "memory"))
		return print_memory();
	step = "arguments";
	return -EINVAL;
}

int main(int argc, char **argv)
{
	int err;

	step = "start";
	/* The kernel reaps the dead, also while this waits for an end. */
	signal(SIGCHLD, SIG_IGN);
	err = sp_init();
	if (!err)
		err = run(argc, argv);
	if (err < 0)
		fprintf(stderr, "churn: %s: %s\n", step, strerror(-err));
	return err < 0;
}
