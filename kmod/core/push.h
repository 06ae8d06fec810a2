/* SPDX-License-Identifier: GPL-2.0 */
/* Lent pages into skbs. */
#ifndef _SL_PUSH_H
#define _SL_PUSH_H

#include <linux/skbuff.h>
#include <linux/socket.h>

struct bio_vec;
struct sl_loan;

/**
 * struct sl_push - a message whose data is pages
 * @msg: for sendmsg; the iterator in it leads back here
 * @uarg: marks the skbs' frags as shared, and nothing else
 * @mss: segment size of a stream, bytes; 0 for a datagram
 * @keep: frags of the last skb that what follows in the same train may need
 * @bv: the first element of the iterator, whatever it has come to
 * @taken: elements whose references went to skbs, or were put behind a copy
 */
struct sl_push {
	struct msghdr msg;
	struct ubuf_info uarg;
	unsigned int mss;
	unsigned int keep;
	const struct bio_vec *bv;
	unsigned int taken;
};

void sl_push_init(struct sl_push *push, struct bio_vec *bv, unsigned int nr,
		  size_t len);
void sl_loan_put(struct sl_loan *loan, unsigned int from);
int sl_push_stream(struct sock *sk, struct sl_push *push, int flags, bool whole);

#endif /* _SL_PUSH_H */
