// SPDX-License-Identifier: GPL-2.0
/*
 * To the host: a frame's pbufs are sent from where they lie, with RNDIS's header
 * before them; while a transfer is under way, frames gather for the next.
 */
#include <string.h>

#include "config.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ip.h"
#include "net.h"
#include "rxbuf.h"

#define AT_TYPE 12
#define AT_PROTOCOL 23

/**
 * struct tx_frame - a frame that waits or is being sent
 * @p: it
 * @pieces: of it
 * @csum_left: its checksum is left to the host
 * @lead: what stands before it, from @p's message on; see rndis_header()
 */
struct tx_frame {
	struct pbuf *p;
	uint8_t pieces;
	bool csum_left;
	_Alignas(4) uint8_t lead[RNDIS_LEAD_MAX + 1];
};

/**
 * struct tx - sending
 * @endpoint: open; 0 when not
 * @maxpacket: its packet size
 * @frame: a ring
 * @first: of @frame, the oldest
 * @count: how many there are
 * @sending: of those, how many are in the transfer that is under way
 * @refused: lwIP could not get rid of a frame
 */
static struct tx {
	uint8_t endpoint;
	uint16_t maxpacket;
	struct tx_frame frame[BOARD_TX_FRAMES];
	unsigned int first;
	unsigned int count;
	unsigned int sending;
	bool refused;
} tx;

_Static_assert(!(BOARD_TX_FRAMES & (BOARD_TX_FRAMES - 1)), "a power of two");

static struct tx_frame *frame_at(unsigned int i)
{
	return &tx.frame[(tx.first + i) % BOARD_TX_FRAMES];
}

/* What a message of so many bytes lacks to the alignment of the next one */
static uint32_t pad_of(uint32_t len)
{
	return -len & 3;
}

/* How many frames make up the next transfer, and how long it is */
static unsigned int choose(uint32_t *total)
{
	unsigned int n, pieces = 0;
	uint32_t len;

	*total = 0;
	for (n = 0; n < tx.count; n++) {
		const struct tx_frame *frame = frame_at(n);

		len = pad_of(*total) + RNDIS_LEAD(frame->csum_left) +
		      frame->p->tot_len;
		pieces += 1 + frame->pieces;
		/* Four bytes are kept for the end; one frame always fits. */
		if (n &&
		    (pieces > DCD_PIECES || *total + len > rndis.tx_max - 4))
			break;
		*total += len;
	}
	return n;
}

static void start(void)
{
	struct dcd_piece piece[DCD_PIECES];
	unsigned int i, n, count = 0;
	uint32_t total, pad = 0;

	if (tx.sending || !tx.count || !tx.endpoint)
		return;
	n = choose(&total);
	for (i = 0; i < n; i++) {
		struct tx_frame *frame = frame_at(i);
		uint32_t lead = RNDIS_LEAD(frame->csum_left),
			 len = frame->p->tot_len;
		const struct pbuf *q;

		/* Never a whole packet at the end: hosts take a packet of none for an error. */
		if (i == n - 1 && total % tx.maxpacket == 0)
			lead += 4;
		/* The padding of the message before it */
		piece[count].data = frame->lead;
		piece[count++].len = pad + lead;
		memset(frame->lead, 0, pad);
		rndis_header(frame->lead + pad, lead, len,
			     i == n - 1 ? 0 : pad_of(lead + len),
			     frame->csum_left);
		pad = pad_of(lead + len);
		for (q = frame->p; q; q = q->next) {
			piece[count].data = q->payload;
			piece[count++].len = q->len;
		}
	}
	tx.sending = n;
	net_stats.tx_transfers++;
	dcd_ep_send(tx.endpoint, piece, count, true);
}

/* Received payload that is sent on is kept here, too: see hold(). */
static void drop(struct tx_frame *frame)
{
	const struct pbuf *q;

	for (q = frame->p; q; q = q->next)
		if (rxbuf_is(q->payload))
			rxbuf_drop(q->payload, q->len);
	pbuf_free(frame->p);
}

/*
 * A segment that is sent twice may be acknowledged, and its payload given back, while
 * the second one still waits here.
 */
static void hold(const struct pbuf *p)
{
	for (; p; p = p->next)
		if (rxbuf_is(p->payload))
			rxbuf_hold(p->payload, p->len);
}

static struct pbuf *copy(struct pbuf *p, uint32_t *counter)
{
	struct pbuf *q = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);

	if (!q)
		return NULL;
	pbuf_copy(q, p);
	*counter += p->tot_len;
	return q;
}

/* The frame as it will be sent, with a reference of our own; NULL without memory. */
static struct pbuf *keep(struct pbuf *p)
{
#ifdef BOARD_COPY
	return copy(p, &net_stats.copied_tx);
#else
	if (pbuf_clen(p) > DCD_PIECES - 1)
		return copy(p, &net_stats.copied_pieces);
	pbuf_ref(p);
	return p;
#endif
}

static bool is_tcp(const struct pbuf *p)
{
	const uint8_t *frame = p->payload;

	return p->len > AT_PROTOCOL && frame[AT_TYPE] == 0x08 &&
	       !frame[AT_TYPE + 1] && frame[AT_PROTOCOL] == IP_PROTO_TCP;
}

err_t net_tx(struct netif *netif, struct pbuf *p)
{
	struct tx_frame *frame = frame_at(tx.count);

	(void)netif;
	if (!tx.endpoint || !rndis_up() ||
	    p->tot_len + (uint32_t)RNDIS_LEAD_MAX > rndis.tx_max) {
		net_stats.tx_errors++;
		return ERR_IF;
	}
	if (tx.count == BOARD_TX_FRAMES) {
		tx.refused = true;
		net_stats.tx_full++;
		return ERR_MEM;
	}
	p = keep(p);
	if (!p) {
		net_stats.tx_errors++;
		return ERR_MEM;
	}
	hold(p);
	frame->p = p;
	frame->pieces = pbuf_clen(p);
	frame->csum_left = rndis.to_host && is_tcp(p);
	tx.count++;
	net_stats.tx_messages++;
	net_stats.tx_bytes += p->tot_len;
	net_stats.tx_sum_left += frame->csum_left;
	start();
	return ERR_OK;
}

static void free_first(void)
{
	struct tx_frame *frame = frame_at(0);

	tx.first++;
	tx.count--;
	drop(frame);
}

void net_tx_done(void)
{
	for (; tx.sending; tx.sending--)
		free_first();
	start();
	if (tx.refused) {
		tx.refused = false;
		tcp_txnow();
	}
}

void net_tx_open(uint8_t endpoint, uint16_t maxpacket)
{
	tx.endpoint = endpoint;
	tx.maxpacket = maxpacket;
}

void net_tx_close(void)
{
	tx.endpoint = 0;
	tx.sending = 0;
	while (tx.count)
		free_first();
}
