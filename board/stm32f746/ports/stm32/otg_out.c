// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers from the host, and SETUP.  All that is known of them comes out of the receive
 * FIFO, which may be drained from anywhere; the core hears of it from dcd_poll() alone.
 */
#include <string.h>

#include "otg.h"

/*
 * Endpoint 0 takes one packet at a time, of the full size whatever is expected.  So this
 * value is the only one ever written, and it can be while the endpoint is enabled.
 */
#define DOEPTSIZ0_VALUE (OTG_EP0_SIZE | EPTSIZ_PKTCNT_SET(1) | DOEPTSIZ0_STUPCNT(3))

void otg_out_size(unsigned int n)
{
	struct otg_out *out = &otg.out[n];
	uint32_t packets;

	if (n == 0) {
		otg_write(DOEPTSIZ(0), DOEPTSIZ0_VALUE);
		return;
	}
	packets = (out->len - out->got) / out->maxpacket;
	if (packets > EPTSIZ_PKTCNT_MAX)
		packets = EPTSIZ_PKTCNT_MAX;
	if (packets == 0)
		packets = 1;
	otg_write(DOEPTSIZ(n), EPTSIZ_PKTCNT_SET(packets) | packets * out->maxpacket);
}

/*
 * Enabling endpoint 0 lifts the NAK that the block has put on it for a SETUP.  So look for
 * one first: an answer to the SETUP before it is for nobody.  One that comes only now finds
 * the endpoint enabled, but no host abandons a request that it has just seen progress of.
 */
bool otg_setup_waits(void)
{
	otg_fifo_drain();
	return otg.setup_begun;
}

void otg_out_start(unsigned int n)
{
	if (otg.out[n].halted || (n == 0 && otg_setup_waits()))
		return;
	otg_out_size(n);
	otg_ep_control(DOEPCTL(n), EPCTL_EPENA | EPCTL_CNAK, 0);
}

/* The block leaves a mark in the receive FIFO, and says when that has been taken. */
static void otg_global_nak(void)
{
	otg_write(DCTL, otg_read(DCTL) | DCTL_SGONAK);
	for (unsigned int i = 0; i < OTG_WAIT; i++) {
		otg_fifo_drain();
		if (otg_read(GINTSTS) & GINT_GONAKEFF)
			return;
	}
	otg.timeouts++;
}

/* By the manual: NAK everything from the host, until that is in effect; only then disable. */
void otg_out_stop(uint32_t mask)
{
	uint32_t enabled = 0;

	for (unsigned int n = 1; n < DCD_ENDPOINTS; n++) {
		if (mask & 1u << n && otg_read(DOEPCTL(n)) & EPCTL_EPENA)
			enabled |= 1u << n;
	}
	if (!enabled)
		return;

	otg_global_nak();
	for (unsigned int n = 1; n < DCD_ENDPOINTS; n++) {
		/* It may have come to its end meanwhile. */
		if (!(enabled & 1u << n) || !(otg_read(DOEPCTL(n)) & EPCTL_EPENA))
			continue;
		otg_ep_control(DOEPCTL(n), EPCTL_EPDIS | EPCTL_SNAK, 0);
		otg_wait(DOEPINT(n), EPINT_EPDISD);
		otg_write(DOEPINT(n), EPINT_EPDISD);
	}
	otg_write(DCTL, otg_read(DCTL) | DCTL_CGONAK);
}

static uint32_t otg_fifo_word(void)
{
	return otg_read(OTG_FIFO(0));
}

/* What there is no room for is taken out and dropped. */
void otg_out_data(unsigned int n, uint32_t len)
{
	struct otg_out *out = &otg.out[n];
	uint32_t room = out->active ? out->len - out->got : 0;
	uint32_t take = len < room ? len : room, at = 0, word;
	uint8_t *data = take ? out->data + out->got : NULL;

	/* Aligned: whole packets came before, and those are whole words. */
	for (; at + 4 <= take; at += 4) {
		word = otg_fifo_word();
		memcpy(__builtin_assume_aligned(data + at, 4), &word, 4);
	}
	if (at < take) {
		word = otg_fifo_word();
		memcpy(data + at, &word, take - at);
		at += 4;
	}
	for (; at < len; at += 4)
		otg_fifo_word();
	out->got += take;
	out->ended = len < out->maxpacket;
}

/* The block ends the transfer when this entry has been taken, a few clocks later. */
void otg_out_done(unsigned int n)
{
	otg_wait(DOEPINT(n), EPINT_XFRC);
	otg_write(DOEPINT(n), EPINT_XFRC);
	otg.out[n].part_done = true;
	otg_note();
}

void otg_setup_data(uint32_t len)
{
	otg.setup_begun = true;
	/* Of several SETUPs, the last. */
	otg.setup_come = false;
	for (uint32_t at = 0; at < len; at += 4) {
		uint32_t word = otg_fifo_word();

		if (at / 4 < 2)
			otg.setup[at / 4] = word;
	}
}

/* Taking this entry disables endpoint 0's OUT side, if it was enabled. */
void otg_setup_done(void)
{
	otg_wait(DOEPINT(0), DOEPINT_STUP);
	/* This version of the block also reports SETUP as a transfer; nobody looks at that. */
	otg_write(DOEPINT(0), DOEPINT_STUP | DOEPINT_STPKTRX | EPINT_XFRC);
	otg_out_size(0);
	otg.setup_come = true;
	otg_note();
}

void otg_out_deliver(unsigned int n)
{
	struct otg_out *out = &otg.out[n];

	if (!out->part_done)
		return;
	out->part_done = false;
	if (!out->active)
		return;
	if (out->ended || out->got == out->len) {
		out->active = false;
		usbd_received((uint8_t)n, out->got);
	} else {
		otg_out_start(n);
	}
}

void otg_setup_deliver(void)
{
	uint8_t setup[8];

	if (!otg.setup_come)
		return;
	/* An answer to an earlier SETUP may still be in the FIFO. */
	otg_in_abort(0);
	otg.out[0].active = false;
	otg.out[0].part_done = false;
	otg.setup_come = false;
	otg.setup_begun = false;
	memcpy(setup, otg.setup, sizeof(setup));
	usbd_setup(setup);
}

void dcd_ep_receive(uint8_t address, void *data, uint32_t len)
{
	unsigned int n = address & 0xf;
	struct otg_out *out = &otg.out[n];

	if (!out->open)
		return;
	out->data = data;
	out->len = len;
	out->got = 0;
	out->active = true;
	otg_out_start(n);
}
