// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts how often each instruction of the kernel needs a cache
 * line that another CPU has: to read what that one wrote, or to write what it used.
 * Caches are without end here, so that nothing else takes a line away.
 *
 * Each line that it tells is a window, an address and a count.
 *
 * The emulated CPUs have to run in threads of their own, so not under -icount: else
 * QEMU says of an access that it was by the CPU which was first to execute the code.
 */
#include <pthread.h>
#include <stdlib.h>

#include "windows.h"

/* Room for as many cache lines and instructions, a power of two. */
#define ROOM	0x400000

/* Who has a cache line, since somebody wrote to it; a bit for each CPU. */
struct line {
	uint64_t address;
	unsigned int window;
	unsigned int holders;
};

struct instruction {
	uint64_t address;
	unsigned int transfers[WINDOWS];
};

static struct line *lines;
static struct instruction *instructions;
/* For both. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t start_at(uint64_t address)
{
	uint64_t key = address * 0x9e3779b97f4a7c15ULL;

	return (key ^ key >> 32) % ROOM;
}

/* By open addressing, and nothing is given up: so the search ends while there is room. */
static size_t next_at(size_t at, size_t *used)
{
	if (++*used < ROOM)
		return (at + 1) % ROOM;
	fprintf(stderr, "qemu-system: sharing: there is no room for all that is used\n");
	exit(1);
}

/* Nobody has a line when a window begins. */
static struct line *line_of(uint64_t address)
{
	size_t at = start_at(address), tries = 0;

	while (lines[at].address && lines[at].address != address)
		at = next_at(at, &tries);
	if (lines[at].window != window)
		lines[at].holders = 0;
	lines[at].address = address;
	lines[at].window = window;
	return &lines[at];
}

static struct instruction *instruction_of(uint64_t address)
{
	size_t at = start_at(address), tries = 0;

	while (instructions[at].address && instructions[at].address != address)
		at = next_at(at, &tries);
	instructions[at].address = address;
	return &instructions[at];
}

static void transfer(struct line *line, struct instruction *by, unsigned int self, bool store)
{
	if (store ? line->holders & ~self : line->holders && !(line->holders & self))
		by->transfers[window]++;
	line->holders = store ? self : line->holders | self;
}

static void accessed(unsigned int cpu, uint32_t info, uint64_t address, void *data)
{
	if (!counting)
		return;
	pthread_mutex_lock(&lock);
	transfer(line_of(address >> 6), data, 1U << cpu, qemu_plugin_mem_is_store(info));
	pthread_mutex_unlock(&lock);
}

/* Only of the kernel, which is in the upper half. */
static void translated(struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	struct instruction *instruction;

	if (!(address >> 63))
		return;
	pthread_mutex_lock(&lock);
	instruction = instruction_of(address);
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_mem_cb(insn, accessed, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW, instruction);
}

static void tell(FILE *file)
{
	for (size_t i = 0; i < ROOM; i++)
		for (unsigned int w = 0; w < WINDOWS; w++)
			if (instructions[i].transfers[w])
				fprintf(file, "%u %lx %u\n", w, instructions[i].address,
					instructions[i].transfers[w]);
}

static const struct plugin sharing = { translated, tell };

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	lines = calloc(ROOM, sizeof(*lines));
	instructions = calloc(ROOM, sizeof(*instructions));
	return lines && instructions ? windows_install(&sharing, id, argc, argv) : -1;
}
