/* SPDX-License-Identifier: GPL-2.0 */
/* As much of io_uring as one sending thread needs. */
#ifndef _BENCH_RING_H
#define _BENCH_RING_H

#include <linux/io_uring.h>
#include <stdbool.h>

/**
 * struct ring - one submission at a time
 * @sqe: the one
 */
struct ring {
	int fd;
	struct io_uring_sqe *sqe;
	unsigned int *sq_tail;
	unsigned int *cq_head, *cq_tail, cq_mask;
	struct io_uring_cqe *cqes;
};

void ring_open(struct ring *ring, unsigned int entries);
void ring_close(struct ring *ring);

/* Hands in @ring->sqe if @submit; waits for a completion if @wait and there is none */
void ring_enter(struct ring *ring, bool submit, bool wait);

/* The next completion, if there is one */
bool ring_take(struct ring *ring, struct io_uring_cqe *cqe);

#endif /* _BENCH_RING_H */
