// SPDX-License-Identifier: GPL-2.0
/*
 * A message comes in up to three parts, each as it arrives: header, what the type has
 * before its data, data.  Data for an endpoint that waits for it are read to where it wants
 * them.  A message that cannot be is the end: there is no telling where the next begins.
 */
#include <stddef.h>
#include <string.h>

#include "board.h"
#include "meter.h"
#include "mps2.h"
#include "ports/redir/redir.h"
#include "stream.h"
#include "usbredir.h"
#include "wire.h"

#define CAPS	(WIRE_CAP_DEVICE_VERSION | WIRE_CAP_DISCONNECT_ACK | WIRE_CAP_MAX_PACKET | \
		 WIRE_CAP_ID_64 | WIRE_CAP_BULK_LENGTH_32)

/**
 * struct packet - a request of the host
 * @redir: what ports/redir sees
 * @type: of its message, and of the answer's
 * @data: from the host, where nothing waits for it
 */
struct packet {
	struct redir_packet redir;
	uint32_t type;
	uint8_t data[USBREDIR_DATA];
};

/* The last one is for those that there is no room for: they are answered at once. */
static struct packet packets[USBREDIR_PACKETS + 1] BUS_MEMORY;
#define SPARE	(&packets[USBREDIR_PACKETS])

/* Where that goes which nobody wants */
static uint8_t rubbish[512] BUS_MEMORY;

/**
 * struct usbredir - the link
 * @gone: the peer is, or has sent what cannot be
 * @told: and the device core knows
 * @busy: for usbredir_busy()
 * @caps: that both ends have; 0 before the peer's hello
 * @greeted: by the peer
 * @to: where the part under way goes; NULL when nobody wants it
 * @left: bytes of it that are missing
 * @then: what to do with it
 * @type: of the message under way
 * @len: bytes behind its header
 * @id: its
 * @head: its header, then what its type has before data
 * @packet: of a message with data
 * @room: where they go if that is memory of the core's
 * @free: packets that are not in use
 */
static struct usbredir {
	bool gone;
	bool told;
	bool busy;
	uint32_t caps;
	bool greeted;
	uint8_t *to;
	uint32_t left;
	void (*then)(void);
	uint32_t type;
	uint32_t len;
	uint64_t id;
	uint8_t head[WIRE_VERSION];
	struct packet *packet;
	uint8_t *room;
	struct redir_packet *free;
} link BUS_MEMORY;

bool usbredir_busy(void)
{
	bool busy = link.busy;

	link.busy = false;
	return busy;
}

bool usbredir_gone(void)
{
	return link.gone && link.told;
}

static void fail(const char *why)
{
	board_log("usbredir: type %u, %u bytes: %s\n", (unsigned int)link.type,
		  (unsigned int)link.len, why);
	link.gone = true;
}

/* -- writing ------------------------------------------------------------------------ */

static void put(const void *data, uint32_t len)
{
	if (!link.gone && len && !stream_write(data, len))
		link.gone = true;
}

static uint8_t *put_header(uint8_t *to, uint32_t type, uint32_t len, uint64_t id)
{
	to = wire_put32(to, type);
	to = wire_put32(to, len);
	to = wire_put32(to, id);
	return link.caps & WIRE_CAP_ID_64 ? wire_put32(to, id >> 32) : to;
}

/* A message of which all that is not data is at most 10 bytes long */
static void send(uint32_t type, uint64_t id, const uint8_t *body, uint32_t len,
		 const struct dcd_piece *pieces, unsigned int n, uint32_t data_len)
{
	uint8_t message[WIRE_HEADER + 4 + WIRE_CONTROL_HEADER], *end;
	unsigned int i;

	end = put_header(message, type, len + data_len, id);
	if (len)
		memcpy(end, body, len);
	put(message, end + len - message);
	for (i = 0; i < n; i++)
		put(pieces[i].data, pieces[i].len);
}

static void send_hello(void)
{
	static const char name[] = "sockloan board, mps2";
	uint8_t message[WIRE_HEADER + WIRE_VERSION + 4] = { 0 }, *to;

	to = put_header(message, WIRE_HELLO, WIRE_VERSION + 4, 0);
	memcpy(to, name, sizeof(name));
	wire_put32(to + WIRE_VERSION, CAPS);
	put(message, sizeof(message));
}

void redir_port_connect(const struct redir_device *device)
{
	const uint16_t words[] = { device->vendor, device->product, device->version };
	uint8_t body[10] = { device->speed, device->class, device->subclass, device->protocol };
	uint32_t len = link.caps & WIRE_CAP_DEVICE_VERSION ? 10 : 8;

	meter_stop();
	wire_put16(wire_put16(wire_put16(body + 4, words[0]), words[1]), words[2]);
	send(WIRE_DEVICE_CONNECT, 0, body, len, NULL, 0, 0);
	meter_start();
}

void redir_port_disconnect(void)
{
	meter_stop();
	send(WIRE_DEVICE_DISCONNECT, 0, NULL, 0, NULL, 0, 0);
	meter_start();
}

void redir_port_describe(const struct redir_interfaces *interfaces,
			 const struct redir_endpoints *endpoints)
{
	uint32_t len = offsetof(struct redir_endpoints, maxpacket);
	struct dcd_piece piece = { interfaces, sizeof(*interfaces) };

	meter_stop();
	send(WIRE_INTERFACE_INFO, 0, NULL, 0, &piece, 1, piece.len);
	if (link.caps & WIRE_CAP_MAX_PACKET)
		len = offsetof(struct redir_endpoints, streams);
	piece = (struct dcd_piece){ endpoints, len };
	send(WIRE_EP_INFO, 0, NULL, 0, &piece, 1, len);
	meter_start();
}

static uint32_t sum(const struct dcd_piece *pieces, unsigned int n)
{
	uint32_t len = 0;

	while (n--)
		len += pieces++->len;
	return len;
}

static int32_t head_of(uint32_t type);

/* What comes before the data of the answer. Returns how long that is. */
static uint32_t answer(const struct packet *packet, enum redir_status status, uint8_t *to,
		       uint32_t len)
{
	const struct redir_packet *redir = &packet->redir;

	switch (packet->type) {
	case WIRE_CONTROL:
		to[0] = redir->setup[0] & USB_DIR_IN;
		to[1] = redir->setup[1];
		to[2] = redir->setup[0];
		to[3] = status;
		memcpy(to + 4, redir->setup + 2, 4);
		wire_put16(to + 8, len);
		return WIRE_CONTROL_HEADER;
	default:
		to[0] = redir->endpoint;
		to[1] = status;
		wire_put16(to + 2, len);
		/* Of bulk only: the stream, and more length */
		wire_put32(to + 4, 0);
		wire_put16(to + 8, len >> 16);
		return head_of(packet->type);
	}
}

/* Of the kinds that are no packets on the bus */
static void send_status(const struct packet *packet, enum redir_status status,
			const struct dcd_piece *pieces, unsigned int n)
{
	const struct redir_packet *redir = &packet->redir;
	uint8_t value = redir->setup[2], body[3] = { status };

	if (n && pieces[0].len)
		value = *(const uint8_t *)pieces[0].data;
	if (redir->kind == REDIR_CONFIGURATION) {
		body[1] = value;
		send(WIRE_CONFIGURATION_STATUS, redir->id, body, 2, NULL, 0, 0);
	} else {
		body[1] = redir->setup[4];
		body[2] = value;
		send(WIRE_ALT_SETTING_STATUS, redir->id, body, 3, NULL, 0, 0);
	}
}

static void send_answer(const struct packet *packet, enum redir_status status,
			const struct dcd_piece *pieces, unsigned int n)
{
	const struct redir_packet *redir = &packet->redir;
	bool in = (redir->kind == REDIR_CONTROL ? redir->setup[0] : redir->endpoint) & USB_DIR_IN;
	uint32_t data_len = in ? sum(pieces, n) : 0;
	uint8_t body[WIRE_CONTROL_HEADER];
	uint32_t len;

	len = answer(packet, status, body, in ? data_len : redir->done);
	send(packet->type, redir->id, body, len, pieces, in ? n : 0, data_len);
}

static void release(struct packet *packet)
{
	if (packet == SPARE)
		return;
	packet->redir.next = link.free;
	link.free = &packet->redir;
}

void redir_port_done(struct redir_packet *redir, enum redir_status status,
		     const struct dcd_piece *pieces, unsigned int n)
{
	struct packet *packet = (struct packet *)redir;

	meter_stop();
	if (redir->kind == REDIR_CONTROL || redir->kind == REDIR_DATA)
		send_answer(packet, status, pieces, n);
	else
		send_status(packet, status, pieces, n);
	release(packet);
	meter_start();
}

void redir_port_interrupt(uint64_t id, uint8_t endpoint, const struct dcd_piece *pieces,
			  unsigned int n)
{
	uint32_t len = sum(pieces, n);
	uint8_t body[WIRE_INTERRUPT_HEADER] = { endpoint, REDIR_SUCCESS };

	meter_stop();
	wire_put16(body + 2, len);
	send(WIRE_INTERRUPT, id, body, sizeof(body), pieces, n, len);
	meter_start();
}

/* -- reading -------------------------------------------------------------------------- */

/* Bytes that a message of the type has before its data; -1: it is of no interest. */
static int32_t head_of(uint32_t type)
{
	switch (type) {
	case WIRE_HELLO:
		return WIRE_VERSION;
	case WIRE_RESET:
	case WIRE_GET_CONFIGURATION:
	case WIRE_CANCEL:
		return 0;
	case WIRE_SET_CONFIGURATION:
	case WIRE_GET_ALT_SETTING:
	case WIRE_START_INTERRUPT:
	case WIRE_STOP_INTERRUPT:
		return 1;
	case WIRE_SET_ALT_SETTING:
		return 2;
	case WIRE_CONTROL:
		return WIRE_CONTROL_HEADER;
	case WIRE_BULK:
		return WIRE_BULK_HEADER + (link.caps & WIRE_CAP_BULK_LENGTH_32 ? 2 : 0);
	case WIRE_INTERRUPT:
		return WIRE_INTERRUPT_HEADER;
	default:
		return -1;
	}
}

static void on_header(void);

/* The next part: @len bytes to @to, then @then */
static void expect(void *to, uint32_t len, void (*then)(void))
{
	link.to = to;
	link.left = len;
	link.then = then;
}

static void expect_header(void)
{
	expect(link.head, WIRE_HEADER + (link.caps & WIRE_CAP_ID_64 ? 4 : 0), on_header);
}

static void on_capabilities(void)
{
	link.caps = CAPS & wire_get32(link.head);
	link.greeted = true;
	/* Capabilities that nobody has heard of yet */
	expect(NULL, link.len - WIRE_VERSION - 4, expect_header);
	redir_peer();
}

static void on_hello(void)
{
	if (link.greeted)
		fail("a second hello");
	else if (link.len >= WIRE_VERSION + 4)
		expect(link.head, 4, on_capabilities);
	else
		fail("a hello without capabilities");
}

static struct packet *take_packet(enum redir_kind kind)
{
	struct packet *packet = (struct packet *)link.free;

	if (packet)
		link.free = packet->redir.next;
	else
		packet = SPARE;
	memset(&packet->redir, 0, sizeof(packet->redir));
	packet->redir.kind = kind;
	packet->redir.id = link.id;
	packet->type = link.type;
	return packet;
}

/* A message without data, all of it */
static void on_request(void)
{
	const uint8_t *body = link.head;
	struct packet *packet = NULL;
	uint8_t status[2];

	expect_header();
	if (link.type >= WIRE_SET_CONFIGURATION && link.type <= WIRE_GET_ALT_SETTING) {
		packet = take_packet(link.type < WIRE_SET_ALT_SETTING ? REDIR_CONFIGURATION :
									REDIR_ALT_SETTING);
		if (packet == SPARE)
			return redir_port_done(&packet->redir, REDIR_IO_ERROR, NULL, 0);
	}
	switch (link.type) {
	case WIRE_RESET:
		return redir_reset();
	case WIRE_SET_CONFIGURATION:
		return redir_set_configuration(&packet->redir, body[0]);
	case WIRE_GET_CONFIGURATION:
		return redir_get_configuration(&packet->redir);
	case WIRE_SET_ALT_SETTING:
		return redir_set_alt_setting(&packet->redir, body[0], body[1]);
	case WIRE_GET_ALT_SETTING:
		return redir_get_alt_setting(&packet->redir, body[0]);
	case WIRE_START_INTERRUPT:
	case WIRE_STOP_INTERRUPT:
		status[0] = link.type == WIRE_START_INTERRUPT ? redir_start_interrupt(body[0]) :
								redir_stop_interrupt(body[0]);
		status[1] = body[0];
		return send(WIRE_INTERRUPT_STATUS, link.id, status, 2, NULL, 0, 0);
	case WIRE_CANCEL:
		return redir_cancel(link.id);
	}
}

static void on_data(void)
{
	struct packet *packet = link.packet;

	link.room = NULL;
	expect_header();
	redir_submit(&packet->redir);
}

/* There is no room for it: an error of the bus. */
static void on_too_much(void)
{
	struct packet *packet = link.packet;

	expect_header();
	redir_port_done(&packet->redir, REDIR_IO_ERROR, NULL, 0);
}

static void parse_control(struct redir_packet *redir)
{
	const uint8_t *body = link.head;

	redir->setup[0] = body[2];
	redir->setup[1] = body[1];
	memcpy(redir->setup + 2, body + 4, 6);
	redir->len = wire_get16(body + 8);
}

static void parse_data(struct redir_packet *redir)
{
	const uint8_t *body = link.head;

	redir->endpoint = body[0];
	redir->len = wire_get16(body + 2);
	if (link.type == WIRE_BULK && link.caps & WIRE_CAP_BULK_LENGTH_32)
		redir->len |= (uint32_t)wire_get16(body + 8) << 16;
}

/*
 * Where the data go, or NULL: to what waits for them on the bus, or they wait
 * themselves.
 */
static uint8_t *place(struct packet *packet)
{
	struct redir_packet *redir = &packet->redir;

	if (packet == SPARE)
		return NULL;
	if (redir->kind == REDIR_DATA)
		link.room = redir_room(redir->endpoint, redir->len);
	return link.room || redir->len > USBREDIR_DATA ? link.room : packet->data;
}

/* While data come, the core may have taken its memory away. */
static void check_room(void)
{
	const struct packet *packet = link.packet;

	if (!link.room || redir_room(packet->redir.endpoint, packet->redir.len) == link.room)
		return;
	link.room = NULL;
	link.to = NULL;
	link.then = on_too_much;
}

/* What a message with data has before them */
static void on_data_header(void)
{
	enum redir_kind kind = link.type == WIRE_CONTROL ? REDIR_CONTROL : REDIR_DATA;
	struct packet *packet = take_packet(kind);
	struct redir_packet *redir = &packet->redir;
	uint32_t len = link.len - head_of(link.type);
	bool in;

	if (kind == REDIR_CONTROL)
		parse_control(redir);
	else
		parse_data(redir);
	in = (kind == REDIR_CONTROL ? redir->setup[0] : redir->endpoint) & USB_DIR_IN;
	if (len != (in ? 0 : redir->len))
		return fail("more data or less than it says");
	link.packet = packet;
	if (len)
		redir->data = place(packet);
	expect((uint8_t *)redir->data, len,
	       packet == SPARE || (len && !redir->data) ? on_too_much : on_data);
}

static void on_header(void)
{
	int32_t head;

	link.type = wire_get32(link.head);
	link.len = wire_get32(link.head + 4);
	link.id = wire_get32(link.head + 8);
	if (link.caps & WIRE_CAP_ID_64)
		link.id |= (uint64_t)wire_get32(link.head + 12) << 32;
	head = head_of(link.type);
	if (!link.greeted && link.type != WIRE_HELLO)
		return fail("before the hello");
	/* What this device has no use for: streams, filters and the like */
	if (head < 0)
		return expect(NULL, link.len, expect_header);
	if (link.len < (uint32_t)head)
		return fail("too short");
	if (link.type == WIRE_HELLO)
		return expect(link.head, head, on_hello);
	if (link.type >= WIRE_CONTROL)
		return expect(link.head, head, on_data_header);
	if (link.len > (uint32_t)head)
		return fail("too long");
	expect(link.head, head, on_request);
}

/* True when all of the part under way is there. */
static bool fill(void)
{
	while (link.left) {
		uint32_t now = link.left;
		int32_t len;

		if (!link.to && now > sizeof(rubbish))
			now = sizeof(rubbish);
		len = stream_read(link.to ? link.to : rubbish, now);
		if (len < 0)
			link.gone = true;
		if (len <= 0)
			return false;
		if (link.to)
			link.to += len;
		link.left -= len;
	}
	return true;
}

/* One message at most, so that the next may find out where its data belong. */
static bool pump(void)
{
	check_room();
	while (!link.gone && fill()) {
		link.then();
		if (link.then == on_header)
			return true;
	}
	if (!link.gone || link.told)
		return false;
	link.told = true;
	redir_peer_lost();
	return true;
}

bool redir_port_pump(void)
{
	bool any;

	meter_stop();
	any = pump();
	link.busy |= any;
	meter_start();
	return any;
}

void redir_port_init(void)
{
	unsigned int i;

	memset(&link, 0, sizeof(link));
	for (i = 0; i < USBREDIR_PACKETS; i++)
		release(&packets[i]);
	expect_header();
	stream_open();
	send_hello();
}
