/* SPDX-License-Identifier: GPL-2.0 */
/* What is on its way to a socket: sent, and not received yet */
#ifndef SL_FLOW_H
#define SL_FLOW_H

#include "sl_test.h"

#define SL_FLOW_ROOM (2 * SL_MIB)
#define SL_FLOW_DGRAMS 4096

struct sl_flow {
	bool dgram;
	unsigned char *data; /* SL_FLOW_ROOM bytes */
	size_t head, len;
	uint32_t size[SL_FLOW_DGRAMS]; /* of datagrams: a ring */
	uint32_t first, nr;
};

int sl_flow_init(struct sl_flow *f);
void sl_flow_free(struct sl_flow *f);
void sl_flow_reset(struct sl_flow *f, bool dgram);
int sl_flow_put(struct sl_flow *f, const void *data, size_t len);
bool sl_flow_is(const struct sl_flow *f, size_t skip, const void *data,
		size_t len);
size_t sl_flow_size(const struct sl_flow *f, uint32_t n);
long sl_flow_drop(struct sl_flow *f, size_t n);
int sl_flow_move(struct sl_flow *from, struct sl_flow *to, size_t n);

#endif /* SL_FLOW_H */
