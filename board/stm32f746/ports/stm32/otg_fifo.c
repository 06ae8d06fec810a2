// SPDX-License-Identifier: GPL-2.0
/*
 * The FIFO memory.  One receive FIFO, for all OUT endpoints and SETUP, lies at the bottom;
 * then TX FIFO 0; then one for each IN endpoint as it is opened.  Nothing is moved while
 * there is traffic: what an endpoint has been given stays its own until the next bus reset.
 *
 *	           receive  TX 0  the rest
 *	OTG_FS         124    16       180   in all 320 words
 *	OTG_HS         409    16       581   in all 1006 (1024, less what the DMA keeps)
 */
#include "otg.h"

/*
 * Words beside the packets: 13 for SETUP, 1 for the mark of the global NAK, and for each
 * OUT endpoint the mark of its transfer's end and one to spare.
 */
#define RX_MARKS (13 + 1 + 2 * DCD_ENDPOINTS)
/* Packets of the largest size that fit, each with its entry */
#define RX_PACKETS_FULL 6
#define RX_PACKETS_HIGH 3

static unsigned int otg_fifo_rx_words(void)
{
	unsigned int words = otg_high_speed() ? RX_PACKETS_HIGH * (512 / 4 + 1) :
						RX_PACKETS_FULL * (64 / 4 + 1);

	return RX_MARKS + words;
}

static void otg_fifo_flush(uint32_t what)
{
	otg_wait(GRSTCTL, GRSTCTL_AHBIDL);
	otg_write(GRSTCTL, what);
	otg_wait_clear(GRSTCTL, GRSTCTL_RXFFLSH | GRSTCTL_TXFFLSH);
}

void otg_fifo_flush_tx(unsigned int n)
{
	otg_fifo_flush(GRSTCTL_TXFFLSH | GRSTCTL_TXFNUM(n));
}

void otg_fifo_init(void)
{
	unsigned int rx = otg_fifo_rx_words();

	otg_write(GRXFSIZ, rx);
	otg_write(DIEPTXF(0), rx | OTG_TX_MIN << 16);
	/* Also makes the block take up the sizes. */
	otg_fifo_flush_tx(GRSTCTL_TXFNUM_ALL);
	otg_fifo_flush(GRSTCTL_RXFFLSH);
	otg.tx_top = (uint16_t)(rx + OTG_TX_MIN);
	otg.in[0].fifo_words = OTG_TX_MIN;
	for (unsigned int n = 1; n < DCD_ENDPOINTS; n++)
		otg.in[n].fifo_words = 0;
}

/* Bulk endpoints want to be filled while they send: three packets, or what there is room for. */
bool otg_fifo_alloc(unsigned int n, enum usb_ep_type type, uint16_t maxpacket)
{
	struct otg_in *in = &otg.in[n];
	unsigned int packet = (maxpacket + 3u) / 4, packets = type == USB_EP_BULK ? 3 : 1;
	unsigned int least = packet > OTG_TX_MIN ? packet : OTG_TX_MIN;
	unsigned int room = otg_fifo_words() - otg.tx_top, words;

	if (in->fifo_words >= least)
		return true;
	if (room < least)
		return false;
	while (packets > 1 && packets * packet > room)
		packets--;
	words = packets * packet > least ? packets * packet : least;
	otg_write(DIEPTXF(n), otg.tx_top | words << 16);
	otg_fifo_flush_tx(n);
	otg.tx_top = (uint16_t)(otg.tx_top + words);
	in->fifo_words = (uint16_t)words;
	return true;
}

static void otg_fifo_entry(uint32_t entry)
{
	unsigned int n = GRXSTS_EPNUM(entry);

	switch (GRXSTS_PKTSTS(entry)) {
	case PKTSTS_OUT_DATA:
		otg_out_data(n, GRXSTS_BCNT(entry));
		break;
	case PKTSTS_OUT_DONE:
		otg_out_done(n);
		break;
	case PKTSTS_SETUP_DATA:
		otg_setup_data(GRXSTS_BCNT(entry));
		break;
	case PKTSTS_SETUP_DONE:
		otg_setup_done();
		break;
	default:
		/* Global NAK: GONAKEFF follows from taking the entry. */
		break;
	}
}

void otg_fifo_drain(void)
{
	while (otg_read(GINTSTS) & GINT_RXFLVL)
		otg_fifo_entry(otg_read(GRXSTSP));
}
