/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RNDIS messages, and such as are nearly that: what usb_device and usb_abuse send.
 * These two have nothing else of the helpers, which want sockloan.ko.
 */
#ifndef SL_HOSTILE_H
#define SL_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_RNDIS_PACKET 1
#define SL_RNDIS_INIT 2
#define SL_RNDIS_HALT 3
#define SL_RNDIS_QUERY 4
#define SL_RNDIS_SET 5
#define SL_RNDIS_RESET 6
#define SL_RNDIS_INDICATE 7
#define SL_RNDIS_KEEPALIVE 8
#define SL_RNDIS_DONE 0x80000000 /* an answer's type */

#define SL_OID_PHYSICAL_MEDIUM 0x00010202
#define SL_OID_FILTER 0x0001010e
#define SL_OID_ADDRESS 0x01010101
#define SL_OID_CAPABILITIES 0xfc01020d
#define SL_OID_PARAMETERS 0xfc01020c

#define SL_PACKET_HEADER 44
#define SL_TRANSFER_MAX 70656 /* what the drivers announce */
#define SL_CONTROL_MAX 1025

/* SEND_ENCAPSULATED_COMMAND and GET_ENCAPSULATED_RESPONSE */
#define SL_SEND_COMMAND 0
#define SL_GET_RESPONSE 1

/* 10.9.0.1 is the kernel's; the peer answers ARP for all others */
#define SL_KERNEL 0x0a090001
#define SL_PEER 0x0a090002

/* What is wrong with a transfer */
enum sl_wrong {
	SL_WRONG_SHORT,
	SL_WRONG_LENGTH,
	SL_WRONG_OFFSET,
	SL_WRONG_INFO,
	SL_WRONG_LARGE,
	SL_WRONG_RANDOM,
	SL_WRONG_MANY,
	SL_WRONG_LONG,
	SL_WRONG_ZERO,
	SL_WRONG_CHAIN,
	SL_WRONG_KINDS
};

struct sl_hostile {
	uint64_t state; /* what numbers come from, not 0 */
	bool to_host; /* decides about the form of information */
	uint8_t kernel[6], peer[6]; /* Ethernet addresses */
	unsigned long messages; /* made so far */
};

int sl_wrong(const char *name);
const char *sl_wrong_name(int wrong);
uint32_t sl_any(struct sl_hostile *h);
uint32_t sl_below(struct sl_hostile *h, uint32_t n);
uint32_t sl_odd(struct sl_hostile *h, uint32_t right);
uint32_t sl_get32(const void *at);
void sl_put32(void *at, uint32_t value);
size_t sl_good(uint8_t *to, const void *frame, size_t len);
size_t sl_payload(const uint8_t *transfer, size_t len, size_t *at,
		  const uint8_t **frame);
size_t sl_arp_request(const struct sl_hostile *h, uint8_t *frame);
bool sl_arp_answered(const uint8_t *frame, size_t len);
size_t sl_answer(const struct sl_hostile *h, const uint8_t *frame, size_t len,
		 uint8_t *to);
size_t sl_hostile_transfer(struct sl_hostile *h, enum sl_wrong wrong,
			   uint8_t *to);
void sl_capabilities(void *to);

#endif /* SL_HOSTILE_H */
