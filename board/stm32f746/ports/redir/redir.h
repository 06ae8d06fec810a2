/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device controller (usb/dcd.h) whose bus is the usbredir protocol: what both ports
 * that speak it share.  The messages are read and written by the port, with
 * whatever parser it has.
 */
#ifndef BOARD_REDIR_H
#define BOARD_REDIR_H

#include "usb/dcd.h"

/* As on the wire */
enum redir_status {
	REDIR_SUCCESS,
	REDIR_CANCELLED,
	REDIR_INVALID,
	REDIR_IO_ERROR,
	REDIR_STALL,
};

/* The message by which the host asked, and that by which it is answered */
enum redir_kind {
	REDIR_CONTROL,			/* control_packet; likewise */
	REDIR_DATA,			/* bulk_packet or interrupt_packet; likewise */
	REDIR_CONFIGURATION,		/* set_ or get_configuration; configuration_status */
	REDIR_ALT_SETTING,		/* set_ or get_alt_setting; alt_setting_status */
};

/**
 * struct redir_packet - something that the host waits for
 * @next: in the queue that it is in
 * @id: the message's
 * @kind: what it is; the port fills in kinds CONTROL and DATA, the rest is filled in here
 * @endpoint: its address; of kind DATA
 * @setup: of all other kinds, as USB has it; for the answer as well
 * @len: bytes at @data; of what comes from the device, bytes that the host has room for
 * @data: from the host; NULL when there is none
 * @done: bytes of @data that the device has taken
 *
 * The port's memory, with redir.c from the call until redir_port_done().
 */
struct redir_packet {
	struct redir_packet *next;
	uint64_t id;
	enum redir_kind kind;
	uint8_t endpoint;
	uint8_t setup[8];
	uint32_t len;
	const uint8_t *data;
	uint32_t done;
};

/* Payload of interface_info and of ep_info, as on the wire of a little-endian machine. */
struct redir_interfaces {
	uint32_t count;
	uint8_t number[32];
	uint8_t class[32];
	uint8_t subclass[32];
	uint8_t protocol[32];
};

/* Index: the endpoint's number, and 16 more for IN */
struct redir_endpoints {
	uint8_t type[32];
	uint8_t interval[32];
	uint8_t interface[32];
	uint16_t maxpacket[32];
	uint32_t streams[32];
};

/* Payload of device_connect */
struct redir_device {
	uint8_t speed;
	uint8_t class;
	uint8_t subclass;
	uint8_t protocol;
	uint16_t vendor;
	uint16_t product;
	uint16_t version;
};

/* -- called by the port, out of redir_port_pump() alone ----------------------------- */

/* The peer has said hello; and: there is no peer any more. */
void redir_peer(void);
void redir_peer_lost(void);

/* The host's messages of that name. */
void redir_reset(void);
void redir_submit(struct redir_packet *packet);

/*
 * Where to write @len bytes of data for an endpoint, in place of memory of the port's, so that
 * they need not be copied; NULL: it does not wait for as many just now.  A packet whose
 * data are there is the next to be submitted.
 */
void *redir_room(uint8_t endpoint, uint32_t len);

void redir_set_configuration(struct redir_packet *packet, uint8_t configuration);
void redir_get_configuration(struct redir_packet *packet);
void redir_set_alt_setting(struct redir_packet *packet, uint8_t interface, uint8_t alt);
void redir_get_alt_setting(struct redir_packet *packet, uint8_t interface);
enum redir_status redir_start_interrupt(uint8_t endpoint);
enum redir_status redir_stop_interrupt(uint8_t endpoint);
void redir_cancel(uint64_t id);

/* -- the port's ------------------------------------------------------------------------ */

void redir_port_init(void);

/* Reads and writes what can be; return: whether a message has come. */
bool redir_port_pump(void);

/* Messages of that name. */
void redir_port_connect(const struct redir_device *device);
void redir_port_disconnect(void);
void redir_port_describe(const struct redir_interfaces *interfaces,
			 const struct redir_endpoints *endpoints);

/*
 * Answers a packet, and takes it back.  The pieces are what the device sends, n
 * may be 0; they go into the message before the return.  The length to be told of data
 * from the host is @packet->done.
 */
void redir_port_done(struct redir_packet *packet, enum redir_status status,
		     const struct dcd_piece *pieces, unsigned int n);

/* interrupt_packet from the device; id: counts from 0. */
void redir_port_interrupt(uint64_t id, uint8_t endpoint, const struct dcd_piece *pieces,
			  unsigned int n);

#endif /* BOARD_REDIR_H */
