// SPDX-License-Identifier: GPL-2.0
/* Opening, closing and halting endpoints. */
#include "otg.h"

static bool otg_is_in(uint8_t address)
{
	return address & USB_DIR_IN;
}

static void otg_in_forget(unsigned int n)
{
	otg_in_abort(n);
	otg.in[n].open = false;
}

static void otg_out_forget(unsigned int n)
{
	struct otg_out *out = &otg.out[n];

	out->open = false;
	out->active = false;
	out->part_done = false;
	out->halted = false;
}

static void otg_ep0_open(void)
{
	otg.in[0].open = true;
	otg.in[0].maxpacket = OTG_EP0_SIZE;
	otg.in[0].type = USB_EP_CONTROL;
	otg.out[0].open = true;
	otg.out[0].maxpacket = OTG_EP0_SIZE;
	/* Of 64 bytes, which is 0 here; the OUT side follows. */
	otg_ep_control(DIEPCTL(0), EPCTL_SNAK, EPCTL_MPSIZ_MASK);
	otg_ep_control(DOEPCTL(0), EPCTL_SNAK, 0);
	otg_write(DAINTMSK, DAINT_IN(0));
}

void otg_ep_reset(void)
{
	/* Endpoint 0 cannot be disabled: should it have come to its end, take note of that. */
	otg_fifo_drain();
	otg_out_stop(~0u);
	for (unsigned int n = 0; n < DCD_ENDPOINTS; n++) {
		otg_in_forget(n);
		otg_out_forget(n);
		if (n) {
			otg_ep_control(DIEPCTL(n), 0, EPCTL_USBAEP | EPCTL_STALL);
			otg_ep_control(DOEPCTL(n), 0, EPCTL_USBAEP | EPCTL_STALL);
		}
	}
	otg_fifo_init();
	for (unsigned int n = 0; n < DCD_ENDPOINTS; n++) {
		otg_write(DIEPINT(n), otg_read(DIEPINT(n)));
		otg_write(DOEPINT(n), otg_read(DOEPINT(n)));
	}
	otg.setup_begun = false;
	otg.setup_come = false;
	otg_ep0_open();
	otg_out_size(0);
}

bool dcd_ep_open(uint8_t address, enum usb_ep_type type, uint16_t maxpacket)
{
	unsigned int n = address & 0xf;
	uint32_t set = EPCTL_USBAEP | EPCTL_SD0PID | EPCTL_SNAK | EPCTL_EPTYP(type) | maxpacket;

	if (n == 0 || n >= DCD_ENDPOINTS)
		return false;
	dcd_ep_close(address);
	if (otg_is_in(address)) {
		if (!otg_fifo_alloc(n, type, maxpacket))
			return false;
		otg.in[n].open = true;
		otg.in[n].type = (uint8_t)type;
		otg.in[n].maxpacket = maxpacket;
		otg_write(DIEPCTL(n), set | EPCTL_TXFNUM(n));
		otg_write(DAINTMSK, otg_read(DAINTMSK) | DAINT_IN(n));
	} else {
		if (maxpacket > (otg_high_speed() ? 512 : 64))
			return false;
		otg.out[n].open = true;
		otg.out[n].maxpacket = maxpacket;
		otg_write(DOEPCTL(n), set);
	}
	return true;
}

void dcd_ep_close(uint8_t address)
{
	unsigned int n = address & 0xf;

	if (n == 0 || n >= DCD_ENDPOINTS)
		return;
	if (otg_is_in(address)) {
		otg_in_forget(n);
		otg_write(DAINTMSK, otg_read(DAINTMSK) & ~DAINT_IN(n));
		otg_ep_control(DIEPCTL(n), 0, EPCTL_USBAEP | EPCTL_STALL);
	} else {
		otg_out_stop(1u << n);
		otg_out_forget(n);
		otg_ep_control(DOEPCTL(n), 0, EPCTL_USBAEP | EPCTL_STALL);
	}
}

/* The block itself ends this with the next SETUP; should that be there, it is too late. */
static void otg_ep0_stall(void)
{
	if (otg_setup_waits())
		return;
	otg_in_abort(0);
	otg.out[0].active = false;
	otg_ep_control(DIEPCTL(0), EPCTL_STALL, 0);
	otg_ep_control(DOEPCTL(0), EPCTL_STALL, 0);
}

void dcd_ep_stall(uint8_t address)
{
	unsigned int n = address & 0xf;

	if (n == 0) {
		otg_ep0_stall();
	} else if (otg_is_in(address)) {
		otg.in[n].halted = true;
		otg_in_stop(n);
		otg_ep_control(DIEPCTL(n), EPCTL_STALL, 0);
	} else {
		otg.out[n].halted = true;
		otg_out_stop(1u << n);
		otg_ep_control(DOEPCTL(n), EPCTL_STALL, 0);
	}
}

/*
 * Resets the data toggle also when there was no halt: the host asks for that, too.
 * Endpoint 0 has neither a toggle to reset nor a halt that lasts.
 */
void dcd_ep_unstall(uint8_t address)
{
	unsigned int n = address & 0xf;

	if (n == 0)
		return;
	dcd_ep_stall(address);
	if (otg_is_in(address)) {
		otg_ep_control(DIEPCTL(n), EPCTL_SD0PID, EPCTL_STALL);
		otg.in[n].halted = false;
		if (otg.in[n].active && !otg.in[n].done)
			otg_in_start(n);
	} else {
		otg_ep_control(DOEPCTL(n), EPCTL_SD0PID, EPCTL_STALL);
		otg.out[n].halted = false;
		if (otg.out[n].active && !otg.out[n].part_done)
			otg_out_start(n);
	}
}
