// SPDX-License-Identifier: GPL-2.0
/*
 * The checksum against one that adds byte by byte.
 */
#include "net/chksum.h"
#include "unit.h"

static uint8_t data[4096] __attribute__((aligned(4)));

/* As in memory of a little-endian machine */
static uint16_t plain(const uint8_t *at, int len)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? at[i] << 8 : at[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void compare(int from, int len)
{
	check_equal(chksum(data + from, len), plain(data + from, len));
}

static void all_short_ones(void)
{
	int from, len;

	for (from = 0; from < 8; from++)
		for (len = 0; len < 300; len++)
			compare(from, len);
}

static void long_ones(void)
{
	int i;

	for (i = 0; i < 10000; i++)
		compare(unit_random() % 1000, unit_random() % 3000);
}

/* All carries there can be */
static void nothing_but_ones(void)
{
	memset(data, 0xff, sizeof(data));
	all_short_ones();
	compare(0, 4096);
	compare(2, 4090);
	memset(data, 0, sizeof(data));
	compare(0, 1460);
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = unit_random();
	UNIT_PLAN(3);
	UNIT_RUN(all_short_ones);
	UNIT_RUN(long_ones);
	UNIT_RUN(nothing_but_ones);
	return UNIT_DONE();
}
