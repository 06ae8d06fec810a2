/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lwIP's settings.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#include "config.h"

/* One loop, no threads */
#define NO_SYS				1
#define SYS_LIGHTWEIGHT_PROT		0
#define LWIP_NETCONN			0
#define LWIP_SOCKET			0
#define LWIP_SINGLE_NETIF		1

#define MEM_ALIGNMENT			__SIZEOF_POINTER__
#define MEM_SIZE			BOARD_HEAP
#define MEM_LIBC_MALLOC			0

/* Of two bytes: a segment may have frames of several transfers. */
#define LWIP_SUPPORT_CUSTOM_PBUF	1
#define PBUF_POOL_SIZE			1
#define PBUF_POOL_BUFSIZE		64
/* What ties payload that stays where it is to the headers before it */
#define MEMP_NUM_PBUF			224
#define MEMP_NUM_TCP_PCB		BOARD_CONNECTIONS
#define MEMP_NUM_TCP_PCB_LISTEN		4
#define MEMP_NUM_TCP_SEG		224
#define MEMP_NUM_UDP_PCB		2
#define MEMP_NUM_FRAG_PBUF		16

#define LWIP_IPV4			1
#define LWIP_IPV6			0
#define LWIP_ICMP			1
#define LWIP_RAW			0
#define LWIP_DHCP			0
/* A host that asks our server for an address has none to send from. */
#define LWIP_IP_ACCEPT_UDP_PORT(port)	((port) == PP_NTOHS(67))
#define LWIP_DNS			0
#define LWIP_IGMP			0
#define IP_REASSEMBLY			1
#define IP_REASS_MAX_PBUFS		8
#define MEMP_NUM_REASSDATA		2
#define ARP_TABLE_SIZE			4
#define ARP_QUEUEING			0

#define TCP_MSS				BOARD_MSS
#define TCP_WND				(BOARD_RX_WIN * BOARD_MSS)
#define TCP_SND_BUF			BOARD_TX_BUF
/* Pieces of payload and headers in a connection's send queue */
#define TCP_SND_QUEUELEN		64
#define TCP_QUEUE_OOSEQ			0
#define LWIP_TCP_TIMESTAMPS		0
#define LWIP_TCP_KEEPALIVE		0
/* Forgotten soon: the peer is one cable away. */
#define TCP_MSL				1000
#define TCP_LISTEN_BACKLOG		1

/*
 * The rule of the windows is ours to check, at the start: lwIP's would not let
 * a build that breaks it happen.
 */
#define LWIP_DISABLE_TCP_SANITY_CHECKS	1

/* Which sums are checked or made is said for each frame, as the host left them out or not. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF	1
#define LWIP_CHKSUM_ALGORITHM		3

#define LWIP_STATS			1
#define LWIP_STATS_LARGE		1
#define MEM_STATS			1
#define MEMP_STATS			1
#define LINK_STATS			0
#define ETHARP_STATS			0
#define IP_STATS			0
#define IPFRAG_STATS			0
#define ICMP_STATS			0
#define UDP_STATS			0
#define SYS_STATS			0
#define TCP_STATS			1
#define MIB2_STATS			1

#define LWIP_NETIF_LINK_CALLBACK	0
#define LWIP_NETIF_STATUS_CALLBACK	0
#define LWIP_NETIF_TX_SINGLE_PBUF	0

#endif /* LWIPOPTS_H */
