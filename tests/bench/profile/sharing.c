// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that finds the memory that CPUs share: cache lines which the kernel
 * writes to on one CPU and uses on another, in one window.
 *
 * Each line that it tells is a window, the address of a cache line, that of an
 * instruction which uses it, how often it does so, and how often it writes.
 */
#include <stdlib.h>

#include "windows.h"

/* Room for each use of a cache line by an instruction, a power of two. */
#define USES	0x400000

/* How an instruction uses a cache line. */
struct use {
	uint64_t line;
	uint64_t instruction;
	unsigned long uses, writes;
	/* A bit for each CPU. */
	unsigned int users, writers;
	unsigned int window;
};

static struct use *table;
static size_t used;

static bool is_use(const struct use *use, uint64_t line, uint64_t instruction)
{
	return use->line == line && use->instruction == instruction && use->window == window;
}

static struct use *use_of(uint64_t line, uint64_t instruction)
{
	uint64_t key = (line + (instruction << 8) + window) * 0x9e3779b97f4a7c15ULL;
	uint64_t at = (key ^ key >> 32) % USES;

	while (table[at].uses && !is_use(&table[at], line, instruction))
		at = (at + 1) % USES;
	if (!table[at].uses && ++used > USES / 2) {
		fprintf(stderr, "sharing: more is used than there is room for\n");
		exit(1);
	}
	table[at].line = line;
	table[at].instruction = instruction;
	table[at].window = window;
	return &table[at];
}

static void accessed(unsigned int cpu, uint32_t info, uint64_t address, void *data)
{
	struct use *use;

	if (!counting)
		return;
	use = use_of(address >> 6, (uintptr_t)data);
	use->uses++;
	use->users |= 1U << cpu;
	if (qemu_plugin_mem_is_store(info)) {
		use->writes++;
		use->writers |= 1U << cpu;
	}
}

/* Only of the kernel, which is in the upper half. */
static void translated(struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);

	if (address >> 63)
		qemu_plugin_register_vcpu_mem_cb(insn, accessed, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, (void *)(uintptr_t)address);
}

static int compare(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->window != y->window)
		return x->window < y->window ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->instruction > y->instruction) - (x->instruction < y->instruction);
}

/* Whether some CPU writes what another one uses. */
static bool is_shared(const struct use *uses, size_t count)
{
	unsigned int users = 0, writers = 0;

	for (size_t i = 0; i < count; i++) {
		users |= uses[i].users;
		writers |= uses[i].writers;
	}
	return writers && (users & (users - 1));
}

static void tell(FILE *file)
{
	size_t count = 0, next;

	for (size_t i = 0; i < USES; i++)
		if (table[i].uses)
			table[count++] = table[i];
	qsort(table, count, sizeof(*table), compare);
	for (size_t i = 0; i < count; i = next) {
		next = i + 1;
		while (next < count && table[next].line == table[i].line &&
		       table[next].window == table[i].window)
			next++;
		for (size_t at = i; at < next && is_shared(&table[i], next - i); at++)
			fprintf(file, "%u %lx %lx %lu %lu\n", table[at].window, table[at].line << 6,
				table[at].instruction, table[at].uses, table[at].writes);
	}
}

static const struct plugin sharing = { translated, tell };

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	table = calloc(USES, sizeof(*table));
	return table ? windows_install(&sharing, id, argc, argv) : -1;
}
