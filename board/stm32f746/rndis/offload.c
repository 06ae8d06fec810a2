// SPDX-License-Identifier: GPL-2.0
/*
 * Agreeing on checksums: with NDIS 6's objects, as kmod/usb/offload.c does at the
 * other end.  The device says what it can do, the host turns on what it wants.
 * Large frames are not for a machine of 320 KiB.
 */
#include <stddef.h>

#include "proto.h"
#include "rndis.h"

/* NDIS_OFFLOAD, revision 3: a header (type, revision, 16 bits of size), then words */
#define OFFLOAD_TYPE 0xa7
#define OFFLOAD_REVISION 3
enum {
	OFFLOAD_HEADER,
	OFFLOAD_IP4_TX_ENCAP,
	OFFLOAD_IP4_TX,
	OFFLOAD_IP4_RX_ENCAP,
	OFFLOAD_IP4_RX,
};
#define ENCAP_8023 (1u << 1)
#define CSUM_IP_OPTIONS (1u << 0)
#define CSUM_TCP_OPTIONS (1u << 2)
#define CSUM_TCP (1u << 4)
#define CSUM_UDP (1u << 6)

/* NDIS_OFFLOAD_PARAMETERS: the same header, then bytes */
#define PARAMS_TYPE 0x80
#define PARAMS_MIN 20
#define PARAMS_TCP4 5
#define PARAMS_UDP4 6
/* Values of those: 0 leaves a thing as it is. */
enum { LEAVE, OFF, TX_ON, RX_ON, BOTH_ON };

static uint32_t csum_bits(uint32_t offload)
{
	uint32_t bits = 0;

	if (offload & RNDIS_CSUM_TCP4)
		bits |= CSUM_TCP | CSUM_TCP_OPTIONS | CSUM_IP_OPTIONS;
	if (offload & RNDIS_CSUM_UDP4)
		bits |= CSUM_UDP | CSUM_IP_OPTIONS;
	return bits;
}

void rndis_offload_fill(uint8_t data[RNDIS_OFFLOAD_SIZE], uint32_t to_device,
			uint32_t to_host)
{
	memset(data, 0, RNDIS_OFFLOAD_SIZE);
	put_le32(data, OFFLOAD_TYPE | OFFLOAD_REVISION << 8 |
			       RNDIS_OFFLOAD_SIZE << 16);
	put_le32(data + 4 * OFFLOAD_IP4_TX_ENCAP, ENCAP_8023);
	put_le32(data + 4 * OFFLOAD_IP4_TX, csum_bits(to_device));
	put_le32(data + 4 * OFFLOAD_IP4_RX_ENCAP, ENCAP_8023);
	put_le32(data + 4 * OFFLOAD_IP4_RX, csum_bits(to_host));
}

static uint32_t turn(uint32_t now, uint32_t bit, uint8_t value, uint8_t on)
{
	if (value == on || value == BOTH_ON)
		return now | bit;
	return value == LEAVE ? now : now & ~bit;
}

bool rndis_offload_set(const uint8_t *data, uint32_t len, uint32_t *to_device,
		       uint32_t *to_host)
{
	uint32_t size;

	if (len < PARAMS_MIN)
		return false;
	size = data[2] | data[3] << 8;
	if (data[0] != PARAMS_TYPE || size < PARAMS_MIN || size > len ||
	    data[PARAMS_TCP4] > BOTH_ON || data[PARAMS_UDP4] > BOTH_ON)
		return false;
	*to_device =
		turn(*to_device, RNDIS_CSUM_TCP4, data[PARAMS_TCP4], TX_ON);
	*to_device =
		turn(*to_device, RNDIS_CSUM_UDP4, data[PARAMS_UDP4], TX_ON);
	/* The form of "left out" that goes to hosts has none for UDP. */
	*to_host = turn(*to_host, RNDIS_CSUM_TCP4, data[PARAMS_TCP4], RX_ON);
	return true;
}
