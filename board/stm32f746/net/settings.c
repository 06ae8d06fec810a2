// SPDX-License-Identifier: GPL-2.0
/*
 * The rule of the windows: a connection has room for what its peer may send at once,
 * or it stalls for seconds when that comes.
 */
#include "config.h"
#include "net.h"

const struct net_settings net_settings = {
	.mss = BOARD_MSS,
	.tx_win = BOARD_TX_WIN,
	.tx_buf = BOARD_TX_BUF,
	.rx_win = BOARD_RX_WIN,
	.rx_buf = BOARD_RX_BUF,
	.rx_memory = BOARD_RX_BLOCKS * BOARD_RX_BLOCK,
	.rx_transfer = BOARD_RX_TRANSFER,
};

const char *net_settings_wrong(const struct net_settings *s)
{
	if (!s->tx_win || !s->rx_win || s->mss < 536)
		return "settings: windows of 1 segment and segments of 536 bytes are the least";
	/* TCP's window field, without scaling */
	if (s->rx_win * s->mss > 0xffff || s->tx_buf > 0xffff)
		return "settings: windows and TX_BUF are at most 65535 bytes";
	if (s->tx_buf < s->tx_win * s->mss)
		return "settings: TX_BUF is smaller than TX_WIN segments";
	if (s->rx_buf < s->rx_win * s->mss)
		return "settings: RX_BUF is smaller than RX_WIN segments";
	/* One transfer is being received while others are kept. */
	if (s->rx_memory < s->rx_buf + 2 * s->rx_transfer)
		return "settings: receive memory has no room for RX_BUF and two transfers";
	return NULL;
}
