// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading the module. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modulelib.h"
#include "spacelib.h"

int module_load(const char *parameters)
{
	int fd = open(getenv("PIDSPACE_KO"), O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	if (!err && chmod(SP_DEVICE, 0666))
		err = -errno;
	return err;
}

int module_unload(void)
{
	return syscall(SYS_delete_module, "pidspace", O_NONBLOCK) ? -errno : 0;
}

int module_destroy_spaces(void)
{
	__u64 ids[256];
	int device = sp_device();
	int count = device < 0 ? device : sp_list_ids(device, ids, 256);

	for (int i = 0; i < count; i++)
		sp_end(sp_open(NULL, ids[i]));
	close(device);
	return count < 0 ? count : 0;
}
