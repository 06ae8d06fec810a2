/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attached sockets of every process
 */
#ifndef _TOOLS_ATTACHED_H
#define _TOOLS_ATTACHED_H

#include <stddef.h>
#include <time.h>

#include "proc.h"
#include "sockstat.h"

/**
 * struct attached_socket - one that is or was attached
 * @inode: of it
 * @pid: a process that has it open; of several, the one with the lowest number
 * @command: of @pid
 * @stat: the rest
 */
struct attached_socket {
	unsigned long long inode;
	int pid;
	char command[PROC_COMMAND_SIZE];
	struct sockstat stat;
};

/**
 * struct attached - all of them at one moment
 * @when: that moment, CLOCK_MONOTONIC
 * @socket: they, by inode
 * @nr: how many
 * @unseen: processes whose sockets could not be looked at
 */
struct attached {
	struct timespec when;
	struct attached_socket *socket;
	size_t nr;
	unsigned int unseen;
};

int attached_read(struct attached *attached, int device, int pid);
const struct attached_socket *attached_find(const struct attached *attached,
					    unsigned long long inode);
int attached_compare(const struct attached_socket *a,
		     const struct attached_socket *b);
void attached_free(struct attached *attached);

#endif /* _TOOLS_ATTACHED_H */
