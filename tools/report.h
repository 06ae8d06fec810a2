/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attached sockets, joined with their pools and with what ss(8) says of them
 */
#ifndef _TOOLS_REPORT_H
#define _TOOLS_REPORT_H

#include <stdio.h>

#include "attached.h"
#include "pools.h"
#include "ss.h"

/**
 * struct report_line - a socket
 * @socket: what the module says of it
 * @ss: what ss(8) does; NULL if it does not know the socket
 * @pool: number of its pool, 0: in none that is known
 * @lent: bytes lent per second, since the last report
 * @copied: bytes copied per second
 */
struct report_line {
	const struct attached_socket *socket;
	const struct ss_socket *ss;
	unsigned long long pool;
	double lent;
	double copied;
};

/**
 * struct report - all of them
 * @line: in the order of processes and descriptors
 * @nr: how many
 * @unseen: processes whose sockets could not be looked at
 */
struct report {
	struct report_line *line;
	size_t nr;
	unsigned int unseen;
};

int report_make(struct report *report, const struct attached *now,
		const struct attached *before, const struct pools *pools,
		const struct ss *ss);
void report_print(FILE *out, const void *arg);
void report_print_json(FILE *out, const struct report *report);
void report_free(struct report *report);

#endif /* _TOOLS_REPORT_H */
