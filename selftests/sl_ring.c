// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: io_uring by its system calls
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sl_ring.h"

static __u32 *sq_field(struct sl_ring *r, __u32 offset)
{
	return (__u32 *)(r->sq + offset);
}

static __u32 *cq_field(struct sl_ring *r, __u32 offset)
{
	return (__u32 *)(r->cq + offset);
}

static void *ring_map(struct sl_ring *r, size_t len, off_t off)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, off);
}

int sl_ring_open(struct sl_ring *r, unsigned int flags)
{
	memset(r, 0, sizeof(*r));
	r->p.flags = flags;
	r->p.sq_thread_idle = 1000;
	r->fd = syscall(SYS_io_uring_setup, SL_RING_ENTRIES, &r->p);
	if (r->fd < 0)
		return -1;
	r->sq_len = r->p.sq_off.array + r->p.sq_entries * sizeof(__u32);
	r->cq_len = r->p.cq_off.cqes +
		    r->p.cq_entries * sizeof(struct io_uring_cqe);
	r->sqe_len = r->p.sq_entries * sizeof(struct io_uring_sqe);
	r->sq = ring_map(r, r->sq_len, IORING_OFF_SQ_RING);
	r->cq = ring_map(r, r->cq_len, IORING_OFF_CQ_RING);
	r->sqe = ring_map(r, r->sqe_len, IORING_OFF_SQES);
	if (r->sq == MAP_FAILED || r->cq == MAP_FAILED ||
	    (void *)r->sqe == MAP_FAILED)
		return -1;
	return 0;
}

void sl_ring_close(struct sl_ring *r)
{
	munmap(r->sqe, r->sqe_len);
	munmap(r->cq, r->cq_len);
	munmap(r->sq, r->sq_len);
	close(r->fd);
}

/* One more request, to be changed by the caller before it is submitted */
struct io_uring_sqe *sl_ring_queue(struct sl_ring *r, int op, int fd,
				   const void *addr, unsigned int len)
{
	__u32 tail = *sq_field(r, r->p.sq_off.tail) + r->queued;
	__u32 slot = tail & *sq_field(r, r->p.sq_off.ring_mask);
	struct io_uring_sqe *sqe = &r->sqe[slot];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->user_data = tail;
	sq_field(r, r->p.sq_off.array)[slot] = slot;
	r->queued++;
	return sqe;
}

/* Submit what is queued and wait for so many results: 0, or -1 with errno */
int sl_ring_submit(struct sl_ring *r, unsigned int wait)
{
	unsigned int flags = wait ? IORING_ENTER_GETEVENTS : 0;
	__u32 *tail = sq_field(r, r->p.sq_off.tail);
	unsigned int n = r->queued;

	__atomic_store_n(tail, *tail + n, __ATOMIC_SEQ_CST);
	r->queued = 0;
	if (r->p.flags & IORING_SETUP_SQPOLL &&
	    __atomic_load_n(sq_field(r, r->p.sq_off.flags), __ATOMIC_SEQ_CST) &
		    IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	return syscall(SYS_io_uring_enter, r->fd, n, wait, flags, NULL, 0) < 0 ?
		       -1 :
		       0;
}

/* The next result, waiting for it if need be; user_data may be NULL */
int sl_ring_result(struct sl_ring *r, unsigned long long *user_data)
{
	__u32 *head = cq_field(r, r->p.cq_off.head);
	__u32 *tail = cq_field(r, r->p.cq_off.tail);
	struct io_uring_cqe *cqe;
	int res;

	while (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head)
		if (sl_ring_submit(r, 1))
			return -errno;
	cqe = (struct io_uring_cqe *)(r->cq + r->p.cq_off.cqes) +
	      (*head & *cq_field(r, r->p.cq_off.ring_mask));
	res = cqe->res;
	if (user_data)
		*user_data = cqe->user_data;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

/* Submit one request and wait for it: its result, or -errno */
int sl_ring_do(struct sl_ring *r, int op, int fd, const void *addr,
	       unsigned int len)
{
	sl_ring_queue(r, op, fd, addr, len);
	if (sl_ring_submit(r, 1))
		return -errno;
	return sl_ring_result(r, NULL);
}
