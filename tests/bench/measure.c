// SPDX-License-Identifier: GPL-2.0
/* Samples, batches and their figures. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#define SAMPLES		320
#define SAMPLES_QUICK	160
/* How many are taken in a row. */
#define ROW		20
/* What costs more than so much is measured by a row of samples only. */
#define LONG		2000000

/* The clock source of the guest is recalibrated in its first seconds. */
#define SETTLE_SECONDS	5
/* What the counter may be off, in parts of a thousand: timer ticks are counted too. */
#define TOLERANCE	10

static bool quick;
/* Shared with the children. */
static bool *failed;

void measure_quickly(void)
{
	quick = true;
}

bool is_quick(void)
{
	return quick;
}

static void sleep_ms(long ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

void rest(void)
{
	sleep_ms(30);
}

/* Executes twice as many instructions. */
static void loop(unsigned long count)
{
#if defined(__x86_64__)
	asm volatile("1: dec %0; jnz 1b" : "+r" (count) : : "cc");
#else
	asm volatile("1: subs %0, %0, #1; b.ne 1b" : "+r" (count) : : "cc");
#endif
}

int measure_init(void)
{
	failed = mmap(NULL, sizeof(*failed), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return failed == MAP_FAILED ? -errno : 0;
}

int settle(void)
{
	const unsigned long count = 1000000;
	unsigned long long least = ~0ULL;

	sleep_ms(SETTLE_SECONDS * 1000);
	for (int i = 0; i < 5; i++) {
		unsigned long long begin = instructions(), taken;

		loop(count);
		taken = instructions() - begin;
		if (taken < least)
			least = taken;
	}
	if (llabs((long long)(least - 2 * count)) * 1000 > (long long)(2 * count) * TOLERANCE) {
		fprintf(stderr, "bench: %lu instructions count as %llu: is there no -icount?\n",
			2 * count, least);
		return -ENOTSUP;
	}
	return 0;
}

void set_urgent(bool urgent)
{
	const struct sched_param param = { .sched_priority = urgent };

	sched_setscheduler(0, urgent ? SCHED_FIFO : SCHED_OTHER, &param);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, int count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static double sample(const struct op *op)
{
	unsigned long long begin = instructions();

	for (int i = 0; i < op->calls; i++)
		op->run();
	return instructions() - begin;
}

static void nothing(void)
{
}

/* What a sample costs that does nothing. */
static double overhead(int calls)
{
	const struct op empty = { .run = nothing, .calls = calls };
	double values[ROW];

	for (int i = 0; i < ROW; i++)
		values[i] = sample(&empty);
	return median(values, ROW);
}

struct figure measure(const struct op *op)
{
	int count = quick ? SAMPLES_QUICK : SAMPLES;
	double divisor = (double)op->calls * (op->per ? op->per : 1);
	double values[SAMPLES], sum = 0, base;

	set_urgent(true);
	base = overhead(op->calls);
	if (sample(op) > LONG)
		count = ROW;
	for (int i = 0; i < count; i++) {
		if (i % ROW == 0) {
			rest();
			/* The first one finds cold what the others find warm. */
			sample(op);
		}
		values[i] = sample(op) - base;
		sum += values[i];
	}
	set_urgent(false);
	qsort(values, count, sizeof(values[0]), compare);
	return (struct figure) {
		.undisturbed = values[count / 10] / divisor,
		.mean = sum / count / divisor,
	};
}

void measure_and_tell(const struct op *op, const char *variant, long n)
{
	tell(op->row, variant, n, measure(op));
}

static void tell_place(const char *row, const char *variant, long n)
{
	printf("{\"row\": \"%s\", \"variant\": \"%s\", ", row, variant);
	if (n >= 0)
		printf("\"n\": %ld, ", n);
}

void tell(const char *row, const char *variant, long n, struct figure figure)
{
	tell_place(row, variant, n);
	printf("\"instructions\": %.1f, \"mean\": %.1f}\n", figure.undisturbed, figure.mean);
}

void tell_value(const char *row, const char *variant, long n, double value, const char *unit)
{
	tell_place(row, variant, n);
	printf("\"%s\": %.1f}\n", unit, value);
}

void tell_failure(const char *row, const char *variant, int err)
{
	fprintf(stderr, "bench: %s, %s: %s\n", row, variant, strerror(-err));
	*failed = true;
}

void tell_modes(unsigned int modes)
{
	printf("{\"modes\": %u}\n", modes);
}

bool has_failed(void)
{
	return *failed;
}
