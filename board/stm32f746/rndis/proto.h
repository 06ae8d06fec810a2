/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RNDIS on the wire: little endian, of 32-bit words.
 */
#ifndef BOARD_RNDIS_PROTO_H
#define BOARD_RNDIS_PROTO_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Types of messages; an answer's is its question's with the top bit set. */
enum {
	RNDIS_PACKET = 1,
	RNDIS_INITIALIZE,
	RNDIS_HALT,
	RNDIS_QUERY,
	RNDIS_SET,
	RNDIS_RESET,
	RNDIS_INDICATE,
	RNDIS_KEEPALIVE,
};
#define RNDIS_COMPLETE 0x80000000u

#define RNDIS_SUCCESS 0x00000000u
#define RNDIS_FAILURE 0xc0000001u
#define RNDIS_NOT_SUPPORTED 0xc00000bbu
#define RNDIS_INVALID_DATA 0xc0010015u

/* Objects: the ordinary ones */
#define OID_GEN_SUPPORTED_LIST 0x00010101u
#define OID_GEN_HARDWARE_STATUS 0x00010102u
#define OID_GEN_MEDIA_SUPPORTED 0x00010103u
#define OID_GEN_MEDIA_IN_USE 0x00010104u
#define OID_GEN_MAXIMUM_FRAME_SIZE 0x00010106u
#define OID_GEN_LINK_SPEED 0x00010107u
#define OID_GEN_TRANSMIT_BLOCK_SIZE 0x0001010au
#define OID_GEN_RECEIVE_BLOCK_SIZE 0x0001010bu
#define OID_GEN_VENDOR_ID 0x0001010cu
#define OID_GEN_VENDOR_DESCRIPTION 0x0001010du
#define OID_GEN_CURRENT_PACKET_FILTER 0x0001010eu
#define OID_GEN_MAXIMUM_TOTAL_SIZE 0x00010111u
#define OID_GEN_MEDIA_CONNECT_STATUS 0x00010114u
#define OID_GEN_VENDOR_DRIVER_VERSION 0x00010116u
#define OID_GEN_PHYSICAL_MEDIUM 0x00010202u
#define OID_802_3_PERMANENT_ADDRESS 0x01010101u
#define OID_802_3_CURRENT_ADDRESS 0x01010102u
#define OID_802_3_MULTICAST_LIST 0x01010103u
#define OID_802_3_MAXIMUM_LIST_SIZE 0x01010104u
/* Statistics */
#define OID_GEN_XMIT_OK 0x00020101u
#define OID_GEN_RCV_OK 0x00020102u
#define OID_GEN_XMIT_ERROR 0x00020103u
#define OID_GEN_RCV_ERROR 0x00020104u
#define OID_GEN_RCV_NO_BUFFER 0x00020105u
#define OID_802_3_RCV_ERROR_ALIGNMENT 0x01020101u
#define OID_802_3_XMIT_ONE_COLLISION 0x01020102u
#define OID_802_3_XMIT_MORE_COLLISIONS 0x01020103u
/* Offload */
#define OID_OFFLOAD_CONFIG 0xfc01020bu
#define OID_OFFLOAD_PARAMETERS 0xfc01020cu
#define OID_OFFLOAD_CAPABILITIES 0xfc01020du

/* Of a packet message: words of its header; offsets in it count from its third word. */
enum {
	PACKET_TYPE,
	PACKET_LEN,
	PACKET_DATA_OFFSET,
	PACKET_DATA_LEN,
	PACKET_OOB_OFFSET,
	PACKET_OOB_LEN,
	PACKET_OOB_COUNT,
	PACKET_INFO_OFFSET,
	PACKET_INFO_LEN,
	PACKET_HANDLE,
	PACKET_RESERVED,
	PACKET_WORDS,
};
#define RNDIS_BASE 8
#define RNDIS_HEADER (4 * PACKET_WORDS)

/* Per-packet information: words, then what they say of a checksum. */
enum { INFO_SIZE, INFO_TYPE, INFO_OFFSET, INFO_WORDS };
#define RNDIS_INFO (4 * INFO_WORDS)
#define INFO_CSUM 0
/* From the host: the sum is left out; it is the pseudo header's instead. */
#define CSUM_TX_TCP (1u << 2)
#define CSUM_TX_UDP (1u << 3)
/* To the host: it is good, but the field does not say so. */
#define CSUM_RX_TCP_GOOD (1u << 3)
#define CSUM_RX_TCP_INVALID (1u << 7)

static inline uint32_t get_le32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline void put_le32(void *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "all our machines are");

/* Whether [offset, offset + len) is within size bytes and not before base. */
static inline bool rndis_within(uint32_t base, uint32_t size, uint32_t offset,
				uint32_t len)
{
	return offset >= base && offset <= size && len <= size - offset;
}

#endif /* BOARD_RNDIS_PROTO_H */
