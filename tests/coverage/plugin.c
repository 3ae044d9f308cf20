// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that notes which instructions of the guest's kernel modules are
 * executed, in whatever context.
 *
 *   --plugin plugin.so,out=FILE
 *
 * Each line of FILE is an address.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu.h"

#define EXPORT	__attribute__((visibility("default")))

/* The lowest address that x86 has modules at. */
#define MODULES	0xffffffffa0000000ULL

EXPORT int qemu_plugin_version = 4;

/* Instructions that are executed one after the other. */
struct block {
	uintptr_t next;
	atomic_bool executed;
	size_t count;
	uint64_t addresses[];
};

/* Several CPUs translate at once; nothing is ever taken out. */
static atomic_uintptr_t blocks;
static const char *out;

static void executed(unsigned int cpu, void *data)
{
	struct block *block = data;

	(void)cpu;
	atomic_store_explicit(&block->executed, true, memory_order_relaxed);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	struct block *block;

	(void)id;
	if (qemu_plugin_tb_vaddr(tb) < MODULES)
		return;
	block = calloc(1, sizeof(*block) + count * sizeof(block->addresses[0]));
	if (!block)
		abort();
	block->count = count;
	for (size_t i = 0; i < count; i++)
		block->addresses[i] = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, i));
	block->next = atomic_load(&blocks);
	while (!atomic_compare_exchange_weak(&blocks, &block->next, (uintptr_t)block))
		;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, block);
}

static void print_addresses(uint64_t id, void *data)
{
	FILE *file = fopen(out, "w");
	const struct block *block;

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	block = (void *)atomic_load(&blocks);
	for (; block; block = (void *)block->next)
		for (size_t i = 0; block->executed && i < block->count; i++)
			fprintf(file, "%llx\n", (unsigned long long)block->addresses[i]);
	fclose(file);
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	out = strdup(argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, print_addresses, NULL);
	return 0;
}
