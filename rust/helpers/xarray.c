// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/xarray.h>: entries, and who pays for the nodes that hold them.
 */

#include <linux/xarray.h>

#include "helpers.h"

/* Any context.  The nodes are charged to the memcg of the caller. */
void pidspace_xa_init_account(struct xarray *xa)
{
	xa_init_flags(xa, XA_FLAGS_ACCOUNT);
}

/*
 * Expects an entry at the index.  Erases it and keeps its node: readers find
 * nothing there, and xa_erase() gives the place up.
 */
void pidspace_xa_vacate(struct xarray *xa, unsigned long index)
{
	xa_store(xa, index, XA_ZERO_ENTRY, 0);
}
