/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loading and unloading, for fixtures whose tests start and end with the module
 * loaded.  PIDSPACE_KO is the path of the module.
 */
#ifndef MODULELIB_H
#define MODULELIB_H

/* 0 or a negative errno; unloading does not wait for who uses the module. */
int module_load(const char *parameters);
int module_unload(void);
/* Destroys what earlier tests may have left: it would hold the module. */
int module_destroy_spaces(void);

#endif /* MODULELIB_H */
