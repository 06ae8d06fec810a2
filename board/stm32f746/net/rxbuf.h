/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receive memory: blocks with counts of their users.  A transfer gets a run of
 * blocks; its frames hold those that they lie in, and the rest is free again.  One
 * more transfer has room of its own, for when no run of blocks is free.
 */
#ifndef BOARD_RXBUF_H
#define BOARD_RXBUF_H

#include <stdbool.h>
#include <stdint.h>

/* Memory for a transfer of BOARD_RX_TRANSFER bytes; NULL when there is none. */
uint8_t *rxbuf_get(void);
/* Memory for one that is never lent: whoever is given what came in it copies, or forgets. */
uint8_t *rxbuf_reserve(void);
/* It has become one of len bytes: what is behind them is free. */
void rxbuf_trim(const uint8_t *transfer, uint32_t len);

/* Somebody uses these bytes, and uses them no more, the transfer's owner included. */
void rxbuf_hold(const void *data, uint32_t len);
void rxbuf_drop(const void *data, uint32_t len);

/* Whether this is receive memory */
bool rxbuf_is(const void *data);

/* How many more transfers had room when the last one got its memory */
unsigned int rxbuf_runs(void);
/* Free blocks: now, and at the worst moment so far */
unsigned int rxbuf_free(void);
unsigned int rxbuf_free_min(void);

#endif /* BOARD_RXBUF_H */
