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
 * Stands in for a hooked function that is refused: it is entered with the frame
 * of that function and returns to its caller, so it must not sleep.
 */
static noinline notrace int pidspace_eagain(void)
{
	return -EAGAIN;
}

/* Any context.  Makes the hooked function return -EAGAIN instead of running. */
void pidspace_ftrace_return_eagain(struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)pidspace_eagain);
}
