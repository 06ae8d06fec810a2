// SPDX-License-Identifier: GPL-2.0
/* Packets out of a pool, given away. */
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sockloan.h>

#include "content.h"
#include "mech.h"
#include "pattern.h"

/* What a pool has: packets of a call's size, no more bytes than these, nor fewer than those */
#define BYTES (32 << 20)
#define PACKETS_MIN 64
#define PACKETS_MAX 1024

/* How often to let others run before sleeping, when all packets are out */
#define YIELDS 100

static size_t packet_size(const struct job *job)
{
	return job->size < PACKET ? job->size : PACKET;
}

static unsigned int packets(const struct job *job)
{
	size_t pages = (packet_size(job) + PAGE - 1) / PAGE;
	size_t count = BYTES / (pages * PAGE);

	return count < PACKETS_MIN ? PACKETS_MIN :
	       count > PACKETS_MAX ? PACKETS_MAX :
				     count;
}

/* What no call will write to */
static void fill_all(struct sl_pool *pool, const struct conn *conn)
{
	unsigned int count = packets(conn->job), i;
	size_t size = packet_size(conn->job);
	struct sl_pkt **all = calloc(count, sizeof(*all));

	if (!all)
		err(1, "memory");
	for (i = 0; i < count; i++) {
		all[i] = sl_pkt_alloc(pool, size);
		if (!all[i])
			err(1, "packets");
		if (conn->job->check)
			content_fill(conn->job, conn->thread, 0,
				     (char *)all[i]->data, 0, size, true);
		else
			memset(all[i]->data, 1, size);
	}
	for (i = 0; i < count; i++)
		sl_pkt_free(all[i]);
	free(all);
}

static void xout_open(struct conn *conn)
{
	struct sl_pool_options options = { .buf_size = packet_size(conn->job),
					   .bufs = packets(conn->job),
					   .flags = SL_POOL_NO_WINDOW };
	struct sl_pool *pool = sl_pool_open(&options);

	if (!pool || sl_attach(conn->fd))
		err(1, "pool (is the module loaded?)");
	fill_all(pool, conn);
	conn->priv = pool;
}

static struct sl_pkt *packet(struct sl_pool *pool, size_t len)
{
	struct sl_pkt *pkt;
	int tries;

	for (tries = 0;; tries++) {
		pkt = sl_pkt_alloc(pool, len);
		if (pkt)
			return pkt;
		if (errno != ENOBUFS)
			err(1, "sl_pkt_alloc");
		if (tries < YIELDS)
			sched_yield();
		else if (usleep(100) || tries > 600000)
			errx(1, "packets do not come back");
	}
}

static void xout_send(struct conn *conn, uint64_t n)
{
	size_t size = conn->job->size, at, len;
	struct sl_pkt *pkt;
	int ret;

	for (at = 0; at < size; at += len) {
		len = size - at < PACKET ? size - at : PACKET;
		pkt = packet(conn->priv, len);
		memory_write(conn->job, conn->thread, n, (char *)pkt->data, at,
			     len);
		pkt->len = len;
		ret = sl_xout(conn->fd, pkt);
		if (ret < 0)
			errx(1, "sl_xout: %s", strerror(-ret));
	}
}

static void xout_usage(struct conn *conn, struct usage *usage)
{
	struct sockloan_poolstat stat;

	if (sl_pool_stat(conn->priv, &stat))
		err(1, "statistics of a pool");
	usage->lent = stat.xout_bytes;
	usage->copied = conn->made * conn->job->size - stat.xout_bytes;
}

static void xout_close(struct conn *conn)
{
	sl_pool_close(conn->priv);
}

const struct mechanism mech_xout = {
	.open = xout_open,
	.send_own = xout_send,
	.usage = xout_usage,
	.close = xout_close,
};
