/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unit tests that print TAP.  A program has functions that check(), and a main()
 * of UNIT_RUN() for each, between UNIT_PLAN() and UNIT_DONE().
 */
#ifndef BOARD_UNIT_H
#define BOARD_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int unit_number, unit_failed;
static bool unit_good;

/* Goes on after a failure: what follows may tell more. */
#define check(condition)                                            \
	do {                                                        \
		if (!(condition)) {                                 \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, \
			       #condition);                         \
			unit_good = false;                          \
		}                                                   \
	} while (0)

#define check_equal(a, b)                                             \
	do {                                                          \
		long long a_ = (long long)(a), b_ = (long long)(b);   \
		if (a_ != b_) {                                       \
			printf("# %s:%d: %s is %lld, not %s, %lld\n", \
			       __FILE__, __LINE__, #a, a_, #b, b_);   \
			unit_good = false;                            \
		}                                                     \
	} while (0)

#define UNIT_PLAN(n) printf("1..%d\n", (n))

#define UNIT_RUN(function)                                                     \
	do {                                                                   \
		unit_good = true;                                              \
		function();                                                    \
		unit_failed += !unit_good;                                     \
		printf("%sok %d %s\n", unit_good ? "" : "not ", ++unit_number, \
		       #function);                                             \
		fflush(stdout);                                                \
	} while (0)

#define UNIT_DONE() (unit_failed ? EXIT_FAILURE : EXIT_SUCCESS)

/* The same numbers in each run, for tests that throw dice. */
static uint32_t unit_seed = 1;

static inline uint32_t unit_random(void)
{
	unit_seed ^= unit_seed << 13;
	unit_seed ^= unit_seed >> 17;
	unit_seed ^= unit_seed << 5;
	return unit_seed;
}

#endif /* BOARD_UNIT_H */
