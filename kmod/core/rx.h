/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets that have joined a pool. */
#ifndef _SL_RX_H
#define _SL_RX_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sockloan.h>

struct sk_buff;
struct sl_forward;
struct sl_pool;
struct sl_sock;
struct sock;
struct socket;

/* Pieces of a socket's data that can be described at a time */
#define SL_EXTENTS	128

/**
 * struct sl_extent - a piece of what was peeked
 * @pos: where in the stream it begins, bytes
 * @skb: of the last piece of a datagram: the datagram; a reference on it
 * @len: its length, bytes
 * @slot: in the window, of its first byte
 * @off: of that byte in the slot
 * @flags: SOCKLOAN_SEG_*
 */
struct sl_extent {
	u64 pos;
	struct sk_buff *skb;
	u32 len;
	u32 slot;
	u32 off;
	u32 flags;
};

/**
 * struct sl_rx - a socket in a pool
 * @ref: one by the socket, one by each ioctl at work
 * @rcu: callbacks of the socket are RCU readers
 * @pool: a reference on it
 * @ss: the socket.  Only for those who have found this through it
 * @sk: likewise
 * @lock: one peek, release or forward at a time
 * @first: of @extent; socket lock
 * @nr: extents there are; socket lock
 * @peeked: bytes in them; socket lock
 * @datagrams: likewise; socket lock
 * @forward: forward.c's; @lock
 * @generation: of the window that they are in; socket lock
 * @extent: a ring; socket lock
 * @restarted: the connection is a new one; written by callbacks
 * @node: in the pool's list; this and all that follows: the pool's event_lock
 * @ready: in its list of those with events
 * @ino: the socket's inode, for people; does not change
 * @cookie: for events
 * @wanted: SOCKLOAN_EVENT_*
 * @pending: those that were not read yet
 * @told: those that come once and have come
 * @error: with SOCKLOAN_EVENT_RESET
 * @urg_seq: the urgent data that was told; socket lock
 * @urg_told: there was such; socket lock
 */
struct sl_rx {
	refcount_t ref;
	struct rcu_head rcu;
	struct sl_pool *pool;
	struct sl_sock *ss;
	struct sock *sk;
	struct mutex lock;	/* see above */
	struct sl_forward *forward;

	u32 first;
	u32 nr;
	u32 peeked;
	u32 datagrams;
	u32 generation;
	struct sl_extent extent[SL_EXTENTS];
	bool restarted;

	struct list_head node;
	struct list_head ready;
	u64 ino;
	u64 cookie;
	u32 wanted;
	u32 pending;
	u32 told;
	int error;
	u32 urg_seq;
	bool urg_told;
};

/* rx.c */
int sl_rx_join(struct sl_pool *pool, struct socket *sock,
	       const struct sockloan_join *arg);
int sl_rx_leave(struct sl_pool *pool, struct socket *sock);
void sl_rx_leave_all(struct sl_pool *pool);
void sl_rx_gone(struct sl_sock *ss);
struct sl_rx *sl_rx_get(struct sl_pool *pool, struct socket *sock);
void sl_rx_put(struct sl_rx *rx);
int sl_rx_lock(struct sl_rx *rx);
void sl_rx_sync(struct sl_rx *rx);
u64 sl_rx_consumed(const struct sock *sk);
const struct sk_buff *sl_rx_head(struct sock *sk);
bool sl_rx_append(struct sl_rx *rx, const struct sl_extent *e);
void sl_rx_drop_last(struct sl_rx *rx);
void sl_rx_drop_all(struct sl_rx *rx);
int sl_rx_release(struct sl_rx *rx, struct socket *sock, u32 count);
int sl_rx_ask(struct socket *sock);
void sl_rx_consume(struct sock *sk, u32 end, u32 n);
int sl_rx_consume_dgram(struct socket *sock);

static inline struct sl_extent *sl_rx_extent(struct sl_rx *rx, u32 i)
{
	return &rx->extent[(rx->first + i) % SL_EXTENTS];
}

/* cursor.c, peek.c, forward.c */
int sl_peek(struct sl_rx *rx, struct socket *sock, struct sockloan_peek *arg);
void sl_dgram_drop(struct sock *sk, const struct sk_buff *skb);
int sl_forward(struct sl_rx *rx, struct socket *from, struct socket *to,
	       u32 max, unsigned int flags);

/* event.c */
void sl_event_hook(struct sl_sock *ss, u32 events);
bool sl_event_unhook(struct sl_sock *ss);
void sl_event_inherited(struct sock *sk);
void sl_event_start(struct sl_rx *rx);
ssize_t sl_event_read(struct sl_pool *pool, char __user *buf, size_t len,
		      bool nonblock);

#endif /* _SL_RX_H */
