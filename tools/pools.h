/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pools of packet buffers, wherever on the machine they are open
 */
#ifndef _TOOLS_POOLS_H
#define _TOOLS_POOLS_H

#include <stddef.h>

#include <linux/sockloan.h>

#include "proc.h"

/**
 * struct pool - a pool
 * @number: the module's
 * @pid: a process that has it open; of several, the one with the lowest number
 * @fd: the descriptor of it there, of several the lowest
 * @others: how many other descriptors of it there are, here and elsewhere
 * @command: of @pid
 * @stat: what fdinfo tells of it, the rest is 0
 */
struct pool {
	unsigned long long number;
	int pid;
	int fd;
	unsigned int others;
	char command[PROC_COMMAND_SIZE];
	struct sockloan_poolstat stat;
};

/**
 * struct pool_member - a socket that has joined a pool
 * @inode: the socket
 * @number: of the pool
 */
struct pool_member {
	unsigned long long inode;
	unsigned long long number;
};

/**
 * struct pools - what a look at the machine finds
 * @pool: pools, in the order of their processes
 * @nr: how many
 * @member: their sockets, by inode
 * @nr_members: how many
 * @unseen: processes that could not be looked into
 */
struct pools {
	struct pool *pool;
	size_t nr;
	struct pool_member *member;
	size_t nr_members;
	unsigned int unseen;
};

int pools_read(struct pools *pools, int pid);
unsigned long long pools_of(const struct pools *pools,
			    unsigned long long inode);
void pools_free(struct pools *pools);

#endif /* _TOOLS_POOLS_H */
