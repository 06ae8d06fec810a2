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

#include "iter.h"
#include "loan.h"
#include "ops.h"
#include "push.h"
#include "sockloan.h"
#include "trace.h"

/* Sends that mean more than "these bytes" */
#define SL_UNFIT_FLAGS	(MSG_OOB | MSG_FASTOPEN | MSG_ZEROCOPY | \
			 SL_MSG_INTERNAL)

/**
 * struct sl_batch - what is lent at a time
 * @addr: where it begins
 * @sent: so many bytes of it have been queued
 * @loan: the pages
 * @push: what is left of them
 * @bv: for @loan
 */
struct sl_batch {
	unsigned long addr;
	size_t sent;
	struct sl_loan loan;
	struct sl_push push;
	struct bio_vec bv[SL_LOAN_PAGES];
};

/**
 * struct sl_send - one send on its way
 * @ss: the socket, locked
 * @sn: its namespace
 * @msg: the caller's
 * @flags: msg->msg_flags as the caller gave them
 * @threshold: pieces of vectored sends below it are copied, bytes
 * @chunk: lend so much at a time, bytes
 * @file: net.sockloan.file
 * @adapt: the adaptive rule is on
 * @refused: the next so many bytes are not to be lent
 * @batch: what is lent
 * @queueing: not all of @batch is queued
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
	u8 file;
	u8 adapt;
	size_t refused;
	bool corked;
	long timeo;

	struct sl_batch *batch;
	bool queueing;
};

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

/* The least to lend at a time: TCP overshoots its buffer by as much */
#define SL_ROOM_MIN	65536

/* Batches end at a multiple of this: the size of most large folios, if any */
#define SL_ALIGN	65536

/* Of a batch that met a page which may not be lent, so much is copied. */
#define SL_REFUSED	65536

/* The batch is queued, or nothing more of it will be. */
static inline void sl_lent(struct sl_send *s)
{
	struct sl_batch *b = s->batch;

	s->queueing = false;
	sl_stats_loan(s->ss, s->sn, &b->loan, b->sent);
	trace_sockloan_loan(s->ss->sk, b->addr, &b->loan, b->sent);
	sl_loan_put(&b->loan, b->push.taken);
}

/*
 * Queue what is left of the batch.  When that is only a part, the rest stays lent
 * while the send waits: its references keep its content, and nothing has to be
 * looked up, protected or copied again.
 */
static int sl_queue(struct sl_send *s, size_t room, size_t *want)
{
	int flags, ret;

	*want = msg_data_left(&s->batch->push.msg);
	flags = sl_piece_flags(s, *want);
	/* Is a wait next? */
	ret = sl_push_stream(s->ss->sk, &s->batch->push, flags,
			     (flags & MSG_MORE) && *want + SL_ROOM_MIN > room);
	if (ret > 0) {
		iov_iter_advance(&s->msg->msg_iter, ret);
		s->batch->sent += ret;
	}
	if (ret == (int)*want)
		sl_lent(s);
	return ret;
}

/*
 * Lend up to @n bytes, whole pages from @addr on, which the iterator is at.
 * Return: how many; of those behind them, @s->refused are to be copied.
 */
static noinline size_t sl_lend(struct sl_send *s, unsigned long addr, size_t n)
{
	unsigned int max = n >> PAGE_SHIFT;
	struct sl_batch *b = s->batch;
	struct sl_loan *loan = &b->loan;
	size_t got;

	*loan = (struct sl_loan){
		.bv = b->bv,
		.file = s->file,
		.only_shared = s->adapt && !sl_policy_batch(s->ss, &max),
	};
	sl_loan_pages(loan, addr, max);
	if (s->adapt)
		sl_policy_note(s->ss, addr, loan);
	got = (size_t)loan->pages << PAGE_SHIFT;
	if (loan->skip)
		s->refused = (size_t)loan->skip << PAGE_SHIFT;
	else if (loan->stop)
		s->refused = min_t(size_t, n - got, SL_REFUSED);
	if (s->refused)
		sl_stats_fallback(s->ss, s->sn, addr + got, s->refused,
				  loan->stop);
	if (!got) {
		sl_stats_loan(s->ss, s->sn, loan, 0);
		return 0;
	}
	s->queueing = true;
	b->addr = addr;
	b->sent = 0;
	b->push = (struct sl_push){};
	sl_push_init(&b->push, b->bv, loan->nr, got);
	return got;
}

/*
 * Acknowledgements that came in meanwhile are looked at after so much.  That may
 * send the part of a segment that is queued last.
 */
#define SL_FLUSH	(16 * 65536)

/* Would a plain send that has sent something already stop here? */
static bool sl_stops(const struct sock *sk)
{
	return sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN) ||
	       !((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT));
}

/*
 * What is worth lending at a time: not much more than the send buffer has room
 * for, as the rest would have to be looked at again.
 */
static size_t sl_room(const struct sock *sk)
{
	return max(sk_stream_wspace(sk) & (int)PAGE_MASK, SL_ROOM_MIN);
}

static int sl_next_piece(struct sl_send *s, size_t *want)
{
	size_t left = msg_data_left(s->msg), room, len;
	struct sock *sk = s->ss->sk;
	unsigned long addr;

	room = sl_room(sk);
	if (s->queueing)
		goto queue;

	*want = min(s->refused, left);
	if (!*want)
		*want = sl_iter_run(&s->msg->msg_iter, s->threshold, &addr,
				    &len);
	if (*want)
		goto copy;

	*want = min3(len, (size_t)s->chunk, room);
	/* A folio in two batches: the first one's loan is in the way. */
	if (*want < len && *want > SL_ALIGN)
		*want -= (addr + *want) % SL_ALIGN;
	/*
	 * A full send buffer takes what goes into the last skb, which is not
	 * worth protecting pages for.
	 */
	if (!sk_stream_memory_free(sk))
		goto copy;
	if (!sl_lend(s, addr, *want)) {
		if (s->refused)
			*want = min(*want, s->refused);
		goto copy;
	}
queue:
	return sl_queue(s, room, want);
copy:
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
	size_t want, unflushed = 0;
	int sent = 0, ret;

	while (msg_data_left(s->msg)) {
		/* The error is for the next call. */
		if (sent && sl_stops(sk))
			break;
		ret = sl_next_piece(s, &want);
		if (ret > 0) {
			sent += ret;
			unflushed += ret;
		}
		if (ret < 0 && ret != -EAGAIN) {
			if (!sent)
				sent = ret;
			break;
		}
		/* As tcp_sendmsg_locked() does in one call */
		if (unflushed >= SL_FLUSH) {
			unflushed = 0;
			sk_flush_backlog(sk);
		}
		if (ret == (int)want)
			continue;

		/* -EAGAIN has gone through sk_stream_error() for nothing. */
		ret = sl_wait(s, ret);
		if (ret) {
			if (!sent)
				sent = sl_fail(s, ret);
			break;
		}
	}
	if (!(s->flags & MSG_MORE))
		sl_uncork(s);
	if (s->queueing)
		sl_lent(s);
	return sent;
}

static noinline int sl_send_large(struct sl_sock *ss, struct sl_net *sn,
				  struct socket *sock, struct msghdr *msg,
				  size_t len)
{
	struct sl_batch batch SL_UNINITIALIZED;
	struct sl_send s = {
		.ss = ss,
		.sn = sn,
		.msg = msg,
		.flags = msg->msg_flags,
		.threshold = READ_ONCE(sn->threshold),
		.chunk = READ_ONCE(sn->chunk),
		.file = READ_ONCE(sn->file),
		.adapt = READ_ONCE(sn->adapt),
		.batch = &batch,
	};
	struct sock *sk = ss->sk;
	enum sl_reason why;
	int ret;

	lock_sock(sk);
	why = sl_unfit(ss, msg);
	if (why) {
		sl_stats_fallback(ss, sn, 0, len, why);
		release_sock(sk);
		return sl_plain_sendmsg(sock, msg, len);
	}
	ss->calls++;
	SL_INC(sn, CALLS);
	sock_rps_record_flow(sk);
	if (s.adapt) {
		sl_policy_prepare(ss);
		sl_policy_call(ss);
	}
	s.timeo = sock_sndtimeo(sk, s.flags & MSG_DONTWAIT);
	ret = sl_send_pieces(&s);
	release_sock(sk);
	return ret;
}

static noinline int sl_sendmsg_large(struct socket *sock, struct msghdr *msg,
				     size_t len)
{
	struct sl_net *sn = sl_net(sock_net(sock->sk));

	if (len < READ_ONCE(sn->threshold)) {
		SL_INC(sn, SMALL_CALLS);
	} else if (user_backed_iter(&msg->msg_iter)) {
		struct sl_sock *ss = sl_find(sock->sk);

		if (ss && READ_ONCE(ss->on)) {
			if (!READ_ONCE(sn->adapt) ||
			    !sl_policy_passes(&ss->policy, &msg->msg_iter,
					      len))
				return sl_send_large(ss, sn, sock, msg, len);
			sl_stats_pass(sn, len);
		}
	}
	return sl_plain_sendmsg(sock, msg, len);
}

/**
 * sl_sendmsg - proto_ops.sendmsg of an attached stream socket
 * @sock: any socket; not necessarily attached, or ours, by now
 * @msg: the caller's
 * @len: of its data, bytes
 *
 * Return: what the plain sendmsg returns.
 */
int sl_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	/* Small ones are not even counted: it would cost them one per cent. */
	if (len < SL_THRESHOLD_MIN)
		return sl_plain_sendmsg(sock, msg, len);
	return sl_sendmsg_large(sock, msg, len);
}
