/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the benchmark.  Each tells its figures; what cannot be measured is
 * told as a failure, and does not keep the others from being measured.
 */
#ifndef BENCH_H
#define BENCH_H

/* A handle of a new space, and the modes that the module has, one bit each. */
int create_in_mode(unsigned int mode);
unsigned int modes_of_module(void);

/* What any program does, in the calling process. */
int measure_process(const char *variant);
int measure_vfork(const char *variant, long n);
/* One of them. */
void vfork_once(void);
void kill_self_once(void);

/* A command that no device knows. */
#define UNKNOWN_COMMAND	_IO(0x55, 0x55)

/* The commands of the device, and what Linux has that is like them. */
void measure_device(void);
void measure_peers(void);

/* A first process somewhere new. */
void measure_first_child(void);
void measure_first_child_peers(void);

/* Taking in what runs. */
void measure_adoption(void);
void measure_adoption_peers(void);

/* The end of many processes at once. */
void measure_ending(void);
void measure_ending_peers(void);

/* Many members, many spaces. */
void measure_scale(void);
void measure_scale_peers(void);

/* Ranges of numbers that are nearly used up. */
void measure_range(void);

/* Memory. */
void measure_memory(void);

/* Loads a module, resp. unloads it. */
int load_module(const char *path);
int unload_module(const char *name);

/* Forks on several CPUs at once, which the guest must have. */
int measure_storms(void);

/* For whoever counts in the guest from outside: by function, resp. by memory shared. */
int profile(void);
int profile_sharing(void);

#endif /* BENCH_H */
