// SPDX-License-Identifier: GPL-2.0
/*
 * What all services need.
 */
#include "board.h"
#include "lwip/priv/tcp_priv.h"
#include "services.h"

struct service_stats service_stats;

void service_listen(uint16_t port, tcp_accept_fn accept)
{
	struct tcp_pcb *pcb = tcp_new(), *listener = NULL;

	if (pcb && tcp_bind(pcb, IP_ADDR_ANY, port) == ERR_OK)
		listener = tcp_listen(pcb);
	if (!listener)
		board_fail("services: no memory to listen");
	tcp_accept(listener, accept);
}

void service_acknowledge(struct tcp_pcb *pcb, const struct pbuf *p)
{
	if (p->tot_len > pcb->mss)
		tcp_ack_now(pcb);
}

err_t service_close(struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	tcp_err(pcb, NULL);
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

void services_init(void)
{
	echo_init();
	udp_echo_init();
	discard_init();
	dhcp_init();
	status_init();
}
