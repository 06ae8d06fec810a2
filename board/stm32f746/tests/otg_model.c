// SPDX-License-Identifier: GPL-2.0
/* The model of the OTG block: the registers for all of it.  See otg_model.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "otg_model_state.h"
#include "ports/stm32/otg_io.h"

struct otg_model model;
struct otg_model_settings otg_model_settings;
unsigned int otg_model_misuse;
unsigned int otg_model_in_naks, otg_model_out_naks, otg_model_refills;

static uint32_t model_now;

void model_misuse(const char *format, ...)
{
	va_list arguments;

	otg_model_misuse++;
	if (otg_model_misuse > 20)
		return;
	printf("# misuse: ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

/* -- the board, as the driver knows it ------------------------------------------------- */

uint32_t board_ms(void)
{
	return model_now++;
}

void otg_board_init(void)
{
	model.clocked = true;
}

void otg_board_interrupt(void)
{
}

bool otg_high_speed(void)
{
	return otg_model_settings.high_speed;
}

uint32_t otg_fifo_words(void)
{
	return otg_model_settings.high_speed ? 1006 : 320;
}

/* -- time -------------------------------------------------------------------------------- */

model_delay model_soon(void)
{
	return otg_model_settings.latency + 1;
}

bool model_due(model_delay *delay)
{
	return *delay && !--*delay;
}

/* What a core reset does not touch: GUSBCFG, what is plugged in, the clock. */
static void model_core_reset_done(void)
{
	struct otg_model old = model;

	memset(&model, 0, sizeof(model));
	model.clocked = old.clocked;
	model.power = old.power;
	model.gusbcfg = old.gusbcfg;
	model.device_mode = old.device_mode;
	model.mode_since = old.mode_since;
	model.grxfsiz = 0x200;
	model.dcfg = 0x08200000;
	model.dctl = DCTL_SDIS;
	for (unsigned int n = 0; n < MODEL_EPS; n++)
		model.in[n].region = 0x02000200;
	model.in[0].ctl = EPCTL_USBAEP;
	model.out[0].ctl = EPCTL_USBAEP;
}

void otg_model_power_on(void)
{
	memset(&model, 0, sizeof(model));
	model_core_reset_done();
	model.power = true;
	model.gusbcfg = 0x00001400;
	model.gccfg = 0;
	model_now = 0;
	otg_model_misuse = 0;
	otg_model_in_naks = 0;
	otg_model_out_naks = 0;
	otg_model_refills = 0;
}

static void model_tick(void)
{
	static bool busy;

	if (model_due(&model.core_reset))
		model_core_reset_done();
	if (model_due(&model.tx_flush)) {
		for (unsigned int n = 0; n < MODEL_EPS; n++) {
			if (model.tx_flush_which != GRSTCTL_TXFNUM_ALL && model.tx_flush_which != n)
				continue;
			model.in[n].level = 0;
			model.in[n].moved = false;
		}
	}
	if (model_due(&model.rx_flush))
		model_rx_flushed();
	if (model_due(&model.gonak))
		model.gintsts |= GINT_GONAKEFF;
	model_ep_tick();
	if (otg_model_settings.between && !busy) {
		busy = true;
		otg_model_settings.between();
		busy = false;
	}
}

/* -- global registers ---------------------------------------------------------------------- */

static uint32_t model_gintsts(void)
{
	uint32_t value = model.gintsts & (GINTSTS_W1C | GINT_GONAKEFF);
	uint32_t daint = model_daint() & model.daintmsk;

	if (!model.device_mode)
		value |= GINT_CMOD;
	if (model.gotgint)
		value |= GINT_OTG;
	if (model.entry_count)
		value |= GINT_RXFLVL;
	if (daint & 0xffff)
		value |= GINT_IEPINT;
	if (daint >> 16)
		value |= GINT_OEPINT;
	return value;
}

bool otg_model_interrupt(void)
{
	return model.gahbcfg & GAHBCFG_GINTMSK && model_gintsts() & model.gintmsk;
}

bool otg_model_connected(void)
{
	uint32_t valid = GOTGCTL_BVALOEN | GOTGCTL_BVALOVAL;

	if (!model.clocked || !model.power || !model.device_mode || model.dctl & DCTL_SDIS)
		return false;
	if (otg_high_speed())
		return !(model.gccfg & GCCFG_PWRDWN);
	return model.gccfg & GCCFG_PWRDWN && (model.gotgctl & valid) == valid;
}

static void model_grstctl_write(uint32_t value)
{
	misuse_if(model.tx_flush || model.rx_flush, "reset during another");
	if (value & GRSTCTL_CSRST) {
		misuse_if(otg_high_speed() == !!(model.gusbcfg & GUSBCFG_PHYSEL),
			  "core reset with the wrong PHY");
		model.core_reset = model_soon();
	}
	if (value & GRSTCTL_RXFFLSH) {
		misuse_if(model.current_read < model.current.len,
			  "receive FIFO flushed in a packet");
		model.rx_flush = model_soon();
	}
	if (value & GRSTCTL_TXFFLSH) {
		model.tx_flush = model_soon();
		model.tx_flush_which = GRSTCTL_TXFNUM_GET(value);
		for (unsigned int n = 0; n < MODEL_EPS; n++)
			misuse_if((model.tx_flush_which == GRSTCTL_TXFNUM_ALL ||
				   model.tx_flush_which == n) &&
					  model.in[n].ctl & EPCTL_EPENA,
				  "TX FIFO %u flushed while its endpoint is enabled", n);
	}
}

static void model_gusbcfg_write(uint32_t value)
{
	if ((value ^ model.gusbcfg) & GUSBCFG_FDMOD)
		model.mode_since = model_now;
	model.gusbcfg = value;
}

static void model_gintsts_write(uint32_t value)
{
	model.gintsts &= ~(value & GINTSTS_W1C);
}

static uint32_t model_global_read(uint32_t offset)
{
	switch (offset) {
	case GOTGCTL:
		return model.gotgctl;
	case GOTGINT:
		return model.gotgint;
	case GAHBCFG:
		return model.gahbcfg;
	case GUSBCFG:
		return model.gusbcfg;
	case GRSTCTL:
		return GRSTCTL_AHBIDL | (model.core_reset ? GRSTCTL_CSRST : 0) |
		       (model.rx_flush ? GRSTCTL_RXFFLSH : 0) |
		       (model.tx_flush ? GRSTCTL_TXFFLSH : 0);
	case GINTSTS:
		if (model.gusbcfg & GUSBCFG_FDMOD && model_now - model.mode_since >= 25)
			model.device_mode = true;
		return model_gintsts();
	case GINTMSK:
		return model.gintmsk;
	case GRXSTSR:
		return model_entry_peek();
	case GRXSTSP:
		return model_entry_pop();
	case GRXFSIZ:
		return model.grxfsiz;
	case GCCFG:
		return model.gccfg;
	default:
		model_misuse("read of %03x", offset);
		return 0;
	}
}

static void model_global_write(uint32_t offset, uint32_t value)
{
	switch (offset) {
	case GOTGCTL:
		model.gotgctl = value;
		break;
	case GOTGINT:
		model.gotgint &= ~value;
		break;
	case GAHBCFG:
		misuse_if(value & ~GAHBCFG_GINTMSK, "GAHBCFG %08x", value);
		model.gahbcfg = value;
		break;
	case GUSBCFG:
		model_gusbcfg_write(value);
		break;
	case GRSTCTL:
		model_grstctl_write(value);
		break;
	case GINTSTS:
		model_gintsts_write(value);
		break;
	case GINTMSK:
		model.gintmsk = value;
		break;
	case GRXFSIZ:
		misuse_if(model.entry_count, "receive FIFO resized with %u entries in it",
			  model.entry_count);
		misuse_if(value < 16 || value > otg_fifo_words(), "receive FIFO of %u", value);
		model.grxfsiz = value;
		model.rx_moved = true;
		break;
	case GCCFG:
		model.gccfg = value;
		break;
	default:
		model_misuse("write of %03x", offset);
	}
}

/* -- device registers ------------------------------------------------------------------- */

static void model_dctl_write(uint32_t value)
{
	misuse_if(value & (DCTL_SGINAK | DCTL_CGINAK), "global IN NAK is not used here");
	if (value & DCTL_SGONAK && !model.gonak_set) {
		misuse_if(model.gintsts & GINT_GONAKEFF, "global OUT NAK set twice");
		model.gonak_set = true;
		model_entry_push(0, PKTSTS_GLOBAL_NAK, NULL, 0);
	}
	if (value & DCTL_CGONAK) {
		misuse_if(!(model.gintsts & GINT_GONAKEFF), "global OUT NAK cleared before effect");
		model.gonak_set = false;
		model.gintsts &= ~GINT_GONAKEFF;
	}
	if (model.dctl & DCTL_SDIS && !(value & DCTL_SDIS)) {
		misuse_if(((model.gusbcfg & GUSBCFG_TRDT_MASK) >> 10) < (otg_high_speed() ? 9 : 6),
			  "answers would be late");
		misuse_if((model.dcfg & DCFG_DSPD_MASK) !=
				  (otg_high_speed() ? DCFG_DSPD_HIGH : DCFG_DSPD_FULL),
			  "speed %u", model.dcfg & DCFG_DSPD_MASK);
	}
	model.dctl = value & DCTL_SDIS;
}

static uint32_t model_device_read(uint32_t offset)
{
	switch (offset) {
	case DCFG:
		return model.dcfg;
	case DCTL:
		return model.dctl | (model.gonak_set ? DCTL_GONSTS : 0);
	case DSTS:
		return model.enumspd << 1 | (model.suspended ? DSTS_SUSPSTS : 0);
	case DIEPMSK:
		return model.diepmsk;
	case DOEPMSK:
		return model.doepmsk;
	case DAINT:
		return model_daint();
	case DAINTMSK:
		return model.daintmsk;
	case DIEPEMPMSK:
		return model.diepempmsk;
	default:
		model_misuse("read of %03x", offset);
		return 0;
	}
}

static void model_device_write(uint32_t offset, uint32_t value)
{
	switch (offset) {
	case DCFG:
		model.dcfg = value;
		/* A new address waits for the status stage. */
		if (!(value & DCFG_DAD_MASK))
			model.address = 0;
		break;
	case DCTL:
		model_dctl_write(value);
		break;
	case DIEPMSK:
		model.diepmsk = value;
		break;
	case DOEPMSK:
		model.doepmsk = value;
		break;
	case DAINTMSK:
		model.daintmsk = value;
		break;
	case DIEPEMPMSK:
		model.diepempmsk = value;
		break;
	default:
		model_misuse("write of %03x", offset);
	}
}

/* A TX FIFO may be moved while it is empty and nobody sends from it. */
static bool model_region_write(uint32_t offset, uint32_t value)
{
	for (unsigned int n = 0; n < MODEL_EPS; n++) {
		if (offset != DIEPTXF(n))
			continue;
		misuse_if(model.in[n].level || model.in[n].ctl & EPCTL_EPENA,
			  "TX FIFO %u moved while in use", n);
		model.in[n].region = value;
		model.in[n].moved = true;
		return true;
	}
	return false;
}

/* -- access ------------------------------------------------------------------------------ */

static void model_access(uint32_t offset)
{
	misuse_if(!model.clocked, "access to %03x without a clock", offset);
	misuse_if(model.core_reset && offset != GRSTCTL, "access to %03x in a core reset", offset);
	misuse_if(model.pcgcctl && offset != PCGCCTL, "access to %03x with the clock gated",
		  offset);
	misuse_if(!model.device_mode && offset >= DCFG && offset < PCGCCTL,
		  "access to %03x, not being a device", offset);
	model_tick();
}

uint32_t otg_read(uint32_t offset)
{
	model_access(offset);
	if (offset == PCGCCTL)
		return model.pcgcctl;
	if (offset >= OTG_FIFO(0))
		return model_fifo_read();
	if (model_is_ep(offset))
		return model_ep_read(offset);
	return offset < DCFG ? model_global_read(offset) : model_device_read(offset);
}

void otg_write(uint32_t offset, uint32_t value)
{
	model_access(offset);
	if (offset == PCGCCTL)
		model.pcgcctl = value;
	else if (offset >= OTG_FIFO(0))
		model_fifo_write(offset / OTG_FIFO(0) - 1, value);
	else if (model_is_ep(offset))
		model_ep_write(offset, value);
	else if (model_region_write(offset, value))
		return;
	else if (offset < DCFG)
		model_global_write(offset, value);
	else
		model_device_write(offset, value);
}
