/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a plugin counts: between the markers of the benchmark, profile_begin() and
 * profile_end(), in one window after the other, with profile_next() in between.
 */
#ifndef WINDOWS_H
#define WINDOWS_H

#include <stdio.h>

#include "qemu.h"

#define WINDOWS		8

/* Whether to count now, and in which window. */
extern bool counting;
extern unsigned int window;

/* What a plugin does with its instructions, and what it tells in the end. */
struct plugin {
	void (*translated)(struct qemu_plugin_insn *insn);
	void (*tell)(FILE *file);
};

/*
 * Installs a plugin with the arguments begin=ADDRESS, end=ADDRESS, next=ADDRESS and
 * out=FILE; 0 or -1.
 */
int windows_install(const struct plugin *plugin, uint64_t id, int argc, char **argv);

#endif /* WINDOWS_H */
