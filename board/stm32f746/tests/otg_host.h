/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that plays whole transfers on the model's cable, while the device runs.
 */
#ifndef BOARD_OTG_HOST_H
#define BOARD_OTG_HOST_H

#include "otg_model.h"
#include "usb/dcd.h"

/* An interrupt endpoint to the host; all others are bulk. */
#define HOST_SMALL	3
#define HOST_SMALL_SIZE	8

/* Interrupts and polls until there is nothing left to do. */
void host_pump(void);
/* What should not have been: misuse, waiting in vain, packets with the wrong toggle, and so on. */
unsigned int host_problems(void);
/* Counts one more, and says so. */
void host_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct host {
	unsigned int address;
	unsigned int bulk_size;
	bool in_toggle[DCD_ENDPOINTS];
	bool out_toggle[DCD_ENDPOINTS];
	unsigned int wrong_toggles;
};

extern struct host host;

/* Tokens until one is not answered by NAK; the device runs meanwhile. */
enum otg_answer host_in(unsigned int n, uint8_t *data, unsigned int *len);
enum otg_answer host_out(unsigned int n, const uint8_t *data, unsigned int len);
/* A whole transfer: until a short packet, or @room bytes. */
enum otg_answer host_read(unsigned int n, uint8_t *data, uint32_t room, uint32_t *len);
/* In packets of the full size and the rest; @zlp as in dcd.h. */
enum otg_answer host_write(unsigned int n, const uint8_t *data, uint32_t len, bool zlp);
/* @data both ways; what has come is in @got. */
enum otg_answer host_control(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			     uint16_t length, uint8_t *data, uint32_t *got);
/* SETUP alone */
enum otg_answer host_setup(uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			   uint16_t length);
void host_reset(bool high_speed);
/* Power on and the driver set up and connected; whatever core is linked with it. */
void host_plug(bool high_speed);

#endif /* BOARD_OTG_HOST_H */
