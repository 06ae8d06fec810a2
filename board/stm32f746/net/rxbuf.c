// SPDX-License-Identifier: GPL-2.0
/*
 * Receive memory.
 */
#include <stddef.h>

#include "config.h"
#include "rxbuf.h"

_Static_assert(BOARD_RX_BLOCKS <= 64 && BOARD_RX_BLOCKS >= 2 * BOARD_RX_RUN,
	       "blocks in a bitmap");
_Static_assert(BOARD_RX_RUN == 4, "starts() knows");

#define ALL \
	(BOARD_RX_BLOCKS == 64 ? ~0ull : (1ull << (BOARD_RX_BLOCKS % 64)) - 1)

static _Alignas(32) uint8_t memory[BOARD_RX_BLOCKS][BOARD_RX_BLOCK];
static _Alignas(32) uint8_t reserve[BOARD_RX_TRANSFER];

/**
 * struct rxbuf - the state of all blocks
 * @used: by block: one for each frame in it, and one for the transfer
 * @taken: bit n: @used[n] is not 0
 * @most: blocks that were taken at the worst moment
 * @runs: transfers that had room when the last one got its blocks
 */
static struct rxbuf {
	uint8_t used[BOARD_RX_BLOCKS];
	uint64_t taken;
	unsigned int most;
	unsigned int runs;
} rxbuf;

static unsigned int index_of(const void *data)
{
	return ((const uint8_t *)data - memory[0]) / BOARD_RX_BLOCK;
}

/* Where runs of four free blocks begin, bit by bit */
static uint64_t starts(uint64_t taken)
{
	uint64_t free = ~taken & ALL;

	free &= free >> 1;
	return free & (free >> 2);
}

static void hold(unsigned int block)
{
	rxbuf.used[block]++;
	rxbuf.taken |= 1ull << block;
}

static void drop(unsigned int block)
{
	if (!--rxbuf.used[block])
		rxbuf.taken &= ~(1ull << block);
}

static unsigned int count_runs(void)
{
	uint64_t taken = rxbuf.taken, at;
	unsigned int n = 0;

	while ((at = starts(taken))) {
		taken |= ((1ull << BOARD_RX_RUN) - 1) << __builtin_ctzll(at);
		n++;
	}
	return n;
}

uint8_t *rxbuf_get(void)
{
	uint64_t at = starts(rxbuf.taken);
	unsigned int first, i, now;

	rxbuf.runs = 0;
	if (!at)
		return NULL;
	/* The lowest one, so that free blocks stay together. */
	first = __builtin_ctzll(at);
	for (i = 0; i < BOARD_RX_RUN; i++)
		hold(first + i);
	now = BOARD_RX_BLOCKS - rxbuf_free();
	if (now > rxbuf.most)
		rxbuf.most = now;
	rxbuf.runs = count_runs();
	return memory[first];
}

uint8_t *rxbuf_reserve(void)
{
	return reserve;
}

void rxbuf_trim(const uint8_t *transfer, uint32_t len)
{
	unsigned int first = index_of(transfer), i;

	for (i = (len + BOARD_RX_BLOCK - 1) / BOARD_RX_BLOCK; i < BOARD_RX_RUN;
	     i++)
		drop(first + i);
}

void rxbuf_hold(const void *data, uint32_t len)
{
	unsigned int i = index_of(data), last;

	if (!len)
		return;
	last = index_of((const uint8_t *)data + len - 1);
	for (; i <= last; i++)
		hold(i);
}

void rxbuf_drop(const void *data, uint32_t len)
{
	unsigned int i = index_of(data), last;

	if (!len)
		return;
	last = index_of((const uint8_t *)data + len - 1);
	for (; i <= last; i++)
		drop(i);
}

bool rxbuf_is(const void *data)
{
	return (uintptr_t)data - (uintptr_t)memory < sizeof(memory);
}

unsigned int rxbuf_runs(void)
{
	return rxbuf.runs;
}

unsigned int rxbuf_free(void)
{
	return BOARD_RX_BLOCKS - __builtin_popcountll(rxbuf.taken);
}

unsigned int rxbuf_free_min(void)
{
	return BOARD_RX_BLOCKS - rxbuf.most;
}
