/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses of either family, and sockets there. */
#ifndef _BENCH_ADDRESS_H
#define _BENCH_ADDRESS_H

#include <sys/socket.h>

/* Of the socket @fd; what IPv6 sockets have of IPv4 becomes IPv4. */
void address_local(int fd, struct sockaddr_storage *addr);
void address_peer(int fd, struct sockaddr_storage *addr);

unsigned int address_port(const struct sockaddr_storage *addr);
void address_set_port(struct sockaddr_storage *addr, unsigned int port);

int address_bind(const struct sockaddr_storage *addr, int type);
int address_connect(const struct sockaddr_storage *addr, int type);

#endif /* _BENCH_ADDRESS_H */
