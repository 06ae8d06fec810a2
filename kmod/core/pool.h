/* SPDX-License-Identifier: GPL-2.0 */
/* Pools of packet buffers, one to an open file of /dev/sockloan. */
#ifndef _SL_POOL_H
#define _SL_POOL_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/sockloan.h>
#include <linux/wait.h>

#include "window.h"

struct mm_struct;
struct seq_file;
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

/* page->private of a buffer's pages: their owner may write to them at any time */
#define SL_POOL_MARK	0x5cb1f00cul

/**
 * struct sl_pool - a pool
 * @ref: one by the file, one by each socket that has joined
 * @rcu: callbacks of its sockets are RCU readers
 * @setup: serializes its set-up
 * @ready: it is set up; nothing up to @lock changes any more
 * @number: tells it from others, however many descriptors it has
 * @buf_size: of a buffer, bytes
 * @bufs: how many
 * @order: a piece of a buffer is one allocation of this order
 * @pieces: of a buffer
 * @pages: the first page of each piece, buffer by buffer; a reference on each
 * @locked: pages that are counted against RLIMIT_MEMLOCK
 * @mm: of whom
 * @lock: of all that follows
 * @buf: the buffers
 * @free_list: those that are free, last in first out
 * @flight_list: those in flight, in no order
 * @stat: what SOCKLOAN_IOC_POOLSTAT returns of buffers
 * @window: the receive window
 * @event_lock: of what follows, and of what struct sl_rx has for events
 * @sockets: those that have joined
 * @nr_sockets: how many
 * @eventful: of them, those with events
 * @wait: who waits for events
 * @events: how many have been read
 * @rx: counters of receiving, not locked together
 */
struct sl_pool {
	struct kref ref;
	struct rcu_head rcu;
	struct mutex setup;	/* see above */
	bool ready;
	u64 number;
	u32 buf_size;
	u32 bufs;
	unsigned int order;
	u32 pieces;
	struct page **pages;
	unsigned long locked;
	struct mm_struct *mm;

	struct mutex lock;	/* see above */
	struct sl_buf *buf;
	u32 free_list;
	u32 flight_list;
	struct sockloan_poolstat stat;

	struct sl_window window;

	spinlock_t event_lock;	/* see above */
	struct list_head sockets;
	u32 nr_sockets;
	struct list_head eventful;
	wait_queue_head_t wait;
	u64 events;

	struct {
		atomic64_t peeks;
		atomic64_t bytes_mapped;
		atomic64_t bytes_copied;
		atomic64_t bytes_released;
		atomic64_t bytes_forwarded;
		atomic64_t bytes_forwarded_copied;
		atomic64_t bad_releases;
		atomic64_t window_full;
	} rx;
};

struct sl_pool *sl_pool_new(void);
void sl_pool_close(struct sl_pool *pool);
void sl_pool_put(struct sl_pool *pool);
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

/* poolctl.c */
long sl_poolctl(struct sl_pool *pool, unsigned int cmd, void __user *user);
void sl_poolctl_show(struct sl_pool *pool, struct seq_file *seq);

/* xout.c */
int sl_xout(struct sl_pool *pool, struct socket *sock, struct sockloan_pkt *pkt,
	    unsigned int flags, bool more);

#endif /* _SL_POOL_H */
