/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parser of ports/mps2 has around it in its test: a serial line, a device core
 * that echoes, and a host.
 */
#ifndef BOARD_REDIR_PEER_H
#define BOARD_REDIR_PEER_H

#include "board.h"
#include "ports/mps2/stream.h"
#include "ports/mps2/usbredir.h"
#include "ports/mps2/wire.h"
#include "ports/redir/redir.h"
#include "unit.h"
#include "usb/descriptors.h"

/* -- the line ------------------------------------------------------------------------ */

static uint8_t from_host[1 << 20], to_host[1 << 20];
static uint32_t in_len, in_at, out_len, out_at;
/* At most so many bytes a read; 0: chance */
static uint32_t chunk;
static bool hung_up, host_gone;
/* The core's buffers that a read went to directly */
static unsigned int direct;

static uint8_t core_buffer[4096];

void stream_open(void)
{
}

int32_t stream_read(void *to, uint32_t len)
{
	uint32_t now = in_len - in_at, most = chunk ? chunk : unit_random() % 40;

	if (!now)
		return hung_up ? -1 : 0;
	if (now > len)
		now = len;
	if (now > most)
		now = most;
	memcpy(to, from_host + in_at, now);
	in_at += now;
	if ((uint8_t *)to >= core_buffer && (uint8_t *)to < core_buffer + sizeof(core_buffer))
		direct++;
	return now;
}

bool stream_write(const void *from, uint32_t len)
{
	if (host_gone)
		return false;
	if (len > sizeof(to_host) - out_len)
		out_len = 0;
	memcpy(to_host + out_len, from, len);
	out_len += len;
	return true;
}

/* -- a device core that gives back what it gets --------------------------------------- */

static const uint8_t device_descriptor[18] = {
	18, USB_DT_DEVICE, 0, 2, 0xef, 2, 1, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1
};

static const uint8_t configuration[] = {
	9, USB_DT_CONFIG, 39, 0, 1, 1, 0, 0x80, 50,
	9, USB_DT_INTERFACE, 0, 0, 3, 0xff, 1, 2, 0,
	7, USB_DT_ENDPOINT, USB_EP_NOTIFY, USB_EP_INTERRUPT, 8, 0, 9,
	7, USB_DT_ENDPOINT, USB_EP_IN, USB_EP_BULK, 0, 2, 0,
	7, USB_DT_ENDPOINT, USB_EP_OUT, USB_EP_BULK, 0, 2, 0,
};

static uint8_t control_buffer[64];
static uint32_t core_room, received;
static unsigned int resets, losses, transfers;
static bool receiving, control_data;
static uint8_t setup_seen[8];

const uint8_t *usb_descriptor(uint8_t type, uint8_t index, enum usb_speed speed, uint16_t *len)
{
	(void)index;
	(void)speed;
	*len = type == USB_DT_DEVICE ? sizeof(device_descriptor) : sizeof(configuration);
	return type == USB_DT_DEVICE ? device_descriptor : configuration;
}

void board_log(const char *format, ...)
{
	(void)format;
}

enum usb_speed dcd_speed_max(void)
{
	return USB_SPEED_HIGH;
}

static void core_receive(void)
{
	receiving = true;
	dcd_ep_receive(USB_EP_OUT, core_buffer, core_room);
}

void usbd_reset(enum usb_speed speed)
{
	check_equal(speed, USB_SPEED_HIGH);
	resets++;
	receiving = false;
}

void usbd_disconnected(void)
{
	losses++;
	receiving = false;
}

static void status_stage(void)
{
	const struct dcd_piece none = { NULL, 0 };

	dcd_ep_send(USB_DIR_IN, &none, 1, false);
}

static void configure(void)
{
	dcd_ep_close(USB_EP_NOTIFY);
	dcd_ep_close(USB_EP_IN);
	dcd_ep_close(USB_EP_OUT);
	dcd_ep_open(USB_EP_NOTIFY, USB_EP_INTERRUPT, 8);
	dcd_ep_open(USB_EP_IN, USB_EP_BULK, 512);
	dcd_ep_open(USB_EP_OUT, USB_EP_BULK, 512);
	core_receive();
	status_stage();
}

void usbd_setup(const uint8_t setup[8])
{
	uint16_t len = wire_get16(setup + 6);
	struct dcd_piece piece = { device_descriptor, sizeof(device_descriptor) };

	memcpy(setup_seen, setup, 8);
	control_data = false;
	if (setup[1] == 9) {
		configure();
	} else if (setup[1] == 8) {
		piece = (struct dcd_piece){ "\1", 1 };
		dcd_ep_send(USB_DIR_IN, &piece, 1, false);
	} else if (setup[1] == 6 && setup[0] & USB_DIR_IN) {
		if (piece.len > len)
			piece.len = len;
		dcd_ep_send(USB_DIR_IN, &piece, 1, false);
	} else if (!(setup[0] & USB_DIR_IN) && len && len <= sizeof(control_buffer)) {
		control_data = true;
		dcd_ep_receive(0, control_buffer, len);
	} else {
		dcd_ep_stall(0);
	}
}

void usbd_sent(uint8_t address)
{
	transfers++;
	if (address == USB_EP_IN)
		core_receive();
}

/* In three pieces */
void usbd_received(uint8_t address, uint32_t len)
{
	struct dcd_piece pieces[3];

	if (!address) {
		if (control_data)
			status_stage();
		control_data = false;
		return;
	}
	check(receiving && len <= core_room);
	receiving = false;
	received += len;
	pieces[0] = (struct dcd_piece){ core_buffer, len / 3 };
	pieces[1] = (struct dcd_piece){ core_buffer + len / 3, 0 };
	pieces[2] = (struct dcd_piece){ core_buffer + len / 3, len - len / 3 };
	dcd_ep_send(USB_EP_IN, pieces, 3, true);
}

/* -- the host -------------------------------------------------------------------------- */

#define HOST_CAPS	0xff

static bool wide;

static void host_bytes(const void *data, uint32_t len)
{
	if (!len || len > sizeof(from_host) - in_len)
		return;
	memcpy(from_host + in_len, data, len);
	in_len += len;
}

static void host_header(uint32_t type, uint32_t len, uint64_t id)
{
	uint8_t header[16];

	wire_put32(wire_put32(wire_put32(header, type), len), id);
	wire_put32(header + 12, id >> 32);
	host_bytes(header, wide ? 16 : 12);
}

static void host_message(uint32_t type, uint64_t id, const void *body, uint32_t len,
			 const void *data, uint32_t data_len)
{
	host_header(type, len + data_len, id);
	host_bytes(body, len);
	host_bytes(data, data_len);
}

static void host_hello(uint32_t caps)
{
	uint8_t body[WIRE_VERSION + 4] = "a host";

	wire_put32(body + WIRE_VERSION, caps);
	host_message(WIRE_HELLO, 0, body, sizeof(body), NULL, 0);
	wide = caps & WIRE_CAP_ID_64;
}

static void host_control(uint64_t id, uint8_t type, uint8_t request, uint16_t len, const void *data)
{
	uint8_t body[10] = { type & 0x80, request, type };

	wire_put16(body + 8, len);
	host_message(WIRE_CONTROL, id, body, 10, data, data ? len : 0);
}

static void host_bulk(uint64_t id, uint8_t endpoint, uint32_t len, const void *data)
{
	uint8_t body[10] = { endpoint };

	wire_put16(body + 2, len);
	wire_put16(body + 8, len >> 16);
	host_message(WIRE_BULK, id, body, wide ? 10 : 8, data, data ? len : 0);
}

/* Until nothing happens any more */
static void run(void)
{
	unsigned int quiet = 0;

	while (quiet < 20)
		quiet = dcd_poll() || (in_at < in_len && !usbredir_gone()) ? 0 : quiet + 1;
}

/* The next message to the host of a type: its id, and what is behind the header. */
static const uint8_t *answer(uint32_t type, uint64_t *id, uint32_t *len)
{
	while (out_at + (wide ? 16 : 12) <= out_len) {
		const uint8_t *at = to_host + out_at;
		bool hello = !wire_get32(at);
		uint32_t head = wide && !hello ? 16 : 12;

		*len = wire_get32(at + 4);
		*id = wire_get32(at + 8);
		if (head == 16)
			*id |= (uint64_t)wire_get32(at + 12) << 32;
		out_at += head + *len;
		if (wire_get32(at) == type)
			return at + head;
	}
	check(!"no such message");
	return NULL;
}

static void start(uint32_t caps)
{
	/* Whatever the case before has left: a hang-up ends it. */
	in_len = in_at = 0;
	hung_up = true;
	dcd_poll();
	dcd_disconnect();
	hung_up = false;
	host_gone = false;
	in_len = in_at = out_len = out_at = 0;
	wide = false;
	resets = losses = transfers = received = direct = 0;
	chunk = 4096;
	core_room = 2048;
	dcd_init();
	dcd_connect();
	host_hello(caps);
}

static void set_configuration(void)
{
	host_message(WIRE_SET_CONFIGURATION, 7, "\1", 1, NULL, 0);
}

#endif /* BOARD_REDIR_PEER_H */
