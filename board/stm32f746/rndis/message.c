// SPDX-License-Identifier: GPL-2.0
/*
 * Frames in transfers.  Nothing that the host says of lengths and offsets is believed
 * before it is checked against the transfer, in arithmetic that cannot wrap.
 */
#include <stddef.h>

#include "proto.h"
#include "rndis.h"

#define FRAME_MIN 14

static bool read_csum(uint32_t value, struct rndis_frame *frame)
{
	frame->csum_left = value & (CSUM_TX_TCP | CSUM_TX_UDP);
	/* Not unless it was agreed on */
	return !frame->csum_left || rndis.to_device;
}

static bool read_info(const uint8_t *at, uint32_t len,
		      struct rndis_frame *frame)
{
	uint32_t size, offset;

	/* Each is at least a header long: this ends. */
	for (; len; at += size, len -= size) {
		if (len < RNDIS_INFO)
			return false;
		size = get_le32(at + 4 * INFO_SIZE);
		offset = get_le32(at + 4 * INFO_OFFSET);
		if (size < RNDIS_INFO || size > len)
			return false;
		if (get_le32(at + 4 * INFO_TYPE) != INFO_CSUM)
			continue;
		if (!rndis_within(RNDIS_INFO, size, offset, 4) ||
		    !read_csum(get_le32(at + offset), frame))
			return false;
	}
	return true;
}

static bool read_message(uint8_t *at, uint32_t len, struct rndis_frame *frame)
{
	uint32_t body = len - RNDIS_BASE;
	uint32_t data = get_le32(at + 4 * PACKET_DATA_OFFSET);
	uint32_t info = get_le32(at + 4 * PACKET_INFO_OFFSET);
	uint32_t info_len = get_le32(at + 4 * PACKET_INFO_LEN);

	frame->len = get_le32(at + 4 * PACKET_DATA_LEN);
	frame->csum_left = false;
	if (!rndis_within(RNDIS_HEADER - RNDIS_BASE, body, data, frame->len) ||
	    frame->len < FRAME_MIN)
		return false;
	frame->data = at + RNDIS_BASE + data;
	if (!info_len)
		return true;
	/* Before the frame or behind it, never in it */
	return rndis_within(RNDIS_HEADER - RNDIS_BASE, body, info, info_len) &&
	       (info >= data + frame->len || data >= info + info_len) &&
	       read_info(at + RNDIS_BASE + info, info_len, frame);
}

enum rndis_next rndis_next(uint8_t *data, uint32_t len, uint32_t *at,
			   struct rndis_frame *frame)
{
	uint32_t left = len - *at, size;
	uint8_t *message = data + *at;

	/* What is shorter than a message is the end: hosts pad. */
	if (left < RNDIS_HEADER)
		return RNDIS_END;
	size = get_le32(message + 4 * PACKET_LEN);
	if (get_le32(message + 4 * PACKET_TYPE) != RNDIS_PACKET ||
	    size < RNDIS_HEADER || size > left ||
	    !read_message(message, size, frame))
		return RNDIS_MALFORMED;
	*at += size;
	return RNDIS_FRAME;
}

void rndis_header(uint8_t *at, uint32_t lead, uint32_t len, uint32_t pad,
		  bool csum_left)
{
	uint8_t *info = at + RNDIS_HEADER;

	memset(at, 0, lead);
	put_le32(at + 4 * PACKET_TYPE, RNDIS_PACKET);
	put_le32(at + 4 * PACKET_LEN, lead + len + pad);
	put_le32(at + 4 * PACKET_DATA_OFFSET, lead - RNDIS_BASE);
	put_le32(at + 4 * PACKET_DATA_LEN, len);
	if (!csum_left)
		return;
	put_le32(at + 4 * PACKET_INFO_OFFSET, RNDIS_HEADER - RNDIS_BASE);
	put_le32(at + 4 * PACKET_INFO_LEN, RNDIS_INFO + 4);
	put_le32(info + 4 * INFO_SIZE, RNDIS_INFO + 4);
	put_le32(info + 4 * INFO_OFFSET, RNDIS_INFO);
	put_le32(info + RNDIS_INFO, CSUM_RX_TCP_GOOD | CSUM_RX_TCP_INVALID);
}
