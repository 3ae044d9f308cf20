/* SPDX-License-Identifier: GPL-2.0 */
/* The map of a space's numbers, rust/logic/pidmap.rs, for C. */
#ifndef PIDMAP_H
#define PIDMAP_H

struct pidmap;

/* Numbers below @max; NULL where there is no memory or @max is no bound. */
struct pidmap *pidmap_new(unsigned int max);
void pidmap_drop(struct pidmap *map);
/* The next number, 0 when there is none. */
unsigned int pidmap_alloc(struct pidmap *map);
void pidmap_free(struct pidmap *map, unsigned int nr);

#endif /* PIDMAP_H */
