// SPDX-License-Identifier: GPL-2.0
/* The OTG driver on the model: transfers on bulk and interrupt endpoints, and their ends. */
#include "otg_rig.h"
#include "unit.h"

#define MEMORY (1u << 20)

static uint8_t source[MEMORY];
static uint8_t sink[MEMORY] __attribute__((aligned(4)));

static void each_variant(void (*test)(bool high_speed))
{
	for (unsigned int i = 0; i < 4; i++) {
		otg_model_settings.latency = i & 1 ? 13 : 0;
		for (uint32_t k = 0; k < MEMORY; k++)
			source[k] = rig_pattern(i, k);
		rig_start(i & 2);
		test(i & 2);
		check_equal(host_problems(), 0);
	}
}

/* Halts or unhalts, as the host asks for it. */
static void feature(uint8_t request, uint8_t address)
{
	uint32_t got;

	check_equal(host_control(0x02, request, 0, address, 0, NULL, &got), OTG_ACK);
	if (address & USB_DIR_IN && request == 1)
		host.in_toggle[address & 0xf] = false;
	else if (request == 1)
		host.out_toggle[address] = false;
}

static void halt(uint8_t address)
{
	feature(3, address);
}

static void unhalt(uint8_t address)
{
	feature(1, address);
}

/* -- to the host --------------------------------------------------------------------------- */

static void send_one(unsigned int n, uint32_t offset, uint32_t len, bool zlp)
{
	struct dcd_piece piece = { source + offset, len };

	dcd_ep_send((uint8_t)(USB_DIR_IN | n), &piece, 1, zlp);
}

/* The host reads until the transfer's end, and has it all. */
static void read_back(unsigned int n, uint32_t offset, uint32_t len)
{
	unsigned int sent = rig.sent[n];
	uint32_t got;

	check_equal(host_read(n, sink, MEMORY, &got), OTG_ACK);
	host_pump();
	check_equal(got, len);
	check(!memcmp(sink, source + offset, len));
	check_equal(rig.sent[n], sent + 1);
}

static void send_lengths(bool high_speed)
{
	uint32_t max = rig_maxpacket;

	(void)high_speed;
	for (uint32_t packets = 0; packets <= 9; packets++) {
		for (int more = -5; more <= 5; more++) {
			uint32_t len = packets * max + (uint32_t)more;

			if ((int)packets * (int)max + more < 0)
				continue;
			send_one(RIG_IN, 1, len, true);
			read_back(RIG_IN, 1, len);
		}
	}
	for (uint32_t len = 0; len <= 33; len++) {
		send_one(RIG_NOTIFY, len, len, true);
		read_back(RIG_NOTIFY, len, len);
	}
}

/* Without a packet of no bytes, a multiple of the packet size ends with a full packet. */
static void send_without_zlp(bool high_speed)
{
	uint8_t packet[512];
	unsigned int len;
	bool toggle;

	(void)high_speed;
	send_one(RIG_IN, 0, 3u * rig_maxpacket, false);
	for (unsigned int i = 0; i < 3; i++)
		check_equal(host_in(RIG_IN, packet, &len), OTG_ACK);
	host_pump();
	check_equal(rig.sent[RIG_IN], 1);
	check_equal(otg_host_in(host.address, RIG_IN, packet, &len, &toggle), OTG_NAK);
	send_one(RIG_IN, 0, 0, true);
	read_back(RIG_IN, 0, 0);
}

/* More packets than the registers can count */
static void send_long(bool high_speed)
{
	uint32_t len = high_speed ? 600000 : 70000;

	send_one(RIG_IN, 3, len, true);
	read_back(RIG_IN, 3, len);
	len = 1023u * rig_maxpacket;
	send_one(RIG_IN, 3, len, true);
	read_back(RIG_IN, 3, len);
	check(otg_model_refills > 0);
}

static void send_gather(bool high_speed)
{
	(void)high_speed;
	for (unsigned int round = 0; round < 1500; round++) {
		struct dcd_piece pieces[DCD_PIECES];
		unsigned int n = 1 + unit_random() % DCD_PIECES, sent = rig.sent[RIG_IN];
		unsigned int largest = 1u << unit_random() % 11;
		uint32_t len = 0, got;

		for (unsigned int i = 0; i < n; i++) {
			uint32_t size = unit_random() % largest;

			/* Apart from each other, so that one byte too many shows. */
			pieces[i].data = source + i * 4096 + unit_random() % 8;
			pieces[i].len = size;
			len += size;
		}
		dcd_ep_send(USB_DIR_IN | RIG_IN, pieces, n, true);
		check_equal(host_read(RIG_IN, sink, MEMORY, &got), OTG_ACK);
		host_pump();
		check_equal(got, len);
		check_equal(rig.sent[RIG_IN], sent + 1);
		len = 0;
		for (unsigned int i = 0; i < n; i++) {
			check(!memcmp(sink + len, pieces[i].data, pieces[i].len));
			len += pieces[i].len;
		}
	}
}

/* The array of pieces is the caller's again at once. */
static void send_keeps_no_array(bool high_speed)
{
	struct dcd_piece pieces[2] = { { source, 3u * rig_maxpacket + 1 },
				       { source + 3u * rig_maxpacket + 1, 700 } };

	(void)high_speed;
	dcd_ep_send(USB_DIR_IN | RIG_IN, pieces, 2, true);
	memset(pieces, 0xff, sizeof(pieces));
	read_back(RIG_IN, 0, 3u * rig_maxpacket + 701);
}

static void send_two_endpoints(bool high_speed)
{
	(void)high_speed;
	send_one(RIG_IN, 100, 20000, true);
	send_one(RIG_NOTIFY, 77, 8, false);
	host_pump();
	check_equal(host_in(RIG_NOTIFY, sink, &(unsigned int){ 0 }), OTG_ACK);
	check(!memcmp(sink, source + 77, 8));
	read_back(RIG_IN, 100, 20000);
	check_equal(rig.sent[RIG_NOTIFY], 1);
}

/* -- from the host ------------------------------------------------------------------------- */

static void receive_case(uint32_t room, uint32_t len, bool zlp)
{
	unsigned int received = rig.received[RIG_OUT];

	memset(sink, 0x5a, room + 8);
	dcd_ep_receive(RIG_OUT, sink, room);
	check_equal(host_write(RIG_OUT, source, len, zlp && len < room), OTG_ACK);
	host_pump();
	check_equal(rig.received[RIG_OUT], received + 1);
	check_equal(rig.received_len[RIG_OUT], len);
	check(!memcmp(sink, source, len));
	for (uint32_t i = len; i < room + 8; i++)
		check(sink[i] == 0x5a);
}

static void receive_lengths(bool high_speed)
{
	uint32_t max = rig_maxpacket;

	(void)high_speed;
	for (uint32_t packets = 0; packets <= 9; packets++) {
		for (int more = -5; more <= 5; more++) {
			uint32_t len = packets * max + (uint32_t)more;

			if ((int)packets * (int)max + more >= 0)
				receive_case(10 * max, len, true);
		}
	}
	receive_case(10 * max, 10 * max, false);
	receive_case(max, max, false);
	receive_case(max, 0, false);
}

static void receive_long(bool high_speed)
{
	receive_case(1023u * rig_maxpacket, 1023u * rig_maxpacket, false);
	receive_case(1200u * rig_maxpacket, 1200u * rig_maxpacket, false);
	receive_case(1200u * rig_maxpacket, 1023u * rig_maxpacket, true);
	receive_case(1200u * rig_maxpacket, 1100u * rig_maxpacket + 1, false);
	(void)high_speed;
}

/* Nothing is taken without a transfer, and what the FIFO has room for waits for the poll. */
static void receive_not_ready(bool high_speed)
{
	unsigned int taken = 0;

	(void)high_speed;
	check_equal(otg_host_out(host.address, RIG_OUT, source, 64, false), OTG_NAK);
	dcd_ep_receive(RIG_OUT, sink, 20u * rig_maxpacket);
	while (otg_host_out(host.address, RIG_OUT, source + taken * rig_maxpacket, rig_maxpacket,
			    taken & 1) == OTG_ACK)
		taken++;
	check(taken >= 2 && taken < 20);
	host_pump();
	check_equal(rig.received[RIG_OUT], 0);
	host.out_toggle[RIG_OUT] = taken & 1;
	check_equal(host_out(RIG_OUT, source + taken * rig_maxpacket, 10), OTG_ACK);
	host_pump();
	check_equal(rig.received_len[RIG_OUT], taken * rig_maxpacket + 10);
	check(!memcmp(sink, source, taken * rig_maxpacket + 10));
}

/* A SETUP must get through when the receive FIFO is full of bulk data. */
static void setup_behind_data(bool high_speed)
{
	unsigned int taken = 0;

	(void)high_speed;
	dcd_ep_receive(RIG_OUT, sink, 20u * rig_maxpacket);
	while (otg_host_out(host.address, RIG_OUT, source + taken * rig_maxpacket, rig_maxpacket,
			    taken & 1) == OTG_ACK)
		taken++;
	for (unsigned int i = 0; i < 3; i++)
		check_equal(host_setup(0x40, RIG_RECEIVE, 0, 0, 0), OTG_ACK);
	host_pump();
	check_equal(host_in(0, source, &(unsigned int){ 0 }), OTG_ACK);
	host_pump();
	check_equal(rig.control_done, 5);
}

/* -- halts ----------------------------------------------------------------------------------- */

static void halt_idle(bool high_speed)
{
	unsigned int len;

	(void)high_speed;
	halt(USB_DIR_IN | RIG_IN);
	halt(RIG_OUT);
	check_equal(host_in(RIG_IN, sink, &len), OTG_STALL);
	check_equal(host_out(RIG_OUT, source, 64), OTG_STALL);
	/* What is begun while halted begins when it no longer is. */
	send_one(RIG_IN, 9, 1000, true);
	dcd_ep_receive(RIG_OUT, sink, 10u * rig_maxpacket);
	check_equal(host_in(RIG_IN, sink, &len), OTG_STALL);
	check_equal(host_out(RIG_OUT, source, 64), OTG_STALL);
	unhalt(USB_DIR_IN | RIG_IN);
	unhalt(RIG_OUT);
	check_equal(host_write(RIG_OUT, source, rig_maxpacket + 9u, true), OTG_ACK);
	host_pump();
	check_equal(rig.received_len[RIG_OUT], rig_maxpacket + 9u);
	read_back(RIG_IN, 9, 1000);
}

/* Reads some packets, halts, unhalts and reads the rest: nothing is lost or comes twice. */
static void halt_in_sending(bool high_speed)
{
	uint32_t len = 8u * rig_maxpacket, got;

	(void)high_speed;
	for (unsigned int packets = 0; packets <= 9; packets++) {
		for (unsigned int pumped = 0; pumped < 2; pumped++) {
			unsigned int part, sent = rig.sent[RIG_IN];

			send_one(RIG_IN, 0, len, true);
			for (unsigned int i = 0; i < packets; i++)
				host_in(RIG_IN, sink + i * rig_maxpacket, &part);
			if (pumped)
				host_pump();
			halt(USB_DIR_IN | RIG_IN);
			check_equal(host_in(RIG_IN, sink, &part), OTG_STALL);
			unhalt(USB_DIR_IN | RIG_IN);
			got = 0;
			if (packets <= 8)
				check_equal(host_read(RIG_IN, sink + packets * rig_maxpacket,
						      MEMORY / 2, &got),
					    OTG_ACK);
			host_pump();
			check_equal(packets * rig_maxpacket + got, packets > 8 ? 9 * len / 8 : len);
			check(!memcmp(sink, source, len));
			check_equal(rig.sent[RIG_IN], sent + 1);
		}
	}
}

static void halt_in_receiving(bool high_speed)
{
	uint32_t len = 8u * rig_maxpacket;

	(void)high_speed;
	for (unsigned int packets = 0; packets <= 8; packets++) {
		unsigned int received = rig.received[RIG_OUT];

		memset(sink, 0, len);
		dcd_ep_receive(RIG_OUT, sink, len);
		if (packets)
			host_write(RIG_OUT, source, packets * rig_maxpacket, false);
		halt(RIG_OUT);
		check_equal(host_out(RIG_OUT, source, 1), OTG_STALL);
		unhalt(RIG_OUT);
		if (packets < 8)
			check_equal(host_write(RIG_OUT, source + packets * rig_maxpacket,
					       len - packets * rig_maxpacket, false),
				    OTG_ACK);
		host_pump();
		check_equal(rig.received[RIG_OUT], received + 1);
		check_equal(rig.received_len[RIG_OUT], len);
		check(!memcmp(sink, source, len));
	}
}

/* CLEAR_FEATURE without a halt resets the toggle under whatever is going on. */
static void unhalt_without_halt(bool high_speed)
{
	unsigned int len;

	(void)high_speed;
	send_one(RIG_IN, 0, 3u * rig_maxpacket, true);
	check_equal(host_in(RIG_IN, sink, &len), OTG_ACK);
	unhalt(USB_DIR_IN | RIG_IN);
	read_back(RIG_IN, rig_maxpacket, 2u * rig_maxpacket);
	dcd_ep_receive(RIG_OUT, sink, 3u * rig_maxpacket);
	check_equal(host_out(RIG_OUT, source, rig_maxpacket), OTG_ACK);
	unhalt(RIG_OUT);
	check_equal(host_out(RIG_OUT, source + rig_maxpacket, 5), OTG_ACK);
	host_pump();
	check_equal(rig.received_len[RIG_OUT], rig_maxpacket + 5u);
	check(!memcmp(sink, source, rig_maxpacket + 5u));
}

/* -- ends -------------------------------------------------------------------------------------- */

/* Begins something everywhere, and lets some of it happen. */
static void busy(unsigned int packets)
{
	unsigned int len;

	send_one(RIG_IN, 0, 8u * rig_maxpacket, true);
	send_one(RIG_NOTIFY, 0, 24, true);
	dcd_ep_receive(RIG_OUT, sink, 8u * rig_maxpacket);
	for (unsigned int i = 0; i < packets; i++) {
		check_equal(host_in(RIG_IN, sink, &len), OTG_ACK);
		check_equal(host_out(RIG_OUT, source, rig_maxpacket), OTG_ACK);
	}
}

/* Everything works as if nothing had been, and no old event is reported. */
static void afresh(unsigned int sent, unsigned int received)
{
	check_equal(rig.sent[RIG_IN], sent);
	check_equal(rig.received[RIG_OUT], received);
	send_one(RIG_IN, 50000, 1000, true);
	read_back(RIG_IN, 50000, 1000);
	send_one(RIG_NOTIFY, 9, 16, true);
	read_back(RIG_NOTIFY, 9, 16);
	receive_case(4u * rig_maxpacket, rig_maxpacket + 11u, true);
}

static void reset_in_transfers(bool high_speed)
{
	for (unsigned int packets = 0; packets <= 7; packets++) {
		unsigned int sent = rig.sent[RIG_IN], received = rig.received[RIG_OUT];

		busy(packets);
		/* Also in the middle of a control transfer, each way */
		check_equal(host_setup(packets & 1 ? 0xc0 : 0x40,
				       packets & 1 ? RIG_SEND : RIG_RECEIVE, 500, 0, 500),
			    OTG_ACK);
		if (packets & 1)
			check_equal(host_in(0, sink, &(unsigned int){ 0 }), OTG_ACK);
		else
			check_equal(host_out(0, source, 64), OTG_ACK);
		if (packets & 2)
			host_pump();
		rig_enumerate(high_speed);
		afresh(sent, received);
	}
}

static void unplug_in_transfers(bool high_speed)
{
	unsigned int sent = rig.sent[RIG_IN], received = rig.received[RIG_OUT];

	busy(3);
	otg_host_unplug();
	host_pump();
	otg_host_plug();
	rig_enumerate(high_speed);
	afresh(sent, received);
	sent = rig.sent[RIG_IN];
	received = rig.received[RIG_OUT];
	busy(3);
	dcd_disconnect();
	dcd_connect();
	rig_enumerate(high_speed);
	afresh(sent, received);
}

/* Bus reset, but the device side goes on for a while: it does no harm. */
static void begin_while_closed(bool high_speed)
{
	host_reset(high_speed);
	send_one(RIG_IN, 0, 100, true);
	dcd_ep_receive(RIG_OUT, sink, rig_maxpacket);
	dcd_ep_close(USB_DIR_IN | RIG_IN);
	dcd_ep_close(RIG_OUT);
	rig_enumerate(high_speed);
	afresh(0, 0);
}

static void close_in_transfers(bool high_speed)
{
	(void)high_speed;
	for (unsigned int packets = 0; packets <= 7; packets++) {
		unsigned int sent = rig.sent[RIG_IN], received = rig.received[RIG_OUT], len;

		busy(packets);
		dcd_ep_close(USB_DIR_IN | RIG_IN);
		dcd_ep_close(USB_DIR_IN | RIG_NOTIFY);
		dcd_ep_close(RIG_OUT);
		check_equal(host_in(RIG_IN, sink, &len), OTG_SILENCE);
		check_equal(host_out(RIG_OUT, source, 1), OTG_SILENCE);
		rig_open();
		memset(host.in_toggle, 0, sizeof(host.in_toggle));
		memset(host.out_toggle, 0, sizeof(host.out_toggle));
		afresh(sent, received);
	}
}

/* Closed when the last packet is through but not reported: it stays so. */
static void close_at_end(bool high_speed)
{
	unsigned int len;
	bool toggle;

	(void)high_speed;
	send_one(RIG_IN, 0, 10, true);
	dcd_ep_receive(RIG_OUT, sink, rig_maxpacket);
	check_equal(otg_host_in(host.address, RIG_IN, sink, &len, &toggle), OTG_ACK);
	check_equal(otg_host_out(host.address, RIG_OUT, source, 10, false), OTG_ACK);
	dcd_ep_close(USB_DIR_IN | RIG_IN);
	dcd_ep_close(RIG_OUT);
	rig_open();
	host_pump();
	afresh(0, 0);
}

/* What a call outside of dcd_poll() comes across is not forgotten. */
static void ends_seen_outside_poll(bool high_speed)
{
	unsigned int len;
	bool toggle;

	(void)high_speed;
	send_one(RIG_IN, 0, 10, true);
	dcd_ep_receive(RIG_OUT, sink, rig_maxpacket);
	check_equal(otg_host_in(host.address, RIG_IN, sink, &len, &toggle), OTG_ACK);
	dcd_ep_stall(USB_DIR_IN | RIG_IN);
	host_pump();
	check_equal(rig.sent[RIG_IN], 1);
	check_equal(otg_host_out(host.address, RIG_OUT, source, 10, false), OTG_ACK);
	dcd_ep_stall(0);
	host_pump();
	check_equal(rig.received[RIG_OUT], 1);
}

/* A transfer that has ended, but not been reported, before the cable is pulled */
static void ends_before_unplug(bool high_speed)
{
	for (unsigned int soft = !high_speed; soft < 2; soft++) {
		unsigned int sent = rig.sent[RIG_IN], received = rig.received[RIG_OUT], len;
		bool toggle;

		send_one(RIG_IN, 0, 10, true);
		dcd_ep_receive(RIG_OUT, sink, rig_maxpacket);
		check_equal(otg_host_in(host.address, RIG_IN, sink, &len, &toggle), OTG_ACK);
		check_equal(otg_host_out(host.address, RIG_OUT, source, 10, false), OTG_ACK);
		if (soft)
			dcd_disconnect();
		else
			otg_host_unplug();
		host_pump();
		check_equal(rig.sent[RIG_IN], sent);
		check_equal(rig.received[RIG_OUT], received);
		if (soft)
			dcd_connect();
		else
			otg_host_plug();
		rig_enumerate(high_speed);
		afresh(sent, received);
	}
}

static void refuses_endpoints(bool high_speed)
{
	check(!dcd_ep_open(0, USB_EP_CONTROL, 64));
	check(!dcd_ep_open(USB_DIR_IN | DCD_ENDPOINTS, USB_EP_BULK, 64));
	check(!dcd_ep_open(DCD_ENDPOINTS, USB_EP_BULK, 64));
	if (!high_speed)
		check(!dcd_ep_open(1, USB_EP_BULK, 512));
	/* No room: there are three already, this one wants to be larger */
	check(!dcd_ep_open(USB_DIR_IN | RIG_NOTIFY, USB_EP_BULK, high_speed ? 1024 : 512));
	check(dcd_ep_open(USB_DIR_IN | 2, USB_EP_BULK, rig_maxpacket));
}

#define VARIANTS(name)                \
	static void test_##name(void) \
	{                             \
		each_variant(name);   \
	}

VARIANTS(send_lengths)
VARIANTS(send_without_zlp)
VARIANTS(send_long)
VARIANTS(send_gather)
VARIANTS(send_keeps_no_array)
VARIANTS(send_two_endpoints)
VARIANTS(receive_lengths)
VARIANTS(receive_long)
VARIANTS(receive_not_ready)
VARIANTS(setup_behind_data)
VARIANTS(halt_idle)
VARIANTS(halt_in_sending)
VARIANTS(halt_in_receiving)
VARIANTS(unhalt_without_halt)
VARIANTS(reset_in_transfers)
VARIANTS(unplug_in_transfers)
VARIANTS(begin_while_closed)
VARIANTS(close_in_transfers)
VARIANTS(close_at_end)
VARIANTS(ends_seen_outside_poll)
VARIANTS(ends_before_unplug)
VARIANTS(refuses_endpoints)

int main(void)
{
	UNIT_PLAN(22);
	UNIT_RUN(test_send_lengths);
	UNIT_RUN(test_send_without_zlp);
	UNIT_RUN(test_send_long);
	UNIT_RUN(test_send_gather);
	UNIT_RUN(test_send_keeps_no_array);
	UNIT_RUN(test_send_two_endpoints);
	UNIT_RUN(test_receive_lengths);
	UNIT_RUN(test_receive_long);
	UNIT_RUN(test_receive_not_ready);
	UNIT_RUN(test_setup_behind_data);
	UNIT_RUN(test_halt_idle);
	UNIT_RUN(test_halt_in_sending);
	UNIT_RUN(test_halt_in_receiving);
	UNIT_RUN(test_unhalt_without_halt);
	UNIT_RUN(test_reset_in_transfers);
	UNIT_RUN(test_unplug_in_transfers);
	UNIT_RUN(test_begin_while_closed);
	UNIT_RUN(test_close_in_transfers);
	UNIT_RUN(test_close_at_end);
	UNIT_RUN(test_ends_seen_outside_poll);
	UNIT_RUN(test_ends_before_unplug);
	UNIT_RUN(test_refuses_endpoints);
	return UNIT_DONE();
}
