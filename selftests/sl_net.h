/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network namespaces, and a pair of devices between two of them
 *
 *   the test's namespace           its peer's
 *   +-----------------+          +-----------------+
 *   |  lo   sl0 ------+----------+------ sl1   lo  |
 *   | 192.0.2.1       |          | 192.0.2.2       |
 *   | 2001:db8::1     |          | 2001:db8::2     |
 *   +-----------------+          +-----------------+
 */
#ifndef SL_NET_H
#define SL_NET_H

#include "sl_test.h"

#define SL_OWN_V4 "192.0.2.1"
#define SL_OWN_V6 "2001:db8::1"
#define SL_PEER_V4 "192.0.2.2"
#define SL_PEER_V6 "2001:db8::2"

struct sl_veth { /* descriptors of namespaces */
	int own;
	int peer;
};

int sl_netns_prepare(void);
int sl_netns_new(void);
int sl_netns_enter(int ns);
int sl_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
int sl_veth(struct sl_veth *v);
void sl_address(struct sl_addr *a, int family, const char *v4, const char *v6);
int sl_veth_pair(struct sl_pair *p, int family, bool md5,
		 const struct sl_veth *v);
int sl_ethtool(const char *dev, unsigned int cmd, unsigned int value);

#endif /* SL_NET_H */
