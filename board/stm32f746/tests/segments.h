/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP segments in Ethernet frames, from 10.77.0.2 to port 7 of 10.77.0.1.
 */
#ifndef BOARD_SEGMENTS_H
#define BOARD_SEGMENTS_H

#include <string.h>

#include "lwip/def.h"
#include "lwip/inet_chksum.h"

static inline void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value & 0xff;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* 54 + len bytes at f, with good sums; payload is what its number says. */
static inline void put_segment(uint8_t *f, uint16_t port, uint32_t seq,
			       uint32_t ack, uint8_t flags, uint32_t len)
{
	uint32_t i, sum = 6 + 20 + len;

	memset(f, 0, 54);
	put16(f + 12, 0x0800);
	f[14] = 0x45;
	put16(f + 16, 40 + len);
	f[22] = 64;
	f[23] = 6;
	put32(f + 26, 0x0a4d0002);
	put32(f + 30, 0x0a4d0001);
	put16(f + 34, port);
	put16(f + 36, 7);
	put32(f + 38, seq);
	put32(f + 42, ack);
	f[46] = 0x50;
	f[47] = flags;
	put16(f + 48, 1000 + ack);
	for (i = 0; i < len; i++)
		f[54 + i] = seq + i;
	put16(f + 24, lwip_htons(inet_chksum(f + 14, 20)));
	for (i = 26; i < 34; i += 2)
		sum += f[i] << 8 | f[i + 1];
	sum += lwip_htons((uint16_t)~inet_chksum(f + 34, 20 + len));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(f + 50, ~sum);
}

#endif /* BOARD_SEGMENTS_H */
