// SPDX-License-Identifier: GPL-2.0
/* The model of the OTG block: endpoints and FIFOs.  See otg_model.h. */
#include <string.h>

#include "otg_model_state.h"

#define CTL_FIXED (EPCTL_MPSIZ_MASK | EPCTL_EPTYP_MASK | EPCTL_TXFNUM(0xf))
#define CTL_KEPT (CTL_FIXED | EPCTL_USBAEP | EPCTL_STALL)

unsigned int model_maxpacket(unsigned int n, uint32_t ctl)
{
	return n ? ctl & EPCTL_MPSIZ_MASK : 64u >> (ctl & 3);
}

unsigned int model_region_start(uint32_t region)
{
	return region & 0xffff;
}

unsigned int model_region_words(uint32_t region)
{
	return region >> 16;
}

unsigned int model_in_packet(const struct model_in *in)
{
	unsigned int max = model_maxpacket((unsigned int)(in - model.in), in->ctl);

	return in->unsent < max ? in->unsent : max;
}

static void model_in_tick(struct model_in *in)
{
	if (model_due(&in->nak)) {
		in->ctl |= EPCTL_NAKSTS;
		in->intr |= DIEPINT_INEPNE;
	}
	if (model_due(&in->disable)) {
		in->ctl &= ~(EPCTL_EPENA | EPCTL_EPDIS);
		in->intr |= EPINT_EPDISD;
	}
}

static void model_out_tick(struct model_out *out)
{
	if (model_due(&out->done)) {
		out->ctl &= ~EPCTL_EPENA;
		out->intr |= EPINT_XFRC;
		out->ended = false;
	}
	if (model_due(&out->stup)) {
		if (!otg_model_settings.setup_keeps_enabled)
			out->ctl &= ~EPCTL_EPENA;
		out->intr |= DOEPINT_STUP | DOEPINT_STPKTRX;
	}
	if (model_due(&out->disable)) {
		out->ctl &= ~(EPCTL_EPENA | EPCTL_EPDIS);
		out->intr |= EPINT_EPDISD;
		out->ended = false;
	}
}

void model_ep_tick(void)
{
	for (unsigned int n = 0; n < MODEL_EPS; n++) {
		model_in_tick(&model.in[n]);
		model_out_tick(&model.out[n]);
	}
}

/* -- the receive FIFO ----------------------------------------------------------------- */

static unsigned int model_entry_words(const struct model_entry *entry)
{
	return 1 + (entry->len + 3) / 4;
}

void model_entry_push(unsigned int n, unsigned int what, const uint8_t *data, unsigned int len)
{
	struct model_entry *entry =
		&model.entries[(model.entry_head + model.entry_count++) % MODEL_ENTRIES];

	misuse_if(model.rx_moved, "receive FIFO was not flushed after its move");
	entry->status = n | len << 4 | what << 17;
	entry->len = len;
	if (len)
		memcpy(entry->data, data, len);
	model.rx_words += model_entry_words(entry);
	misuse_if(model.rx_words > model.grxfsiz, "receive FIFO of %u words is too small",
		  model.grxfsiz);
}

uint32_t model_entry_peek(void)
{
	return model.entry_count ? model.entries[model.entry_head].status : 0;
}

/* What the block does when an entry is taken out */
static void model_entry_taken(const struct model_entry *entry)
{
	unsigned int n = GRXSTS_EPNUM(entry->status);

	switch (GRXSTS_PKTSTS(entry->status)) {
	case PKTSTS_GLOBAL_NAK:
		model.gonak = model_soon();
		break;
	case PKTSTS_OUT_DONE:
		model.out[n].done = model_soon();
		break;
	case PKTSTS_SETUP_DONE:
		model.out[n].stup = model_soon();
		break;
	default:
		break;
	}
}

uint32_t model_entry_pop(void)
{
	misuse_if(model.current_read < model.current.len, "entry taken before the last one's data");
	misuse_if(!model.entry_count, "entry taken from an empty receive FIFO");
	if (!model.entry_count)
		return 0;
	model.current = model.entries[model.entry_head];
	model.current_read = 0;
	model.entry_head = (model.entry_head + 1) % MODEL_ENTRIES;
	model.entry_count--;
	model.rx_words--;
	model_entry_taken(&model.current);
	return model.current.status;
}

uint32_t model_fifo_read(void)
{
	uint32_t word = 0xdeadbeef;
	unsigned int left = model.current.len - model.current_read;

	misuse_if(model.current_read >= model.current.len, "read of an empty FIFO");
	if (model.current_read >= model.current.len)
		return word;
	memcpy(&word, model.current.data + model.current_read, left < 4 ? left : 4);
	model.current_read += 4;
	model.rx_words--;
	return word;
}

void model_rx_flushed(void)
{
	model.rx_moved = false;
	model.entry_count = 0;
	model.rx_words = 0;
	model.current.len = 0;
	model.current_read = 0;
}

/* -- TX FIFOs ---------------------------------------------------------------------------- */

void model_fifo_write(unsigned int n, uint32_t word)
{
	struct model_in *in = &model.in[n % MODEL_EPS];

	misuse_if(n >= MODEL_EPS || !(in->ctl & EPCTL_EPENA) || in->disable,
		  "write into TX FIFO %u, whose endpoint is not enabled", n);
	misuse_if(!in->unwritten, "write into TX FIFO %u beyond the transfer", n);
	misuse_if(in->level >= model_region_words(in->region), "write into a full TX FIFO %u", n);
	if (in->level >= model_region_words(in->region) || in->level >= MODEL_WORDS)
		return;
	in->fifo[(in->head + in->level++) % MODEL_WORDS] = word;
	in->unwritten -= in->unwritten < 4 ? in->unwritten : 4;
}

uint32_t model_in_interrupts(unsigned int n)
{
	struct model_in *in = &model.in[n];

	return in->intr | (in->level <= model_region_words(in->region) / 2 ? DIEPINT_TXFE : 0);
}

uint32_t model_daint(void)
{
	uint32_t value = 0;

	for (unsigned int n = 0; n < MODEL_EPS; n++) {
		uint32_t intr = model_in_interrupts(n);

		if (intr & model.diepmsk || (intr & DIEPINT_TXFE && model.diepempmsk & 1u << n))
			value |= DAINT_IN(n);
		if (model.out[n].intr & model.doepmsk)
			value |= DAINT_OUT(n);
	}
	return value;
}

/* -- enabling ---------------------------------------------------------------------------- */

static void model_region_check(unsigned int n)
{
	struct model_in *in = &model.in[n];
	unsigned int start = model_region_start(in->region), words = model_region_words(in->region);

	misuse_if(in->moved, "TX FIFO %u was not flushed after its move", n);
	misuse_if(words < 16 || words * 4 < model_maxpacket(n, in->ctl), "TX FIFO %u of %u words",
		  n, words);
	misuse_if(start < model.grxfsiz || start + words > otg_fifo_words(),
		  "TX FIFO %u is from %u to %u", n, start, start + words);
	for (unsigned int k = 0; k < MODEL_EPS; k++) {
		uint32_t other = model.in[k].region;

		if (k == n || !(model.in[k].ctl & EPCTL_USBAEP))
			continue;
		misuse_if(start < model_region_start(other) + model_region_words(other) &&
				  model_region_start(other) < start + words,
			  "TX FIFOs %u and %u overlap", n, k);
	}
}

static void model_in_enable(unsigned int n, uint32_t value)
{
	struct model_in *in = &model.in[n];
	uint32_t len = EPTSIZ_XFRSIZ(in->size), packets = EPTSIZ_PKTCNT(in->size);
	unsigned int max = model_maxpacket(n, in->ctl);
	unsigned int type = (in->ctl & EPCTL_EPTYP_MASK) >> 18;

	misuse_if(in->ctl & EPCTL_EPENA, "IN %u enabled twice", n);
	misuse_if(!(in->ctl & EPCTL_USBAEP), "IN %u enabled, but not active", n);
	misuse_if(!in->sized, "IN %u enabled without a size", n);
	misuse_if(!(value & EPCTL_CNAK), "IN %u enabled with NAK on", n);
	misuse_if(in->level, "IN %u enabled with %u words left in its FIFO", n, in->level);
	misuse_if(EPCTL_TXFNUM_GET(in->ctl) != n, "IN %u has TX FIFO %u", n,
		  EPCTL_TXFNUM_GET(in->ctl));
	misuse_if(!max || packets != (len ? (len + max - 1) / max : 1), "IN %u: %u packets for %u",
		  n, packets, len);
	misuse_if(!n && (len > 127 || packets > 3), "IN 0: %u bytes at once", len);
	misuse_if(type == 3 && in->size >> 29 != 1, "IN %u: MULCNT", n);
	misuse_if(in->ctl & EPCTL_STALL && n, "IN %u enabled while halted", n);
	model_region_check(n);
	in->ctl |= EPCTL_EPENA;
	in->sized = false;
	in->unsent = len;
	in->unwritten = len;
	in->packets = packets;
}

static void model_out_enable(unsigned int n, uint32_t value)
{
	struct model_out *out = &model.out[n];
	unsigned int max = model_maxpacket(n, n ? out->ctl : model.in[0].ctl);

	misuse_if(out->ctl & EPCTL_EPENA && n, "OUT %u enabled twice", n);
	misuse_if(!(out->ctl & EPCTL_USBAEP), "OUT %u enabled, but not active", n);
	misuse_if(!out->sized, "OUT %u enabled without a size", n);
	misuse_if(!(value & EPCTL_CNAK), "OUT %u enabled with NAK on", n);
	misuse_if(!max || !out->packets || out->left != out->packets * max,
		  "OUT %u: %u packets for %u", n, out->packets, out->left);
	misuse_if(!n && out->packets > 1, "OUT 0: %u packets", out->packets);
	misuse_if(out->ctl & EPCTL_STALL && n, "OUT %u enabled while halted", n);
	misuse_if(out->ended, "OUT %u enabled before its end was reported", n);
	out->ctl |= EPCTL_EPENA;
	out->sized = false;
}

/* -- the registers ------------------------------------------------------------------------ */

bool model_is_ep(uint32_t offset)
{
	return offset >= DIEPCTL(0) && offset < DOEPCTL(0) + 0x200;
}

uint32_t model_ep_read(uint32_t offset)
{
	bool is_in = offset < DOEPCTL(0);
	unsigned int n = (offset - (is_in ? DIEPCTL(0) : DOEPCTL(0))) / 0x20;
	struct model_in *in = &model.in[n % MODEL_EPS];
	struct model_out *out = &model.out[n % MODEL_EPS];

	misuse_if(n >= MODEL_EPS, "endpoint %u", n);
	switch (offset % 0x20) {
	case 0x00:
		return is_in ? in->ctl : out->ctl;
	case 0x08:
		return is_in ? model_in_interrupts(n) : out->intr;
	case 0x10:
		if (is_in)
			return in->unwritten | EPTSIZ_PKTCNT_SET(in->packets);
		return out->left | EPTSIZ_PKTCNT_SET(out->packets) | DOEPTSIZ0_STUPCNT(out->setups);
	case 0x18:
		if (is_in)
			return model_region_words(in->region) - in->level;
		/* fallthrough */
	default:
		model_misuse("read of %03x", offset);
		return 0;
	}
}

static void model_in_ctl_write(unsigned int n, uint32_t value)
{
	struct model_in *in = &model.in[n];

	misuse_if((value ^ in->ctl) & CTL_FIXED && in->ctl & EPCTL_EPENA,
		  "IN %u changed while enabled", n);
	misuse_if(value & EPCTL_SNAK && value & EPCTL_CNAK, "IN %u: NAK both ways", n);
	misuse_if(value & EPCTL_SD0PID && (!n || in->ctl & EPCTL_EPENA), "IN %u: toggle", n);
	misuse_if(value & ~in->ctl & EPCTL_STALL && in->ctl & EPCTL_EPENA,
		  "IN %u halted while enabled", n);
	misuse_if(in->ctl & ~value & EPCTL_USBAEP && in->ctl & EPCTL_EPENA && n,
		  "IN %u closed while enabled", n);
	/* Endpoint 0 is always active, and SETUP alone ends its halt. */
	if (!n)
		value |= EPCTL_USBAEP | (in->ctl & EPCTL_STALL);
	in->ctl = (in->ctl & ~CTL_KEPT) | (value & CTL_KEPT);
	if (value & EPCTL_SNAK) {
		if (in->ctl & EPCTL_EPENA)
			in->nak = in->nak ? in->nak : model_soon();
		else
			in->ctl |= EPCTL_NAKSTS;
	}
	if (value & EPCTL_CNAK) {
		in->ctl &= ~EPCTL_NAKSTS;
		in->nak = 0;
	}
	if (value & EPCTL_SD0PID)
		in->toggle = false;
	if (value & EPCTL_EPDIS) {
		misuse_if(!(in->ctl & EPCTL_EPENA), "IN %u disabled twice", n);
		misuse_if(!(in->ctl & EPCTL_NAKSTS), "IN %u disabled without NAK in effect", n);
		in->disable = model_soon();
		in->ctl |= EPCTL_EPDIS;
	}
	if (value & EPCTL_EPENA)
		model_in_enable(n, value);
}

static void model_out_ctl_write(unsigned int n, uint32_t value)
{
	struct model_out *out = &model.out[n];

	misuse_if((value ^ out->ctl) & CTL_FIXED && out->ctl & EPCTL_EPENA,
		  "OUT %u changed while enabled", n);
	misuse_if(value & EPCTL_SNAK && value & EPCTL_CNAK, "OUT %u: NAK both ways", n);
	misuse_if(value & EPCTL_SD0PID && (!n || out->ctl & EPCTL_EPENA), "OUT %u: toggle", n);
	misuse_if(value & ~out->ctl & EPCTL_STALL && out->ctl & EPCTL_EPENA && n,
		  "OUT %u halted while enabled", n);
	misuse_if(out->ctl & ~value & EPCTL_USBAEP && out->ctl & EPCTL_EPENA && n,
		  "OUT %u closed while enabled", n);
	if (!n)
		value |= EPCTL_USBAEP | (out->ctl & EPCTL_STALL);
	out->ctl = (out->ctl & ~CTL_KEPT) | (value & CTL_KEPT);
	if (value & EPCTL_SNAK)
		out->ctl |= EPCTL_NAKSTS;
	if (value & EPCTL_CNAK)
		out->ctl &= ~EPCTL_NAKSTS;
	if (value & EPCTL_SD0PID)
		out->toggle = false;
	if (value & EPCTL_EPDIS) {
		misuse_if(!n, "OUT 0 disabled");
		misuse_if(!(out->ctl & EPCTL_EPENA), "OUT %u disabled twice", n);
		misuse_if(!(model.gintsts & GINT_GONAKEFF),
			  "OUT %u disabled without global NAK in effect", n);
		out->disable = model_soon();
		out->ctl |= EPCTL_EPDIS;
	}
	if (value & EPCTL_EPENA)
		model_out_enable(n, value);
}

static void model_in_size_write(unsigned int n, uint32_t value)
{
	struct model_in *in = &model.in[n];

	misuse_if(in->ctl & EPCTL_EPENA, "IN %u: size changed while enabled", n);
	in->size = value;
	in->sized = true;
	in->unwritten = EPTSIZ_XFRSIZ(value);
	in->packets = EPTSIZ_PKTCNT(value);
}

/* STUPCNT may be written at any time. */
static void model_out_size_write(unsigned int n, uint32_t value)
{
	struct model_out *out = &model.out[n];
	uint32_t packets = n ? EPTSIZ_PKTCNT(value) : EPTSIZ_PKTCNT(value) & 1;

	misuse_if(out->ctl & EPCTL_EPENA &&
			  (out->left != EPTSIZ_XFRSIZ(value) || out->packets != packets),
		  "OUT %u: size changed while enabled", n);
	out->left = EPTSIZ_XFRSIZ(value);
	out->packets = packets;
	out->sized = true;
	if (!n)
		out->setups = value >> 29 & 3;
}

void model_ep_write(uint32_t offset, uint32_t value)
{
	bool is_in = offset < DOEPCTL(0);
	unsigned int n = (offset - (is_in ? DIEPCTL(0) : DOEPCTL(0))) / 0x20;

	misuse_if(n >= MODEL_EPS, "endpoint %u", n);
	n %= MODEL_EPS;
	switch (offset % 0x20) {
	case 0x00:
		(is_in ? model_in_ctl_write : model_out_ctl_write)(n, value);
		break;
	case 0x08:
		if (is_in)
			model.in[n].intr &= ~value;
		else
			model.out[n].intr &= ~value;
		break;
	case 0x10:
		(is_in ? model_in_size_write : model_out_size_write)(n, value);
		break;
	default:
		model_misuse("write of %03x", offset);
	}
}
