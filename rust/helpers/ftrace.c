// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/ftrace.h>: arguments and verdicts of a hooked function.
 */

#include <linux/errno.h>
#include <linux/ftrace.h>

#include "helpers.h"

/*
 * Any context.  Valid at the entry of the hooked function only.  One for each
 * argument, as the compiler then knows where it is.
 */
#define DEFINE_ARGUMENT(n)						\
unsigned long pidspace_ftrace_argument_##n(struct ftrace_regs *fregs)	\
{									\
	return ftrace_regs_get_argument(fregs, n);			\
}

DEFINE_ARGUMENT(0)
DEFINE_ARGUMENT(1)
DEFINE_ARGUMENT(2)
DEFINE_ARGUMENT(3)

/*
 * These stand in for a hooked function that is refused: they are entered with the
 * frame of that function and return to its caller, so they must not sleep.
 */
static noinline notrace long pidspace_eagain(void)
{
	return -EAGAIN;
}

static noinline notrace long pidspace_enoent(void)
{
	return -ENOENT;
}

static noinline notrace long pidspace_eperm(void)
{
	return -EPERM;
}

static noinline notrace long pidspace_eremote(void)
{
	return -EREMOTE;
}

static noinline notrace long pidspace_esrch(void)
{
	return -ESRCH;
}

static noinline notrace long pidspace_restart(void)
{
	return -ERESTARTNOINTR;
}

static noinline notrace unsigned long pidspace_first_argument(unsigned long value)
{
	return value;
}

/*
 * Any context.  Makes the hooked function return @error instead of running, one of
 * those above.  Its arguments stay as they are: a BPF program that runs when the
 * function returns gets them too, and takes pointers for valid.
 */
void pidspace_ftrace_return_error(struct ftrace_regs *fregs, int error)
{
	long (*answer)(void);

	switch (error) {
	case -EAGAIN:
		answer = pidspace_eagain;
		break;
	case -ENOENT:
		answer = pidspace_enoent;
		break;
	case -EREMOTE:
		answer = pidspace_eremote;
		break;
	case -ESRCH:
		answer = pidspace_esrch;
		break;
	case -ERESTARTNOINTR:
		answer = pidspace_restart;
		break;
	default:
		answer = pidspace_eperm;
	}
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)answer);
}

/*
 * Any context.  Makes the hooked function, whose first argument is no pointer,
 * return @value instead of running.
 */
void pidspace_ftrace_return_value(struct ftrace_regs *fregs, unsigned long value)
{
#ifdef CONFIG_X86
	arch_ftrace_regs(fregs)->regs.di = value;
#else
	arch_ftrace_regs(fregs)->regs[0] = value;
#endif
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)pidspace_first_argument);
}
