/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting instructions, and telling the figures.
 *
 * The guest runs under -icount shift=0: its counter goes up by one with each
 * instruction, whoever executes it, and jumps ahead while all sleep.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>

/* The instructions executed so far. */
static inline unsigned long long instructions(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	unsigned long long count;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r" (count) : : "memory");
	return count;
#else
#error "no counter is known here"
#endif
}

/* What the costs of something were, in instructions. */
struct figure {
	/*
	 * What it costs where no timer tick and no work put off by others comes in
	 * between: a tenth of the samples are cheaper.
	 */
	double undisturbed;
	/* The mean of all samples, with all that came in between. */
	double mean;
};

/* An operation that is measured by many samples. */
struct op {
	const char *row;
	void (*run)(void);
	/* How many calls are a sample, so that it is long enough to be told. */
	int calls;
	/* By how much the figure is divided, where a call does more than one thing. */
	int per;
};

/* What every program of the benchmark does first. */
int measure_init(void);
/* Waits for the guest to settle, and makes sure that instructions are counted. */
int settle(void);
/* Says that the run takes fewer samples, which are less exact. */
void measure_quickly(void);
bool is_quick(void);

/* Lets what was put off be done; it takes no time on the host. */
void rest(void);

/*
 * Makes this process a real-time one, or an ordinary one again: a child then does
 * not run before its parent waits, in any fork, whatever either has consumed.
 */
void set_urgent(bool urgent);

struct figure measure(const struct op *op);
/* Measures an operation and tells the figure. */
void measure_and_tell(const struct op *op, const char *variant, long n);

/*
 * Measures what sleeps: whatever time passes while nobody has anything to do is
 * counted out, by a process that runs only then.
 */
int idle_begin(void);
void idle_end(void);
void stopwatch_start(void);
/* The instructions since then, but for the idle ones. */
double stopwatch_read(void);

/* The median of @count values, which get sorted. */
double median(double *values, int count);

/* One line of JSON.  @n is a size, or negative where there is none. */
void tell(const char *row, const char *variant, long n, struct figure figure);
void tell_value(const char *row, const char *variant, long n, double value, const char *unit);
/* Which modes the module has, as PIDSPACE_IOC_ABI tells them. */
void tell_modes(unsigned int modes);
void tell_failure(const char *row, const char *variant, int err);
/* Whether anything failed so far, in this process or what it waited for. */
bool has_failed(void);

#endif /* MEASURE_H */
