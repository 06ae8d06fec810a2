// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of a pool into skbs.
 *
 * They go through sock_sendmsg(), so that security modules are asked and waiting,
 * errors and timeouts are the protocol's own; their pages are taken by push.c.
 */
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <net/tcp.h>

#include "pool.h"
#include "push.h"
#include "sockloan.h"

/* The send buffer of a young connection, to what TCP's own growth may make of it */
static bool sl_xout_grow(struct sock *sk, int need)
{
	bool ok;

	if (need > READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]))
		return false;
	lock_sock(sk);
	ok = need <= sk->sk_sndbuf || !(sk->sk_userlocks & SOCK_SNDBUF_LOCK);
	if (ok && need > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, need);
	release_sock(sk);
	return ok;
}

/*
 * Is there room in the send buffer for all of a packet?  TCP looks before each
 * skb, at what is queued with skbs and all: that much on top.
 */
static int sl_xout_room(struct sock *sk, u32 len)
{
	int need = len + (len / 32768 + 1) * SKB_TRUESIZE(MAX_TCP_HEADER);

	if (sk_stream_wspace(sk) >= need)
		return 0;
	if (need > READ_ONCE(sk->sk_sndbuf) && !sl_xout_grow(sk, need))
		return -EMSGSIZE;
	/*
	 * An acknowledgment wakes those who poll only if it sees the bit: look
	 * once more behind it, or the last one may have come in between.
	 */
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	smp_mb__after_atomic();	/* see above */
	return sk_stream_wspace(sk) >= need ? 0 : -EAGAIN;
}

/*
 * The first part is queued, so the rest has to follow, unless the connection ends
 * or the program does.  A signal makes the protocol return at once each time: try
 * again with every tick.
 */
static int sl_xout_rest(struct socket *sock, struct sl_push *push)
{
	int ret = 0;

	push->msg.msg_flags &= ~MSG_DONTWAIT;
	while (msg_data_left(&push->msg) && !fatal_signal_pending(current)) {
		ret = sock_sendmsg(sock, &push->msg);
		if (ret >= 0)
			continue;
		if (ret != -EAGAIN && ret != -EINTR && ret != -ERESTARTSYS)
			break;
		schedule_timeout_killable(1);
	}
	return ret;
}

static int sl_xout_stream(struct socket *sock, struct sl_push *push, u32 len,
			  unsigned int flags)
{
	struct sock *sk = sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	int ret;

	/* An error of the connection's comes before want of room. */
	if ((flags & SOCKLOAN_XOUT_DONTWAIT) && !sk->sk_err &&
	    !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	    ((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))) {
		ret = sl_xout_room(sk, len);
		if (ret)
			return ret;
	}
	ret = sock_sendmsg(sock, &push->msg);
	if (ret < 0)
		return ret;
	if (msg_data_left(&push->msg))
		sl_xout_rest(sock, push);
	return min(len, READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt));
}

static int sl_xout_dgram(struct socket *sock, struct sl_push *push)
{
	int ret;

	/* Appended to a datagram, data is always copied. */
	if (sl_udp_corked(sock->sk)) {
		push->msg.msg_flags &= ~MSG_ZEROCOPY;
		push->msg.msg_ubuf = NULL;
	}
	ret = sock_sendmsg(sock, &push->msg);
	return min(ret, 0);
}

/**
 * sl_xout - send a packet and give it away
 * @pool: a pool that is ready
 * @sock: the socket, as the program says
 * @pkt: the packet, as the program says
 * @flags: SOCKLOAN_XOUT_*
 * @more: another packet follows
 *
 * Context: process, may sleep.
 * Return: what struct sockloan_pkt says of @result.
 */
int sl_xout(struct sl_pool *pool, struct socket *sock, struct sockloan_pkt *pkt,
	    unsigned int flags, bool more)
{
	struct bio_vec bv[SL_BUF_PIECES_MAX] SL_UNINITIALIZED;
	struct sl_push push = { .msg.msg_flags = MSG_NOSIGNAL };
	struct sl_sock *ss;
	unsigned int nr, i;
	int ret;

	if (!sl_is_ours(sock))
		return -EOPNOTSUPP;
	ss = sl_find(sock->sk);
	if (!ss || !READ_ONCE(ss->on))
		return -ESRCH;
	if (READ_ONCE(sock->sk->sk_prot) != ss->prot)
		return -EOPNOTSUPP;
	if (!pkt->len)
		return -EINVAL;
	if (pkt->len > pool->buf_size || pkt->offset > pool->buf_size - pkt->len)
		return -EMSGSIZE;
	ret = sl_pool_take(pool, pkt->id);
	if (ret)
		return ret;

	nr = sl_pool_pieces(pool, pkt->id, pkt->offset, pkt->len, bv);
	if (flags & SOCKLOAN_XOUT_DONTWAIT)
		push.msg.msg_flags |= MSG_DONTWAIT;
	sl_push_init(&push, bv, nr, pkt->len);
	if (sock->type == SOCK_STREAM) {
		push.mss = READ_ONCE(tcp_sk(sock->sk)->mss_cache);
		if (more || (flags & SOCKLOAN_XOUT_MORE))
			push.msg.msg_flags |= MSG_MORE;
		ret = sl_xout_stream(sock, &push, pkt->len, flags);
	} else {
		ret = sl_xout_dgram(sock, &push);
	}
	for (i = push.taken; i < nr; i++)
		put_page(bv[i].bv_page);
	sl_pool_back(pool, pkt->id, ret >= 0, pkt->len);
	return ret;
}
