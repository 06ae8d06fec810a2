// SPDX-License-Identifier: GPL-2.0
/* Every way of receiving. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <sockloan.h>

#include "content.h"
#include "mech.h"
#include "receive_how.h"

/* What is asked for at a time */
#define RECEIVE (128 << 10)
/* What can be looked at in place, and a quarter of it at a time */
#define WINDOW (4 << 20)
#define SEGS 128
/* Datagrams that are so late are lost. */
#define LATE_MS 30000

static void check(struct rx_conn *conn, const char *data, size_t len)
{
	const struct job *job = conn->job;
	uint64_t thread = conn->index % job->threads, pos = conn->pos, n;
	uint64_t share = job_share(job, thread);
	size_t at, part, right;

	for (; len; data += part, pos += part, len -= part) {
		at = pos % job->size;
		part = job->size - at < len ? job->size - at : len;
		n = pos / job->size * share + conn->index / job->threads;
		right = content_check(job, thread, n, data, at, part);
		if (right < part)
			conn->fail(
				"connection %ju: byte %zu of call %ju is wrong",
				conn->index, at + right, pos / job->size);
		conn->checked += part;
	}
}

static void note(struct rx_conn *conn, const char *data, size_t len)
{
	if (conn->job->check)
		check(conn, data, len);
	conn->pos += len;
}

/* The sender has had credit for more. */
static void lost(struct rx_conn *conn)
{
	conn->fail(
		"connection %ju: %ju datagrams came, then none for %d s: some are lost",
		conn->index, conn->datagrams, LATE_MS / 1000);
}

static void wait_for_data(struct rx_conn *conn)
{
	bool udp = conn->job->transport == UDP;
	struct pollfd p = { .fd = conn->fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, udp ? LATE_MS : -1);
	while (n < 0 && errno == EINTR);
	if (!n)
		lost(conn);
}

static void open_pool(struct rx_conn *conn)
{
	struct sl_pool_options options = { .window = WINDOW,
					   .flags = SL_POOL_NO_BUFS };

	conn->pool = sl_pool_open(&options);
	if (!conn->pool || sl_join(conn->pool, conn->fd, 0, 0))
		conn->fail("no pool to peek in: %s (is the module loaded?)",
			   strerror(errno));
}

void rx_open(struct rx_conn *conn)
{
	struct timeval late = { .tv_sec = LATE_MS / 1000 };

	conn->buf = malloc(RECEIVE);
	if (!conn->buf)
		conn->fail("no memory");
	memset(conn->buf, 1, RECEIVE);
	if (conn->job->transport == UDP &&
	    setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &late, sizeof(late)))
		conn->fail("SO_RCVTIMEO: %s", strerror(errno));
	if (conn->job->rx == PEEK)
		open_pool(conn);
	if (conn->job->rx == ZCRECV) {
		conn->map =
			mmap(NULL, RECEIVE, PROT_READ, MAP_SHARED, conn->fd, 0);
		if (conn->map == MAP_FAILED)
			conn->fail("mmap of a socket: %s", strerror(errno));
	}
}

/*
 * Looks at what is there, at most @max bytes, after releasing what it looked at before.
 * Returns how much that was, bytes or datagrams.
 */
static uint32_t look(struct rx_conn *conn, size_t max)
{
	struct sockloan_seg segs[SEGS];
	struct sockloan_peek arg = {
		.fd = conn->fd,
		.release = conn->peeked,
		.max = max < WINDOW / 4 ? max : WINDOW / 4,
		.nr = SEGS,
		.segs = (uintptr_t)segs,
	};
	unsigned int i;

	/* Once released, that is done, whatever comes of the rest. */
	while (sl_peek(conn->pool, &arg)) {
		if (errno != EAGAIN)
			conn->fail("peek: %s", strerror(errno));
		wait_for_data(conn);
		arg.release = 0;
		arg.nr = SEGS;
	}
	if (!arg.bytes)
		conn->fail("connection %ju ended", conn->index);
	for (i = 0; i < arg.nr; i++)
		note(conn, sl_seg_data(conn->pool, &segs[i]), segs[i].len);
	conn->peeked = conn->job->transport == UDP ? arg.datagrams : arg.bytes;
	return conn->peeked;
}

static void release(struct rx_conn *conn)
{
	if (conn->peeked && sl_release(conn->pool, conn->fd, conn->peeked))
		conn->fail("release: %s", strerror(errno));
	conn->peeked = 0;
}

static size_t receive(struct rx_conn *conn, size_t max, int flags)
{
	ssize_t got = recv(conn->fd, conn->buf, max, flags);

	if (got < 0)
		conn->fail("recv: %s", strerror(errno));
	if (!got)
		conn->fail("connection %ju ended", conn->index);
	note(conn, conn->buf, got);
	return got;
}

static size_t receive_remapped(struct rx_conn *conn, size_t max)
{
	struct tcp_zerocopy_receive zc = { 0 };
	socklen_t len;

	for (;;) {
		zc.address = (uintptr_t)conn->map;
		zc.length = max / PAGE * PAGE;
		len = sizeof(zc);
		if (zc.length && getsockopt(conn->fd, IPPROTO_TCP,
					    TCP_ZEROCOPY_RECEIVE, &zc, &len))
			conn->fail("TCP_ZEROCOPY_RECEIVE: %s", strerror(errno));
		if (zc.length) {
			note(conn, conn->map, zc.length);
			return zc.length;
		}
		if (zc.recv_skip_hint || max < PAGE)
			break;
		wait_for_data(conn);
	}
	/* Data that does not fill pages is to be received as ever. */
	if (zc.recv_skip_hint && zc.recv_skip_hint < max)
		max = zc.recv_skip_hint;
	return receive(conn, max, 0);
}

static void receive_stream(struct rx_conn *conn, uint64_t bytes)
{
	size_t max, got;

	for (; bytes; bytes -= got) {
		max = bytes < RECEIVE ? bytes : RECEIVE;
		switch (conn->job->rx) {
		case PEEK:
			got = look(conn, bytes);
			break;
		case ZCRECV:
			got = receive_remapped(conn, max);
			break;
		case TRUNC:
			got = receive(conn, max, MSG_TRUNC);
			break;
		default:
			got = receive(conn, max, 0);
			break;
		}
	}
}

static void give_credit(struct rx_conn *conn, uint64_t datagrams)
{
	static const char bytes[SEGS];
	uint64_t had = conn->datagrams / conn->unit, have;
	ssize_t n;

	conn->datagrams += datagrams;
	for (have = conn->datagrams / conn->unit; had < have; had += n) {
		n = have - had < SEGS ? have - had : SEGS;
		n = send(conn->credit, bytes, n, MSG_NOSIGNAL);
		if (n <= 0)
			conn->fail("the sender is gone");
	}
}

static void receive_datagram(struct rx_conn *conn)
{
	ssize_t got;

	/* A datagram is discarded by asking for nothing of it. */
	if (conn->job->rx == TRUNC)
		got = recv(conn->fd, conn->buf, 0, MSG_TRUNC);
	else
		got = recv(conn->fd, conn->buf, RECEIVE, 0);
	if (got < 0 && errno == EAGAIN)
		lost(conn);
	if (got != (ssize_t)conn->job->size)
		conn->fail("a datagram of %zd bytes", got);
	note(conn, conn->buf, got);
}

static void receive_datagrams(struct rx_conn *conn, uint64_t count)
{
	uint64_t n;

	for (; count; count -= n) {
		n = 1;
		if (conn->job->rx != PEEK) {
			receive_datagram(conn);
		} else {
			n = look(conn, count * conn->job->size);
			/* Its room in the buffer comes with its release. */
			release(conn);
		}
		give_credit(conn, n);
	}
}

void rx_receive(struct rx_conn *conn, uint64_t calls)
{
	if (conn->job->transport == UDP)
		receive_datagrams(conn, calls);
	else
		receive_stream(conn, calls * conn->job->size);
	release(conn);
}

void rx_usage(const struct rx_conn *conn, uint64_t *mapped, uint64_t *copied)
{
	struct sockloan_poolstat stat;

	*mapped = 0;
	*copied = 0;
	if (!conn->pool || sl_pool_stat(conn->pool, &stat))
		return;
	*mapped = stat.bytes_mapped;
	*copied = stat.bytes_copied;
}
