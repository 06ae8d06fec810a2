/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packet messages: what stands before a frame.
 */
#ifndef _SL_MESSAGE_H
#define _SL_MESSAGE_H

#include <linux/bitfield.h>
#include <linux/rndis.h>
#include <net/tcp.h>

#include "sl_rndis.h"

/* REMOTE_NDIS_PACKET_MSG.  Offsets count from @data_offset. */
struct rndis_message {
	__le32 type;
	__le32 len;
	__le32 data_offset;
	__le32 data_len;
	__le32 oob_offset;
	__le32 oob_len;
	__le32 oob_elements;
	__le32 info_offset;
	__le32 info_len;
	__le32 handle;
	__le32 reserved;
} __packed;

/*
 * Bytes of payload in each segment of a large frame.  TCP's least segment counts
 * options in, which are not payload.
 */
#define SL_RNDIS_MSS_MIN	(TCP_MIN_SND_MSS - MAX_TCP_OPTION_SPACE)

#define RNDIS_OFFSET_BASE	offsetof(struct rndis_message, data_offset)

/* One piece of information with its value */
struct rndis_info {
	struct ndis_packet_info header;
	__le32 value;
} __packed;

/**
 * struct sl_rndis_what - what the peer has to know of a frame
 * @csum: whether the checksum is left to the peer
 * @large: whether cutting into segments is
 * @udp: the frame is UDP's, otherwise TCP's
 * @ip6: the frame is IPv6's
 * @offset: of the transport header in the frame, bytes
 * @mss: of a large frame's segments, bytes of payload
 */
struct sl_rndis_what {
	bool csum;
	bool large;
	bool udp;
	bool ip6;
	u32 offset;
	u32 mss;
};

bool sl_rndis_ip6_plain(const struct sk_buff *skb);
void sl_rndis_look(const struct sk_buff *skb, const struct sl_rndis_tx *tx,
		   struct sl_rndis_what *what);
u32 sl_rndis_header_size(const struct sl_rndis_what *what);
void sl_rndis_header_put(void *at, u32 lead, u32 frame_len, u32 align,
			 const struct sl_rndis_what *what, const struct sl_rndis_tx *tx);
void sl_rndis_large_put(void *frame, const struct sl_rndis_what *what);

#endif /* _SL_MESSAGE_H */
