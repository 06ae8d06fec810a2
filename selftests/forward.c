// SPDX-License-Identifier: GPL-2.0
/* What has arrived on one socket, sent on by another */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_rx.h"
#include "sl_udp.h"

#define LEN (256 * SL_KIB)
#define OLD 1
#define NEW 2

FIXTURE(forward)
{
	struct sl_pair in;
	struct sl_pair out;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_VARIANT(forward)
{
	int family;
	size_t offset;
	bool copied;
};

FIXTURE_VARIANT_ADD(forward, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(forward, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(forward, v6_copied){
	.family = AF_INET6,
	.copied = true,
};

FIXTURE_SETUP(forward)
{
	ASSERT_EQ(0,
		  sl_pair_sized(&self->in, variant->family, 4 * LEN, 4 * LEN));
	ASSERT_EQ(0,
		  sl_pair_sized(&self->out, variant->family, 4 * LEN, 4 * LEN));
	if (!variant->copied)
		ASSERT_EQ(0, sl_attach(self->in.tx));
	ASSERT_EQ(0, sl_attach(self->in.rx));
	ASSERT_EQ(0, sl_attach(self->out.tx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, SL_MIB));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->in.rx, 0, 0));
}

FIXTURE_TEARDOWN(forward)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->in);
	sl_pair_close(&self->out);
	sl_buf_unmap(&self->b);
}

/* All of it, in order, without a copy, whatever the first sender does */
TEST_F(forward, stream)
{
	struct sockloan_poolstat st;
	size_t done = 0;
	int n;

	ASSERT_EQ(LEN, sl_send_all(self->in.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->in.rx, LEN));
	while (done < LEN) {
		n = sl_rxpool_forward(&self->p, self->in.rx, self->out.tx,
				      done % 3 ? 10007 : LEN, 0);
		ASSERT_LT(0, n);
		done += n;
		if (done == (size_t)n)
			sl_fill(self->b.data, LEN, NEW);
	}
	EXPECT_EQ(0, sl_arrived(self->in.rx));
	EXPECT_EQ(0, sl_drain(self->out.rx, LEN, OLD));
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	EXPECT_EQ(LEN, st.bytes_forwarded);
	EXPECT_EQ(0, st.bytes_forwarded_copied);
	EXPECT_EQ(-1, sl_rxpool_forward(&self->p, self->in.rx, self->out.tx,
					LEN, SOCKLOAN_XOUT_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	shutdown(self->in.tx, SHUT_WR);
	sl_sleep_ms(50);
	EXPECT_EQ(0, sl_rxpool_forward(&self->p, self->in.rx, self->out.tx, LEN,
				       0));
}

/* What was peeked and partly released before; a full send buffer */
TEST_F(forward, with_peeks)
{
	ASSERT_EQ(LEN, sl_send_all(self->in.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->in.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->in.rx, 0, LEN));
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->in.rx, 5));
	ASSERT_EQ(20000, sl_rxpool_forward(&self->p, self->in.rx, self->out.tx,
					   20000, 0));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->in.rx, 0, LEN));
	EXPECT_EQ(LEN - 20005, self->p.arg.bytes);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 20005, OLD));
	EXPECT_EQ(0, sl_drain_at(self->out.rx, 20000, OLD, 5));
}

/* Back where it came from */
TEST_F(forward, echo)
{
	size_t done = 0;
	int n;

	ASSERT_EQ(LEN, sl_send_all(self->in.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->in.rx, LEN));
	while (done < LEN) {
		n = sl_rxpool_forward(&self->p, self->in.rx, self->in.rx, LEN,
				      0);
		ASSERT_LT(0, n);
		done += n;
	}
	EXPECT_EQ(0, sl_drain(self->in.tx, LEN, OLD));
}

/* No room, and it must not wait: nothing is lost. */
TEST_F(forward, no_room)
{
	size_t done = 0;
	int n = 0, rounds;

	for (rounds = 0; rounds < 100; rounds++) {
		if (sl_arrived(self->in.rx) < 1000 &&
		    send(self->in.tx, self->b.data, LEN, MSG_DONTWAIT) != LEN)
			break;
		sl_sleep_ms(1);
		n = sl_rxpool_forward(&self->p, self->in.rx, self->out.tx, LEN,
				      SOCKLOAN_XOUT_DONTWAIT);
		if (n < 0)
			break;
		done += n;
	}
	ASSERT_GT(100, rounds);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EAGAIN, errno);
	for (; done >= LEN; done -= LEN)
		ASSERT_EQ(0, sl_drain(self->out.rx, LEN, OLD));
	EXPECT_EQ(0, sl_drain(self->out.rx, done, OLD));
}

TEST_F(forward, errors)
{
	struct sl_pair u;
	struct sl_addr to;

	ASSERT_EQ(100, sl_send_all(self->in.tx, self->b.data, 100, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->in.rx, 100));
	EXPECT_EQ(-1,
		  sl_rxpool_forward(&self->p, self->in.rx, self->out.rx, 9, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-1, sl_rxpool_forward(&self->p, self->out.tx, self->out.tx, 9,
					0));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1,
		  sl_rxpool_forward(&self->p, self->in.rx, self->out.tx, 0, 0));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, sl_udp_pair(&u, variant->family, &to, true));
	EXPECT_EQ(-1, sl_rxpool_forward(&self->p, self->in.rx, u.tx, 9, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	sl_pair_close(&u);
	shutdown(self->out.tx, SHUT_WR);
	EXPECT_EQ(-1,
		  sl_rxpool_forward(&self->p, self->in.rx, self->out.tx, 9, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, sl_drain(self->in.rx, 100, OLD));
}

/* One datagram, one datagram */
TEST_F(forward, datagrams)
{
	static const size_t sizes[] = { 0, 1, 1000, 9000, 61440 };
	struct sl_pair in, out;
	struct sl_addr a, b;
	unsigned int i;

	ASSERT_EQ(0, sl_udp_pair(&in, variant->family, &a, true));
	ASSERT_EQ(0, sl_udp_pair(&out, variant->family, &b, true));
	ASSERT_EQ(0, sl_attach(in.rx));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, in.rx, 0, 0));
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		ASSERT_EQ(sizes[i], send(in.tx, self->b.data, sizes[i], 0));
		ASSERT_EQ(1, sl_rxpool_forward(&self->p, in.rx, out.tx, 1, 0));
		EXPECT_EQ(0, sl_udp_recv(out.rx, sizes[i], OLD));
	}
	EXPECT_EQ(-1, sl_rxpool_forward(&self->p, in.rx, out.tx, 1,
					SOCKLOAN_XOUT_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	sl_pair_close(&in);
	sl_pair_close(&out);
}

struct waiter {
	pthread_t thread;
	struct sl_rxpool *p;
	int from, to;
	int ret, err;
};

static void *wait_and_forward(void *arg)
{
	struct waiter *w = arg;

	w->ret = sl_rxpool_forward(w->p, w->from, w->to, LEN, 0);
	w->err = errno;
	return NULL;
}

/* It waits for data as recv() does: for the end, too, and no longer than it is told to. */
TEST_F(forward, waits_for_data)
{
	struct waiter w = { .p = &self->p,
			    .from = self->in.rx,
			    .to = self->out.tx };
	struct timeval tv = { .tv_usec = 100000 };
	uint64_t start = sl_ms();

	ASSERT_EQ(0, setsockopt(self->in.rx, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	wait_and_forward(&w);
	EXPECT_EQ(-1, w.ret);
	EXPECT_EQ(EAGAIN, w.err);
	EXPECT_LE(20, sl_ms() - start);
	tv.tv_sec = 30;
	ASSERT_EQ(0, setsockopt(self->in.rx, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, wait_and_forward, &w));
	sl_sleep_ms(100);
	ASSERT_EQ(1000, sl_send_all(self->in.tx, self->b.data, 1000, 0));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(1000, w.ret);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, wait_and_forward, &w));
	sl_sleep_ms(100);
	shutdown(self->in.tx, SHUT_WR);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.ret);
	ASSERT_EQ(0, sl_nonblock(self->in.rx, true));
	EXPECT_EQ(0, sl_rxpool_forward(&self->p, self->in.rx, self->out.tx, LEN,
				       0));
}

/* A datagram socket that was shut down: the end, not for ever nothing */
TEST_F(forward, datagrams_after_a_shutdown)
{
	struct sl_addr to;
	struct sl_pair in;

	ASSERT_EQ(0, sl_udp_pair_plain(&in, variant->family, &to, true));
	ASSERT_EQ(0, sl_attach(in.rx));
	ASSERT_EQ(0, sl_attach(in.tx));
	ASSERT_EQ(0, connect(in.rx, &to.sa, to.len));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, in.rx, 0, 0));
	ASSERT_EQ(0, shutdown(in.rx, SHUT_RD));
	EXPECT_EQ(0, sl_rxpool_forward(&self->p, in.rx, in.tx, 1, 0));
	sl_pair_close(&in);
}

TEST_HARNESS_MAIN
