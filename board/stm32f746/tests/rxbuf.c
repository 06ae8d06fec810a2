// SPDX-License-Identifier: GPL-2.0
/*
 * Receive memory: runs of blocks for transfers, and the blocks that frames hold.
 */
#include "config.h"
#include "net/rxbuf.h"
#include "tests/unit.h"

#define ALL (BOARD_RX_BLOCKS / BOARD_RX_RUN)

static void runs_until_there_are_none(void)
{
	uint8_t *run[ALL];
	unsigned int i;

	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
	for (i = 0; i < ALL; i++) {
		run[i] = rxbuf_get();
		check(run[i] && (uintptr_t)run[i] % 4 == 0);
		check_equal(rxbuf_runs(), ALL - 1 - i);
		memset(run[i], i, BOARD_RX_TRANSFER);
	}
	check(!rxbuf_get());
	check_equal(rxbuf_free(), 0);
	check_equal(rxbuf_free_min(), 0);
	for (i = 0; i < ALL; i++)
		rxbuf_drop(run[i], BOARD_RX_TRANSFER);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
	check_equal(rxbuf_free_min(), 0);
}

static void a_short_transfer_is_trimmed(void)
{
	uint8_t *first = rxbuf_get(), *second;

	rxbuf_trim(first, 44 + 1514);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS - 1);
	rxbuf_hold(first + 44, 1514);
	rxbuf_drop(first, 44 + 1514);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS - 1);
	/* The next one begins right behind what is held. */
	second = rxbuf_get();
	check(second == first + BOARD_RX_BLOCK);
	rxbuf_trim(second, 0);
	rxbuf_drop(first + 44, 1514);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
}

static void a_frame_over_two_blocks_holds_both(void)
{
	uint8_t *run = rxbuf_get();

	rxbuf_hold(run + BOARD_RX_BLOCK - 1, 2);
	rxbuf_hold(run, BOARD_RX_BLOCK);
	rxbuf_drop(run, BOARD_RX_TRANSFER);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS - 2);
	rxbuf_drop(run + BOARD_RX_BLOCK - 1, 2);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS - 1);
	rxbuf_drop(run, BOARD_RX_BLOCK);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
	/* Nothing holds nothing. */
	rxbuf_hold(run, 0);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
}

static void holes_are_no_runs(void)
{
	uint8_t *run[ALL];
	unsigned int i;

	for (i = 0; i < ALL; i++)
		run[i] = rxbuf_get();
	for (i = 0; i < ALL; i++) {
		rxbuf_hold(run[i], 1);
		rxbuf_drop(run[i], BOARD_RX_TRANSFER);
	}
	/* Three of four are free everywhere. */
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS - ALL);
	check(!rxbuf_get());
	rxbuf_drop(run[3], 1);
	check(rxbuf_get() == run[3] - 3 * BOARD_RX_BLOCK);
	rxbuf_drop(run[3] - 3 * BOARD_RX_BLOCK, BOARD_RX_TRANSFER);
	for (i = 0; i < ALL; i++)
		if (i != 3)
			rxbuf_drop(run[i], 1);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
}

static void what_is_receive_memory(void)
{
	uint8_t *run = rxbuf_get(), other;

	check(rxbuf_is(run) &&
	      rxbuf_is(run + BOARD_RX_BLOCKS * BOARD_RX_BLOCK - 1));
	check(!rxbuf_is(run - 1) &&
	      !rxbuf_is(run + BOARD_RX_BLOCKS * BOARD_RX_BLOCK));
	check(!rxbuf_is(&other) && !rxbuf_is(NULL));
	rxbuf_drop(run, BOARD_RX_TRANSFER);
}

/* Room for a transfer when there is none, which is nobody's to keep. */
static void the_reserve_is_beside_them(void)
{
	uint8_t *run[ALL], *reserve = rxbuf_reserve();
	unsigned int i;

	for (i = 0; i < ALL; i++) {
		run[i] = rxbuf_get();
		memset(run[i], 1, BOARD_RX_TRANSFER);
	}
	check(!rxbuf_get());
	check(rxbuf_reserve() == reserve && (uintptr_t)reserve % 4 == 0);
	memset(reserve, 2, BOARD_RX_TRANSFER);
	check(!rxbuf_is(reserve) && !rxbuf_is(reserve + BOARD_RX_TRANSFER - 1));
	for (i = 0; i < ALL; i++) {
		check(run[i][0] == 1 && run[i][BOARD_RX_TRANSFER - 1] == 1);
		rxbuf_drop(run[i], BOARD_RX_TRANSFER);
	}
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
}

/* Against the simplest book-keeping there is. */
static void any_order(void)
{
	static struct {
		const uint8_t *data;
		uint32_t len;
	} held[64];
	unsigned int i, j, n = 0;

	for (i = 0; i < 200000; i++) {
		uint8_t used[BOARD_RX_BLOCKS] = { 0 };
		uint8_t *base = NULL, *run;
		unsigned int free = 0;

		while (n == 64 || (n && unit_random() & 1)) {
			j = unit_random() % n;
			rxbuf_drop(held[j].data, held[j].len);
			held[j] = held[--n];
		}
		run = rxbuf_get();
		if (!run)
			continue;
		for (j = unit_random() % 5; j && n < 64; j--) {
			held[n].len = 1 + unit_random() % 1600;
			held[n].data =
				run + unit_random() %
					      (BOARD_RX_TRANSFER - held[n].len);
			rxbuf_hold(held[n].data, held[n].len);
			n++;
		}
		rxbuf_drop(run, BOARD_RX_TRANSFER);
		for (base = run; rxbuf_is(base - BOARD_RX_BLOCK);
		     base -= BOARD_RX_BLOCK)
			;
		for (j = 0; j < n; j++) {
			used[(held[j].data - base) / BOARD_RX_BLOCK] = 1;
			used[(held[j].data + held[j].len - 1 - base) /
			     BOARD_RX_BLOCK] = 1;
		}
		for (j = 0; j < BOARD_RX_BLOCKS; j++)
			free += !used[j];
		if (free != rxbuf_free())
			break;
	}
	check_equal(i, 200000);
	while (n--)
		rxbuf_drop(held[n].data, held[n].len);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
}

int main(void)
{
	UNIT_PLAN(7);
	UNIT_RUN(runs_until_there_are_none);
	UNIT_RUN(a_short_transfer_is_trimmed);
	UNIT_RUN(a_frame_over_two_blocks_holds_both);
	UNIT_RUN(holes_are_no_runs);
	UNIT_RUN(what_is_receive_memory);
	UNIT_RUN(the_reserve_is_beside_them);
	UNIT_RUN(any_order);
	return UNIT_DONE();
}
