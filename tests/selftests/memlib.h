/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory the kernel uses for what a module allocates. */
#ifndef MEMLIB_H
#define MEMLIB_H

/*
 * The bytes in use, once no more of them are about to be freed:
 *
 * - objects of the slab caches behind kmalloc(), of whatever size and accounted
 *   or not, and of the nodes of radix trees and XArrays, each counted with the
 *   size that the cache gives it, so what rounding up wastes counts too, but not
 *   what is free in the cache;
 * - vmalloc areas, but for the stacks of tasks and per-CPU memory, of which the module
 *   has none.
 *
 * Objects of the kernel's own for tasks and files are in caches of their own.
 * Negative where the kernel does not tell, with the reason.
 */
long long mem_in_use(void);

/* The objects in use of one slab cache, once no more of them are about to be freed. */
long long mem_objects(const char *cache);

#endif /* MEMLIB_H */
