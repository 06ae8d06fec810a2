// SPDX-License-Identifier: GPL-2.0
/*
 * DHCP for the one host at the other end of the cable: it gets the one address that
 * there is, again and again.  No router and no name server: the host keeps its own.
 */
#include <string.h>

#include "config.h"
#include "dhcp.h"

/* Offsets in a message */
#define AT_OP 0
#define AT_HTYPE 1
#define AT_HLEN 2
#define AT_XID 4
#define AT_SECS 8
#define AT_FLAGS 10
#define AT_CIADDR 12
#define AT_YIADDR 16
#define AT_SIADDR 20
#define AT_GIADDR 24
#define AT_CHADDR 28
#define AT_COOKIE 236
#define AT_OPTIONS 240

enum { OP_REQUEST = 1, OP_REPLY };
enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };
enum {
	OPTION_PAD = 0,
	OPTION_MASK = 1,
	OPTION_ADDRESS = 50,
	OPTION_LEASE = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_RENEW = 58,
	OPTION_REBIND = 59,
	OPTION_END = 255,
};

/* Seconds */
#define LEASE 86400

static const uint8_t cookie[] = { 99, 130, 83, 99 };
static const uint8_t server[] = { BOARD_IP };
static const uint8_t lease[] = { BOARD_HOST_IP };
static const uint8_t mask[] = { BOARD_NETMASK };

/* The value of an option that has exactly size bytes; NULL when there is none such. */
static const uint8_t *find(const uint8_t *message, uint32_t len, uint8_t option,
			   uint8_t size)
{
	uint32_t at = AT_OPTIONS;

	while (at < len && message[at] != OPTION_END) {
		if (message[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (len - at < 2 || message[at + 1] > len - at - 2)
			return NULL;
		if (message[at] == option)
			return message[at + 1] == size ? message + at + 2 :
							 NULL;
		at += 2 + message[at + 1];
	}
	return NULL;
}

static uint8_t *put(uint8_t *at, uint8_t option, const void *value, uint8_t len)
{
	at[0] = option;
	at[1] = len;
	memcpy(at + 2, value, len);
	return at + 2 + len;
}

static uint8_t *put_seconds(uint8_t *at, uint8_t option, uint32_t seconds)
{
	const uint8_t value[] = { seconds >> 24, seconds >> 16, seconds >> 8,
				  seconds };

	return put(at, option, value, sizeof(value));
}

static bool is_zero(const uint8_t ip[4])
{
	return !(ip[0] | ip[1] | ip[2] | ip[3]);
}

static bool is_lease(const uint8_t *ip)
{
	return ip && !memcmp(ip, lease, sizeof(lease));
}

/* What to say to a REQUEST; 0 for nothing. */
static uint8_t judge(const uint8_t *message, uint32_t len)
{
	const uint8_t *address = find(message, len, OPTION_ADDRESS, 4);
	const uint8_t *chosen = find(message, len, OPTION_SERVER, 4);

	/* Another server's offer has been taken. */
	if (chosen && memcmp(chosen, server, sizeof(server)))
		return 0;
	if (!address && is_zero(message + AT_CIADDR))
		return 0;
	return is_lease(address ? address : message + AT_CIADDR) ? ACK : NAK;
}

static void fill(const uint8_t *message, uint8_t type, bool informed,
		 uint8_t *answer)
{
	uint8_t *at = answer + AT_OPTIONS;

	memset(answer, 0, DHCP_ANSWER);
	answer[AT_OP] = OP_REPLY;
	answer[AT_HTYPE] = 1;
	answer[AT_HLEN] = 6;
	memcpy(answer + AT_XID, message + AT_XID, 4);
	memcpy(answer + AT_FLAGS, message + AT_FLAGS, 2);
	memcpy(answer + AT_CHADDR, message + AT_CHADDR, 6);
	memcpy(answer + AT_COOKIE, cookie, sizeof(cookie));
	at = put(at, OPTION_TYPE, &type, 1);
	at = put(at, OPTION_SERVER, server, sizeof(server));
	if (type == NAK) {
		*at = OPTION_END;
		return;
	}
	if (informed) {
		memcpy(answer + AT_CIADDR, message + AT_CIADDR, 4);
	} else {
		memcpy(answer + AT_YIADDR, lease, sizeof(lease));
		at = put_seconds(at, OPTION_LEASE, LEASE);
		at = put_seconds(at, OPTION_RENEW, LEASE / 2);
		at = put_seconds(at, OPTION_REBIND, LEASE / 8 * 7);
	}
	at = put(at, OPTION_MASK, mask, sizeof(mask));
	*at = OPTION_END;
}

bool dhcp_answer(const uint8_t *message, uint32_t len,
		 uint8_t answer[DHCP_ANSWER], uint8_t to[4])
{
	const uint8_t *type;
	uint8_t say;

	if (len < AT_OPTIONS || message[AT_OP] != OP_REQUEST ||
	    message[AT_HTYPE] != 1 || message[AT_HLEN] != 6 ||
	    memcmp(message + AT_COOKIE, cookie, sizeof(cookie)))
		return false;
	type = find(message, len, OPTION_TYPE, 1);
	/* Through a relay nobody comes over a cable. */
	if (!type || !is_zero(message + AT_GIADDR))
		return false;
	switch (*type) {
	case DISCOVER:
		say = OFFER;
		break;
	case REQUEST:
		say = judge(message, len);
		break;
	case INFORM:
		say = is_zero(message + AT_CIADDR) ? 0 : ACK;
		break;
	default:
		/* RELEASE, DECLINE: it is the host's whatever it says. */
		say = 0;
		break;
	}
	if (!say)
		return false;
	fill(message, say, *type == INFORM, answer);
	/* A host without an address takes what is for all. */
	memset(to, 0xff, 4);
	if (say != NAK && !is_zero(message + AT_CIADDR))
		memcpy(to, message + AT_CIADDR, 4);
	return true;
}
