// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/tracepoint.h>: the grace period of unregistered probes.
 */

#include <linux/tracepoint.h>

#include "helpers.h"

/* Process context.  May sleep. */
void pidspace_tracepoint_synchronize_unregister(void)
{
	tracepoint_synchronize_unregister();
}
