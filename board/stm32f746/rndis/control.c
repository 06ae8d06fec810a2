// SPDX-License-Identifier: GPL-2.0
/*
 * The host's commands.  An answer waits until the host fetches it; when too many
 * wait, further commands are refused.
 */
#include "config.h"
#include "proto.h"
#include "rndis.h"

/* Words of messages: all begin with the first three. */
enum { WORD_TYPE, WORD_LEN, WORD_ID };
enum { INIT_MAX_TRANSFER = 5, INIT_WORDS };
enum { OID_OID = 3, OID_LEN, OID_OFFSET, OID_RESERVED, OID_WORDS };
enum { ANSWER_STATUS = 3, ANSWER_INFO_LEN, ANSWER_INFO_OFFSET, ANSWER_WORDS };
enum {
	INIT_C_MAJOR = 4,
	INIT_C_MINOR,
	INIT_C_FLAGS,
	INIT_C_MEDIUM,
	INIT_C_MESSAGES,
	INIT_C_TRANSFER,
	INIT_C_ALIGN,
	INIT_C_WORDS = 13,
};
enum { RESET_C_STATUS = 2, RESET_C_ADDRESSING, RESET_C_WORDS };

#define COMMAND_MIN 12
#define CONNECTIONLESS 1
/* Messages in a transfer begin at multiples of 4 bytes: 2 to the power of this. */
#define ALIGN_POWER 2
#define FRAME_MAX 1514
/* Of a transfer that has room for one frame */
#define TRANSFER_MIN (RNDIS_LEAD_MAX + FRAME_MAX)
/* In units of 100 bits per second */
#define LINK_SPEED 1000000
#define VENDOR 0x00ffffff
#define DRIVER_VERSION 0x00010000
#define MULTICAST_MAX 1

#define ANSWERS_SIZE 1024
#define INFO_MAX 256

struct rndis rndis;

/**
 * struct answers - those that wait, one behind the other
 * @data: each as it will be sent
 * @len: bytes of @data
 * @waiting: how many there are
 * @due: of those, how many the host has not been told of
 */
static struct answers {
	_Alignas(4) uint8_t data[ANSWERS_SIZE];
	uint32_t len;
	uint32_t waiting;
	uint32_t due;
} answers;

static void drop_answers(void)
{
	answers.len = answers.waiting = answers.due = 0;
}

/* An answer of so many bytes, zero but for type and length; NULL when there is no room. */
static uint8_t *add_answer(uint32_t type, uint32_t len)
{
	uint8_t *at = answers.data + answers.len;

	if (len > ANSWERS_SIZE - answers.len)
		return NULL;
	memset(at, 0, len);
	put_le32(at + 4 * WORD_TYPE, type | RNDIS_COMPLETE);
	put_le32(at + 4 * WORD_LEN, len);
	answers.len += len;
	answers.waiting++;
	answers.due++;
	return at;
}

static bool answer_status(const uint8_t *message, uint32_t status)
{
	uint8_t *at = add_answer(get_le32(message), 4 * (ANSWER_STATUS + 1));

	if (!at)
		return false;
	memcpy(at + 4 * WORD_ID, message + 4 * WORD_ID, 4);
	put_le32(at + 4 * ANSWER_STATUS, status);
	return true;
}

/* -- objects ------------------------------------------------------------------------------ */

static const uint32_t numbers[][2] = {
	{ OID_GEN_HARDWARE_STATUS, 0 },
	{ OID_GEN_MEDIA_SUPPORTED, 0 },
	{ OID_GEN_MEDIA_IN_USE, 0 },
	{ OID_GEN_MAXIMUM_FRAME_SIZE, FRAME_MAX - 14 },
	{ OID_GEN_LINK_SPEED, LINK_SPEED },
	{ OID_GEN_TRANSMIT_BLOCK_SIZE, FRAME_MAX },
	{ OID_GEN_RECEIVE_BLOCK_SIZE, FRAME_MAX },
	{ OID_GEN_VENDOR_ID, VENDOR },
	{ OID_GEN_VENDOR_DRIVER_VERSION, DRIVER_VERSION },
	{ OID_GEN_MAXIMUM_TOTAL_SIZE, BOARD_RX_TRANSFER },
	{ OID_GEN_MEDIA_CONNECT_STATUS, 0 },
	{ OID_GEN_PHYSICAL_MEDIUM, 0 },
	{ OID_802_3_MAXIMUM_LIST_SIZE, MULTICAST_MAX },
	{ OID_802_3_MULTICAST_LIST, 0 },
	{ OID_802_3_RCV_ERROR_ALIGNMENT, 0 },
	{ OID_802_3_XMIT_ONE_COLLISION, 0 },
	{ OID_802_3_XMIT_MORE_COLLISIONS, 0 },
};

static const uint32_t others[] = {
	OID_GEN_SUPPORTED_LIST,
	OID_GEN_VENDOR_DESCRIPTION,
	OID_GEN_CURRENT_PACKET_FILTER,
	OID_802_3_PERMANENT_ADDRESS,
	OID_802_3_CURRENT_ADDRESS,
	OID_GEN_XMIT_OK,
	OID_GEN_RCV_OK,
	OID_GEN_XMIT_ERROR,
	OID_GEN_RCV_ERROR,
	OID_GEN_RCV_NO_BUFFER,
	OID_OFFLOAD_CONFIG,
	OID_OFFLOAD_PARAMETERS,
	OID_OFFLOAD_CAPABILITIES,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t put_list(uint8_t *info)
{
	uint32_t i, n = 0;

	for (i = 0; i < COUNT(numbers); i++)
		put_le32(info + 4 * n++, numbers[i][0]);
	for (i = 0; i < COUNT(others); i++)
		put_le32(info + 4 * n++, others[i]);
	return 4 * n;
}

_Static_assert(4 * (COUNT(numbers) + COUNT(others)) <= INFO_MAX,
	       "the list has room");

static uint32_t put_number(uint8_t *info, uint32_t value)
{
	put_le32(info, value);
	return 4;
}

/* Writes an object's value; 0 when there is no such object. */
static uint32_t get_object(uint32_t oid, uint8_t info[INFO_MAX])
{
	static const uint8_t host[] = { BOARD_HOST_MAC };
	static const char vendor[] = "sockloan";
	uint32_t i;

	for (i = 0; i < COUNT(numbers); i++)
		if (numbers[i][0] == oid)
			return put_number(info, numbers[i][1]);
	switch (oid) {
	case OID_GEN_SUPPORTED_LIST:
		return put_list(info);
	case OID_GEN_VENDOR_DESCRIPTION:
		memcpy(info, vendor, sizeof(vendor));
		return sizeof(vendor);
	case OID_GEN_CURRENT_PACKET_FILTER:
		return put_number(info, rndis.filter);
	/* The address is the host's: its end is what it takes for a network card. */
	case OID_802_3_PERMANENT_ADDRESS:
	case OID_802_3_CURRENT_ADDRESS:
		memcpy(info, host, sizeof(host));
		return sizeof(host);
	case OID_GEN_XMIT_OK:
	case OID_GEN_RCV_OK:
	case OID_GEN_XMIT_ERROR:
	case OID_GEN_RCV_ERROR:
	case OID_GEN_RCV_NO_BUFFER:
		return put_number(info, rndis_statistic(oid));
	case OID_OFFLOAD_CONFIG:
		rndis_offload_fill(info, rndis.to_device, rndis.to_host);
		return RNDIS_OFFLOAD_SIZE;
	case OID_OFFLOAD_CAPABILITIES:
		rndis_offload_fill(info, RNDIS_CSUM_TCP4 | RNDIS_CSUM_UDP4,
				   RNDIS_CSUM_TCP4);
		return RNDIS_OFFLOAD_SIZE;
	default:
		return 0;
	}
}

static uint32_t set_object(uint32_t oid, const uint8_t *info, uint32_t len)
{
	switch (oid) {
	case OID_GEN_CURRENT_PACKET_FILTER:
		if (len < 4)
			return RNDIS_INVALID_DATA;
		rndis.filter = get_le32(info);
		break;
	case OID_802_3_MULTICAST_LIST:
		/* All frames come anyway. */
		return len % 6 ? RNDIS_INVALID_DATA : RNDIS_SUCCESS;
	case OID_OFFLOAD_PARAMETERS:
		if (!rndis_offload_set(info, len, &rndis.to_device,
				       &rndis.to_host))
			return RNDIS_INVALID_DATA;
		break;
	default:
		return RNDIS_NOT_SUPPORTED;
	}
	rndis_changed();
	return RNDIS_SUCCESS;
}

/* -- commands ----------------------------------------------------------------------------- */

static void forget(void)
{
	rndis = (struct rndis){ 0 };
	rndis_changed();
}

static bool initialize(const uint8_t *message, uint32_t len)
{
	uint32_t max;
	uint8_t *at;

	if (len < 4 * INIT_WORDS)
		return false;
	/* A host that begins again has no use for old answers, and nothing is agreed on. */
	drop_answers();
	forget();
	max = get_le32(message + 4 * INIT_MAX_TRANSFER);
	at = add_answer(RNDIS_INITIALIZE, 4 * INIT_C_WORDS);
	memcpy(at + 4 * WORD_ID, message + 4 * WORD_ID, 4);
	if (max < TRANSFER_MIN) {
		put_le32(at + 4 * ANSWER_STATUS, RNDIS_FAILURE);
		return true;
	}
	rndis.initialized = true;
	rndis.tx_max = max < BOARD_TX_TRANSFER ? max : BOARD_TX_TRANSFER;
	put_le32(at + 4 * INIT_C_MAJOR, 1);
	put_le32(at + 4 * INIT_C_FLAGS, CONNECTIONLESS);
	put_le32(at + 4 * INIT_C_MESSAGES, BOARD_RX_MESSAGES);
	put_le32(at + 4 * INIT_C_TRANSFER, BOARD_RX_TRANSFER);
	put_le32(at + 4 * INIT_C_ALIGN, ALIGN_POWER);
	return true;
}

/* Where a query or a set has its information; NULL when that is not in it. */
static const uint8_t *find_info(const uint8_t *message, uint32_t len,
				uint32_t *info_len)
{
	uint32_t offset;

	if (len < 4 * OID_WORDS)
		return NULL;
	*info_len = get_le32(message + 4 * OID_LEN);
	offset = get_le32(message + 4 * OID_OFFSET);
	/* Hosts put anything there when there is none. */
	if (!*info_len)
		return message;
	if (!rndis_within(4 * OID_WORDS - RNDIS_BASE, len - RNDIS_BASE, offset,
			  *info_len))
		return NULL;
	return message + RNDIS_BASE + offset;
}

static bool query(const uint8_t *message, uint32_t len)
{
	uint32_t info_len, oid;
	uint8_t info[INFO_MAX];
	uint8_t *at;

	if (!find_info(message, len, &info_len))
		return false;
	oid = get_le32(message + 4 * OID_OID);
	info_len = get_object(oid, info);
	at = add_answer(RNDIS_QUERY, 4 * ANSWER_WORDS + info_len);
	if (!at)
		return false;
	memcpy(at + 4 * WORD_ID, message + 4 * WORD_ID, 4);
	if (!info_len) {
		put_le32(at + 4 * ANSWER_STATUS, RNDIS_NOT_SUPPORTED);
		return true;
	}
	put_le32(at + 4 * ANSWER_INFO_LEN, info_len);
	put_le32(at + 4 * ANSWER_INFO_OFFSET, 4 * ANSWER_WORDS - RNDIS_BASE);
	memcpy(at + 4 * ANSWER_WORDS, info, info_len);
	return true;
}

static bool set(const uint8_t *message, uint32_t len)
{
	uint32_t info_len;
	const uint8_t *info = find_info(message, len, &info_len);

	/* Not done if nobody will be told. */
	if (!info || ANSWERS_SIZE - answers.len < 4 * (ANSWER_STATUS + 1))
		return false;
	return answer_status(message,
			     set_object(get_le32(message + 4 * OID_OID), info,
					info_len));
}

static bool reset(void)
{
	uint8_t *at;

	drop_answers();
	at = add_answer(RNDIS_RESET, 4 * RESET_C_WORDS);
	/* What was agreed on stays: the host need not send its filter again. */
	put_le32(at + 4 * RESET_C_STATUS, RNDIS_SUCCESS);
	put_le32(at + 4 * RESET_C_ADDRESSING, 0);
	return true;
}

bool rndis_command(const uint8_t *message, uint32_t actual)
{
	uint32_t len;

	if (actual < COMMAND_MIN)
		return false;
	len = get_le32(message + 4 * WORD_LEN);
	if (len < COMMAND_MIN || len > actual)
		return false;
	switch (get_le32(message + 4 * WORD_TYPE)) {
	case RNDIS_INITIALIZE:
		return initialize(message, len);
	case RNDIS_HALT:
		drop_answers();
		forget();
		return true;
	case RNDIS_QUERY:
		return query(message, len);
	case RNDIS_SET:
		return set(message, len);
	case RNDIS_RESET:
		return reset();
	case RNDIS_KEEPALIVE:
		return answer_status(message, RNDIS_SUCCESS);
	default:
		return false;
	}
}

uint32_t rndis_response(uint8_t *data, uint32_t size)
{
	uint32_t len, whole;

	if (!answers.waiting) {
		data[0] = 0;
		return 1;
	}
	whole = get_le32(answers.data + 4 * WORD_LEN);
	len = whole < size ? whole : size;
	memcpy(data, answers.data, len);
	answers.len -= whole;
	memmove(answers.data, answers.data + whole, answers.len);
	answers.waiting--;
	if (answers.due > answers.waiting)
		answers.due = answers.waiting;
	return len;
}

bool rndis_notice(void)
{
	if (!answers.due)
		return false;
	answers.due--;
	return true;
}

void rndis_reset(void)
{
	drop_answers();
	forget();
}
