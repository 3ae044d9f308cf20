// SPDX-License-Identifier: GPL-2.0
/* Markers, and the arguments of a plugin. */
#include <stdlib.h>
#include <string.h>

#include "windows.h"

EXPORT int qemu_plugin_version = 4;

bool counting;
unsigned int window;

static const struct plugin *plugin;
static uint64_t begin, end, next;
static const char *out;

static void begun(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	counting = true;
}

static void ended(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	counting = false;
}

static void advanced(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (window < WINDOWS - 1)
		window++;
}

static qemu_executed_fn marker(uint64_t address)
{
	if (address == begin)
		return begun;
	if (address == end)
		return ended;
	return address == next ? advanced : NULL;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		qemu_executed_fn fn = marker(qemu_plugin_insn_vaddr(insn));

		if (fn)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, QEMU_PLUGIN_CB_NO_REGS,
							       NULL);
		else
			plugin->translated(insn);
	}
}

static void tell(uint64_t id, void *data)
{
	FILE *file = fopen(out, "w");

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	plugin->tell(file);
	fclose(file);
}

static bool take_argument(const char *name, const char *value)
{
	if (!strcmp(name, "begin"))
		begin = strtoull(value, NULL, 16);
	else if (!strcmp(name, "end"))
		end = strtoull(value, NULL, 16);
	else if (!strcmp(name, "next"))
		next = strtoull(value, NULL, 16);
	else if (!strcmp(name, "out"))
		out = strdup(value);
	else
		return false;
	return true;
}

int windows_install(const struct plugin *installed, uint64_t id, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			return -1;
		*value++ = '\0';
		if (!take_argument(argv[i], value))
			return -1;
	}
	if (!begin || !end || !next || !out)
		return -1;
	plugin = installed;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, tell, NULL);
	return 0;
}
