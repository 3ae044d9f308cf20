/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handles that poll and read, policies, and what tests need to see them work.
 *
 * Calls return what they ask for, or a negative errno.
 */
#ifndef EVENTLIB_H
#define EVENTLIB_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/pidspace.h>

/* A handle by a request that is all the caller's; @id in it is the answer. */
int ev_create(struct pidspace_create *arg);
int ev_open(struct pidspace_open *arg);
/* A handle with a stream of @events, of a new space, resp. of one that exists. */
int ev_watch_new(unsigned int events, __u64 *id);
int ev_watch(__u64 id, unsigned int events);
/* A handle that kills on close, of a space that exists. */
int ev_open_killer(__u64 id);

/* Reads what is there, @room at most, and tells how many events that was. */
int ev_read(int fd, struct pidspace_event *events, int room);
/* The next event: 0, -ETIMEDOUT where none comes, -ESTALE at the end. */
int ev_next(int fd, struct pidspace_event *event);
/* The next event of a type; those before it are skipped. */
int ev_find(int fd, unsigned int type, struct pidspace_event *event);
/* Reads until there is nothing, and tells how many events that was. */
int ev_drain(int fd);
/* What poll(2) says now of reading, writing and urgent data, resp. in a while. */
int ev_poll(int fd);
int ev_await(int fd);
/* A child in @space that does @run, and its birth, the next one in the stream. */
pid_t ev_fork_to(int space, void (*run)(void), struct pidspace_event *birth);
/* CLOCK_MONOTONIC, as events have it. */
__u64 ev_clock(void);
/* Whether @pid sleeps in system call @nr. */
bool ev_sleeps_in(pid_t pid, long nr);

int ev_set(int space, struct pidspace_set arg);
/* A child with the global number @nr, in no space, that pauses. */
pid_t ev_fork_as(pid_t nr);
/* The same with the first number from @nr on that is free, for agents too. */
long ev_fork_from(long nr);

/*
 * A process as cheap as they come: it shares the memory and the open files of
 * the caller, pauses, and dies with it.
 */
pid_t ev_light(void);
/* Makes @count dead children, reaped too, the cheapest way there is. */
int ev_churn(int count);
/* The two above, in a space. */
pid_t ev_light_in(int space);
int ev_churn_in(int space, int count);
/* Reaps what there is to reap, and does not wait. */
void ev_reap_all(void);

/* Passes @fd through a socket, resp. gets what was passed. */
int ev_pass(int socket, int fd);
int ev_receive(int socket);

#endif /* EVENTLIB_H */
