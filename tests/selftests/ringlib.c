// SPDX-License-Identifier: GPL-2.0
/* An io_uring for one request at a time. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ringlib.h"

#define ENTRIES	1

static int set_up(struct io_uring_params *params)
{
	int ring = syscall(SYS_io_uring_setup, ENTRIES, params);

	return ring < 0 ? -errno : ring;
}

bool ring_available(void)
{
	struct io_uring_params params = {};
	int ring = set_up(&params);

	if (ring < 0)
		return false;
	close(ring);
	return true;
}

static void *map(int ring, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);
}

static int do_in(int ring, const struct io_uring_params *params,
		 const struct io_uring_sqe *request)
{
	size_t sq_size = params->sq_off.array + params->sq_entries * sizeof(unsigned int);
	size_t cq_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	char *sq = map(ring, sq_size, IORING_OFF_SQ_RING);
	char *cq = map(ring, cq_size, IORING_OFF_CQ_RING);
	struct io_uring_sqe *sqe = map(ring, sizeof(*sqe), IORING_OFF_SQES);
	struct io_uring_cqe *cqe;

	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return -ENOMEM;
	*sqe = *request;
	*(unsigned int *)(sq + params->sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(sq + params->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	cqe = (struct io_uring_cqe *)(cq + params->cq_off.cqes);
	return cqe->res;
}

int ring_do(const struct io_uring_sqe *request)
{
	struct io_uring_params params = {};
	int ring = set_up(&params);
	int result;

	if (ring < 0)
		return ring;
	result = do_in(ring, &params, request);
	close(ring);
	return result;
}
