/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The RNDIS function: commands and answers (control.c), what is agreed on
 * (offload.c), and frames in transfers (message.c).
 */
#ifndef BOARD_RNDIS_H
#define BOARD_RNDIS_H

#include <stdbool.h>
#include <stdint.h>

/* What of checksums is left to the other side */
#define RNDIS_CSUM_TCP4 1u
#define RNDIS_CSUM_UDP4 2u

/**
 * struct rndis - what the two ends have agreed on
 * @initialized: the host has begun
 * @filter: the host's packet filter; frames go while it is not 0
 * @tx_max: the host's longest transfer, bytes
 * @to_device: RNDIS_CSUM_*: what the host may leave out
 * @to_host: likewise, the device
 */
struct rndis {
	bool initialized;
	uint32_t filter;
	uint32_t tx_max;
	uint32_t to_device;
	uint32_t to_host;
};

extern struct rndis rndis;

/* Frames may be sent and received. */
static inline bool rndis_up(void)
{
	return rndis.initialized && rndis.filter;
}

/* -- control.c ----------------------------------------------------------------------- */

/* Nothing is agreed on, no answer waits. */
void rndis_reset(void);
bool rndis_command(const uint8_t *message, uint32_t len);
/* Return: the answer's length; a single zero when there is none. */
uint32_t rndis_response(uint8_t *data, uint32_t size);
/* Whether the host has to be told of an answer; asking takes it for told. */
bool rndis_notice(void);

/* Of net's: the link goes up or down, or offload changes. */
void rndis_changed(void);
/* Of net's: a value of a statistics object */
uint32_t rndis_statistic(uint32_t oid);

/* -- offload.c ----------------------------------------------------------------------- */

#define RNDIS_OFFLOAD_SIZE 156

/* The answer about what can be done, or what is on. */
void rndis_offload_fill(uint8_t data[RNDIS_OFFLOAD_SIZE], uint32_t to_device,
			uint32_t to_host);
/* The host turns things on.  Return: false, and nothing has changed, for nonsense. */
bool rndis_offload_set(const uint8_t *data, uint32_t len, uint32_t *to_device,
		       uint32_t *to_host);

/* -- message.c ------------------------------------------------------------------------ */

/**
 * struct rndis_frame - a frame in a transfer
 * @data: where it lies
 * @len: bytes
 * @csum_left: the host has not made its checksum
 */
struct rndis_frame {
	uint8_t *data;
	uint32_t len;
	bool csum_left;
};

enum rndis_next { RNDIS_END, RNDIS_FRAME, RNDIS_MALFORMED };

/* The message at *at of a transfer of len bytes; *at goes to the next one. */
enum rndis_next rndis_next(uint8_t *data, uint32_t len, uint32_t *at,
			   struct rndis_frame *frame);

/* What stands before a frame: padding of the message before it included. */
#define RNDIS_LEAD_MAX (3 + 44 + 16 + 4)
#define RNDIS_LEAD(csum_left) ((csum_left) ? 44u + 16u : 44u)

/**
 * rndis_header - write what stands before a frame to the host
 * @at: of @lead bytes
 * @lead: RNDIS_LEAD(), and maybe more
 * @len: the frame's bytes
 * @pad: bytes behind it that belong to the message
 * @csum_left: the checksum is left to the host
 */
void rndis_header(uint8_t *at, uint32_t lead, uint32_t len, uint32_t pad,
		  bool csum_left);

#endif /* BOARD_RNDIS_H */
