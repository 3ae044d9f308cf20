// SPDX-License-Identifier: GPL-2.0
/* Spaces and their handles, under faults: how they are made, changed, asked and ended. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "eventlib.h"
#include "faultops.h"
#include "faultscene.h"
#include "scopelib.h"
#include "spacelib.h"

#define EVENTS	64

/* So many that they take whole pages, and not one piece of memory if need be. */
#define MANY_EVENTS	1000

/* Nobody else's. */
#define NAME	"fault"

/* What an operation works on. */
static int handle;
static pid_t child;

static long act_open(void)
{
	return sp_device();
}

static int undo_open(long result)
{
	return result < 0 ? 0 : close(result);
}

const struct fault_operation fault_open = { .act = act_open, .undo = undo_open };

/* The only descriptor that kills on close is the test's own. */
static int prepare_killer(void)
{
	__u64 id;
	int space = sp_create(NULL, 0, &id);

	child = space < 0 ? space : sp_spawn(space);
	handle = child < 0 ? child : ev_open_killer(id);
	close(space);
	return handle;
}

static long act_close(void)
{
	return close(handle);
}

static int undo_close(long result)
{
	(void)result;
	return sp_reap(child) == SIGKILL ? 0 : -EPROTO;
}

const struct fault_operation fault_close = {
	.prepare = prepare_killer,
	.act = act_close,
	.undo = undo_close,
};

static int prepare_handle(void)
{
	handle = sp_device();
	return handle;
}

static long create(unsigned int mode, unsigned int events)
{
	struct pidspace_create arg = {
		.size = sizeof(arg),
		.mode = mode,
		.name = NAME,
		.events = events,
	};

	return sp_ioctl(handle, PIDSPACE_IOC_CREATE, &arg);
}

static long act_create(void)
{
	return create(PIDSPACE_MODE_TRACK, EVENTS);
}

static long act_create_scope(void)
{
	return create(PIDSPACE_MODE_SCOPE, EVENTS);
}

static long act_create_large(void)
{
	return create(PIDSPACE_MODE_TRACK, MANY_EVENTS);
}

/* After a failure the handle and the name are free. */
static int undo_create(long result)
{
	bool is_bound = sp_numbers(handle) != -EBADFD;

	if (!fault_is_due(is_bound, result))
		return -EBUSY;
	if (!is_bound && act_create())
		return -EEXIST;
	return sp_end(handle);
}

const struct fault_operation fault_create = {
	.prepare = prepare_handle,
	.act = act_create,
	.undo = undo_create,
};

const struct fault_operation fault_create_scope = {
	.prepare = prepare_handle,
	.act = act_create_scope,
	.undo = undo_create,
};

const struct fault_operation fault_create_large = {
	.prepare = prepare_handle,
	.act = act_create_large,
	.undo = undo_create,
};

static long act_bind(void)
{
	struct pidspace_open arg = { .size = sizeof(arg), .id = fault_scene.id, .events = EVENTS };

	return sp_ioctl(handle, PIDSPACE_IOC_OPEN, &arg);
}

static int undo_bind(long result)
{
	if (!fault_is_due(sp_numbers(handle) != -EBADFD, result))
		return -EBUSY;
	return close(handle);
}

const struct fault_operation fault_bind = {
	.prepare = prepare_handle,
	.act = act_bind,
	.undo = undo_bind,
};

static long act_set(void)
{
	return ev_set(fault_scene.space, (struct pidspace_set) {
		.flags = PIDSPACE_SET_F_POLICIES | PIDSPACE_SET_F_MAX_MEMBERS,
		.policies = PIDSPACE_POLICY_NO_REUSE,
		.max_members = 100,
	});
}

const struct fault_operation fault_set = { .act = act_set };

/* Another space, with one member and a stream. */
static int prepare_space(void)
{
	handle = ev_watch_new(EVENTS, NULL);
	child = handle < 0 ? handle : sp_spawn(handle);
	return child;
}

static int undo_space(long result)
{
	(void)result;
	return sp_end(handle);
}

static long act_tighten(void)
{
	return sc_tighten(handle, PIDSPACE_MODE_SCOPE);
}

static int undo_tighten(long result)
{
	unsigned int due = result < 0 ? PIDSPACE_MODE_TRACK : PIDSPACE_MODE_SCOPE;
	struct pidspace_info info;

	if (sp_info(handle, &info) || info.mode != due)
		return -EPROTO;
	return sp_end(handle);
}

const struct fault_operation fault_tighten = {
	.prepare = prepare_space,
	.act = act_tighten,
	.undo = undo_tighten,
};

static int prepare_empty(void)
{
	handle = sp_create(NAME, 0, NULL);
	return handle;
}

static long act_destroy(void)
{
	return sp_destroy(handle, 0);
}

static int undo_destroy(long result)
{
	bool is_gone = sp_numbers(handle) == -ESTALE;

	if (is_gone ? result < 0 : result >= 0)
		return -EPROTO;
	return is_gone ? close(handle) : sp_end(handle);
}

const struct fault_operation fault_destroy = {
	.prepare = prepare_empty,
	.act = act_destroy,
	.undo = undo_destroy,
};

/* Nobody else reaps the dead meanwhile, so they do without. */
static long act_destroy_with_members(void)
{
	long result;

	signal(SIGCHLD, SIG_IGN);
	result = sp_destroy(handle, PIDSPACE_DESTROY_F_KILL);
	signal(SIGCHLD, SIG_DFL);
	return result;
}

const struct fault_operation fault_destroy_with_members = {
	.prepare = prepare_space,
	.act = act_destroy_with_members,
	.undo = undo_destroy,
};

static long act_abi(void)
{
	struct pidspace_abi abi = { .size = sizeof(abi) };

	return sp_ioctl(fault_scene.space, PIDSPACE_IOC_ABI, &abi);
}

const struct fault_operation fault_abi = { .act = act_abi };

static struct pidspace_hook_info rows[64];

/* Pages that are there: else the kernel would allocate them in the copy. */
static int prepare_rows(void)
{
	memset(rows, 0xff, sizeof(rows));
	return 0;
}

static long act_hooks(void)
{
	struct pidspace_hooks arg = {
		.size = sizeof(arg),
		.count = 64,
		.entries = (unsigned long)rows,
		.entry_size = sizeof(rows[0]),
	};

	return sp_ioctl(fault_scene.space, PIDSPACE_IOC_HOOKS, &arg);
}

const struct fault_operation fault_hooks = { .prepare = prepare_rows, .act = act_hooks };

static long act_list(void)
{
	return fault_count_spaces();
}

const struct fault_operation fault_list = { .act = act_list };

static long act_info(void)
{
	return sp_numbers(fault_scene.space);
}

const struct fault_operation fault_info = { .act = act_info };

static long act_poll(void)
{
	return ev_poll(fault_scene.space);
}

const struct fault_operation fault_poll = { .act = act_poll };

static int prepare_epoll(void)
{
	handle = epoll_create1(EPOLL_CLOEXEC);
	return handle;
}

static long act_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(handle, EPOLL_CTL_ADD, fault_scene.space, &event) ? -errno : 0;
}

static int undo_epoll(long result)
{
	(void)result;
	return close(handle);
}

const struct fault_operation fault_epoll = {
	.prepare = prepare_epoll,
	.act = act_epoll,
	.undo = undo_epoll,
};

static long act_read(void)
{
	struct pidspace_event event;
	int got = ev_read(handle, &event, 1);

	return got == 1 && event.type == PIDSPACE_EVENT_FORK ? 0 : got < 0 ? got : -EPROTO;
}

/* What could not be read is there yet. */
static int undo_read(long result)
{
	bool is_there = ev_poll(handle) & POLLIN;

	if (is_there ? result >= 0 : result < 0)
		return -EPROTO;
	if (is_there && act_read())
		return -EPROTO;
	return sp_end(handle);
}

const struct fault_operation fault_read = {
	.prepare = prepare_space,
	.act = act_read,
	.undo = undo_read,
};

static long act_kill_space(void)
{
	struct pidspace_kill answer;

	return sp_kill_counted(handle, 0, SIGKILL, PIDSPACE_KILL_F_SPACE, &answer);
}

const struct fault_operation fault_kill_space = {
	.prepare = prepare_space,
	.act = act_kill_space,
	.undo = undo_space,
};
