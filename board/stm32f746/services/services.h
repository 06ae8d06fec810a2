/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the board does for the host.
 */
#ifndef BOARD_SERVICES_H
#define BOARD_SERVICES_H

#include "lwip/tcp.h"

/* Ports */
#define PORT_ECHO 7
#define PORT_DISCARD 9
#define PORT_DHCP 67
#define PORT_STATUS 80
#define PORT_IPERF 5001

/* Payload that services have taken, bytes; the status page shows it. */
struct service_stats {
	uint32_t echo_tcp;
	uint32_t echo_udp;
	uint32_t echo_connections;
	uint32_t discard;
	uint32_t iperf;
	uint32_t dhcp_answers;
	uint32_t refused;
};

extern struct service_stats service_stats;

void services_init(void);

void echo_init(void);
void udp_echo_init(void);
/* Discard, and iperf's server: it takes what comes, and says nothing. */
void discard_init(void);
void dhcp_init(void);
void status_init(void);

/* Listens; accept is called for each connection. */
void service_listen(uint16_t port, tcp_accept_fn accept);

/*
 * For the receive callbacks: every second segment is to be acknowledged at once, and
 * several may have come as one.
 */
void service_acknowledge(struct tcp_pcb *pcb, const struct pbuf *p);

/* Closes, or aborts when there is no memory for that: return what the callback is to. */
err_t service_close(struct tcp_pcb *pcb);

#endif /* BOARD_SERVICES_H */
