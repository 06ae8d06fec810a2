/* SPDX-License-Identifier: GPL-2.0 */
/* Time, and how much of it this machine's processors were busy. */
#ifndef _BENCH_CPU_H
#define _BENCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds since some moment */
int64_t wall_ns(void);

/*
 * Nanoseconds that all processors together have been busy since some moment.  To the
 * nanosecond for root, else to 10 ms for each.  Between @begin and not, asking does not
 * count itself.
 */
int64_t busy_ns(bool begin);

#endif /* _BENCH_CPU_H */
