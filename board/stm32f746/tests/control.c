// SPDX-License-Identifier: GPL-2.0
/*
 * The device core on a controller that only notes what it is told: what becomes of a
 * control transfer, stage by stage, and what the descriptors say.
 */
#include "tests/unit.h"
#include "usb/class.h"
#include "usb/core.h"
#include "usb/descriptors.h"

/* What the core has asked of the controller since the last request */
static struct {
	bool stalled;
	bool sending;
	bool zlp;
	uint8_t sent[2048];
	uint32_t sent_len;
	bool receiving;
	uint8_t *receive_to;
	uint32_t receive_len;
} ep0;

static uint32_t halts;
static int address = -1, opened, commands;
static uint16_t command_len;
static bool command_good;
static uint16_t response_len;
static enum usb_speed speed_max = USB_SPEED_HIGH, opened_speed;

void dcd_init(void)
{
}

void dcd_connect(void)
{
}

void dcd_disconnect(void)
{
}

enum usb_speed dcd_speed_max(void)
{
	return speed_max;
}

void dcd_set_address(uint8_t now)
{
	address = now;
}

bool dcd_ep_open(uint8_t at, enum usb_ep_type type, uint16_t maxpacket)
{
	(void)at;
	(void)type;
	(void)maxpacket;
	return true;
}

void dcd_ep_close(uint8_t at)
{
	(void)at;
}

void dcd_ep_stall(uint8_t at)
{
	if (at & 0x0f)
		halts |= 1u << ((at & 0x0f) + (at >> 7) * 16);
	else
		ep0.stalled = true;
}

void dcd_ep_unstall(uint8_t at)
{
	halts &= ~(1u << ((at & 0x0f) + (at >> 7) * 16));
}

void dcd_ep_send(uint8_t at, const struct dcd_piece *pieces, unsigned int n,
		 bool zlp)
{
	unsigned int i;

	check_equal(at, USB_DIR_IN);
	ep0.sending = true;
	ep0.zlp = zlp;
	ep0.sent_len = 0;
	for (i = 0; i < n; i++) {
		if (pieces[i].len)
			memcpy(ep0.sent + ep0.sent_len, pieces[i].data,
			       pieces[i].len);
		ep0.sent_len += pieces[i].len;
	}
}

void dcd_ep_receive(uint8_t at, void *data, uint32_t len)
{
	check_equal(at, 0);
	ep0.receiving = true;
	ep0.receive_to = data;
	ep0.receive_len = len;
}

bool dcd_poll(void)
{
	return false;
}

void class_open(enum usb_speed speed)
{
	opened++;
	opened_speed = speed;
}

void class_close(void)
{
	opened--;
}

bool class_command(const uint8_t *data, uint16_t len)
{
	commands++;
	command_len = len;
	check(len > 0 && data[0] == 0xab && data[len - 1] == 0xab);
	return command_good;
}

uint16_t class_response(uint8_t *data, uint16_t size)
{
	uint16_t len = response_len < size ? response_len : size;

	memset(data, 0xcd, len);
	return len;
}

void class_sent(uint8_t at)
{
	(void)at;
}

void class_received(uint8_t at, uint32_t len)
{
	(void)at;
	(void)len;
}

static void setup(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
		  uint16_t len)
{
	const uint8_t packet[8] = {
		type,	      request,	  value & 0xff, value >> 8,
		index & 0xff, index >> 8, len & 0xff,	len >> 8,
	};

	memset(&ep0, 0, sizeof(ep0));
	usbd_setup(packet);
}

/* A request with data to the host: returns its length, -1 when it is refused. */
static int get(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
	       uint16_t len)
{
	setup(type, request, value, index, len);
	if (ep0.stalled)
		return -1;
	check(ep0.sending && ep0.sent_len <= len);
	/* The status, from the host */
	ep0.receive_len = 1;
	usbd_sent(USB_DIR_IN);
	check(ep0.receiving && !ep0.receive_len);
	usbd_received(0, 0);
	return ep0.sent_len;
}

/* One without data: whether it is obeyed. */
static bool set(uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
	setup(type, request, value, index, 0);
	if (ep0.stalled)
		return false;
	check(ep0.sending && !ep0.sent_len && !ep0.zlp);
	usbd_sent(USB_DIR_IN);
	return true;
}

/* A command of the class: whether the core wants its data, and then whether it is taken. */
static bool command(uint16_t len, uint32_t comes)
{
	setup(0x21, 0, 0, USB_INTERFACE_CONTROL, len);
	if (ep0.stalled)
		return false;
	check(ep0.receiving && ep0.receive_len == len && !ep0.sending);
	memset(ep0.receive_to, 0xab, comes);
	usbd_received(0, comes);
	if (ep0.stalled)
		return false;
	check(ep0.sending && !ep0.sent_len);
	usbd_sent(USB_DIR_IN);
	return true;
}

static void begin(enum usb_speed speed)
{
	usbd_reset(speed);
	check_equal(opened, 0);
}

static void address_and_configuration(void)
{
	begin(USB_SPEED_HIGH);
	check(set(0x00, 5, 77, 0));
	check_equal(address, 77);
	check(!set(0x00, 5, 128, 0));
	check_equal(get(0x80, 8, 0, 0, 1), 1);
	check_equal(ep0.sent[0], 0);
	check(!set(0x00, 9, 2, 0));
	check(set(0x00, 9, 1, 0));
	check_equal(opened, 1);
	check_equal(opened_speed, USB_SPEED_HIGH);
	get(0x80, 8, 0, 0, 1);
	check_equal(ep0.sent[0], 1);
	/* Again is a restart, not a second one. */
	check(set(0x00, 9, 1, 0));
	check_equal(opened, 1);
	check(set(0x00, 9, 0, 0));
	check_equal(opened, 0);
}

static void disconnecting_closes(void)
{
	begin(USB_SPEED_FULL);
	check(set(0x00, 9, 1, 0));
	check_equal(opened_speed, USB_SPEED_FULL);
	usbd_disconnected();
	check_equal(opened, 0);
}

static void short_answers_end(void)
{
	begin(USB_SPEED_HIGH);
	/* As much as is asked for, then no empty packet */
	check_equal(get(0x80, 6, USB_DT_DEVICE << 8, 0, 8), 8);
	check(!ep0.zlp);
	check_equal(get(0x80, 6, USB_DT_DEVICE << 8, 0, 18), 18);
	check(!ep0.zlp);
	/* Less than that: the host has to see the end. */
	check_equal(get(0x80, 6, USB_DT_DEVICE << 8, 0, 64), 18);
	check(ep0.zlp);
}

static void answers_of_all_lengths(void)
{
	unsigned int len;

	begin(USB_SPEED_HIGH);
	check_equal(get(0xa1, 1, 0, USB_INTERFACE_CONTROL, 64), -1);
	check(set(0x00, 9, 1, 0));
	for (len = 1; len <= 2 * USB_CONTROL_MAX; len++) {
		response_len = len;
		check_equal(get(0xa1, 1, 0, USB_INTERFACE_CONTROL, 0xffff),
			    len < USB_CONTROL_MAX ? len : USB_CONTROL_MAX);
		check(ep0.zlp);
	}
	check_equal(get(0xa1, 1, 1, USB_INTERFACE_CONTROL, 64), -1);
	check_equal(get(0xa1, 1, 0, USB_INTERFACE_DATA, 64), -1);
	check_equal(get(0xa1, 1, 0, USB_INTERFACE_CONTROL, 0), -1);
}

static void commands_of_all_lengths(void)
{
	unsigned int len;

	begin(USB_SPEED_HIGH);
	check(!command(28, 28));
	check(set(0x00, 9, 1, 0));
	command_good = true;
	for (len = 1; len <= USB_CONTROL_MAX; len++) {
		commands = 0;
		check(command(len, len));
		check(commands == 1 && command_len == len);
	}
	commands = 0;
	check(!command(USB_CONTROL_MAX + 1, 0));
	check(!command(0xffff, 0));
	check(!command(0, 0));
	/* The host has ended it early. */
	check(!command(28, 27));
	check_equal(commands, 0);
	command_good = false;
	check(!command(28, 28));
	check_equal(commands, 1);
}

static void setup_ends_what_was_under_way(void)
{
	begin(USB_SPEED_HIGH);
	check(set(0x00, 9, 1, 0));
	command_good = true;
	commands = 0;
	setup(0x21, 0, 0, USB_INTERFACE_CONTROL, 28);
	check(ep0.receiving);
	check_equal(get(0x80, 6, USB_DT_DEVICE << 8, 0, 18), 18);
	/* Late data of the first one are nobody's. */
	usbd_received(0, 28);
	check_equal(commands, 0);
}

static void halting_endpoints(void)
{
	begin(USB_SPEED_HIGH);
	check(!set(0x02, 3, 0, USB_EP_IN));
	check(set(0x00, 9, 1, 0));
	check(set(0x02, 3, 0, USB_EP_IN));
	check_equal(halts, 1u << 18);
	check_equal(get(0x82, 0, 0, USB_EP_IN, 2), 2);
	check_equal(ep0.sent[0], 1);
	check_equal(get(0x82, 0, 0, USB_EP_OUT, 2), 2);
	check_equal(ep0.sent[0], 0);
	check(set(0x02, 1, 0, USB_EP_IN));
	check_equal(halts, 0);
	/* Choosing the interface's setting takes halts away. */
	check(set(0x02, 3, 0, USB_EP_OUT) && set(0x02, 3, 0, USB_EP_NOTIFY));
	check(set(0x01, 11, 0, USB_INTERFACE_DATA));
	check_equal(halts, 1u << 17);
	check(set(0x01, 11, 0, USB_INTERFACE_CONTROL));
	check_equal(halts, 0);
	check(!set(0x02, 3, 0, 0x83) && !set(0x02, 3, 0, 0x03) &&
	      !set(0x02, 3, 1, USB_EP_IN));
	check(!set(0x02, 3, 0, 0) && set(0x02, 1, 0, 0));
	check(!set(0x01, 11, 1, USB_INTERFACE_DATA) &&
	      !set(0x01, 11, 0, USB_INTERFACES));
	check(!set(0x00, 3, 1, 0) && !set(0x00, 3, 2, 0));
}

static void status_of_things(void)
{
	begin(USB_SPEED_HIGH);
	check_equal(get(0x80, 0, 0, 0, 2), 2);
	check_equal(ep0.sent[0], 1);
	check_equal(get(0x82, 0, 0, 0, 2), 2);
	check_equal(get(0x81, 0, 0, 0, 2), -1);
	check_equal(get(0x82, 0, 0, USB_EP_IN, 2), -1);
	check(set(0x00, 9, 1, 0));
	check_equal(get(0x81, 0, 0, 1, 2), 2);
	check_equal(get(0x81, 0, 0, 2, 2), -1);
	check_equal(get(0x81, 10, 0, 1, 1), 1);
}

/* A configuration is one chain of descriptors, of its own length, with what Linux looks for. */
static void check_configuration(uint16_t size, uint8_t type, uint8_t interval)
{
	const uint8_t *d = ep0.sent;
	int endpoints = 0, interfaces = 0;
	unsigned int i;

	check_equal(d[1], type);
	check_equal(d[2] | d[3] << 8, ep0.sent_len);
	for (i = 0; i < ep0.sent_len && d[i]; i += d[i]) {
		if (d[i + 1] == USB_DT_ENDPOINT) {
			endpoints++;
			if (d[i + 3] == USB_EP_BULK)
				check_equal(d[i + 4] | d[i + 5] << 8, size);
			else
				check_equal(d[i + 6], interval);
		}
		if (d[i + 1] == USB_DT_INTERFACE && !interfaces++)
			check(d[i + 5] == 2 && d[i + 6] == 2 &&
			      d[i + 7] == 0xff);
	}
	check_equal(i, ep0.sent_len);
	check_equal(interfaces, 2);
	check_equal(endpoints, 3);
}

static void descriptors_by_speed(void)
{
	begin(USB_SPEED_HIGH);
	get(0x80, 6, USB_DT_CONFIG << 8, 0, 255);
	check_configuration(512, USB_DT_CONFIG, 9);
	get(0x80, 6, USB_DT_OTHER_SPEED << 8, 0, 255);
	check_configuration(64, USB_DT_OTHER_SPEED, 32);
	check_equal(get(0x80, 6, USB_DT_QUALIFIER << 8, 0, 255), 10);
	begin(USB_SPEED_FULL);
	get(0x80, 6, USB_DT_CONFIG << 8, 0, 255);
	check_configuration(64, USB_DT_CONFIG, 32);
	get(0x80, 6, USB_DT_OTHER_SPEED << 8, 0, 255);
	check_configuration(512, USB_DT_OTHER_SPEED, 9);
	/* A device that is never a fast one has no such thing. */
	speed_max = USB_SPEED_FULL;
	check_equal(get(0x80, 6, USB_DT_QUALIFIER << 8, 0, 255), -1);
	check_equal(get(0x80, 6, USB_DT_OTHER_SPEED << 8, 0, 255), -1);
	speed_max = USB_SPEED_HIGH;
}

static void strings(void)
{
	unsigned int i, len;

	begin(USB_SPEED_HIGH);
	for (i = 0; i < 6; i++) {
		len = get(0x80, 6, USB_DT_STRING << 8 | i, 0x0409, 255);
		check(len > 2 && ep0.sent[0] == len &&
		      ep0.sent[1] == USB_DT_STRING);
	}
	check_equal(get(0x80, 6, USB_DT_STRING << 8 | 6, 0x0409, 255), -1);
	check_equal(get(0x80, 6, USB_DT_CONFIG << 8 | 1, 0, 255), -1);
	check_equal(get(0x80, 6, 0x7700, 0, 255), -1);
}

static void microsofts_descriptors(void)
{
	begin(USB_SPEED_HIGH);
	check_equal(get(0x80, 6, USB_DT_STRING << 8 | 0xee, 0, 255), 18);
	check(!memcmp(ep0.sent + 2, "M\0S\0F\0T\0001\0000\0000\0", 14));
	check_equal(get(0xc0, ep0.sent[16], 0, 4, 255), 40);
	check(!memcmp(ep0.sent + 18, "RNDIS\0\0\0005162001\0", 16));
	check_equal(get(0xc0, USB_OS_REQUEST, 0, 5, 255), -1);
	check_equal(get(0xc0, USB_OS_REQUEST + 1, 0, 4, 255), -1);
}

/* Whatever comes, it is answered, refused, or its data are wanted; never two of those. */
static void any_request_at_all(void)
{
	unsigned int i;

	begin(USB_SPEED_HIGH);
	check(set(0x00, 9, 1, 0));
	command_good = true;
	for (i = 0; i < 200000; i++) {
		uint32_t dice = unit_random();
		uint8_t type = dice & 3 ? dice >> 8 : dice >> 8 & 0xa3;
		uint16_t len = unit_random() & (dice >> 16 & 1 ? 0xff : 0xffff);

		setup(type, dice >> 24 & 15, unit_random() & 0x3ff,
		      unit_random() & 0x83, len);
		if (ep0.stalled + ep0.sending + ep0.receiving != 1 ||
		    ep0.sent_len > len)
			break;
		if (ep0.receiving) {
			memset(ep0.receive_to, 0xab, ep0.receive_len);
			usbd_received(0, ep0.receive_len);
		}
	}
	check_equal(i, 200000);
	usbd_reset(USB_SPEED_HIGH);
	check_equal(opened, 0);
}

int main(void)
{
	UNIT_PLAN(12);
	UNIT_RUN(address_and_configuration);
	UNIT_RUN(disconnecting_closes);
	UNIT_RUN(short_answers_end);
	UNIT_RUN(answers_of_all_lengths);
	UNIT_RUN(commands_of_all_lengths);
	UNIT_RUN(setup_ends_what_was_under_way);
	UNIT_RUN(halting_endpoints);
	UNIT_RUN(status_of_things);
	UNIT_RUN(descriptors_by_speed);
	UNIT_RUN(strings);
	UNIT_RUN(microsofts_descriptors);
	UNIT_RUN(any_request_at_all);
	return UNIT_DONE();
}
