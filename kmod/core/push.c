// SPDX-License-Identifier: GPL-2.0
/*
 * Lent pages into a TCP write queue, many in one call.
 *
 * TCP's own ways to take pages are do_tcp_sendpages() (up to 6.4: one page a
 * call) and MSG_SPLICE_PAGES (since 6.5: several passes over each page).  Its
 * zero-copy path has a hook of its own for filling skbs, msghdr.sg_from_iter,
 * made for io_uring, and is cheaper than both.
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

#include "sockloan.h"

/* Add as many pages of the array to @skb as go in. */
static int sl_sg_from_iter(SL_SG_PARAMS)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	const struct bio_vec *bv = from->bvec;
	size_t done = 0, off = from->iov_offset;
	int frag = shinfo->nr_frags;

	length = min(length, iov_iter_count(from));
	while (done < length && frag < MAX_SKB_FRAGS) {
		size_t size = min(length - done, bv->bv_len - off);

		get_page(bv->bv_page);
		__skb_fill_page_desc_noacc(shinfo, frag++, bv->bv_page,
					   bv->bv_offset + off, size);
		done += size;
		off += size;
		if (off == bv->bv_len) {
			off = 0;
			bv++;
		}
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

/**
 * sl_push_pages - append pages to a TCP socket's write queue
 * @sk: the socket, locked; its route does scatter-gather
 * @bv: whole pages, a reference held on each; the caller keeps those
 * @nr: how many
 * @flags: of sendmsg, MSG_DONTWAIT among them
 *
 * Return: the number of bytes queued, or what tcp_sendmsg_locked() returns.
 */
int sl_push_pages(struct sock *sk, struct bio_vec *bv, unsigned int nr,
		  int flags)
{
	size_t len = (size_t)nr << PAGE_SHIFT;
	struct ubuf_info uarg = {
		SL_UBUF_INIT,
		.refcnt = REFCOUNT_INIT(1),
		.flags = SKBFL_SHARED_FRAG,
	};
	struct msghdr msg = {
		.msg_flags = flags | MSG_ZEROCOPY,
		.msg_ubuf = &uarg,
		.sg_from_iter = sl_sg_from_iter,
	};

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, nr, len);
	return tcp_sendmsg_locked(sk, &msg, len);
}
