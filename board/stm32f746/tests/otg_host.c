// SPDX-License-Identifier: GPL-2.0
/* A host's transfers, on the model of the OTG block.  See otg_host.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "otg_host.h"
#include "ports/stm32/otg.h"

#define PATIENCE 20000

struct host host;

static unsigned int problems;

void host_problem(const char *format, ...)
{
	va_list arguments;

	problems++;
	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

_Noreturn void board_fail(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(EXIT_FAILURE);
}

void host_pump(void)
{
	bool more = true;

	for (unsigned int i = 0; more && i < PATIENCE; i++) {
		more = otg_model_interrupt();
		if (more)
			otg_interrupt();
		more |= dcd_poll();
	}
	if (more)
		host_problem("no end to interrupts");
}

unsigned int host_problems(void)
{
	if (otg.timeouts)
		host_problem("waited in vain");
	if (host.wrong_toggles)
		host_problem("wrong data toggles");
	return problems + otg_model_misuse;
}

void host_plug(bool high_speed)
{
	memset(&host, 0, sizeof(host));
	problems = 0;
	otg_model_settings.high_speed = high_speed;
	otg_model_power_on();
	dcd_init();
	if (otg_model_connected())
		host_problem("connected without having been told");
	dcd_connect();
	if (!otg_model_connected())
		host_problem("not connected");
	host_pump();
}

enum otg_answer host_in(unsigned int n, uint8_t *data, unsigned int *len)
{
	enum otg_answer answer = OTG_NAK;
	bool toggle;

	for (unsigned int i = 0; answer == OTG_NAK && i < 100; i++) {
		host_pump();
		answer = otg_host_in(host.address, n, data, len, &toggle);
	}
	if (answer == OTG_ACK) {
		host.wrong_toggles += toggle != host.in_toggle[n];
		host.in_toggle[n] = !host.in_toggle[n];
	}
	return answer;
}

enum otg_answer host_out(unsigned int n, const uint8_t *data, unsigned int len)
{
	enum otg_answer answer = OTG_NAK;

	for (unsigned int i = 0; answer == OTG_NAK && i < 100; i++) {
		host_pump();
		answer = otg_host_out(host.address, n, data, len, host.out_toggle[n]);
	}
	if (answer == OTG_ACK)
		host.out_toggle[n] = !host.out_toggle[n];
	return answer;
}

static unsigned int host_maxpacket(unsigned int n)
{
	if (n == HOST_SMALL)
		return HOST_SMALL_SIZE;
	return n ? host.bulk_size : 64;
}

enum otg_answer host_read(unsigned int n, uint8_t *data, uint32_t room, uint32_t *len)
{
	*len = 0;
	for (;;) {
		uint8_t packet[512];
		unsigned int got;
		enum otg_answer answer = host_in(n, packet, &got);

		if (answer != OTG_ACK)
			return answer;
		if (got > room - *len) {
			host_problem("more than the host wants");
			return OTG_SILENCE;
		}
		memcpy(data + *len, packet, got);
		*len += got;
		if (got < host_maxpacket(n) || *len == room)
			return OTG_ACK;
	}
}

enum otg_answer host_write(unsigned int n, const uint8_t *data, uint32_t len, bool zlp)
{
	uint32_t max = host_maxpacket(n), at = 0;
	enum otg_answer answer;

	do {
		uint32_t part = len - at < max ? len - at : max;

		answer = host_out(n, data + at, part);
		at += part;
	} while (answer == OTG_ACK && at < len);
	if (answer == OTG_ACK && zlp && len && len % max == 0)
		answer = host_out(n, data, 0);
	return answer;
}

enum otg_answer host_setup(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			   uint16_t length)
{
	uint8_t setup[8] = {
		type,
		request,
		(uint8_t)value,
		(uint8_t)(value >> 8),
		(uint8_t)index,
		(uint8_t)(index >> 8),
		(uint8_t)length,
		(uint8_t)(length >> 8),
	};

	host.in_toggle[0] = true;
	host.out_toggle[0] = true;
	return otg_host_setup(host.address, setup);
}

enum otg_answer host_control(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			     uint16_t length, uint8_t *data, uint32_t *got)
{
	enum otg_answer answer;
	uint8_t nothing[64];
	unsigned int none;

	*got = 0;
	answer = host_setup(type, request, value, index, length);
	if (answer != OTG_ACK)
		return answer;
	if (length && type & USB_DIR_IN)
		answer = host_read(0, data, length, got);
	else if (length)
		answer = host_write(0, data, length, false);
	if (answer != OTG_ACK)
		return answer;
	host.in_toggle[0] = true;
	host.out_toggle[0] = true;
	if (length && type & USB_DIR_IN)
		answer = host_out(0, nothing, 0);
	else
		answer = host_in(0, nothing, &none);
	host_pump();
	return answer;
}

void host_reset(bool high_speed)
{
	otg_host_reset();
	host_pump();
	otg_host_enumerate(high_speed);
	host_pump();
	memset(&host, 0, sizeof(host));
	host.bulk_size = high_speed ? 512 : 64;
}
