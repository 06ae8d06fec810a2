/* SPDX-License-Identifier: GPL-2.0 */
/* io_uring by its system calls alone, one request or a few at a time. */
#ifndef SL_RING_H
#define SL_RING_H

#include <stddef.h>
#include <linux/io_uring.h>

#define SL_RING_ENTRIES 8

struct sl_ring {
	int fd;
	struct io_uring_params p;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqe;
	size_t sq_len, cq_len, sqe_len;
	unsigned int queued; /* requests not submitted yet */
};

int sl_ring_open(struct sl_ring *r, unsigned int flags);
void sl_ring_close(struct sl_ring *r);
struct io_uring_sqe *sl_ring_queue(struct sl_ring *r, int op, int fd,
				   const void *addr, unsigned int len);
int sl_ring_submit(struct sl_ring *r, unsigned int wait);
int sl_ring_result(struct sl_ring *r, unsigned long long *user_data);
int sl_ring_do(struct sl_ring *r, int op, int fd, const void *addr,
	       unsigned int len);

#endif /* SL_RING_H */
