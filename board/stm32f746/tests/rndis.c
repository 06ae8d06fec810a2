// SPDX-License-Identifier: GPL-2.0
/*
 * RNDIS: commands, what is agreed on, and frames in transfers; then all of that with
 * messages that are wrong in every way.  Each message lies in memory of exactly its
 * size, so that the sanitizers see what is read behind it.
 */
#include "config.h"
#include "rndis/proto.h"
#include "rndis/rndis.h"
#include "tests/unit.h"

#define ROUNDS 300000

static int changes;
static uint8_t answer[1024];

void rndis_changed(void)
{
	changes++;
}

uint32_t rndis_statistic(uint32_t oid)
{
	return oid;
}

static bool command(const void *message, uint32_t len)
{
	uint8_t *copy = malloc(len);
	bool good;

	memcpy(copy, message, len);
	good = rndis_command(copy, len);
	free(copy);
	return good;
}

static uint32_t word(unsigned int i)
{
	return get_le32(answer + 4 * i);
}

static bool initialize(uint32_t max)
{
	const uint32_t message[] = { RNDIS_INITIALIZE, 24, 1, 1, 0, max };

	return command(message, sizeof(message)) &&
	       rndis_response(answer, sizeof(answer)) == 52 &&
	       word(0) == 0x80000002 && word(2) == 1 &&
	       word(3) == RNDIS_SUCCESS;
}

/* Returns the length of the information, which is at answer + 24; -1 when there is none. */
static int query(uint32_t oid)
{
	const uint32_t message[] = { RNDIS_QUERY, 28, 7, oid, 0, 20, 0 };
	uint32_t len;

	if (!command(message, sizeof(message)))
		return -1;
	len = rndis_response(answer, sizeof(answer));
	check_equal(word(0), 0x80000004);
	check_equal(word(1), len);
	check_equal(word(2), 7);
	if (word(3))
		return -1;
	check_equal(word(5), 16);
	check_equal(len, 24 + word(4));
	return word(4);
}

static uint32_t set(uint32_t oid, const void *info, uint32_t len)
{
	uint32_t message[64] = { RNDIS_SET, 28 + len, 9, oid, len, 20, 0 };

	memcpy(message + 7, info, len);
	check(command(message, 28 + len));
	check_equal(rndis_response(answer, sizeof(answer)), 16);
	check_equal(word(0), 0x80000005);
	check_equal(word(2), 9);
	return word(3);
}

static uint32_t set_filter(uint32_t filter)
{
	return set(OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
}

static void linking_up(void)
{
	rndis_reset();
	check(!rndis_up());
	check(initialize(2048));
	check_equal(rndis.tx_max, 2048);
	check_equal(word(9), BOARD_RX_TRANSFER);
	check_equal(word(8), BOARD_RX_MESSAGES);
	check(!rndis_up());
	check_equal(set_filter(0x0d), RNDIS_SUCCESS);
	check(rndis_up());
	check(initialize(1 << 20));
	check_equal(rndis.tx_max, BOARD_TX_TRANSFER);
	check(!rndis_up());
	check(!initialize(1000));
	check(!rndis.initialized);
}

static void every_object_has_a_value(void)
{
	uint32_t oids[64];
	int len, i;

	rndis_reset();
	check(initialize(2048));
	len = query(OID_GEN_SUPPORTED_LIST);
	check(len >= 4 * 28 && len % 4 == 0);
	memcpy(oids, answer + 24, len);
	for (i = 0; i < len / 4; i++)
		if (oids[i] != OID_OFFLOAD_PARAMETERS)
			check(query(oids[i]) > 0);
	check_equal(query(OID_802_3_PERMANENT_ADDRESS), 6);
	check_equal(query(OID_GEN_XMIT_OK), 4);
	check_equal(word(6), OID_GEN_XMIT_OK);
	check_equal(query(0x12345678), -1);
}

static void answers_wait_in_order(void)
{
	const uint32_t keepalive[] = { RNDIS_KEEPALIVE, 12, 5 };
	unsigned int n, notices = 0;

	rndis_reset();
	check_equal(rndis_response(answer, sizeof(answer)), 1);
	check(!answer[0] && !rndis_notice());
	for (n = 0; command(keepalive, sizeof(keepalive)); n++)
		;
	/* Bounded, then refused */
	check(n > 8 && n < 1000);
	while (rndis_notice())
		notices++;
	check_equal(notices, n);
	while (n--)
		check_equal(rndis_response(answer, sizeof(answer)), 16);
	check_equal(rndis_response(answer, sizeof(answer)), 1);
	/* What the host has fetched without being told need not be told. */
	check(command(keepalive, sizeof(keepalive)));
	check_equal(rndis_response(answer, 4), 4);
	check(!rndis_notice());
}

static void halt_and_reset(void)
{
	const uint32_t halt[] = { RNDIS_HALT, 12, 1 },
		       reset[] = { RNDIS_RESET, 12, 0 };

	check(initialize(4096));
	check_equal(set_filter(1), RNDIS_SUCCESS);
	check(command(reset, sizeof(reset)));
	check_equal(rndis_response(answer, sizeof(answer)), 16);
	check_equal(word(0), 0x80000006);
	check(rndis_up());
	check(command(halt, sizeof(halt)));
	check_equal(rndis_response(answer, sizeof(answer)), 1);
	check(!rndis_up());
}

/* As kmod/usb/offload.c sends and reads it */
static void agreeing_on_checksums(void)
{
	uint8_t params[32] = { 0x80, 3, 32, 0 };

	check(initialize(8192));
	check_equal(query(OID_OFFLOAD_CAPABILITIES), 156);
	check_equal(word(6), 0xa7 | 3 << 8 | 156 << 16);
	check_equal(word(7), 2);
	check_equal(word(8), 0x55);
	check_equal(word(10), 0x15);
	check_equal(query(OID_OFFLOAD_CONFIG), 156);
	check(!word(8) && !word(10));
	params[5] = 4;
	params[6] = 2;
	check_equal(set(OID_OFFLOAD_PARAMETERS, params, 32), RNDIS_SUCCESS);
	check_equal(rndis.to_device, RNDIS_CSUM_TCP4 | RNDIS_CSUM_UDP4);
	check_equal(rndis.to_host, RNDIS_CSUM_TCP4);
	check_equal(query(OID_OFFLOAD_CONFIG), 156);
	check_equal(word(8), 0x55);
	/* Zero leaves it, one turns it off; the shortest form is enough. */
	params[2] = 20;
	params[5] = 0;
	params[6] = 1;
	check_equal(set(OID_OFFLOAD_PARAMETERS, params, 20), RNDIS_SUCCESS);
	check_equal(rndis.to_device, RNDIS_CSUM_TCP4);
	check_equal(rndis.to_host, RNDIS_CSUM_TCP4);
	check_equal(set(OID_OFFLOAD_PARAMETERS, params, 19),
		    RNDIS_INVALID_DATA);
	params[5] = 5;
	check_equal(set(OID_OFFLOAD_PARAMETERS, params, 20),
		    RNDIS_INVALID_DATA);
	params[5] = 0;
	params[2] = 21;
	check_equal(set(OID_OFFLOAD_PARAMETERS, params, 20),
		    RNDIS_INVALID_DATA);
	check_equal(rndis.to_device, RNDIS_CSUM_TCP4);
	/* Nothing is on after the link has been initialized anew. */
	check(initialize(8192));
	check(!rndis.to_device && !rndis.to_host);
}

static void wrong_sets(void)
{
	uint8_t list[12] = { 1 };

	check(initialize(2048));
	check_equal(set(OID_GEN_CURRENT_PACKET_FILTER, list, 3),
		    RNDIS_INVALID_DATA);
	check_equal(set(OID_802_3_MULTICAST_LIST, list, 12), RNDIS_SUCCESS);
	check_equal(set(OID_802_3_MULTICAST_LIST, list, 11),
		    RNDIS_INVALID_DATA);
	check_equal(set(OID_GEN_VENDOR_ID, list, 4), RNDIS_NOT_SUPPORTED);
	check(!rndis_up());
}

/* Of random words that are near what is right; answers stay messages whatever comes. */
static void commands_of_all_kinds(void)
{
	static const uint32_t likely[] = {
		0,  1,	4,   6,		 12,	     16,	 20,	     24,
		28, 32, 156, 0x7fffffff, 0xffffffff, 0xfffffff8, 0xffffffec,
	};
	static const uint32_t oids[] = {
		OID_GEN_SUPPORTED_LIST,	  OID_GEN_CURRENT_PACKET_FILTER,
		OID_OFFLOAD_PARAMETERS,	  OID_OFFLOAD_CAPABILITIES,
		OID_802_3_MULTICAST_LIST, OID_GEN_VENDOR_DESCRIPTION,
	};
	uint32_t message[64], i, j, len, size;

	for (i = 0; i < ROUNDS; i++) {
		size = unit_random() % 12 ? 12 + unit_random() % 200 :
					    unit_random() % 12;
		for (j = 0; j < 64; j++)
			message[j] = unit_random() & 1 ?
					     likely[unit_random() % 15] :
					     unit_random();
		message[0] = 1 + unit_random() % 9;
		if (unit_random() & 7)
			message[1] =
				size -
				(unit_random() & 3 ? 0 : unit_random() % 8);
		message[3] = oids[unit_random() % 6];
		command(message, size);
		if (unit_random() & 1)
			continue;
		len = rndis_response(answer, sizeof(answer));
		if (len != 1 &&
		    (len < 16 || word(1) != len || !(word(0) & RNDIS_COMPLETE)))
			break;
	}
	check_equal(i, ROUNDS);
	/* None of it has broken anything. */
	rndis_reset();
	check(initialize(2048));
}

/* -- frames ------------------------------------------------------------------------------- */

static uint8_t transfer[8192];
static uint32_t transfer_len;

static void add(uint32_t lead, uint32_t len, uint32_t pad, bool csum_left)
{
	uint8_t *at = transfer + transfer_len;

	rndis_header(at, lead, len, pad, csum_left);
	/* To the host the word has another meaning than from it. */
	if (csum_left)
		put_le32(at + 56, CSUM_TX_TCP);
	memset(at + lead, len & 0xff, len);
	memset(at + lead + len, 0, pad);
	transfer_len += lead + len + pad;
}

static void several_in_a_transfer(void)
{
	struct rndis_frame frame;
	uint32_t at = 0, len;

	rndis.to_device = RNDIS_CSUM_TCP4;
	transfer_len = 0;
	for (len = 14; len < 40; len++)
		add(len & 1 ? 44 : 60, len, -len & 3, !(len & 1));
	for (len = 14; len < 40; len++) {
		check_equal(rndis_next(transfer, transfer_len, &at, &frame),
			    RNDIS_FRAME);
		check(frame.len == len && frame.csum_left == !(len & 1));
		check(frame.data[0] == len && frame.data[len - 1] == len);
	}
	check_equal(rndis_next(transfer, transfer_len, &at, &frame), RNDIS_END);
	/* A byte for the end of the transfer */
	check_equal(rndis_next(transfer, transfer_len + 1, &at, &frame),
		    RNDIS_END);
}

static enum rndis_next with(unsigned int i, uint32_t value, bool csum_left)
{
	struct rndis_frame frame;
	uint32_t at = 0;

	transfer_len = 0;
	add(csum_left ? 60 : 44, 100, 0, csum_left);
	put_le32(transfer + 4 * i, value);
	return rndis_next(transfer, transfer_len, &at, &frame);
}

static void every_field_is_checked(void)
{
	rndis.to_device = RNDIS_CSUM_TCP4;
	check_equal(with(PACKET_HANDLE, 0, true), RNDIS_FRAME);
	check_equal(with(PACKET_TYPE, 2, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_LEN, 43, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_LEN, 145, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_LEN, 0xffffffff, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_DATA_OFFSET, 35, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_DATA_OFFSET, 37, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_DATA_OFFSET, 0xfffffff8, false),
		    RNDIS_MALFORMED);
	check_equal(with(PACKET_DATA_LEN, 101, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_DATA_LEN, 13, false), RNDIS_MALFORMED);
	check_equal(with(PACKET_DATA_LEN, 0xffffffff, false), RNDIS_MALFORMED);
	/* Information: before the headers' end, in the frame, behind the message */
	check_equal(with(PACKET_INFO_OFFSET, 35, true), RNDIS_MALFORMED);
	check_equal(with(PACKET_INFO_OFFSET, 40, true), RNDIS_MALFORMED);
	check_equal(with(PACKET_INFO_OFFSET, 140, true), RNDIS_MALFORMED);
	check_equal(with(PACKET_INFO_LEN, 15, true), RNDIS_MALFORMED);
	check_equal(with(PACKET_INFO_LEN, 0xfffffff0, true), RNDIS_MALFORMED);
	check_equal(with(PACKET_WORDS + INFO_SIZE, 11, true), RNDIS_MALFORMED);
	check_equal(with(PACKET_WORDS + INFO_SIZE, 17, true), RNDIS_MALFORMED);
	check_equal(with(PACKET_WORDS + INFO_OFFSET, 13, true),
		    RNDIS_MALFORMED);
	check_equal(with(PACKET_WORDS + INFO_OFFSET, 0xfffffffc, true),
		    RNDIS_MALFORMED);
	/* Of a kind that nobody knows */
	check_equal(with(PACKET_WORDS + INFO_TYPE, 77, true), RNDIS_FRAME);
	/* Left out without having been agreed on */
	rndis.to_device = 0;
	check_equal(with(PACKET_HANDLE, 0, true), RNDIS_MALFORMED);
}

static void transfers_of_all_kinds(void)
{
	uint32_t i, j, at, n, frames = 0;
	struct rndis_frame frame;

	for (i = 0; i < ROUNDS; i++) {
		uint32_t flips = unit_random() % 4;
		uint8_t *copy;

		rndis.to_device = unit_random() & 3;
		transfer_len = 0;
		for (j = unit_random() % 4 + 1; j; j--)
			add(unit_random() & 1 ? 44 : 60,
			    14 + unit_random() % 60, unit_random() & 3, false);
		for (j = 0; j < flips; j++)
			put_le32(transfer + 4 * (unit_random() % 15),
				 unit_random() >> unit_random() % 32);
		n = transfer_len -
		    (unit_random() & 1 ? 0 : unit_random() % transfer_len);
		copy = malloc(n);
		memcpy(copy, transfer, n);
		for (at = 0, j = 0;
		     rndis_next(copy, n, &at, &frame) == RNDIS_FRAME; j++) {
			if (frame.len < 14 || frame.data < copy ||
			    frame.data + frame.len > copy + n)
				break;
			/* The sanitizers look. */
			frames += 1 + 0 * (frame.data[0] +
					   frame.data[frame.len - 1]);
		}
		free(copy);
		if (j > 4)
			break;
	}
	check_equal(i, ROUNDS);
	check(frames > ROUNDS / 2);
}

int main(void)
{
	UNIT_PLAN(10);
	UNIT_RUN(linking_up);
	UNIT_RUN(every_object_has_a_value);
	UNIT_RUN(answers_wait_in_order);
	UNIT_RUN(halt_and_reset);
	UNIT_RUN(agreeing_on_checksums);
	UNIT_RUN(wrong_sets);
	UNIT_RUN(commands_of_all_kinds);
	UNIT_RUN(several_in_a_transfer);
	UNIT_RUN(every_field_is_checked);
	UNIT_RUN(transfers_of_all_kinds);
	return UNIT_DONE();
}
