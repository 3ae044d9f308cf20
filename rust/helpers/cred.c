// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/cred.h>: acting with the credentials of another.
 */

#include <linux/cred.h>
#include <linux/fs.h>

#include "helpers.h"

/*
 * Process context.  Lets the calling task act with the credentials that the file
 * was opened with, which the file holds, and returns its own.
 */
const struct cred *pidspace_override_creds(struct file *file)
{
	return override_creds(file->f_cred);
}

/* Process context.  Expects what pidspace_override_creds() returned. */
void pidspace_revert_creds(const struct cred *old)
{
	revert_creds(old);
}
