// SPDX-License-Identifier: GPL-2.0
/*
 * Where the bytes of a receive queue lie, and which of them may be mapped.
 *
 * tcp_recv_skb() frees all that comes before the sequence number that it is asked
 * for; here the queue is walked without it.
 */
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <net/tcp.h>

#include "compat.h"
#include "cursor.h"
#include "pool.h"

/* From skb to skb until one has the byte @c->seq */
static void sl_cursor_find(struct sl_cursor *c, const struct sk_buff *skb)
{
	c->frag = 0;
	c->skb = NULL;
	for (; skb != (const struct sk_buff *)c->queue; skb = skb->next) {
		u32 off = c->seq - TCP_SKB_CB(skb)->seq;

		/* A hole cannot be; what is behind one would be wrong. */
		if (before(c->seq, TCP_SKB_CB(skb)->seq))
			return;
		if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN)
			off--;
		if (off >= skb->len)
			continue;
		if (!sl_skb_readable(skb))
			return;
		c->skb = skb;
		c->off = off;
		c->start = skb_headlen(skb);
		return;
	}
}

/**
 * sl_cursor_stream - begin at a sequence number
 * @c: the cursor
 * @sk: a TCP socket, locked for as long as the cursor is used
 * @seq: the sequence number
 */
void sl_cursor_stream(struct sl_cursor *c, const struct sock *sk, u32 seq)
{
	c->queue = &sk->sk_receive_queue;
	c->seq = seq;
	sl_cursor_find(c, c->queue->next);
}

/* Begin at the beginning of a datagram that the caller has a reference on. */
void sl_cursor_dgram(struct sl_cursor *c, const struct sk_buff *skb)
{
	*c = (struct sl_cursor){
		.skb = skb->len && sl_skb_readable(skb) ? skb : NULL,
		.start = skb_headlen(skb),
	};
}

/**
 * sl_cursor_piece - memory in one piece
 * @c: the cursor, not at the end
 * @page: out: the page that it begins in, or NULL when it is not in a frag
 * @off: out: where in that page
 *
 * Return: its length, bytes.
 */
u32 sl_cursor_piece(struct sl_cursor *c, struct page **page, u32 *off)
{
	const struct skb_shared_info *shinfo = skb_shinfo(c->skb);
	u32 head = skb_headlen(c->skb);

	*page = NULL;
	if (c->off < head)
		return head - c->off;
	while (c->frag < shinfo->nr_frags) {
		const skb_frag_t *frag = &shinfo->frags[c->frag];
		u32 in = c->off - c->start;

		if (in < skb_frag_size(frag)) {
			in += skb_frag_off(frag);
			*page = skb_frag_page(frag) + (in >> PAGE_SHIFT);
			*off = in & ~PAGE_MASK;
			return c->start + skb_frag_size(frag) - c->off;
		}
		c->start += skb_frag_size(frag);
		c->frag++;
	}
	/* A list of skbs */
	return c->skb->len - c->off;
}

/* Go on by @n bytes, which are in the same skb. */
void sl_cursor_advance(struct sl_cursor *c, u32 n)
{
	c->off += n;
	c->seq += n;
	if (c->off < c->skb->len)
		return;
	if (c->queue)
		sl_cursor_find(c, c->skb->next);
	else
		c->skb = NULL;
}

/*
 * Lent: nobody has it writable, and a write fault copies it while we have a
 * reference.  One that a program gave to vmsplice() may be exclusive, and written
 * to at any time.
 *
 * The flag is gone while such a page is unmapped for swap or for migration: the
 * marker that makes it writable again is in the page table meanwhile.  Either
 * begins with the page's lock held; migration ends with it, and what is on its
 * way to swap or back is in the swap cache, which our reference keeps it in.  Not
 * exclusive under the lock, and not in there: nothing makes it exclusive again
 * before its references are gone.
 *
 * A huge page's first one speaks for all while a pmd maps it; look there first,
 * because a split of the pmd hands its flag on to the others.
 */
static bool sl_lent(struct page *page, struct folio *folio)
{
	bool lent;

	if (PageAnonExclusive(&folio->page) || !folio_trylock(folio))
		return false;
	lent = !folio_test_swapcache(folio) &&
	       !PageAnonExclusive(&folio->page) && !PageAnonExclusive(page);
	folio_unlock(folio);
	return lent;
}

/*
 * May another process see this page, all of it, for as long as it has a reference?
 * Its bytes were all sent to this socket; nobody may change them any more.
 * @spliced: it is in an skb with pages that were not the network's
 */
static bool sl_may_map(struct page *page, bool spliced)
{
	struct folio *folio;

	if (is_zero_pfn(page_to_pfn(page)))
		return true;
	if (PageReserved(page) || is_zone_device_page(page) ||
	    PageHWPoison(page))
		return false;
	folio = page_folio(page);
	if (folio_test_slab(folio) || folio_test_hugetlb(folio))
		return false;
	if (folio_test_anon(folio))
		return sl_lent(page, folio);
	/* In a file, or not long ago: others may have it mapped or pinned. */
	if (folio->mapping || folio_test_lru(folio) ||
	    folio_test_swapbacked(folio))
		return false;
	/*
	 * A ring of io_uring or of a packet socket, say, which its program can
	 * write to; when it is not mapped now, it may be again later.
	 */
	if (spliced || folio_mapped(folio) || folio_memcg_kmem(folio))
		return false;
	/* A pool's buffer stays writable for its owner. */
	return page_private(&folio->page) != SL_POOL_MARK;
}

/*
 * The page that the next bytes fill, or NULL.  Segments are cut anywhere, so that
 * one page may be in two frags or two skbs.
 */
static struct page *sl_cursor_page(struct sl_cursor *c)
{
	struct page *first = NULL, *page;
	u32 have = 0, off = 0, len;
	bool spliced = false;

	do {
		if (!c->skb)
			return NULL;
		spliced = spliced || skb_has_shared_frag(c->skb);
		len = sl_cursor_piece(c, &page, &off);
		if (!page || off != have || (first && page != first))
			return NULL;
		first = page;
		len = min_t(u32, len, PAGE_SIZE - have);
		have += len;
		sl_cursor_advance(c, len);
	} while (have < PAGE_SIZE);
	return sl_may_map(first, spliced) ? first : NULL;
}

/**
 * sl_cursor_pages - go over whole pages that may be mapped
 * @c: the cursor
 * @limit: go on by no more than this, bytes
 * @page: out: the pages, a reference on each
 * @max: room there
 *
 * Return: how many there are.
 */
u32 sl_cursor_pages(struct sl_cursor *c, u32 limit, struct page **page, u32 max)
{
	u32 n;

	for (n = 0; n < max && (n + 1) * PAGE_SIZE <= limit; n++) {
		struct sl_cursor next = *c;

		page[n] = sl_cursor_page(&next);
		if (!page[n] || !try_get_page(page[n]))
			break;
		*c = next;
	}
	return n;
}

/**
 * sl_cursor_rest - how much comes before the next page that may be mapped
 * @at: the cursor, not at such a page
 * @limit: at most, bytes
 */
u32 sl_cursor_rest(const struct sl_cursor *at, u32 limit)
{
	struct sl_cursor c = *at;
	struct page *page;
	u32 n = 0, off;

	while (c.skb && n < limit) {
		u32 len = sl_cursor_piece(&c, &page, &off);

		if (page) {
			struct sl_cursor next = c;

			if (n && !off && limit - n >= PAGE_SIZE &&
			    sl_cursor_page(&next))
				break;
			len = min_t(u32, len, PAGE_SIZE - off);
		}
		len = min(len, limit - n);
		sl_cursor_advance(&c, len);
		n += len;
	}
	return n;
}

/* Copy the next @n bytes, which are there. */
int sl_cursor_copy(struct sl_cursor *c, void *to, u32 n)
{
	while (n) {
		u32 len = min(n, c->skb->len - c->off);
		int err = skb_copy_bits(c->skb, c->off, to, len);

		if (err)
			return err;
		sl_cursor_advance(c, len);
		to += len;
		n -= len;
	}
	return 0;
}
