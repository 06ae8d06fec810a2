// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram, from the system call to the skb.
 *
 * One datagram is one call of the plain sendmsg, which gets the data as an array
 * of pages: lent ones, and copies of what lies between.  Whatever the call says
 * of addresses, routes, control messages or corking is none of our business,
 * and comes out as ever.
 *
 * Whether pages become frags is for the route to say: not when the datagram is
 * fragmented or appended to, nor without checksum offload.  Then IP copies from
 * the pages, and the next few datagrams are not lent.
 *
 * There is no socket lock: several threads may be sending.
 */
#include <linux/net.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/udp.h>

#include "iter.h"
#include "loan.h"
#include "ops.h"
#include "push.h"
#include "sockloan.h"
#include "trace.h"

/* Larger ones get EMSGSIZE. */
#define SL_DGRAM_MAX	65535
/* With more to copy between the lent pages, the plain way is cheaper. */
#define SL_DGRAM_COPY	16384
/* Datagrams copied for the route's sake before the next try: 2 to the ... */
#define SL_REFUSALS_MAX	6

#define SL_UNFIT_FLAGS	(MSG_OOB | MSG_ZEROCOPY | SL_MSG_INTERNAL)

/**
 * struct sl_dgram - a datagram on its way
 * @ss: the socket
 * @file: net.sockloan.file
 * @adapt: the adaptive rule is on
 * @threshold: smaller pieces are copied, bytes
 * @iter: what is left of the caller's data
 * @nr: elements of @bv
 * @copied: bytes of them that are copies
 * @addr: where the first lent page is
 * @sum: of all loans, but for the pages themselves
 * @bv: the datagram
 */
struct sl_dgram {
	struct sl_sock *ss;
	u8 file;
	u8 adapt;
	unsigned int threshold;
	struct iov_iter iter;
	unsigned int nr;
	size_t copied;
	unsigned long addr;
	struct sl_loan sum;
	struct bio_vec *bv;
};

/* Is there a reason to leave the whole call to the plain sendmsg? */
static enum sl_reason sl_udp_unfit(struct sl_sock *ss, const struct msghdr *msg)
{
	struct sock *sk = ss->sk;

	if (READ_ONCE(sk->sk_prot) != ss->prot)
		return SL_FB_PROTO;
	if ((msg->msg_flags & SL_UNFIT_FLAGS) || msg->msg_ubuf)
		return SL_FB_FLAGS;
	/* Appended to a datagram, data is always copied. */
	if ((msg->msg_flags & MSG_MORE) || sl_udp_corked(sk))
		return SL_FB_ROUTE;
	if (READ_ONCE(ss->wait)) {
		spin_lock(&ss->lock);
		if (ss->wait)
			ss->wait--;
		spin_unlock(&ss->lock);
		return SL_FB_ROUTE;
	}
	return SL_FB_NONE;
}

/* Add a copy of the next @n bytes. */
static enum sl_reason sl_dgram_copy(struct sl_dgram *d, size_t n)
{
	struct page_frag *pfrag = &current->task_frag;

	d->copied += n;
	if (d->copied > SL_DGRAM_COPY)
		return SL_FB_FRAGS;
	while (n) {
		size_t size;

		if (d->nr == MAX_SKB_FRAGS)
			return SL_FB_FRAGS;
		if (!skb_page_frag_refill(n, pfrag, GFP_KERNEL))
			return SL_FB_NOMEM;
		size = min_t(size_t, n, pfrag->size - pfrag->offset);
		/* The plain call gives the error. */
		if (copy_from_iter(page_address(pfrag->page) + pfrag->offset,
				   size, &d->iter) != size)
			return SL_FB_VMA;
		get_page(pfrag->page);
		bvec_set_page(&d->bv[d->nr++], pfrag->page, size,
			      pfrag->offset);
		pfrag->offset += size;
		n -= size;
	}
	return SL_FB_NONE;
}

static void sl_dgram_sum(struct sl_loan *sum, const struct sl_loan *loan)
{
	sum->pages += loan->pages;
	sum->protected += loan->protected;
	sum->shared += loan->shared;
	sum->zero += loan->zero;
	sum->huge += loan->huge;
	sum->files += loan->files;
	sum->fault_ins += loan->fault_ins;
	sum->flushes += loan->flushes;
}

/* Add a run of whole pages, @len bytes at @addr, or the first of them. */
static enum sl_reason sl_dgram_lend(struct sl_dgram *d, unsigned long addr,
				    size_t len)
{
	struct sl_loan loan = { .bv = d->bv + d->nr, .file = d->file };
	unsigned int max = len >> PAGE_SHIFT;
	struct sl_sock *ss = d->ss;

	if (max > MAX_SKB_FRAGS - d->nr)
		return SL_FB_FRAGS;
	if (d->adapt) {
		spin_lock(&ss->lock);
		loan.only_shared = !sl_policy_batch(ss, &max);
		spin_unlock(&ss->lock);
	}
	sl_loan_pages(&loan, addr, max);
	if (d->adapt) {
		spin_lock(&ss->lock);
		sl_policy_note(ss, addr, &loan);
		spin_unlock(&ss->lock);
	}
	if (!d->sum.pages)
		d->addr = addr;
	sl_dgram_sum(&d->sum, &loan);
	d->nr += loan.nr;
	iov_iter_advance(&d->iter, (size_t)loan.pages << PAGE_SHIFT);
	if (loan.skip && d->copied + loan.skip * PAGE_SIZE <= SL_DGRAM_COPY)
		return sl_dgram_copy(d, loan.skip * PAGE_SIZE);
	/* It stopped where something else begins, which comes next. */
	if (loan.stop == SL_FB_ADAPT && loan.pages)
		return SL_FB_NONE;
	return loan.stop;
}

static enum sl_reason sl_dgram_build(struct sl_dgram *d)
{
	enum sl_reason why = SL_FB_NONE;
	unsigned long addr;
	size_t copy, len;

	while (!why && iov_iter_count(&d->iter)) {
		copy = sl_iter_run(&d->iter, d->threshold, &addr, &len);
		if (copy)
			why = sl_dgram_copy(d, copy);
		else
			why = sl_dgram_lend(d, addr, len);
	}
	return why;
}

static void sl_dgram_put(struct sl_dgram *d, unsigned int from)
{
	unsigned int i;

	for (i = from; i < d->nr; i++)
		put_page(d->bv[i].bv_page);
}

/* It went out, @ret bytes; were the pages taken? */
static void sl_dgram_count(struct sl_dgram *d, struct sl_net *sn, int ret,
			   bool taken)
{
	size_t lent = taken && ret > 0 ? ret - d->copied : 0;
	struct sl_sock *ss = d->ss;

	spin_lock(&ss->lock);
	sl_stats_loan(ss, sn, &d->sum, lent);
	if (ret > 0) {
		ss->bytes_copied += ret - lent;
		SL_ADD(sn, BYTES_COPIED, ret - lent);
	}
	if (taken) {
		ss->refusals = 0;
	} else if (ret > 0) {
		ss->refusals = min(ss->refusals + 1, SL_REFUSALS_MAX);
		WRITE_ONCE(ss->wait, 1 << ss->refusals);
		sl_stats_fallback(ss, sn, d->addr, ret, SL_FB_ROUTE);
	}
	spin_unlock(&ss->lock);
	trace_sockloan_loan(ss->sk, d->addr, &d->sum, lent);
}

/* There is nothing in it that could be lent. */
static int sl_dgram_copied(struct sl_sock *ss, struct sl_net *sn,
			   struct socket *sock, struct msghdr *msg, size_t len)
{
	int ret = sl_plain_sendmsg(sock, msg, len);

	SL_INC(sn, CALLS);
	spin_lock(&ss->lock);
	ss->calls++;
	if (ret > 0) {
		ss->bytes_copied += ret;
		SL_ADD(sn, BYTES_COPIED, ret);
	}
	spin_unlock(&ss->lock);
	return ret;
}

static int sl_dgram_plain(struct sl_dgram *d, struct sl_net *sn,
			  struct socket *sock, struct msghdr *msg, size_t len,
			  enum sl_reason why)
{
	struct sl_sock *ss = d->ss;
	int ret;

	ret = sl_plain_sendmsg(sock, msg, len);
	spin_lock(&ss->lock);
	sl_stats_loan(ss, sn, &d->sum, 0);
	sl_stats_fallback(ss, sn, d->addr, len, why);
	if (ret > 0) {
		ss->bytes_copied += ret;
		SL_ADD(sn, BYTES_COPIED, ret);
	}
	spin_unlock(&ss->lock);
	return ret;
}

static noinline int sl_send_dgram(struct sl_sock *ss, struct sl_net *sn,
				  struct socket *sock, struct msghdr *msg,
				  size_t len)
{
	struct bio_vec bv[MAX_SKB_FRAGS] SL_UNINITIALIZED;
	struct sl_dgram d = {
		.ss = ss,
		.file = READ_ONCE(sn->file),
		.adapt = READ_ONCE(sn->adapt),
		.threshold = READ_ONCE(sn->threshold),
		.iter = msg->msg_iter,
		.bv = bv,
	};
	struct sl_push push = { .msg = *msg };
	enum sl_reason why;
	int ret;

	if (d.adapt)
		sl_policy_prepare(ss);
	spin_lock(&ss->lock);
	ss->calls++;
	if (d.adapt)
		sl_policy_call(ss);
	spin_unlock(&ss->lock);
	SL_INC(sn, CALLS);

	why = sl_udp_unfit(ss, msg);
	if (!why)
		why = sl_dgram_build(&d);
	if (why) {
		sl_dgram_put(&d, 0);
		return sl_dgram_plain(&d, sn, sock, msg, len, why);
	}
	sl_push_init(&push, bv, d.nr, len);
	ret = sl_plain_sendmsg(sock, &push.msg, len);
	sl_dgram_put(&d, push.taken);
	if (ret > 0)
		iov_iter_advance(&msg->msg_iter, ret);
	sl_dgram_count(&d, sn, ret, push.taken);
	return ret;
}

static noinline int sl_udp_large(struct socket *sock, struct msghdr *msg,
				 size_t len)
{
	struct sl_net *sn = sl_net(sock_net(sock->sk));
	unsigned int threshold = READ_ONCE(sn->threshold);
	struct sl_sock *ss;
	unsigned long addr;
	size_t run;

	if (len < threshold) {
		SL_INC(sn, SMALL_CALLS);
		goto plain;
	}
	if (len > SL_DGRAM_MAX || !user_backed_iter(&msg->msg_iter))
		goto plain;
	ss = sl_find(sock->sk);
	if (!ss || !READ_ONCE(ss->on))
		goto plain;
	if (READ_ONCE(sn->adapt) &&
	    sl_policy_passes(&ss->policy, &msg->msg_iter, len)) {
		sl_stats_pass(sn, len);
		goto plain;
	}
	if (sl_iter_run(&msg->msg_iter, threshold, &addr, &run) == len)
		return sl_dgram_copied(ss, sn, sock, msg, len);
	return sl_send_dgram(ss, sn, sock, msg, len);
plain:
	return sl_plain_sendmsg(sock, msg, len);
}

/**
 * sl_udp_sendmsg - proto_ops.sendmsg of an attached datagram socket
 * @sock: any socket; not necessarily attached, or ours, by now
 * @msg: the caller's
 * @len: of its data, bytes
 *
 * Return: what the plain sendmsg returns.
 */
int sl_udp_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	if (len < SL_THRESHOLD_MIN)
		return sl_plain_sendmsg(sock, msg, len);
	return sl_udp_large(sock, msg, len);
}
