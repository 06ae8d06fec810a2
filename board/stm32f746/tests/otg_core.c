// SPDX-License-Identifier: GPL-2.0
/*
 * The device core on the OTG driver on the model: what Linux asks of a device when it is
 * plugged in, RNDIS's two requests, and a function that sends and receives.
 */
#include "otg_host.h"
#include "unit.h"
#include "usb/class.h"
#include "usb/core.h"
#include "usb/descriptors.h"

#define BULK (USB_EP_IN & 0xf)

static struct {
	unsigned int opened, closed, sent, received;
	enum usb_speed speed;
	uint32_t received_len;
	uint8_t command[USB_CONTROL_MAX];
	uint16_t command_len;
	uint16_t response_len;
} function;

static uint8_t buffer[4096] __attribute__((aligned(4)));

void class_open(enum usb_speed speed)
{
	function.opened++;
	function.speed = speed;
	check(dcd_ep_open(USB_EP_NOTIFY, USB_EP_INTERRUPT, USB_NOTIFY_SIZE));
	check(dcd_ep_open(USB_EP_IN, USB_EP_BULK, usb_bulk_size(speed)));
	check(dcd_ep_open(USB_EP_OUT, USB_EP_BULK, usb_bulk_size(speed)));
}

void class_close(void)
{
	function.closed++;
	dcd_ep_close(USB_EP_NOTIFY);
	dcd_ep_close(USB_EP_IN);
	dcd_ep_close(USB_EP_OUT);
}

bool class_command(const uint8_t *data, uint16_t len)
{
	memcpy(function.command, data, len);
	function.command_len = len;
	return len != 13;
}

uint16_t class_response(uint8_t *data, uint16_t size)
{
	uint16_t len = function.response_len < size ? function.response_len : size;

	for (uint16_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7);
	return len;
}

void class_sent(uint8_t address)
{
	check_equal(address, USB_EP_IN);
	function.sent++;
}

void class_received(uint8_t address, uint32_t len)
{
	check_equal(address, USB_EP_OUT);
	function.received++;
	function.received_len = len;
}

/* -- what the host wants ------------------------------------------------------------------- */

static enum otg_answer get(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			   uint16_t length, uint8_t *data, uint32_t *got)
{
	return host_control(type, request, value, index, length, data, got);
}

static enum otg_answer set(uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
	uint32_t got;

	return host_control(type, request, value, index, 0, NULL, &got);
}

/* A descriptor comes as the core has it, and not more of it than asked for. */
static void descriptor(uint8_t type, uint8_t index, uint16_t length, enum usb_speed speed)
{
	uint8_t data[1024];
	uint16_t len;
	const uint8_t *should = usb_descriptor(type, index, speed, &len);
	uint8_t copy[1024];
	uint32_t got;

	if (!should) {
		check_equal(get(0x80, 6, (uint16_t)(type << 8 | index), 0, length, data, &got),
			    OTG_STALL);
		return;
	}
	memcpy(copy, should, len);
	check_equal(get(0x80, 6, (uint16_t)(type << 8 | index), 0, length, data, &got), OTG_ACK);
	check_equal(got, len < length ? len : length);
	check(!memcmp(data, copy, got));
}

static void enumerate(bool high_speed)
{
	enum usb_speed speed = high_speed ? USB_SPEED_HIGH : USB_SPEED_FULL;

	host_reset(high_speed);
	descriptor(USB_DT_DEVICE, 0, 64, speed);
	host_reset(high_speed);
	check_equal(set(0, 5, 42, 0), OTG_ACK);
	host.address = 42;
	descriptor(USB_DT_DEVICE, 0, 8, speed);
	descriptor(USB_DT_DEVICE, 0, 18, speed);
	descriptor(USB_DT_QUALIFIER, 0, 10, speed);
	descriptor(USB_DT_CONFIG, 0, 9, speed);
	descriptor(USB_DT_CONFIG, 0, 255, speed);
	for (uint8_t i = 0; i < 8; i++)
		descriptor(USB_DT_STRING, i, 255, speed);
	check_equal(set(0, 9, USB_CONFIGURATION, 0), OTG_ACK);
	host.in_toggle[BULK] = false;
	host.out_toggle[BULK] = false;
	check_equal(function.speed, speed);
}

static void start(bool high_speed, unsigned int variant)
{
	memset(&function, 0, sizeof(function));
	otg_model_settings.high_speed = high_speed;
	otg_model_settings.latency = variant & 1 ? 13 : 0;
	otg_model_settings.setup_done_late = variant & 2;
	otg_model_settings.setup_keeps_enabled = variant & 4;
	host_plug(high_speed);
	enumerate(high_speed);
}

static void commands_and_responses(void)
{
	static const uint16_t lengths[] = { 1, 12, 24, 63, 64, 65, 128, 200, 1024 };
	uint8_t data[1024];
	uint32_t got;

	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (uint16_t k = 0; k < lengths[i]; k++)
			data[k] = (uint8_t)(k + i);
		check_equal(host_control(0x21, 0, 0, 0, lengths[i], data, &got), OTG_ACK);
		check_equal(function.command_len, lengths[i]);
		check(!memcmp(function.command, data, lengths[i]));
		function.response_len = lengths[i];
		check_equal(get(0xa1, 1, 0, 0, 1024, data, &got), OTG_ACK);
		check_equal(got, lengths[i]);
		check_equal(data[got - 1], (uint8_t)((got - 1) * 7));
	}
	check_equal(host_control(0x21, 0, 0, 0, 13, data, &got), OTG_STALL);
	check_equal(set(0x21, 0, 0, 0), OTG_STALL);
}

static void traffic(unsigned int size)
{
	uint8_t data[4096];
	struct dcd_piece pieces[2] = { { buffer, 44 }, { buffer + 51, 1514 } };
	unsigned int sent = function.sent, received = function.received;
	uint32_t got;

	for (unsigned int i = 0; i < sizeof(buffer); i++)
		buffer[i] = (uint8_t)(i * 31 >> 2);
	dcd_ep_send(USB_EP_IN, pieces, 2, true);
	check_equal(host_read(BULK, data, sizeof(data), &got), OTG_ACK);
	host_pump();
	check_equal(got, 44 + 1514);
	check(!memcmp(data, buffer, 44) && !memcmp(data + 44, buffer + 51, 1514));
	check_equal(function.sent, sent + 1);

	dcd_ep_receive(USB_EP_OUT, buffer, 8 * size > 4096 ? 4096 : 8 * size);
	check_equal(host_write(BULK, data, 333, true), OTG_ACK);
	host_pump();
	check_equal(function.received, received + 1);
	check_equal(function.received_len, 333);
	check(!memcmp(buffer, data, 333));
}

static void halts(unsigned int size)
{
	uint8_t data[64];
	uint32_t got;

	check_equal(set(2, 3, 0, USB_EP_IN), OTG_ACK);
	check_equal(get(0x82, 0, 0, USB_EP_IN, 2, data, &got), OTG_ACK);
	check_equal(data[0], 1);
	check_equal(host_read(BULK, data, 64, &got), OTG_STALL);
	check_equal(set(2, 1, 0, USB_EP_IN), OTG_ACK);
	check_equal(set(2, 1, 0, USB_EP_OUT), OTG_ACK);
	host.in_toggle[BULK] = false;
	host.out_toggle[BULK] = false;
	traffic(size);
}

static void serves(bool high_speed)
{
	for (unsigned int variant = 0; variant < 8; variant++) {
		unsigned int size = high_speed ? 512 : 64, closed;

		start(high_speed, variant);
		commands_and_responses();
		traffic(size);
		halts(size);
		/* Configured anew, and plugged in anew: everything begins from the beginning. */
		closed = function.closed;
		check_equal(set(0, 9, 0, 0), OTG_ACK);
		check_equal(function.closed, closed + 1);
		check_equal(set(0, 9, 1, 0), OTG_ACK);
		host.in_toggle[BULK] = false;
		host.out_toggle[BULK] = false;
		traffic(size);
		otg_host_unplug();
		host_pump();
		check_equal(function.closed, closed + (high_speed ? 2 : 1));
		otg_host_plug();
		enumerate(high_speed);
		traffic(size);
		check_equal(host_problems(), 0);
	}
}

static void test_full_speed(void)
{
	serves(false);
}

static void test_high_speed(void)
{
	serves(true);
}

int main(void)
{
	UNIT_PLAN(2);
	UNIT_RUN(test_full_speed);
	UNIT_RUN(test_high_speed);
	return UNIT_DONE();
}
