// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "sl_hostile.h"

/* Words of a packet message */
enum {
	TYPE,
	LEN,
	DATA,
	DATA_LEN,
	OOB,
	OOB_LEN,
	OOB_NR,
	INFO,
	INFO_LEN,
	HANDLE,
	RESERVED
};

#define OFFSET_BASE 8
#define INFO_SIZE 16
#define INFO_CSUM 0
#define INFO_LSO 2

static const char *const names[SL_WRONG_KINDS] = {
	[SL_WRONG_SHORT] = "short",   [SL_WRONG_LENGTH] = "length",
	[SL_WRONG_OFFSET] = "offset", [SL_WRONG_INFO] = "info",
	[SL_WRONG_LARGE] = "large",   [SL_WRONG_RANDOM] = "random",
	[SL_WRONG_MANY] = "many",     [SL_WRONG_LONG] = "long",
	[SL_WRONG_ZERO] = "zero",     [SL_WRONG_CHAIN] = "chain",
};

/* The kind of that name; SL_WRONG_KINDS when there is none */
int sl_wrong(const char *name)
{
	int i;

	for (i = 0; i < SL_WRONG_KINDS; i++)
		if (!strcmp(names[i], name))
			break;
	return i;
}

const char *sl_wrong_name(int wrong)
{
	return names[wrong];
}

uint32_t sl_get32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

void sl_put32(void *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

uint32_t sl_any(struct sl_hostile *h)
{
	h->state ^= h->state << 13;
	h->state ^= h->state >> 7;
	h->state ^= h->state << 17;
	return h->state >> 16;
}

uint32_t sl_below(struct sl_hostile *h, uint32_t n)
{
	return sl_any(h) % n;
}

/* A number that somebody may fail to check */
uint32_t sl_odd(struct sl_hostile *h, uint32_t right)
{
	static const uint32_t odd[] = {
		0,	    1,		2,	    3,		4,
		7,	    8,		11,	    12,		24,
		35,	    36,		43,	    44,		45,
		255,	    1024,	4095,	    4096,	65535,
		65536,	    70656,	0x7fffffff, 0x80000000, 0xfffffff0,
		0xfffffff7, 0xfffffff8, 0xfffffffc, 0xffffffff
	};

	switch (sl_below(h, 4)) {
	case 0:
		return right + sl_below(h, 9) - 4;
	case 1:
		return sl_any(h);
	case 2:
		/* Wraps to where the right one is */
		return odd[sl_below(h, sizeof(odd) / sizeof(odd[0]))] - right;
	default:
		return odd[sl_below(h, sizeof(odd) / sizeof(odd[0]))];
	}
}

/* A message with nothing wrong; returns its length */
size_t sl_good(uint8_t *to, const void *frame, size_t len)
{
	memset(to, 0, SL_PACKET_HEADER);
	sl_put32(to + 4 * TYPE, SL_RNDIS_PACKET);
	sl_put32(to + 4 * LEN, SL_PACKET_HEADER + len);
	sl_put32(to + 4 * DATA, SL_PACKET_HEADER - OFFSET_BASE);
	sl_put32(to + 4 * DATA_LEN, len);
	memmove(to + SL_PACKET_HEADER, frame, len);
	return SL_PACKET_HEADER + len;
}

/* The next frame of a transfer that the kernel has made: its length, or 0 at the end */
size_t sl_payload(const uint8_t *transfer, size_t len, size_t *at,
		  const uint8_t **frame)
{
	const uint8_t *m = transfer + *at;
	size_t left = len - *at, n;

	if (*at > len || left < SL_PACKET_HEADER ||
	    sl_get32(m) != SL_RNDIS_PACKET)
		return 0;
	n = sl_get32(m + 4 * DATA_LEN);
	*frame = m + OFFSET_BASE + sl_get32(m + 4 * DATA);
	if (*frame < transfer || n > len || *frame + n > transfer + len)
		return 0;
	*at += sl_get32(m + 4 * LEN);
	return n;
}

static size_t put_eth(uint8_t *frame, const uint8_t *to, const uint8_t *from,
		      uint16_t type)
{
	struct ethhdr *eth = (void *)frame;

	memcpy(eth->h_dest, to, ETH_ALEN);
	memcpy(eth->h_source, from, ETH_ALEN);
	eth->h_proto = htons(type);
	return ETH_HLEN;
}

/* What follows struct arphdr for IPv4 */
struct arp_body {
	uint8_t sender[6];
	uint8_t sender_ip[4];
	uint8_t target[6];
	uint8_t target_ip[4];
} __attribute__((packed));

static size_t put_arp(uint8_t *frame, const struct sl_hostile *h, int op,
		      const uint8_t *ip)
{
	uint32_t peer = htonl(SL_PEER), kernel = htonl(SL_KERNEL);
	uint8_t *at = frame + ETH_HLEN;
	struct arphdr *arp = (void *)at;
	struct arp_body *body = (void *)(arp + 1);

	put_eth(frame, h->kernel, h->peer, ETH_P_ARP);
	arp->ar_hrd = htons(ARPHRD_ETHER);
	arp->ar_pro = htons(ETH_P_IP);
	arp->ar_hln = 6;
	arp->ar_pln = 4;
	arp->ar_op = htons(op);
	memcpy(body->sender, h->peer, 6);
	memcpy(body->sender_ip, ip ? ip : (uint8_t *)&peer, 4);
	memcpy(body->target, h->kernel, 6);
	memcpy(body->target_ip, &kernel, 4);
	return ETH_HLEN + sizeof(*arp) + sizeof(*body);
}

/* Asks whether the kernel is still there */
size_t sl_arp_request(const struct sl_hostile *h, uint8_t *frame)
{
	size_t len = put_arp(frame, h, ARPOP_REQUEST, NULL);

	memset(frame, 0xff, ETH_ALEN);
	return len;
}

static bool is_arp(const uint8_t *frame, size_t len, int op)
{
	const struct ethhdr *eth = (const void *)frame;
	const struct arphdr *arp = (const void *)(eth + 1);

	return len >= sizeof(*eth) + sizeof(*arp) + sizeof(struct arp_body) &&
	       eth->h_proto == htons(ETH_P_ARP) && arp->ar_op == htons(op);
}

bool sl_arp_answered(const uint8_t *frame, size_t len)
{
	const struct arp_body *body =
		(const void *)(frame + ETH_HLEN + sizeof(struct arphdr));
	uint32_t kernel = htonl(SL_KERNEL);

	return is_arp(frame, len, ARPOP_REPLY) &&
	       !memcmp(body->sender_ip, &kernel, 4);
}

/* The answer to an ARP request or a ping of the kernel's: its length, or 0 */
size_t sl_answer(const struct sl_hostile *h, const uint8_t *frame, size_t len,
		 uint8_t *to)
{
	const struct ethhdr *eth = (const void *)frame;
	const struct iphdr *ip = (const void *)(eth + 1);
	const struct arp_body *body =
		(const void *)(frame + ETH_HLEN + sizeof(struct arphdr));
	uint32_t addresses[2];
	uint8_t *icmp;

	if (is_arp(frame, len, ARPOP_REQUEST))
		return put_arp(to, h, ARPOP_REPLY, body->target_ip);
	if (len < sizeof(*eth) + sizeof(*ip) + 8 ||
	    eth->h_proto != htons(ETH_P_IP) || ip->protocol != IPPROTO_ICMP ||
	    ip->ihl != 5 || ip->daddr != htonl(SL_PEER))
		return 0;
	if (frame[ETH_HLEN + sizeof(*ip)] != 8)
		return 0;
	memcpy(to, frame, len);
	put_eth(to, eth->h_source, h->peer, ETH_P_IP);
	addresses[0] = ip->daddr;
	addresses[1] = ip->saddr;
	memcpy(to + ETH_HLEN + offsetof(struct iphdr, saddr), addresses, 8);
	icmp = to + ETH_HLEN + sizeof(*ip);
	icmp[0] = 0;
	/* From 8 to 0 the sum rises by as much, the carry included. */
	if (icmp[2] > 0xf7)
		icmp[3]++;
	icmp[2] += 8;
	return len;
}

static uint16_t ip_sum(const void *header, size_t len)
{
	const uint16_t *word = header;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *word++;
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static size_t put_ip4(struct sl_hostile *h, uint8_t *at, uint8_t protocol,
		      size_t payload)
{
	struct iphdr *ip = (void *)at;

	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons(sizeof(*ip) + payload);
	ip->ttl = 64;
	ip->protocol = protocol;
	ip->saddr = htonl(SL_PEER);
	/* The kernel's own, or one that it forwards to: back to us */
	ip->daddr = htonl(SL_KERNEL + 2 * sl_below(h, 2));
	ip->check = ip_sum(ip, sizeof(*ip));
	return sizeof(*ip);
}

static size_t put_ip6(uint8_t *at, uint8_t protocol, size_t payload)
{
	struct ipv6hdr *ip6 = (void *)at;

	memset(ip6, 0, sizeof(*ip6));
	ip6->version = 6;
	ip6->payload_len = htons(payload);
	ip6->nexthdr = protocol;
	ip6->hop_limit = 64;
	ip6->saddr.s6_addr[0] = 0xfe;
	ip6->saddr.s6_addr[1] = 0x80;
	ip6->saddr.s6_addr[15] = 2;
	ip6->daddr = ip6->saddr;
	ip6->daddr.s6_addr[15] = 1;
	return sizeof(*ip6);
}

/* TCP's and UDP's headers; the checksum is whatever there was */
static size_t put_transport(struct sl_hostile *h, uint8_t *at, bool udp,
			    size_t payload)
{
	struct tcphdr *th = (void *)at;
	struct udphdr *uh = (void *)at;

	if (udp) {
		uh->source = htons(1000 + sl_below(h, 4));
		uh->dest = htons(1000);
		uh->len = htons(sizeof(*uh) + payload);
		return sizeof(*uh);
	}
	memset(th, 0, sizeof(*th));
	th->source = htons(1000 + sl_below(h, 4));
	th->dest = htons(1000);
	th->seq = htonl(sl_below(h, 1 << 20));
	th->doff = 5;
	th->ack = 1;
	th->psh = sl_below(h, 2);
	return sizeof(*th);
}

/* A frame with that much payload, or a little less */
static size_t put_frame(struct sl_hostile *h, uint8_t *frame, size_t payload,
			bool udp)
{
	bool ip6 = sl_below(h, 4) == 0;
	size_t at = ETH_HLEN,
	       header = udp ? sizeof(struct udphdr) : sizeof(struct tcphdr);
	uint8_t protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;

	put_eth(frame, h->kernel, h->peer, ip6 ? ETH_P_IPV6 : ETH_P_IP);
	at += ip6 ? put_ip6(frame + at, protocol, header + payload) :
		    put_ip4(h, frame + at, protocol, header + payload);
	at += put_transport(h, frame + at, udp, payload);
	return at + payload;
}

static uint8_t *put_info(uint8_t *at, uint32_t type, uint32_t value)
{
	sl_put32(at, INFO_SIZE);
	sl_put32(at + 4, type);
	sl_put32(at + 8, 12);
	sl_put32(at + 12, value);
	return at + INFO_SIZE;
}

static uint32_t csum_value(const struct sl_hostile *h, bool udp)
{
	/* "Good, but its field does not say so", and "fill it in" */
	if (h->to_host)
		return 1 << 3 | 1 << 7;
	return 1 << 0 | (udp ? 1 << 3 : 1 << 2) | 34 << 16;
}

/* A message with information, of room bytes at most; large: a large frame */
static size_t put_message(struct sl_hostile *h, uint8_t *to, size_t room,
			  bool large)
{
	size_t space = room - SL_PACKET_HEADER - 2 * INFO_SIZE - 160, payload,
	       len;
	size_t lead = SL_PACKET_HEADER, infos;
	bool udp = !large && sl_below(h, 2);
	uint8_t *at = to + SL_PACKET_HEADER;

	memset(to, 0, SL_PACKET_HEADER);
	infos = large ? 2 : sl_below(h, 2);
	if (infos)
		at = put_info(at, INFO_CSUM, csum_value(h, udp));
	if (infos > 1)
		at = put_info(at, INFO_LSO, 1460 | 34 << 20 | 1 << 30);
	lead += infos * INFO_SIZE + sl_below(h, 64);
	payload = sl_below(h, large ? 65000 : 1400);
	if (payload > space)
		payload = space;
	len = put_frame(h, to + lead, payload, udp);

	sl_put32(to + 4 * TYPE, SL_RNDIS_PACKET);
	sl_put32(to + 4 * LEN, lead + len);
	sl_put32(to + 4 * DATA, lead - OFFSET_BASE);
	sl_put32(to + 4 * DATA_LEN, len);
	if (infos) {
		sl_put32(to + 4 * INFO, SL_PACKET_HEADER - OFFSET_BASE);
		sl_put32(to + 4 * INFO_LEN, infos * INFO_SIZE);
	}
	return lead + len;
}

static void spoil(struct sl_hostile *h, uint8_t *word)
{
	sl_put32(word, sl_odd(h, sl_get32(word)));
}

/* Lengths and offsets of the message, so that they overlap, wrap or end behind it */
static void spoil_offsets(struct sl_hostile *h, uint8_t *m)
{
	static const int words[] = { DATA, DATA_LEN, INFO, INFO_LEN };
	uint32_t sum;

	switch (sl_below(h, 4)) {
	case 0:
		/* Their sum is right. */
		sum = sl_get32(m + 4 * DATA) + sl_get32(m + 4 * DATA_LEN);
		spoil(h, m + 4 * DATA);
		sl_put32(m + 4 * DATA_LEN, sum - sl_get32(m + 4 * DATA));
		break;
	case 1:
		/* Information in the frame */
		sl_put32(m + 4 * INFO,
			 sl_get32(m + 4 * DATA) + sl_below(h, 32) - 16);
		sl_put32(m + 4 * INFO_LEN, INFO_SIZE * sl_below(h, 4));
		break;
	case 2:
		spoil(h, m + 4 * words[sl_below(h, 4)]);
		/* fallthrough */
	default:
		spoil(h, m + 4 * words[sl_below(h, 4)]);
	}
}

/* Information that is not what it says */
static void spoil_info(struct sl_hostile *h, uint8_t *m)
{
	uint32_t n = 1 + sl_below(h, 3), i;
	uint8_t *at = m + SL_PACKET_HEADER;

	/* Where the frame's headers were, if there was none before them */
	for (i = 0; i < n; i++) {
		put_info(at + i * INFO_SIZE, sl_below(h, 4), sl_any(h));
		if (sl_below(h, 2))
			spoil(h, at + i * INFO_SIZE + 4 * sl_below(h, 4));
	}
	sl_put32(m + 4 * INFO, SL_PACKET_HEADER - OFFSET_BASE);
	sl_put32(m + 4 * INFO_LEN, n * INFO_SIZE);
	if (sl_below(h, 3))
		sl_put32(m + 4 * DATA,
			 SL_PACKET_HEADER - OFFSET_BASE + n * INFO_SIZE);
	if (sl_below(h, 3) == 0)
		spoil(h, m + 4 * INFO_LEN);
}

/* The headers of what is or says that it is a large frame */
static void spoil_large(struct sl_hostile *h, uint8_t *m)
{
	static const uint32_t sizes[] = { 0,   1,    7,	    8,	   88,
					  536, 1460, 65535, 65536, 0xfffff };
	uint8_t *frame = m + OFFSET_BASE + sl_get32(m + 4 * DATA);
	uint8_t *lso = m + SL_PACKET_HEADER + INFO_SIZE;
	uint32_t i, len;

	sl_put32(lso + 12, sizes[sl_below(h, 10)] | sl_below(h, 1 << 12) << 20);
	switch (sl_below(h, 8)) {
	case 0:
		/* No information about the checksum */
		sl_put32(m + 4 * INFO,
			 SL_PACKET_HEADER - OFFSET_BASE + INFO_SIZE);
		sl_put32(m + 4 * INFO_LEN, INFO_SIZE);
		break;
	case 1:
		/* Nothing but headers, or not even those */
		len = sl_below(h, 80);
		sl_put32(m + 4 * DATA_LEN, len);
		break;
	case 2:
		frame[ETH_HLEN] = sl_any(h);
		break;
	case 3:
		/* TCP's data offset, if it is that */
		frame[ETH_HLEN + 20 + 12] = sl_below(h, 16) << 4;
		frame[ETH_HLEN + 40 + 12] = sl_below(h, 16) << 4;
		break;
	case 4:
		/* A fragment; extension headers */
		frame[ETH_HLEN + 6] = 1 << 5 | sl_below(h, 32);
		frame[ETH_HLEN + 40] =
			(uint8_t[]){ 0, 43, 44, 51, 59, 60 }[sl_below(h, 6)];
		break;
	case 5:
		frame[12] =
			(uint8_t[]){ 0x81, 0x88, 0x89, 0, 8 }[sl_below(h, 5)];
		frame[13] =
			(uint8_t[]){ 0, 0xa8, 6, 100, 0x47 }[sl_below(h, 5)];
		break;
	case 6:
		sl_put32(lso + 12, sizes[3 + sl_below(h, 4)]);
		frame[ETH_HLEN + 9] =
			(uint8_t[]){ 17, 1, 4, 41, 47, 132 }[sl_below(h, 6)];
		break;
	default:
		for (i = 0; i < 4; i++)
			frame[sl_below(h, 80)] = sl_any(h);
	}
}

/* Bits of a message, mostly of its beginning */
static void spoil_bits(struct sl_hostile *h, uint8_t *m, size_t len)
{
	uint32_t n = 1 + sl_below(h, 16), i;

	for (i = 0; i < n; i++)
		m[sl_below(h, sl_below(h, 2) && len > 128 ? 128 : len)] ^=
			1 << sl_below(h, 8);
}

/* IPv6 headers without end, maybe with the checksum left out */
static void spoil_chain(const struct sl_hostile *h, uint8_t *m)
{
	uint8_t *frame = m + OFFSET_BASE + sl_get32(m + 4 * DATA);
	uint32_t len = sl_get32(m + 4 * DATA_LEN);

	put_eth(frame, h->kernel, h->peer, ETH_P_IPV6);
	put_ip6(frame + ETH_HLEN, IPPROTO_HOPOPTS, 65535);
	memset(frame + 54, 0, len > 54 ? len - 54 : 0);
}

static size_t spoil_message(struct sl_hostile *h, enum sl_wrong wrong,
			    uint8_t *m, size_t len)
{
	switch (wrong) {
	case SL_WRONG_SHORT:
		return sl_below(h, 2) ? sl_below(h, SL_PACKET_HEADER + 14) :
					sl_below(h, len);
	case SL_WRONG_LENGTH:
		spoil(h, m + 4 * LEN);
		break;
	case SL_WRONG_OFFSET:
		spoil_offsets(h, m);
		break;
	case SL_WRONG_INFO:
		spoil_info(h, m);
		break;
	case SL_WRONG_LARGE:
		spoil_large(h, m);
		break;
	case SL_WRONG_RANDOM:
		spoil_bits(h, m, len);
		break;
	case SL_WRONG_CHAIN:
		spoil_chain(h, m);
		break;
	default:
		break;
	}
	return len;
}

static size_t many_small(struct sl_hostile *h, uint8_t *to)
{
	size_t len, at = 0, n = sl_below(h, 200);
	uint8_t frame[128];

	while (n--) {
		len = sl_below(h, 8) ? put_frame(h, frame, 0, false) : ETH_HLEN;
		at += sl_good(to + at, frame, sl_below(h, 2) ? len : ETH_HLEN);
		h->messages++;
	}
	return at;
}

/*
 * Makes a transfer at to, where there are 2 * SL_TRANSFER_MAX bytes; returns its
 * length, longer than SL_TRANSFER_MAX for SL_WRONG_LONG only. What begins right is
 * followed by something wrong.
 */
size_t sl_hostile_transfer(struct sl_hostile *h, enum sl_wrong wrong,
			   uint8_t *to)
{
	size_t at = 0, len, room = SL_TRANSFER_MAX - 1, i;
	uint32_t n = 1 + sl_below(h, 6);
	bool large = wrong == SL_WRONG_LARGE;

	if (wrong == SL_WRONG_ZERO) {
		h->messages++;
		return sl_below(h, 2) ? 0 : sl_below(h, SL_PACKET_HEADER);
	}
	if (wrong == SL_WRONG_MANY)
		return many_small(h, to);
	if (wrong == SL_WRONG_RANDOM && sl_below(h, 4) == 0) {
		h->messages++;
		len = sl_below(h, 6000);
		for (i = 0; i < len; i++)
			to[i] = sl_any(h);
		return len;
	}
	while (n-- && room - at > 2048) {
		len = put_message(h, to + at, room - at,
				  large || sl_below(h, 16) == 0);
		if (!n || sl_below(h, 4) == 0)
			len = spoil_message(h, wrong, to + at, len);
		at += len;
		h->messages++;
	}
	if (wrong == SL_WRONG_LONG)
		at += SL_TRANSFER_MAX - sl_below(h, SL_TRANSFER_MAX);
	return at;
}

/* struct ndis_offload of a device that can do everything */
void sl_capabilities(void *to)
{
	static const uint32_t word[] = {
		2, 0x55, 2, 0x55, 2, 0x55, 2, 0x55,  0, 0,	0,     0, 0,
		0, 0,	 0, 0,	  0, 0,	   2, 65536, 2, 2,	65536, 2, 5,
		0, 0,	 0, 0,	  0, 0,	   0, 0,     0, 0x0101, 0,     0
	};
	size_t i;

	sl_put32(to, 0xa7 | 3 << 8 | (4 + sizeof(word)) << 16);
	for (i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		sl_put32((uint8_t *)to + 4 + 4 * i, word[i]);
}
