// SPDX-License-Identifier: GPL-2.0
/* The model of the OTG block: the cable, and what the block does by itself about it. */
#include <string.h>

#include "otg_model_state.h"

/* Words that the receive FIFO keeps for SETUPs and for the marks of transfers' ends */
#define RX_RESERVED 24

void otg_host_reset(void)
{
	if (!otg_model_connected())
		return;
	model.in_reset = true;
	model.enumerated = false;
	model.suspended = false;
	model.gintsts |= GINT_USBRST;
	for (unsigned int n = 1; n < MODEL_EPS; n++) {
		model.in[n].ctl &= ~EPCTL_USBAEP;
		model.out[n].ctl &= ~EPCTL_USBAEP;
	}
}

void otg_host_enumerate(bool high_speed)
{
	if (!otg_model_connected())
		return;
	model.in_reset = false;
	model.enumerated = true;
	model.enumspd = high_speed && (model.dcfg & DCFG_DSPD_MASK) == DCFG_DSPD_HIGH ?
				DSTS_ENUMSPD_HIGH :
				DSTS_ENUMSPD_FULL;
	model.gintsts |= GINT_ENUMDNE;
}

void otg_host_suspend(void)
{
	model.suspended = true;
	model.gintsts |= GINT_USBSUSP;
}

void otg_host_resume(void)
{
	model.suspended = false;
	model.gintsts |= GINT_WKUP;
}

/* Nobody tells OTG_FS; what it sees is a bus without traffic. */
void otg_host_unplug(void)
{
	model.power = false;
	model.enumerated = false;
	if (model.gotgctl & GOTGCTL_BVALOEN)
		otg_host_suspend();
	else
		model.gotgint |= GOTGINT_SEDET;
}

void otg_host_plug(void)
{
	model.power = true;
}

static bool model_hears(unsigned int address, unsigned int n)
{
	return otg_model_connected() && model.enumerated && !model.suspended && n < MODEL_EPS &&
	       model.address == address;
}

/* The first token that is not a SETUP ends the setup stage. */
static void model_setup_ends(unsigned int n)
{
	if (n == 0 && model.setup_done_due) {
		model.setup_done_due = false;
		model_entry_push(0, PKTSTS_SETUP_DONE, NULL, 0);
	}
}

enum otg_answer otg_host_setup(unsigned int address, const uint8_t setup[8])
{
	struct model_in *in = &model.in[0];
	struct model_out *out = &model.out[0];

	if (!model_hears(address, 0) || model.rx_words + 4 > model.grxfsiz)
		return OTG_SILENCE;
	misuse_if(!out->setups, "SETUP without STUPCNT");
	if (out->setups)
		out->setups--;
	in->ctl = (in->ctl & ~EPCTL_STALL) | EPCTL_NAKSTS;
	out->ctl = (out->ctl & ~EPCTL_STALL) | EPCTL_NAKSTS;
	in->nak = 0;
	in->toggle = true;
	out->toggle = true;
	model_entry_push(0, PKTSTS_SETUP_DATA, setup, 8);
	model.setup_done_due = true;
	if (!otg_model_settings.setup_done_late)
		model_setup_ends(0);
	return OTG_ACK;
}

static void model_in_sent(struct model_in *in, uint8_t *data, unsigned int len)
{
	for (unsigned int at = 0; at < len; at += 4) {
		memcpy(data + at, &in->fifo[in->head], len - at < 4 ? len - at : 4);
		in->head = (in->head + 1) % MODEL_WORDS;
		in->level--;
	}
	in->unsent -= len;
	in->packets--;
	in->toggle = !in->toggle;
	if (in == &model.in[0] && !len)
		model.address = (model.dcfg & DCFG_DAD_MASK) >> 4;
	if (!in->packets) {
		misuse_if(in->unsent, "the model lost count");
		in->ctl &= ~EPCTL_EPENA;
		in->intr |= EPINT_XFRC;
	}
}

enum otg_answer otg_host_in(unsigned int address, unsigned int n, uint8_t *data, unsigned int *len,
			    bool *toggle)
{
	struct model_in *in = &model.in[n % MODEL_EPS];

	*len = 0;
	if (!model_hears(address, n) || !(in->ctl & EPCTL_USBAEP))
		return OTG_SILENCE;
	model_setup_ends(n);
	if (in->ctl & EPCTL_STALL)
		return OTG_STALL;
	if (!(in->ctl & EPCTL_EPENA) || in->ctl & EPCTL_NAKSTS || in->disable ||
	    in->level < (model_in_packet(in) + 3) / 4) {
		otg_model_in_naks++;
		return OTG_NAK;
	}
	*len = model_in_packet(in);
	*toggle = in->toggle;
	if (in->unwritten)
		otg_model_refills++;
	model_in_sent(in, data, *len);
	return OTG_ACK;
}

static void model_out_taken(struct model_out *out, unsigned int n, unsigned int len)
{
	misuse_if(len > out->left, "OUT %u: more than there is room for", n);
	out->left -= len < out->left ? len : out->left;
	out->packets--;
	out->toggle = !out->toggle;
	if (!out->packets || len < model_maxpacket(n, n ? out->ctl : model.in[0].ctl)) {
		out->ended = true;
		out->ctl |= EPCTL_NAKSTS;
		model_entry_push(n, PKTSTS_OUT_DONE, NULL, 0);
	}
}

enum otg_answer otg_host_out(unsigned int address, unsigned int n, const uint8_t *data,
			     unsigned int len, bool toggle)
{
	struct model_out *out = &model.out[n % MODEL_EPS];

	if (!model_hears(address, n) || !(out->ctl & EPCTL_USBAEP) ||
	    len > model_maxpacket(n, n ? out->ctl : model.in[0].ctl))
		return OTG_SILENCE;
	model_setup_ends(n);
	if (out->ctl & EPCTL_STALL)
		return OTG_STALL;
	if (!(out->ctl & EPCTL_EPENA) || out->ctl & EPCTL_NAKSTS || model.gonak_set || out->ended ||
	    out->disable || model.rx_words + 1 + (len + 3) / 4 + RX_RESERVED > model.grxfsiz) {
		otg_model_out_naks++;
		return OTG_NAK;
	}
	/* One that it has already got: the host did not hear that. */
	if (toggle != out->toggle)
		return OTG_ACK;
	model_entry_push(n, PKTSTS_OUT_DATA, data, len);
	model_out_taken(out, n, len);
	return OTG_ACK;
}
