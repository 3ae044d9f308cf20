// SPDX-License-Identifier: GPL-2.0
/* The smallest program there is: what exec(2) costs, and little else. */

void _start(void) __attribute__((noreturn));
void _start(void)
{
#if defined(__x86_64__)
	asm volatile("syscall" : : "a" (231L), "D" (0L) : "rcx", "r11", "memory");
#else
	register long status asm("x0") = 0;
	register long number asm("x8") = 94;

	asm volatile("svc #0" : : "r" (status), "r" (number) : "memory");
#endif
	for (;;)
		;
}
