/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What usbredir's messages look like, version 0.7 of the protocol.
 */
#ifndef BOARD_WIRE_H
#define BOARD_WIRE_H

#include <stdint.h>

/* Messages: only those that are sent, or looked at when they come */
enum {
	WIRE_HELLO,
	WIRE_DEVICE_CONNECT,
	WIRE_DEVICE_DISCONNECT,
	WIRE_RESET,
	WIRE_INTERFACE_INFO,
	WIRE_EP_INFO,
	WIRE_SET_CONFIGURATION,
	WIRE_GET_CONFIGURATION,
	WIRE_CONFIGURATION_STATUS,
	WIRE_SET_ALT_SETTING,
	WIRE_GET_ALT_SETTING,
	WIRE_ALT_SETTING_STATUS,
	WIRE_START_INTERRUPT = 15,
	WIRE_STOP_INTERRUPT,
	WIRE_INTERRUPT_STATUS,
	WIRE_CANCEL = 21,
	WIRE_CONTROL = 100,
	WIRE_BULK,
	WIRE_INTERRUPT = 103,
};

/* Bits of the hello's capabilities */
enum {
	WIRE_CAP_DEVICE_VERSION = 1 << 1,
	WIRE_CAP_DISCONNECT_ACK = 1 << 3,
	WIRE_CAP_MAX_PACKET = 1 << 4,
	WIRE_CAP_ID_64 = 1 << 5,
	WIRE_CAP_BULK_LENGTH_32 = 1 << 6,
};

#define WIRE_VERSION		64	/* bytes of a hello before its capabilities */
#define WIRE_HEADER		12	/* and 4 with ids of 64 bits */
#define WIRE_CONTROL_HEADER	10
#define WIRE_BULK_HEADER	8	/* and 2 with lengths of 32 bits */
#define WIRE_INTERRUPT_HEADER	4

static inline uint16_t wire_get16(const uint8_t *at)
{
	return at[0] | at[1] << 8;
}

static inline uint32_t wire_get32(const uint8_t *at)
{
	return wire_get16(at) | (uint32_t)wire_get16(at + 2) << 16;
}

static inline uint8_t *wire_put16(uint8_t *to, uint16_t value)
{
	to[0] = value;
	to[1] = value >> 8;
	return to + 2;
}

static inline uint8_t *wire_put32(uint8_t *to, uint32_t value)
{
	return wire_put16(wire_put16(to, value), value >> 16);
}

#endif /* BOARD_WIRE_H */
