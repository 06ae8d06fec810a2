/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes that tell where they belong.  Each call on each connection has contents of its
 * own where its pattern writes to the buffer before the call, so that a buffer written
 * to too early is found out; elsewhere each buffer has.
 */
#ifndef _BENCH_CONTENT_H
#define _BENCH_CONTENT_H

#include "job.h"

/*
 * Thread @thread makes its call number @n, counted over all its connections: bytes @at to
 * @at + @len of what that sends.  @whole: pages that its pattern leaves alone, too.
 */
void content_fill(const struct job *job, uint64_t thread, uint64_t n, char *buf,
		  size_t at, size_t len, bool whole);

/* How many of these bytes are right, before one that is not */
size_t content_check(const struct job *job, uint64_t thread, uint64_t n,
		     const char *buf, size_t at, size_t len);

#endif /* _BENCH_CONTENT_H */
