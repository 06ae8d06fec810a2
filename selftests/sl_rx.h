/* SPDX-License-Identifier: GPL-2.0 */
/* Pools to receive through */
#ifndef SL_RX_H
#define SL_RX_H

#include <errno.h>

#include "sl_test.h"

#define SL_SEGS 128

struct sl_rxpool {
	int fd;
	struct sockloan_pool p;
	unsigned char *map;
	struct sockloan_peek arg; /* of the last peek */
	struct sockloan_seg seg[SL_SEGS];
	struct sockloan_name name[SL_SEGS];
};

int sl_rxpool_open(struct sl_rxpool *p, size_t window);
void sl_rxpool_close(struct sl_rxpool *p);
int sl_rxpool_join(struct sl_rxpool *p, int fd, uint32_t events,
		   uint64_t cookie);
int sl_rxpool_leave(struct sl_rxpool *p, int fd);
int sl_rxpool_peek(struct sl_rxpool *p, int fd, uint32_t release, uint32_t max);
int sl_rxpool_release(struct sl_rxpool *p, int fd, uint32_t count);
int sl_rxpool_forward(struct sl_rxpool *p, int from, int to, uint32_t max,
		      uint32_t flags);
int sl_rxpool_stat(struct sl_rxpool *p, struct sockloan_poolstat *st);
int sl_rxpool_check(const struct sl_rxpool *p, size_t from, uint64_t stream);
long sl_arrived(int fd);
int sl_wait_arrived(int fd, long n);

#endif /* SL_RX_H */
