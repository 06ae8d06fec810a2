// SPDX-License-Identifier: GPL-2.0
/* libsockloan: what the FreeRTOS+TCP calls promise */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <sys/uio.h>
#include <sockloan.h>

#include "kselftest_harness.h"
#include "sl_test.h"
#include "sl_udp.h"

#define LEN (128 * SL_KIB)
#define SEED 5

FIXTURE(inplace)
{
	struct sl_pool *pool;
	struct sl_pair s;
	struct sl_buf b;
};

FIXTURE_VARIANT(inplace)
{
	int family;
	bool udp;
};

FIXTURE_VARIANT_ADD(inplace, tcp_v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(inplace, tcp_v6){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(inplace, udp_v4){
	.family = AF_INET,
	.udp = true,
};

FIXTURE_VARIANT_ADD(inplace, udp_v6){
	.family = AF_INET6,
	.udp = true,
};

FIXTURE_SETUP(inplace)
{
	struct sl_addr to;

	self->pool = sl_pool_open(NULL);
	ASSERT_NE(NULL, self->pool);
	if (variant->udp) {
		ASSERT_EQ(0, sl_udp_pair_plain(&self->s, variant->family, &to,
					       true));
	} else {
		ASSERT_EQ(0, sl_pair_sized(&self->s, variant->family, 4 * LEN,
					   4 * LEN));
	}
	ASSERT_EQ(0, sl_attach(self->s.tx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, SEED));
}

FIXTURE_TEARDOWN(inplace)
{
	sl_buf_unmap(&self->b);
	sl_pair_close(&self->s);
	sl_pool_close(self->pool);
}

#define STREAM_ONLY(_variant)                       \
	do {                                        \
		if ((_variant)->udp)                \
			SKIP(return, "of streams"); \
	} while (0)

#define DATAGRAM_ONLY(_variant)                       \
	do {                                          \
		if (!(_variant)->udp)                 \
			SKIP(return, "of datagrams"); \
	} while (0)

/* A pointer and a count, again and again, and a prefix released */
TEST_F(inplace, receive_and_release)
{
	size_t pos = 0, n[] = { 1, 1447, 4096, 10000, 40000 };
	const void *data, *again;
	ssize_t len;
	int i;

	STREAM_ONLY(variant);
	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	for (i = 0; pos < LEN; i = (i + 1) % ARRAY_SIZE(n)) {
		len = sl_recv_zc(self->pool, self->s.rx, &data);
		ASSERT_LT(0, len);
		ASSERT_LE(len, sl_recv_zc(self->pool, self->s.rx, &again));
		ASSERT_EQ(data, again);
		ASSERT_GT(0, sl_differs_at(data, len, SEED, pos));
		if (len > n[i])
			len = n[i];
		ASSERT_EQ(0, sl_release(self->pool, self->s.rx, len));
		pos += len;
	}
	EXPECT_EQ(LEN, pos);
	EXPECT_EQ(-1, sl_release(self->pool, self->s.rx, 1));
	EXPECT_EQ(EINVAL, errno);
	shutdown(self->s.tx, SHUT_WR);
	EXPECT_EQ(0, sl_recv_zc(self->pool, self->s.rx, &data));
}

/* It waits as recv() does. */
TEST_F(inplace, waits_as_recv)
{
	struct timeval tv = { .tv_usec = 50000 };
	const void *data;
	uint64_t start;

	ASSERT_EQ(0, setsockopt(self->s.rx, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	start = sl_ms();
	EXPECT_EQ(-1, sl_recv_zc(self->pool, self->s.rx, &data));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_LE(10, sl_ms() - start);
	ASSERT_EQ(0, sl_nonblock(self->s.rx, true));
	EXPECT_EQ(-1, sl_recv_zc(self->pool, self->s.rx, &data));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(inplace, plain_recv_in_between)
{
	const void *data;
	char byte;

	STREAM_ONLY(variant);
	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_LT(0, sl_recv_zc(self->pool, self->s.rx, &data));
	ASSERT_EQ(1, recv(self->s.rx, &byte, 1, 0));
	ASSERT_LT(4096, sl_recv_zc(self->pool, self->s.rx, &data));
	EXPECT_GT(0, sl_differs_at(data, 4096, SEED, 1));
}

TEST_F(inplace, datagrams_one_by_one)
{
	size_t len[] = { 0, 1, 1000, 60000, 9000 };
	struct sockaddr_in6 from, self_addr;
	socklen_t fromlen, slen = sizeof(self_addr);
	struct iovec iov[32];
	const void *data;
	int i, n;

	DATAGRAM_ONLY(variant);
	ASSERT_EQ(0, getsockname(self->s.tx, (void *)&self_addr, &slen));
	for (i = 0; i < ARRAY_SIZE(len); i++)
		ASSERT_EQ(len[i], send(self->s.tx, self->b.data, len[i], 0));
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		ASSERT_EQ(len[i], sl_recv_zc(self->pool, self->s.rx, &data));
		EXPECT_GT(0, sl_differs_at(data, len[i], SEED, 0));

		n = ARRAY_SIZE(iov);
		fromlen = sizeof(from);
		ASSERT_EQ(len[i], sl_recvv_zc(self->pool, self->s.rx, iov, &n,
					      (void *)&from, &fromlen));
		EXPECT_EQ(slen, fromlen);
		EXPECT_EQ(self_addr.sin6_port, from.sin6_port);
		for (size_t pos = 0, j = 0; j < n; pos += iov[j++].iov_len)
			EXPECT_GT(0, sl_differs_at(iov[j].iov_base,
						   iov[j].iov_len, SEED, pos));
		ASSERT_EQ(0, sl_release(self->pool, self->s.rx, 1));
	}
	ASSERT_EQ(0, sl_nonblock(self->s.rx, true));
	EXPECT_EQ(-1, sl_recv_zc(self->pool, self->s.rx, &data));
	EXPECT_EQ(EAGAIN, errno);
}

/* One in more pieces than there is room for is not cut short. */
TEST_F(inplace, datagram_that_does_not_fit)
{
	const size_t len = 61003;
	struct iovec iov[32];
	int n = ARRAY_SIZE(iov), one = 1;

	DATAGRAM_ONLY(variant);
	ASSERT_EQ(len, send(self->s.tx, self->b.data, len, 0));
	ASSERT_EQ(len,
		  sl_recvv_zc(self->pool, self->s.rx, iov, &n, NULL, NULL));
	ASSERT_LT(1, n);
	EXPECT_EQ(-1,
		  sl_recvv_zc(self->pool, self->s.rx, iov, &one, NULL, NULL));
	EXPECT_EQ(EMSGSIZE, errno);
	one = n;
	EXPECT_EQ(len,
		  sl_recvv_zc(self->pool, self->s.rx, iov, &one, NULL, NULL));
	EXPECT_EQ(n, one);
}

/* What is in the error queue is nothing to be received. */
TEST_F(inplace, waits_with_errors_queued)
{
	struct timeval tv = { .tv_usec = 50000 };
	const void *data;
	int on = 1;

	DATAGRAM_ONLY(variant);
	if (variant->family == AF_INET6)
		setsockopt(self->s.tx, IPPROTO_IPV6, IPV6_RECVERR, &on,
			   sizeof(on));
	else
		setsockopt(self->s.tx, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	ASSERT_EQ(0, setsockopt(self->s.tx, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	close(self->s.rx);
	self->s.rx = -1;
	ASSERT_EQ(1, send(self->s.tx, self->b.data, 1, 0));
	EXPECT_EQ(-1, sl_recv_zc(self->pool, self->s.tx, &data));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(-1, sl_recv_zc(self->pool, self->s.tx, &data));
	EXPECT_EQ(EAGAIN, errno);
}

/* A datagram through the callback, in pieces or not */
static int count_dgram(int fd, struct sl_pkt *pkt, int code, void *arg)
{
	size_t *bytes = arg;

	if (!pkt || sl_differs(pkt->data, pkt->len, SEED) >= 0)
		return 0;
	*bytes += pkt->len;
	sl_pkt_free(pkt);
	return 0;
}

TEST_F(inplace, datagrams_by_callback)
{
	size_t len[] = { 1, 1000, 60000, 9000, 61003 }, bytes = 0, sum = 0;
	uint64_t until = sl_ms() + 5000 * sl_slow();
	int i;

	DATAGRAM_ONLY(variant);
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, count_dgram,
					&bytes));
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		ASSERT_EQ(len[i], send(self->s.tx, self->b.data, len[i], 0));
		sum += len[i];
	}
	while (bytes < sum && sl_ms() < until)
		ASSERT_LE(0, sl_dispatch(self->pool, 100));
	EXPECT_EQ(sum, bytes);
	EXPECT_EQ(0, sl_dispatch(self->pool, 20));
}

static int count_code(int fd, struct sl_pkt *pkt, int code, void *arg)
{
	int *codes = arg;

	*codes += !pkt && code == ECONNREFUSED;
	return 0;
}

/* A socket without connections can have more than one error. */
TEST_F(inplace, each_error_by_callback)
{
	int i, codes = 0;

	DATAGRAM_ONLY(variant);
	close(self->s.rx);
	self->s.rx = -1;
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.tx, count_code,
					&codes));
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(1, send(self->s.tx, self->b.data, 1, 0));
		EXPECT_EQ(1, sl_dispatch(self->pool, 1000));
		EXPECT_EQ(i, codes);
	}
	EXPECT_EQ(0, sl_dispatch(self->pool, 20));
}

/* A place to fill, and what is ready of it committed */
TEST_F(inplace, tx_head_and_commit)
{
	size_t len[] = { 1, 1000, 65536, 40000 }, pos = 0, room;
	unsigned char *head;
	int i;

	STREAM_ONLY(variant);
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		head = sl_tx_head(self->pool, self->s.tx, &room);
		ASSERT_NE(NULL, head);
		ASSERT_EQ(65536, room);
		EXPECT_EQ(head, sl_tx_head(self->pool, self->s.tx, &room));
		sl_fill_at(head, len[i], SEED, pos);
		EXPECT_EQ(-1, sl_tx_commit(self->pool, self->s.tx, room + 1));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(0, sl_tx_commit(self->pool, self->s.tx, 0));
		ASSERT_EQ(len[i], sl_tx_commit(self->pool, self->s.tx, len[i]));
		pos += len[i];
	}
	EXPECT_EQ(-1, sl_tx_commit(self->pool, self->s.tx, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, sl_drain(self->s.rx, pos, SEED));
}

/* For what can never be had nobody waits. */
TEST_F(inplace, tx_head_without_buffers)
{
	struct sl_pool_options o = { .flags = SL_POOL_NO_BUFS };
	struct sl_pool *pool = sl_pool_open(&o);
	size_t room;

	ASSERT_NE(NULL, pool);
	EXPECT_EQ(NULL, sl_tx_head(pool, self->s.tx, &room));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(0, sl_pool_close(pool));
}

/* Window settings that make a connection stall are refused. */
TEST_F(inplace, windows_by_the_rule)
{
	struct sl_windows w = {
		.mss = 1460,
		.tx_buf = 8 * 1460,
		.tx_win = 8,
		.rx_buf = 8 * 1460 - 1,
		.rx_win = 8,
	};

	if (variant->udp) {
		EXPECT_EQ(-1, sl_set_windows(self->s.tx, &w));
		EXPECT_EQ(EOPNOTSUPP, errno);
		return;
	}
	EXPECT_EQ(-1, sl_set_windows(self->s.tx, &w));
	EXPECT_EQ(EINVAL, errno);
	w.rx_buf++;
	EXPECT_EQ(0, sl_set_windows(self->s.tx, &w));
	w.tx_win++;
	EXPECT_EQ(-1, sl_set_windows(self->s.tx, &w));
	EXPECT_EQ(EINVAL, errno);
}

/* Events of sockets that joined by hand */
TEST_F(inplace, events)
{
	struct sockloan_event e[4];

	ASSERT_EQ(0, sl_join(self->pool, self->s.rx, SOCKLOAN_EVENT_DATA, 77));
	EXPECT_EQ(0, sl_read_events(self->pool, e, 4, 0));
	ASSERT_EQ(1000, send(self->s.tx, self->b.data, 1000, 0));
	ASSERT_EQ(1, sl_read_events(self->pool, e, 4, 5000));
	EXPECT_EQ(77, e[0].cookie);
	EXPECT_EQ(SOCKLOAN_EVENT_DATA, e[0].events);
	EXPECT_EQ(0, sl_read_events(self->pool, e, 4, 0));
	EXPECT_EQ(0, sl_leave(self->pool, self->s.rx));
	EXPECT_EQ(-1, sl_leave(self->pool, self->s.rx));
	EXPECT_EQ(ENOENT, errno);
}

struct reader {
	struct sl_pool *pool;
	pthread_t thread;
	atomic_int calls, events, stop;
};

static void *read_events(void *arg)
{
	struct reader *r = arg;
	struct sockloan_event e;

	while (!r->stop) {
		r->events += sl_read_events(r->pool, &e, 1, 0);
		r->calls++;
	}
	return NULL;
}

/* Of two that see an event one gets it, and the other one does not wait for more. */
TEST_F(inplace, events_for_two_readers)
{
	struct reader r[2] = { { .pool = self->pool }, { .pool = self->pool } };
	uint64_t until = sl_ms() + 10000 * sl_slow();
	int i, j, calls[2];

	STREAM_ONLY(variant);
	ASSERT_EQ(0, sl_join(self->pool, self->s.rx, SOCKLOAN_EVENT_DATA, 1));
	for (j = 0; j < 2; j++)
		ASSERT_EQ(0, pthread_create(&r[j].thread, NULL, read_events,
					    &r[j]));
	for (i = 1; i <= 100; i++) {
		ASSERT_EQ(1, send(self->s.tx, self->b.data, 1, 0));
		while (r[0].events + r[1].events < i && sl_ms() < until)
			usleep(1000);
		ASSERT_EQ(i, r[0].events + r[1].events);
		for (j = 0; j < 2; j++)
			calls[j] = r[j].calls;
		while ((r[0].calls == calls[0] || r[1].calls == calls[1]) &&
		       sl_ms() < until)
			usleep(1000);
		ASSERT_NE(r[0].calls, calls[0]);
		ASSERT_NE(r[1].calls, calls[1]);
	}
	for (j = 0; j < 2; j++) {
		r[j].stop = 1;
		ASSERT_EQ(0, pthread_join(r[j].thread, NULL));
	}
}

TEST_HARNESS_MAIN
