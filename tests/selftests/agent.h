/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An agent is a child process that runs functions of the test program on
 * demand: what a member, or a stranger, does on request of the test.
 */
#ifndef AGENT_H
#define AGENT_H

#include <sys/types.h>

/* Where an agent is born when it is in no space. */
#define AGENT_OUTSIDE	(-1)
#define AGENT_PIDNS	(-2)

struct agent {
	pid_t pid;
	int fd;
};

typedef long (*agent_fn)(long arg);

/* Starts an agent in @space, or in one of the places above. */
int agent_start(struct agent *agent, int space);
/* Runs @fn(@arg) in the agent and returns its result. */
long agent_call(struct agent *agent, agent_fn fn, long arg);
/* The two halves of agent_call(), for a function that blocks. */
int agent_send(struct agent *agent, agent_fn fn, long arg);
long agent_receive(struct agent *agent);
/* Kills and reaps the agent. */
void agent_stop(struct agent *agent);
/* For children of an agent: lets go of its socket. */
void agent_forget(void);

/*
 * Functions for agents.  Each returns what it names, or a negative errno;
 * numbers are as the agent sees them.
 */
long verb_getpid(long unused);
long verb_fork(long unused);			/* a child that pauses */
long verb_fork_zombie(long unused);		/* a child, dead, not reaped */
long verb_fork_reaped(long unused);		/* a child, dead and reaped */
long verb_reap(long pid);			/* its wait status */
long verb_kill_reap(long pid);
long verb_thread(long unused);			/* a thread that stays */
long verb_thread_end(long unused);		/* ends the thread above */
long verb_setuid(long uid);			/* for good, groups too */
long verb_newuserns(long unused);		/* root in a user namespace */
long verb_exit(long status);

#endif /* AGENT_H */
