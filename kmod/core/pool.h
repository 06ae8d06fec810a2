/* SPDX-License-Identifier: GPL-2.0 */
/* Pools of packet buffers, one to an open file of /dev/sockloan. */
#ifndef _SL_POOL_H
#define _SL_POOL_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/sockloan.h>

struct mm_struct;
struct socket;

/* A piece of a buffer in one frag is no larger than TCP's own. */
#define SL_BUF_ORDER_MAX	3
/* Pieces that the largest buffer has when only single pages are to be had */
#define SL_BUF_PIECES_MAX	(SOCKLOAN_BUF_MAX >> PAGE_SHIFT)

enum sl_buf_state {
	SL_BUF_FREE,
	SL_BUF_HELD,		/* the program's */
	SL_BUF_LEAVING,		/* being queued to a socket */
	SL_BUF_FLIGHT,		/* the network's, until its references are gone */
};

/**
 * struct sl_buf - a buffer and the packet in it
 * @next: the next one on the same list, SL_BUF_END at its end
 * @generation: of the packet's id; another one after each allocation
 * @state: what it is
 */
struct sl_buf {
	u32 next;
	u16 generation;
	u8 state;
};

#define SL_BUF_END	U32_MAX

/**
 * struct sl_pool - a pool
 * @setup: serializes its set-up
 * @ready: it is set up; nothing up to @lock changes any more
 * @buf_size: of a buffer, bytes
 * @bufs: how many
 * @order: a piece of a buffer is one allocation of this order
 * @pieces: of a buffer
 * @pages: the first page of each piece, buffer by buffer; a reference on each
 * @mm: whose RLIMIT_MEMLOCK it is counted against
 * @lock: of all that follows
 * @buf: the buffers
 * @free_list: those that are free, last in first out
 * @flight_list: those in flight, in no order
 * @stat: what SOCKLOAN_IOC_POOLSTAT returns
 */
struct sl_pool {
	struct mutex setup;	/* see above */
	bool ready;
	u32 buf_size;
	u32 bufs;
	unsigned int order;
	u32 pieces;
	struct page **pages;
	struct mm_struct *mm;

	struct mutex lock;	/* see above */
	struct sl_buf *buf;
	u32 free_list;
	u32 flight_list;
	struct sockloan_poolstat stat;
};

struct sl_pool *sl_pool_new(void);
void sl_pool_destroy(struct sl_pool *pool);
int sl_pool_setup(struct sl_pool *pool, struct sockloan_pool *arg);
int sl_pool_mmap(struct sl_pool *pool, struct vm_area_struct *vma);
bool sl_pool_ready(const struct sl_pool *pool);
void sl_pool_stat(struct sl_pool *pool, struct sockloan_poolstat *stat);

u32 sl_pool_alloc(struct sl_pool *pool, u32 *ids, u32 count);
int sl_pool_free(struct sl_pool *pool, u32 id);
int sl_pool_take(struct sl_pool *pool, u32 id);
void sl_pool_back(struct sl_pool *pool, u32 id, bool sent, u32 len);
unsigned int sl_pool_pieces(const struct sl_pool *pool, u32 id, u32 offset,
			    u32 len, struct bio_vec *bv);

/* xout.c */
int sl_xout(struct sl_pool *pool, struct socket *sock, struct sockloan_pkt *pkt,
	    unsigned int flags, bool more);

#endif /* _SL_POOL_H */
