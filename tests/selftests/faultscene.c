// SPDX-License-Identifier: GPL-2.0
/* What the tests of faults find unchanged. */
#include <errno.h>
#include <stddef.h>

#include "faultlib.h"
#include "faultscene.h"
#include "spacelib.h"

#define ROOM	64

struct fault_scene fault_scene;

int fault_count_spaces(void)
{
	__u64 ids[ROOM];

	return sp_list_ids(fault_scene.space, ids, ROOM);
}

int fault_scene_start(void)
{
	struct fault_scene *scene = &fault_scene;
	int err = fault_init(FAULT_MEMORY, NULL);

	if (err)
		return err;
	err = sp_init();
	if (err)
		return err;
	scene->space = sp_create(NULL, 0, &scene->id);
	if (scene->space < 0)
		return scene->space;
	err = agent_start(&scene->member, scene->space);
	if (!err)
		err = agent_start(&scene->outsider, AGENT_OUTSIDE);
	scene->spaces = fault_count_spaces();
	return err ? err : scene->spaces > 0 ? 0 : -EPROTO;
}

int fault_scene_stop(void)
{
	agent_stop(&fault_scene.member);
	agent_stop(&fault_scene.outsider);
	return sp_end(fault_scene.space);
}

int fault_all_as_before(void)
{
	const struct fault_scene *scene = &fault_scene;
	struct pidspace_abi abi = { .size = sizeof(abi) };
	struct pidspace_info info;
	pid_t child = sp_spawn(scene->space);

	if (child < 0)
		return child;
	if (sp_numbers(scene->space) != 2 || sp_kill_reap(child))
		return -ECHILD;
	if (sp_info(scene->space, &info) || info.numbers != 1 || info.handles != 1 ||
	    info.spawners || info.state != PIDSPACE_STATE_LIVE)
		return -EUCLEAN;
	if (fault_count_spaces() != scene->spaces)
		return -EEXIST;
	return sp_ioctl(scene->space, PIDSPACE_IOC_ABI, &abi) || abi.anomalies ? -EBADMSG : 0;
}
