/* SPDX-License-Identifier: GPL-2.0 */
/* An io_uring for one request at a time. */
#ifndef RINGLIB_H
#define RINGLIB_H

#include <linux/io_uring.h>
#include <stdbool.h>

/* Whether the kernel has io_uring and lets the caller use it. */
bool ring_available(void);
/* Makes a ring, gives it @request, and returns how that ended. */
int ring_do(const struct io_uring_sqe *request);

#endif /* RINGLIB_H */
