// SPDX-License-Identifier: GPL-2.0
/*
 * The function's endpoints: commands to RNDIS, transfers to the interface.
 */
#include "net.h"
#include "usb/class.h"
#include "usb/descriptors.h"

/* A notice for the host is on its way. */
static bool telling;

static void tell(void)
{
	/* RESPONSE_AVAILABLE, the only one there is */
	static const uint8_t notice[USB_NOTIFY_SIZE] = { 1 };
	static const struct dcd_piece piece = { notice, sizeof(notice) };

	if (telling || !rndis_notice())
		return;
	telling = true;
	dcd_ep_send(USB_EP_NOTIFY, &piece, 1, false);
}

void class_open(enum usb_speed speed)
{
	uint16_t size = usb_bulk_size(speed);

	telling = false;
	if (!dcd_ep_open(USB_EP_NOTIFY, USB_EP_INTERRUPT, USB_NOTIFY_SIZE) ||
	    !dcd_ep_open(USB_EP_IN, USB_EP_BULK, size) ||
	    !dcd_ep_open(USB_EP_OUT, USB_EP_BULK, size))
		return;
	net_tx_open(USB_EP_IN, size);
	net_rx_open(USB_EP_OUT);
}

void class_close(void)
{
	dcd_ep_close(USB_EP_NOTIFY);
	dcd_ep_close(USB_EP_IN);
	dcd_ep_close(USB_EP_OUT);
	rndis_reset();
	net_rx_close();
	net_tx_close();
}

bool class_command(const uint8_t *data, uint16_t len)
{
	bool good = rndis_command(data, len);

	tell();
	return good;
}

uint16_t class_response(uint8_t *data, uint16_t size)
{
	return rndis_response(data, size);
}

void class_sent(uint8_t address)
{
	if (address == USB_EP_IN) {
		net_tx_done();
	} else if (address == USB_EP_NOTIFY) {
		telling = false;
		tell();
	}
}

void class_received(uint8_t address, uint32_t len)
{
	if (address == USB_EP_OUT)
		net_rx_done(len);
}
