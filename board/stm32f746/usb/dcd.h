/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A USB device controller, as the device core sees it.  One port is linked
 * into each firmware: ports/stm32 (OTG registers), ports/native (a process
 * that speaks usbredir), ports/mps2 (a Cortex-M7 whose serial line does).
 *
 * Everything is called from the main loop: a port's interrupt handler may
 * only note that there is work.  Events come out of dcd_poll() alone, never
 * out of another call, so that neither side is entered twice.
 */
#ifndef BOARD_DCD_H
#define BOARD_DCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum usb_speed {
	USB_SPEED_FULL,
	USB_SPEED_HIGH,
};

/* bmAttributes of an endpoint */
enum usb_ep_type {
	USB_EP_CONTROL,
	USB_EP_ISOCHRONOUS,
	USB_EP_BULK,
	USB_EP_INTERRUPT,
};

#define USB_DIR_IN	0x80
/* Endpoint numbers below this one in either direction */
#define DCD_ENDPOINTS	4

/**
 * struct dcd_piece - a part of a transfer to the host
 * @data: any alignment; stays as it is until the transfer is done
 * @len: bytes, may be 0
 */
struct dcd_piece {
	const void *data;
	uint32_t len;
};

/* -- a port's, called by the core ------------------------------------------------- */

/* Sets the controller up, not connected to the bus. */
void dcd_init(void);

/* Pull-up on, and off. */
void dcd_connect(void);
void dcd_disconnect(void);

/* The fastest the port can do, as told to the device core before enumeration. */
enum usb_speed dcd_speed_max(void);

/* Called while SET_ADDRESS is answered; the port sees to it when it takes effect. */
void dcd_set_address(uint8_t address);

/*
 * Endpoint 0 is open after a reset.  Return: false when the controller has no
 * such endpoint, or no memory for its packets.
 */
bool dcd_ep_open(uint8_t address, enum usb_ep_type type, uint16_t maxpacket);

/* Ends what the endpoint is doing, without an event; the data toggle is reset at opening. */
void dcd_ep_close(uint8_t address);

/*
 * Halts it (endpoint 0: the current control transfer only), and ends that.  A
 * transfer that was pending on a halted endpoint stays pending.
 */
void dcd_ep_stall(uint8_t address);
void dcd_ep_unstall(uint8_t address);

/**
 * dcd_ep_send - begin a transfer to the host
 * @address: of an IN endpoint without one
 * @pieces: sent one behind the other as one transfer; the array itself is copied
 *	or used up before the return, the memory it names is not
 * @n: how many, at least 1 and at most DCD_PIECES
 * @zlp: end with a packet of no bytes if the length is a multiple of the packet size
 *
 * Ends with usbd_sent(), unless the endpoint is closed or the bus reset.  A
 * transfer of no bytes is one packet of none.
 */
#define DCD_PIECES	10
void dcd_ep_send(uint8_t address, const struct dcd_piece *pieces, unsigned int n, bool zlp);

/**
 * dcd_ep_receive - begin a transfer from the host
 * @address: of an OUT endpoint without one
 * @data: 4-byte aligned
 * @len: bytes, a multiple of the packet size but on endpoint 0
 *
 * Ends with usbd_received() when @len bytes have come or a short packet; the port
 * never writes more than @len bytes, whatever the host sends.
 */
void dcd_ep_receive(uint8_t address, void *data, uint32_t len);

/* Does what there is to do, and calls the events below.  Return: whether there was any. */
bool dcd_poll(void);

/* -- the core's, called by the port out of dcd_poll() ------------------------------- */

/* Every endpoint but 0 is closed, every transfer forgotten, the address 0. */
void usbd_reset(enum usb_speed speed);
/* The cable is gone; usbd_reset() comes when it is back. */
void usbd_disconnected(void);
void usbd_suspended(void);
void usbd_resumed(void);
/* Ends every transfer on endpoint 0 that was under way. */
void usbd_setup(const uint8_t setup[8]);
void usbd_sent(uint8_t address);
void usbd_received(uint8_t address, uint32_t len);

#endif /* BOARD_DCD_H */
