// SPDX-License-Identifier: GPL-2.0
/*
 * The rule of the windows, and that the firmware's own settings keep it.
 */
#include "config.h"
#include "net/net.h"
#include "tests/unit.h"

static const struct net_settings good = {
	.mss = 1460,
	.tx_win = 4,
	.tx_buf = 4 * 1460,
	.rx_win = 6,
	.rx_buf = 6 * 1460,
	.rx_memory = 6 * 1460 + 2 * 8192,
	.rx_transfer = 8192,
};

static bool refused(const struct net_settings *settings, const char *about)
{
	const char *wrong = net_settings_wrong(settings);

	return wrong && strstr(wrong, about);
}

static void exactly_enough(void)
{
	check(!net_settings_wrong(&good));
	check(!net_settings_wrong(&net_settings));
}

static void a_byte_less(void)
{
	struct net_settings s;

	s = good;
	s.tx_buf--;
	check(refused(&s, "TX_BUF is smaller"));
	s = good;
	s.rx_buf--;
	check(refused(&s, "RX_BUF is smaller"));
	s = good;
	s.rx_memory--;
	check(refused(&s, "receive memory"));
}

static void a_segment_more(void)
{
	struct net_settings s;

	s = good;
	s.tx_win++;
	check(refused(&s, "TX_BUF is smaller"));
	s = good;
	s.rx_win++;
	check(refused(&s, "RX_BUF is smaller"));
	s = good;
	s.mss++;
	check(refused(&s, "TX_BUF is smaller"));
}

static void beyond_what_tcp_can_say(void)
{
	struct net_settings s;

	s = good;
	s.rx_win = 45;
	s.rx_buf = 100000;
	s.rx_memory = 200000;
	check(refused(&s, "65535"));
	s = good;
	s.tx_buf = 0x10000;
	check(refused(&s, "65535"));
	s = good;
	s.rx_win = 0;
	check(refused(&s, "least"));
	s = good;
	s.mss = 535;
	check(refused(&s, "least"));
}

int main(void)
{
	UNIT_PLAN(4);
	UNIT_RUN(exactly_enough);
	UNIT_RUN(a_byte_less);
	UNIT_RUN(a_segment_more);
	UNIT_RUN(beyond_what_tcp_can_say);
	return UNIT_DONE();
}
