// SPDX-License-Identifier: GPL-2.0
/*
 * The network interface.
 */
#include <string.h>

#include "board.h"
#include "config.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "net.h"
#include "rndis/proto.h"

#define IP4_OF(...) IP4_ADDR(__VA_ARGS__)

struct net_stats net_stats;
struct netif net_if;

/* Sums that lwIP makes: NETIF_CHECKSUM_GEN_* */
static uint16_t sums_made;

uint32_t sys_now(void);
uint32_t sys_now(void)
{
	return board_ms();
}

static err_t set_up(struct netif *netif)
{
	static const uint8_t mac[] = { BOARD_MAC };

	netif->name[0] = 'u';
	netif->name[1] = 's';
	memcpy(netif->hwaddr, mac, sizeof(mac));
	netif->hwaddr_len = sizeof(mac);
	netif->mtu = BOARD_MSS + 40;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
		       NETIF_FLAG_ETHERNET;
	netif->output = etharp_output;
	netif->linkoutput = net_tx;
	return ERR_OK;
}

/* Nobody answers any more, and what connections keep is wanted. */
static void abort_connections(void)
{
	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
}

/* The host's word about link and offload */
void rndis_changed(void)
{
	sums_made = NETIF_CHECKSUM_GEN_IP | NETIF_CHECKSUM_GEN_UDP |
		    NETIF_CHECKSUM_GEN_ICMP;
	if (!(rndis.to_host & RNDIS_CSUM_TCP4))
		sums_made |= NETIF_CHECKSUM_GEN_TCP;
	NETIF_SET_CHECKSUM_CTRL(&net_if, sums_made);

	if (rndis_up() == !!netif_is_link_up(&net_if))
		return;
	if (rndis_up()) {
		netif_set_link_up(&net_if);
		board_log("link up, %s\n", rndis.to_host ?
						   "checksums left out" :
						   "checksums made");
	} else {
		netif_set_link_down(&net_if);
		abort_connections();
		board_log("link down\n");
	}
}

void net_deliver(struct pbuf *p, uint16_t checks)
{
	NETIF_SET_CHECKSUM_CTRL(&net_if, sums_made | checks);
	if (net_if.input(p, &net_if) != ERR_OK)
		pbuf_free(p);
}

uint32_t rndis_statistic(uint32_t oid)
{
	switch (oid) {
	case OID_GEN_XMIT_OK:
		return net_stats.tx_messages;
	case OID_GEN_RCV_OK:
		return net_stats.rx_messages;
	case OID_GEN_XMIT_ERROR:
		return net_stats.tx_errors;
	case OID_GEN_RCV_ERROR:
		return net_stats.rx_malformed + net_stats.rx_too_long +
		       net_stats.rx_bad_sum;
	default:
		return net_stats.rx_no_frame;
	}
}

void net_init(void)
{
	const char *wrong = net_settings_wrong(&net_settings);
	ip4_addr_t ip, mask, none;

	if (wrong)
		board_fail(wrong);
	lwip_init();
	IP4_OF(&ip, BOARD_IP);
	IP4_OF(&mask, BOARD_NETMASK);
	ip4_addr_set_zero(&none);
	netif_add(&net_if, &ip, &mask, &none, NULL, set_up, netif_input);
	netif_set_default(&net_if);
	netif_set_up(&net_if);
	rndis_reset();
}
