/* SPDX-License-Identifier: GPL-2.0 */
/* What the model's files have of each other. */
#ifndef BOARD_OTG_MODEL_STATE_H
#define BOARD_OTG_MODEL_STATE_H

#include "otg_model.h"
#include "ports/stm32/otg_regs.h"

#define MODEL_EPS	9
#define MODEL_WORDS	1024
#define MODEL_ENTRIES	512

/* Something that the block does some accesses later; 0 is nothing */
typedef unsigned int model_delay;

/**
 * struct model_in - an endpoint to the host
 * @ctl: DIEPCTL, without what is written only
 * @intr: DIEPINT, without TXFE
 * @size: DIEPTSIZ as programmed
 * @sized: programmed since it was last used
 * @unwritten: bytes that have not been written into the FIFO
 * @unsent: bytes that the host has not acknowledged
 * @packets: that it has not
 * @fifo: words
 * @head: of @fifo
 * @level: words in @fifo
 * @region: DIEPTXF
 * @moved: @region was written, and the FIFO has not been flushed since
 * @toggle: of the next packet
 * @nak: until NAK is in effect
 * @disable: until the endpoint is disabled
 */
struct model_in {
	uint32_t ctl;
	uint32_t intr;
	uint32_t size;
	bool sized;
	uint32_t unwritten;
	uint32_t unsent;
	uint32_t packets;
	uint32_t fifo[MODEL_WORDS];
	unsigned int head;
	unsigned int level;
	uint32_t region;
	bool moved;
	bool toggle;
	model_delay nak;
	model_delay disable;
};

/**
 * struct model_out - an endpoint from the host
 * @left: bytes of XFRSIZ
 * @packets: of PKTCNT
 * @setups: of STUPCNT
 * @ended: no further packet is taken, only its end is still to be reported
 * @done: until XFRC
 * @stup: until STUP
 * @disable: until the endpoint is disabled
 */
struct model_out {
	uint32_t ctl;
	uint32_t intr;
	bool sized;
	uint32_t left;
	uint32_t packets;
	unsigned int setups;
	bool ended;
	bool toggle;
	model_delay done;
	model_delay stup;
	model_delay disable;
};

/* An entry of the receive FIFO, and the words behind it */
struct model_entry {
	uint32_t status;
	uint8_t data[512];
	unsigned int len;
};

struct otg_model {
	bool clocked;
	uint32_t gotgctl, gotgint, gahbcfg, gusbcfg, gintsts, gintmsk, grxfsiz, gccfg;
	uint32_t dcfg, dctl, diepmsk, doepmsk, daintmsk, diepempmsk, pcgcctl;
	uint32_t enumspd, address;
	bool suspended, in_reset, enumerated, power, device_mode;
	uint32_t mode_since;
	model_delay core_reset, tx_flush, rx_flush, gonak;
	unsigned int tx_flush_which;
	bool gonak_set, setup_done_due, rx_moved;
	struct model_in in[MODEL_EPS];
	struct model_out out[MODEL_EPS];
	struct model_entry entries[MODEL_ENTRIES];
	unsigned int entry_head, entry_count, rx_words;
	/* The entry that was taken, and how much of it was read */
	struct model_entry current;
	unsigned int current_read;
};

extern struct otg_model model;

/* Counts it, and says so. */
#define misuse_if(condition, ...)                                                              \
	do {                                                                                   \
		if (condition)                                                                 \
			model_misuse(__VA_ARGS__);                                             \
	} while (0)
void model_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -- otg_model.c ------------------------------------------------------------------------ */

model_delay model_soon(void);
/* Whether it is time now. */
bool model_due(model_delay *delay);

/* -- otg_model_ep.c --------------------------------------------------------------------- */

void model_ep_tick(void);
uint32_t model_ep_read(uint32_t offset);
void model_ep_write(uint32_t offset, uint32_t value);
bool model_is_ep(uint32_t offset);
uint32_t model_daint(void);
uint32_t model_in_interrupts(unsigned int n);
unsigned int model_region_start(uint32_t region);
unsigned int model_region_words(uint32_t region);

void model_entry_push(unsigned int n, unsigned int what, const uint8_t *data, unsigned int len);
uint32_t model_entry_peek(void);
uint32_t model_entry_pop(void);
uint32_t model_fifo_read(void);
void model_fifo_write(unsigned int n, uint32_t word);
void model_rx_flushed(void);

/* Bytes of the next packet to the host */
unsigned int model_in_packet(const struct model_in *in);
unsigned int model_maxpacket(unsigned int n, uint32_t ctl);

#endif /* BOARD_OTG_MODEL_STATE_H */
