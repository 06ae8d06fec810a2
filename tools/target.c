// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of another process: find them, borrow a descriptor for them
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"
#include "target.h"

static int target_add(struct target *target, int fd, unsigned long long inode)
{
	if (array_grow((void **)&target->fds, target->nr,
		       sizeof(*target->fds))) {
		warn(NULL);
		return -1;
	}
	target->fds[target->nr].fd = fd;
	target->fds[target->nr].inode = inode;
	target->nr++;
	return 0;
}

/* Returns an exit status; unless STATUS_OK there is nothing to close. */
int target_parse(const struct command *self, struct target *target,
		 const char *pid, int nr_fds, char **fds)
{
	int i, fd;

	memset(target, 0, sizeof(*target));
	target->pidfd = -1;
	target->named = nr_fds;
	if (parse_int(pid, 1, &target->pid))
		return usage_error(self, "'%s' is not a process number", pid);

	for (i = 0; i < nr_fds; i++) {
		if (parse_int(fds[i], 0, &fd)) {
			target_close(target);
			return usage_error(self,
					   "'%s' is not a descriptor number",
					   fds[i]);
		}
		if (target_add(target, fd, 0)) {
			target_close(target);
			return STATUS_FAILURE;
		}
	}
	return STATUS_OK;
}

static int target_add_socket(const struct proc_fd *fd, void *arg)
{
	unsigned long long inode;

	if (sscanf(fd->link, "socket:[%llu]", &inode) != 1)
		return 0;
	return target_add(arg, fd->fd, inode);
}

static int by_inode_then_fd(const void *a, const void *b)
{
	const struct target_fd *l = a, *r = b;

	if (l->inode != r->inode)
		return l->inode < r->inode ? -1 : 1;
	return l->fd - r->fd;
}

static int by_fd(const void *a, const void *b)
{
	const struct target_fd *l = a, *r = b;

	return l->fd - r->fd;
}

/* Of several descriptors of one socket (dup, fork) keep the lowest. */
static void target_unique(struct target *target)
{
	size_t from, to = 0;

	if (!target->nr)
		return;
	qsort(target->fds, target->nr, sizeof(*target->fds), by_inode_then_fd);
	for (from = 1; from < target->nr; from++)
		if (target->fds[from].inode != target->fds[to].inode)
			target->fds[++to] = target->fds[from];
	target->nr = to + 1;
	qsort(target->fds, target->nr, sizeof(*target->fds), by_fd);
}

/*
 * Hold on to the process, and find its sockets unless the user named some.
 * Returns 0; or an errno value; or -1, and the user was told why.
 */
int target_try(struct target *target)
{
	int ret;

	target->pidfd = syscall(SYS_pidfd_open, target->pid, 0);
	if (target->pidfd < 0)
		return errno;
	if (target->named)
		return 0;
	ret = proc_each_fd(target->pid, target_add_socket, target);
	if (!ret)
		target_unique(target);
	return ret;
}

/* Likewise.  Returns 0, or -1 after telling the user why not. */
int target_open(struct target *target)
{
	int error = target_try(target);

	if (error > 0 && target->pidfd < 0 &&
	    (error == EINVAL || error == ENOENT))
		warnx("process %d: that is a thread: name its process",
		      target->pid);
	else if (error > 0)
		warnx("process %d: %s", target->pid, proc_strerror(error));
	return error ? -1 : 0;
}

/* A descriptor of ours for one of theirs; returns -1 with errno. */
int target_borrow(const struct target *target, int fd)
{
	return syscall(SYS_pidfd_getfd, target->pidfd, fd, 0);
}

void target_close(struct target *target)
{
	if (target->pidfd >= 0)
		close(target->pidfd);
	free(target->fds);
}
