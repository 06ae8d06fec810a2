/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What RNDIS messages carry beside frames: per-packet information, and the
 * objects of the TCP offload OIDs.  Microsoft's NDIS 6 defines them; Hyper-V's
 * network device speaks the same.  All of it is little endian.
 */
#ifndef _SL_NDIS_H
#define _SL_NDIS_H

#include <linux/bits.h>
#include <linux/types.h>

#define NDIS_OID_OFFLOAD_CONFIG		0xfc01020b	/* query: what is on */
#define NDIS_OID_OFFLOAD_PARAMETERS	0xfc01020c	/* set: struct ndis_params */
#define NDIS_OID_OFFLOAD_CAPABILITIES	0xfc01020d	/* query: struct ndis_offload */

struct ndis_header {
	u8 type;
	u8 revision;
	__le16 size;
};

#define NDIS_TYPE_DEFAULT		0x80
#define NDIS_TYPE_OFFLOAD		0xa7

/* ip4_txenc and the like: plain Ethernet frames */
#define NDIS_ENCAP_8023			BIT(1)
/* ip4_txcsum, ip4_rxcsum */
#define NDIS_CSUM_IP4_OPTIONS		BIT(0)
#define NDIS_CSUM_TCP4_OPTIONS		BIT(2)
#define NDIS_CSUM_TCP4			BIT(4)
#define NDIS_CSUM_UDP4			BIT(6)
/* ip6_txcsum, ip6_rxcsum */
#define NDIS_CSUM_TCP6_OPTIONS		BIT(2)
#define NDIS_CSUM_TCP6			BIT(4)
#define NDIS_CSUM_UDP6			BIT(6)
/* ip6_options */
#define NDIS_LSO_TCP6_OPTIONS		BIT(2)

/**
 * struct ndis_offload - what a device can do (NDIS_OFFLOAD, revision 3)
 * @lso_ip4_max: bytes of TCP payload in one large frame
 * @lso_ip4_min: segments that a large frame has at least
 * @rsc_ip4: the device can send large frames to the host
 */
struct ndis_offload {
	struct ndis_header header;
	__le32 ip4_txenc;
	__le32 ip4_txcsum;
	__le32 ip4_rxenc;
	__le32 ip4_rxcsum;
	__le32 ip6_txenc;
	__le32 ip6_txcsum;
	__le32 ip6_rxenc;
	__le32 ip6_rxcsum;
	__le32 lso1[4];
	__le32 ipsec1[7];
	__le32 lso_ip4_encap;
	__le32 lso_ip4_max;
	__le32 lso_ip4_min;
	__le32 lso_ip6_encap;
	__le32 lso_ip6_max;
	__le32 lso_ip6_min;
	__le32 lso_ip6_options;
	__le32 flags;
	__le32 ipsec2[8];
	u8 rsc_ip4;
	u8 rsc_ip6;
	u8 reserved[2];
	__le32 encap_flags;
	__le32 encap_max_header;
} __packed;

#define NDIS_OFFLOAD_REVISION		3

/* The members of struct ndis_params; 0 leaves a thing as it is. */
#define NDIS_DISABLED			1
#define NDIS_TX_ENABLED			2
#define NDIS_RX_ENABLED			3
#define NDIS_TX_RX_ENABLED		4
#define NDIS_LSO2_ENABLED		2
#define NDIS_RSC_ENABLED		2

/* struct ndis_params - what the host turns on (NDIS_OFFLOAD_PARAMETERS) */
struct ndis_params {
	struct ndis_header header;
	u8 ip4_csum;
	u8 tcp4_csum;
	u8 udp4_csum;
	u8 tcp6_csum;
	u8 udp6_csum;
	u8 lso1;
	u8 ipsec1;
	u8 lso2_ip4;
	u8 lso2_ip6;
	u8 connection_ip4;
	u8 connection_ip6;
	u8 reserved;
	__le32 flags;
	u8 ipsec2;
	u8 ipsec2_ip4;
	u8 rsc_ip4;
	u8 rsc_ip6;
	u8 encap_offload;
	u8 encap_types;
	u8 reserved2[2];
} __packed;

#define NDIS_PARAMS_REVISION		3
/* Revision 1 ends before this; what a short one lacks is left as it is. */
#define NDIS_PARAMS_SIZE_MIN		offsetof(struct ndis_params, ipsec2)

/* One piece of per-packet information; its value follows at @offset. */
struct ndis_packet_info {
	__le32 size;	/* all of it */
	__le32 type;
	__le32 offset;	/* from the start of this structure */
} __packed;

#define NDIS_INFO_CSUM			0
#define NDIS_INFO_LSO			2

/* NDIS_INFO_CSUM from host to device: the device is to fill the checksum in */
#define NDIS_CSUM_TX_IP4		BIT(0)
#define NDIS_CSUM_TX_IP6		BIT(1)
#define NDIS_CSUM_TX_TCP		BIT(2)
#define NDIS_CSUM_TX_UDP		BIT(3)
#define NDIS_CSUM_TX_IP_HEADER		BIT(4)
#define NDIS_CSUM_TX_OFFSET		GENMASK(25, 16)

/* and from device to host: what the device says of the frame */
#define NDIS_CSUM_RX_TCP_FAILED		BIT(0)
#define NDIS_CSUM_RX_UDP_FAILED		BIT(1)
#define NDIS_CSUM_RX_IP_FAILED		BIT(2)
#define NDIS_CSUM_RX_TCP_GOOD		BIT(3)
#define NDIS_CSUM_RX_UDP_GOOD		BIT(4)
#define NDIS_CSUM_RX_IP_GOOD		BIT(5)
/* Good, but the field in the header does not say so. */
#define NDIS_CSUM_RX_TCP_INVALID	BIT(7)

/* NDIS_INFO_LSO, version 2 */
#define NDIS_LSO_MSS			GENMASK(19, 0)
#define NDIS_LSO_OFFSET			GENMASK(29, 20)
#define NDIS_LSO_V2			BIT(30)
#define NDIS_LSO_IP6			BIT(31)

#endif /* _SL_NDIS_H */
