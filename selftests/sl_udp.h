/* SPDX-License-Identifier: GPL-2.0 */
/* Pairs of UDP sockets, and single datagrams. */
#ifndef SL_UDP_H
#define SL_UDP_H

#include "sl_test.h"

/* The largest datagrams, and the largest that pass lo without fragments */
#define SL_UDP_MAX_V4 65507UL
#define SL_UDP_MAX_V6 65527UL
#define SL_UDP_LO_V6 65488UL

int sl_udp_receiver(int family, struct sl_addr *a);
int sl_udp_pair_plain(struct sl_pair *p, int family, struct sl_addr *to,
		      bool connected);
int sl_udp_pair(struct sl_pair *p, int family, struct sl_addr *to,
		bool connected);
ssize_t sl_udp_send(int fd, const void *buf, size_t len,
		    const struct sl_addr *to);
int sl_udp_recv_at(int fd, size_t len, uint64_t seed, uint64_t pos);
int sl_udp_recv(int fd, size_t len, uint64_t seed);
ssize_t sl_udp_digest(int fd, uint64_t *digest);
int sl_udp_none(int fd);

#endif /* SL_UDP_H */
