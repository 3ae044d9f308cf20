/* SPDX-License-Identifier: GPL-2.0 */
/* Where a process can be while it is measured: in a space, in a pid namespace, ... */
#ifndef PLACE_H
#define PLACE_H

#include <sys/types.h>

/* The number after which children of whoever measures are numbered. */
#define SEAT	20000

typedef int (*place_fn)(const char *variant, long arg);

/* A process of its own that runs @fn somewhere; 0 or what @fn returned, or -errno. */
int run_outside(place_fn fn, const char *variant, long arg);
/* So many pid namespaces deeper. */
int run_in_pidns(int levels, place_fn fn, const char *variant, long arg);
/* In a cgroup of its own, with the controller pids. */
int run_in_cgroup(place_fn fn, const char *variant, long arg);
/* In @space. */
int run_in_space(int space, place_fn fn, const char *variant, long arg);

/* Lets the kernel go on behind @nr with the numbers of the caller's pid namespace. */
int set_last_pid(pid_t nr);

/* The cgroup of run_in_cgroup(), made when it is first asked for; -errno. */
int cgroup_open(const char *file, int flags);
/* Moves @pid, 0 for the caller, into that cgroup, resp. to the root. */
int cgroup_enter(pid_t pid);
int cgroup_leave(pid_t pid);

/* Writes @text to @path: 0 or -errno. */
int write_text(const char *path, const char *text);

#endif /* PLACE_H */
