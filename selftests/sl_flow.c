// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: what is on its way to a socket, byte by
 * byte, to compare what comes out with
 */
#include <stdlib.h>
#include <string.h>

#include "sl_flow.h"

int sl_flow_init(struct sl_flow *f)
{
	memset(f, 0, sizeof(*f));
	f->data = malloc(SL_FLOW_ROOM);
	return f->data ? 0 : -1;
}

void sl_flow_free(struct sl_flow *f)
{
	free(f->data);
	f->data = NULL;
}

void sl_flow_reset(struct sl_flow *f, bool dgram)
{
	f->dgram = dgram;
	f->head = 0;
	f->len = 0;
	f->first = 0;
	f->nr = 0;
}

/* More of a stream, or one datagram.  -1: no room */
int sl_flow_put(struct sl_flow *f, const void *data, size_t len)
{
	if (f->len + len > SL_FLOW_ROOM ||
	    (f->dgram && f->nr == SL_FLOW_DGRAMS))
		return -1;
	if (f->head + f->len + len > SL_FLOW_ROOM) {
		memmove(f->data, f->data + f->head, f->len);
		f->head = 0;
	}
	memcpy(f->data + f->head + f->len, data, len);
	f->len += len;
	if (f->dgram)
		f->size[(f->first + f->nr++) % SL_FLOW_DGRAMS] = len;
	return 0;
}

/* Are these the bytes behind the first @skip ones? */
bool sl_flow_is(const struct sl_flow *f, size_t skip, const void *data,
		size_t len)
{
	return skip + len <= f->len &&
	       !memcmp(f->data + f->head + skip, data, len);
}

/* Length of the datagram behind the first @n; there is one. */
size_t sl_flow_size(const struct sl_flow *f, uint32_t n)
{
	return f->size[(f->first + n) % SL_FLOW_DGRAMS];
}

/* Bytes of a stream, or datagrams, are received.  Returns bytes; -1: too many */
long sl_flow_drop(struct sl_flow *f, size_t n)
{
	size_t bytes = f->dgram ? 0 : n, i;

	if (n > (f->dgram ? f->nr : f->len))
		return -1;
	for (i = 0; f->dgram && i < n; i++)
		bytes += sl_flow_size(f, i);
	if (f->dgram) {
		f->first = (f->first + n) % SL_FLOW_DGRAMS;
		f->nr -= n;
	}
	f->head += bytes;
	f->len -= bytes;
	return bytes;
}

/* Bytes of a stream, or one datagram, go from one to the other. */
int sl_flow_move(struct sl_flow *from, struct sl_flow *to, size_t n)
{
	size_t bytes = n;

	if (from->dgram) {
		if (!from->nr)
			return -1;
		bytes = sl_flow_size(from, 0);
	}
	if (bytes > from->len ||
	    sl_flow_put(to, from->data + from->head, bytes))
		return -1;
	return sl_flow_drop(from, n) < 0 ? -1 : 0;
}
