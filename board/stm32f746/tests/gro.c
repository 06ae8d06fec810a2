// SPDX-License-Identifier: GPL-2.0
/*
 * Joining segments: what goes to lwIP, in which order, and with which headers.
 */
#include "board.h"
#include "config.h"
#include "lwip/mem.h"
#include "lwip/memp.h"
#include "lwip/stats.h"
#include "lwip/prot/tcp.h"
#include "lwip/tcp.h"
#include "net/net.h"
#include "net/rxbuf.h"
#include "net/segment.h"
#include "tests/segments.h"
#include "tests/unit.h"

#define DELIVERED_MAX 64

struct net_stats net_stats;
struct tcp_pcb *tcp_active_pcbs;

static struct {
	struct pbuf *p;
	uint16_t checks;
} delivered[DELIVERED_MAX];
static unsigned int count;

void net_deliver(struct pbuf *p, uint16_t checks)
{
	delivered[count].p = p;
	delivered[count++].checks = checks;
}

void board_log(const char *format, ...)
{
	(void)format;
}

_Noreturn void board_fail(const char *why)
{
	printf("Bail out! %s\n", why);
	abort();
}

uint32_t board_ms(void)
{
	return 0;
}

static uint16_t get16(const struct pbuf *p, unsigned int at)
{
	const uint8_t *data = p->payload;

	return data[at] << 8 | data[at + 1];
}

static uint32_t get32(const struct pbuf *p, unsigned int at)
{
	return (uint32_t)get16(p, at) << 16 | get16(p, at + 2);
}

/* A segment of a flow */
static struct pbuf *segment(uint16_t port, uint32_t seq, uint32_t ack,
			    uint8_t flags, uint32_t len)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, 54 + len, PBUF_RAM);

	put_segment(p->payload, port, seq, ack, flags, len);
	return p;
}

static void add(uint16_t port, uint32_t seq, uint32_t ack, uint8_t flags,
		uint32_t len)
{
	gro_add(segment(port, seq, ack, flags, len), false);
}

static void begin(void)
{
	/* As if there were enough memory */
	uint8_t *run = rxbuf_get();

	rxbuf_drop(run, BOARD_RX_TRANSFER);
	memset(&net_stats, 0, sizeof(net_stats));
	count = 0;
}

static void end(void)
{
	while (count)
		pbuf_free(delivered[--count].p);
	check_equal(lwip_stats.mem.used, 0);
}

static bool is_payload(const struct pbuf *p, uint32_t seq)
{
	uint32_t at;

	for (at = 54; at < p->tot_len; at++)
		if (pbuf_get_at(p, at) != (uint8_t)(seq + at - 54))
			return false;
	return true;
}

static void what_continues_is_joined(void)
{
	begin();
	add(1, 1000, 1, TCP_ACK, 100);
	add(1, 1100, 2, TCP_ACK, 33);
	add(1, 1133, 5, TCP_ACK | TCP_PSH, 500);
	check_equal(count, 0);
	gro_flush();
	check_equal(count, 1);
	check_equal(net_stats.rx_joined, 2);
	check_equal(delivered[0].p->tot_len, 54 + 633);
	check_equal(get16(delivered[0].p, 16), 40 + 633);
	check(is_payload(delivered[0].p, 1000));
	/* The newest word about the other direction */
	check_equal(get32(delivered[0].p, 38), 1000);
	check_equal(get32(delivered[0].p, 42), 5);
	check_equal(get16(delivered[0].p, 48), 1005);
	check_equal(((uint8_t *)delivered[0].p->payload)[47],
		    TCP_ACK | TCP_PSH);
	/* Its sums have been checked; the header's is no longer right. */
	check_equal(delivered[0].checks, 0);
	end();
}

static void what_does_not_is_not(void)
{
	begin();
	add(1, 1000, 1, TCP_ACK, 100);
	add(1, 1101, 1, TCP_ACK, 100);
	add(1, 1201, 0, TCP_ACK, 100);
	add(1, 1000, 1, TCP_ACK, 100);
	gro_flush();
	check_equal(count, 4);
	check_equal(net_stats.rx_joined, 0);
	check_equal(get32(delivered[1].p, 38), 1101);
	check_equal(get32(delivered[3].p, 38), 1000);
	end();
}

static void numbers_wrap(void)
{
	begin();
	add(1, 0xffffffce, 0xfffffffe, TCP_ACK, 100);
	add(1, 50, 3, TCP_ACK, 100);
	gro_flush();
	check_equal(count, 1);
	check_equal(get32(delivered[0].p, 42), 3);
	end();
}

static void flows_side_by_side(void)
{
	unsigned int i;

	begin();
	for (i = 0; i < 3; i++) {
		add(1, 1000 + 100 * i, 1, TCP_ACK, 100);
		add(2, 2000 + 100 * i, 1, TCP_ACK, 100);
		add(3, 3000 + 100 * i, 1, TCP_ACK, 100);
	}
	gro_flush();
	check_equal(count, 3);
	for (i = 0; i < 3; i++)
		check(delivered[i].p->tot_len == 354 &&
		      is_payload(delivered[i].p, 1000 * (i + 1)));
	end();
	/* More than there is room for: nothing is lost. */
	begin();
	for (i = 0; i < 20; i++)
		add(10 + i, 1000, 1, TCP_ACK, 10);
	gro_flush();
	check_equal(count, 20);
	end();
}

/* An acknowledgment, a FIN, options: after what came before it, as it is. */
static void order_stays(void)
{
	begin();
	add(1, 1000, 1, TCP_ACK, 100);
	add(2, 2000, 1, TCP_ACK, 100);
	add(1, 1100, 2, TCP_ACK, 0);
	check_equal(count, 2);
	check_equal(get32(delivered[0].p, 38), 1000);
	check_equal(delivered[1].p->tot_len, 54);
	check(delivered[1].checks & NETIF_CHECKSUM_CHECK_TCP);
	add(1, 1100, 2, TCP_ACK, 100);
	add(1, 1200, 2, TCP_ACK | TCP_FIN, 100);
	check_equal(count, 4);
	check_equal(get32(delivered[3].p, 38), 1200);
	gro_flush();
	check_equal(count, 5);
	end();
}

static void wrong_sums(void)
{
	struct pbuf *p;

	begin();
	p = segment(1, 1000, 1, TCP_ACK, 99);
	((uint8_t *)p->payload)[100] ^= 1;
	gro_add(p, false);
	p = segment(1, 1000, 1, TCP_ACK, 99);
	((uint8_t *)p->payload)[22] ^= 1;
	gro_add(p, false);
	gro_flush();
	check_equal(count, 0);
	check_equal(net_stats.rx_bad_sum, 2);
	/* Left out, it is nobody's business, but the header's own is. */
	p = segment(1, 1000, 1, TCP_ACK, 99);
	((uint8_t *)p->payload)[50] ^= 1;
	gro_add(p, true);
	p = segment(1, 1099, 1, TCP_ACK, 99);
	((uint8_t *)p->payload)[22] ^= 1;
	gro_add(p, true);
	gro_flush();
	check_equal(count, 1);
	check_equal(net_stats.rx_bad_sum, 3);
	end();
}

/* What is no plain segment is lwIP's to look at: lengths that lie, fragments, other things. */
static void other_frames(void)
{
	static const struct {
		uint8_t at;
		uint8_t value;
	} change[] = { { 12, 0x86 },
		       { 14, 0x46 },
		       { 17, 1 },
		       { 20, 0x20 },
		       { 21, 1 },
		       { 23, 17 },
		       { 46, 0x60 },
		       { 47, TCP_ACK | TCP_SYN },
		       { 47, TCP_ACK | TCP_URG } };
	unsigned int i;

	begin();
	for (i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		struct pbuf *p = segment(1, 1000 + i, 1, TCP_ACK, 100);

		((uint8_t *)p->payload)[change[i].at] = change[i].value;
		gro_add(p, false);
		check_equal(count, i + 1);
		check(delivered[i].checks & NETIF_CHECKSUM_CHECK_TCP);
	}
	/* Short ones of every length */
	for (i = 14; i < 54; i++) {
		struct pbuf *p = segment(1, 1000, 1, TCP_ACK, 0);

		pbuf_realloc(p, i);
		gro_add(p, true);
		check_equal(count, 10);
		check(!(delivered[9].checks & NETIF_CHECKSUM_CHECK_TCP));
		pbuf_free(delivered[--count].p);
	}
	end();
}

/* What is acknowledged with payload that is not wanted counts, once. */
static void without_payload(void)
{
	struct tcp_pcb pcb = { .remote_port = 1, .local_port = 7 };

	begin();
	IP4_ADDR(&pcb.remote_ip, 10, 77, 0, 2);
	pcb.lastack = 5;
	tcp_active_pcbs = &pcb;
	segment_without_payload(segment(1, 1000, 5, TCP_ACK, 100));
	segment_without_payload(segment(1, 1000, 4, TCP_ACK, 100));
	segment_without_payload(segment(2, 1000, 9, TCP_ACK, 100));
	segment_without_payload(segment(1, 1000, 9, TCP_ACK | TCP_RST, 100));
	check_equal(count, 0);
	segment_without_payload(segment(1, 1000, 6, TCP_ACK | TCP_PSH | TCP_FIN, 100));
	tcp_active_pcbs = NULL;
	check_equal(count, 1);
	check_equal(delivered[0].p->tot_len, 54);
	check_equal(get16(delivered[0].p, 16), 40);
	check_equal(get32(delivered[0].p, 42), 6);
	/* The FIN is behind the payload. */
	check_equal(((uint8_t *)delivered[0].p->payload)[47], TCP_ACK);
	end();
}

/* Only while memory is short, and not from those whose peers read */
static void who_keeps_too_much(void)
{
	struct tcp_pcb pcb = { .remote_port = 1, .local_port = 7 };
	uint8_t *run[BOARD_RX_BLOCKS / BOARD_RX_RUN];
	unsigned int i, n = 0;

	begin();
	IP4_ADDR(&pcb.remote_ip, 10, 77, 0, 2);
	tcp_active_pcbs = &pcb;
	pcb.snd_buf = TCP_SND_BUF - BOARD_RX_LEAST - 1;
	add(1, 1000, 0, TCP_ACK, 100);
	check_equal(net_stats.rx_kept_too_much, 0);
	do
		run[n++] = rxbuf_get();
	while (rxbuf_runs() >= BOARD_RX_LOW);
	pcb.snd_wnd = 0xffff;
	add(1, 1100, 0, TCP_ACK, 100);
	check_equal(net_stats.rx_kept_too_much, 0);
	pcb.snd_wnd = BOARD_RX_LEAST;
	add(1, 1200, 0, TCP_ACK, 100);
	check_equal(net_stats.rx_kept_too_much, 1);
	/* Another connection's is nobody's business. */
	add(2, 1200, 0, TCP_ACK, 100);
	check_equal(net_stats.rx_kept_too_much, 1);
	while (rxbuf_runs() >= BOARD_RX_RESERVE)
		run[n++] = rxbuf_get();
	pcb.snd_wnd = 0xffff;
	add(1, 1200, 0, TCP_ACK, 100);
	check_equal(net_stats.rx_kept_too_much, 2);
	pcb.snd_buf++;
	add(1, 1200, 0, TCP_ACK, 100);
	check_equal(net_stats.rx_kept_too_much, 2);
	tcp_active_pcbs = NULL;
	for (i = 0; i < n; i++)
		rxbuf_drop(run[i], BOARD_RX_TRANSFER);
	gro_flush();
	end();
}

int main(void)
{
	mem_init();
	memp_init();
	UNIT_PLAN(9);
	UNIT_RUN(what_continues_is_joined);
	UNIT_RUN(what_does_not_is_not);
	UNIT_RUN(numbers_wrap);
	UNIT_RUN(flows_side_by_side);
	UNIT_RUN(order_stays);
	UNIT_RUN(wrong_sums);
	UNIT_RUN(other_frames);
	UNIT_RUN(without_payload);
	UNIT_RUN(who_keeps_too_much);
	return UNIT_DONE();
}
