// SPDX-License-Identifier: GPL-2.0
/*
 * A peek, from the receive queue to the window.
 *
 * Whole pages are mapped, what lies between is copied, and either becomes an
 * extent behind those that are there already.  Nothing is taken out of the queue.
 *
 * Locks: @rx->lock, the socket's, mmap_lock for reading, in this order, which is
 * that of a send that faults.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "cursor.h"
#include "pool.h"
#include "rx.h"
#include "sockloan.h"

/* Pages that are mapped at a time */
#define SL_PEEK_PAGES	64
/* Bytes that are copied at a time */
#define SL_PEEK_COPY	65536
/* Datagrams that are taken from the queue at a time */
#define SL_PEEK_DGRAMS	16

/**
 * struct sl_peek - a peek
 * @rx: the socket, locked
 * @w: the window
 * @vma: its mapping
 * @max: bytes to be described at most, those that are already among them
 * @room: likewise, segments
 * @full: the window had no room
 * @page: pages on their way into it
 */
struct sl_peek {
	struct sl_rx *rx;
	struct sl_window *w;
	struct vm_area_struct *vma;
	u32 max;
	u32 room;
	bool full;
	struct page *page[SL_PEEK_PAGES];
};

/* Map @n pages at the stream's position @pos. Return: how many, or an error. */
static int sl_peek_map(struct sl_peek *p, u64 pos, u32 n)
{
	struct sl_extent e = { .pos = pos, .flags = SOCKLOAN_SEG_MAPPED };
	u32 mapped = n, i;
	int slot;

	slot = sl_window_map(p->w, p->vma, p->page, &mapped);
	/* -ENOMEM: the window has had these references. */
	for (i = slot == -ENOBUFS ? 0 : mapped; i < n; i++)
		put_page(p->page[i]);
	if (slot < 0)
		return slot;
	p->full = mapped < n;
	e.slot = slot;
	e.len = mapped << PAGE_SHIFT;
	if (!sl_rx_append(p->rx, &e)) {
		sl_window_drop(p->w, p->rx->generation, slot, mapped);
		return -ENOBUFS;
	}
	atomic64_add(e.len, &p->rx->pool->rx.bytes_mapped);
	return mapped;
}

/* Copy up to @n bytes. Return: how many, or an error. */
static int sl_peek_copy(struct sl_peek *p, struct sl_cursor *c, u64 pos, u32 n)
{
	struct sl_extent e = { .pos = pos };
	u32 pages = DIV_ROUND_UP(n, PAGE_SIZE);
	int slot, err;

	slot = sl_window_copy(p->w, &pages);
	if (slot < 0)
		return slot;
	if (n > pages << PAGE_SHIFT) {
		n = pages << PAGE_SHIFT;
		p->full = true;
	}
	err = sl_cursor_copy(c, sl_window_memory_of(p->w, slot), n);
	e.slot = slot;
	e.len = n;
	if (!err && !sl_rx_append(p->rx, &e))
		err = -ENOBUFS;
	if (err) {
		sl_window_drop(p->w, p->rx->generation, slot, pages);
		return err;
	}
	atomic64_add(n, &p->rx->pool->rx.bytes_copied);
	return n;
}

/*
 * Bring up to @want bytes from the cursor on into the window.  Return: 0 or an
 * error; @want: how many are missing.
 */
static int sl_peek_bring(struct sl_peek *p, struct sl_cursor *c, u64 pos,
			 u32 *want)
{
	int ret = 0;
	u32 n;

	while (*want && c->skb && p->rx->nr < p->room && !p->full) {
		n = sl_cursor_pages(c, *want, p->page, SL_PEEK_PAGES);
		if (n) {
			ret = sl_peek_map(p, pos, n);
			n = ret << PAGE_SHIFT;
		} else {
			n = sl_cursor_rest(c, min_t(u32, *want, SL_PEEK_COPY));
			ret = sl_peek_copy(p, c, pos, n);
			n = ret;
		}
		if (ret < 0)
			break;
		pos += n;
		*want -= n;
	}
	if (ret == -ENOBUFS)
		p->full = true;
	return min(ret, 0);
}

/* -- streams ---------------------------------------------------------------------- */

/*
 * How many of @want bytes come before the urgent mark.  At the mark itself: when
 * nothing comes before it, the urgent byte is skipped, as recv() does.
 */
static u32 sl_peek_urgent(const struct sock *sk, u32 *seq, u32 want, u32 *state)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 ahead = tp->urg_seq - *seq;

	if (!tp->urg_data || ahead >= want)
		return want;
	if (!ahead && *seq == tp->copied_seq) {
		if (!sock_flag(sk, SOCK_URGINLINE))
			++*seq;
		return want;
	}
	*state |= SOCKLOAN_PEEK_URGENT;
	return ahead;
}

/* What recv() says when there is nothing. */
static int sl_peek_none(struct sock *sk, u32 *state)
{
	if (sock_flag(sk, SOCK_DONE))
		goto eof;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		goto eof;
	if (sk->sk_type == SOCK_STREAM &&
	    ((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN)))
		return -ENOTCONN;
	return -EAGAIN;
eof:
	*state |= SOCKLOAN_PEEK_EOF;
	return 0;
}

static int sl_peek_stream(struct sl_peek *p, u32 *state)
{
	struct sl_rx *rx = p->rx;
	struct sock *sk = rx->sk;
	u64 consumed = sl_rx_consumed(sk), pos = consumed;
	struct sl_extent *last;
	struct sl_cursor c;
	u32 want, seq;
	int err;

	if (rx->nr) {
		last = sl_rx_extent(rx, rx->nr - 1);
		pos = last->pos + last->len;
	}
	seq = tcp_sk(sk)->copied_seq + (u32)(pos - consumed);
	want = p->max > rx->peeked ? p->max - rx->peeked : 0;
	want = sl_peek_urgent(sk, &seq, want, state);
	pos = consumed + (u32)(seq - tcp_sk(sk)->copied_seq);

	sl_cursor_stream(&c, sk, seq);
	err = sl_peek_bring(p, &c, pos, &want);
	/* Not as far as the mark? */
	if (want)
		*state &= ~SOCKLOAN_PEEK_URGENT;
	/* After an error the cursor may be behind what was not brought. */
	if ((c.skb || p->full || err) && !(*state & SOCKLOAN_PEEK_URGENT))
		*state |= SOCKLOAN_PEEK_MORE;
	else if (!c.skb && !p->full && !err &&
		 (sock_flag(sk, SOCK_DONE) || (sk->sk_shutdown & RCV_SHUTDOWN)))
		*state |= SOCKLOAN_PEEK_EOF;
	if (rx->nr)
		return 0;
	if (err)
		return err;
	return c.skb ? -EAGAIN : sl_peek_none(sk, state);
}

/* -- datagrams --------------------------------------------------------------------- */

/* The last datagram that was peeked, or NULL */
static const struct sk_buff *sl_dgram_last(struct sl_rx *rx)
{
	return rx->nr ? sl_rx_extent(rx, rx->nr - 1)->skb : NULL;
}

/*
 * References on datagrams behind @last, or from the first one on.  By name, not by
 * number: others may receive meanwhile, without the socket's lock.
 *
 * Return: how many; -ENOENT: @last is not in the queue any more.
 */
static int sl_dgrams_get(struct sock *sk, const struct sk_buff *last,
			 struct sk_buff **skbs)
{
	struct sk_buff_head *rq = &udp_sk(sk)->reader_queue;
	struct sk_buff_head *queues[] = { rq, &sk->sk_receive_queue };
	bool found = !last;
	struct sk_buff *skb;
	int i, n = 0;

	/* In the order of __skb_recv_udp() */
	spin_lock_bh(&rq->lock);
	spin_lock(&sk->sk_receive_queue.lock);
	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		skb_queue_walk(queues[i], skb) {
			if (n == SL_PEEK_DGRAMS)
				break;
			if (found)
				skbs[n++] = skb_get(skb);
			found = found || skb == last;
		}
	}
	spin_unlock(&sk->sk_receive_queue.lock);
	spin_unlock_bh(&rq->lock);
	return found ? n : -ENOENT;
}

/* All of a datagram, or nothing of it.  Takes over the reference if it returns 0. */
static int sl_peek_dgram(struct sl_peek *p, struct sk_buff *skb)
{
	struct sl_extent end = { .flags = SOCKLOAN_SEG_END, .skb = skb };
	struct sl_rx *rx = p->rx;
	u32 nr = rx->nr, want = skb->len;
	struct sl_cursor c;
	int err = 0;

	if (want > p->max - min(p->max, rx->peeked) || rx->nr >= p->room)
		return -EMSGSIZE;
	sl_cursor_dgram(&c, skb);
	/* No extent behind that of the datagram before: that one has its end. */
	err = sl_peek_bring(p, &c, 0, &want);
	if (!err && want)
		err = p->full ? -ENOBUFS : -EMSGSIZE;
	if (!err && !skb->len) {
		sl_rx_append(rx, &end);
		return 0;
	}
	if (err) {
		while (rx->nr > nr)
			sl_rx_drop_last(rx);
		return err;
	}
	sl_rx_extent(rx, rx->nr - 1)->flags |= SOCKLOAN_SEG_END;
	sl_rx_extent(rx, rx->nr - 1)->skb = skb;
	rx->datagrams++;
	return 0;
}

/*
 * A datagram with a wrong checksum: recv() drops it when it comes by, and so do we
 * when it is the first one.  A pending error is for the program.
 */
void sl_dgram_drop(struct sock *sk, const struct sk_buff *bad)
{
	int pending = sock_error(sk), off = 0, err;
	struct sk_buff *skb;

	/* Another thread may have come by meanwhile. */
	if (sl_rx_head(sk) == bad) {
		skb = __skb_recv_udp(sk, MSG_DONTWAIT, &off, &err);
		if (skb) {
			SL_UDP_INC(sk, UDP_MIB_CSUMERRORS);
			SL_UDP_INC(sk, UDP_MIB_INERRORS);
			kfree_skb(skb);
		}
	}
	if (pending)
		WRITE_ONCE(sk->sk_err, -pending);
}

static bool sl_dgram_bad(struct sk_buff *skb)
{
	return !skb_csum_unnecessary(skb) && __skb_checksum_complete(skb);
}

/*
 * The datagrams of one look at the queue, @skbs of them @n.  Return: how many were
 * brought into the window; @err: why not the next one.
 */
static int sl_peek_lot(struct sl_peek *p, struct sk_buff **skbs, int n, int *err)
{
	int i;

	for (i = 0; i < n; i++) {
		*err = sl_dgram_bad(skbs[i]) ? -EBADMSG :
					       sl_peek_dgram(p, skbs[i]);
		if (*err)
			break;
	}
	return i;
}

static int sl_peek_dgrams(struct sl_peek *p, u32 *state)
{
	struct sk_buff *skbs[SL_PEEK_DGRAMS];
	struct sl_rx *rx = p->rx;
	int err, n, i, done;
	bool again;

	do {
		err = 0;
		n = sl_dgrams_get(rx->sk, sl_dgram_last(rx), skbs);
		if (n == -ENOENT) {
			/* Received by another thread, with all before it */
			sl_rx_drop_all(rx);
			again = true;
			continue;
		}
		done = sl_peek_lot(p, skbs, n, &err);
		again = done == SL_PEEK_DGRAMS;
		if (err == -EBADMSG && !rx->nr) {
			sl_dgram_drop(rx->sk, skbs[done]);
			again = true;
		}
		if (done < n && !again)
			*state |= SOCKLOAN_PEEK_MORE;
		for (i = done; i < n; i++)
			consume_skb(skbs[i]);
		cond_resched();
	} while (again && !fatal_signal_pending(current));
	if (rx->nr)
		return 0;
	return err && err != -EBADMSG ? err : sl_peek_none(rx->sk, state);
}

/* Where a datagram came from, as recvmsg() would say */
static void sl_dgram_name(const struct sock *sk, const struct sk_buff *skb,
			  struct sockloan_name *name)
{
	struct sockaddr_in6 *sin6 = (void *)name->addr;
	struct sockaddr_in *sin = (void *)name->addr;

	BUILD_BUG_ON(sizeof(*sin6) != sizeof(name->addr));
	memset(name, 0, sizeof(*name));
	if (sk->sk_family == AF_INET) {
		name->len = sizeof(*sin);
		sin->sin_family = AF_INET;
		sin->sin_port = udp_hdr(skb)->source;
		sin->sin_addr.s_addr = ip_hdr(skb)->saddr;
		return;
	}
	name->len = sizeof(*sin6);
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = udp_hdr(skb)->source;
	if (skb->protocol == htons(ETH_P_IP)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &sin6->sin6_addr);
		return;
	}
	sin6->sin6_addr = ipv6_hdr(skb)->saddr;
	sin6->sin6_scope_id = ipv6_iface_scope_id(&sin6->sin6_addr,
						  inet6_iif(skb));
}

/* -- all together ------------------------------------------------------------------- */

/* How many of the first @nr extents are whole datagrams of up to @max bytes in all */
static u32 sl_peek_whole(struct sl_rx *rx, u32 nr, u32 max)
{
	u32 whole = 0, i;

	for (i = 0; i < nr; i++) {
		const struct sl_extent *e = sl_rx_extent(rx, i);

		if (e->len > max)
			break;
		max -= e->len;
		if (e->flags & SOCKLOAN_SEG_END)
			whole = i + 1;
	}
	return whole;
}

/* Tell the program; socket locked, mmap_lock not. */
static int sl_peek_tell(struct sl_peek *p, struct sockloan_peek *arg)
{
	struct sockloan_name __user *names = u64_to_user_ptr(arg->names);
	struct sockloan_seg __user *segs = u64_to_user_ptr(arg->segs);
	struct sl_rx *rx = p->rx;
	u32 left = p->max, nr = min(rx->nr, p->room), i;

	if (rx->datagrams) {
		/* An earlier peek may have had more room. */
		nr = sl_peek_whole(rx, nr, p->max);
		if (!nr)
			return -EMSGSIZE;
	}
	arg->bytes = 0;
	arg->datagrams = 0;
	for (i = 0; i < nr && (left || rx->datagrams); i++) {
		const struct sl_extent *e = sl_rx_extent(rx, i);
		struct sockloan_seg seg = {
			.offset = ((u64)e->slot << PAGE_SHIFT) + e->off,
			.len = min(e->len, left),
			.flags = e->flags,
		};

		if (copy_to_user(segs + i, &seg, sizeof(seg)))
			return -EFAULT;
		left -= seg.len;
		arg->bytes += seg.len;
		if (!(e->flags & SOCKLOAN_SEG_END))
			continue;
		if (names) {
			struct sockloan_name name;

			sl_dgram_name(rx->sk, e->skb, &name);
			if (copy_to_user(names + arg->datagrams, &name,
					 sizeof(name)))
				return -EFAULT;
		}
		arg->datagrams++;
	}
	arg->nr = i;
	if (i < rx->nr || arg->bytes < rx->peeked)
		arg->state = (arg->state & ~(SOCKLOAN_PEEK_EOF |
					     SOCKLOAN_PEEK_URGENT)) |
			     SOCKLOAN_PEEK_MORE;
	return 0;
}

static int sl_peek_locked(struct sl_peek *p, struct sockloan_peek *arg)
{
	struct sl_rx *rx = p->rx;
	int err;

	p->vma = sl_window_begin(p->w);
	if (!p->vma)
		return -ENODEV;
	/* The window may be another one by now, and stays this one from here. */
	sl_rx_sync(rx);
	if (rx->sk->sk_type == SOCK_STREAM)
		err = sl_peek_stream(p, &arg->state);
	else
		err = sl_peek_dgrams(p, &arg->state);
	sl_window_end(p->w);
	if (p->full)
		atomic64_inc(&rx->pool->rx.window_full);
	if (err)
		return err;
	if (rx->nr)
		atomic64_inc(&rx->pool->rx.peeks);
	return sl_peek_tell(p, arg);
}

/**
 * sl_peek - SOCKLOAN_IOC_PEEK
 * @rx: the socket's state
 * @sock: the socket
 * @arg: checked, but for @release; its results
 *
 * Context: process, may sleep.
 * Return: 0 or what the ioctl returns.
 */
int sl_peek(struct sl_rx *rx, struct socket *sock, struct sockloan_peek *arg)
{
	struct sl_peek p SL_UNINITIALIZED;
	int err = 0;

	p.rx = rx;
	p.w = &rx->pool->window;
	p.max = arg->max;
	p.room = min_t(u32, arg->nr, SL_EXTENTS);
	p.full = false;
	if (mutex_lock_interruptible(&rx->lock))
		return -ERESTARTSYS;
	arg->state = 0;
	if (arg->release)
		err = sl_rx_release(rx, sock, arg->release);
	if (!err)
		err = sl_rx_lock(rx);
	if (!err) {
		err = sl_peek_locked(&p, arg);
		release_sock(rx->sk);
	}
	mutex_unlock(&rx->lock);
	return err;
}
