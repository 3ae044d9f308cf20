// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/ftrace.h>: arguments and verdicts of a hooked function.
 */

#include <linux/errno.h>
#include <linux/ftrace.h>

#include "helpers.h"

/* Any context.  Valid at the entry of the hooked function only. */
unsigned long pidspace_ftrace_argument(struct ftrace_regs *fregs, unsigned int n)
{
	return ftrace_regs_get_argument(fregs, n);
}

/*
 * These stand in for a hooked function that is refused: they are entered with the
 * frame of that function and return to its caller, so they must not sleep.
 */
static noinline notrace int pidspace_eagain(void)
{
	return -EAGAIN;
}

static noinline notrace int pidspace_restart(void)
{
	return -ERESTARTNOINTR;
}

/* Any context.  Makes the hooked function return -EAGAIN instead of running. */
void pidspace_ftrace_return_eagain(struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)pidspace_eagain);
}

/* Any context.  Makes the hooked function return -ERESTARTNOINTR instead of running. */
void pidspace_ftrace_return_restart(struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)pidspace_restart);
}
