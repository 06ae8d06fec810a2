/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP segments as they come in, in Ethernet frames.
 */
#ifndef BOARD_SEGMENT_H
#define BOARD_SEGMENT_H

#include "lwip/prot/tcp.h"
#include "lwip/tcp.h"

/* Offsets in a frame without IP options */
#define AT_TYPE 12
#define AT_IP 14
#define AT_IP_LEN 16
#define AT_FRAGMENT 20
#define AT_PROTOCOL 23
#define AT_FLOW 26 /* both addresses, both ports */
#define FLOW_SIZE 12
#define AT_TCP 34
#define AT_SEQ 38
#define AT_ACK 42
#define AT_DATA_OFFSET 46
#define AT_FLAGS 47
#define AT_WINDOW 48
/* Without options */
#define HEADERS 54

static inline uint16_t get_be16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static inline uint32_t get_be32(const uint8_t *at)
{
	return (uint32_t)get_be16(at) << 16 | get_be16(at + 2);
}

static inline void put_be16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value & 0xff;
}

/* TCP over IPv4, where neither is a fragment nor has IP options */
bool segment_is(const uint8_t *frame, uint32_t len);

/* The frame's length without payload, and with it, as the headers have it */
uint32_t segment_headers(const uint8_t *frame);
uint32_t segment_len(const uint8_t *frame);

/* Whether its sums are good; len is segment_len(). */
bool segment_sums_good(const uint8_t *frame, uint32_t len, bool csum_left);

/* The connection; NULL when there is none. */
const struct tcp_pcb *segment_connection(const uint8_t *frame);

/*
 * The payload is not wanted now, and will be sent again; what is acknowledged with
 * it counts.  The sums are good; takes p.
 */
void segment_without_payload(struct pbuf *p);

#endif /* BOARD_SEGMENT_H */
