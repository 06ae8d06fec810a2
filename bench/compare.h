/* SPDX-License-Identifier: GPL-2.0 */
/* The same transfers from plain and from attached sockets. */
#ifndef _BENCH_COMPARE_H
#define _BENCH_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "transfer.h"

/**
 * struct effort - how much to measure
 * @bytes: each transfer
 * @rounds: so many of each side, in turn
 */
struct effort {
	size_t bytes;
	int rounds;
};

/**
 * struct comparison - what it came to, means of all rounds
 * @copy, @loan: MB/s
 * @lent: which part of the attached sockets' bytes went out in lent pages
 */
struct comparison {
	double copy;
	double loan;
	double lent;
};

/*
 * @transfer by @plain of a plain socket against send() of an attached one.
 * False when such a socket cannot be attached.
 */
bool compare(struct transfer transfer, enum how plain,
	     const struct effort *effort, struct comparison *result);

/* The same for iperf3. */
void compare_iperf(bool batch, const struct effort *effort,
		   struct comparison *result);

#endif /* _BENCH_COMPARE_H */
