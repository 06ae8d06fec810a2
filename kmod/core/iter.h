/* SPDX-License-Identifier: GPL-2.0 */
/* Whole pages in what a program sends. */
#ifndef _SL_ITER_H
#define _SL_ITER_H

#include <linux/types.h>

struct iov_iter;

size_t sl_iter_run(const struct iov_iter *iter, unsigned int threshold,
		   unsigned long *addr, size_t *len);
bool sl_iter_meets(const struct iov_iter *iter, unsigned long from,
		   unsigned long to);

#endif /* _SL_ITER_H */
