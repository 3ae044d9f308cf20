// SPDX-License-Identifier: GPL-2.0
/*
 * A profiler of the whole machine, as perf record -a -g is one: it samples every
 * CPU by the software clock until SIGTERM, and then prints how many samples it
 * has seen, and how many of those in the kernel.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPUS_MAX	64
#define PAGES		64
#define HERTZ		500

static volatile sig_atomic_t is_done;
static unsigned long samples, in_kernel;

static void done(int sig)
{
	(void)sig;
	is_done = true;
}

static int sample_cpu(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = HERTZ,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN,
		.wakeup_events = HERTZ / 10,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Counts what is new in the ring. */
static void drain(struct perf_event_mmap_page *ring)
{
	const char *data = (const char *)ring + getpagesize();
	__u64 size = (__u64)PAGES * getpagesize();
	__u64 head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
	__u64 tail = ring->data_tail;
	struct perf_event_header header;

	while (tail < head) {
		/* Records are aligned, so that no header wraps around. */
		memcpy(&header, data + tail % size, sizeof(header));
		if (header.type == PERF_RECORD_SAMPLE) {
			samples++;
			if ((header.misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
			    PERF_RECORD_MISC_KERNEL)
				in_kernel++;
		}
		tail += header.size;
	}
	__atomic_store_n(&ring->data_tail, tail, __ATOMIC_RELEASE);
}

int main(void)
{
	struct perf_event_mmap_page *rings[CPUS_MAX];
	struct pollfd fds[CPUS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus > CPUS_MAX)
		cpus = CPUS_MAX;
	for (int cpu = 0; cpu < cpus; cpu++) {
		fds[cpu].fd = sample_cpu(cpu);
		fds[cpu].events = POLLIN;
		if (fds[cpu].fd < 0) {
			perror("perf_event_open");
			return errno == ENOSYS ? 4 : 1;
		}
		rings[cpu] = mmap(NULL, (PAGES + 1) * getpagesize(), PROT_READ | PROT_WRITE,
				  MAP_SHARED, fds[cpu].fd, 0);
		if (rings[cpu] == MAP_FAILED) {
			perror("mmap");
			return 1;
		}
	}
	signal(SIGTERM, done);
	puts("sampling");
	fflush(stdout);
	while (!is_done) {
		poll(fds, cpus, 1000);
		for (int cpu = 0; cpu < cpus; cpu++)
			drain(rings[cpu]);
	}
	printf("%lu %lu\n", samples, in_kernel);
	return 0;
}
