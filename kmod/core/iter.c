// SPDX-License-Identifier: GPL-2.0
/* Whole pages in what a program sends. */
#include <linux/mm.h>
#include <linux/uio.h>

#include "compat.h"
#include "iter.h"

#define SL_ITER_PIECES	16ul

/**
 * sl_iter_run - what comes next
 * @iter: of user memory
 * @threshold: pieces smaller than this are copied, bytes
 * @addr: out: where the next run of whole pages begins
 * @len: out: its length, bytes
 *
 * Return: how many bytes there are before that run, or in all when there is
 * none; 0: the iterator is at the run.
 */
size_t sl_iter_run(const struct iov_iter *iter, unsigned int threshold,
		   unsigned long *addr, size_t *len)
{
	size_t left = iov_iter_count(iter), offset = iter->iov_offset;
	const struct iovec *iov = sl_iter_iov(iter);
	bool ubuf = iter_is_ubuf(iter);
	unsigned long start, end, base;
	size_t copy = 0, size;

	while (left) {
		/* A threshold is for the program's piece, not for its rest. */
		size = ubuf ? offset + left : iov->iov_len;
		base = ubuf ? (unsigned long)iter->ubuf :
			      (unsigned long)iov->iov_base;
		end = base + min(size, offset + left);
		start = base + offset;
		if (size >= threshold) {
			*addr = PAGE_ALIGN(start);
			*len = (end & PAGE_MASK) - *addr;
			if (*addr < (end & PAGE_MASK))
				return copy + (*addr - start);
		}
		copy += end - start;
		left -= end - start;
		offset = 0;
		iov++;
	}
	return copy;
}

/**
 * sl_iter_meets - is anything of a range of addresses sent?
 * @iter: of user memory
 * @from: where the range begins
 * @to: and where it ends
 *
 * Of many pieces, the first few are looked at.
 */
bool sl_iter_meets(const struct iov_iter *iter, unsigned long from,
		   unsigned long to)
{
	const struct iovec *iov = sl_iter_iov(iter);
	unsigned long i, start;

	if (iter_is_ubuf(iter)) {
		start = (unsigned long)iter->ubuf + iter->iov_offset;
		return start < to && from < start + iov_iter_count(iter);
	}
	for (i = 0; i < min(iter->nr_segs, SL_ITER_PIECES); i++) {
		start = (unsigned long)iov[i].iov_base;
		if (start < to && from < start + iov[i].iov_len)
			return true;
	}
	return false;
}
