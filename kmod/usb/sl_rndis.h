/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sl_rndis.ko: RNDIS transfers made from frames and taken apart again, for
 * both ends of the cable.
 *
 * A transfer is a row of packet messages, each with one frame in it.  Where
 * large frames are agreed on, the payload of one stands in the transfer so
 * that it lands at the offset in a page that it had on the sender's side: a
 * receive buffer's first byte is SL_RNDIS_LEAD before the end of a page.
 */
#ifndef _SL_RNDIS_H
#define _SL_RNDIS_H

#include <linux/netdevice.h>
#include <linux/scatterlist.h>
#include <linux/skbuff.h>
#include <net/tso.h>

#include "ndis.h"

/* Bytes; a multiple of every bulk endpoint's packet size. */
#define SL_RNDIS_LEAD		1024
#define SL_RNDIS_WIRE_PAGE	4096
#define SL_RNDIS_START		(SL_RNDIS_WIRE_PAGE - SL_RNDIS_LEAD)

/* The longest transfers that are announced: with large frames and without. */
#define SL_RNDIS_XFER_LARGE	(18 * SL_RNDIS_WIRE_PAGE - SL_RNDIS_START)
#define SL_RNDIS_XFER_PLAIN	(4 * SL_RNDIS_WIRE_PAGE)
/* Payload of a large frame, all headers included */
#define SL_RNDIS_FRAME_LARGE	65536
#define SL_RNDIS_PAGES		DIV_ROUND_UP(SL_RNDIS_START + SL_RNDIS_XFER_LARGE, PAGE_SIZE)
/* Of a message: its own header (struct rndis_data_hdr) and two pieces of information */
#define SL_RNDIS_HEADER		44
#define SL_RNDIS_HEADER_MAX	(SL_RNDIS_HEADER + 2 * (sizeof(struct ndis_packet_info) + 4))

/* What the two ends have agreed on, for one direction; see offload.c. */
#define SL_RNDIS_CSUM_TCP4	BIT(0)
#define SL_RNDIS_CSUM_UDP4	BIT(1)
#define SL_RNDIS_CSUM_TCP6	BIT(2)
#define SL_RNDIS_CSUM_UDP6	BIT(3)
#define SL_RNDIS_LSO4		BIT(4)
#define SL_RNDIS_LSO6		BIT(5)
#define SL_RNDIS_CSUM		(SL_RNDIS_CSUM_TCP4 | SL_RNDIS_CSUM_UDP4 | \
				 SL_RNDIS_CSUM_TCP6 | SL_RNDIS_CSUM_UDP6)
#define SL_RNDIS_LSO		(SL_RNDIS_LSO4 | SL_RNDIS_LSO6)

/*
 * The counters of `ethtool -S`.  Those of sending are changed under the transmit
 * lock, those of receiving by one NAPI instance.
 */
#define SL_RNDIS_COUNTERS(C)	\
	C(tx_transfers)		\
	C(tx_messages)		\
	C(tx_lent_bytes)	\
	C(tx_copied_bytes)	\
	C(tx_copied_small)	\
	C(tx_copied_linear)	\
	C(tx_copied_no_sg)	\
	C(tx_copied_layout)	\
	C(tx_aggregated)	\
	C(tx_large)		\
	C(tx_segments_cut)	\
	C(tx_checksum_left)	\
	C(tx_too_long)		\
	C(tx_ends)		\
	C(tx_no_memory)		\
	C(rx_transfers)		\
	C(rx_messages)		\
	C(rx_paged_bytes)	\
	C(rx_copied_bytes)	\
	C(rx_large)		\
	C(rx_checksum_left)	\
	C(rx_malformed)		\
	C(rx_too_long)		\
	C(rx_no_memory)		\
	C(rx_copied_no_memory)

#define SL_RNDIS_FIELD(name)	u64 name;
struct sl_rndis_stats {
	SL_RNDIS_COUNTERS(SL_RNDIS_FIELD)
};

#define SL_RNDIS_STATS		(sizeof(struct sl_rndis_stats) / sizeof(u64))

void sl_rndis_stat_strings(u8 *data);
void sl_rndis_stat_values(const struct sl_rndis_stats *stats, u64 *data);

/**
 * struct sl_rndis_tx - what one end may send to the other
 * @xfer_max: the longest transfer that the peer takes, bytes
 * @messages_max: packet messages in one transfer, at least 1
 * @align: of messages in a transfer, bytes; a power of two, 4 at least
 * @maxpacket: the endpoint's packet size, bytes
 * @sg_any: pieces of a transfer may have any length; otherwise all but the last
 *	must be multiples of @maxpacket to be sent from where they lie
 * @to_host: this end is the device: information about checksums has another form
 * @offload: SL_RNDIS_CSUM_*, SL_RNDIS_LSO*: what the peer takes
 * @stats: where it is counted
 *
 * Changed only while nothing is sent (under the transmit lock or with the queue
 * stopped for good).
 */
struct sl_rndis_tx {
	u32 xfer_max;
	u32 messages_max;
	u32 align;
	u32 maxpacket;
	bool sg_any;
	bool to_host;
	u32 offload;
	struct sl_rndis_stats *stats;
};

/**
 * struct sl_rndis_xfer - a transfer in one piece of memory, being filled
 * @data: of @size bytes
 * @size: what it may become, bytes: @xfer_max at most, and a byte for the end
 * @len: what it is, bytes
 * @messages: in it
 * @bytes: of frames in it
 */
struct sl_rndis_xfer {
	u8 *data;
	u32 size;
	u32 len;
	u32 messages;
	u32 bytes;
};

/**
 * struct sl_rndis_cut - a frame being written to transfers
 * @skb: the frame, or NULL when there is none
 * @tso: where it is, when the frame is cut into segments here
 * @left: bytes of payload still to be written, when it is cut
 * @mss: bytes in each segment, 0 when the frame is sent as it is
 */
struct sl_rndis_cut {
	struct sk_buff *skb;
	struct tso_t tso;
	u32 left;
	u32 mss;
};

bool sl_rndis_can_lend(const struct sk_buff *skb, const struct sl_rndis_tx *tx);
int sl_rndis_lend(struct sk_buff *skb, const struct sl_rndis_tx *tx);
void sl_rndis_cut_start(struct sl_rndis_cut *cut, struct sk_buff *skb,
			const struct sl_rndis_tx *tx);
bool sl_rndis_cut_put(struct sl_rndis_cut *cut, struct sl_rndis_xfer *xfer,
		      const struct sl_rndis_tx *tx);
void sl_rndis_xfer_end(struct sl_rndis_xfer *xfer, const struct sl_rndis_tx *tx);
netdev_features_t sl_rndis_features_check(struct sk_buff *skb, struct net_device *net,
					  netdev_features_t features);

/**
 * struct sl_rndis_rx - how transfers become frames
 * @napi: in whose poll they do
 * @net: to which the frames come
 * @from_host: this end is the device
 * @offload: SL_RNDIS_CSUM_*, SL_RNDIS_LSO*: what the peer was told that it may send
 * @stats: where it is counted
 */
struct sl_rndis_rx {
	struct napi_struct *napi;
	struct net_device *net;
	bool from_host;
	u32 offload;
	struct sl_rndis_stats *stats;
};

/**
 * struct sl_rndis_buf - a buffer to receive transfers
 * @page: its pages, which frames take with them
 * @fresh: what replaces those taken, until the transfer is taken apart
 * @taken: those of @page that frames have
 * @pages: how many there are
 * @size: bytes that may be received
 * @linear: where they go, when the pages are one piece of memory; otherwise NULL
 * @next: another such piece, when frames may have this one's pages
 * @sg: where they go, otherwise
 *
 * Between two transfers every page is there: what a frame takes is replaced
 * at once, and copied when that fails.
 */
struct sl_rndis_buf {
	struct page *page[SL_RNDIS_PAGES];
	struct page *fresh[SL_RNDIS_PAGES];
	DECLARE_BITMAP(taken, SL_RNDIS_PAGES);
	unsigned int pages;
	u32 size;
	void *linear;
	void *next;
	struct scatterlist sg[SL_RNDIS_PAGES];
};

int sl_rndis_buf_alloc(struct sl_rndis_buf *buf, u32 size, bool linear, gfp_t gfp);
void sl_rndis_buf_free(struct sl_rndis_buf *buf);
unsigned int sl_rndis_receive(const struct sl_rndis_rx *rx, struct sl_rndis_buf *buf, u32 len);

/* The device's part of agreeing, and the host's. */
void sl_rndis_offload_fill(struct ndis_offload *offload, u32 to_device, u32 to_host);
int sl_rndis_offload_parse(const void *data, u32 len, u32 *to_device, u32 *to_host);
void sl_rndis_params_fill(struct ndis_params *params, u32 to_device, u32 to_host);
int sl_rndis_params_parse(const void *data, u32 len, u32 *to_device, u32 *to_host);

#endif /* _SL_RNDIS_H */
