// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "meter.h"

#ifdef BOARD_METER
#include "board.h"
#include "mps2.h"
#include "usb/dcd.h"

#define LOOPS		100000
#define PAIRS		1000
/* Between two reports */
#define INTERVAL	(MPS2_CLOCK / 4)
/* A pass through the loop that found nothing to do takes less. */
#define NOTHING		1000

/**
 * struct meter - ticks, and what they are worth
 * @stopped: depth; it runs when 0
 * @since: when it was last started
 * @worth: ticks that 2 * LOOPS instructions take
 * @cost: ticks that PAIRS starts and stops count with nothing in between
 * @total: ticks while it ran
 * @runs: how often it did
 * @kept: @total when the firmware was last idle
 * @kept_runs: @runs then
 * @said: when it was last reported
 */
static struct meter {
	unsigned int stopped;
	uint32_t since;
	uint32_t worth;
	uint32_t cost;
	uint64_t total;
	uint64_t runs;
	uint64_t kept;
	uint64_t kept_runs;
	uint32_t said;
} meter BUS_MEMORY;

void meter_stop(void)
{
	uint32_t now = mps2_ticks();

	if (!meter.stopped++) {
		meter.total += now - meter.since;
		meter.runs++;
	}
}

void meter_start(void)
{
	if (!--meter.stopped)
		meter.since = mps2_ticks();
}

void meter_init(void)
{
	uint32_t loops = LOOPS, before;
	unsigned int i;

	memset(&meter, 0, sizeof(meter));
	before = mps2_ticks();
	__asm__ volatile("1: subs %0, %0, #1\n\tbne 1b" : "+r"(loops) : : "cc");
	meter.worth = mps2_ticks() - before;
	meter.since = mps2_ticks();
	for (i = 0; i < PAIRS; i++) {
		meter_stop();
		meter_start();
	}
	meter.cost = meter.total;
	meter.total = 0;
	meter.runs = 0;
}

/* In thousands */
static uint32_t instructions(void)
{
	return (meter.total - meter.runs * meter.cost / PAIRS) * (2 * LOOPS / 1000) / meter.worth;
}

void meter_idle(bool busy)
{
	uint32_t now = mps2_ticks();

	if (!busy && (meter.total - meter.kept) * (2 * LOOPS) / meter.worth < NOTHING) {
		meter.total = meter.kept;
		meter.runs = meter.kept_runs;
	}
	meter.kept = meter.total;
	meter.kept_runs = meter.runs;
	if (now - meter.said > INTERVAL) {
		meter.said = now;
		board_log("meter: %u thousand instructions\n", (unsigned int)instructions());
	}
}

/*
 * What the controller does is not counted, what the core does about it is: the linker has
 * put these in between (--wrap).
 */
bool __real_dcd_poll(void);
bool __wrap_dcd_poll(void);
void __real_usbd_reset(enum usb_speed speed);
void __wrap_usbd_reset(enum usb_speed speed);
void __real_usbd_setup(const uint8_t setup[8]);
void __wrap_usbd_setup(const uint8_t setup[8]);
void __real_usbd_sent(uint8_t address);
void __wrap_usbd_sent(uint8_t address);
void __real_usbd_received(uint8_t address, uint32_t len);
void __wrap_usbd_received(uint8_t address, uint32_t len);

bool __wrap_dcd_poll(void)
{
	bool any;

	meter_stop();
	any = __real_dcd_poll();
	meter_start();
	return any;
}

void __wrap_usbd_reset(enum usb_speed speed)
{
	meter_start();
	__real_usbd_reset(speed);
	meter_stop();
}

void __wrap_usbd_setup(const uint8_t setup[8])
{
	meter_start();
	__real_usbd_setup(setup);
	meter_stop();
}

void __wrap_usbd_sent(uint8_t address)
{
	meter_start();
	__real_usbd_sent(address);
	meter_stop();
}

void __wrap_usbd_received(uint8_t address, uint32_t len)
{
	meter_start();
	__real_usbd_received(address, len);
	meter_stop();
}
#endif
