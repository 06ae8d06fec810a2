// SPDX-License-Identifier: GPL-2.0
/* As much of io_uring as one sending thread needs. */
#include <err.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"

static char *map(struct ring *ring, size_t bytes, off_t what)
{
	char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, ring->fd, what);

	if (map == MAP_FAILED)
		err(1, "mmap of a ring");
	return map;
}

void ring_open(struct ring *ring, unsigned int entries)
{
	struct io_uring_params p = { .cq_entries = entries };
	size_t sq_bytes, cq_bytes;
	char *rings;

	/* Completions need not interrupt us: we come for them. */
	p.flags = IORING_SETUP_CQSIZE | IORING_SETUP_COOP_TASKRUN;
	ring->fd = syscall(SYS_io_uring_setup, 1, &p);
	if (ring->fd < 0)
		err(1, "io_uring");
	if (!(p.features & IORING_FEAT_SINGLE_MMAP))
		errx(1, "io_uring is too old");
	sq_bytes = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
	cq_bytes = p.cq_off.cqes + p.cq_entries * sizeof(*ring->cqes);
	rings = map(ring, sq_bytes > cq_bytes ? sq_bytes : cq_bytes,
		    IORING_OFF_SQ_RING);
	ring->sqe = (void *)map(ring, sizeof(*ring->sqe), IORING_OFF_SQES);
	ring->sq_tail = (void *)(rings + p.sq_off.tail);
	/* There is one slot, so the array that says which stays zero. */
	ring->cq_head = (void *)(rings + p.cq_off.head);
	ring->cq_tail = (void *)(rings + p.cq_off.tail);
	ring->cq_mask = *(unsigned int *)(rings + p.cq_off.ring_mask);
	ring->cqes = (void *)(rings + p.cq_off.cqes);
}

/* Its mappings go with the process. */
void ring_close(struct ring *ring)
{
	close(ring->fd);
}

static bool empty(const struct ring *ring)
{
	return *ring->cq_head ==
	       __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);
}

void ring_enter(struct ring *ring, bool submit, bool wait)
{
	long n;

	if (submit)
		__atomic_store_n(ring->sq_tail, *ring->sq_tail + 1,
				 __ATOMIC_RELEASE);
	if (!submit && (!wait || !empty(ring)))
		return;
	do
		n = syscall(SYS_io_uring_enter, ring->fd, submit, wait,
			    wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
	while (n < 0 && errno == EINTR);
	if (n != submit)
		err(1, "io_uring_enter");
}

bool ring_take(struct ring *ring, struct io_uring_cqe *cqe)
{
	if (empty(ring))
		return false;
	*cqe = ring->cqes[*ring->cq_head & ring->cq_mask];
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
	return true;
}
