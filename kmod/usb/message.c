// SPDX-License-Identifier: GPL-2.0
/*
 * Packet messages: what stands before a frame.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "message.h"

/**
 * sl_rndis_ip6_plain() - whether TCP or UDP follows IPv6's header directly
 * @skb: a frame of IPv6, or not even that; its network header is set
 *
 * What has extension headers is left to nobody, neither way.  A receiver would have
 * to find the end of a chain that a hostile peer has made, where skb_checksum_setup()
 * of 6.12 hits a BUG; a routing header's final address is in the pseudo header; and
 * the kernel's tso_build_hdr() writes a length without them.
 */
bool sl_rndis_ip6_plain(const struct sk_buff *skb)
{
	struct ipv6hdr buf, *ip6;

	ip6 = skb_header_pointer(skb, skb_network_offset(skb), sizeof(buf), &buf);
	return ip6 && (ip6->nexthdr == IPPROTO_TCP || ip6->nexthdr == IPPROTO_UDP);
}

static bool is_transport(const struct sk_buff *skb, bool ip6, bool udp)
{
	u8 protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;

	return (ip6 ? ipv6_hdr(skb)->nexthdr : ip_hdr(skb)->protocol) == protocol;
}

/**
 * sl_rndis_look() - find out what of a frame can be left to the peer
 * @skb: as the stack gave it to the driver
 * @tx: what the peer takes
 * @what: the result; @what->csum is false where the sender has to see to it
 */
void sl_rndis_look(const struct sk_buff *skb, const struct sl_rndis_tx *tx,
		   struct sl_rndis_what *what)
{
	u32 csum, large;

	memset(what, 0, sizeof(*what));
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return;
	what->offset = skb_checksum_start_offset(skb);
	what->udp = skb->csum_offset == offsetof(struct udphdr, check);
	what->ip6 = skb->protocol == htons(ETH_P_IPV6);
	if ((!what->ip6 && skb->protocol != htons(ETH_P_IP)) ||
	    (!what->udp && skb->csum_offset != offsetof(struct tcphdr, check)) ||
	    what->offset > FIELD_MAX(NDIS_LSO_OFFSET) || skb->encapsulation ||
	    !is_transport(skb, what->ip6, what->udp))
		return;
	if (what->udp)
		csum = what->ip6 ? SL_RNDIS_CSUM_UDP6 : SL_RNDIS_CSUM_UDP4;
	else
		csum = what->ip6 ? SL_RNDIS_CSUM_TCP6 : SL_RNDIS_CSUM_TCP4;
	large = what->ip6 ? SL_RNDIS_LSO6 : SL_RNDIS_LSO4;

	what->csum = tx->offload & csum;
	what->large = what->csum && !what->udp && skb_is_gso(skb) && (tx->offload & large) &&
		      skb_shinfo(skb)->gso_size >= SL_RNDIS_MSS_MIN;
	if (what->large)
		what->mss = skb_shinfo(skb)->gso_size;
}

/* Bytes of a message's own header */
u32 sl_rndis_header_size(const struct sl_rndis_what *what)
{
	return sizeof(struct rndis_message) +
	       (what->csum + what->large) * sizeof(struct rndis_info);
}

static void info_put(struct rndis_info *info, u32 type, u32 value)
{
	info->header.size = cpu_to_le32(sizeof(*info));
	info->header.type = cpu_to_le32(type);
	info->header.offset = cpu_to_le32(sizeof(info->header));
	info->value = cpu_to_le32(value);
}

static u32 csum_value(const struct sl_rndis_what *what, bool to_host)
{
	if (to_host)
		return NDIS_CSUM_RX_TCP_GOOD | NDIS_CSUM_RX_TCP_INVALID;
	return (what->ip6 ? NDIS_CSUM_TX_IP6 : NDIS_CSUM_TX_IP4) |
	       (what->udp ? NDIS_CSUM_TX_UDP : NDIS_CSUM_TX_TCP) |
	       FIELD_PREP(NDIS_CSUM_TX_OFFSET, what->offset);
}

/**
 * sl_rndis_header_put() - write what stands before a frame
 * @at: where the message begins
 * @lead: bytes from there to the frame
 * @frame_len: bytes of the frame
 * @align: the message's length becomes a multiple of this
 * @what: what the peer has to know
 * @tx: the direction
 */
void sl_rndis_header_put(void *at, u32 lead, u32 frame_len, u32 align,
			 const struct sl_rndis_what *what, const struct sl_rndis_tx *tx)
{
	struct rndis_message *message = at;
	struct rndis_info *info = at + sizeof(*message);
	u32 size = sl_rndis_header_size(what);

	/* All of it goes over the wire: nothing of what was there before. */
	memset(at, 0, lead);
	message->type = cpu_to_le32(RNDIS_MSG_PACKET);
	message->len = cpu_to_le32(ALIGN(lead + frame_len, align));
	message->data_offset = cpu_to_le32(lead - RNDIS_OFFSET_BASE);
	message->data_len = cpu_to_le32(frame_len);
	if (!what->csum)
		return;
	message->info_offset = cpu_to_le32(sizeof(*message) - RNDIS_OFFSET_BASE);
	message->info_len = cpu_to_le32(size - sizeof(*message));
	info_put(info, NDIS_INFO_CSUM, csum_value(what, tx->to_host));
	if (what->large)
		info_put(info + 1, NDIS_INFO_LSO,
			 FIELD_PREP(NDIS_LSO_MSS, what->mss) |
			 FIELD_PREP(NDIS_LSO_OFFSET, what->offset) | NDIS_LSO_V2 |
			 (what->ip6 ? NDIS_LSO_IP6 : 0));
}

/**
 * sl_rndis_large_put() - give a large frame's headers the form that NDIS wants
 * @frame: with all headers in one piece, which are the sender's own to change
 * @what: what sl_rndis_look() said
 *
 * No lengths: they would be those of the segments.
 */
void sl_rndis_large_put(void *frame, const struct sl_rndis_what *what)
{
	struct tcphdr *th = frame + what->offset;

	if (what->ip6) {
		struct ipv6hdr *ip6 = frame + ETH_HLEN;

		ip6->payload_len = 0;
		th->check = ~csum_ipv6_magic(&ip6->saddr, &ip6->daddr, 0, IPPROTO_TCP, 0);
	} else {
		struct iphdr *ip = frame + ETH_HLEN;

		ip->tot_len = 0;
		ip->check = 0;
		th->check = ~csum_tcpudp_magic(ip->saddr, ip->daddr, 0, IPPROTO_TCP, 0);
	}
}
