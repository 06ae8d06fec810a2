// SPDX-License-Identifier: GPL-2.0
/* The OTG driver on the model: bus events and control transfers, at each speed. */
#include "otg_rig.h"
#include "unit.h"

/* The model's variants, each of which has to be served. */
static void each_variant(void (*test)(bool high_speed))
{
	for (unsigned int i = 0; i < 16; i++) {
		otg_model_settings.latency = i & 1 ? 13 : 0;
		otg_model_settings.setup_done_late = i & 2;
		otg_model_settings.setup_keeps_enabled = i & 4;
		test(i & 8);
		check_equal(host_problems(), 0);
	}
}

static void enumerates(bool high_speed)
{
	rig_plug(high_speed);
	rig_enumerate(high_speed);
	check_equal(rig.resets, 2);
	check_equal(rig.speed, high_speed ? USB_SPEED_HIGH : USB_SPEED_FULL);
	check_equal(dcd_speed_max(), high_speed ? USB_SPEED_HIGH : USB_SPEED_FULL);
	check_equal(rig.setups, 4);
	check_equal(rig.control_done, 4);
	check_equal(rig.suspends + rig.resumes + rig.disconnects, 0);
}

/* A device that could do more on a bus that cannot */
static void enumerates_slower(bool high_speed)
{
	rig_plug(high_speed);
	rig_enumerate(false);
	check_equal(rig.speed, USB_SPEED_FULL);
}

static void old_address_is_silent(bool high_speed)
{
	uint8_t data[64];
	uint32_t got;

	rig_start(high_speed);
	host.address = 0;
	check_equal(host_setup(0x80, 6, 0x0100, 0, 18), OTG_SILENCE);
	host_reset(high_speed);
	check_equal(host_control(0x80, 6, 0x0100, 0, 18, data, &got), OTG_ACK);
	check_equal(rig.setups, 5);
}

/* clang-format off */
static const uint16_t lengths[] = {
	1, 2, 3, 4, 5, 8, 62, 63, 64, 65, 66, 67, 127, 128, 129, 191, 192, 193,
	511, 512, 513, 4095, 4096, 4097,
};
/* clang-format on */
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

/* One length of answer, one of request */
static void control_in_case(uint16_t have, uint16_t want)
{
	static uint8_t data[65536];
	uint32_t got, len = have < want ? have : want;
	unsigned int done = rig.control_done;
	bool same = true;

	check_equal(host_control(0xc0, RIG_SEND, have, 0, want, data, &got), OTG_ACK);
	check_equal(got, len);
	for (uint32_t i = 0; i < got; i++)
		same &= data[i] == rig_pattern(have, i);
	check(same);
	check_equal(rig.control_done, done + 1);
}

static void control_in(bool high_speed)
{
	rig_start(high_speed);
	for (rig.pieces = 0; rig.pieces <= 7; rig.pieces++) {
		control_in_case(0, 1);
		control_in_case(0, 64);
		for (unsigned int i = 0; i < LENGTHS; i++) {
			control_in_case(lengths[i], lengths[i]);
			control_in_case(lengths[i], (uint16_t)(lengths[i] + 1));
			control_in_case(lengths[i], 65535);
			control_in_case(4097, lengths[i]);
		}
	}
}

static void control_out(bool high_speed)
{
	uint8_t data[4097];
	uint32_t got;

	rig_start(high_speed);
	check_equal(host_control(0x40, RIG_RECEIVE, 0, 0, 0, NULL, &got), OTG_ACK);
	check_equal(rig.control_len, 0);
	for (unsigned int i = 0; i < LENGTHS; i++) {
		unsigned int done = rig.control_done;

		for (uint32_t k = 0; k < lengths[i]; k++)
			data[k] = rig_pattern(i, k);
		memset(rig.control, 0x5a, sizeof(rig.control));
		check_equal(host_control(0x40, RIG_RECEIVE, 0, 0, lengths[i], data, &got), OTG_ACK);
		check_equal(rig.control_len, lengths[i]);
		check(!memcmp(rig.control, data, lengths[i]));
		check_equal(rig.control[lengths[i]], 0x5a);
		check_equal(rig.control_done, done + 1);
	}
}

/* A host that sends more than it has said: what there is no room for is dropped. */
static void control_out_too_much(bool high_speed)
{
	uint8_t data[64];

	rig_start(high_speed);
	memset(data, 0x11, sizeof(data));
	memset(rig.control, 0x5a, sizeof(rig.control));
	check_equal(host_setup(0x40, RIG_RECEIVE, 0, 0, 70), OTG_ACK);
	check_equal(host_out(0, data, 64), OTG_ACK);
	check_equal(host_out(0, data, 64), OTG_ACK);
	host_pump();
	check_equal(rig.control_len, 70);
	check_equal(rig.control[69], 0x11);
	check_equal(rig.control[70], 0x5a);
	check_equal(rig.control[71], 0x5a);
	check_equal(host_control(0x40, RIG_RECEIVE, 0, 0, 5, data, &(uint32_t){ 0 }), OTG_ACK);
	check_equal(rig.control_len, 5);
}

static void control_stall(bool high_speed)
{
	uint8_t data[64];
	uint32_t got;

	rig_start(high_speed);
	for (unsigned int i = 0; i < 10; i++) {
		check_equal(host_control(0xc0, RIG_REFUSE, 0, 0, 10, data, &got), OTG_STALL);
		check_equal(host_control(0x40, RIG_REFUSE, 0, 0, 10, data, &got), OTG_STALL);
		check_equal(host_control(0x40, RIG_REFUSE, 0, 0, 0, data, &got), OTG_STALL);
		control_in_case(100, 100);
	}
}

/* Requests without data never give the block a size for OUT on endpoint 0 otherwise. */
static void many_setups(bool high_speed)
{
	uint32_t got;

	rig_start(high_speed);
	for (unsigned int i = 0; i < 20; i++)
		check_equal(host_control(0x40, RIG_RECEIVE, 0, 0, 0, NULL, &got), OTG_ACK);
	check_equal(rig.setups, 24);
	check_equal(rig.control_done, 24);
}

/* Up to three in a row, before the device has seen the first: the last one counts. */
static void back_to_back_setup(bool high_speed)
{
	for (unsigned int more = 0; more <= 2; more++) {
		unsigned int setups;

		rig_start(high_speed);
		setups = rig.setups;
		for (unsigned int i = 0; i < more; i++)
			check_equal(host_setup(0xc0, RIG_SEND, 1000, 0, 900), OTG_ACK);
		control_in_case(200, 300);
		check_equal(rig.setups, setups + 1);
		check_equal(rig.last_setup[2], 200);
	}
}

/* The host gives up in each stage, and starts anew. */
static void abandoned_control(bool high_speed)
{
	uint8_t data[64];
	unsigned int len;

	rig_start(high_speed);
	for (unsigned int packets = 0; packets <= 3; packets++) {
		check_equal(host_setup(0xc0, RIG_SEND, 333, 0, 333), OTG_ACK);
		host_pump();
		for (unsigned int i = 0; i < packets; i++)
			check_equal(host_in(0, data, &len), OTG_ACK);
		control_in_case(150, 400);

		memset(data, 0, sizeof(data));
		check_equal(host_setup(0x40, RIG_RECEIVE, 0, 0, 333), OTG_ACK);
		host_pump();
		for (unsigned int i = 0; i < packets; i++)
			check_equal(host_out(0, data, 64), OTG_ACK);
		control_in_case(64, 400);
	}
	/* In the status stages */
	check_equal(host_setup(0x40, RIG_RECEIVE, 0, 0, 0), OTG_ACK);
	host_pump();
	control_in_case(64, 64);
	check_equal(host_setup(0xc0, RIG_SEND, 20, 0, 20), OTG_ACK);
	check_equal(host_in(0, data, &len), OTG_ACK);
	host_pump();
	control_in_case(65, 65);
	check_equal(host_control(0x40, RIG_RECEIVE, 0, 0, 64, data, &(uint32_t){ 0 }), OTG_ACK);
}

/* The end of one transfer and the next SETUP, seen at once: both are reported, in order. */
static void status_and_setup_at_once(bool high_speed)
{
	uint8_t data[64];
	unsigned int len, done;
	bool toggle;

	rig_start(high_speed);
	done = rig.control_done;
	check_equal(host_setup(0xc0, RIG_SEND, 20, 0, 20), OTG_ACK);
	check_equal(host_in(0, data, &len), OTG_ACK);
	host_pump();
	check_equal(otg_host_out(host.address, 0, data, 0, true), OTG_ACK);
	check_equal(host_setup(0x40, RIG_RECEIVE, 0, 0, 0), OTG_ACK);
	check_equal(otg_host_in(host.address, 0, data, &len, &toggle), OTG_NAK);
	host_pump();
	check_equal(rig.control_done, done + 1);
	check_equal(otg_host_in(host.address, 0, data, &len, &toggle), OTG_ACK);
	host_pump();
	control_in_case(100, 100);
	check_equal(rig.control_done, done + 3);
}

static void next_setup(void)
{
	check_equal(host_setup(0xc0, RIG_SEND, 150, 0, 300), OTG_ACK);
}

/* Another SETUP while the core is about to answer the first: that answer is for nobody. */
static void setup_during_setup(bool high_speed)
{
	static uint8_t data[300];

	for (uint8_t request = RIG_SEND; request <= RIG_REFUSE; request++) {
		uint32_t got;

		rig_start(high_speed);
		rig.in_setup = next_setup;
		check_equal(host_setup(request == RIG_SEND ? 0xc0 : 0x40, request, 9, 0, 9),
			    OTG_ACK);
		while (rig.setups == 4 && otg_host_in(host.address, 0, data, &(unsigned int){ 0 },
						      &(bool){ false }) == OTG_NAK)
			host_pump();
		check_equal(host_read(0, data, 300, &got), OTG_ACK);
		check_equal(got, 150);
		check_equal(data[149], rig_pattern(150, 149));
		check_equal(host_out(0, data, 0), OTG_ACK);
		host_pump();
		check_equal(rig.control_done, 5);
	}
}

static void suspend_and_resume(bool high_speed)
{
	rig_start(high_speed);
	otg_host_suspend();
	host_pump();
	check_equal(rig.suspends, 1);
	check_equal(rig.resumes, 0);
	otg_host_suspend();
	host_pump();
	check_equal(rig.suspends, 1);
	otg_host_resume();
	host_pump();
	check_equal(rig.resumes, 1);
	control_in_case(200, 200);
	otg_host_suspend();
	host_pump();
	/* A reset ends a suspension, too; no resumption of its own is reported. */
	rig_enumerate(high_speed);
	check_equal(rig.suspends, 2);
	check_equal(rig.resumes, 1);
	otg_host_resume();
	host_pump();
	check_equal(rig.resumes, 1);
}

/* All of it before the device has looked once */
static void seen_late(bool high_speed)
{
	rig_start(high_speed);
	otg_host_suspend();
	otg_host_resume();
	host_pump();
	check_equal(rig.suspends, rig.resumes);
	otg_host_suspend();
	host_pump();
	otg_host_resume();
	otg_host_suspend();
	host_pump();
	check_equal(rig.suspends, rig.resumes + 1);
	otg_host_resume();
	host_pump();
	check_equal(rig.suspends, rig.resumes);
	if (high_speed) {
		otg_host_unplug();
		otg_host_plug();
	}
	otg_host_reset();
	otg_host_enumerate(high_speed);
	host_pump();
	check_equal(rig.resets, 3);
	check_equal(rig.disconnects, high_speed);
	/* A SETUP that came that early is not told from one before the reset: the next one is. */
	host_reset(high_speed);
	otg_host_reset();
	otg_host_enumerate(high_speed);
	check_equal(host_setup(0xc0, RIG_SEND, 5, 0, 5), OTG_ACK);
	host_pump();
	control_in_case(70, 100);
}

/* An idle bus before the first reset is none of the core's business. */
static void idle_before_reset(bool high_speed)
{
	rig_plug(high_speed);
	otg_host_suspend();
	host_pump();
	check_equal(rig.suspends, 0);
	rig_enumerate(high_speed);
	control_in_case(10, 10);
}

static void unplug(bool high_speed)
{
	rig_start(high_speed);
	otg_host_unplug();
	host_pump();
	check_equal(rig.disconnects, high_speed);
	check_equal(rig.suspends, !high_speed);
	otg_host_plug();
	rig_enumerate(high_speed);
	control_in_case(65, 65);
	check_equal(rig.resets, 4);
}

static void soft_disconnect(bool high_speed)
{
	rig_start(high_speed);
	dcd_disconnect();
	check(!otg_model_connected());
	host_pump();
	check_equal(rig.disconnects, 0);
	dcd_connect();
	rig_enumerate(high_speed);
	control_in_case(65, 65);
}

#define VARIANTS(name)                \
	static void test_##name(void) \
	{                             \
		each_variant(name);   \
	}

VARIANTS(enumerates)
VARIANTS(enumerates_slower)
VARIANTS(old_address_is_silent)
VARIANTS(control_in)
VARIANTS(control_out)
VARIANTS(control_out_too_much)
VARIANTS(control_stall)
VARIANTS(many_setups)
VARIANTS(back_to_back_setup)
VARIANTS(setup_during_setup)
VARIANTS(abandoned_control)
VARIANTS(status_and_setup_at_once)
VARIANTS(suspend_and_resume)
VARIANTS(seen_late)
VARIANTS(idle_before_reset)
VARIANTS(unplug)
VARIANTS(soft_disconnect)

int main(void)
{
	UNIT_PLAN(17);
	UNIT_RUN(test_enumerates);
	UNIT_RUN(test_enumerates_slower);
	UNIT_RUN(test_old_address_is_silent);
	UNIT_RUN(test_control_in);
	UNIT_RUN(test_control_out);
	UNIT_RUN(test_control_out_too_much);
	UNIT_RUN(test_control_stall);
	UNIT_RUN(test_many_setups);
	UNIT_RUN(test_back_to_back_setup);
	UNIT_RUN(test_setup_during_setup);
	UNIT_RUN(test_abandoned_control);
	UNIT_RUN(test_status_and_setup_at_once);
	UNIT_RUN(test_suspend_and_resume);
	UNIT_RUN(test_seen_late);
	UNIT_RUN(test_idle_before_reset);
	UNIT_RUN(test_unplug);
	UNIT_RUN(test_soft_disconnect);
	return UNIT_DONE();
}
