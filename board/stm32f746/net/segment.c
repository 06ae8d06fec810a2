// SPDX-License-Identifier: GPL-2.0
/*
 * TCP segments as they come in.
 */
#include <string.h>

#include "lwip/inet_chksum.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ip.h"
#include "net.h"
#include "segment.h"

bool segment_is(const uint8_t *frame, uint32_t len)
{
	return len >= HEADERS && get_be16(frame + AT_TYPE) == 0x0800 &&
	       frame[AT_IP] == 0x45 && frame[AT_PROTOCOL] == IP_PROTO_TCP &&
	       !(get_be16(frame + AT_FRAGMENT) & 0x3fff);
}

uint32_t segment_headers(const uint8_t *frame)
{
	return AT_TCP + (frame[AT_DATA_OFFSET] >> 4) * 4;
}

uint32_t segment_len(const uint8_t *frame)
{
	return AT_IP + get_be16(frame + AT_IP_LEN);
}

bool segment_sums_good(const uint8_t *frame, uint32_t len, bool csum_left)
{
	uint32_t sum, i;

	if (inet_chksum(frame + AT_IP, AT_TCP - AT_IP))
		return false;
	if (csum_left)
		return true;
	/* The pseudo header: addresses, protocol, length */
	sum = IP_PROTO_TCP + len - AT_TCP;
	for (i = AT_FLOW; i < AT_TCP; i += 2)
		sum += get_be16(frame + i);
	sum += lwip_htons((uint16_t)~inet_chksum(frame + AT_TCP, len - AT_TCP));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

const struct tcp_pcb *segment_connection(const uint8_t *frame)
{
	const struct tcp_pcb *pcb;

	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
		if (pcb->remote_port == get_be16(frame + AT_TCP) &&
		    pcb->local_port == get_be16(frame + AT_TCP + 2) &&
		    !memcmp(&ip_2_ip4(&pcb->remote_ip)->addr, frame + AT_FLOW,
			    4))
			break;
	return pcb;
}

/* One that says again what is known would look as if something had got lost. */
static bool is_news(const uint8_t *frame)
{
	const struct tcp_pcb *pcb = segment_connection(frame);

	return pcb &&
	       (frame[AT_FLAGS] & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK &&
	       (int32_t)(get_be32(frame + AT_ACK) - pcb->lastack) > 0;
}

void segment_without_payload(struct pbuf *p)
{
	uint8_t *frame = p->payload;
	uint32_t len = segment_headers(frame);

	if (!is_news(frame)) {
		pbuf_free(p);
		return;
	}
	pbuf_realloc(p, len);
	put_be16(frame + AT_IP_LEN, len - AT_IP);
	/* A FIN would come too early. */
	frame[AT_FLAGS] = TCP_ACK;
	net_deliver(p, 0);
}
