// SPDX-License-Identifier: GPL-2.0
/*
 * TCP echo: what was received is sent from where it lies, and given back when the
 * peer has acknowledged it.  Only then the window opens again: a client that does not
 * read is not sent for.
 */
#include "board.h"
#include "config.h"
#include "lwip/mem.h"
#include "net/net.h"
#include "net/rxbuf.h"
#include "services.h"

/* Pieces that a connection keeps at most */
#define KEPT_MAX 32

/**
 * struct kept - payload that is not acknowledged
 * @p: where it lies; NULL when it has been copied into lwIP's memory
 * @len: bytes
 */
struct kept {
	struct pbuf *p;
	uint32_t len;
};

/**
 * struct echo - a connection
 * @kept: a ring: written, in order
 * @first: of @kept, the oldest
 * @count: how many there are
 * @acked: bytes of the oldest that are acknowledged
 * @lent: bytes that lie where they were received
 * @withheld: bytes by which the window could be wider
 * @pending: received, and not written for want of memory
 * @closing: the client has sent all
 */
struct echo {
	struct kept kept[KEPT_MAX];
	unsigned int first;
	unsigned int count;
	uint32_t acked;
	uint32_t lent;
	uint32_t withheld;
	struct pbuf *pending;
	bool closing;
};

static struct kept *kept_at(struct echo *echo, unsigned int i)
{
	return &echo->kept[(echo->first + i) % KEPT_MAX];
}

static void forget(struct echo *echo)
{
	for (; echo->count; echo->count--, echo->first++)
		if (kept_at(echo, 0)->p)
			pbuf_free(kept_at(echo, 0)->p);
	if (echo->pending)
		pbuf_free(echo->pending);
	mem_free(echo);
	service_stats.echo_connections--;
}

static err_t write_copy(struct echo *echo, struct tcp_pcb *pcb,
			const struct pbuf *p, uint32_t *counter)
{
	struct kept *last = echo->count ? kept_at(echo, echo->count - 1) : NULL;
	err_t err;

	if (((!last || last->p) && echo->count == KEPT_MAX) ||
	    net_heap_free() < BOARD_HEAP_LOW)
		return ERR_MEM;
	err = tcp_write(pcb, p->payload, p->len, TCP_WRITE_FLAG_COPY);
	if (err != ERR_OK)
		return err;
	*counter += p->len;
	if (!last || last->p) {
		last = kept_at(echo, echo->count++);
		last->p = NULL;
		last->len = 0;
	}
	last->len += p->len;
	return ERR_OK;
}

static err_t write_lent(struct echo *echo, struct tcp_pcb *pcb, struct pbuf *p)
{
	err_t err;

	/* Headers want memory, too. */
	if (echo->count == KEPT_MAX || net_heap_free() < BOARD_HEAP_RESERVE)
		return ERR_MEM;
	err = tcp_write(pcb, p->payload, p->len, 0);
	if (err != ERR_OK)
		return err;
	*kept_at(echo, echo->count++) = (struct kept){ p, p->len };
	echo->lent += p->len;
	return ERR_OK;
}

/* One pbuf of those received, which are no chain any more; takes it when it succeeds. */
static err_t write_one(struct echo *echo, struct tcp_pcb *pcb, struct pbuf *p)
{
	uint32_t share = rxbuf_runs() < BOARD_RX_SHORT ? 0 : BOARD_RX_SHARE;
	uint32_t *counter = &net_stats.copied_low;
	err_t err;

	if (!rxbuf_is(p->payload))
		counter = &net_stats.copied_tx;
	else if (p->len < BOARD_RX_SMALL)
		counter = &net_stats.copied_small;
	else if (rxbuf_runs() >= BOARD_RX_LOW || echo->lent + p->len <= share)
		return write_lent(echo, pcb, p);

	err = write_copy(echo, pcb, p, counter);
	if (err == ERR_OK) {
		pbuf_free(p);
		return ERR_OK;
	}
	/* It is there anyway, and goes away only when it has been sent. */
	return write_lent(echo, pcb, p);
}

/* Writes what is pending, as far as there is memory. */
static void write_all(struct echo *echo, struct tcp_pcb *pcb)
{
	struct pbuf *p, *rest;

	while ((p = echo->pending)) {
		uint32_t len = p->len;

		/* Each on its own, so that each can be given back when its time has come. */
		rest = p->next;
		p->next = NULL;
		p->tot_len = p->len;
		if (write_one(echo, pcb, p) != ERR_OK) {
			if (rest)
				pbuf_cat(p, rest);
			return;
		}
		service_stats.echo_tcp += len;
		echo->pending = rest;
	}
}

static err_t close_if_done(struct echo *echo, struct tcp_pcb *pcb)
{
	if (!echo->closing || echo->count || echo->pending)
		return ERR_OK;
	/* Closed with a narrow window, lwIP would believe that data were not read. */
	tcp_recved(pcb, echo->withheld);
	forget(echo);
	return service_close(pcb);
}

static err_t receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct echo *echo = arg;

	(void)err;
	if (!p) {
		echo->closing = true;
		return close_if_done(echo, pcb);
	}
	service_acknowledge(pcb, p);
	if (echo->pending)
		pbuf_cat(echo->pending, p);
	else
		echo->pending = p;
	write_all(echo, pcb);
	return ERR_OK;
}

/* The client may send as much again, or less while memory is short. */
static void widen(struct echo *echo, struct tcp_pcb *pcb)
{
	uint32_t len = echo->withheld, room;

	if (rxbuf_runs() < BOARD_RX_LOW ||
	    net_heap_free() < 2 * BOARD_HEAP_LOW) {
		room = pcb->rcv_wnd < BOARD_RX_LEAST ?
			       BOARD_RX_LEAST - pcb->rcv_wnd :
			       0;
		len = len < room ? len : room;
	}
	if (!len)
		return;
	echo->withheld -= len;
	tcp_recved(pcb, len);
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct echo *echo = arg;

	echo->acked += len;
	while (echo->count && echo->acked >= kept_at(echo, 0)->len) {
		struct kept *oldest = kept_at(echo, 0);

		echo->acked -= oldest->len;
		if (oldest->p) {
			pbuf_free(oldest->p);
			echo->lent -= oldest->len;
		}
		echo->first++;
		echo->count--;
	}
	echo->withheld += len;
	widen(echo, pcb);
	write_all(echo, pcb);
	return close_if_done(echo, pcb);
}

static err_t poll(void *arg, struct tcp_pcb *pcb)
{
	widen(arg, pcb);
	write_all(arg, pcb);
	return ERR_OK;
}

static void broken(void *arg, err_t err)
{
	(void)err;
	forget(arg);
}

static err_t accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct echo *echo;

	(void)arg;
	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	echo = service_stats.echo_connections < BOARD_ECHOES ?
		       mem_calloc(1, sizeof(*echo)) :
		       NULL;
	if (!echo) {
		service_stats.refused++;
		return ERR_MEM;
	}
	service_stats.echo_connections++;
	tcp_arg(pcb, echo);
	tcp_recv(pcb, receive);
	tcp_sent(pcb, sent);
	tcp_poll(pcb, poll, 2);
	tcp_err(pcb, broken);
	return ERR_OK;
}

void echo_init(void)
{
	service_listen(PORT_ECHO, accept);
}
