// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/xarray.h>: an array whose nodes are charged to the memcg of the caller.
 */

#include <linux/xarray.h>

#include "helpers.h"

/* Any context. */
void pidspace_xa_init_account(struct xarray *xa)
{
	xa_init_flags(xa, XA_FLAGS_ACCOUNT);
}
