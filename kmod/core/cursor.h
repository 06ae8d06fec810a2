/* SPDX-License-Identifier: GPL-2.0 */
/* Where the bytes of a receive queue lie. */
#ifndef _SL_CURSOR_H
#define _SL_CURSOR_H

#include <linux/skbuff.h>

/**
 * struct sl_cursor - a place in received data
 * @queue: of a stream; NULL: in one datagram
 * @skb: where it is, or NULL: at the end
 * @seq: of a stream: sequence number
 * @off: in @skb, bytes
 * @frag: the frag that @off is in, or one before it
 * @start: where that begins in @skb, bytes
 */
struct sl_cursor {
	const struct sk_buff_head *queue;
	const struct sk_buff *skb;
	u32 seq;
	u32 off;
	u32 frag;
	u32 start;
};

void sl_cursor_stream(struct sl_cursor *c, const struct sock *sk, u32 seq);
void sl_cursor_dgram(struct sl_cursor *c, const struct sk_buff *skb);
u32 sl_cursor_piece(struct sl_cursor *c, struct page **page, u32 *off);
void sl_cursor_advance(struct sl_cursor *c, u32 n);
u32 sl_cursor_pages(struct sl_cursor *c, u32 limit, struct page **page,
		    u32 max);
u32 sl_cursor_rest(const struct sl_cursor *c, u32 limit);
int sl_cursor_copy(struct sl_cursor *c, void *to, u32 n);

#endif /* _SL_CURSOR_H */
