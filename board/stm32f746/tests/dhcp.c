// SPDX-License-Identifier: GPL-2.0
/*
 * DHCP: what is answered to what, and to what nothing.
 */
#include "config.h"
#include "services/dhcp.h"
#include "tests/unit.h"

#define ROUNDS 300000

static const uint8_t lease[] = { BOARD_HOST_IP }, server[] = { BOARD_IP };
static uint8_t message[DHCP_MESSAGE_MAX], answer[DHCP_ANSWER], to[4];
static uint32_t len;

static void begin(uint8_t type)
{
	static const uint8_t cookie[] = { 99, 130, 83, 99 };

	memset(message, 0, sizeof(message));
	message[0] = message[1] = 1;
	message[2] = 6;
	memcpy(message + 4, "\1\2\3\4", 4);
	memcpy(message + 28, "\2\0\0\0\0\1", 6);
	memcpy(message + 236, cookie, 4);
	message[240] = 53;
	message[241] = 1;
	message[242] = type;
	len = 243;
}

static void option(uint8_t code, const void *value, uint8_t size)
{
	message[len] = code;
	message[len + 1] = size;
	memcpy(message + len + 2, value, size);
	len += 2 + size;
}

/* The type of the answer; 0 when there is none. */
static uint8_t ask(void)
{
	uint8_t *copy;
	bool any;

	message[len] = 255;
	copy = malloc(len + 1);
	memcpy(copy, message, len + 1);
	any = dhcp_answer(copy, len + 1, answer, to);
	free(copy);
	if (!any)
		return 0;
	check_equal(answer[0], 2);
	check(!memcmp(answer + 4, message + 4, 4) &&
	      !memcmp(answer + 28, message + 28, 6));
	check_equal(answer[240], 53);
	return answer[242];
}

/* An option of the answer */
static const uint8_t *said(uint8_t code)
{
	uint32_t at;

	for (at = 240; answer[at] != 255; at += 2 + answer[at + 1])
		if (answer[at] == code)
			return answer + at + 2;
	return NULL;
}

static void discover_and_request(void)
{
	begin(1);
	check_equal(ask(), 2);
	check(!memcmp(answer + 16, lease, 4) && !memcmp(said(54), server, 4));
	check(!memcmp(to, "\xff\xff\xff\xff", 4));
	begin(3);
	option(50, lease, 4);
	option(54, server, 4);
	check_equal(ask(), 5);
	check(!memcmp(answer + 16, lease, 4) && said(51) && said(1));
	/* The host keeps its own. */
	check(!said(3) && !said(6));
}

static void renewal_goes_to_the_host(void)
{
	begin(3);
	memcpy(message + 12, lease, 4);
	check_equal(ask(), 5);
	check(!memcmp(to, lease, 4));
}

static void other_addresses_are_refused(void)
{
	begin(3);
	option(50, "\xc0\xa8\1\1", 4);
	check_equal(ask(), 6);
	check(!answer[16] && !said(51));
	begin(3);
	memcpy(message + 12, "\xc0\xa8\1\1", 4);
	check_equal(ask(), 6);
	check(!memcmp(to, "\xff\xff\xff\xff", 4));
}

static void not_for_this_server(void)
{
	begin(3);
	option(50, lease, 4);
	option(54, "\x0a\0\0\1", 4);
	check_equal(ask(), 0);
	begin(3);
	check_equal(ask(), 0);
	begin(1);
	message[24] = 10;
	check_equal(ask(), 0);
}

static void inform_and_release(void)
{
	begin(8);
	check_equal(ask(), 0);
	begin(8);
	memcpy(message + 12, lease, 4);
	check_equal(ask(), 5);
	check(!answer[16] && !said(51) && !memcmp(to, lease, 4));
	begin(7);
	memcpy(message + 12, lease, 4);
	check_equal(ask(), 0);
	begin(4);
	check_equal(ask(), 0);
}

static void no_dhcp_at_all(void)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		begin(1);
		message[i]++;
		check_equal(ask(), 0);
	}
	begin(1);
	message[236]++;
	check_equal(ask(), 0);
	begin(1);
	message[241] = 2;
	len++;
	check_equal(ask(), 0);
	begin(1);
	for (i = 0; i < 243; i++)
		check(!dhcp_answer(message, i, answer, to));
}

static void options_of_all_kinds(void)
{
	unsigned int i, j, answers = 0;

	for (i = 0; i < ROUNDS; i++) {
		begin(1 + unit_random() % 9);
		for (j = unit_random() % 8; j; j--)
			option(unit_random() & 3 ? 50 + unit_random() % 5 :
						   unit_random(),
			       lease, unit_random() % 5);
		for (j = unit_random() % 3; j; j--)
			message[240 + unit_random() % 40] = unit_random();
		len = 240 + unit_random() % 60;
		answers += !!ask();
	}
	check(answers > 1000);
}

int main(void)
{
	UNIT_PLAN(7);
	UNIT_RUN(discover_and_request);
	UNIT_RUN(renewal_goes_to_the_host);
	UNIT_RUN(other_addresses_are_refused);
	UNIT_RUN(not_for_this_server);
	UNIT_RUN(inform_and_release);
	UNIT_RUN(no_dhcp_at_all);
	UNIT_RUN(options_of_all_kinds);
	return UNIT_DONE();
}
