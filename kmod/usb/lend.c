// SPDX-License-Identifier: GPL-2.0
/*
 * A frame as a transfer of its own, sent from where it lies: the message's
 * header is put before the frame's, and the pages stay what they are.
 */
#include <linux/export.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "message.h"

/* Shorter ones are cheaper to copy, if that makes one transfer of several. */
#define SL_RNDIS_LEND_MIN	4096

/**
 * struct lend_plan - how a frame becomes a transfer
 * @what: what the peer has to know
 * @lead: bytes before the frame
 * @pull: bytes to be copied from the first page to what is before it
 * @tail: a byte more, so that the transfer ends with a short packet
 */
struct lend_plan {
	struct sl_rndis_what what;
	u32 lead;
	u32 pull;
	bool tail;
};

/* Bytes to add to x so that it is y modulo a power of two */
static u32 up_to(u32 x, u32 y, u32 power)
{
	return (y - x) & (power - 1);
}

/* Where every piece but the last has to be a multiple of packets: is it so? */
static bool pieces_fit(const struct sk_buff *skb, const struct lend_plan *plan, u32 maxpacket)
{
	const struct skb_shared_info *si = skb_shinfo(skb);
	int i, first = 0;
	u32 size;

	if (!si->nr_frags)
		return true;
	if ((plan->lead + skb_headlen(skb) + plan->pull) % maxpacket)
		return false;
	size = skb_frag_size(&si->frags[0]) - plan->pull;
	if (!size)
		first = 1;
	for (i = first; i < si->nr_frags - !plan->tail; i++) {
		if (i)
			size = skb_frag_size(&si->frags[i]);
		if (size % maxpacket)
			return false;
	}
	return true;
}

/* Makes the payload land at the offset in a page that it has here. */
static void place(const struct sk_buff *skb, const struct sl_rndis_tx *tx, struct lend_plan *plan)
{
	const skb_frag_t *frag = &skb_shinfo(skb)->frags[0];
	u32 x = skb_frag_off(frag) % SL_RNDIS_WIRE_PAGE;
	u32 head = skb_headlen(skb);

	plan->lead += up_to(plan->lead + head, x + SL_RNDIS_LEAD, SL_RNDIS_WIRE_PAGE);
	if (!tx->sg_any && x)
		plan->pull = min_t(u32, skb_frag_size(frag), SL_RNDIS_WIRE_PAGE - x);
}

static bool make_plan(const struct sk_buff *skb, const struct sl_rndis_tx *tx,
		      struct lend_plan *plan)
{
	unsigned int frags = skb_shinfo(skb)->nr_frags;
	bool placed;
	u32 total;

	sl_rndis_look(skb, tx, &plan->what);
	plan->lead = sl_rndis_header_size(&plan->what);
	plan->pull = 0;
	plan->tail = false;
	/* Segments are cut by copying, and so is what is not in pages. */
	if ((skb_is_gso(skb) && !plan->what.large) || skb_has_frag_list(skb))
		return false;

	placed = plan->what.large && frags;
	if (placed)
		place(skb, tx, plan);
	else if (frags && !tx->sg_any)
		plan->lead += up_to(plan->lead + skb_headlen(skb), 0, tx->maxpacket);

	total = plan->lead + skb->len;
	if (total % tx->maxpacket == 0) {
		if (!frags || (!placed && tx->sg_any))
			plan->lead += sizeof(__le32);
		else if (frags < MAX_SKB_FRAGS)
			plan->tail = true;
		else
			return false;
		total += sizeof(__le32);
	}
	return total <= tx->xfer_max &&
	       (tx->sg_any || pieces_fit(skb, plan, tx->maxpacket));
}

/**
 * sl_rndis_can_lend() - whether a frame is to be sent from where it lies
 * @skb: the frame
 * @tx: what the peer takes
 *
 * Counts why not.
 * Context: any; the transmit lock is held.
 */
bool sl_rndis_can_lend(const struct sk_buff *skb, const struct sl_rndis_tx *tx)
{
	struct lend_plan plan;

	if (tx->messages_max > 1) {
		if (!skb_is_nonlinear(skb)) {
			tx->stats->tx_copied_linear++;
			return false;
		}
		if (skb->len < SL_RNDIS_LEND_MIN) {
			tx->stats->tx_copied_small++;
			return false;
		}
	}
	if (make_plan(skb, tx, &plan))
		return true;
	tx->stats->tx_copied_layout++;
	return false;
}
EXPORT_SYMBOL_GPL(sl_rndis_can_lend);

/*
 * Not skb_checksum_help(): that copies pages that others may change.  Should a
 * file's page change between this and the transfer, the peer drops the frame,
 * as it does with one damaged on its way; it comes again.
 */
static void fill_csum(struct sk_buff *skb)
{
	u32 start = skb_checksum_start_offset(skb);
	__sum16 csum = csum_fold(skb_checksum(skb, start, skb->len - start, 0));

	if (!csum && skb->csum_offset == offsetof(struct udphdr, check))
		csum = CSUM_MANGLED_0;
	*(__sum16 *)(skb->data + start + skb->csum_offset) = csum;
	skb->ip_summed = CHECKSUM_NONE;
}

/*
 * The head may be shared with a packet tap's clone, or with the one that is kept
 * for sending again: what is written here must not show there.  The list of
 * pages is shared with any clone.
 */
static int make_room(struct sk_buff *skb, const struct lend_plan *plan)
{
	unsigned int room = skb_headroom(skb), more = 0;

	if (!plan->tail || !skb_cloned(skb))
		return skb_cow_head(skb, plan->lead);
	if (plan->lead > room)
		more = SKB_DATA_ALIGN(plan->lead - room);
	return pskb_expand_head(skb, more, 0, GFP_ATOMIC);
}

/**
 * sl_rndis_lend() - make a transfer of a frame
 * @skb: for which sl_rndis_can_lend() said so; its head and its pages are the
 *	transfer afterwards, in this order
 * @tx: what the peer takes
 *
 * The pages are sent as they are; skb keeps them until it is freed.
 *
 * Context: any; the transmit lock is held.
 * Return: 0; -ENOMEM, and the frame is as it was.
 */
int sl_rndis_lend(struct sk_buff *skb, const struct sl_rndis_tx *tx)
{
	struct sl_rndis_stats *stats = tx->stats;
	u32 len = skb->len;
	struct lend_plan plan;

	if (WARN_ON_ONCE(!make_plan(skb, tx, &plan)))
		return -ENOMEM;
	if (plan.pull && !__pskb_pull_tail(skb, plan.pull))
		goto no_memory;
	if (make_room(skb, &plan))
		goto no_memory;

	if (plan.what.large)
		sl_rndis_large_put(skb->data, &plan.what);
	else if (skb->ip_summed == CHECKSUM_PARTIAL && !plan.what.csum)
		fill_csum(skb);
	sl_rndis_header_put(skb_push(skb, plan.lead), plan.lead, len, 1, &plan.what, tx);
	if (plan.tail) {
		/* Nothing of anybody's memory: truesize, which its socket knows, stays. */
		get_page(ZERO_PAGE(0));
		skb_fill_page_desc(skb, skb_shinfo(skb)->nr_frags, ZERO_PAGE(0), 0, 1);
		skb->len++;
		skb->data_len++;
	}

	stats->tx_messages++;
	stats->tx_transfers++;
	stats->tx_lent_bytes += len - plan.pull;
	stats->tx_copied_bytes += plan.pull;
	stats->tx_large += plan.what.large;
	stats->tx_checksum_left += plan.what.csum;
	return 0;

no_memory:
	stats->tx_no_memory++;
	return -ENOMEM;
}
EXPORT_SYMBOL_GPL(sl_rndis_lend);
