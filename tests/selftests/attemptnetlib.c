// SPDX-License-Identifier: GPL-2.0
/* Attempts by questions over netlink. */
#include <linux/genetlink.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/taskstats.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attemptlib.h"

/* A message with one attribute, and what comes back. */
struct question {
	struct nlmsghdr header;
	union {
		struct rtgenmsg route;
		struct genlmsghdr generic;
		__u32 alignment;
	};
	struct nlattr attribute;
	union {
		__u32 nr;
		char name[12];
	};
};

union answer {
	struct nlmsghdr header;
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} refusal;
	char room[4096];
};

static void set_attribute(struct question *question, int type, int size)
{
	question->attribute.nla_type = type;
	question->attribute.nla_len = NLA_HDRLEN + size;
	question->header.nlmsg_flags = NLM_F_REQUEST;
	question->header.nlmsg_len = sizeof(*question) - sizeof(question->name) + size;
}

static long ask(int protocol, const struct question *question, union answer *answer)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	long err;

	if (fd < 0)
		return -errno;
	err = OUTCOME(send(fd, question, question->header.nlmsg_len, 0));
	if (!err)
		err = OUTCOME(recv(fd, answer, sizeof(*answer), 0));
	close(fd);
	if (!err && answer->header.nlmsg_type == NLMSG_ERROR)
		err = answer->refusal.error.error;
	return err;
}

/* Which network namespace a process is in. */
static long try_netns(long nr)
{
	struct question question = { .header.nlmsg_type = RTM_GETNSID, .nr = nr };
	union answer answer;

	set_attribute(&question, NETNSA_PID, sizeof(question.nr));
	return ask(NETLINK_ROUTE, &question, &answer);
}

/* The id that the kernel gave to its family "TASKSTATS", or an error. */
static int taskstats_family(void)
{
	struct question question = {
		.header.nlmsg_type = GENL_ID_CTRL,
		.generic = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.name = TASKSTATS_GENL_NAME,
	};
	union answer answer = {};
	int at = NLMSG_HDRLEN + GENL_HDRLEN;
	long err;

	set_attribute(&question, CTRL_ATTR_FAMILY_NAME, sizeof(TASKSTATS_GENL_NAME));
	question.header.nlmsg_len = NLMSG_ALIGN(question.header.nlmsg_len);
	err = ask(NETLINK_GENERIC, &question, &answer);
	while (!err && at < (int)answer.header.nlmsg_len) {
		const struct nlattr *attribute = (const struct nlattr *)(answer.room + at);

		if (attribute->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(const __u16 *)(attribute + 1);
		at += NLA_ALIGN(attribute->nla_len);
	}
	return -ENOENT;
}

static long ask_taskstats(int type, long nr)
{
	struct question question = {
		.generic = { .cmd = TASKSTATS_CMD_GET, .version = TASKSTATS_GENL_VERSION },
		.nr = nr,
	};
	int family = taskstats_family();
	union answer answer;

	if (family < 0)
		return UNAVAILABLE;
	question.header.nlmsg_type = family;
	set_attribute(&question, type, sizeof(question.nr));
	return ask(NETLINK_GENERIC, &question, &answer);
}

static long try_taskstats(long nr)
{
	return ask_taskstats(TASKSTATS_CMD_ATTR_PID, nr);
}

static long try_taskstats_of_process(long nr)
{
	return ask_taskstats(TASKSTATS_CMD_ATTR_TGID, nr);
}

const struct attempt attempts_net[] = {
	{ "RTM_GETNSID", try_netns, -ESRCH, 0, 0 },
	{ "taskstats of a thread", try_taskstats, -ESRCH, 0, ATTEMPT_ROOT },
	{ "taskstats of a process", try_taskstats_of_process, -ESRCH, 0,
	  ATTEMPT_ROOT | ATTEMPT_PROCESS },
	{}
};
