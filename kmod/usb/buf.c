// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that transfers are received in.  Every page has a reference count of
 * its own, also where they are one piece of memory: frames take them.
 */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/mm.h>

#include "buf.h"

static size_t buf_bytes(const struct sl_rndis_buf *buf)
{
	return (size_t)buf->pages * PAGE_SIZE;
}

/*
 * Several megabytes may be free without such a piece among them.  It is not
 * worth reclaiming memory for: frames are copied then.
 */
static void *alloc_linear(const struct sl_rndis_buf *buf, gfp_t gfp)
{
	return alloc_pages_exact(buf_bytes(buf), gfp | __GFP_NOWARN | __GFP_NORETRY);
}

static void set_linear(struct sl_rndis_buf *buf, void *linear)
{
	unsigned int i;

	buf->linear = linear;
	for (i = 0; i < buf->pages; i++)
		buf->page[i] = virt_to_page(linear + i * PAGE_SIZE);
}

static void set_sg(struct sl_rndis_buf *buf, unsigned int i)
{
	u32 offset = i ? 0 : SL_RNDIS_START;
	u32 left = SL_RNDIS_START + buf->size - i * PAGE_SIZE;

	sg_set_page(&buf->sg[i], buf->page[i], min_t(u32, left, PAGE_SIZE) - offset, offset);
}

/**
 * sl_rndis_buf_alloc() - make a buffer
 * @buf: zeroed
 * @size: bytes that it is to take, SL_RNDIS_XFER_LARGE at most
 * @linear: it must be one piece of memory: @buf->linear + SL_RNDIS_START is where
 *	a transfer goes.  Otherwise @buf->sg, of @buf->pages entries, says where.
 * @gfp: how to allocate
 *
 * Return: 0, -EINVAL for a size out of range, -ENOMEM.
 */
int sl_rndis_buf_alloc(struct sl_rndis_buf *buf, u32 size, bool linear, gfp_t gfp)
{
	unsigned int i;
	void *memory;

	if (!size || size > SL_RNDIS_XFER_LARGE)
		return -EINVAL;
	buf->size = size;
	buf->pages = DIV_ROUND_UP(SL_RNDIS_START + size, PAGE_SIZE);
	if (linear) {
		memory = alloc_linear(buf, gfp);
		if (!memory)
			return -ENOMEM;
		set_linear(buf, memory);
		return 0;
	}

	sg_init_table(buf->sg, buf->pages);
	for (i = 0; i < buf->pages; i++) {
		buf->page[i] = alloc_page(gfp);
		if (!buf->page[i]) {
			sl_rndis_buf_free(buf);
			return -ENOMEM;
		}
		set_sg(buf, i);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(sl_rndis_buf_alloc);

/**
 * sl_rndis_buf_free() - free a buffer that no transfer can come to any more
 * @buf: made by sl_rndis_buf_alloc(), or zeroed
 */
void sl_rndis_buf_free(struct sl_rndis_buf *buf)
{
	unsigned int i;

	for (i = 0; i < buf->pages; i++) {
		if (buf->page[i])
			__free_page(buf->page[i]);
		buf->page[i] = NULL;
	}
	if (buf->next)
		free_pages_exact(buf->next, buf_bytes(buf));
	buf->next = NULL;
	buf->linear = NULL;
	buf->pages = 0;
}
EXPORT_SYMBOL_GPL(sl_rndis_buf_free);

/* Whether frames may have pages of this transfer: false when none can replace them. */
bool sl_rndis_buf_ready(struct sl_rndis_buf *buf)
{
	if (buf->linear && !buf->next)
		buf->next = alloc_linear(buf, GFP_ATOMIC);
	return !buf->linear || buf->next;
}

/* Puts new pages where frames have taken the old ones. */
void sl_rndis_buf_settle(struct sl_rndis_buf *buf)
{
	unsigned int i;

	if (bitmap_empty(buf->taken, SL_RNDIS_PAGES))
		return;
	if (buf->linear) {
		for (i = 0; i < buf->pages; i++)
			put_page(buf->page[i]);
		set_linear(buf, buf->next);
		buf->next = NULL;
	} else {
		for_each_set_bit(i, buf->taken, SL_RNDIS_PAGES) {
			put_page(buf->page[i]);
			buf->page[i] = buf->fresh[i];
			buf->fresh[i] = NULL;
			set_sg(buf, i);
		}
	}
	bitmap_zero(buf->taken, SL_RNDIS_PAGES);
}

/* Copies from a transfer; the caller has checked that it is that long. */
void sl_rndis_buf_copy(const struct sl_rndis_buf *buf, u32 from, void *to, u32 len)
{
	u32 at = SL_RNDIS_START + from, n;

	if (buf->linear) {
		memcpy(to, buf->linear + at, len);
		return;
	}
	while (len) {
		n = min_t(u32, len, PAGE_SIZE - offset_in_page(at));
		memcpy(to, page_address(buf->page[at / PAGE_SIZE]) + offset_in_page(at), n);
		to += n;
		at += n;
		len -= n;
	}
}

/*
 * A reference for a frame.  The buffer keeps its own until the transfer is taken
 * apart: a frame may be gone before the next one wants a part of the same page.
 * After that it has another page: one never comes back while somebody looks at it.
 */
static struct page *take(struct sl_rndis_buf *buf, unsigned int i)
{
	if (!buf->linear && !test_bit(i, buf->taken)) {
		buf->fresh[i] = dev_alloc_page();
		if (!buf->fresh[i])
			return NULL;
	}
	__set_bit(i, buf->taken);
	get_page(buf->page[i]);
	return buf->page[i];
}

/*
 * Appends len bytes of a transfer to a frame, as pages.  On failure (-ENOMEM,
 * -EMSGSIZE) the frame has some of them and is to be freed.
 */
int sl_rndis_buf_give(struct sl_rndis_buf *buf, u32 from, u32 len, struct sk_buff *skb)
{
	u32 at = SL_RNDIS_START + from, n;
	struct page *page;
	bool first;

	while (len) {
		if (skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS)
			return -EMSGSIZE;
		n = min_t(u32, len, PAGE_SIZE - offset_in_page(at));
		first = !test_bit(at / PAGE_SIZE, buf->taken);
		page = take(buf, at / PAGE_SIZE);
		if (!page)
			return -ENOMEM;
		/* A page counts once, with the first frame in it. */
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, offset_in_page(at), n,
				first ? PAGE_SIZE : n);
		at += n;
		len -= n;
	}
	return 0;
}

/* The same with a copy, when the buffer's own pages cannot be replaced. */
int sl_rndis_buf_copy_pages(const struct sl_rndis_buf *buf, u32 from, u32 len,
			    struct sk_buff *skb)
{
	struct page *page;
	u32 n;

	for (; len; from += n, len -= n) {
		if (skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS)
			return -EMSGSIZE;
		n = min_t(u32, len, PAGE_SIZE);
		page = dev_alloc_page();
		if (!page)
			return -ENOMEM;
		sl_rndis_buf_copy(buf, from, page_address(page), n);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, n, PAGE_SIZE);
	}
	return 0;
}
