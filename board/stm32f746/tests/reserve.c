// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving when memory is short: what is in the reserve's transfer is given to lwIP
 * without being kept.
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

#define RUNS (BOARD_RX_BLOCKS / BOARD_RX_RUN)
#define DELIVERED_MAX 8
#define DATA_MAX 200
#define LEAD 44

struct net_stats net_stats;
struct rndis rndis;
struct tcp_pcb *tcp_active_pcbs;

static struct tcp_pcb pcb = { .remote_port = 1, .local_port = 7, .lastack = 5 };
static uint8_t *run[RUNS];
static uint32_t now;

/* The transfer that the endpoint has, and the frame that it is to carry */
static uint8_t *transfer;
static struct rndis_frame sent;
static bool sent_ready;

/* What lwIP was given, which has freed it: it keeps nothing that is in the reserve. */
static struct {
	const uint8_t *payload;
	uint8_t data[DATA_MAX];
	uint16_t len;
	uint16_t checks;
} delivered[DELIVERED_MAX];
static unsigned int count, joined;

void net_deliver(struct pbuf *p, uint16_t checks)
{
	delivered[count].payload = p->payload;
	delivered[count].len = p->tot_len;
	delivered[count].checks = checks;
	check_equal(pbuf_copy_partial(p, delivered[count].data, DATA_MAX, 0),
		    p->tot_len);
	count++;
	pbuf_free(p);
}

void gro_add(struct pbuf *p, bool csum_left)
{
	(void)csum_left;
	joined++;
	pbuf_free(p);
}

void gro_flush(void)
{
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
	return now;
}

void dcd_ep_receive(uint8_t address, void *data, uint32_t len)
{
	check(address == 1 && len == BOARD_RX_TRANSFER);
	transfer = data;
}

enum rndis_next rndis_next(uint8_t *data, uint32_t len, uint32_t *at,
			   struct rndis_frame *frame)
{
	(void)data;
	(void)len;
	(void)at;
	if (!sent_ready)
		return RNDIS_END;
	sent_ready = false;
	*frame = sent;
	return RNDIS_FRAME;
}

/* All memory is held, and the host's transfer goes to the reserve. */
static void begin(void)
{
	unsigned int i;

	memset(&net_stats, 0, sizeof(net_stats));
	count = 0;
	joined = 0;
	rndis.initialized = true;
	rndis.filter = 1;
	IP4_ADDR(&pcb.remote_ip, 10, 77, 0, 2);
	tcp_active_pcbs = &pcb;
	for (i = 0; i < RUNS; i++)
		run[i] = rxbuf_get();
	transfer = NULL;
	net_rx_open(1);
	check(!transfer && !net_rx_poll());
	now += BOARD_RX_PATIENCE;
	check(net_rx_poll());
	check(transfer == rxbuf_reserve());
}

static void end(void)
{
	unsigned int i;

	net_rx_close();
	tcp_active_pcbs = NULL;
	for (i = 0; i < RUNS; i++)
		rxbuf_drop(run[i], BOARD_RX_TRANSFER);
	check_equal(rxbuf_free(), BOARD_RX_BLOCKS);
	check_equal(lwip_stats.mem.used, 0);
}

/* The transfer comes, with that frame in it; the next one has the reserve again. */
static void receive(uint32_t len, bool csum_left)
{
	sent = (struct rndis_frame){ transfer + LEAD, len, csum_left };
	sent_ready = true;
	transfer = NULL;
	net_rx_done(LEAD + len);
	check(!sent_ready && transfer == rxbuf_reserve());
}

static uint8_t *segment(uint32_t ack, uint8_t flags, uint32_t len)
{
	put_segment(transfer + LEAD, 1, 1000, ack, flags, len);
	return transfer + LEAD;
}

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* TCP keeps payload: there is none, where the frame lies, and what it says counts. */
static void payload_is_left(void)
{
	const uint8_t *frame;

	begin();
	frame = segment(6, TCP_ACK | TCP_PSH | TCP_FIN, 100);
	receive(154, false);
	check_equal(count, 1);
	check(delivered[0].payload == frame);
	check_equal(delivered[0].len, 54);
	check_equal(get16(delivered[0].data + 16), 40);
	check_equal(delivered[0].data[47], TCP_ACK);
	/* All sums have been looked at, and are not right any more. */
	check_equal(delivered[0].checks, 0);
	check_equal(net_stats.rx_payload_left, 1);
	check_equal(net_stats.copied_low, 0);
	end();
}

static void what_says_nothing_new_is_forgotten(void)
{
	begin();
	segment(5, TCP_ACK, 100);
	receive(154, false);
	segment(6, TCP_ACK | TCP_RST, 100);
	receive(154, false);
	check_equal(count, 0);
	check_equal(net_stats.rx_payload_left, 2);
	end();
}

/* Nobody keeps anything of these; lwIP looks at their sums. */
static void without_payload_it_is_as_it_came(void)
{
	const uint8_t *frame;

	begin();
	frame = segment(6, TCP_ACK | TCP_FIN, 0);
	/* Ethernet's shortest frame: what is behind it is no payload. */
	receive(60, false);
	check_equal(count, 1);
	check(delivered[0].payload == frame);
	check_equal(delivered[0].len, 60);
	check_equal(delivered[0].data[47], TCP_ACK | TCP_FIN);
	check_equal(delivered[0].checks, NET_CHECK_ALL);
	segment(6, TCP_ACK, 0);
	receive(54, true);
	check_equal(count, 2);
	check_equal(delivered[1].checks, NET_CHECK_LEFT);
	/* It says that it ends in its headers. */
	put16(segment(6, TCP_ACK, 100) + 16, 39);
	receive(154, false);
	check_equal(count, 3);
	check_equal(net_stats.rx_payload_left + net_stats.rx_bad_sum, 0);
	check_equal(net_stats.copied_low, 0);
	end();
}

static void wrong_sums_are_dropped(void)
{
	begin();
	segment(6, TCP_ACK, 100)[100] ^= 1;
	receive(154, false);
	segment(6, TCP_ACK, 100)[22] ^= 1;
	receive(154, false);
	check_equal(net_stats.rx_bad_sum, 2);
	/* Left out, TCP's is nobody's business, but the header's own is. */
	segment(6, TCP_ACK, 100)[22] ^= 1;
	receive(154, true);
	check_equal(net_stats.rx_bad_sum, 3);
	check_equal(count, 0);
	check_equal(net_stats.rx_payload_left, 0);
	segment(6, TCP_ACK, 100)[50] ^= 1;
	receive(154, true);
	check_equal(net_stats.rx_bad_sum, 3);
	check_equal(count, 1);
	end();
}

/* Longer than what has come: what is behind that would make the sums good. */
static void cut_off_it_is_dropped(void)
{
	begin();
	segment(6, TCP_ACK, 100);
	receive(153, false);
	check_equal(count, 0);
	check_equal(net_stats.rx_bad_sum, 1);
	check_equal(net_stats.rx_payload_left, 0);
	/* One that is longer than what it says is all right. */
	segment(6, TCP_ACK, 100);
	receive(155, false);
	check_equal(count, 1);
	check_equal(delivered[0].len, 54);
	check_equal(net_stats.rx_payload_left, 1);
	end();
}

/* Whoever is given it may keep it: it is not in the reserve any more. */
static void all_else_is_copied(void)
{
	static const struct {
		uint8_t at;
		uint8_t value;
	} change[] = { { 12, 0x86 }, { 14, 0x46 }, { 20, 0x20 }, { 23, 17 } };
	unsigned int i;
	uint8_t *frame;

	begin();
	for (i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		frame = segment(6, TCP_ACK, 100);
		frame[change[i].at] = change[i].value;
		receive(154, i & 1);
		check_equal(count, i + 1);
		check(delivered[i].payload != frame);
		check_equal(delivered[i].len, 154);
		check(!memcmp(delivered[i].data, frame, 154));
		check_equal(delivered[i].checks,
			    i & 1 ? NET_CHECK_LEFT : NET_CHECK_ALL);
	}
	/* Too short for headers */
	segment(6, TCP_ACK, 0);
	receive(53, false);
	check_equal(count, 5);
	check_equal(net_stats.copied_low, 4 * 154 + 53);
	check_equal(net_stats.copied_rx, 0);
	check_equal(net_stats.rx_payload_left, 0);
	end();
}

static void without_heap_it_is_counted(void)
{
	uint32_t used;

	begin();
	used = lwip_stats.mem.used;
	lwip_stats.mem.used = MEM_SIZE - BOARD_HEAP_RESERVE - 153;
	segment(6, TCP_ACK, 100)[23] = 17;
	receive(154, false);
	check_equal(count, 0);
	check_equal(net_stats.rx_no_frame, 1);
	check_equal(net_stats.copied_low, 0);
	/* What is not copied needs none. */
	segment(6, TCP_ACK, 100);
	receive(154, false);
	check_equal(count, 1);
	lwip_stats.mem.used = used;
	end();
}

static void afterwards_frames_are_kept_again(void)
{
	begin();
	rxbuf_drop(run[0], BOARD_RX_TRANSFER);
	sent_ready = false;
	net_rx_done(0);
	check(rxbuf_is(transfer));
	segment(6, TCP_ACK, 100);
	sent = (struct rndis_frame){ transfer + LEAD, 154, false };
	sent_ready = true;
	net_rx_done(LEAD + 154);
	check_equal(joined, 1);
	check_equal(count, 0);
	check_equal(net_stats.rx_payload_left, 0);
	net_rx_close();
	run[0] = rxbuf_get();
	end();
}

int main(void)
{
	mem_init();
	memp_init();
	UNIT_PLAN(8);
	UNIT_RUN(payload_is_left);
	UNIT_RUN(what_says_nothing_new_is_forgotten);
	UNIT_RUN(without_payload_it_is_as_it_came);
	UNIT_RUN(wrong_sums_are_dropped);
	UNIT_RUN(cut_off_it_is_dropped);
	UNIT_RUN(all_else_is_copied);
	UNIT_RUN(without_heap_it_is_counted);
	UNIT_RUN(afterwards_frames_are_kept_again);
	return UNIT_DONE();
}
