// SPDX-License-Identifier: GPL-2.0
/*
 * Frames copied into transfers, several to one; what is too large for the peer
 * is cut into segments on the way, and checksums are made of what is copied.
 */
#include <linux/export.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "message.h"

/**
 * sl_rndis_cut_start() - begin with a frame
 * @cut: which has none
 * @skb: the frame, which belongs to @cut from now on
 * @tx: what the peer takes
 *
 * Context: any; the transmit lock is held.
 */
void sl_rndis_cut_start(struct sl_rndis_cut *cut, struct sk_buff *skb,
			const struct sl_rndis_tx *tx)
{
	struct sl_rndis_what what;

	cut->skb = skb;
	cut->mss = 0;
	cut->left = 0;
	if (!skb_is_gso(skb))
		return;
	sl_rndis_look(skb, tx, &what);
	if (what.large)
		return;
	cut->mss = skb_shinfo(skb)->gso_size;
	cut->left = skb->len - tso_start(skb, &cut->tso);
}
EXPORT_SYMBOL_GPL(sl_rndis_cut_start);

/* Copies the next size bytes of payload, and sums them up if asked to. */
static __wsum copy_payload(struct sl_rndis_cut *cut, u8 *to, u32 size, bool sum)
{
	__wsum csum = 0, part;
	u32 done = 0, n;

	while (done < size) {
		n = min_t(u32, cut->tso.size, size - done);
		if (sum) {
			part = csum_partial_copy_nocheck(cut->tso.data, to + done, n);
			csum = csum_block_add(csum, part, done);
		} else {
			memcpy(to + done, cut->tso.data, n);
		}
		done += n;
		tso_build_data(cut->skb, &cut->tso, n);
	}
	return csum;
}

/* The checksums of a segment: IP's, and TCP's unless it is left to the peer. */
static void segment_csum(u8 *frame, const struct sl_rndis_what *what, u32 len, __wsum payload)
{
	struct tcphdr *th = (struct tcphdr *)(frame + what->offset);
	u32 header = th->doff * 4, tcp = len - what->offset;
	__sum16 pseudo;

	if (what->ip6) {
		const struct ipv6hdr *ip6 = (struct ipv6hdr *)(frame + ETH_HLEN);

		pseudo = ~csum_ipv6_magic(&ip6->saddr, &ip6->daddr, tcp, IPPROTO_TCP, 0);
	} else {
		struct iphdr *ip = (struct iphdr *)(frame + ETH_HLEN);

		ip_send_check(ip);
		pseudo = ~csum_tcpudp_magic(ip->saddr, ip->daddr, tcp, IPPROTO_TCP, 0);
	}
	th->check = pseudo;
	if (!what->csum)
		th->check = csum_fold(csum_partial(th, header, payload));
}

/* Writes the next segment at frame; @what says what is left to the peer. */
static void put_segment(struct sl_rndis_cut *cut, u8 *frame, u32 size,
			const struct sl_rndis_what *what)
{
	u32 header = skb_tcp_all_headers(cut->skb);
	__wsum csum;

	tso_build_hdr(cut->skb, frame, &cut->tso, size, size == cut->left);
	csum = copy_payload(cut, frame + header, size, !what->csum);
	segment_csum(frame, what, header + size, csum);
	cut->left -= size;
}

/* Writes a whole frame. */
static void put_frame(struct sk_buff *skb, u8 *frame, const struct sl_rndis_what *what)
{
	__sum16 *check;

	if (skb->ip_summed != CHECKSUM_PARTIAL || what->csum) {
		skb_copy_bits(skb, 0, frame, skb->len);
		if (what->large)
			sl_rndis_large_put(frame, what);
		return;
	}
	skb_copy_and_csum_dev(skb, frame);
	check = (__sum16 *)(frame + skb_checksum_start_offset(skb) + skb->csum_offset);
	if (!*check && skb->csum_offset == offsetof(struct udphdr, check))
		*check = CSUM_MANGLED_0;
}

/* The payload of a large frame begins with a page of the receiver's. */
static u32 lead_of(const struct sl_rndis_xfer *xfer, const struct sk_buff *skb,
		   const struct sl_rndis_what *what)
{
	u32 lead = sl_rndis_header_size(what);

	if (what->large)
		lead += (SL_RNDIS_LEAD - xfer->len - lead - skb_tcp_all_headers(skb)) &
			(SL_RNDIS_WIRE_PAGE - 1);
	return lead;
}

/* Adds one message; false when there is no room. */
static bool put_one(struct sl_rndis_cut *cut, struct sl_rndis_xfer *xfer,
		    const struct sl_rndis_tx *tx)
{
	u32 align = tx->messages_max > 1 ? tx->align : 1;
	struct sk_buff *skb = cut->skb;
	struct sl_rndis_what what;
	u32 lead, len, total, size = 0;
	u8 *at;

	sl_rndis_look(skb, tx, &what);
	lead = lead_of(xfer, skb, &what);
	if (cut->mss) {
		size = min(cut->left, cut->mss);
		len = skb_tcp_all_headers(skb) + size;
	} else {
		len = skb->len;
	}
	/* A byte is kept for the end. */
	total = ALIGN(lead + len, align);
	if (xfer->messages == tx->messages_max || xfer->len + total >= xfer->size)
		return false;

	at = xfer->data + xfer->len;
	sl_rndis_header_put(at, lead, len, align, &what, tx);
	if (cut->mss)
		put_segment(cut, at + lead, size, &what);
	else
		put_frame(skb, at + lead, &what);
	memset(at + lead + len, 0, total - lead - len);
	xfer->len += total;
	xfer->messages++;
	xfer->bytes += len;
	tx->stats->tx_copied_bytes += len;
	tx->stats->tx_segments_cut += !!cut->mss;
	tx->stats->tx_large += what.large;
	tx->stats->tx_checksum_left += what.csum;
	return true;
}

/**
 * sl_rndis_cut_put() - copy as much of a frame into a transfer as fits
 * @cut: with a frame
 * @xfer: the transfer
 * @tx: what the peer takes
 *
 * Context: any; the transmit lock is held.
 * Return: true when all of it is written (or it is too long for any transfer,
 * which is counted): the frame is freed then.  False when the transfer is full.
 */
bool sl_rndis_cut_put(struct sl_rndis_cut *cut, struct sl_rndis_xfer *xfer,
		      const struct sl_rndis_tx *tx)
{
	do {
		if (put_one(cut, xfer, tx))
			continue;
		if (xfer->messages)
			return false;
		tx->stats->tx_too_long++;
		dev_kfree_skb_any(cut->skb);
		cut->skb = NULL;
		return true;
	} while (cut->mss && cut->left);

	dev_consume_skb_any(cut->skb);
	cut->skb = NULL;
	return true;
}
EXPORT_SYMBOL_GPL(sl_rndis_cut_put);

/**
 * sl_rndis_xfer_end() - finish a transfer
 * @xfer: with a message at least
 * @tx: what the peer takes
 *
 * A transfer ends with a short packet, never with an empty one: many devices
 * cannot do that.
 */
void sl_rndis_xfer_end(struct sl_rndis_xfer *xfer, const struct sl_rndis_tx *tx)
{
	if (xfer->len % tx->maxpacket == 0)
		xfer->data[xfer->len++] = 0;
	tx->stats->tx_transfers++;
	tx->stats->tx_messages += xfer->messages;
	if (xfer->messages > 1)
		tx->stats->tx_aggregated += xfer->messages;
}
EXPORT_SYMBOL_GPL(sl_rndis_xfer_end);

/**
 * sl_rndis_features_check() - ndo_features_check of both drivers
 * @skb: a frame
 * @net: the device
 * @features: what the stack would leave to the driver
 *
 * Return: without what the code above does not know: segmenting anything
 * but plain TCP with its headers in one piece, or checksums behind headers
 * that the peer may not leave out, either.
 */
netdev_features_t sl_rndis_features_check(struct sk_buff *skb, struct net_device *net,
					  netdev_features_t features)
{
	features = vlan_features_check(skb, features);
	/*
	 * Left in, a large frame's segments would say that they are shorter than
	 * they are.  Not by skb_network_header_len(): while a frame is forwarded,
	 * that counts one header only.
	 */
	if (skb->encapsulation ||
	    (skb->protocol == htons(ETH_P_IPV6) && !sl_rndis_ip6_plain(skb)))
		return features & ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	if (skb_is_gso(skb) &&
	    (skb->ip_summed != CHECKSUM_PARTIAL || !skb_is_gso_tcp(skb) ||
	     (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6)) ||
	     skb_headlen(skb) < skb_tcp_all_headers(skb)))
		features &= ~NETIF_F_GSO_MASK;
	return features;
}
EXPORT_SYMBOL_GPL(sl_rndis_features_check);
