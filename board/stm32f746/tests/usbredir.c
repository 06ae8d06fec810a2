// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of ports/mps2, with ports/redir behind it and a device core that echoes:
 * messages whole, in pieces, cut off, and made of chance.
 */
#include "redir_peer.h"

/* -- the cases --------------------------------------------------------------------------- */

static void connects(uint32_t caps, uint32_t len, uint32_t eps)
{
	const uint8_t *at;
	uint32_t got;
	uint64_t id;

	start(caps);
	run();
	at = answer(WIRE_HELLO, &id, &got);
	check(at && got == WIRE_VERSION + 4);
	at = answer(WIRE_EP_INFO, &id, &got);
	check_equal(got, eps);
	at = answer(WIRE_DEVICE_CONNECT, &id, &got);
	check_equal(got, len);
	check(at && at[0] == 2 && wire_get16(at + 4) == 0x1209 && wire_get16(at + 6) == 1);
	check_equal(resets, 1);
	set_configuration();
	run();
	at = answer(WIRE_CONFIGURATION_STATUS, &id, &got);
	check(at && got == 2 && !at[0] && at[1] == 1 && id == 7);
}

static void connects_with_all_capabilities(void)
{
	connects(HOST_CAPS, 10, 160);
}

static void connects_with_none(void)
{
	connects(0, 8, 96);
}

static void control_transfers(void)
{
	const uint8_t *at;
	uint32_t len;
	uint64_t id;

	start(HOST_CAPS);
	host_control(0x123456789abcdef0, 0x80, 6, 8, NULL);
	host_control(2, 0x21, 0, 5, "hello");
	host_control(3, 0xa1, 0x55, 5, NULL);
	run();
	at = answer(WIRE_CONTROL, &id, &len);
	check(at && len == 18 && id == 0x123456789abcdef0 && !at[3] && wire_get16(at + 8) == 8);
	check(at && !memcmp(at + 10, device_descriptor, 8));
	at = answer(WIRE_CONTROL, &id, &len);
	check(at && len == 10 && id == 2 && !at[3] && wire_get16(at + 8) == 5);
	check(!memcmp(control_buffer, "hello", 5));
	at = answer(WIRE_CONTROL, &id, &len);
	check(at && len == 10 && id == 3 && at[3] == REDIR_STALL);
}

static uint8_t pattern[1 << 18];

static void make_pattern(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = unit_random();
}

/* So many bytes there and back, in pieces of that many */
static void echo(uint32_t len, uint32_t piece)
{
	const uint8_t *at;
	uint32_t got;
	uint64_t id;

	start(HOST_CAPS);
	chunk = piece;
	set_configuration();
	run();
	host_bulk(20, USB_EP_OUT, len, pattern);
	host_bulk(21, USB_EP_IN, 4096, NULL);
	run();
	at = answer(WIRE_BULK, &id, &got);
	check(at && id == 20 && got == 10 && !at[1] && wire_get16(at + 2) == len);
	at = answer(WIRE_BULK, &id, &got);
	check(at && id == 21 && got == len + 10 && !at[1] && wire_get16(at + 2) == len);
	check(at && !memcmp(at + 10, pattern, len));
	check(direct > 0 || !len);
}

static void bulk_straight_to_the_core(void)
{
	echo(1, 4096);
	echo(513, 4096);
	echo(1999, 4096);
	echo(2048, 4096);
}

static void bulk_in_pieces(void)
{
	echo(1999, 1);
	echo(1999, 7);
	echo(2048, 0);
}

/* Longer than what the core waits for: through the port's memory */
static void bulk_longer_than_the_room(void)
{
	const uint8_t *at;
	uint32_t len, sum = 0;
	uint64_t id;
	int i;

	start(HOST_CAPS);
	set_configuration();
	run();
	host_bulk(20, USB_EP_OUT, 5000, pattern);
	for (i = 0; i < 3; i++)
		host_bulk(21 + i, USB_EP_IN, 2048 + 512, NULL);
	run();
	check_equal(received, 5000);
	check_equal(direct, 0);
	for (i = 0; i < 4; i++) {
		at = answer(WIRE_BULK, &id, &len);
		if (id == 20)
			continue;
		check(at && !memcmp(at + 10, pattern + sum, len - 10));
		sum += len - 10;
	}
	check_equal(sum, 5000);
}

static void bulk_longer_than_all_memory(void)
{
	const uint8_t *at;
	uint32_t len;
	uint64_t id;

	start(HOST_CAPS);
	set_configuration();
	run();
	host_bulk(30, USB_EP_OUT, USBREDIR_DATA + 1, pattern);
	host_bulk(31, USB_EP_OUT, 100, pattern);
	run();
	at = answer(WIRE_BULK, &id, &len);
	check(at && id == 30 && at[1] == REDIR_IO_ERROR);
	at = answer(WIRE_BULK, &id, &len);
	check(at && id == 31 && !at[1]);
	check_equal(received, 100);
}

static void more_packets_than_can_wait(void)
{
	const uint8_t *at;
	uint32_t len, errors = 0;
	uint64_t id;
	int i;

	start(HOST_CAPS);
	set_configuration();
	run();
	for (i = 0; i < USBREDIR_PACKETS + 10; i++)
		host_bulk(100 + i, USB_EP_IN, 64, NULL);
	run();
	while (out_at < out_len) {
		at = answer(WIRE_BULK, &id, &len);
		errors += at && at[1] == REDIR_IO_ERROR;
	}
	check_equal(errors, 10);
	/* Cancelled, they are all there again. */
	for (i = 0; i < USBREDIR_PACKETS; i++)
		host_message(WIRE_CANCEL, 100 + i, NULL, 0, NULL, 0);
	run();
	for (i = 0; i < USBREDIR_PACKETS; i++) {
		at = answer(WIRE_BULK, &id, &len);
		check(at && id == 100u + i && at[1] == REDIR_CANCELLED);
	}
	check(!usbredir_gone());
}

/* While data come for a buffer of the core's, the core loses it: none may go there. */
static void room_that_is_taken_away(void)
{
	const uint8_t *at;
	uint32_t len, before;
	uint64_t id;

	start(HOST_CAPS);
	set_configuration();
	run();
	host_bulk(20, USB_EP_OUT, 2000, pattern);
	in_len -= 1000;
	while (in_at < in_len)
		dcd_poll();
	before = direct;
	check(before > 0);
	dcd_ep_close(USB_EP_OUT);
	memset(core_buffer, 0, sizeof(core_buffer));
	in_len += 1000;
	run();
	check_equal(direct, before);
	at = answer(WIRE_BULK, &id, &len);
	check(at && id == 20 && at[1]);
	check(!core_buffer[1999] && !core_buffer[1000]);
}

static void interrupts(void)
{
	const struct dcd_piece piece = { "12345678", 8 };
	const uint8_t *at;
	uint32_t len;
	uint64_t id;

	start(HOST_CAPS);
	set_configuration();
	host_message(WIRE_START_INTERRUPT, 9, "\x81", 1, NULL, 0);
	run();
	at = answer(WIRE_INTERRUPT_STATUS, &id, &len);
	check(at && len == 2 && id == 9 && !at[0] && at[1] == 0x81);
	dcd_ep_send(USB_EP_NOTIFY, &piece, 1, false);
	run();
	at = answer(WIRE_INTERRUPT, &id, &len);
	check(at && len == 12 && !at[1] && wire_get16(at + 2) == 8);
	check(at && !memcmp(at + 4, "12345678", 8));
}

static void unknown_messages_are_passed_over(void)
{
	const uint8_t *at;
	uint32_t len;
	uint64_t id;

	start(HOST_CAPS);
	host_message(23, 0, pattern, 3000, NULL, 0);
	host_message(4711, 0, NULL, 0, NULL, 0);
	host_control(2, 0x80, 6, 18, NULL);
	run();
	at = answer(WIRE_CONTROL, &id, &len);
	check(at && len == 28 && id == 2);
	check(!usbredir_gone());
}

/* Each ends the link, and the core is told once. */
static void is_the_end(void)
{
	run();
	run();
	check(usbredir_gone());
	check_equal(losses, resets ? 1 : 0);
}

static void broken_messages(void)
{
	uint8_t body[16] = { USB_EP_OUT };

	start(HOST_CAPS);
	host_hello(HOST_CAPS);
	is_the_end();
	start(HOST_CAPS);
	host_message(WIRE_SET_CONFIGURATION, 1, "\1\1", 2, NULL, 0);
	is_the_end();
	start(HOST_CAPS);
	host_message(WIRE_SET_ALT_SETTING, 1, "\1", 1, NULL, 0);
	is_the_end();
	start(HOST_CAPS);
	host_message(WIRE_BULK, 1, body, 9, NULL, 0);
	is_the_end();
	start(HOST_CAPS);
	body[2] = 5;
	host_message(WIRE_BULK, 1, body, 10, pattern, 4);
	is_the_end();
	start(HOST_CAPS);
	body[0] = USB_EP_IN;
	host_message(WIRE_BULK, 1, body, 10, pattern, 5);
	is_the_end();
	start(HOST_CAPS);
	host_control(1, 0x80, 6, 18, pattern);
	is_the_end();
	start(HOST_CAPS);
	in_len = 0;
	wide = false;
	host_control(1, 0x80, 6, 18, NULL);
	is_the_end();
}

/* A conversation, cut off after each of its bytes */
static void cut_streams(void)
{
	uint32_t cut, whole;

	for (cut = 0, whole = 1; cut < whole; cut++) {
		start(HOST_CAPS);
		set_configuration();
		host_control(2, 0x80, 6, 18, NULL);
		host_message(WIRE_START_INTERRUPT, 9, "\x81", 1, NULL, 0);
		host_bulk(20, USB_EP_OUT, 100, pattern);
		host_bulk(21, USB_EP_IN, 512, NULL);
		whole = in_len;
		in_len = cut;
		hung_up = true;
		is_the_end();
	}
}

static void host_that_does_not_read(void)
{
	start(HOST_CAPS);
	run();
	host_gone = true;
	set_configuration();
	is_the_end();
}

static void random_message(void)
{
	static const uint8_t types[] = { 0,  3,	 6,  7,	 9,   10,  15,	16,
					 21, 23, 24, 25, 100, 101, 102, 103 };
	static const uint8_t eps[] = { 0, 0x80, USB_EP_NOTIFY, USB_EP_IN, USB_EP_OUT, 5, 0x8f };
	uint32_t type = types[unit_random() % sizeof(types)], len = unit_random() % 3000;
	uint8_t body[100];
	unsigned int i;

	for (i = 0; i < sizeof(body); i++)
		body[i] = unit_random();
	switch (unit_random() % 100 ? 1 + unit_random() % 7 : 0) {
	case 0:
		host_message(type, unit_random(), body, unit_random() % 100, NULL, 0);
		break;
	case 1:
		host_control(unit_random() % 50, body[0], body[1] % 12, len,
			     body[0] & 0x80 ? NULL : pattern);
		break;
	case 2:
		set_configuration();
		break;
	case 3:
		host_message(WIRE_CANCEL, unit_random() % 50, NULL, 0, NULL, 0);
		break;
	case 4:
		host_message(unit_random() % 60 ? 24 : WIRE_RESET, 0, NULL, 0, NULL, 0);
		break;
	default:
		i = eps[unit_random() % sizeof(eps)];
		if (unit_random() % 200 == 0)
			len = unit_random() % sizeof(pattern);
		host_bulk(unit_random() % 50, i, len, i & 0x80 ? NULL : pattern);
		break;
	}
}

/* One byte in it, now and then, is another. */
static void fuzz(void)
{
	unsigned int round, i, alive = 0;
	uint32_t total = 0;

	for (round = 0; round < 3000; round++) {
		start(unit_random() % 4 ? HOST_CAPS : unit_random() & 0xff);
		chunk = unit_random() % 2 * 4096;
		core_room = 512 * (1 + unit_random() % 8);
		set_configuration();
		for (i = 0; i < 30; i++)
			random_message();
		for (i = unit_random() % 2; i; i--)
			from_host[unit_random() % in_len] ^= 1 << unit_random() % 8;
		hung_up = unit_random() % 2;
		for (i = 0; i < 3000; i++)
			dcd_poll();
		alive += !usbredir_gone();
		total += received;
	}
	/* Neither all nor none have come to their end early. */
	check(alive > 100 && alive < 2900);
	check(total > 1000000);
}

int main(void)
{
	make_pattern();
	dcd_init();
	UNIT_PLAN(15);
	UNIT_RUN(connects_with_all_capabilities);
	UNIT_RUN(connects_with_none);
	UNIT_RUN(control_transfers);
	UNIT_RUN(bulk_straight_to_the_core);
	UNIT_RUN(bulk_in_pieces);
	UNIT_RUN(bulk_longer_than_the_room);
	UNIT_RUN(bulk_longer_than_all_memory);
	UNIT_RUN(more_packets_than_can_wait);
	UNIT_RUN(room_that_is_taken_away);
	UNIT_RUN(interrupts);
	UNIT_RUN(unknown_messages_are_passed_over);
	UNIT_RUN(broken_messages);
	UNIT_RUN(cut_streams);
	UNIT_RUN(host_that_does_not_read);
	UNIT_RUN(fuzz);
	return UNIT_DONE();
}
