// SPDX-License-Identifier: GPL-2.0
/*
 * From the host: transfers become frames that lie where they were received.
 */
#include <string.h>

#include "board.h"
#include "config.h"
#include "net.h"
#include "rxbuf.h"
#include "segment.h"

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
 * @transfer: being received; NULL while that waits for memory
 * @since: when it began to wait, board_ms()
 * @scarce: the last one came into the reserve
 * @frame: all frames
 * @free: those that nobody has
 * @fresh: of @frame, those from here on have never been used
 */
static struct rx {
	uint8_t endpoint;
	uint8_t *transfer;
	uint32_t since;
	bool scarce;
	struct rx_frame frame[BOARD_RX_FRAMES];
	struct rx_frame *free;
	unsigned int fresh;
} rx;

static void receive(uint8_t *memory)
{
	rx.transfer = memory;
	dcd_ep_receive(rx.endpoint, memory, BOARD_RX_TRANSFER);
}

static bool try(void)
{
	uint8_t *memory = rxbuf_get();

	if (!memory)
		return false;
	rx.scarce = false;
	receive(memory);
	return true;
}

/* What is kept is given back when it is acknowledged, and that has to be received, too. */
static void receive_in_reserve(void)
{
	rx.scarce = true;
	net_stats.rx_reserve++;
	receive(rxbuf_reserve());
}

static void begin(void)
{
	if (try())
		return;
	if (rx.scarce) {
		receive_in_reserve();
		return;
	}
	rx.transfer = NULL;
	net_stats.rx_waits++;
	rx.since = board_ms();
}

static void free_frame(struct pbuf *p)
{
	struct rx_frame *frame = (struct rx_frame *)p;

	rxbuf_drop(frame->data, frame->len);
	frame->next = rx.free;
	rx.free = frame;
}

static void forget_frame(struct pbuf *p)
{
	(void)p;
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

static uint16_t checks_of(const struct rndis_frame *frame)
{
	return frame->csum_left ? NET_CHECK_LEFT : NET_CHECK_ALL;
}

/* Into memory of lwIP's */
static struct pbuf *copy(const struct rndis_frame *frame, uint32_t *counter)
{
	struct pbuf *p = NULL;

	if (net_heap_free() >= BOARD_HEAP_RESERVE + frame->len)
		p = pbuf_alloc(PBUF_RAW, frame->len, PBUF_RAM);
	if (!p) {
		net_stats.rx_no_frame++;
		return NULL;
	}
	memcpy(p->payload, frame->data, frame->len);
	*counter += frame->len;
	return p;
}

#ifdef BOARD_COPY
/* As most firmware does it: out of the transfer. */
static void take(const struct rndis_frame *frame)
{
	struct pbuf *p = copy(frame, &net_stats.copied_rx);

	if (p)
		net_deliver(p, checks_of(frame));
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

/* Of what nobody keeps, there is one at a time. */
static struct pbuf *frame_in_reserve(const struct rndis_frame *frame)
{
	static struct pbuf_custom custom;

	custom.custom_free_function = forget_frame;
	return pbuf_alloced_custom(PBUF_RAW, frame->len, PBUF_REF, &custom,
				   frame->data, frame->len);
}

/* TCP, which keeps payload only, from where it is; all else from lwIP's memory. */
static void take_from_reserve(const struct rndis_frame *frame)
{
	const uint8_t *data = frame->data;
	uint32_t len;
	struct pbuf *p;

	if (!segment_is(data, frame->len)) {
		p = copy(frame, &net_stats.copied_low);
		if (p)
			net_deliver(p, checks_of(frame));
		return;
	}
	len = segment_len(data);
	if (len <= segment_headers(data)) {
		net_deliver(frame_in_reserve(frame), checks_of(frame));
	} else if (len > frame->len ||
		   !segment_sums_good(data, len, frame->csum_left)) {
		net_stats.rx_bad_sum++;
	} else {
		net_stats.rx_payload_left++;
		segment_without_payload(frame_in_reserve(frame));
	}
}

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
		else if (rndis_up() && rx.scarce)
			take_from_reserve(&frame);
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

	net_stats.rx_transfers++;
	if (rx.scarce) {
		take_apart(transfer, len);
		begin();
		return;
	}
	/* The bus goes on meanwhile, behind what has come: free blocks stay together. */
	rxbuf_trim(transfer, len);
	begin();
	take_apart(transfer, len);
	rxbuf_drop(transfer, len);
}

bool net_rx_poll(void)
{
	if (!rx.endpoint || rx.transfer)
		return false;
	if (try())
		return true;
	if (board_ms() - rx.since < BOARD_RX_PATIENCE)
		return false;
	receive_in_reserve();
	return true;
}

void net_rx_open(uint8_t endpoint)
{
	rx.endpoint = endpoint;
	begin();
}

void net_rx_close(void)
{
	if (rx.transfer && !rx.scarce)
		rxbuf_trim(rx.transfer, 0);
	rx.scarce = false;
	rx.transfer = NULL;
	rx.endpoint = 0;
}
