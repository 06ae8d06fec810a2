/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stand-in for the device core that does just enough to test the OTG driver.  It has a
 * bulk endpoint each way and an interrupt endpoint, and these requests of its own
 * (bmRequestType 0x40 or 0xc0):
 *
 *	1	to the host: wValue bytes of pattern, or wLength if that is less
 *	2	from the host: wLength bytes, kept in rig.control
 *	3	stalled
 */
#ifndef BOARD_OTG_RIG_H
#define BOARD_OTG_RIG_H

#include "otg_host.h"
#include "usb/dcd.h"

#define RIG_IN		1
#define RIG_OUT		2
#define RIG_NOTIFY	HOST_SMALL

#define RIG_SEND	1
#define RIG_RECEIVE	2
#define RIG_REFUSE	3

/* Bytes that no two transfers have alike */
uint8_t rig_pattern(uint32_t seed, uint32_t at);

/**
 * struct rig - the device's side
 * @resets, @disconnects, @suspends, @resumes, @setups: how often
 * @speed: of the last reset
 * @sent: how often, by endpoint
 * @received: likewise
 * @received_len: of the last one
 * @control: what request 2 has brought
 * @control_len: how much of it
 * @control_done: status stages, of either direction
 * @last_setup: as it came
 * @in_setup: called at the beginning of usbd_setup(), then cleared
 * @pieces: request 1 is cut into pieces of so many bytes; 0: one piece
 */
struct rig {
	unsigned int resets, disconnects, suspends, resumes, setups;
	enum usb_speed speed;
	unsigned int sent[DCD_ENDPOINTS];
	unsigned int received[DCD_ENDPOINTS];
	uint32_t received_len[DCD_ENDPOINTS];
	uint8_t control[65536] __attribute__((aligned(4)));
	uint32_t control_len;
	unsigned int control_done;
	uint8_t last_setup[8];
	void (*in_setup)(void);
	unsigned int pieces;
};

extern struct rig rig;
extern uint16_t rig_maxpacket;

/* Power on, the driver set up, connected, enumerated and configured. */
void rig_start(bool high_speed);
/* The same up to the pull-up. */
void rig_plug(bool high_speed);
/* The host's part: address and configuration, as Linux does it. */
void rig_enumerate(bool high_speed);
void rig_open(void);

#endif /* BOARD_OTG_RIG_H */
