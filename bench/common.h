/* SPDX-License-Identifier: GPL-2.0 */
/* What the measuring programs share: attaching, settings, counters, time. */
#ifndef _BENCH_COMMON_H
#define _BENCH_COMMON_H

#include <stdbool.h>

/* Attaches a socket; false when this kind of socket cannot be. */
bool attach(int fd);

/* net.sockloan.NAME: false when there is no such setting. */
bool get_setting(const char *name, long *value);
bool set_setting(const char *name, long value);

/* A line of /proc/net/sockloan, -1 when there is none of that name. */
long long counter(const char *name);

/* Seconds since some moment. */
double now(void);

/* Seconds that the one CPU has been busy since some moment. */
double busy(void);

#endif /* _BENCH_COMMON_H */
