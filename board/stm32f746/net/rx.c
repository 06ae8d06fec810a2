// SPDX-License-Identifier: GPL-2.0
/*
 * From the host: transfers become frames that lie where they were received.
 */
#include <string.h>

#include "board.h"
#include "config.h"
#include "lwip/priv/tcp_priv.h"
#include "net.h"
#include "rxbuf.h"

/* With a VLAN tag */
#define FRAME_MAX 1518

/**
 * struct rx_frame - a frame in a transfer, as lwIP has it
 * @custom: its pbuf
 * @data: all of it, whatever lwIP has taken off
 * @len: bytes of @data
 * @next: when it is free
 */
struct rx_frame {
	struct pbuf_custom custom;
	uint8_t *data;
	uint32_t len;
	struct rx_frame *next;
};

/**
 * struct rx - receiving
 * @endpoint: open; 0 when not
 * @transfer: being received
 * @since: when there was no memory to receive one, board_ms()
 * @frame: all frames
 * @free: those that nobody has
 * @fresh: of @frame, those from here on have never been used
 */
static struct rx {
	uint8_t endpoint;
	uint8_t *transfer;
	uint32_t since;
	struct rx_frame frame[BOARD_RX_FRAMES];
	struct rx_frame *free;
	unsigned int fresh;
} rx;

static bool try(void)
{
	rx.transfer = rxbuf_get();
	if (!rx.transfer)
		return false;
	dcd_ep_receive(rx.endpoint, rx.transfer, BOARD_RX_TRANSFER);
	return true;
}

static void begin(void)
{
	if (try())
		return;
	net_stats.rx_waits++;
	rx.since = board_ms();
}

/* Nothing comes in any more; the peer that does not read what is sent to it has to go. */
static void cut_off(void)
{
	struct tcp_pcb *pcb, *most = tcp_active_pcbs;

	for (pcb = most; pcb; pcb = pcb->next)
		if (pcb->snd_buf < most->snd_buf)
			most = pcb;
	if (!most)
		return;
	net_stats.rx_cut_off++;
	tcp_abort(most);
}

static void free_frame(struct pbuf *p)
{
	struct rx_frame *frame = (struct rx_frame *)p;

	rxbuf_drop(frame->data, frame->len);
	frame->next = rx.free;
	rx.free = frame;
}

struct pbuf *net_frame(uint8_t *data, uint32_t len)
{
	struct rx_frame *frame = rx.free;

	if (frame)
		rx.free = frame->next;
	else if (rx.fresh < BOARD_RX_FRAMES)
		frame = &rx.frame[rx.fresh++];
	else
		return NULL;
	frame->custom.custom_free_function = free_frame;
	frame->data = data;
	frame->len = len;
	rxbuf_hold(data, len);
	return pbuf_alloced_custom(PBUF_RAW, len, PBUF_REF, &frame->custom,
				   data, len);
}

#ifdef BOARD_COPY
/* As most firmware does it: out of the transfer, into memory of lwIP's. */
static void take(const struct rndis_frame *frame)
{
	uint16_t checks = NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_ICMP;
	struct pbuf *p = pbuf_alloc(PBUF_RAW, frame->len, PBUF_RAM);

	if (!p) {
		net_stats.rx_no_frame++;
		return;
	}
	memcpy(p->payload, frame->data, frame->len);
	net_stats.copied_rx += frame->len;
	if (!frame->csum_left)
		checks |= NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
	net_deliver(p, checks);
}
#else
static void take(const struct rndis_frame *frame)
{
	struct pbuf *p = net_frame(frame->data, frame->len);

	if (p)
		gro_add(p, frame->csum_left);
	else
		net_stats.rx_no_frame++;
}
#endif

static void take_apart(uint8_t *data, uint32_t len)
{
	struct rndis_frame frame;
	enum rndis_next next;
	uint32_t at = 0;

	while ((next = rndis_next(data, len, &at, &frame)) == RNDIS_FRAME) {
		net_stats.rx_messages++;
		net_stats.rx_bytes += frame.len;
		net_stats.rx_sum_left += frame.csum_left;
		if (frame.len > FRAME_MAX)
			net_stats.rx_too_long++;
		else if (rndis_up())
			take(&frame);
	}
	/* Nobody knows where the next one would begin. */
	if (next == RNDIS_MALFORMED)
		net_stats.rx_malformed++;
	gro_flush();
}

void net_rx_done(uint32_t len)
{
	uint8_t *transfer = rx.transfer;

	/* The bus goes on meanwhile, behind what has come: free blocks stay together. */
	rxbuf_trim(transfer, len);
	begin();
	net_stats.rx_transfers++;
	take_apart(transfer, len);
	rxbuf_drop(transfer, len);
}

bool net_rx_poll(void)
{
	if (!rx.endpoint || rx.transfer)
		return false;
	if (try())
		return true;
	if (board_ms() - rx.since >= BOARD_RX_PATIENCE) {
		cut_off();
		rx.since = board_ms();
	}
	return false;
}

void net_rx_open(uint8_t endpoint)
{
	rx.endpoint = endpoint;
	begin();
}

void net_rx_close(void)
{
	if (rx.transfer)
		rxbuf_trim(rx.transfer, 0);
	rx.transfer = NULL;
	rx.endpoint = 0;
}
