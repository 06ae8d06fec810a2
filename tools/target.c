// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of another process: find them, borrow a descriptor for them
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target.h"

static int target_add(struct target *target, int fd, unsigned long long inode)
{
	struct target_fd *fds;

	/* room for 1, 2, 4, 8... */
	if (!(target->nr & (target->nr - 1))) {
		fds = reallocarray(target->fds, target->nr ? target->nr * 2 : 1,
				   sizeof(*fds));
		if (!fds) {
			warn(NULL);
			return -1;
		}
		target->fds = fds;
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

static int target_scan(struct target *target, DIR *dir)
{
	unsigned long long inode;
	struct dirent *entry;
	char link[64];
	ssize_t len;
	int fd;

	while ((entry = readdir(dir))) {
		if (parse_int(entry->d_name, 0, &fd))
			continue;
		len = readlinkat(dirfd(dir), entry->d_name, link,
				 sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = '\0';
		if (sscanf(link, "socket:[%llu]", &inode) != 1)
			continue;
		if (target_add(target, fd, inode))
			return -1;
	}
	return 0;
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

static int target_find_sockets(struct target *target)
{
	char path[32];
	DIR *dir;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/fd", target->pid);
	dir = opendir(path);
	if (!dir) {
		warnx("process %d: %s", target->pid,
		      errno == EACCES ? device_strerror(EPERM) :
					strerror(errno));
		return -1;
	}
	ret = target_scan(target, dir);
	closedir(dir);
	if (!ret)
		target_unique(target);
	return ret;
}

/*
 * Hold on to the process, and find its sockets unless the user named some.
 * Returns 0, or -1 after telling the user why not.
 */
int target_open(struct target *target)
{
	target->pidfd = syscall(SYS_pidfd_open, target->pid, 0);
	if (target->pidfd < 0) {
		if (errno == EINVAL || errno == ENOENT)
			warnx("process %d: that is a thread: name its process",
			      target->pid);
		else
			warn("process %d", target->pid);
		return -1;
	}
	return target->named ? 0 : target_find_sockets(target);
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
