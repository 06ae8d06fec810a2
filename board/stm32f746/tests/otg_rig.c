// SPDX-License-Identifier: GPL-2.0
/* A stand-in for the device core.  See otg_rig.h. */
#include <string.h>

#include "otg_rig.h"

struct rig rig;
uint16_t rig_maxpacket;

static struct {
	bool to_host;
	bool status;
	uint16_t length;
	uint8_t address;
} control;

static const uint8_t rig_device_descriptor[18] = {
	18, 1, 0, 2, 0, 0, 0, 64, 0x6b, 0x1d, 4, 1, 0, 1, 0, 0, 0, 1,
};

uint8_t rig_pattern(uint32_t seed, uint32_t at)
{
	uint32_t x = (seed * 2654435761u) ^ (at * 2246822519u);

	return (uint8_t)(x ^ x >> 15 ^ x >> 23);
}

/* -- the device's side ------------------------------------------------------------------ */

void rig_open(void)
{
	bool ok = dcd_ep_open(USB_DIR_IN | RIG_NOTIFY, USB_EP_INTERRUPT, 8) &&
		  dcd_ep_open(USB_DIR_IN | RIG_IN, USB_EP_BULK, rig_maxpacket) &&
		  dcd_ep_open(RIG_OUT, USB_EP_BULK, rig_maxpacket);

	if (!ok)
		host_problem("an endpoint was not opened");
}

static void rig_answer(const uint8_t *data, uint32_t len)
{
	static uint8_t copy[65536];
	struct dcd_piece pieces[DCD_PIECES];
	unsigned int n = 0;
	uint32_t at = 0;

	memcpy(copy, data, len);
	if (!rig.pieces) {
		pieces[n++] = (struct dcd_piece){ copy, len };
	} else {
		while (n < DCD_PIECES - 1 && at < len) {
			uint32_t size = rig.pieces < len - at ? rig.pieces : len - at;

			pieces[n++] = (struct dcd_piece){ copy + at, size };
			at += size;
		}
		pieces[n++] = (struct dcd_piece){ copy + at, len - at };
	}
	dcd_ep_send(USB_DIR_IN, pieces, n, len < control.length);
}

static void rig_status_in(void)
{
	static const struct dcd_piece nothing;

	control.status = true;
	dcd_ep_send(USB_DIR_IN, &nothing, 1, false);
}

static void rig_request_1(uint16_t value)
{
	static uint8_t data[65536];
	uint32_t len = value < control.length ? value : control.length;

	for (uint32_t i = 0; i < len; i++)
		data[i] = rig_pattern(value, i);
	rig_answer(data, len);
}

static void rig_standard(const uint8_t *setup)
{
	switch (setup[1]) {
	case 1:
		dcd_ep_unstall(setup[4]);
		rig_status_in();
		break;
	case 3:
		dcd_ep_stall(setup[4]);
		rig_status_in();
		break;
	case 5:
		dcd_set_address(setup[2]);
		rig_status_in();
		break;
	case 6:
		rig_answer(rig_device_descriptor, control.length < 18 ? control.length : 18);
		break;
	case 9:
		rig_open();
		rig_status_in();
		break;
	default:
		dcd_ep_stall(USB_DIR_IN);
	}
}

void usbd_setup(const uint8_t setup[8])
{
	void (*in_setup)(void) = rig.in_setup;

	rig.in_setup = NULL;
	if (in_setup)
		in_setup();
	rig.setups++;
	memcpy(rig.last_setup, setup, 8);
	control.to_host = setup[0] & USB_DIR_IN;
	control.length = (uint16_t)(setup[6] | setup[7] << 8);
	control.status = false;
	if (!(setup[0] & 0x60)) {
		rig_standard(setup);
	} else if (setup[1] == RIG_SEND) {
		rig_request_1((uint16_t)(setup[2] | setup[3] << 8));
	} else if (setup[1] == RIG_RECEIVE && control.length) {
		dcd_ep_receive(0, rig.control, control.length);
	} else if (setup[1] == RIG_RECEIVE) {
		rig.control_len = 0;
		rig_status_in();
	} else {
		dcd_ep_stall(control.to_host ? USB_DIR_IN : 0);
	}
}

void usbd_sent(uint8_t address)
{
	unsigned int n = address & 0xf;

	rig.sent[n]++;
	if (n)
		return;
	if (control.status) {
		rig.control_done++;
	} else {
		control.status = true;
		dcd_ep_receive(0, NULL, 0);
	}
}

void usbd_received(uint8_t address, uint32_t len)
{
	rig.received[address]++;
	rig.received_len[address] = len;
	if (address)
		return;
	if (control.status) {
		rig.control_done++;
	} else {
		rig.control_len = len;
		rig_status_in();
	}
}

void usbd_reset(enum usb_speed speed)
{
	rig.resets++;
	rig.speed = speed;
	rig_maxpacket = speed == USB_SPEED_HIGH ? 512 : 64;
}

void usbd_disconnected(void)
{
	rig.disconnects++;
}

void usbd_suspended(void)
{
	rig.suspends++;
}

void usbd_resumed(void)
{
	rig.resumes++;
}

/* -- the host's side -------------------------------------------------------------------- */

void rig_plug(bool high_speed)
{
	memset(&rig, 0, sizeof(rig));
	host_plug(high_speed);
}

static void expect_ack(enum otg_answer answer)
{
	if (answer != OTG_ACK)
		host_problem("enumeration got answer %u", answer);
}

void rig_enumerate(bool high_speed)
{
	uint8_t descriptor[64];
	uint32_t got;

	host_reset(high_speed);
	expect_ack(host_control(0x80, 6, 0x0100, 0, 64, descriptor, &got));
	if (got != 18)
		host_problem("a short descriptor");
	host_reset(high_speed);
	expect_ack(host_control(0, 5, 7, 0, 0, NULL, &got));
	host.address = 7;
	expect_ack(host_control(0x80, 6, 0x0100, 0, 18, descriptor, &got));
	if (memcmp(descriptor, rig_device_descriptor, 18))
		host_problem("another descriptor");
	expect_ack(host_control(0, 9, 1, 0, 0, NULL, &got));
	memset(host.in_toggle, 0, sizeof(host.in_toggle));
	memset(host.out_toggle, 0, sizeof(host.out_toggle));
}

void rig_start(bool high_speed)
{
	rig_plug(high_speed);
	rig_enumerate(high_speed);
}
