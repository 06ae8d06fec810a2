// SPDX-License-Identifier: GPL-2.0
/*
 * The controller of ports whose bus is the usbredir protocol.  The port's parser puts
 * the host's packets into queues; dcd_poll() moves data between those and what the
 * device core has begun, as the packets of a bus would: a short one ends a transfer,
 * and data from the host that is a multiple of packets does not.
 */
#include <string.h>

#include "describe.h"
#include "redir.h"

/**
 * struct redir_ep - one direction of an endpoint
 * @open: by the core
 * @type: of an open one
 * @maxpacket: likewise
 * @halted: the host gets REDIR_STALL
 * @active: the core has begun a transfer
 * @polled: of an interrupt endpoint: the host wants what there is
 * @interrupts: packets sent so far
 * @first: what the host waits for, oldest first
 * @last: of @first's queue
 * @piece: of an IN transfer
 * @pieces: how many
 * @zlp: after all that, a packet of no bytes
 * @data: of an OUT transfer
 * @len: of the transfer, bytes
 * @done: of @len, bytes that have been moved
 */
struct redir_ep {
	bool open;
	enum usb_ep_type type;
	uint16_t maxpacket;
	bool halted;
	bool active;
	bool polled;
	uint64_t interrupts;
	struct redir_packet *first;
	struct redir_packet *last;
	struct dcd_piece piece[DCD_PIECES];
	unsigned int pieces;
	bool zlp;
	uint8_t *data;
	uint32_t len;
	uint32_t done;
};

static struct redir_ep redir_eps[2][DCD_ENDPOINTS];

/**
 * struct redir - the rest
 * @peer: there is one
 * @pull_up: the core wants to be seen
 * @plugged: the peer has been told so
 * @lost: the core is to hear of a lost peer
 * @reset: the core is to hear of a reset
 * @control: the control transfer that the core is at
 * @stalled: the core has refused it
 */
static struct redir {
	bool peer;
	bool pull_up;
	bool plugged;
	bool lost;
	bool reset;
	struct redir_packet *control;
	bool stalled;
} redir;

static struct redir_ep *ep_of(uint8_t address)
{
	if (EP_NUMBER(address) >= DCD_ENDPOINTS)
		return NULL;
	return &redir_eps[!!EP_IS_IN(address)][EP_NUMBER(address)];
}

/* -- queues ------------------------------------------------------------------------- */

static void push(struct redir_ep *ep, struct redir_packet *packet)
{
	packet->next = NULL;
	packet->done = 0;
	if (ep->first)
		ep->last->next = packet;
	else
		ep->first = packet;
	ep->last = packet;
}

static struct redir_packet *pop(struct redir_ep *ep)
{
	struct redir_packet *packet = ep->first;

	ep->first = packet->next;
	return packet;
}

static void flush(struct redir_ep *ep, enum redir_status status)
{
	while (ep->first)
		redir_port_done(pop(ep), status, NULL, 0);
}

static void flush_all(void)
{
	unsigned int i;

	for (i = 0; i < DCD_ENDPOINTS; i++) {
		flush(&redir_eps[0][i], REDIR_CANCELLED);
		flush(&redir_eps[1][i], REDIR_CANCELLED);
	}
	if (redir.control)
		redir_port_done(redir.control, REDIR_CANCELLED, NULL, 0);
	redir.control = NULL;
}

static bool cancel_in(struct redir_ep *ep, uint64_t id)
{
	struct redir_packet **at, *packet, *before = NULL;

	for (at = &ep->first; (packet = *at); at = &packet->next) {
		if (packet->id == id) {
			*at = packet->next;
			if (ep->last == packet)
				ep->last = before;
			redir_port_done(packet, REDIR_CANCELLED, NULL, 0);
			return true;
		}
		before = packet;
	}
	return false;
}

/* -- the plug --------------------------------------------------------------------------- */

static void plug(void)
{
	struct redir_device device;

	if (redir.plugged || !redir.peer || !redir.pull_up)
		return;
	redir_device(&device);
	redir_describe(false);
	redir_port_connect(&device);
	redir.plugged = true;
	redir.reset = true;
}

static void unplug(void)
{
	if (!redir.plugged)
		return;
	redir.plugged = false;
	flush_all();
	if (redir.peer)
		redir_port_disconnect();
}

/* -- the host's messages --------------------------------------------------------------- */

void redir_peer(void)
{
	redir.peer = true;
	plug();
}

void redir_peer_lost(void)
{
	redir.peer = false;
	redir.lost = redir.plugged;
	unplug();
}

void redir_reset(void)
{
	flush_all();
	redir.reset = true;
}

void redir_submit(struct redir_packet *packet)
{
	struct redir_ep *ep = packet->kind == REDIR_DATA ? ep_of(packet->endpoint) : ep_of(0);

	packet->done = 0;
	if (!redir.plugged || !ep || (packet->kind == REDIR_DATA && !ep->open))
		redir_port_done(packet, REDIR_INVALID, NULL, 0);
	else
		push(ep, packet);
}

void *redir_room(uint8_t endpoint, uint32_t len)
{
	struct redir_ep *ep = ep_of(endpoint);

	if (!ep || EP_IS_IN(endpoint) || !EP_NUMBER(endpoint) || !ep->open || ep->halted ||
	    !ep->active || ep->first || ep->len - ep->done < len)
		return NULL;
	return ep->data + ep->done;
}

/* A standard request */
static void submit(struct redir_packet *packet, enum redir_kind kind, uint8_t type,
		   uint8_t request, uint8_t value, uint8_t index, uint8_t len)
{
	const uint8_t setup[8] = { type, request, value, 0, index, 0, len, 0 };

	packet->kind = kind;
	packet->len = len;
	packet->data = NULL;
	memcpy(packet->setup, setup, sizeof(setup));
	redir_submit(packet);
}

void redir_set_configuration(struct redir_packet *packet, uint8_t configuration)
{
	submit(packet, REDIR_CONFIGURATION, 0x00, 9, configuration, 0, 0);
}

void redir_get_configuration(struct redir_packet *packet)
{
	submit(packet, REDIR_CONFIGURATION, USB_DIR_IN, 8, 0, 0, 1);
}

void redir_set_alt_setting(struct redir_packet *packet, uint8_t interface, uint8_t alt)
{
	submit(packet, REDIR_ALT_SETTING, 0x01, 11, alt, interface, 0);
}

void redir_get_alt_setting(struct redir_packet *packet, uint8_t interface)
{
	submit(packet, REDIR_ALT_SETTING, USB_DIR_IN | 0x01, 10, 0, interface, 1);
}

static enum redir_status poll_interrupt(uint8_t endpoint, bool polled)
{
	struct redir_ep *ep = ep_of(endpoint);

	if (!ep || !EP_IS_IN(endpoint) || !ep->open || ep->type != USB_EP_INTERRUPT)
		return REDIR_INVALID;
	ep->polled = polled;
	return ep->halted && polled ? REDIR_STALL : REDIR_SUCCESS;
}

enum redir_status redir_start_interrupt(uint8_t endpoint)
{
	return poll_interrupt(endpoint, true);
}

enum redir_status redir_stop_interrupt(uint8_t endpoint)
{
	return poll_interrupt(endpoint, false);
}

void redir_cancel(uint64_t id)
{
	unsigned int i;

	if (redir.control && redir.control->id == id) {
		redir_port_done(redir.control, REDIR_CANCELLED, NULL, 0);
		redir.control = NULL;
		return;
	}
	for (i = 0; i < DCD_ENDPOINTS; i++)
		if (cancel_in(&redir_eps[0][i], id) || cancel_in(&redir_eps[1][i], id))
			return;
}

/* -- the core's calls -------------------------------------------------------------------- */

void dcd_init(void)
{
	redir_port_init();
}

void dcd_connect(void)
{
	redir.pull_up = true;
	plug();
}

void dcd_disconnect(void)
{
	redir.pull_up = false;
	unplug();
}

void dcd_set_address(uint8_t address)
{
	/* usbredir knows none: the peer's controller makes one up. */
	(void)address;
}

bool dcd_ep_open(uint8_t address, enum usb_ep_type type, uint16_t maxpacket)
{
	struct redir_ep *ep = ep_of(address);

	if (!ep || !EP_NUMBER(address))
		return false;
	ep->open = true;
	ep->type = type;
	ep->maxpacket = maxpacket;
	ep->halted = false;
	ep->active = false;
	return true;
}

void dcd_ep_close(uint8_t address)
{
	struct redir_ep *ep = ep_of(address);

	flush(ep, REDIR_CANCELLED);
	ep->open = false;
	ep->active = false;
	ep->polled = false;
}

void dcd_ep_stall(uint8_t address)
{
	if (EP_NUMBER(address))
		ep_of(address)->halted = true;
	else
		redir.stalled = true;
}

void dcd_ep_unstall(uint8_t address)
{
	ep_of(address)->halted = false;
}

void dcd_ep_send(uint8_t address, const struct dcd_piece *pieces, unsigned int n, bool zlp)
{
	struct redir_ep *ep = ep_of(address);
	unsigned int i;

	ep->len = 0;
	for (i = 0; i < n; i++) {
		ep->piece[i] = pieces[i];
		ep->len += pieces[i].len;
	}
	ep->pieces = n;
	ep->done = 0;
	ep->zlp = zlp;
	ep->active = true;
}

void dcd_ep_receive(uint8_t address, void *data, uint32_t len)
{
	struct redir_ep *ep = ep_of(address);

	ep->data = data;
	ep->len = len;
	ep->done = 0;
	ep->active = true;
}

/* -- moving data ----------------------------------------------------------------------- */

/* The next max bytes of an IN transfer that are not done. Returns how many pieces those are. */
static unsigned int cut(const struct redir_ep *ep, uint32_t max, struct dcd_piece *to)
{
	uint32_t skip = ep->done;
	unsigned int i, n = 0;

	for (i = 0; i < ep->pieces && max; i++) {
		uint32_t len = ep->piece[i].len;

		if (len <= skip) {
			skip -= len;
			continue;
		}
		len -= skip;
		if (len > max)
			len = max;
		to[n].data = (const uint8_t *)ep->piece[i].data + skip;
		to[n++].len = len;
		max -= len;
		skip = 0;
	}
	return n;
}

/* Data to the host. True when something has happened. */
static bool move_in(uint8_t address)
{
	struct redir_ep *ep = ep_of(address);
	struct dcd_piece pieces[DCD_PIECES];
	uint32_t now = ep->len - ep->done;
	bool whole;

	if (!ep->active || !ep->first)
		return false;
	if (now > ep->first->len)
		now = ep->first->len;
	/*
	 * Filled by whole packets, the host's packet ends without the device's transfer
	 * ending; what is left, be it a packet of no bytes, is for the next.
	 */
	whole = now < ep->first->len || (!ep->zlp && ep->done + now == ep->len) ||
		(ep->done + now == ep->len && now % ep->maxpacket);
	redir_port_done(pop(ep), REDIR_SUCCESS, pieces, cut(ep, now, pieces));
	ep->done += now;
	if (whole) {
		ep->active = false;
		usbd_sent(address);
	}
	return true;
}

static bool move_interrupt(uint8_t address)
{
	struct redir_ep *ep = ep_of(address);

	if (!ep->active || !ep->polled)
		return false;
	redir_port_interrupt(ep->interrupts++, address, ep->piece, ep->pieces);
	ep->active = false;
	usbd_sent(address);
	return true;
}

/* Data from the host: likewise. */
static bool move_out(uint8_t address)
{
	struct redir_ep *ep = ep_of(address);
	struct redir_packet *packet = ep->first;
	uint32_t now = ep->len - ep->done;
	bool end = false;

	if (!ep->active || !packet)
		return false;
	if (now > packet->len - packet->done)
		now = packet->len - packet->done;
	/* They may be there already: redir_room() */
	if (now && packet->data + packet->done != ep->data + ep->done)
		memcpy(ep->data + ep->done, packet->data + packet->done, now);
	ep->done += now;
	packet->done += now;
	if (packet->done == packet->len) {
		end = packet->len % ep->maxpacket || !packet->len;
		redir_port_done(pop(ep), REDIR_SUCCESS, NULL, 0);
	}
	if (end || ep->done == ep->len) {
		ep->active = false;
		usbd_received(address, ep->done);
	}
	return true;
}

static bool move(uint8_t address)
{
	struct redir_ep *ep = ep_of(address);

	if (!ep->open)
		return false;
	if (ep->halted) {
		bool any = ep->first;

		flush(ep, REDIR_STALL);
		return any;
	}
	if (!EP_IS_IN(address))
		return move_out(address);
	return ep->type == USB_EP_INTERRUPT ? move_interrupt(address) : move_in(address);
}

/* -- endpoint 0 -------------------------------------------------------------------------- */

static void control_done(enum redir_status status, const struct dcd_piece *pieces, unsigned int n)
{
	struct redir_packet *packet = redir.control;

	redir.control = NULL;
	if (!packet)
		return;
	/* It has other endpoints now, and the host's controller learns of them from us. */
	if (packet->kind == REDIR_CONFIGURATION && packet->setup[1] == 9 && !status)
		redir_describe(packet->setup[2]);
	redir_port_done(packet, status, pieces, n);
}

/*
 * To the host on endpoint 0: data, or the status of what came from it.  Either way
 * the host's packet is answered; the status of an answer with data nobody asks for.
 */
static bool control_in(void)
{
	struct redir_ep *ep = ep_of(USB_DIR_IN);

	if (!ep->active)
		return false;
	ep->active = false;
	control_done(REDIR_SUCCESS, ep->piece, ep->len ? ep->pieces : 0);
	usbd_sent(USB_DIR_IN);
	return true;
}

static bool control_out(void)
{
	struct redir_packet *packet = redir.control;
	struct redir_ep *ep = ep_of(0);
	uint32_t now = ep->len;

	if (!ep->active)
		return false;
	ep->active = false;
	if (packet && !EP_IS_IN(packet->setup[0])) {
		if (now > packet->len - packet->done)
			now = packet->len - packet->done;
		memcpy(ep->data, packet->data + packet->done, now);
		packet->done += now;
	} else {
		now = 0;
	}
	usbd_received(0, now);
	return true;
}

static bool move_control(void)
{
	struct redir_ep *out = ep_of(0), *in = ep_of(USB_DIR_IN);

	if (redir.stalled) {
		redir.stalled = false;
		in->active = false;
		out->active = false;
		control_done(REDIR_STALL, NULL, 0);
		return true;
	}
	if (control_in() || control_out())
		return true;
	if (redir.control || !out->first)
		return false;
	redir.control = pop(out);
	usbd_setup(redir.control->setup);
	return true;
}

/* -- the loop ---------------------------------------------------------------------------- */

static void reset(void)
{
	unsigned int i;

	redir.reset = false;
	redir.stalled = false;
	for (i = 0; i < DCD_ENDPOINTS; i++) {
		redir_eps[0][i].active = redir_eps[1][i].active = false;
		redir_eps[0][i].open = redir_eps[1][i].open = false;
		redir_eps[0][i].polled = redir_eps[1][i].polled = false;
	}
	usbd_reset(dcd_speed_max());
}

bool dcd_poll(void)
{
	bool any = redir_port_pump();
	uint8_t i;

	if (redir.lost) {
		redir.lost = false;
		usbd_disconnected();
		any = true;
	}
	if (redir.reset) {
		reset();
		any = true;
	}
	any |= move_control();
	for (i = 1; i < DCD_ENDPOINTS; i++) {
		any |= move(i);
		any |= move(USB_DIR_IN | i);
	}
	return any;
}
