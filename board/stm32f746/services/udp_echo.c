// SPDX-License-Identifier: GPL-2.0
/*
 * UDP echo: the datagram goes back from where it was received.
 */
#include "board.h"
#include "lwip/udp.h"
#include "services.h"

static void receive(void *arg, struct udp_pcb *pcb, struct pbuf *p,
		    const ip_addr_t *from, u16_t port)
{
	(void)arg;
	service_stats.echo_udp += p->tot_len;
	/* Two echo servers would never stop; and it is datagrams: what does not go is lost. */
	if (port != PORT_ECHO)
		udp_sendto(pcb, p, from, port);
	pbuf_free(p);
}

void udp_echo_init(void)
{
	struct udp_pcb *pcb = udp_new();

	if (!pcb || udp_bind(pcb, IP_ADDR_ANY, PORT_ECHO) != ERR_OK)
		board_fail("services: no memory for UDP");
	udp_recv(pcb, receive, NULL);
}
