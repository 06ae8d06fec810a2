// SPDX-License-Identifier: GPL-2.0
/*
 * Lent pages into skbs, many in one call.
 *
 * TCP's own ways to take pages are do_tcp_sendpages() (up to 6.4: one page a
 * call) and MSG_SPLICE_PAGES (since 6.5: several passes over each page).  Its
 * zero-copy path has a hook of its own for filling skbs, msghdr.sg_from_iter,
 * made for io_uring, and is cheaper than both.  UDP has
 * it as well, so that a datagram is one call, corked or not.
 *
 * That path marks skbs as zero-copy, and a local receiver or a packet tap
 * copies the frags of such an skb.  Ours need not be: their pages keep their
 * content by themselves, and nobody waits for a completion.  What marks an skb
 * are the flags of the ubuf_info.  Without SKBFL_ZEROCOPY_ENABLE skb_zcopy()
 * finds none, so no one completes, orphans or copies, and no one reads the
 * pointer to our stack that stays in destructor_arg.
 *
 * SKBFL_SHARED_FRAG has to be there: without it a receiving ESP would decrypt in
 * place, in the program's page.
 */
#include <linux/bvec.h>
#include <net/tcp.h>

#include "loan.h"
#include "push.h"
#include "sockloan.h"

/*
 * When the frags of @skb will be full with the next @slots ones, or nearly, and
 * more is to come: as many bytes as make whole segments.  An skb that ends within
 * one costs a small segment in the middle of a train.
 */
static size_t sl_sg_whole(const struct sk_buff *skb, const struct iov_iter *from,
			  size_t length, unsigned int slots, unsigned int mss)
{
	size_t room = 0, rest;
	unsigned int i;

	for (i = 0; i < slots && i < from->nr_segs; i++)
		room += from->bvec[i].bv_len;
	room -= min(room, from->iov_offset);
	if (room > length || !mss)
		return length;
	rest = (skb->len + room) % mss;
	/* Less than a segment behind whole ones: that is for the next skb. */
	if (rest > room || (rest == room && !skb->len))
		return room;
	return room - rest;
}

/*
 * Add as many pages of the array to @skb as go in.  An element's reference goes
 * to the frag that takes the last of it.
 */
static int sl_sg_from_iter(SL_SG_PARAMS)
{
	struct sl_push *push = container_of(from, struct sl_push, msg.msg_iter);
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	const struct bio_vec *bv = from->bvec;
	size_t done = 0, off = from->iov_offset;
	unsigned int frag = shinfo->nr_frags;

	/*
	 * An earlier call has copied, for want of NETIF_F_SG: TCP looks at the
	 * route anew with each call, and routes change.  No skb has the
	 * references of what it went past.
	 */
	while (push->bv + push->taken < bv)
		put_page(push->bv[push->taken++].bv_page);

	length = min(length, iov_iter_count(from));
	if (frag >= MAX_SKB_FRAGS)
		return -EMSGSIZE;
	if (from->nr_segs + push->keep > MAX_SKB_FRAGS - frag)
		length = sl_sg_whole(skb, from, length, MAX_SKB_FRAGS - frag,
				     push->mss);
	while (done < length && frag < MAX_SKB_FRAGS) {
		size_t size = min(length - done, bv->bv_len - off);

		__skb_fill_page_desc_noacc(shinfo, frag++, bv->bv_page,
					   bv->bv_offset + off, size);
		done += size;
		off += size;
		if (off < bv->bv_len) {
			get_page(bv->bv_page);
			break;
		}
		off = 0;
		bv++;
		push->taken++;
	}
	/* TCP goes on with a new skb. */
	if (!done)
		return -EMSGSIZE;

	shinfo->nr_frags = frag;
	from->nr_segs -= bv - from->bvec;
	from->bvec = bv;
	from->iov_offset = off;
	from->count -= done;

	skb->data_len += done;
	skb->len += done;
	/*
	 * Of a page only what is in this skb: TCP has made sure of so much
	 * memory, not of more, and the rest is in the next skb.
	 */
	skb->truesize += done;
	sl_sg_charge(skb, done);
	return 0;
}

static const struct ubuf_info sl_ubuf = {
	SL_UBUF_INIT,
	.flags = SKBFL_SHARED_FRAG,
};

/**
 * sl_push_init - a message of pages
 * @push: what to fill in; @push->msg but for what is about pages is the caller's
 * @bv: the pages, a reference on each element
 * @nr: how many elements
 * @len: of the data, bytes
 *
 * After the protocol's sendmsg was called with @push->msg, the references of
 * @push->taken elements are no longer the caller's.  0: it has copied.
 */
void sl_push_init(struct sl_push *push, struct bio_vec *bv, unsigned int nr,
		  size_t len)
{
	push->uarg = sl_ubuf;
	refcount_set(&push->uarg.refcnt, 1);
	push->bv = bv;
	push->taken = 0;
	push->msg.msg_flags |= MSG_ZEROCOPY;
	push->msg.msg_ubuf = &push->uarg;
	push->msg.sg_from_iter = sl_sg_from_iter;
	iov_iter_bvec(&push->msg.msg_iter, ITER_SOURCE, bv, nr, len);
}

/* Segments as large as a batch or nearly so are not worth splitting one for. */
#define SL_MSS_MAX	16384

/* Of @len bytes behind what is queued already: how many make no whole segment */
static size_t sl_over(const struct sock *sk, size_t len, unsigned int mss)
{
	const struct sk_buff *tail = tcp_write_queue_tail(sk);
	size_t over;

	if (mss > SL_MSS_MAX)
		return 0;
	over = ((tail ? tail->len : 0) + len) % mss;
	return over < len ? over : 0;
}

/*
 * Whole segments with hardly a frag left: nothing else goes in.  A copy would take
 * the last frag and end the skb within a segment.
 */
static void sl_close_tail(struct sock *sk, unsigned int keep, unsigned int mss)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (skb && skb_shinfo(skb)->nr_frags + keep > MAX_SKB_FRAGS &&
	    skb->len % mss == 0)
		TCP_SKB_CB(skb)->eor = 1;
}

/**
 * sl_push_stream - append pages to a TCP socket's write queue
 * @sk: the socket, locked; its route does scatter-gather
 * @push: the pages, or those that are left of them
 * @flags: of sendmsg, MSG_DONTWAIT among them
 * @whole: end with a whole segment: what is left of one would be sent before more
 *	is queued
 *
 * Return: the number of bytes queued, or what tcp_sendmsg_locked() returns.
 */
int sl_push_stream(struct sock *sk, struct sl_push *push, int flags, bool whole)
{
	size_t left = msg_data_left(&push->msg), len = left;
	unsigned int keep;
	int ret;

	push->mss = tcp_sk(sk)->mss_cache;
	/* A copy, and the pages behind it that make up a segment */
	keep = 1 + DIV_ROUND_UP(push->mss, PAGE_SIZE);
	push->keep = flags & MSG_MORE ? keep : 0;
	push->msg.msg_flags = flags | MSG_ZEROCOPY;
	if (whole)
		len -= sl_over(sk, len, push->mss);
	iov_iter_truncate(&push->msg.msg_iter, len);
	ret = tcp_sendmsg_locked(sk, &push->msg, len);
	iov_iter_reexpand(&push->msg.msg_iter,
			  msg_data_left(&push->msg) + left - len);
	if ((flags & MSG_MORE) || ret != (int)len)
		sl_close_tail(sk, keep, push->mss);
	return ret;
}

/*
 * Drop the references of a batch from element @from on; the protocol took those
 * before it over.
 */
void sl_loan_put(struct sl_loan *loan, unsigned int from)
{
	unsigned int i;

	for (i = from; i < loan->nr; i++)
		put_page(loan->bv[i].bv_page);
}
