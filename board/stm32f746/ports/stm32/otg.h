/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The OTG driver's own: usb/dcd.h on the registers of otg_regs.h.
 *
 *	otg.c		setting up, bus events, dcd_poll()
 *	otg_fifo.c	sizes of the FIFOs; draining the receive FIFO
 *	otg_in.c	transfers to the host
 *	otg_out.c	transfers from the host, and SETUP
 *	otg_ep.c	opening, closing and halting endpoints
 *	otg_board.c	what the Discovery has around the block (not part of the model's build)
 *
 * The processor moves the data (the block's "slave mode"); the DMA of OTG_HS stays off.
 * It wants one word-aligned buffer for a transfer, where ours are pieces of any alignment,
 * and it does not see the data cache, so that each transfer would need cleaning and
 * invalidating whole lines that lwIP's memory shares with others.  OTG_FS has none anyway.
 * Hence the caches are on, and nothing here has to know.
 */
#ifndef STM32_OTG_H
#define STM32_OTG_H

#include "usb/dcd.h"
#include "otg_io.h"
#include "otg_regs.h"

/* Depth of the smallest TX FIFO, in words */
#define OTG_TX_MIN	16
#define OTG_EP0_SIZE	64
/* Readings until waiting is given up: far more than anything takes, at 50 ns or more each */
#define OTG_WAIT	100000

/**
 * struct otg_in - an endpoint to the host
 * @open: the endpoint exists
 * @halted: answers STALL; what is active goes on when it no longer does
 * @active: between dcd_ep_send() and usbd_sent()
 * @done: all is with the host, usbd_sent() is due
 * @zlp: a packet of no bytes is still to follow the last one
 * @maxpacket: bytes
 * @type: of enum usb_ep_type
 * @fifo_words: of its TX FIFO; kept when it is closed, until the next bus reset
 * @pieces: the whole transfer
 * @count: of them
 * @len: of the whole transfer
 * @pos: where the part under way begins; everything before it is with the host
 * @part: bytes that the registers have been told about in one go
 * @written: bytes of the part that are in the FIFO or beyond
 * @piece: the piece that the next byte for the FIFO comes from
 * @offset: of that byte in the piece
 */
struct otg_in {
	bool open;
	bool halted;
	bool active;
	bool done;
	bool zlp;
	uint16_t maxpacket;
	uint8_t type;
	uint16_t fifo_words;
	struct dcd_piece pieces[DCD_PIECES];
	unsigned int count;
	uint32_t len;
	uint32_t pos;
	uint32_t part;
	uint32_t written;
	unsigned int piece;
	uint32_t offset;
};

/**
 * struct otg_out - an endpoint from the host
 * @open: the endpoint exists
 * @halted: answers STALL; what is active goes on when it no longer does
 * @active: between dcd_ep_receive() and usbd_received()
 * @part_done: the registers' transfer has ended
 * @ended: the last packet was a short one
 * @maxpacket: bytes
 * @data: where the transfer's first byte goes
 * @len: room there
 * @got: bytes that have come
 */
struct otg_out {
	bool open;
	bool halted;
	bool active;
	bool part_done;
	bool ended;
	uint16_t maxpacket;
	uint8_t *data;
	uint32_t len;
	uint32_t got;
};

/**
 * struct otg_state - everything about the controller but the registers
 * @in: by number
 * @out: by number
 * @setup: the last SETUP packet
 * @setup_begun: there is one that the core has not heard of; the block refuses the rest
 * @setup_come: it is complete and waits for usbd_setup()
 * @connected: pull-up on
 * @session: there has been a bus reset since the cable was plugged in
 * @suspended: usbd_suspended() was the last of its kind
 * @tx_top: first word of the FIFO memory that no FIFO has
 * @timeouts: how often a register did not say in time what it should; stays 0
 */
struct otg_state {
	struct otg_in in[DCD_ENDPOINTS];
	struct otg_out out[DCD_ENDPOINTS];
	uint32_t setup[2];
	bool setup_begun;
	bool setup_come;
	bool connected;
	bool session;
	bool suspended;
	uint16_t tx_top;
	unsigned int timeouts;
};

extern struct otg_state otg;

/* -- otg.c ---------------------------------------------------------------------------- */

/* Of the vector table: notes that there is something to do, and keeps the block quiet. */
void otg_interrupt(void);
/* Whether dcd_poll() has anything to do; for going to sleep with interrupts off. */
bool otg_idle(void);
/* dcd_poll() is to run though nothing interrupts. */
void otg_note(void);
/* Waits for one of the bits; false, and counted, when it takes unreasonably long. */
bool otg_wait(uint32_t reg, uint32_t bits);
bool otg_wait_clear(uint32_t reg, uint32_t bits);

/*
 * Changes bits of a DxEPCTL.  EPENA and EPDIS are left out of what is written back: the
 * endpoint may have ended between the reading and the writing, and writing EPENA begins anew.
 */
static inline void otg_ep_control(uint32_t reg, uint32_t set, uint32_t clear)
{
	otg_write(reg, (otg_read(reg) & ~(EPCTL_EPENA | EPCTL_EPDIS | clear)) | set);
}

/* -- otg_fifo.c ----------------------------------------------------------------------- */

/* Divides the FIFO memory as it is after a bus reset, and empties it. */
void otg_fifo_init(void);
/* Gives an IN endpoint a FIFO. */
bool otg_fifo_alloc(unsigned int n, enum usb_ep_type type, uint16_t maxpacket);
void otg_fifo_flush_tx(unsigned int n);
/* Takes everything out of the receive FIFO, into the transfers' memory. */
void otg_fifo_drain(void);

/* -- otg_in.c ------------------------------------------------------------------------- */

/* Tells the registers about what is next of the transfer, unless halted. */
void otg_in_start(unsigned int n);
/* Stops the endpoint; the transfer stays, to go on with what the host has not got. */
void otg_in_stop(unsigned int n);
/* Stops it and forgets the transfer. */
void otg_in_abort(unsigned int n);
/* Interrupt bits of the endpoint. */
void otg_in_service(unsigned int n);
/* usbd_sent() if due. */
void otg_in_deliver(unsigned int n);

/* -- otg_out.c ------------------------------------------------------------------------ */

void otg_out_start(unsigned int n);
/* Writes the transfer's size; also makes room for three more SETUPs on endpoint 0. */
void otg_out_size(unsigned int n);
/* Stops endpoints by mask, of their numbers, at one go; the transfers stay. */
void otg_out_stop(uint32_t mask);
/* Whether there is a SETUP that the core has not been told of. */
bool otg_setup_waits(void);
/* Entries of the receive FIFO */
void otg_out_data(unsigned int n, uint32_t len);
void otg_out_done(unsigned int n);
void otg_setup_data(uint32_t len);
void otg_setup_done(void);
/* usbd_received() if due, or the next part; usbd_setup() if due. */
void otg_out_deliver(unsigned int n);
void otg_setup_deliver(void);

/* -- otg_ep.c ------------------------------------------------------------------------- */

/* Stops and forgets everything; endpoint 0 alone is open afterwards. */
void otg_ep_reset(void);

#endif /* STM32_OTG_H */
