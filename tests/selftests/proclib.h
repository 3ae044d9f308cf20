/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a directory of process numbers, such as /proc, shows to who looks; for
 * agents too, which look into proc_root.
 */
#ifndef PROCLIB_H
#define PROCLIB_H

#include <stdbool.h>

/* The mount of procfs that is looked into; /proc where nothing else is said. */
extern const char *proc_root;

/* How many numbers a listing has, and whether @nr is one of them. */
long proc_count(long unused);
long proc_lists(long nr);
/* Those of threads, below task of process @nr. */
long proc_count_threads(long nr);

/*
 * Whether there is a directory @nr, and it is that process's or thread's: 0, a
 * negative errno, or -EPROTO where it is another one's.
 */
long proc_shows(long nr);
/* The same by way of /proc/@nr/task/@nr, and /proc/self/task/@nr. */
long proc_shows_as_thread(long nr);
long proc_shows_as_own_thread(long nr);
/* Whether the path walk that never waits finds it: 0, or a negative errno. */
long proc_shows_cached(long nr);

/* Reads on from an open directory to its end, by steps of @size bytes. */
struct listing {
	int numbers;
	/* How many times the kernel was asked. */
	int steps;
	bool found;
};

/* 0 or a negative errno; looks for @nr meanwhile. */
int proc_read_on(int dir, int size, int nr, struct listing *listing);

#endif /* PROCLIB_H */
