// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers to the host.  The registers are told about a part at a time: as many packets as
 * they can count, one packet on endpoint 0, and the final packet of no bytes always alone.
 * The pieces are copied into the FIFO packet by packet, as it has room.
 */
#include <string.h>

#include "otg.h"

static uint32_t otg_in_part_max(unsigned int n)
{
	return n ? otg.in[n].maxpacket * EPTSIZ_PKTCNT_MAX : otg.in[n].maxpacket;
}

static uint32_t otg_in_packets(const struct otg_in *in)
{
	return in->part ? (in->part + in->maxpacket - 1) / in->maxpacket : 1;
}

/* Points to a byte of the transfer, by its distance from the beginning. */
static void otg_in_seek(struct otg_in *in, uint32_t offset)
{
	in->piece = 0;
	while (in->piece < in->count && offset >= in->pieces[in->piece].len)
		offset -= in->pieces[in->piece++].len;
	in->offset = offset;
}

/* Up to four bytes from wherever they lie; the word's other bytes are 0. */
static uint32_t otg_in_straddle(struct otg_in *in, uint32_t left)
{
	uint8_t bytes[4] = { 0 };
	uint32_t word;

	for (unsigned int i = 0; i < 4 && i < left; i++) {
		while (in->offset == in->pieces[in->piece].len) {
			in->piece++;
			in->offset = 0;
		}
		bytes[i] = ((const uint8_t *)in->pieces[in->piece].data)[in->offset++];
	}
	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* One packet; the FIFO has room for it. */
static void otg_in_packet(unsigned int n, uint32_t len)
{
	struct otg_in *in = &otg.in[n];
	uint32_t fifo = OTG_FIFO(n);

	while (len) {
		const struct dcd_piece *piece = &in->pieces[in->piece];
		uint32_t run = piece->len - in->offset;
		const uint8_t *data = (const uint8_t *)piece->data + in->offset;

		if (run > len)
			run = len;
		run &= ~3u;
		for (const uint8_t *end = data + run; data < end; data += 4) {
			uint32_t word;

			memcpy(&word, data, sizeof(word));
			otg_write(fifo, word);
		}
		in->offset += run;
		len -= run;
		if (len) {
			otg_write(fifo, otg_in_straddle(in, len));
			len -= len < 4 ? len : 4;
		}
	}
}

/* Fills the FIFO with whole packets; interrupts when it drains as long as there are more. */
static void otg_in_fill(unsigned int n)
{
	struct otg_in *in = &otg.in[n];
	uint32_t empty = otg_read(DIEPEMPMSK) & ~DAINT_IN(n);

	while (in->written < in->part) {
		uint32_t len = in->part - in->written;

		if (len > in->maxpacket)
			len = in->maxpacket;
		if ((otg_read(DTXFSTS(n)) & 0xffff) < (len + 3) / 4) {
			empty |= DAINT_IN(n);
			break;
		}
		otg_in_packet(n, len);
		in->written += len;
	}
	otg_write(DIEPEMPMSK, empty);
}

void otg_in_start(unsigned int n)
{
	struct otg_in *in = &otg.in[n];
	uint32_t size;

	if (in->halted || (n == 0 && otg_setup_waits()))
		return;
	in->part = in->len - in->pos;
	if (in->part > otg_in_part_max(n))
		in->part = otg_in_part_max(n);
	in->written = 0;
	otg_in_seek(in, in->pos);

	size = in->part | EPTSIZ_PKTCNT_SET(otg_in_packets(in));
	if (in->type == USB_EP_INTERRUPT || in->type == USB_EP_ISOCHRONOUS)
		size |= DIEPTSIZ_MULCNT(1);
	otg_write(DIEPTSIZ(n), size);
	otg_ep_control(DIEPCTL(n), EPCTL_EPENA | EPCTL_CNAK, 0);
	otg_in_fill(n);
}

/* The part is with the host. */
static void otg_in_part_done(unsigned int n)
{
	struct otg_in *in = &otg.in[n];

	if (!in->active)
		return;
	in->pos += in->part;
	in->part = 0;
	if (in->pos < in->len) {
		otg_in_start(n);
	} else if (in->zlp) {
		in->zlp = false;
		otg_in_start(n);
	} else {
		in->done = true;
		otg_note();
	}
}

static void otg_in_check_done(unsigned int n)
{
	if (otg_read(DIEPINT(n)) & EPINT_XFRC) {
		otg_write(DIEPINT(n), EPINT_XFRC);
		otg_in_part_done(n);
	}
}

void otg_in_service(unsigned int n)
{
	otg_in_check_done(n);
	if (otg_read(DIEPEMPMSK) & DAINT_IN(n))
		otg_in_fill(n);
}

/* NAK, and wait until the block has got the word, or has ended the transfer just before. */
static void otg_in_nak(unsigned int n)
{
	otg_write(DIEPINT(n), DIEPINT_INEPNE);
	otg_ep_control(DIEPCTL(n), EPCTL_SNAK, 0);
	for (unsigned int i = 0; i < OTG_WAIT; i++) {
		if (otg_read(DIEPINT(n)) & DIEPINT_INEPNE)
			return;
		if (!(otg_read(DIEPCTL(n)) & EPCTL_EPENA))
			return;
	}
	otg.timeouts++;
}

/* By the manual: disable what is told to NAK, and wait. */
static void otg_in_disable(unsigned int n)
{
	struct otg_in *in = &otg.in[n];
	uint32_t left;

	if (!(otg_read(DIEPCTL(n)) & EPCTL_NAKSTS))
		otg_in_nak(n);
	if (!(otg_read(DIEPCTL(n)) & EPCTL_EPENA))
		return;
	otg_ep_control(DIEPCTL(n), EPCTL_EPDIS | EPCTL_SNAK, 0);
	otg_wait(DIEPINT(n), EPINT_EPDISD);
	otg_write(DIEPINT(n), DIEPINT_INEPNE | EPINT_EPDISD);
	/* Packets that the host has not acknowledged are sent again, if at all. */
	left = EPTSIZ_PKTCNT(otg_read(DIEPTSIZ(n)));
	in->pos += (otg_in_packets(in) - left) * in->maxpacket;
}

void otg_in_stop(unsigned int n)
{
	otg_write(DIEPEMPMSK, otg_read(DIEPEMPMSK) & ~DAINT_IN(n));
	if (otg_read(DIEPCTL(n)) & EPCTL_EPENA) {
		otg_in_disable(n);
		otg_fifo_flush_tx(n);
	}
	otg_in_check_done(n);
}

void otg_in_abort(unsigned int n)
{
	struct otg_in *in = &otg.in[n];

	in->halted = true;
	otg_in_stop(n);
	in->halted = false;
	in->active = false;
	in->done = false;
}

void otg_in_deliver(unsigned int n)
{
	struct otg_in *in = &otg.in[n];

	if (!in->done)
		return;
	in->done = false;
	in->active = false;
	usbd_sent((uint8_t)(USB_DIR_IN | n));
}

void dcd_ep_send(uint8_t address, const struct dcd_piece *pieces, unsigned int n, bool zlp)
{
	unsigned int number = address & 0xf;
	struct otg_in *in = &otg.in[number];

	if (!in->open)
		return;
	memcpy(in->pieces, pieces, n * sizeof(*pieces));
	in->count = n;
	in->len = 0;
	for (unsigned int i = 0; i < n; i++)
		in->len += pieces[i].len;
	in->zlp = zlp && in->len && in->len % in->maxpacket == 0;
	in->pos = 0;
	in->active = true;
	otg_in_start(number);
}
