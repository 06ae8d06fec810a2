/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the STM32's OTG block in device mode, slave operation, and of the cable with
 * a host behind it, for the driver of ports/stm32 to run against:
 *
 *	otg_model.c	  the registers
 *	otg_model_ep.c	  the endpoints' registers and the FIFOs
 *	otg_model_host.c  the cable: tokens, resets
 *
 * It is made from the reference manual, not from a chip: where the manual leaves something
 * open it takes the less convenient reading, or has both (the settings).  What the manual
 * forbids counts as misuse, with a line of output.
 *
 * Not modelled: lost packets and handshakes, PING and NYET, isochronous endpoints, DMA,
 * threshold mode, LPM, remote wakeup, the host's side of the block.
 */
#ifndef BOARD_OTG_MODEL_H
#define BOARD_OTG_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* -- the driver's side ----------------------------------------------------------------- */

uint32_t otg_read(uint32_t offset);
void otg_write(uint32_t offset, uint32_t value);
bool otg_high_speed(void);
uint32_t otg_fifo_words(void);

/* -- settings and figures --------------------------------------------------------------- */

/**
 * struct otg_model_settings - where blocks differ, or time does
 * @high_speed: OTG_HS with its PHY, not OTG_FS
 * @latency: accesses until the block has done what it was told to
 * @setup_done_late: the entry for SETUP's end comes with the next token, not at once
 * @setup_keeps_enabled: SETUP does not disable endpoint 0's OUT side
 * @between: called between the driver's accesses; may play the host
 */
struct otg_model_settings {
	bool high_speed;
	unsigned int latency;
	bool setup_done_late;
	bool setup_keeps_enabled;
	void (*between)(void);
};

extern struct otg_model_settings otg_model_settings;
extern unsigned int otg_model_misuse;
/* How often a FIFO was empty or there was no room, so that tests know they have been there. */
extern unsigned int otg_model_in_naks, otg_model_out_naks, otg_model_refills;

/* Power off and on. */
void otg_model_power_on(void);
bool otg_model_interrupt(void);
/* Whether the device has a pull-up and the means to drive it. */
bool otg_model_connected(void);

/* -- the host --------------------------------------------------------------------------- */

enum otg_answer {
	OTG_ACK,
	OTG_NAK,
	OTG_STALL,
	OTG_SILENCE,
};

void otg_host_reset(void);
/* The end of a reset; at high speed if both want it. */
void otg_host_enumerate(bool high_speed);
void otg_host_suspend(void);
void otg_host_resume(void);
void otg_host_unplug(void);
void otg_host_plug(void);

enum otg_answer otg_host_setup(unsigned int address, const uint8_t setup[8]);
/* One packet; the toggle that it bears comes back, too. */
enum otg_answer otg_host_in(unsigned int address, unsigned int n, uint8_t *data,
			    unsigned int *len, bool *toggle);
enum otg_answer otg_host_out(unsigned int address, unsigned int n, const uint8_t *data,
			     unsigned int len, bool toggle);

#endif /* BOARD_OTG_MODEL_H */
