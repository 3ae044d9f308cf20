/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For whoever counts in the guest from outside: the plugins of QEMU know by these
 * when to count, and when it is something else.
 */
#ifndef MARKERS_H
#define MARKERS_H

void profile_begin(void);
void profile_end(void);
void profile_next(void);

/* Ends a window, and tells what it was: so many calls of an operation. */
void tell_window(const char *row, const char *variant, int calls);
/* Tells which kernel it is, resp. all its functions. */
void tell_release(void);
int tell_symbols(void);

#endif /* MARKERS_H */
