// SPDX-License-Identifier: GPL-2.0
/*
 * The status page: plain text, a name and a number on each line, whatever is asked.
 */
#include "board.h"
#include "config.h"
#include "lwip/stats.h"
#include "net/net.h"
#include "net/rxbuf.h"
#include "services.h"
#include "text.h"

#define PAGE_MAX 3072

static const char header[] =
	"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
	"Cache-Control: no-store\r\nConnection: close\r\n\r\n";

/**
 * struct page - the page
 * @text: sent from here
 * @len: bytes of it
 * @reader: who is sent it; it stays as it is until then
 * @acked: bytes that the reader has
 */
struct page {
	char text[PAGE_MAX];
	uint32_t len;
	struct tcp_pcb *reader;
	uint32_t acked;
};

static struct page page;

static void line(const char *name, unsigned int value)
{
	page.len = text_add(page.text, page.len, PAGE_MAX, "%-24s %u\n", name,
			    value);
}

static void put_memory(void)
{
	uint32_t fixed = board_ram_static();

	line("uptime_ms", board_ms());
	line("heap_size", MEM_SIZE);
	line("heap_free", MEM_SIZE - lwip_stats.mem.used);
	line("heap_free_min", MEM_SIZE - lwip_stats.mem.max);
	line("heap_failures", lwip_stats.mem.err);
	line("rx_blocks", BOARD_RX_BLOCKS);
	line("rx_blocks_free", rxbuf_free());
	line("rx_blocks_free_min", rxbuf_free_min());
	/* Heap and receive memory are part of it. */
	line("ram_static", fixed);
	line("stack_used_max", board_stack_used());
}

static void put_settings(void)
{
	line("mss", net_settings.mss);
	line("tx_win", net_settings.tx_win);
	line("tx_buf", net_settings.tx_buf);
	line("rx_win", net_settings.rx_win);
	line("rx_buf", net_settings.rx_buf);
}

static void put_counters(void)
{
#define NET_LINE(name) line(#name, net_stats.name);
	NET_COUNTERS(NET_LINE)
	line("tcp_retransmitted", lwip_stats.mib2.tcpretranssegs);
	line("tcp_in", lwip_stats.mib2.tcpinsegs);
	line("tcp_out", lwip_stats.mib2.tcpoutsegs);
	line("tcp_no_memory", lwip_stats.tcp.memerr);
	line("echo_tcp", service_stats.echo_tcp);
	line("echo_udp", service_stats.echo_udp);
	line("echo_connections", service_stats.echo_connections);
	line("discard", service_stats.discard);
	line("iperf", service_stats.iperf);
	line("dhcp_answers", service_stats.dhcp_answers);
	line("refused", service_stats.refused);
}

static void make_page(void)
{
	page.len = text_add(page.text, 0, PAGE_MAX, "%s", header);
	put_memory();
	put_settings();
	put_counters();
}

/* The page has been read, or nobody waits for it any more. */
static void release(void *arg, err_t err)
{
	(void)err;
	if (arg)
		page.reader = NULL;
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	if (!arg)
		return ERR_OK;
	page.acked += len;
	if (page.acked < page.len)
		return ERR_OK;
	page.reader = NULL;
	return service_close(pcb);
}

/* When there is little memory, there is still the page's own, for one reader at a time. */
static err_t show(struct tcp_pcb *pcb)
{
	if (page.reader) {
		service_stats.refused++;
		tcp_abort(pcb);
		return ERR_ABRT;
	}
	make_page();
	if (tcp_write(pcb, page.text, page.len, 0) != ERR_OK) {
		tcp_abort(pcb);
		return ERR_ABRT;
	}
	page.reader = pcb;
	page.acked = 0;
	tcp_arg(pcb, &page);
	return ERR_OK;
}

/* The first bytes of a request are enough: there is one page. */
static err_t receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)err;
	if (p) {
		tcp_recved(pcb, p->tot_len);
		pbuf_free(p);
		return arg ? ERR_OK : show(pcb);
	}
	return arg ? ERR_OK : service_close(pcb);
}

static err_t accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	tcp_recv(pcb, receive);
	tcp_sent(pcb, sent);
	tcp_err(pcb, release);
	return ERR_OK;
}

void status_init(void)
{
	service_listen(PORT_STATUS, accept);
}
