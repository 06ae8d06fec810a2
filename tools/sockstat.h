/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of single sockets
 */
#ifndef _TOOLS_SOCKSTAT_H
#define _TOOLS_SOCKSTAT_H

#include <netinet/in.h>

#include <linux/sockloan.h>

#include "target.h"

/* "[ADDRESS%SCOPE]:PORT", the scope a number or the name of a device */
#define ENDPOINT_SIZE (INET6_ADDRSTRLEN + 24)

/**
 * struct sockstat - a socket that is or was attached
 * @fd: its descriptor in its process
 * @local: its address
 * @remote: its peer's
 * @stat: its counters
 */
struct sockstat {
	int fd;
	char local[ENDPOINT_SIZE];
	char remote[ENDPOINT_SIZE];
	struct sockloan_sockstat stat;
};

int sockstat_read(int device, const struct target *target, int fd,
		  struct sockstat *row);
const char *sockstat_state(unsigned int state);
int sockstat_table(struct target *target);
int sockstat_json(struct target *target);

#endif /* _TOOLS_SOCKSTAT_H */
