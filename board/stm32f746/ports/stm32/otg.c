// SPDX-License-Identifier: GPL-2.0
/* The OTG block: setting up, what happens on the bus, and the order of a poll. */
#include "board.h"
#include "otg.h"

#define OTG_INTERRUPTS                                                                    \
	(GINT_USBRST | GINT_ENUMDNE | GINT_USBSUSP | GINT_WKUP | GINT_OTG | GINT_RXFLVL | \
	 GINT_IEPINT)

struct otg_state otg;

/* Set by the interrupt too, all else belongs to the main loop. */
static volatile bool otg_noted;

void otg_interrupt(void)
{
	/* The lines are levels: off until dcd_poll() has seen to what raised them. */
	otg_write(GAHBCFG, 0);
	otg_noted = true;
}

bool otg_idle(void)
{
	return !otg_noted;
}

void otg_note(void)
{
	otg_noted = true;
}

bool otg_wait(uint32_t reg, uint32_t bits)
{
	for (unsigned int i = 0; i < OTG_WAIT; i++) {
		if (otg_read(reg) & bits)
			return true;
	}
	otg.timeouts++;
	return false;
}

bool otg_wait_clear(uint32_t reg, uint32_t bits)
{
	for (unsigned int i = 0; i < OTG_WAIT; i++) {
		if (!(otg_read(reg) & bits))
			return true;
	}
	otg.timeouts++;
	return false;
}

/* The PHY is chosen before the reset, which needs its clock. */
static void otg_core_reset(void)
{
	uint32_t usbcfg = otg_read(GUSBCFG);

	if (otg_high_speed())
		usbcfg &= ~(GUSBCFG_PHYSEL | GUSBCFG_TSDPS | GUSBCFG_ULPIFSLS | GUSBCFG_ULPIEVBUSD |
			    GUSBCFG_ULPIEVBUSI);
	else
		usbcfg |= GUSBCFG_PHYSEL;
	otg_write(GUSBCFG, usbcfg);

	if (!otg_wait(GRSTCTL, GRSTCTL_AHBIDL))
		board_fail("OTG: the bus interface does not get idle");
	otg_write(GRSTCTL, GRSTCTL_CSRST);
	if (!otg_wait_clear(GRSTCTL, GRSTCTL_CSRST))
		board_fail("OTG: no end to the reset; does the PHY give a clock?");
	if (!otg_wait(GRSTCTL, GRSTCTL_AHBIDL))
		board_fail("OTG: the bus interface does not get idle");
}

static void otg_device_mode(void)
{
	uint32_t usbcfg = otg_read(GUSBCFG), start;

	/* Clocks from a token to its answer: 9 over ULPI; 6 for an AHB of 32 MHz or more. */
	usbcfg &= ~(GUSBCFG_TRDT_MASK | GUSBCFG_FHMOD | GUSBCFG_SRPCAP | GUSBCFG_HNPCAP);
	usbcfg |= GUSBCFG_FDMOD | GUSBCFG_TRDT(otg_high_speed() ? 9u : 6u);
	otg_write(GUSBCFG, usbcfg);
	/* The mode changes 25 ms later. */
	start = board_ms();
	while (board_ms() - start <= 25)
		;
	if (!otg_wait_clear(GINTSTS, GINT_CMOD))
		board_fail("OTG: does not become a device");
}

/*
 * OTG_HS hears from the PHY whether the cable has power, with detection switched on as if
 * it were the block's own.  OTG_FS would have to know from PA9, where the Discovery has the
 * console: it is told that there always is.  So at SPEED=fs a pulled cable is a suspended
 * bus, and never usbd_disconnected().
 */
static void otg_power(void)
{
	if (otg_high_speed()) {
		otg_write(GCCFG, GCCFG_VBDEN);
	} else {
		otg_write(GCCFG, GCCFG_PWRDWN);
		otg_write(GOTGCTL, GOTGCTL_BVALOEN | GOTGCTL_BVALOVAL);
	}
}

void dcd_init(void)
{
	uint32_t dcfg;

	otg = (struct otg_state){ 0 };
	otg_noted = false;
	otg_board_init();
	otg_write(GAHBCFG, 0);
	otg_core_reset();
	otg_device_mode();
	otg_write(PCGCCTL, 0);
	otg_write(DCTL, DCTL_SDIS);
	otg_power();

	dcfg = otg_read(DCFG) & ~(DCFG_DSPD_MASK | DCFG_DAD_MASK);
	otg_write(DCFG, dcfg | (otg_high_speed() ? DCFG_DSPD_HIGH : DCFG_DSPD_FULL));
	/* OUT endpoints and SETUP are known from the receive FIFO's entries. */
	otg_write(DIEPMSK, EPINT_XFRC);
	otg_write(DOEPMSK, 0);
	otg_write(DIEPEMPMSK, 0);
	otg_ep_reset();

	otg_write(GOTGINT, otg_read(GOTGINT));
	otg_write(GINTSTS, GINTSTS_W1C);
	otg_write(GINTMSK, OTG_INTERRUPTS);
	otg_board_interrupt();
}

void dcd_connect(void)
{
	otg.connected = true;
	otg_write(DCTL, otg_read(DCTL) & ~DCTL_SDIS);
	otg_write(GAHBCFG, GAHBCFG_GINTMSK);
}

void dcd_disconnect(void)
{
	otg.connected = false;
	otg.session = false;
	otg.suspended = false;
	otg_write(DCTL, otg_read(DCTL) | DCTL_SDIS);
	otg_ep_reset();
}

enum usb_speed dcd_speed_max(void)
{
	return otg_high_speed() ? USB_SPEED_HIGH : USB_SPEED_FULL;
}

/* The block itself takes it up when the status stage is over. */
void dcd_set_address(uint8_t address)
{
	otg_write(DCFG, (otg_read(DCFG) & ~DCFG_DAD_MASK) | DCFG_DAD(address));
}

static void otg_bus_reset(void)
{
	otg.suspended = false;
	dcd_set_address(0);
	otg_ep_reset();
}

static void otg_enumerated(void)
{
	bool high = DSTS_ENUMSPD(otg_read(DSTS)) == DSTS_ENUMSPD_HIGH;

	otg.session = true;
	usbd_reset(high ? USB_SPEED_HIGH : USB_SPEED_FULL);
}

static void otg_session_changed(void)
{
	uint32_t what = otg_read(GOTGINT);

	otg_write(GOTGINT, what);
	if (!(what & GOTGINT_SEDET) || !otg.session)
		return;
	otg.session = false;
	otg.suspended = false;
	otg_ep_reset();
	usbd_disconnected();
}

/* Seen late, it may be over: then its end has been seen before. */
static void otg_suspend(void)
{
	if (otg.session && !otg.suspended && otg_read(DSTS) & DSTS_SUSPSTS) {
		otg.suspended = true;
		usbd_suspended();
	}
}

static void otg_resume(void)
{
	if (otg.suspended) {
		otg.suspended = false;
		usbd_resumed();
	}
}

static void otg_in_interrupts(void)
{
	uint32_t which = otg_read(DAINT) & otg_read(DAINTMSK);

	for (unsigned int n = 0; n < DCD_ENDPOINTS; n++) {
		if (which & DAINT_IN(n))
			otg_in_service(n);
	}
}

/*
 * What has been sent and received on endpoint 0 comes before a SETUP: the block refuses
 * everything else on it from the SETUP on until the core has answered.
 */
static void otg_deliver(void)
{
	for (unsigned int n = 0; n < DCD_ENDPOINTS; n++) {
		otg_in_deliver(n);
		otg_out_deliver(n);
	}
	otg_setup_deliver();
}

static void otg_service(void)
{
	uint32_t what = otg_read(GINTSTS) & otg_read(GINTMSK);

	otg_write(GINTSTS, what & GINTSTS_W1C);
	if (what & GINT_OTG)
		otg_session_changed();
	if (what & GINT_USBRST)
		otg_bus_reset();
	if (what & GINT_ENUMDNE)
		otg_enumerated();
	if (what & GINT_WKUP)
		otg_resume();
	if (what & GINT_RXFLVL)
		otg_fifo_drain();
	if (what & GINT_IEPINT)
		otg_in_interrupts();
	otg_deliver();
	if (what & GINT_USBSUSP)
		otg_suspend();
}

bool dcd_poll(void)
{
	if (!otg_noted)
		return false;
	otg_noted = false;
	otg_service();
	if (otg.connected)
		otg_write(GAHBCFG, GAHBCFG_GINTMSK);
	return true;
}
