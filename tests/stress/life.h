/* SPDX-License-Identifier: GPL-2.0 */
/* The life of a space, at random. */
#ifndef LIFE_H
#define LIFE_H

/* Where a life or another piece of work is, for who reports that it failed. */
extern const char *step;

/* What is drawn from now on follows from this. */
void life_seed(unsigned int seed);
/*
 * Makes a space of any mode, fills it, adopts, signals and watches, and ends it in
 * one of the ways there are: 0, or a negative errno where something was answered
 * that must not be.
 */
int life_random(void);
/* Makes, fills and ends a space of mode @mode. */
int life_short(unsigned int mode);

#endif /* LIFE_H */
