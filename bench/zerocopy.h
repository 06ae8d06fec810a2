/* SPDX-License-Identifier: GPL-2.0 */
/* Sends with MSG_ZEROCOPY. */
#ifndef _BENCH_ZEROCOPY_H
#define _BENCH_ZEROCOPY_H

#include <stddef.h>

void zerocopy_on(int fd);

/* All of it, and reads the completions that have arrived. */
void zerocopy_send(int fd, const char *buf, size_t size);

#endif /* _BENCH_ZEROCOPY_H */
