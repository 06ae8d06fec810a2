// SPDX-License-Identifier: GPL-2.0
/*
 * A write, from the system call to the skb.
 *
 * A large send becomes a train of pieces, each either copied or lent, that go
 * to tcp_sendmsg_locked() under one hold of the socket lock.  Pieces never
 * block: what tcp_sendmsg_locked() does when the send buffer is full is done
 * here instead, once for the whole call, so that timeouts, short counts and
 * pending errors come out as they do for one plain call.
 */
#include <linux/net.h>
#include <linux/net_tstamp.h>
#include <net/tcp.h>

#include "loan.h"
#include "sockloan.h"
#include "trace.h"

/* Sends that mean more than "these bytes" */
#define SL_UNFIT_FLAGS	(MSG_OOB | MSG_FASTOPEN | MSG_ZEROCOPY | \
			 SL_MSG_INTERNAL)

/**
 * struct sl_send - one send on its way
 * @ss: the socket, locked
 * @sn: its namespace
 * @msg: the caller's
 * @flags: msg->msg_flags as the caller gave them
 * @threshold: pieces of vectored sends below it are copied, bytes
 * @chunk: lend so much at a time, bytes
 * @refused: the next so many bytes are not to be lent
 * @corked: the last piece was to have more behind it
 * @timeo: how long it may still block, jiffies
 */
struct sl_send {
	struct sl_sock *ss;
	struct sl_net *sn;
	struct msghdr *msg;
	int flags;
	unsigned int threshold;
	unsigned int chunk;
	size_t refused;
	bool corked;
	long timeo;
};

static void sl_fallback(struct sl_send *s, unsigned long addr, size_t bytes,
			enum sl_reason why)
{
	SL_COUNT_FALLBACK(s->sn, why);
	s->ss->fallbacks++;
	trace_sockloan_fallback(s->ss->sk, addr, bytes, why);
}

/* Is there a reason to leave the whole call to the plain sendmsg? */
static enum sl_reason sl_unfit(const struct sl_sock *ss,
			       const struct msghdr *msg)
{
	const struct sock *sk = ss->sk;

	if (sk->sk_prot != ss->prot)
		return SL_FB_PROTO;
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) ||
	    tcp_sk(sk)->repair)
		return SL_FB_STATE;
	if ((msg->msg_flags & SL_UNFIT_FLAGS) || msg->msg_ubuf)
		return SL_FB_FLAGS;
	if (msg->msg_controllen)
		return SL_FB_CMSG;
	if (!(sk->sk_route_caps & NETIF_F_SG))
		return SL_FB_NOSG;
	/* One timestamp a call, not one a piece */
	if (sl_sk_tsflags(sk) & SOF_TIMESTAMPING_TX_RECORD_MASK)
		return SL_FB_STAMP;
	return SL_FB_NONE;
}

/* Flags for a piece of @n bytes: more follows unless it is the last one. */
static int sl_piece_flags(struct sl_send *s, size_t n)
{
	int flags = s->flags | MSG_DONTWAIT;

	s->corked = n != msg_data_left(s->msg);
	if (s->corked)
		flags = (flags & ~MSG_EOR) | MSG_MORE;
	return flags;
}

/*
 * No more follows for now, or at all: have TCP send what the last piece left,
 * when the lock is released next.  That is what a TSQ tasklet does that finds
 * the socket locked; tcp_push() is not exported.
 */
static void sl_uncork(struct sl_send *s)
{
	struct sock *sk = s->ss->sk;

	if (!s->corked)
		return;
	s->corked = false;
	/* tcp_release_cb() drops the reference. */
	if (!test_and_set_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags))
		sock_hold(sk);
}

/* Send the next @n bytes by copying them. */
static int sl_copy(struct sl_send *s, size_t n)
{
	struct msghdr *msg = s->msg;
	size_t rest = msg_data_left(msg) - n;
	int ret;

	msg->msg_flags = sl_piece_flags(s, n);
	iov_iter_truncate(&msg->msg_iter, n);
	ret = tcp_sendmsg_locked(s->ss->sk, msg, n);
	iov_iter_reexpand(&msg->msg_iter, msg_data_left(msg) + rest);
	msg->msg_flags = s->flags;

	if (ret > 0) {
		s->ss->bytes_copied += ret;
		SL_ADD(s->sn, BYTES_COPIED, ret);
		s->refused -= min_t(size_t, s->refused, ret);
	}
	return ret;
}

static void sl_count_loan(struct sl_send *s, const struct sl_loan *loan,
			  int sent)
{
	struct sl_sock *ss = s->ss;
	struct sl_net *sn = s->sn;

	if (sent > 0) {
		ss->bytes_lent += sent;
		ss->pages_lent += DIV_ROUND_UP(sent, PAGE_SIZE);
		SL_ADD(sn, BYTES_LENT, sent);
		SL_ADD(sn, PAGES_LENT, DIV_ROUND_UP(sent, PAGE_SIZE));
	}
	if (loan->protected) {
		ss->pages_protected += loan->protected;
		SL_ADD(sn, PAGES_PROTECTED, loan->protected);
		SL_ADD(sn, FLUSHES, loan->flushes);
	}
	if (loan->shared)
		SL_ADD(sn, PAGES_SHARED, loan->shared);
	if (loan->zero)
		SL_ADD(sn, PAGES_ZERO, loan->zero);
	if (loan->fault_ins)
		SL_INC(sn, FAULT_INS);
}

/*
 * Lend up to *@n bytes, whole pages from @addr on, which the iterator is at,
 * and say in *@n how many could be lent.
 * Return: what tcp_sendmsg_locked() says, or 0 when no page may be lent:
 * @s->refused says how much is to be copied then.
 */
static noinline int sl_lend(struct sl_send *s, unsigned long addr, size_t *n)
{
	struct bio_vec bv[SL_CHUNK_PAGES];
	struct sl_loan loan = { .bv = bv };
	int ret = 0;
	size_t got;

	sl_loan_pages(&loan, addr, *n >> PAGE_SHIFT);
	got = (size_t)loan.nr << PAGE_SHIFT;
	if (loan.stop) {
		s->refused = *n - got;
		sl_fallback(s, addr + got, s->refused, loan.stop);
	}
	if (got) {
		*n = got;
		ret = sl_push_pages(s->ss->sk, bv, loan.nr,
				    sl_piece_flags(s, got));
		if (ret > 0)
			iov_iter_advance(&s->msg->msg_iter, ret);
		/* What is not lent now is looked at again. */
		if (ret != (int)got)
			s->refused = 0;
		trace_sockloan_loan(s->ss->sk, addr, &loan, ret);
	}
	sl_count_loan(s, &loan, ret);
	sl_loan_put(&loan);
	return ret;
}

/*
 * What comes next: so many bytes to copy (returned), or, when 0, a run of
 * whole pages to lend, *@len bytes from *@addr on.
 */
static size_t sl_next(const struct sl_send *s, unsigned long *addr, size_t *len)
{
	const struct iov_iter *iter = &s->msg->msg_iter;
	const struct iovec *iov = sl_iter_iov(iter);
	size_t left = iov_iter_count(iter), offset = iter->iov_offset;
	size_t copy = s->refused;
	bool ubuf = iter_is_ubuf(iter);
	unsigned long start, end, base;
	size_t size;

	if (copy >= left)
		return left;
	if (copy)
		return copy;

	while (left) {
		/* A threshold is for the program's piece, not for its rest. */
		size = ubuf ? offset + left : iov->iov_len;
		base = ubuf ? (unsigned long)iter->ubuf :
			      (unsigned long)iov->iov_base;
		end = base + min(size, offset + left);
		start = base + offset;
		if (size >= s->threshold) {
			*addr = PAGE_ALIGN(start);
			*len = (end & PAGE_MASK) - *addr;
			if (*addr < (end & PAGE_MASK))
				return copy + (*addr - start);
		}
		copy += end - start;
		left -= end - start;
		offset = 0;
		iov++;
	}
	return copy;
}

/* Would a plain send that has sent something already stop here? */
static bool sl_stops(const struct sock *sk)
{
	return sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN) ||
	       !((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT));
}

static int sl_next_piece(struct sl_send *s, size_t *want)
{
	unsigned long addr;
	size_t len;

	*want = sl_next(s, &addr, &len);
	if (*want)
		return sl_copy(s, *want);

	*want = min_t(size_t, len, s->chunk);
	/*
	 * A full send buffer takes what goes into the last skb, which is not
	 * worth protecting pages for.
	 */
	if (sk_stream_memory_free(s->ss->sk)) {
		int ret = sl_lend(s, addr, want);

		if (ret)
			return ret;
	}
	return sl_copy(s, *want);
}

/*
 * Wait for room after a piece that went in part (@ret > 0) or not at all.
 * Return: 0 to go on, or an error; -EAGAIN when it may not wait.
 */
static int sl_wait(struct sl_send *s, int ret)
{
	struct sock *sk = s->ss->sk;

	/* It ended early for another reason, which the next one will meet. */
	if (ret > 0 && sk_stream_memory_free(sk))
		return 0;
	sl_uncork(s);
	return sk_stream_wait_memory(sk, &s->timeo);
}

/* Nothing was sent, for the reason @err: what the plain call does then. */
static int sl_fail(struct sl_send *s, int err)
{
	struct sock *sk = s->ss->sk;

	err = sk_stream_error(sk, s->flags, err);
	/* Wake edge-triggered epoll: nothing is queued that would. */
	if (err == -EAGAIN && tcp_rtx_and_write_queues_empty(sk))
		sk->sk_write_space(sk);
	return err;
}

static int sl_send_pieces(struct sl_send *s)
{
	struct sock *sk = s->ss->sk;
	unsigned int pieces = 0;
	int sent = 0, ret;
	size_t want;

	while (msg_data_left(s->msg)) {
		/* The error is for the next call. */
		if (sent && sl_stops(sk))
			break;
		ret = sl_next_piece(s, &want);
		if (ret > 0)
			sent += ret;
		if (ret < 0 && ret != -EAGAIN) {
			if (!sent)
				return ret;
			break;
		}
		/* A piece is a skb or two: tcp_sendmsg_locked() would, too. */
		if (++pieces % 16 == 0)
			sk_flush_backlog(sk);
		if (ret == (int)want)
			continue;

		/* -EAGAIN has gone through sk_stream_error() for nothing. */
		ret = sl_wait(s, ret);
		if (ret) {
			if (!sent)
				return sl_fail(s, ret);
			break;
		}
	}
	if (!(s->flags & MSG_MORE))
		sl_uncork(s);
	return sent;
}

static noinline int sl_send_large(struct sl_sock *ss, struct sl_net *sn,
				  struct socket *sock, struct msghdr *msg,
				  size_t len)
{
	struct sl_send s = {
		.ss = ss,
		.sn = sn,
		.msg = msg,
		.flags = msg->msg_flags,
		.threshold = READ_ONCE(sn->threshold),
		.chunk = READ_ONCE(sn->chunk),
	};
	struct sock *sk = ss->sk;
	enum sl_reason why;
	int ret;

	lock_sock(sk);
	why = sl_unfit(ss, msg);
	if (why) {
		sl_fallback(&s, 0, len, why);
		release_sock(sk);
		return sl_plain_ops(sock)->sendmsg(sock, msg, len);
	}
	ss->calls++;
	SL_INC(sn, CALLS);
	sock_rps_record_flow(sk);
	s.timeo = sock_sndtimeo(sk, s.flags & MSG_DONTWAIT);
	ret = sl_send_pieces(&s);
	release_sock(sk);
	return ret;
}

/**
 * sl_sendmsg - proto_ops.sendmsg of an attached socket
 * @sock: any socket; not necessarily attached, or ours, by now
 * @msg: the caller's
 * @len: of its data, bytes
 *
 * Return: what the plain sendmsg returns.
 */
int sl_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sl_net *sn = sl_net(sock_net(sock->sk));

	if (len < READ_ONCE(sn->threshold)) {
		SL_INC(sn, SMALL_CALLS);
	} else if (user_backed_iter(&msg->msg_iter)) {
		struct sl_sock *ss = sl_find(sock->sk);

		if (ss && READ_ONCE(ss->on))
			return sl_send_large(ss, sn, sock, msg, len);
	}
	return sl_plain_ops(sock)->sendmsg(sock, msg, len);
}
