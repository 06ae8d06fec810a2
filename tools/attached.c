// SPDX-License-Identifier: GPL-2.0
/*
 * Find the attached sockets of every process
 *
 * Only the module knows whether a socket is attached, and it has to be asked
 * with a descriptor: so each socket is borrowed for a moment.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attached.h"

/**
 * struct search - how to find them
 * @device: to ask the module with
 * @to: what was found
 */
struct search {
	int device;
	struct attached *to;
};

static int add(struct attached *to, const struct target *target,
	       unsigned long long inode, const struct sockstat *stat)
{
	struct attached_socket *socket;

	if (array_grow((void **)&to->socket, to->nr, sizeof(*to->socket))) {
		warn(NULL);
		return -1;
	}
	socket = &to->socket[to->nr++];
	socket->inode = inode;
	socket->pid = target->pid;
	socket->stat = *stat;
	proc_command(target->pid, socket->command, sizeof(socket->command));
	return 0;
}

/* Returns 0, an errno value if the process is out of reach, or -1. */
static int look_at(const struct search *search, const struct target *target)
{
	struct sockstat stat;
	int error, ret = 0;
	size_t i;

	for (i = 0; i < target->nr && !ret; i++) {
		error = sockstat_read(search->device, target, target->fds[i].fd,
				      &stat);
		/* Of other errors one is of the socket, and may be gone next. */
		if (error == EPERM || error == ESRCH)
			return error;
		if (!error)
			ret = add(search->to, target, target->fds[i].inode,
				  &stat);
	}
	return ret;
}

static int look_into(int pid, void *arg)
{
	struct target target = { .pid = pid, .pidfd = -1 };
	struct search *search = arg;
	int ret;

	ret = target_try(&target);
	if (!ret)
		ret = look_at(search, &target);
	target_close(&target);
	if (ret == EACCES || ret == EPERM)
		search->to->unseen++;
	return ret < 0 ? ret : 0;
}

static int look_into_one(int pid, struct search *search)
{
	struct target target = { .pid = pid, .pidfd = -1 };
	int ret;

	ret = target_open(&target);
	if (!ret)
		ret = look_at(search, &target);
	target_close(&target);
	if (ret > 0)
		warnx("process %d: %s", pid, device_strerror(ret));
	return ret ? -1 : 0;
}

static int compare(unsigned long long a, unsigned long long b)
{
	return a == b ? 0 : a < b ? -1 : 1;
}

static int by_inode(const void *a, const void *b)
{
	const struct attached_socket *l = a, *r = b;

	return compare(l->inode, r->inode);
}

/* The order of processes and their descriptors */
int attached_compare(const struct attached_socket *a,
		     const struct attached_socket *b)
{
	int order = compare(a->pid, b->pid);

	return order ? order : compare(a->stat.fd, b->stat.fd);
}

static int by_inode_then_process(const void *a, const void *b)
{
	int order = by_inode(a, b);

	return order ? order : attached_compare(a, b);
}

/* Of a socket that several processes have, keep the first. */
static void unique(struct attached *attached)
{
	size_t from, to = 0;

	if (!attached->nr)
		return;
	qsort(attached->socket, attached->nr, sizeof(*attached->socket),
	      by_inode_then_process);
	for (from = 1; from < attached->nr; from++)
		if (by_inode(&attached->socket[from], &attached->socket[to]))
			attached->socket[++to] = attached->socket[from];
	attached->nr = to + 1;
}

/*
 * All attached sockets that the caller may see, or with @pid those of this
 * process.  Returns 0, or -1 after telling the user why not; attached_free() has
 * to follow either way.
 */
int attached_read(struct attached *attached, int device, int pid)
{
	struct search search = { .device = device, .to = attached };
	int ret;

	memset(attached, 0, sizeof(*attached));
	clock_gettime(CLOCK_MONOTONIC, &attached->when);
	ret = pid ? look_into_one(pid, &search) : proc_each(look_into, &search);
	unique(attached);
	return ret;
}

/* NULL: it was not there, or not attached */
const struct attached_socket *attached_find(const struct attached *attached,
					    unsigned long long inode)
{
	const struct attached_socket key = { .inode = inode };

	if (!attached->nr)
		return NULL;
	return bsearch(&key, attached->socket, attached->nr,
		       sizeof(*attached->socket), by_inode);
}

void attached_free(struct attached *attached)
{
	free(attached->socket);
	memset(attached, 0, sizeof(*attached));
}
