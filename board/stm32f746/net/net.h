/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between RNDIS and lwIP: frames from transfers (rx.c, gro.c), frames into
 * transfers (tx.c), the interface (netif.c), and what is counted.
 */
#ifndef BOARD_NET_H
#define BOARD_NET_H

#include "lwip/netif.h"
#include "lwip/stats.h"
#include "rndis/rndis.h"
#include "usb/dcd.h"

/* Counters of the data path; the status page shows all of them. */
#define NET_COUNTERS(C)     \
	C(rx_transfers)     \
	C(rx_messages)      \
	C(rx_bytes)         \
	C(rx_malformed)     \
	C(rx_too_long)      \
	C(rx_bad_sum)       \
	C(rx_sum_left)      \
	C(rx_joined)        \
	C(rx_no_frame)      \
	C(rx_kept_too_much) \
	C(rx_waits)         \
	C(rx_reserve)       \
	C(rx_payload_left)  \
	C(tx_transfers)     \
	C(tx_messages)      \
	C(tx_bytes)         \
	C(tx_sum_left)      \
	C(tx_full)          \
	C(tx_errors)        \
	C(copied_rx)        \
	C(copied_tx)        \
	C(copied_small)     \
	C(copied_low)       \
	C(copied_pieces)

#define NET_FIELD(name) uint32_t name;
struct net_stats {
	NET_COUNTERS(NET_FIELD)
};

extern struct net_stats net_stats;
extern struct netif net_if;

/* lwIP, the interface, the buffers */
void net_init(void);

/* Of lwIP's heap, now */
static inline uint32_t net_heap_free(void)
{
	return MEM_SIZE - lwip_stats.mem.used;
}

/* -- rx.c: from the host ------------------------------------------------------------------ */

void net_rx_open(uint8_t endpoint);
void net_rx_close(void);
/* The transfer that was begun has ended. */
void net_rx_done(uint32_t len);
/* Begins one when that was not possible before.  Return: whether it did. */
bool net_rx_poll(void);

/* A frame that lwIP has freed, or may be given. */
struct pbuf *net_frame(uint8_t *data, uint32_t len);
/* To lwIP, with the checks that are left to do: NETIF_CHECKSUM_CHECK_* */
void net_deliver(struct pbuf *p, uint16_t checks);
#define NET_CHECK_LEFT (NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_ICMP)
#define NET_CHECK_ALL \
	(NET_CHECK_LEFT | NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP)

/* -- gro.c ---------------------------------------------------------------------------------- */

/* A frame of a transfer, to lwIP now or later; takes p. */
void gro_add(struct pbuf *p, bool csum_left);
/* The transfer has ended. */
void gro_flush(void);

/* -- tx.c: to the host ---------------------------------------------------------------------- */

void net_tx_open(uint8_t endpoint, uint16_t maxpacket);
void net_tx_close(void);
void net_tx_done(void);
err_t net_tx(struct netif *netif, struct pbuf *p);

/* -- settings.c ------------------------------------------------------------------------------ */

/* Why the settings cannot be used; NULL when they can. */
struct net_settings {
	uint32_t mss;
	uint32_t tx_win;
	uint32_t tx_buf;
	uint32_t rx_win;
	uint32_t rx_buf;
	uint32_t rx_memory;
	uint32_t rx_transfer;
};
const char *net_settings_wrong(const struct net_settings *settings);
extern const struct net_settings net_settings;

#endif /* BOARD_NET_H */
