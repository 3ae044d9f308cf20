// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts how often each instruction of the guest is executed.
 * Each line that it tells is a window, an address and a count.
 */
#include <stdlib.h>

#include "windows.h"

/* Twice as many as a guest executes different instructions, a power of two. */
#define PLACES	0x400000

struct place {
	uint64_t address;
	unsigned long counts[WINDOWS];
};

static struct place *places;

/* By open addressing; a place is never given up. */
static struct place *place_of(uint64_t address)
{
	uint64_t key = address * 0x9e3779b97f4a7c15ULL;
	uint64_t at = (key ^ key >> 32) % PLACES;

	while (places[at].address && places[at].address != address)
		at = (at + 1) % PLACES;
	places[at].address = address;
	return &places[at];
}

static void executed(unsigned int cpu, void *data)
{
	struct place *place = data;

	(void)cpu;
	if (counting)
		place->counts[window]++;
}

static void translated(struct qemu_plugin_insn *insn)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, QEMU_PLUGIN_CB_NO_REGS,
					       place_of(qemu_plugin_insn_vaddr(insn)));
}

static void tell(FILE *file)
{
	for (size_t i = 0; i < PLACES; i++)
		for (unsigned int w = 0; w < WINDOWS; w++)
			if (places[i].counts[w])
				fprintf(file, "%u %lx %lu\n", w, places[i].address,
					places[i].counts[w]);
}

static const struct plugin functions = { translated, tell };

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	places = calloc(PLACES, sizeof(*places));
	return places ? windows_install(&functions, id, argc, argv) : -1;
}
