// SPDX-License-Identifier: GPL-2.0
/*
 * What has arrived on one socket, sent on by another.
 *
 * The pages of the received skbs get one more reference each and go into new skbs;
 * what lies outside of pages is copied.  Only what the other socket has taken is
 * consumed.
 *
 * The two sockets are locked one after the other, never both: two threads may be
 * forwarding in opposite directions.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "cursor.h"
#include "pool.h"
#include "push.h"
#include "rx.h"
#include "sockloan.h"

/* Pieces that are sent on at a time */
#define SL_FORWARD_PIECES	128

/**
 * struct sl_forward - data on its way from one socket to another
 * @nr: pieces
 * @len: bytes in them
 * @copied: bytes that had to be copied
 * @bv: the pieces, a reference on each
 */
struct sl_forward {
	unsigned int nr;
	u32 len;
	u32 copied;
	struct bio_vec bv[SL_FORWARD_PIECES];
};

/**
 * struct sl_forward_nothing - nothing has arrived
 * @yet: that is why it is -EAGAIN, and not want of room on the other socket
 * @seen: what had, of a stream
 */
struct sl_forward_nothing {
	bool yet;
	u32 seen;
};

/* Copy up to @n bytes to memory of our own. Return: how many, or an error. */
static int sl_forward_copy(struct sl_forward *f, struct sl_cursor *c, u32 n)
{
	struct page_frag *pfrag = &current->task_frag;
	int err;

	if (!skb_page_frag_refill(min_t(u32, n, PAGE_SIZE), pfrag, GFP_KERNEL))
		return -ENOMEM;
	n = min_t(u32, n, pfrag->size - pfrag->offset);
	err = sl_cursor_copy(c, page_address(pfrag->page) + pfrag->offset, n);
	if (err)
		return err;
	get_page(pfrag->page);
	bvec_set_page(&f->bv[f->nr++], pfrag->page, n, pfrag->offset);
	pfrag->offset += n;
	f->copied += n;
	return n;
}

/* Add the piece at the cursor, @max bytes of it at most. */
static int sl_forward_piece(struct sl_forward *f, struct sl_cursor *c, u32 max)
{
	struct page *page;
	u32 off, n;

	n = min(sl_cursor_piece(c, &page, &off), max);
	/* A list of skbs: what piece() calls one lies anywhere. */
	if (!page)
		return sl_forward_copy(f, c, n);
	if (!try_get_page(page))
		return -ENOMEM;
	bvec_set_page(&f->bv[f->nr++], page, n, off);
	sl_cursor_advance(c, n);
	return n;
}

static int sl_forward_gather(struct sl_forward *f, struct sl_cursor *c, u32 max,
			     unsigned int pieces)
{
	int ret;

	while (c->skb && f->len < max) {
		if (f->nr == pieces)
			return -EMSGSIZE;
		ret = sl_forward_piece(f, c, max - f->len);
		if (ret < 0)
			return ret;
		f->len += ret;
	}
	return 0;
}

static void sl_forward_put(struct sl_forward *f, unsigned int from)
{
	for (; from < f->nr; from++)
		put_page(f->bv[from].bv_page);
}

/* Hand the pieces to the other socket. Return: bytes it took, or an error. */
static int sl_forward_send(struct sl_forward *f, struct socket *to,
			   unsigned int flags)
{
	struct sl_push push = { .msg.msg_flags = MSG_NOSIGNAL };
	bool stream = to->type == SOCK_STREAM;
	int ret;

	if (flags & SOCKLOAN_XOUT_DONTWAIT)
		push.msg.msg_flags |= MSG_DONTWAIT;
	if (stream && (flags & SOCKLOAN_XOUT_MORE))
		push.msg.msg_flags |= MSG_MORE;
	sl_push_init(&push, f->bv, f->nr, f->len);
	if (stream) {
		push.mss = READ_ONCE(tcp_sk(to->sk)->mss_cache);
	} else if (sl_udp_corked(to->sk)) {
		push.msg.msg_flags &= ~MSG_ZEROCOPY;
		push.msg.msg_ubuf = NULL;
	}
	ret = sock_sendmsg(to, &push.msg);
	if (!push.taken && ret > 0)
		f->copied = f->len;
	sl_forward_put(f, push.taken);
	return ret;
}

/* -- streams ---------------------------------------------------------------------- */

/* Return: 0 and @f->len bytes from @from on, none at the end; or an error. */
static int sl_forward_take(struct sl_rx *rx, struct sl_forward *f, u32 max,
			   u32 *from)
{
	struct sock *sk = rx->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = tp->copied_seq;
	struct sl_cursor c;
	int err;

	if (tp->urg_data) {
		u32 ahead = tp->urg_seq - seq;

		/* As recv(): up to the mark, or over it. */
		if (!ahead && !sock_flag(sk, SOCK_URGINLINE))
			seq++;
		else if (ahead && ahead < max)
			max = ahead;
	}
	*from = seq;
	sl_cursor_stream(&c, sk, seq);
	err = sl_forward_gather(f, &c, max, SL_FORWARD_PIECES);
	if (f->len)
		return 0;
	if (err)
		return err;
	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if ((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN))
		return -ENOTCONN;
	return -EAGAIN;
}

static int sl_forward_stream(struct sl_rx *rx, struct socket *from,
			     struct socket *to, struct sl_forward *f, u32 max,
			     unsigned int flags,
			     struct sl_forward_nothing *nothing)
{
	u32 seq;
	int ret;

	ret = sl_rx_lock(rx);
	if (ret)
		return ret;
	ret = sl_forward_take(rx, f, max, &seq);
	nothing->seen = tcp_sk(rx->sk)->rcv_nxt;
	release_sock(rx->sk);
	if (!f->len) {
		nothing->yet = ret == -EAGAIN;
		return ret;
	}
	ret = sl_rx_ask(from);
	if (ret) {
		sl_forward_put(f, 0);
		return ret;
	}
	ret = sl_forward_send(f, to, flags);
	if (ret <= 0)
		return ret;
	/*
	 * It is sent: nobody may get it again, not even when the socket has left
	 * the pool meanwhile.  Another protocol's it may be, which has its own idea
	 * of what is in the queue.
	 */
	lock_sock(rx->sk);
	if (rx->sk->sk_prot == rx->ss->prot)
		sl_rx_consume(rx->sk, seq + ret, ret + 1);
	release_sock(rx->sk);
	return ret;
}

/* -- datagrams --------------------------------------------------------------------- */

static int sl_forward_dgram(struct sl_rx *rx, struct socket *from,
			    struct socket *to, struct sl_forward *f,
			    unsigned int flags,
			    struct sl_forward_nothing *nothing)
{
	struct sk_buff *skb;
	struct sl_cursor c;
	int off = 0, err;

again:
	/* With a reference, and without taking it out of the queue */
	skb = __skb_recv_udp(rx->sk, MSG_PEEK | MSG_DONTWAIT, &off, &err);
	if (!skb) {
		nothing->yet = err == -EAGAIN;
		if (nothing->yet &&
		    (READ_ONCE(rx->sk->sk_shutdown) & RCV_SHUTDOWN))
			err = 0;
		return err;
	}
	if (!skb_csum_unnecessary(skb) && __skb_checksum_complete(skb)) {
		sl_dgram_drop(rx->sk, skb);
		consume_skb(skb);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		goto again;
	}
	sl_cursor_dgram(&c, skb);
	err = sl_forward_gather(f, &c, skb->len, MAX_SKB_FRAGS);
	if (err) {
		sl_forward_put(f, 0);
		goto out;
	}
	err = sl_forward_send(f, to, flags);
	if (err >= 0) {
		/* Unless another thread has received it meanwhile */
		if (sl_rx_head(rx->sk) == skb)
			sl_rx_consume_dgram(from);
		err = 1;
	}
out:
	consume_skb(skb);
	return err;
}

/* -- both --------------------------------------------------------------------------- */

/* Something new to be received, or to be told, since @seen */
static bool sl_forward_news(const struct sock *sk, u32 seen)
{
	if (READ_ONCE(sk->sk_err) || (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN))
		return true;
	if (sk->sk_type == SOCK_STREAM)
		return READ_ONCE(tcp_sk(sk)->rcv_nxt) != seen ||
		       ((1 << READ_ONCE(sk->sk_state)) &
			(TCPF_CLOSE | TCPF_LISTEN));
	return !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue) ||
	       !skb_queue_empty_lockless(&sk->sk_receive_queue);
}

/* @rx->lock held; it keeps what is being forwarded, for the next time. */
static int sl_forward_once(struct sl_rx *rx, struct socket *from,
			   struct socket *to, u32 max, unsigned int flags,
			   struct sl_forward_nothing *nothing)
{
	struct sl_forward *f = rx->forward;
	int ret;

	if (!f) {
		f = kvmalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
		if (!f)
			return -ENOMEM;
		rx->forward = f;
	}
	f->nr = 0;
	f->len = 0;
	f->copied = 0;
	if (from->type == SOCK_STREAM)
		ret = sl_forward_stream(rx, from, to, f, max, flags,
					nothing);
	else
		ret = sl_forward_dgram(rx, from, to, f, flags, nothing);
	if (ret > 0) {
		/* A stream may have taken less than was gathered. */
		u32 len = from->type == SOCK_STREAM ? ret : f->len;

		atomic64_add(len, &rx->pool->rx.bytes_forwarded);
		atomic64_add(min(f->copied, len),
			     &rx->pool->rx.bytes_forwarded_copied);
		if (!sl_rx_lock(rx))
			release_sock(rx->sk);
	}
	return ret;
}

/**
 * sl_forward - SOCKLOAN_IOC_FORWARD
 * @rx: of the socket that has received
 * @from: that socket
 * @to: an attached socket of the same type
 * @max: bytes of a stream
 * @flags: SOCKLOAN_XOUT_*
 *
 * Context: process, may sleep.
 * Return: bytes, or 1 for a datagram; 0 at the end; or what the ioctl returns.
 */
int sl_forward(struct sl_rx *rx, struct socket *from, struct socket *to,
	       u32 max, unsigned int flags)
{
	bool wait = !(flags & SOCKLOAN_XOUT_DONTWAIT) &&
		    !(from->file->f_flags & O_NONBLOCK);
	long timeo = sock_rcvtimeo(rx->sk, !wait);
	struct sl_forward_nothing nothing;
	int ret;

	if (to->file->f_flags & O_NONBLOCK)
		flags |= SOCKLOAN_XOUT_DONTWAIT;
	for (;;) {
		if (mutex_lock_interruptible(&rx->lock))
			return -ERESTARTSYS;
		nothing.yet = false;
		ret = sl_forward_once(rx, from, to, max, flags, &nothing);
		mutex_unlock(&rx->lock);
		if (ret != -EAGAIN || !nothing.yet || !timeo)
			return ret;
		/* With nothing locked: others may receive, release, or leave. */
		timeo = wait_event_interruptible_timeout(*sk_sleep(rx->sk),
							 sl_forward_news(rx->sk, nothing.seen),
							 timeo);
		/* It does not look for signals when it need not wait. */
		if (timeo < 0 || signal_pending(current))
			return sock_intr_errno(sock_rcvtimeo(rx->sk, false));
		cond_resched();
	}
}
