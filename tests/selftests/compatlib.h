/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attempts by the 32-bit system calls of x86, which 64-bit programs can make too.
 * On other architectures there are none.
 */
#ifndef COMPATLIB_H
#define COMPATLIB_H

#include "attemptlib.h"

/* Whether there are such calls; to be asked before any agent is started. */
bool compat_available(void);
extern const struct attempt attempts_compat[];

/* For agents: pidfd_send_signal(2), PIDFD_GET_INFO, and waitid(2) for a zombie. */
long compat_signal(long pidfd);
long compat_info(long pidfd);
long compat_wait(long nr);

#endif /* COMPATLIB_H */
