// SPDX-License-Identifier: GPL-2.0
/*
 * Discard, and a server for stock `iperf -c`, which wants no more: its header is
 * the beginning of what it sends, and it does not wait for an answer.
 */
#include "services.h"

static err_t take(void *counter, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)err;
	if (!p)
		return service_close(pcb);
	*(uint32_t *)counter += p->tot_len;
	service_acknowledge(pcb, p);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t accept_for(uint32_t *counter, struct tcp_pcb *pcb, err_t err)
{
	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	tcp_arg(pcb, counter);
	tcp_recv(pcb, take);
	return ERR_OK;
}

static err_t accept_discard(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	return accept_for(&service_stats.discard, pcb, err);
}

static err_t accept_iperf(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	return accept_for(&service_stats.iperf, pcb, err);
}

void discard_init(void)
{
	service_listen(PORT_DISCARD, accept_discard);
	service_listen(PORT_IPERF, accept_iperf);
}
