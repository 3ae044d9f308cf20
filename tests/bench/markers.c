// SPDX-License-Identifier: GPL-2.0
/* Windows in which somebody else counts, and the addresses of what is counted. */
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "markers.h"

void __attribute__((noipa)) profile_begin(void)
{
	asm volatile("" : : : "memory");
}

void __attribute__((noipa)) profile_end(void)
{
	asm volatile("" : : : "memory");
}

void __attribute__((noipa)) profile_next(void)
{
	asm volatile("" : : : "memory");
}

void tell_window(const char *row, const char *variant, int calls)
{
	profile_next();
	printf("window %s %s %d\n", row, variant, calls);
}

void tell_release(void)
{
	struct utsname name;

	uname(&name);
	printf("release %s\n", name.release);
}

int tell_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[1024];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		fputs(line, stdout);
	fclose(file);
	return 0;
}
