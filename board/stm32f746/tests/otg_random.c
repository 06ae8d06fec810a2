// SPDX-License-Identifier: GPL-2.0
/*
 * The OTG driver on the model, with a host that is busy on every endpoint at once and
 * gets its turn between any two of the driver's accesses to a register.  Transfers of
 * random lengths and pieces, halts, toggles reset, endpoints closed and opened, control
 * transfers completed and abandoned, bus resets; every byte is compared.
 */
#include "otg_rig.h"
#include "ports/stm32/otg.h"
#include "unit.h"

#define STEPS 12000
#define ROOM (16u * 512)
#define MARKS 64

/**
 * struct stream - what goes one way on an endpoint
 * @n: the endpoint
 * @seed: of its bytes; a new one when all is forgotten
 * @begun: bytes that the sender has begun to send
 * @moved: bytes that the receiver has got
 * @marks: where transfers end, as a queue
 * @mark_head: of @marks
 * @mark_count: of @marks
 * @hold: the host lets it alone
 * @halted: by the device
 * @active: a transfer is under way on the device's side
 * @events: of rig.sent or rig.received, when it began
 * @len: of that transfer, or the room for it
 * @transfers: that have been completed
 */
static struct stream {
	unsigned int n;
	uint32_t seed;
	uint32_t begun;
	uint32_t moved;
	uint32_t marks[MARKS];
	unsigned int mark_head;
	unsigned int mark_count;
	bool hold;
	bool halted;
	bool active;
	unsigned int events;
	uint32_t len;
	unsigned int transfers;
} streams[] = { { .n = RIG_IN }, { .n = RIG_NOTIFY }, { .n = RIG_OUT } };

#define IN_STREAMS 2
#define out_stream (&streams[2])

static uint8_t in_memory[IN_STREAMS][ROOM];
static uint8_t out_memory[ROOM] __attribute__((aligned(4)));
static bool configured;

static bool one_in(unsigned int n)
{
	return unit_random() % n == 0;
}

static void mark(struct stream *stream, uint32_t at)
{
	check(stream->mark_count < MARKS);
	stream->marks[(stream->mark_head + stream->mark_count++) % MARKS] = at;
}

/* A transfer has ended there; it must be the next that should. */
static void unmark(struct stream *stream, uint32_t at)
{
	check(stream->mark_count > 0);
	check_equal(stream->marks[stream->mark_head], at);
	stream->mark_head = (stream->mark_head + 1) % MARKS;
	stream->mark_count--;
}

static void forget(struct stream *stream)
{
	stream->seed = unit_random();
	stream->begun = 0;
	stream->moved = 0;
	stream->mark_count = 0;
	stream->halted = false;
	stream->active = false;
	host.in_toggle[stream->n] = false;
	host.out_toggle[stream->n] = false;
}

static unsigned int maxpacket(const struct stream *stream)
{
	return stream->n == RIG_NOTIFY ? 8 : rig_maxpacket;
}

/* -- the host ------------------------------------------------------------------------------ */

static void host_reads(struct stream *stream)
{
	uint8_t data[512];
	unsigned int len;
	bool toggle, same = true;
	enum otg_answer answer = otg_host_in(0, stream->n, data, &len, &toggle);

	check(answer != OTG_SILENCE);
	check(answer != OTG_STALL || stream->halted);
	if (answer != OTG_ACK)
		return;
	check_equal(toggle, host.in_toggle[stream->n]);
	host.in_toggle[stream->n] = !toggle;
	for (unsigned int i = 0; i < len; i++)
		same &= data[i] == rig_pattern(stream->seed, stream->moved + i);
	check(same);
	stream->moved += len;
	if (len < maxpacket(stream))
		unmark(stream, stream->moved);
}

static void host_writes(struct stream *stream)
{
	static unsigned int len;
	static bool pending;
	uint8_t data[512];
	enum otg_answer answer;

	if (!pending || len > rig_maxpacket)
		len = one_in(6) ? unit_random() % rig_maxpacket : rig_maxpacket;
	pending = true;
	for (unsigned int i = 0; i < len; i++)
		data[i] = rig_pattern(stream->seed, stream->begun + i);
	answer = otg_host_out(0, stream->n, data, len, host.out_toggle[stream->n]);
	check(answer != OTG_SILENCE);
	check(answer != OTG_STALL || stream->halted);
	if (answer != OTG_ACK)
		return;
	pending = false;
	host.out_toggle[stream->n] = !host.out_toggle[stream->n];
	stream->begun += len;
	if (len < rig_maxpacket)
		mark(stream, stream->begun);
}

static struct {
	enum { IDLE, DATA_IN, DATA_OUT, STATUS_IN, STATUS_OUT } stage;
	uint8_t request;
	uint16_t have;
	uint16_t want;
	uint32_t got;
	uint8_t data[2048];
	/* Since the device was last told of one; the block is promised three at most. */
	unsigned int setups;
	unsigned int told;
	unsigned int done;
	unsigned int abandoned;
} request;

static void control_begin(void)
{
	bool to_host = one_in(2);

	request.setups++;
	request.have = (uint16_t)(unit_random() % (one_in(4) ? 2000 : 200));
	request.want = (uint16_t)(unit_random() % (one_in(4) ? 2000 : 200));
	request.got = 0;
	if (to_host && !request.want)
		request.want = 1;
	for (unsigned int i = 0; i < request.want; i++)
		request.data[i] = rig_pattern(request.have, i);
	rig.pieces = unit_random() % 100;
	host.address = 0;
	if (host_setup(to_host ? 0xc0 : 0x40, to_host ? RIG_SEND : RIG_RECEIVE, request.have, 0,
		       request.want) != OTG_ACK)
		return;
	if (to_host)
		request.stage = DATA_IN;
	else
		request.stage = request.want ? DATA_OUT : STATUS_IN;
}

static void control_reads(void)
{
	uint8_t data[64];
	unsigned int len;
	bool toggle, same = true;
	enum otg_answer answer = otg_host_in(0, 0, data, &len, &toggle);

	check(answer == OTG_ACK || answer == OTG_NAK);
	if (answer != OTG_ACK)
		return;
	check_equal(toggle, host.in_toggle[0]);
	host.in_toggle[0] = !toggle;
	if (request.stage == STATUS_IN) {
		check_equal(len, 0);
		check_equal(rig.control_len, request.want);
		check(!memcmp(rig.control, request.data, request.want));
		request.stage = IDLE;
		request.done++;
		return;
	}
	for (unsigned int i = 0; i < len; i++)
		same &= data[i] == rig_pattern(request.have, request.got + i);
	check(same);
	request.got += len;
	check(request.got <= request.want);
	if (len < 64 || request.got == request.want) {
		check_equal(request.got, request.have < request.want ? request.have : request.want);
		host.out_toggle[0] = true;
		request.stage = STATUS_OUT;
	}
}

static void control_writes(void)
{
	unsigned int len = request.stage == STATUS_OUT ? 0 : request.want - request.got;
	enum otg_answer answer;

	if (len > 64)
		len = 64;
	answer = otg_host_out(0, 0, request.data + request.got % 2000, len, host.out_toggle[0]);
	check(answer == OTG_ACK || answer == OTG_NAK);
	if (answer != OTG_ACK)
		return;
	host.out_toggle[0] = !host.out_toggle[0];
	if (request.stage == STATUS_OUT) {
		request.stage = IDLE;
		request.done++;
		return;
	}
	request.got += len;
	if (request.got == request.want) {
		host.in_toggle[0] = true;
		request.stage = STATUS_IN;
	}
}

static void control_step(void)
{
	switch (request.stage) {
	case IDLE:
		if (one_in(4))
			control_begin();
		break;
	case DATA_IN:
	case STATUS_IN:
		control_reads();
		break;
	default:
		control_writes();
	}
}

static void host_step(void)
{
	unsigned int which = unit_random() % 8;

	if (!configured)
		return;
	if (which >= 6)
		control_step();
	else if (streams[which % 3].hold)
		return;
	else if (which % 3 < IN_STREAMS)
		host_reads(&streams[which % 3]);
	else
		host_writes(out_stream);
}

static void host_between(void)
{
	if (one_in(7))
		host_step();
}

/* -- the device ------------------------------------------------------------------------------ */

static void device_sends(struct stream *stream, uint8_t *memory)
{
	struct dcd_piece pieces[DCD_PIECES];
	unsigned int n = 1 + unit_random() % DCD_PIECES;
	uint32_t most = one_in(4) ? ROOM / DCD_PIECES - 64 : 60, at = 0;

	stream->len = 0;
	for (unsigned int i = 0; i < n; i++) {
		uint32_t len = unit_random() % most;

		at += unit_random() % 5;
		if (one_in(10))
			len = (rig_maxpacket - stream->len % rig_maxpacket) % most;
		pieces[i] = (struct dcd_piece){ memory + at, len };
		for (uint32_t k = 0; k < len; k++)
			memory[at++] = rig_pattern(stream->seed, stream->begun + stream->len++);
	}
	stream->begun += stream->len;
	mark(stream, stream->begun);
	stream->active = true;
	stream->events = rig.sent[stream->n];
	dcd_ep_send((uint8_t)(USB_DIR_IN | stream->n), pieces, n, true);
}

static void device_sent(struct stream *stream, uint8_t *memory)
{
	/* All of it is with the host: the memory may be used for something else. */
	check_equal(stream->moved, stream->begun);
	check_equal(rig.sent[stream->n], stream->events + 1);
	memset(memory, 0xee, ROOM);
	stream->active = false;
	stream->transfers++;
}

static void device_receives(struct stream *stream)
{
	stream->len = rig_maxpacket * (1 + unit_random() % (one_in(2) ? 16 : 2));
	memset(out_memory, 0xee, sizeof(out_memory));
	stream->active = true;
	stream->events = rig.received[stream->n];
	dcd_ep_receive((uint8_t)stream->n, out_memory, stream->len);
}

static void device_received(struct stream *stream)
{
	uint32_t len = rig.received_len[stream->n];
	bool same = true;

	check(len <= stream->len);
	check_equal(rig.received[stream->n], stream->events + 1);
	for (uint32_t i = 0; i < len; i++)
		same &= out_memory[i] == rig_pattern(stream->seed, stream->moved + i);
	for (uint32_t i = len; i < stream->len; i++)
		same &= out_memory[i] == 0xee;
	check(same);
	stream->moved += len;
	if (len < stream->len)
		unmark(stream, stream->moved);
	stream->active = false;
	stream->transfers++;
}

static void device_streams(void)
{
	for (unsigned int i = 0; i < IN_STREAMS; i++) {
		struct stream *stream = &streams[i];

		if (stream->active && rig.sent[stream->n] != stream->events)
			device_sent(stream, in_memory[i]);
		if (!stream->active && one_in(4))
			device_sends(stream, in_memory[i]);
	}
	if (out_stream->active && rig.received[out_stream->n] != out_stream->events)
		device_received(out_stream);
	if (!out_stream->active && one_in(4))
		device_receives(out_stream);
}

static uint8_t address_of(const struct stream *stream)
{
	return (uint8_t)(stream == out_stream ? stream->n : USB_DIR_IN | stream->n);
}

/* As the host asks for it, which therefore sends nothing there meanwhile. */
static void unhalt(struct stream *stream)
{
	stream->hold = true;
	dcd_ep_unstall(address_of(stream));
	host.in_toggle[stream->n] = false;
	host.out_toggle[stream->n] = false;
	stream->halted = false;
	stream->hold = false;
}

static void reopen(struct stream *stream)
{
	stream->hold = true;
	dcd_ep_close(address_of(stream));
	check(dcd_ep_open(address_of(stream),
			  stream->n == RIG_NOTIFY ? USB_EP_INTERRUPT : USB_EP_BULK,
			  (uint16_t)maxpacket(stream)));
	forget(stream);
	stream->hold = false;
}

static void configure(bool high_speed)
{
	configured = false;
	host_reset(high_speed);
	request.stage = IDLE;
	rig_open();
	for (unsigned int i = 0; i < 3; i++)
		forget(&streams[i]);
	configured = true;
}

static void disturb(bool high_speed)
{
	struct stream *stream = &streams[unit_random() % 3];

	if (stream->halted && one_in(20)) {
		unhalt(stream);
	} else if (one_in(100)) {
		stream->halted = true;
		dcd_ep_stall(address_of(stream));
	} else if (one_in(300)) {
		unhalt(stream);
	} else if (one_in(300)) {
		reopen(stream);
	} else if (one_in(50) && request.stage != IDLE && request.setups < 3) {
		request.abandoned++;
		control_begin();
	} else if (one_in(1500)) {
		configure(high_speed);
	}
}

static void play(bool high_speed)
{
	rig_plug(high_speed);
	configure(high_speed);
	memset(&request, 0, sizeof(request));
	for (unsigned int i = 0; i < 3; i++)
		streams[i].transfers = 0;
	otg_model_settings.between = host_between;
	for (unsigned int i = 0; i < STEPS && unit_good; i++) {
		host_step();
		if (one_in(2)) {
			if (otg_model_interrupt())
				otg_interrupt();
			dcd_poll();
		}
		if (request.told != rig.setups)
			request.setups = 1;
		request.told = rig.setups;
		device_streams();
		disturb(high_speed);
	}
	otg_model_settings.between = NULL;
	check_equal(host_problems(), 0);
	for (unsigned int i = 0; i < 3; i++)
		check(streams[i].transfers > 80);
	check(request.done > 200);
	check(request.abandoned > 20);
	check(otg_model_refills > 0);
	printf("# %u, %u and %u transfers; %u requests, %u abandoned; %u resets\n",
	       streams[0].transfers, streams[1].transfers, streams[2].transfers, request.done,
	       request.abandoned, rig.resets);
}

static void each_latency(bool high_speed)
{
	for (unsigned int i = 0; i < 6; i++) {
		otg_model_settings.latency = i / 2 * 7;
		otg_model_settings.setup_done_late = i & 1;
		otg_model_settings.setup_keeps_enabled = i == 3 || i == 4;
		play(high_speed);
	}
}

static void test_full_speed(void)
{
	each_latency(false);
}

static void test_high_speed(void)
{
	each_latency(true);
}

int main(void)
{
	UNIT_PLAN(2);
	UNIT_RUN(test_full_speed);
	UNIT_RUN(test_high_speed);
	return UNIT_DONE();
}
