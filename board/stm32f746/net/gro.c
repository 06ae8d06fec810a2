// SPDX-License-Identifier: GPL-2.0
/*
 * Segments of one transfer that continue each other go to lwIP as one: it looks for
 * the connection, and answers, once.  Only plain ones, whose sums are good.
 */
#include <string.h>

#include "config.h"
#include "net.h"
#include "rxbuf.h"
#include "segment.h"

#define GRO_FLOWS 4

/**
 * struct flow - segments that wait for more of theirs
 * @p: the first one, with headers, and the payload of others behind it
 * @next: the sequence number that continues it
 * @joined: there are others
 */
struct flow {
	struct pbuf *p;
	uint32_t next;
	bool joined;
};

static struct flow flows[GRO_FLOWS];

/* Nothing but payload, acknowledged */
static bool is_plain(const uint8_t *frame, uint32_t len)
{
	return frame[AT_DATA_OFFSET] >> 4 == 5 && len > HEADERS &&
	       get_be16(frame + AT_IP_LEN) == len - AT_IP &&
	       (frame[AT_FLAGS] | TCP_PSH) == (TCP_ACK | TCP_PSH);
}

static void flush(struct flow *flow)
{
	struct pbuf *p = flow->p;

	if (!p)
		return;
	flow->p = NULL;
	if (flow->joined)
		put_be16((uint8_t *)p->payload + AT_IP_LEN, p->tot_len - AT_IP);
	/* TCP's sums have been checked, or were left out; IP's would be another now. */
	net_deliver(p, 0);
}

void gro_flush(void)
{
	unsigned int i;

	for (i = 0; i < GRO_FLOWS; i++)
		flush(&flows[i]);
}

static struct flow *find(const uint8_t *frame)
{
	unsigned int i;

	for (i = 0; i < GRO_FLOWS; i++)
		if (flows[i].p &&
		    !memcmp((uint8_t *)flows[i].p->payload + AT_FLOW,
			    frame + AT_FLOW, FLOW_SIZE))
			return &flows[i];
	return NULL;
}

static void start(struct pbuf *p)
{
	const uint8_t *frame = p->payload;
	unsigned int i;

	for (i = 0; i < GRO_FLOWS && flows[i].p; i++)
		;
	if (i == GRO_FLOWS)
		flush(&flows[--i]);
	flows[i].p = p;
	flows[i].next = get_be32(frame + AT_SEQ) + p->len - HEADERS;
	flows[i].joined = false;
}

/* Payload behind payload; what the newest headers say of the other direction counts. */
static bool join(struct flow *flow, struct pbuf *p)
{
	const uint8_t *frame = p->payload;
	uint8_t *first = flow->p->payload;

	if (get_be32(frame + AT_SEQ) != flow->next ||
	    (int32_t)(get_be32(frame + AT_ACK) - get_be32(first + AT_ACK)) < 0)
		return false;
	memcpy(first + AT_ACK, frame + AT_ACK, 4);
	memcpy(first + AT_WINDOW, frame + AT_WINDOW, 2);
	first[AT_FLAGS] |= frame[AT_FLAGS];
	flow->next += p->len - HEADERS;
	flow->joined = true;
	pbuf_remove_header(p, HEADERS);
	pbuf_cat(flow->p, p);
	net_stats.rx_joined++;
	return true;
}

/*
 * While memory is short, a connection that keeps much, to send it back, gets no more:
 * its peer will send that again.  Those whose peers do not read are the first.
 */
static bool keeps_too_much(const uint8_t *frame)
{
	bool little = rxbuf_runs() < BOARD_RX_RESERVE ||
		      net_heap_free() < BOARD_HEAP_LOW;
	const struct tcp_pcb *pcb;
	uint32_t kept;

	if (!little && rxbuf_runs() >= BOARD_RX_LOW)
		return false;
	pcb = segment_connection(frame);
	if (!pcb)
		return false;
	kept = TCP_SND_BUF - pcb->snd_buf;
	if (pcb->snd_wnd < kept)
		return kept > (little ? BOARD_RX_SHARE : BOARD_RX_LEAST);
	return little && kept > BOARD_RX_LEAST;
}

void gro_add(struct pbuf *p, bool csum_left)
{
	const uint8_t *frame = p->payload;
	struct flow *flow;

	if (!segment_is(frame, p->len)) {
		net_deliver(p, csum_left ? NET_CHECK_LEFT : NET_CHECK_ALL);
		return;
	}
	flow = find(frame);
	if (!is_plain(frame, p->len)) {
		/* Behind what came before it */
		if (flow)
			flush(flow);
		net_deliver(p, csum_left ? NET_CHECK_LEFT : NET_CHECK_ALL);
	} else if (!segment_sums_good(frame, p->len, csum_left)) {
		net_stats.rx_bad_sum++;
		pbuf_free(p);
	} else if (keeps_too_much(frame)) {
		net_stats.rx_kept_too_much++;
		if (flow)
			flush(flow);
		segment_without_payload(p);
	} else if (!flow || !join(flow, p)) {
		if (flow)
			flush(flow);
		start(p);
	}
}
