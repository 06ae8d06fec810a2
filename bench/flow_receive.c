// SPDX-License-Identifier: GPL-2.0
/* The receiving end of a stream, and a proxy in its middle. */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <sockloan.h>

#include "flow.h"

/* What is asked for at a time */
#define RECEIVE (128 << 10)
/* What can be looked at in place at a time */
#define WINDOW (4 << 20)
#define SEGS 128

static struct sl_pool *pool;
static char *buf;
static char *map; /* REMAP's */

static void wait_for_data(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, -1) != 1)
		err(1, "poll");
}

static void open_pool(int fd)
{
	struct sl_pool_options options = { .window = WINDOW,
					   .flags = SL_POOL_NO_BUFS };

	pool = sl_pool_open(&options);
	if (!pool || sl_join(pool, fd, 0, 0))
		err(1, "pool");
}

void flow_receive_start(const struct flow *flow, int fd)
{
	buf = malloc(RECEIVE);
	if (!buf)
		err(1, "memory");
	memset(buf, 1, RECEIVE);
	if (flow->receive == PEEK)
		open_pool(fd);
	if (flow->receive == REMAP) {
		map = mmap(NULL, RECEIVE, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			err(1, "mmap of a socket");
	}
}

/* Returns how much was received; what it is, a user would look at now. */
static size_t receive_in_place(int fd, size_t max)
{
	static struct sockloan_seg segs[SEGS];
	static uint32_t peeked;
	struct sockloan_peek arg = {
		.fd = fd,
		.release = peeked,
		.max = max,
		.nr = SEGS,
		.segs = (uintptr_t)segs,
	};

	/* Once released, that is done, whatever comes of the rest. */
	while (sl_peek(pool, &arg)) {
		if (errno != EAGAIN)
			err(1, "peek");
		wait_for_data(fd);
		arg.release = 0;
		arg.nr = SEGS;
	}
	peeked = arg.bytes;
	if (!peeked)
		errx(1, "end of stream");
	return peeked;
}

static size_t receive_remapped(int fd, size_t max)
{
	struct tcp_zerocopy_receive zc = {
		.address = (uintptr_t)map,
		.length = max / 4096 * 4096,
	};
	socklen_t len = sizeof(zc);
	ssize_t got;

	for (;;) {
		if (zc.length && getsockopt(fd, IPPROTO_TCP,
					    TCP_ZEROCOPY_RECEIVE, &zc, &len))
			err(1, "TCP_ZEROCOPY_RECEIVE");
		if (zc.length)
			return zc.length;
		if (!zc.recv_skip_hint && max >= 4096) {
			wait_for_data(fd);
			zc.length = max / 4096 * 4096;
			continue;
		}
		if (zc.recv_skip_hint && zc.recv_skip_hint < max)
			max = zc.recv_skip_hint;
		got = recv(fd, buf, max, 0);
		if (got <= 0)
			err(1, "recv");
		return got;
	}
}

void flow_receive(const struct flow *flow, int fd, size_t bytes)
{
	int flags = flow->receive == DISCARD ? MSG_TRUNC : 0;
	size_t max;
	ssize_t got;

	for (; bytes; bytes -= got) {
		max = bytes < RECEIVE ? bytes : RECEIVE;
		if (flow->receive == PEEK) {
			got = receive_in_place(
				fd, bytes < WINDOW / 4 ? bytes : WINDOW / 4);
		} else if (flow->receive == REMAP) {
			got = receive_remapped(fd, max);
		} else {
			got = recv(fd, buf, max, flags);
			if (got <= 0)
				err(1, "recv");
		}
	}
}

void flow_pass_on(const struct flow *flow, int from, int to)
{
	char *data = malloc(RECEIVE);
	ssize_t got;

	if (!data)
		err(1, "memory");
	if (flow->proxy == FORWARDS)
		open_pool(from);
	for (;;) {
		if (flow->proxy == FORWARDS) {
			got = sl_forward(pool, from, to, RECEIVE, 0);
		} else {
			got = recv(from, data, RECEIVE, 0);
			if (got > 0 && send(to, data, got, 0) != got)
				err(1, "send");
		}
		if (got < 0)
			err(1, "proxy");
		if (!got)
			return;
	}
}
