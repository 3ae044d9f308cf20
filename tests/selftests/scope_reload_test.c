// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks of mode SCOPE come with the first space of that mode and go with the
 * module, without anybody outside noticing.
 */
#include <fcntl.h>
#include <signal.h>

#include "attacklib.h"
#include "eventlib.h"
#include "harness.h"
#include "modulelib.h"
#include "scopelib.h"
#include "spacelib.h"

#define LOOKUP	"find_vpid"

FIXTURE(scope_reload) {
};

FIXTURE_SETUP(scope_reload)
{
	sigset_t set;

	if (!getenv("PIDSPACE_KO"))
		SKIP(return, "PIDSPACE_KO does not name the module");
	sigemptyset(&set);
	sigaddset(&set, SCOPE_SIGNAL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, sp_init());
	ASSERT_EQ(0, arena_start());
	ASSERT_EQ(0, access(SP_DEVICE, F_OK));
	ASSERT_EQ(0, module_destroy_spaces());
}

FIXTURE_TEARDOWN(scope_reload)
{
	attackers_stop();
	if (access(SP_DEVICE, F_OK))
		module_load("");
}

/* Whether the kernel says that a function is hooked by somebody. */
static bool is_hooked(const char *function)
{
	FILE *file = fopen("/sys/kernel/tracing/enabled_functions", "re");
	char line[256], *name;
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		name = strtok(line, " ");
		found = name && !strcmp(name, function);
	}
	if (file)
		fclose(file);
	return found;
}

static __u32 purposes_in_force(void)
{
	struct pidspace_abi abi = { .size = sizeof(abi) };
	int fd = sp_device();
	int err = sp_ioctl(fd, PIDSPACE_IOC_ABI, &abi);

	close(fd);
	return err ? 0 : abi.hooks;
}

/* Whether a space in mode SCOPE does what it is for. */
static int space_confines(void)
{
	int space = sc_create(PIDSPACE_MODE_SCOPE, NULL);
	pid_t outsider = getpid();
	pid_t child;
	int status;

	if (space < 0)
		return space;
	child = sp_fork(space);
	if (child == 0)
		_exit(kill(outsider, 0) && errno == ESRCH ? 0 : 1);
	status = child < 0 ? child : sp_reap(child);
	if (!status)
		status = sp_destroy(space, 0);
	close(space);
	return status;
}

/* A module that has just been loaded hooks no look-up, nor does one with TRACK. */
TEST_F_TIMEOUT(scope_reload, hooks_come_when_needed, 120)
{
	int space;

	ASSERT_TRUE(WAIT_FOR(module_unload() == 0));
	EXPECT_FALSE(is_hooked(LOOKUP));
	ASSERT_EQ(0, module_load(""));
	space = sp_create(NULL, 0, NULL);
	ASSERT_LE(0, space);
	EXPECT_FALSE(is_hooked(LOOKUP));
	EXPECT_FALSE(purposes_in_force() & PIDSPACE_HOOK_SCOPE);
	ASSERT_EQ(0, sc_tighten(space, PIDSPACE_MODE_SCOPE));
	EXPECT_TRUE(is_hooked(LOOKUP));
	EXPECT_TRUE(purposes_in_force() & PIDSPACE_HOOK_SCOPE);
	close(space);
	EXPECT_TRUE(is_hooked(LOOKUP));
	ASSERT_TRUE(WAIT_FOR(module_unload() == 0));
	EXPECT_FALSE(is_hooked(LOOKUP));
}

/* What CREATE or SET refuses brings none. */
TEST_F_TIMEOUT(scope_reload, refused_modes_bring_no_hooks, 120)
{
	struct pidspace_create taken = { .mode = PIDSPACE_MODE_SCOPE, .name = "taken" };
	int space;

	ASSERT_TRUE(WAIT_FOR(module_unload() == 0));
	ASSERT_EQ(0, module_load(""));
	space = sp_create("taken", 0, NULL);
	ASSERT_LE(0, space);
	EXPECT_EQ(-EEXIST, ev_create(&taken));
	EXPECT_EQ(-EOPNOTSUPP, sc_tighten(space, PIDSPACE_MODE_VIEW));
	EXPECT_EQ(-EINVAL, sc_tighten(space, PIDSPACE_MODE_VIEW + 1));
	EXPECT_EQ(0, sc_tighten(space, PIDSPACE_MODE_TRACK));
	EXPECT_FALSE(is_hooked(LOOKUP));
	EXPECT_EQ(0, sp_end(space));
}

/* A member keeps the module, as in every mode. */
TEST_F_TIMEOUT(scope_reload, refused_with_member, 120)
{
	int space = sc_create(PIDSPACE_MODE_SCOPE, NULL);
	pid_t child;

	ASSERT_LE(0, space);
	child = sp_spawn(space);
	ASSERT_LT(0, child);
	close(space);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	ASSERT_EQ(0, sp_kill_reap(child));
	EXPECT_TRUE(WAIT_FOR(module_unload() == 0));
}

/* Hooks come and go while others signal each other: none of that fails. */
TEST_F_TIMEOUT(scope_reload, under_signals, 240)
{
	pid_t target = sp_fork_paused();

	ASSERT_LT(0, target);
	arena->pidfd = sc_pidfd(target);
	arena->target = target;
	arena->stage = STAGE_OPEN;
	ASSERT_EQ(ATTACKERS, attackers_start(-1));
	EXPECT_EQ(0, space_confines());
	ASSERT_TRUE(WAIT_FOR(module_unload() == 0));
	ASSERT_EQ(0, module_load(""));
	EXPECT_EQ(0, space_confines());
	ASSERT_TRUE(attackers_advance(ATTACKERS));
	attackers_stop();
	EXPECT_LT(0, arena->hits);
	EXPECT_EQ(0, arena->misses);
	EXPECT_EQ(0, sp_kill_reap(target));
}

TEST_HARNESS_MAIN
