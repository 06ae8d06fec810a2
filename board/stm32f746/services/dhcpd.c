// SPDX-License-Identifier: GPL-2.0
/*
 * The DHCP server's socket.
 */
#include "board.h"
#include "dhcp.h"
#include "lwip/udp.h"
#include "net/net.h"
#include "services.h"

#define PORT_DHCP_CLIENT 68

static void receive(void *arg, struct udp_pcb *pcb, struct pbuf *p,
		    const ip_addr_t *from, u16_t port)
{
	static uint8_t message[DHCP_MESSAGE_MAX];
	struct pbuf *answer = pbuf_alloc(PBUF_TRANSPORT, DHCP_ANSWER, PBUF_RAM);
	uint32_t len = pbuf_copy_partial(p, message, sizeof(message), 0);
	ip_addr_t to;
	uint8_t ip[4];

	(void)arg;
	(void)from;
	(void)port;
	if (answer && dhcp_answer(message, len, answer->payload, ip)) {
		IP_ADDR4(&to, ip[0], ip[1], ip[2], ip[3]);
		service_stats.dhcp_answers++;
		udp_sendto_if(pcb, answer, &to, PORT_DHCP_CLIENT, &net_if);
	}
	if (answer)
		pbuf_free(answer);
	pbuf_free(p);
}

void dhcp_init(void)
{
	struct udp_pcb *pcb = udp_new();

	if (!pcb || udp_bind(pcb, IP_ADDR_ANY, PORT_DHCP) != ERR_OK)
		board_fail("services: no memory for DHCP");
	ip_set_option(pcb, SOF_BROADCAST);
	udp_recv(pcb, receive, NULL);
}
