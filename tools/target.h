/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets of another process
 */
#ifndef _TOOLS_TARGET_H
#define _TOOLS_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common.h"

struct target_fd {
	int fd;
	unsigned long long inode; /* 0 when the user named the fd */
};

/**
 * struct target - a process, and the descriptors of it to work on
 * @pid: its number
 * @pidfd: keeps the number from meaning another process
 * @named: the user named the descriptors, so each has to work
 * @nr: how many of @fds are in use
 * @fds: ascending, one per socket, unless @named
 */
struct target {
	int pid;
	int pidfd;
	bool named;
	size_t nr;
	struct target_fd *fds;
};

int target_parse(const struct command *self, struct target *target,
		 const char *pid, int nr_fds, char **fds);
int target_try(struct target *target);
int target_open(struct target *target);
int target_borrow(const struct target *target, int fd);
void target_close(struct target *target);

#endif /* _TOOLS_TARGET_H */
