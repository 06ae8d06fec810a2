// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets in a pool: how they join and leave, and what of their data has been
 * peeked.
 *
 * What was peeked is remembered as extents, each a stretch of the window, so that
 * a second peek finds the same data at the same place.  The truth is in the
 * socket: whatever else consumes its data, by recv(2) say, sl_rx_sync() finds out.
 * A stream is at sl_rx_consumed(), a datagram is known by its skb.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "ops.h"
#include "pool.h"
#include "rx.h"
#include "sockloan.h"

/* -- extents: all with the socket locked ------------------------------------------ */

/* Take @n bytes off the front of an extent, and give back the slots they had. */
static void sl_extent_trim(struct sl_rx *rx, struct sl_extent *e, u32 n)
{
	u32 slots = n == e->len ? DIV_ROUND_UP(e->off + n, PAGE_SIZE) :
				  (e->off + n) >> PAGE_SHIFT;

	if (e->len)
		sl_window_drop(&rx->pool->window, rx->generation, e->slot,
			       slots);
	e->slot += slots;
	e->off = (e->off + n) & ~PAGE_MASK;
	e->pos += n;
	e->len -= n;
	rx->peeked -= n;
}

static void sl_extent_end(struct sl_rx *rx, struct sl_extent *e)
{
	sl_extent_trim(rx, e, e->len);
	if (e->flags & SOCKLOAN_SEG_END) {
		consume_skb(e->skb);
		rx->datagrams--;
	}
}

static void sl_rx_drop_first(struct sl_rx *rx)
{
	sl_extent_end(rx, sl_rx_extent(rx, 0));
	rx->first = (rx->first + 1) % SL_EXTENTS;
	rx->nr--;
}

void sl_rx_drop_last(struct sl_rx *rx)
{
	sl_extent_end(rx, sl_rx_extent(rx, rx->nr - 1));
	rx->nr--;
}

void sl_rx_drop_all(struct sl_rx *rx)
{
	while (rx->nr)
		sl_rx_drop_first(rx);
}

/**
 * sl_rx_append - remember one more extent
 * @rx: socket locked
 * @e: what follows the last one
 *
 * Return: false when there is no room.
 */
bool sl_rx_append(struct sl_rx *rx, const struct sl_extent *e)
{
	struct sl_extent *last = rx->nr ? sl_rx_extent(rx, rx->nr - 1) : NULL;
	u32 end;

	/* Behind the last one in the window as well? */
	if (last && e->len && last->len && !(last->flags & SOCKLOAN_SEG_END) &&
	    !((last->flags ^ e->flags) & SOCKLOAN_SEG_MAPPED) && !e->off &&
	    last->pos + last->len == e->pos) {
		end = last->off + last->len;
		if (end % PAGE_SIZE == 0 &&
		    last->slot + (end >> PAGE_SHIFT) == e->slot) {
			last->len += e->len;
			last->flags |= e->flags;
			last->skb = e->skb;
			goto added;
		}
	}
	if (rx->nr == SL_EXTENTS)
		return false;
	*sl_rx_extent(rx, rx->nr++) = *e;
added:
	rx->peeked += e->len;
	rx->datagrams += !!(e->flags & SOCKLOAN_SEG_END);
	return true;
}

/* How much of a stream the program has consumed, ever; to compare, not to tell */
u64 sl_rx_consumed(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->bytes_received - (u32)(tp->rcv_nxt - tp->copied_seq);
}

static void sl_rx_sync_stream(struct sl_rx *rx)
{
	u64 consumed = sl_rx_consumed(rx->sk);

	while (rx->nr) {
		struct sl_extent *e = sl_rx_extent(rx, 0);

		if (e->pos >= consumed)
			break;
		if (e->pos + e->len > consumed) {
			sl_extent_trim(rx, e, consumed - e->pos);
			break;
		}
		sl_rx_drop_first(rx);
	}
}

/* The datagram that the next recv() gets.  A reference keeps the address unique. */
const struct sk_buff *sl_rx_head(struct sock *sk)
{
	struct sk_buff_head *rq = &udp_sk(sk)->reader_queue;
	const struct sk_buff *skb;

	spin_lock_bh(&rq->lock);
	skb = skb_peek(rq);
	if (!skb) {
		spin_lock(&sk->sk_receive_queue.lock);
		skb = skb_peek(&sk->sk_receive_queue);
		spin_unlock(&sk->sk_receive_queue.lock);
	}
	spin_unlock_bh(&rq->lock);
	return skb;
}

static void sl_rx_sync_dgram(struct sl_rx *rx)
{
	const struct sk_buff *head;
	u32 i;

	if (!rx->nr)
		return;
	head = sl_rx_head(rx->sk);
	while (rx->nr) {
		i = 0;
		while (!(sl_rx_extent(rx, i)->flags & SOCKLOAN_SEG_END))
			i++;
		if (sl_rx_extent(rx, i)->skb == head)
			return;
		for (i++; i; i--)
			sl_rx_drop_first(rx);
	}
}

/**
 * sl_rx_sync - forget what has been consumed since it was peeked
 * @rx: socket locked
 */
void sl_rx_sync(struct sl_rx *rx)
{
	struct sl_window *w = &rx->pool->window;

	if (READ_ONCE(rx->restarted) ||
	    rx->generation != READ_ONCE(w->generation)) {
		WRITE_ONCE(rx->restarted, false);
		sl_rx_drop_all(rx);
		rx->generation = READ_ONCE(w->generation);
	}
	if (rx->sk->sk_type == SOCK_STREAM)
		sl_rx_sync_stream(rx);
	else
		sl_rx_sync_dgram(rx);
}

/* -- joining and leaving --------------------------------------------------------- */

/* In the end also without the lock of a sock that is being destroyed */
static void sl_rx_detach(struct sl_rx *rx)
{
	struct sl_pool *pool = rx->pool;
	unsigned long flags;

	RCU_INIT_POINTER(rx->ss->rx, NULL);
	/* Before it is out of the list: sl_pool_close() frees the window. */
	sl_rx_drop_all(rx);
	spin_lock_irqsave(&pool->event_lock, flags);
	list_del_init(&rx->node);
	list_del_init(&rx->ready);
	pool->nr_sockets--;
	spin_unlock_irqrestore(&pool->event_lock, flags);
	sl_rx_put(rx);
}

/**
 * sl_rx_gone - the socket is released, taken over, or begins to listen
 * @ss: its state; socket locked, or past its last reference
 *
 * Context: any.
 */
void sl_rx_gone(struct sl_sock *ss)
{
	struct sl_rx *rx = rcu_dereference_protected(ss->rx, true);

	if (rx)
		sl_rx_detach(rx);
}

void sl_rx_put(struct sl_rx *rx)
{
	if (!refcount_dec_and_test(&rx->ref))
		return;
	kvfree(rx->forward);
	sl_pool_put(rx->pool);
	kvfree_rcu(rx, rcu);
}

/**
 * sl_rx_get - the state of a socket that has joined
 * @pool: the pool that it has to be in
 * @sock: any socket
 *
 * Return: with a reference; -EOPNOTSUPP: neither TCP nor UDP; -ENOENT: not in
 * this pool.
 */
struct sl_rx *sl_rx_get(struct sl_pool *pool, struct socket *sock)
{
	struct sl_sock *ss;
	struct sl_rx *rx;

	if (!sl_is_ours(sock))
		return ERR_PTR(-EOPNOTSUPP);
	ss = sl_find(sock->sk);
	if (!ss)
		return ERR_PTR(-ENOENT);
	rcu_read_lock();
	rx = rcu_dereference(ss->rx);
	if (!rx || rx->pool != pool || !refcount_inc_not_zero(&rx->ref))
		rx = ERR_PTR(-ENOENT);
	rcu_read_unlock();
	return rx;
}

/**
 * sl_rx_lock - lock the socket, if it can still be received from this way
 * @rx: what sl_rx_get() returned
 *
 * Return: 0, or an error and nothing is locked: -ENOENT: it has left meanwhile;
 * -EOPNOTSUPP: its protocol was replaced.
 */
int sl_rx_lock(struct sl_rx *rx)
{
	int err = 0;

	lock_sock(rx->sk);
	if (rcu_access_pointer(rx->ss->rx) != rx)
		err = -ENOENT;
	else if (rx->sk->sk_prot != rx->ss->prot)
		err = -EOPNOTSUPP;
	if (err) {
		release_sock(rx->sk);
	} else {
		sl_rx_sync(rx);
		sl_window_trim(&rx->pool->window);
	}
	return err;
}

static struct sl_rx *sl_rx_new(struct sl_pool *pool, struct sl_sock *ss,
			       const struct sockloan_join *arg)
{
	struct sl_rx *rx = kvzalloc(sizeof(*rx), GFP_KERNEL_ACCOUNT);

	if (!rx)
		return NULL;
	refcount_set(&rx->ref, 1);
	kref_get(&pool->ref);
	rx->pool = pool;
	rx->ss = ss;
	rx->sk = ss->sk;
	mutex_init(&rx->lock);
	rx->generation = READ_ONCE(pool->window.generation);
	INIT_LIST_HEAD(&rx->node);
	INIT_LIST_HEAD(&rx->ready);
	/* Of a descriptor that was just looked up: it is there. */
	rx->ino = SOCK_INODE(ss->sk->sk_socket)->i_ino;
	rx->cookie = arg->cookie;
	rx->wanted = arg->events;
	return rx;
}

static int sl_rx_add(struct sl_pool *pool, struct sl_sock *ss,
		     const struct sockloan_join *arg)
{
	struct sl_rx *rx = rcu_dereference_protected(ss->rx, true);

	if (rx)
		return rx->pool == pool ? -EALREADY : -EBUSY;
	if (ss->sk->sk_prot != ss->prot || ss->sk->sk_state == TCP_LISTEN ||
	    ss->listening)
		return -EOPNOTSUPP;
	rx = sl_rx_new(pool, ss, arg);
	if (!rx)
		return -ENOMEM;
	spin_lock_irq(&pool->event_lock);
	list_add_tail(&rx->node, &pool->sockets);
	pool->nr_sockets++;
	spin_unlock_irq(&pool->event_lock);
	rcu_assign_pointer(ss->rx, rx);
	/* What happens from here on the callbacks see, what is so already we. */
	sl_event_hook(ss, arg->events);
	sl_event_start(rx);
	return 0;
}

/* SOCKLOAN_IOC_JOIN; @arg is checked. */
int sl_rx_join(struct sl_pool *pool, struct socket *sock,
	       const struct sockloan_join *arg)
{
	struct sock *sk = sock->sk;
	struct sl_sock *ss;
	int err = -ESRCH;

	if (!sl_is_ours(sock))
		return -EOPNOTSUPP;
	lock_sock(sk);
	ss = sl_find(sk);
	if (ss && ss->on)
		err = sl_rx_add(pool, ss, arg);
	release_sock(sk);
	return err;
}

/*
 * SOCKLOAN_IOC_LEAVE.  Without @rx->lock, which a forward holds for as long as it waits
 * for room: whoever has it finds out when it locks the socket.
 */
int sl_rx_leave(struct sl_pool *pool, struct socket *sock)
{
	struct sl_rx *rx = sl_rx_get(pool, sock);
	int err = -ENOENT;

	if (IS_ERR(rx))
		return PTR_ERR(rx);
	lock_sock(rx->sk);
	if (rcu_access_pointer(rx->ss->rx) == rx) {
		sl_rx_detach(rx);
		err = 0;
	}
	release_sock(rx->sk);
	sl_rx_put(rx);
	return err;
}

/* The next socket of a pool that is closed, with a reference */
static struct sock *sl_rx_next(struct sl_pool *pool, bool *more)
{
	struct sock *sk = NULL;
	struct sl_rx *rx;

	spin_lock_irq(&pool->event_lock);
	rx = list_first_entry_or_null(&pool->sockets, struct sl_rx, node);
	*more = rx;
	/* One that is on its way out has none left, and leaves by itself. */
	if (rx && refcount_inc_not_zero(&rx->sk->sk_refcnt))
		sk = rx->sk;
	spin_unlock_irq(&pool->event_lock);
	return sk;
}

/**
 * sl_rx_leave_all - the pool is closed
 * @pool: that nobody has any more but its sockets
 *
 * Context: process, takes their locks.
 */
void sl_rx_leave_all(struct sl_pool *pool)
{
	struct sock *sk;
	bool more;

	do {
		sk = sl_rx_next(pool, &more);
		if (sk) {
			struct sl_sock *ss;
			struct sl_rx *rx;

			lock_sock(sk);
			/* It may have been released, but not destroyed. */
			ss = sl_find(sk);
			rx = ss ? rcu_dereference_protected(ss->rx, true) : NULL;
			if (rx && rx->pool == pool)
				sl_rx_detach(rx);
			release_sock(sk);
			sock_put(sk);
		} else if (more) {
			/* Its last skb may take a while. */
			schedule_timeout_uninterruptible(1);
		}
		cond_resched();
	} while (more);
}

/* -- releasing --------------------------------------------------------------------- */

/**
 * sl_rx_ask - have a security module asked whether data may be received
 * @sock: a stream that has data, not locked
 *
 * Return: 0, or what it says.
 */
int sl_rx_ask(struct socket *sock)
{
	struct msghdr msg = {};
	int err;

	iov_iter_discard(&msg.msg_iter, ITER_DEST, 0);
	err = sock_recvmsg(sock, &msg, MSG_DONTWAIT | MSG_PEEK);
	/* Received by another thread, or a signal at the urgent mark */
	return err == -EAGAIN ? 0 : min(err, 0);
}

static int sl_rx_discard(read_descriptor_t *desc, struct sk_buff *skb,
			 unsigned int offset, size_t len)
{
	len = min(len, desc->count);
	desc->count -= len;
	return len;
}

/**
 * sl_rx_consume - consume data of a stream, as recv() does
 * @sk: locked
 * @end: the sequence number behind it
 * @n: how many bytes at most, the urgent one among them
 *
 * By place and under the lock, not by number with recv(): another thread's recv()
 * may get some of it first, what comes next is not ours to throw away then; and at
 * the urgent mark recv() gives up when there is a signal.
 */
void sl_rx_consume(struct sock *sk, u32 end, u32 n)
{
	struct tcp_sock *tp = tcp_sk(sk);
	read_descriptor_t desc = {};

	/* Neither when it is behind that already, nor of another connection */
	while (end != tp->copied_seq && end - tp->copied_seq <= n) {
		/* Where tcp_read_sock() stops: the byte is like any other now. */
		if (tp->urg_data && tp->urg_seq == tp->copied_seq) {
			WRITE_ONCE(tp->urg_data, 0);
			tcp_fast_path_check(sk);
		}
		desc.count = end - tp->copied_seq;
		if (tcp_read_sock(sk, &desc, sl_rx_discard) <= 0)
			break;
	}
}

/**
 * sl_rx_consume_dgram - have the protocol consume a datagram, as recv() does
 * @sock: the socket
 *
 * Return: 0, also when another thread has received it; or what a security module
 * says.
 */
int sl_rx_consume_dgram(struct socket *sock)
{
	/* Which recv() would return instead, once; it is for the program. */
	int pending = sock_error(sock->sk), ret;
	struct msghdr msg = {};

	iov_iter_discard(&msg.msg_iter, ITER_DEST, 0);
	ret = sock_recvmsg(sock, &msg, MSG_DONTWAIT | MSG_TRUNC);
	if (pending)
		WRITE_ONCE(sock->sk->sk_err, -pending);
	return ret == -EAGAIN ? 0 : min(ret, 0);
}

static int sl_rx_release_stream(struct sl_rx *rx, struct socket *sock,
				u32 bytes)
{
	u32 end;
	int err;

	if (bytes > rx->peeked) {
		atomic64_inc(&rx->pool->rx.bad_releases);
		return -EINVAL;
	}
	if (!bytes)
		return 0;
	end = tcp_sk(rx->sk)->copied_seq + bytes +
	      (u32)(sl_rx_extent(rx, 0)->pos - sl_rx_consumed(rx->sk));
	release_sock(rx->sk);
	err = sl_rx_ask(sock);
	lock_sock(rx->sk);
	if (rx->sk->sk_prot != rx->ss->prot)
		err = -EOPNOTSUPP;
	if (err)
		return err;
	sl_rx_consume(rx->sk, end, bytes + 1);
	atomic64_add(bytes, &rx->pool->rx.bytes_released);
	return 0;
}

/* Is this the last extent of the datagram @skb? */
static bool sl_rx_ends(const struct sl_extent *e, const struct sk_buff *skb)
{
	return (e->flags & SOCKLOAN_SEG_END) && e->skb == skb;
}

/*
 * Each of them only while it is the one that recv() gets next: another thread may
 * receive, too.
 */
static int sl_rx_release_dgrams(struct sl_rx *rx, struct socket *sock, u32 n)
{
	struct sk_buff *last = NULL;
	u32 bytes = 0, i;
	int err = 0;

	if (n > rx->datagrams) {
		atomic64_inc(&rx->pool->rx.bad_releases);
		return -EINVAL;
	}
	for (i = 0; n; i++) {
		struct sl_extent *e = sl_rx_extent(rx, i);

		bytes += e->len;
		if (!(e->flags & SOCKLOAN_SEG_END))
			continue;
		last = e->skb;
		n--;
	}
	if (!last)
		return 0;
	/* So that it is no other one's address meanwhile */
	skb_get(last);
	for (i = 0; i < rx->nr && !err;) {
		if (!sl_rx_ends(sl_rx_extent(rx, i), last)) {
			i++;
			continue;
		}
		release_sock(rx->sk);
		err = sl_rx_consume_dgram(sock);
		lock_sock(rx->sk);
		if (rcu_access_pointer(rx->ss->rx) != rx)
			break;
		sl_rx_sync(rx);
		i = 0;
	}
	consume_skb(last);
	if (!err)
		atomic64_add(bytes, &rx->pool->rx.bytes_released);
	return err;
}

/**
 * sl_rx_release - SOCKLOAN_IOC_RELEASE
 * @rx: @rx->lock held
 * @sock: the socket
 * @count: bytes of a stream, datagrams
 *
 * Return: 0; -EINVAL: more than was peeked; or what sl_rx_lock() and a security
 * module say.
 */
int sl_rx_release(struct sl_rx *rx, struct socket *sock, u32 count)
{
	int err;

	err = sl_rx_lock(rx);
	if (err)
		return err;
	if (sock->type == SOCK_STREAM)
		err = sl_rx_release_stream(rx, sock, count);
	else
		err = sl_rx_release_dgrams(rx, sock, count);
	/* The slots come back; if it has left meanwhile, they have. */
	if (rcu_access_pointer(rx->ss->rx) == rx)
		sl_rx_sync(rx);
	sl_window_trim(&rx->pool->window);
	release_sock(rx->sk);
	return err;
}
