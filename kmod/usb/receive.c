// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers taken apart.  Nothing that is in one is believed before it is
 * checked against the transfer's length, in arithmetic that cannot wrap.
 */
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "buf.h"
#include "message.h"

/* Enough of a frame to find all headers of what can be a large one; shorter ones are copied. */
#define SL_RNDIS_HEADERS	256
/* Everything in transfers up to this is copied. */
#define SL_RNDIS_COPY_XFER	4096
/* Zeros behind the last message of a transfer that is whole, at most */
#define SL_RNDIS_PAD		4

/**
 * struct frame - where a frame is, and what is said of it
 * @from: in the transfer, bytes
 * @len: bytes
 * @csum: its checksum is left out
 * @mss: it is a large frame of segments with so many bytes; otherwise 0
 */
struct frame {
	u32 from;
	u32 len;
	bool csum;
	u32 mss;
};

/* Whether [offset, offset + len) is within size bytes that begin at base. */
static bool within(u32 base, u32 size, u32 offset, u32 len)
{
	return offset <= size && len <= size - offset && offset >= base;
}

static int take_csum(const struct sl_rndis_rx *rx, u32 value, struct frame *frame)
{
	if (rx->from_host)
		frame->csum = value & (NDIS_CSUM_TX_TCP | NDIS_CSUM_TX_UDP);
	else
		frame->csum = value & NDIS_CSUM_RX_TCP_INVALID;
	return frame->csum && !(rx->offload & SL_RNDIS_CSUM) ? -EPROTO : 0;
}

static int take_lso(const struct sl_rndis_rx *rx, u32 value, struct frame *frame)
{
	frame->mss = FIELD_GET(NDIS_LSO_MSS, value);
	/* The kernel counts segments in 16 bits. */
	if (frame->mss < SL_RNDIS_MSS_MIN || frame->mss > U16_MAX)
		return -EPROTO;
	return rx->offload & SL_RNDIS_LSO ? 0 : -EPROTO;
}

/* Reads the per-packet information of a message at from, of len bytes. */
static int read_info(const struct sl_rndis_rx *rx, const struct sl_rndis_buf *buf, u32 from,
		     u32 len, struct frame *frame)
{
	struct ndis_packet_info info;
	u32 size, offset;
	__le32 value;
	int ret = 0;

	while (len && !ret) {
		if (len < sizeof(info))
			return -EPROTO;
		sl_rndis_buf_copy(buf, from, &info, sizeof(info));
		size = le32_to_cpu(info.size);
		offset = le32_to_cpu(info.offset);
		/* At least a header each: this ends. */
		if (size < sizeof(info) || size > len)
			return -EPROTO;
		switch (le32_to_cpu(info.type)) {
		case NDIS_INFO_CSUM:
		case NDIS_INFO_LSO:
			if (!within(sizeof(info), size, offset, sizeof(value)))
				return -EPROTO;
			sl_rndis_buf_copy(buf, from + offset, &value, sizeof(value));
			ret = le32_to_cpu(info.type) == NDIS_INFO_CSUM ?
				      take_csum(rx, le32_to_cpu(value), frame) :
				      take_lso(rx, le32_to_cpu(value), frame);
			break;
		default:
			break;
		}
		from += size;
		len -= size;
	}
	return ret;
}

/*
 * Reads the message at from, with left bytes to the end of the transfer.
 * Returns its length, or -EPROTO.
 */
static int read_message(const struct sl_rndis_rx *rx, const struct sl_rndis_buf *buf, u32 from,
			u32 left, struct frame *frame)
{
	u32 len, data, info, info_len, body;
	struct rndis_message message;

	sl_rndis_buf_copy(buf, from, &message, sizeof(message));
	len = le32_to_cpu(message.len);
	if (le32_to_cpu(message.type) != RNDIS_MSG_PACKET || len < sizeof(message) || len > left)
		return -EPROTO;
	/* Offsets count from behind type and length. */
	body = len - RNDIS_OFFSET_BASE;
	data = le32_to_cpu(message.data_offset);
	frame->len = le32_to_cpu(message.data_len);
	frame->from = from + RNDIS_OFFSET_BASE + data;
	if (!within(sizeof(message) - RNDIS_OFFSET_BASE, body, data, frame->len) ||
	    frame->len < ETH_HLEN)
		return -EPROTO;

	frame->csum = false;
	frame->mss = 0;
	info = le32_to_cpu(message.info_offset);
	info_len = le32_to_cpu(message.info_len);
	if (!info_len)
		return len;
	/* Information is before the frame or behind it, never in it. */
	if (!within(sizeof(message) - RNDIS_OFFSET_BASE, body, info, info_len) ||
	    (info < data + frame->len && data < info + info_len) ||
	    read_info(rx, buf, from + RNDIS_OFFSET_BASE + info, info_len, frame))
		return -EPROTO;
	/* Nobody fills the checksums of segments in if they are not left out. */
	if (frame->mss && !frame->csum)
		return -EPROTO;
	return len;
}

/*
 * Whether a transfer is one row of messages from end to end.  A transfer that its
 * sender broke off has no end of its own: what is sent next is appended to it here,
 * and the lengths of the first may well span a part of that.  What is in a message
 * is looked at when it is its turn.
 */
static bool is_whole(const struct sl_rndis_buf *buf, u32 len)
{
	struct rndis_message message;
	u8 pad[SL_RNDIS_PAD];
	u32 from = 0, size;

	while (len - from >= sizeof(message)) {
		sl_rndis_buf_copy(buf, from, &message, sizeof(message));
		size = le32_to_cpu(message.len);
		if (le32_to_cpu(message.type) != RNDIS_MSG_PACKET || size < sizeof(message) ||
		    size > len - from)
			return false;
		from += size;
	}
	if (len - from > sizeof(pad))
		return false;
	sl_rndis_buf_copy(buf, from, pad, len - from);
	return !memchr_inv(pad, 0, len - from);
}

/* The lengths that a large frame's headers lack; see sl_rndis_large_put(). */
static int large_get(struct sk_buff *skb)
{
	u32 len = skb->len;

	if (skb->protocol == htons(ETH_P_IP)) {
		struct iphdr *ip = (struct iphdr *)skb->data;

		if (skb_headlen(skb) < sizeof(*ip) || len > U16_MAX || ip->ihl < 5 ||
		    skb_headlen(skb) < ip->ihl * 4 || ip->protocol != IPPROTO_TCP)
			return -EPROTO;
		ip->tot_len = htons(len);
		ip_send_check(ip);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = (struct ipv6hdr *)skb->data;

		if (skb_headlen(skb) < sizeof(*ip6) || len - sizeof(*ip6) > U16_MAX)
			return -EPROTO;
		ip6->payload_len = htons(len - sizeof(*ip6));
	} else {
		return -EPROTO;
	}
	return 0;
}

/* Marks a frame as one whose checksum is left out, and as a large one if it is. */
static int set_offload(struct sk_buff *skb, const struct frame *frame)
{
	struct skb_shared_info *si;
	u32 header;
	int ret;

	skb_reset_network_header(skb);
	if (skb->protocol == htons(ETH_P_IPV6) && !sl_rndis_ip6_plain(skb))
		return -EPROTO;
	if (frame->mss) {
		ret = large_get(skb);
		if (ret)
			return ret;
	}
	/* Looks at the headers, and makes the sum of the pseudo header itself. */
	ret = skb_checksum_setup(skb, true);
	if (ret || !frame->mss)
		return ret;

	header = skb_transport_offset(skb);
	if (skb->csum_offset != offsetof(struct tcphdr, check) ||
	    !pskb_may_pull(skb, header + sizeof(struct tcphdr)))
		return -EPROTO;
	header += tcp_hdrlen(skb);
	if (tcp_hdrlen(skb) < sizeof(struct tcphdr) || header >= skb->len)
		return -EPROTO;
	/* Not before: what pulls headers may move the head, and this with it. */
	si = skb_shinfo(skb);
	si->gso_size = frame->mss;
	/* Its sender's word is not taken for the number of segments. */
	si->gso_type = SKB_GSO_DODGY;
	si->gso_type |= skb->protocol == htons(ETH_P_IP) ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	si->gso_segs = DIV_ROUND_UP(skb->len - header, frame->mss);
	return 0;
}

/* A frame of our own: its headers, or all of it, in the head; the rest in pages. */
static struct sk_buff *frame_with_head(const struct sl_rndis_rx *rx, struct sl_rndis_buf *buf,
				       const struct frame *frame, bool give)
{
	u32 limit = give ? SL_RNDIS_HEADERS : SL_RNDIS_COPY_XFER;
	u32 head = frame->len, rest;
	struct sk_buff *skb;
	int ret;

	if (head > limit)
		head = SL_RNDIS_HEADERS;
	skb = napi_alloc_skb(rx->napi, head);
	if (!skb)
		return NULL;
	sl_rndis_buf_copy(buf, frame->from, skb->data, head);
	if (head < frame->len)
		head = eth_get_headlen(rx->net, skb->data, head);
	__skb_put(skb, head);
	rest = frame->len - head;
	if (give)
		ret = sl_rndis_buf_give(buf, frame->from + head, rest, skb);
	else
		ret = sl_rndis_buf_copy_pages(buf, frame->from + head, rest, skb);
	if (ret) {
		kfree_skb(skb);
		return NULL;
	}
	rx->stats->rx_copied_bytes += give ? head : frame->len;
	rx->stats->rx_paged_bytes += give ? rest : 0;
	return skb;
}

static void drop(const struct sl_rndis_rx *rx, u64 *reason)
{
	(*reason)++;
	rx->net->stats.rx_errors++;
}

/* GRO takes the headers out of the page by itself. */
static void deliver_pages(const struct sl_rndis_rx *rx, struct sl_rndis_buf *buf,
			  const struct frame *frame)
{
	struct sk_buff *skb = napi_get_frags(rx->napi);

	if (!skb || sl_rndis_buf_give(buf, frame->from, frame->len, skb)) {
		napi_free_frags(rx->napi);
		drop(rx, &rx->stats->rx_no_memory);
		return;
	}
	rx->stats->rx_paged_bytes += frame->len;
	napi_gro_frags(rx->napi);
}

static void deliver(const struct sl_rndis_rx *rx, struct sl_rndis_buf *buf,
		    const struct frame *frame, bool give)
{
	struct sk_buff *skb;

	dev_sw_netstats_rx_add(rx->net, frame->len);
	if (give && !frame->csum && frame->len > SL_RNDIS_HEADERS) {
		deliver_pages(rx, buf, frame);
		return;
	}
	skb = frame_with_head(rx, buf, frame, give);
	if (!skb) {
		drop(rx, &rx->stats->rx_no_memory);
		return;
	}
	skb->protocol = eth_type_trans(skb, rx->net);
	if (frame->csum && set_offload(skb, frame)) {
		kfree_skb(skb);
		drop(rx, &rx->stats->rx_malformed);
		return;
	}
	rx->stats->rx_large += !!frame->mss;
	rx->stats->rx_checksum_left += frame->csum;
	napi_gro_receive(rx->napi, skb);
}

/**
 * sl_rndis_receive() - take a transfer apart and give its frames to the stack
 * @rx: how
 * @buf: where it is; as it was afterwards, with other pages for those that
 *	frames have got (and other entries in @buf->sg, or another @buf->linear)
 * @len: bytes received, @buf->size at most
 *
 * A malformed message ends the transfer: nobody knows where the next begins.
 * Frames before it that have their checksums are given to the stack, which looks at
 * those; frames whose checksum is left out are only if the lengths of all messages
 * fill the transfer: it would vouch for anything.
 *
 * Context: the poll of @rx->napi.
 * Return: how many frames there were.
 */
unsigned int sl_rndis_receive(const struct sl_rndis_rx *rx, struct sl_rndis_buf *buf, u32 len)
{
	u32 longest = READ_ONCE(rx->net->mtu) + VLAN_ETH_HLEN, from = 0;
	bool give = len > SL_RNDIS_COPY_XFER, whole;
	struct frame frame;
	unsigned int n = 0;
	int ret;

	len = min(len, buf->size);
	/* Without offload every frame has its checksum: devices may pad as they like. */
	whole = !rx->offload || is_whole(buf, len);
	if (give && !sl_rndis_buf_ready(buf)) {
		rx->stats->rx_copied_no_memory++;
		give = false;
	}
	rx->stats->rx_transfers++;
	/* What is shorter than a message is the end: some devices pad with zeros. */
	while (len - from >= sizeof(struct rndis_message)) {
		ret = read_message(rx, buf, from, len - from, &frame);
		if (ret < 0) {
			net_dbg_ratelimited("%s: malformed message at byte %u of %u\n",
					    rx->net->name, from, len);
			drop(rx, &rx->stats->rx_malformed);
			break;
		}
		from += ret;
		n++;
		rx->stats->rx_messages++;
		if (frame.len > longest && !frame.mss)
			drop(rx, &rx->stats->rx_too_long);
		else if (frame.csum && !whole)
			drop(rx, &rx->stats->rx_malformed);
		else
			deliver(rx, buf, &frame, give);
	}
	sl_rndis_buf_settle(buf);
	return n;
}
EXPORT_SYMBOL_GPL(sl_rndis_receive);
