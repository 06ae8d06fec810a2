// SPDX-License-Identifier: GPL-2.0
/* libsockloan: packets, the receive callback, what the InterNiche calls promise */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <sockloan.h>

#include "kselftest_harness.h"
#include "sl_rx.h"

#define BUF (64 * SL_KIB)
#define BUFS 8
#define SEED 3
#define MANY 64

/* What the callback was called with */
struct record {
	int refuse; /* so many packets */
	bool keep; /* do not free them at once */
	bool backwards; /* in whatever order they are freed */
	struct sl_pkt *pkt[MANY];
	int kept;
	int calls, refused;
	int code[4], codes;
	size_t bytes;
	long long differs; /* bytes that are not those of the stream */
};

FIXTURE(packets)
{
	struct sl_pool *pool;
	struct sl_pair s;
	struct record r;
};

FIXTURE_VARIANT(packets)
{
	int family;
};

FIXTURE_VARIANT_ADD(packets, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(packets, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(packets)
{
	struct sl_pool_options o = {
		.buf_size = BUF,
		.bufs = BUFS,
		.window = SL_MIB,
	};

	self->pool = sl_pool_open(&o);
	ASSERT_NE(NULL, self->pool);
	ASSERT_EQ(0, sl_pair_sized(&self->s, variant->family, SL_MIB, SL_MIB));
	ASSERT_EQ(0, sl_nonblock(self->s.rx, true));
}

FIXTURE_TEARDOWN(packets)
{
	sl_pair_close(&self->s);
	EXPECT_EQ(0, sl_pool_close(self->pool));
}

static int receive(int fd, struct sl_pkt *pkt, int code, void *arg)
{
	struct record *r = arg;

	r->calls++;
	if (!pkt) {
		r->code[r->codes++ % 4] = code;
		return 0;
	}
	if (r->refused < r->refuse) {
		r->refused++;
		return 1;
	}
	if (sl_differs_at(pkt->data, pkt->len, SEED, r->bytes) >= 0 ||
	    pkt->fd != fd)
		r->differs++;
	r->bytes += pkt->len;
	if (r->keep)
		r->pkt[r->kept++ % MANY] = pkt;
	else if (sl_pkt_free(pkt))
		r->differs++;
	return 0;
}

/* Dispatches until @bytes have come, or nothing comes any more. */
static int dispatch(struct sl_pool *pool, struct record *r, size_t bytes)
{
	uint64_t until = sl_ms() + 5000 * sl_slow();

	while (r->bytes < bytes && sl_ms() < until)
		if (sl_dispatch(pool, 100) < 0)
			return -1;
	return r->bytes == bytes ? 0 : -1;
}

TEST_F(packets, allocate_until_none_is_free)
{
	struct sl_pkt *pkt[BUFS + 1];
	struct sockloan_poolstat st;

	EXPECT_EQ(NULL, sl_pkt_alloc(self->pool, BUF + 1));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(BUFS, sl_pkt_allocv(self->pool, BUF, pkt, BUFS + 1));
	EXPECT_EQ(NULL, sl_pkt_alloc(self->pool, 1));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(BUF, pkt[0]->size);
	EXPECT_EQ(-1, pkt[0]->fd);
	memset(pkt[BUFS - 1]->data, 1, BUF);
	for (int i = 0; i < BUFS; i++)
		EXPECT_EQ(0, sl_pkt_free(pkt[i]));
	ASSERT_EQ(0, sl_pool_stat(self->pool, &st));
	EXPECT_EQ(BUFS, st.free);
	EXPECT_EQ(0, st.lowest_free);
}

/* Double, foreign, not from here: an error, and the pool as before */
TEST_F(packets, catch_what_is_not_ones_own)
{
	struct sl_pkt *pkt = sl_pkt_alloc(self->pool, 1), foreign, *other;
	struct sockloan_poolstat st;

	ASSERT_NE(NULL, pkt);
	foreign = *pkt;
	other = (void *)((char *)pkt + 8);
	EXPECT_EQ(-1, sl_pkt_free(&foreign));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, sl_pkt_free(other));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, sl_pkt_free(NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, sl_pkt_free(pkt));
	EXPECT_EQ(-1, sl_pkt_free(pkt));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-ENOENT, sl_xout(self->s.tx, pkt));
	ASSERT_EQ(0, sl_pool_stat(self->pool, &st));
	EXPECT_EQ(BUFS, st.free);
}

/* -- one pool, several threads --------------------------------------------------- */

#define THREADS 4

struct worker {
	pthread_t thread;
	struct sl_pool *pool;
	int got, wrong;
};

/* What is allocated is this thread's until it is freed, whatever the others do. */
static void *allocate_and_free(void *arg)
{
	struct worker *w = arg;
	struct sl_pkt *pkt;
	int i;

	for (i = 0; i < 20000 / sl_slow(); i++) {
		pkt = sl_pkt_alloc(w->pool, 1);
		if (!pkt)
			continue;
		w->got++;
		w->wrong += sl_pkt_free(pkt) != 0;
	}
	return NULL;
}

TEST_F(packets, threads_share_them)
{
	struct worker w[THREADS] = { 0 };
	struct sockloan_poolstat st;
	int i;

	for (i = 0; i < THREADS; i++) {
		w[i].pool = self->pool;
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL,
					    allocate_and_free, &w[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_LT(0, w[i].got);
		EXPECT_EQ(0, w[i].wrong);
	}
	ASSERT_EQ(0, sl_pool_stat(self->pool, &st));
	EXPECT_EQ(BUFS, st.free);
}

/* The same one twice in a call: accepted once */
TEST_F(packets, xoutv_of_the_same_packet)
{
	struct sl_pkt *pkt[2];

	pkt[0] = sl_pkt_alloc(self->pool, BUF);
	ASSERT_NE(NULL, pkt[0]);
	pkt[1] = pkt[0];
	sl_fill(pkt[0]->data, 1000, SEED);
	pkt[0]->len = 1000;
	EXPECT_EQ(1, sl_xoutv(self->s.tx, pkt, 2));
	EXPECT_EQ(-1, sl_xoutv(self->s.tx, pkt, 2));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(0, sl_drain(self->s.rx, 1000, SEED));
	EXPECT_EQ(0, sl_arrived(self->s.rx));
}

TEST_F(packets, xout_sends)
{
	struct sl_pkt *pkt[BUFS];
	int i;

	ASSERT_EQ(BUFS, sl_pkt_allocv(self->pool, BUF, pkt, BUFS));
	for (i = 0; i < BUFS; i++) {
		sl_fill_at(pkt[i]->data, BUF, SEED, i * BUF);
		pkt[i]->len = BUF;
	}
	EXPECT_LE(0, sl_xout(self->s.tx, pkt[0]));
	EXPECT_EQ(BUFS - 1, sl_xoutv(self->s.tx, pkt + 1, BUFS - 1));
	EXPECT_EQ(0, sl_drain(self->s.rx, BUFS * BUF, SEED));
}

/* Its data may begin anywhere in its buffer, and has to lie in it. */
TEST_F(packets, xout_checks_where_the_data_lies)
{
	struct sl_pkt *pkt = sl_pkt_alloc(self->pool, BUF);

	ASSERT_NE(NULL, pkt);
	sl_fill(pkt->data + 100, 1000, SEED);
	pkt->data += 100;
	pkt->len = BUF;
	EXPECT_EQ(-EMSGSIZE, sl_xout(self->s.tx, pkt));
	pkt->data -= 101;
	pkt->len = 1000;
	EXPECT_EQ(-EMSGSIZE, sl_xout(self->s.tx, pkt));
	pkt->data += 101;
	EXPECT_LE(0, sl_xout(self->s.tx, pkt));
	EXPECT_EQ(0, sl_drain(self->s.rx, 1000, SEED));
}

/* Not accepted: the packet is still the program's, to send again. */
TEST_F(packets, xout_refused_is_kept)
{
	struct sl_pkt *pkt = sl_pkt_alloc(self->pool, BUF);

	ASSERT_NE(NULL, pkt);
	sl_fill(pkt->data, BUF, SEED);
	pkt->len = BUF;
	EXPECT_EQ(-EBADF, sl_xout(-1, pkt));
	EXPECT_EQ(-ENOTSOCK, sl_xout(sl_pool_fd(self->pool), pkt));
	EXPECT_LE(0, sl_xout(self->s.tx, pkt));
	EXPECT_EQ(0, sl_drain(self->s.rx, BUF, SEED));
}

/* A socket that must not wait: all of a packet or nothing, and again later */
TEST_F(packets, xout_without_waiting)
{
	struct sl_pkt *pkt;
	size_t sent = 0;
	int ret = 0;

	ASSERT_EQ(0, sl_nonblock(self->s.tx, true));
	while (ret >= 0) {
		pkt = sl_pkt_alloc(self->pool, BUF);
		if (!pkt)
			break;
		sl_fill_at(pkt->data, BUF, SEED, sent);
		pkt->len = BUF;
		ret = sl_xout(self->s.tx, pkt);
		sent += ret >= 0 ? BUF : 0;
	}
	if (pkt) {
		EXPECT_EQ(-EAGAIN, ret);
		EXPECT_EQ(0, sl_pkt_free(pkt));
	}
	EXPECT_LT(0, sent);
	EXPECT_EQ(0, sl_nonblock(self->s.rx, false));
	EXPECT_EQ(0, sl_drain(self->s.rx, sent, SEED));
	EXPECT_EQ(0, sl_arrived(self->s.rx));
}

/* The send buffer of a young connection grows, unless the program has set it. */
TEST_F(packets, xout_of_more_than_the_send_buffer)
{
	struct sl_addr a;
	struct sl_pair s;
	struct sl_pkt *pkt;
	int listener = sl_listen(variant->family, &a), small = 8192, big;

	for (big = 1; big >= 0; big--) {
		s.tx = sl_connect(&a);
		s.rx = accept(listener, NULL, NULL);
		ASSERT_LE(0, s.tx);
		ASSERT_LE(0, s.rx);
		if (!big)
			setsockopt(s.tx, SOL_SOCKET, SO_SNDBUF, &small,
				   sizeof(small));
		ASSERT_EQ(0, sl_attach(s.tx));
		ASSERT_EQ(0, sl_nonblock(s.tx, true));
		pkt = sl_pkt_alloc(self->pool, BUF);
		ASSERT_NE(NULL, pkt);
		sl_fill(pkt->data, BUF, SEED);
		pkt->len = BUF;
		if (big) {
			EXPECT_LE(0, sl_xout(s.tx, pkt));
			EXPECT_EQ(0, sl_drain(s.rx, BUF, SEED));
		} else {
			EXPECT_EQ(-EMSGSIZE, sl_xout(s.tx, pkt));
			EXPECT_EQ(0, sl_pkt_free(pkt));
		}
		sl_pair_close(&s);
	}
	close(listener);
}

TEST_F(packets, callback_gets_all_and_then_the_end)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, 4 * BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	ASSERT_EQ(4 * BUF, sl_send_all(self->s.tx, b.data, 4 * BUF, 0));
	shutdown(self->s.tx, SHUT_WR);
	EXPECT_EQ(0, dispatch(self->pool, &self->r, 4 * BUF));
	while (!self->r.codes && sl_dispatch(self->pool, 1000) > 0)
		;
	EXPECT_EQ(0, self->r.differs);
	ASSERT_EQ(1, self->r.codes);
	EXPECT_EQ(ESHUTDOWN, self->r.code[0]);
	/* Once */
	EXPECT_EQ(0, sl_dispatch(self->pool, 50));
	EXPECT_EQ(1, self->r.codes);
	sl_buf_unmap(&b);
}

TEST_F(packets, callback_refuses_and_is_called_again)
{
	struct sl_buf b;

	self->r.refuse = 3;
	ASSERT_EQ(0, sl_buf_map(&b, BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	ASSERT_EQ(BUF, sl_send_all(self->s.tx, b.data, BUF, 0));
	shutdown(self->s.tx, SHUT_WR);
	EXPECT_EQ(0, dispatch(self->pool, &self->r, BUF));
	EXPECT_EQ(3, self->r.refused);
	EXPECT_EQ(0, self->r.differs);
	while (!self->r.codes && sl_dispatch(self->pool, 1000) > 0)
		;
	EXPECT_EQ(1, self->r.codes);
	sl_buf_unmap(&b);
}

/* Kept ones hold the window closed; they are released in the stream's order. */
TEST_F(packets, kept_ones_are_freed_in_any_order)
{
	struct sockloan_poolstat st;
	struct sl_buf b;
	int i;

	self->r.keep = true;
	ASSERT_EQ(0, sl_buf_map(&b, 4 * BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(BUF,
			  sl_send_all(self->s.tx, b.data + i * BUF, BUF, 0));
		ASSERT_EQ(0, dispatch(self->pool, &self->r, (i + 1) * BUF));
	}
	ASSERT_LE(4, self->r.kept);
	ASSERT_GE(MANY, self->r.kept);
	/* All but the first */
	for (i = self->r.kept - 1; i > 0; i--)
		EXPECT_EQ(0, sl_pkt_free(self->r.pkt[i]));
	ASSERT_EQ(0, sl_pool_stat(self->pool, &st));
	EXPECT_EQ(0, st.bytes_released);
	EXPECT_EQ(-1, sl_pkt_free(self->r.pkt[1]));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(0, sl_pkt_free(self->r.pkt[0]));
	ASSERT_EQ(0, sl_pool_stat(self->pool, &st));
	EXPECT_EQ(4 * BUF, st.bytes_released);
	EXPECT_EQ(0, self->r.differs);
	sl_buf_unmap(&b);
}

/* A broken connection: the data that came before, then the code, once */
TEST_F(packets, callback_is_told_of_a_reset)
{
	struct linger l = { .l_onoff = 1 };
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	ASSERT_EQ(BUF, sl_send_all(self->s.tx, b.data, BUF, 0));
	ASSERT_EQ(0, dispatch(self->pool, &self->r, BUF));
	setsockopt(self->s.tx, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(self->s.tx);
	self->s.tx = -1;
	while (!self->r.codes && sl_dispatch(self->pool, 1000) > 0)
		;
	ASSERT_EQ(1, self->r.codes);
	EXPECT_EQ(ECONNRESET, self->r.code[0]);
	EXPECT_EQ(0, sl_dispatch(self->pool, 50));
	sl_buf_unmap(&b);
}

/* A received packet is sent on, and is freed by that. */
TEST_F(packets, received_ones_are_sent_on)
{
	struct sockloan_poolstat st;
	struct sl_pair out;
	struct sl_buf b;
	size_t sent = 0;
	int i;

	self->r.keep = true;
	ASSERT_EQ(0, sl_pair_sized(&out, variant->family, SL_MIB, SL_MIB));
	ASSERT_EQ(0, sl_buf_map(&b, 4 * BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	ASSERT_EQ(4 * BUF, sl_send_all(self->s.tx, b.data, 4 * BUF, 0));
	ASSERT_EQ(0, dispatch(self->pool, &self->r, 4 * BUF));
	for (i = 0; i < self->r.kept; i++) {
		sent += self->r.pkt[i]->len;
		EXPECT_LE(0, sl_xout(out.tx, self->r.pkt[i]));
		EXPECT_EQ(-ENOENT, sl_xout(out.tx, self->r.pkt[i]));
	}
	EXPECT_EQ(4 * BUF, sent);
	EXPECT_EQ(0, sl_drain(out.rx, 4 * BUF, SEED));
	ASSERT_EQ(0, sl_pool_stat(self->pool, &st));
	EXPECT_EQ(4 * BUF, st.bytes_forwarded);
	EXPECT_EQ(0, sl_arrived(self->s.rx));
	sl_pair_close(&out);
	sl_buf_unmap(&b);
}

/* The last one first: copied then, and each byte once */
TEST_F(packets, received_ones_are_sent_on_in_any_order)
{
	struct sl_pair out;
	struct sl_buf b;
	int i;

	self->r.keep = true;
	ASSERT_EQ(0, sl_pair_sized(&out, variant->family, SL_MIB, SL_MIB));
	ASSERT_EQ(0, sl_buf_map(&b, 2 * BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(BUF,
			  sl_send_all(self->s.tx, b.data + i * BUF, BUF, 0));
		ASSERT_EQ(0, dispatch(self->pool, &self->r, (i + 1) * BUF));
	}
	for (i = self->r.kept - 1; i >= 0; i--) {
		size_t at = self->r.pkt[i]->len;

		/* Where it lies in the stream */
		for (int j = 0; j < i; j++)
			at += self->r.pkt[j]->len;
		at -= self->r.pkt[i]->len;
		size_t len = self->r.pkt[i]->len;

		ASSERT_LE(0, sl_xout(out.tx, self->r.pkt[i]));
		EXPECT_EQ(0, sl_drain_at(out.rx, len, SEED, at));
	}
	EXPECT_EQ(0, sl_arrived(self->s.rx));
	sl_pair_close(&out);
	sl_buf_unmap(&b);
}

/* Its first bytes and its last ones are cut off. */
TEST_F(packets, part_of_a_received_one_is_sent_on)
{
	const size_t cut = 100;
	struct sl_pair out;
	struct sl_buf b;
	size_t at = 0;
	int i;

	self->r.keep = true;
	ASSERT_EQ(0, sl_pair_sized(&out, variant->family, SL_MIB, SL_MIB));
	ASSERT_EQ(0, sl_buf_map(&b, 2 * BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	ASSERT_EQ(2 * BUF, sl_send_all(self->s.tx, b.data, 2 * BUF, 0));
	ASSERT_EQ(0, dispatch(self->pool, &self->r, 2 * BUF));
	for (i = 0; i < self->r.kept; i++) {
		struct sl_pkt *pkt = self->r.pkt[i];
		size_t len = pkt->len;

		if (len > 2 * cut) {
			pkt->data += cut;
			pkt->len -= 2 * cut;
			ASSERT_LE(0, sl_xout(out.tx, pkt));
			EXPECT_EQ(0, sl_drain_at(out.rx, len - 2 * cut, SEED,
						 at + cut));
		} else {
			ASSERT_EQ(0, sl_pkt_free(pkt));
		}
		at += len;
	}
	EXPECT_EQ(0, sl_arrived(self->s.rx));
	sl_pair_close(&out);
	sl_buf_unmap(&b);
}

/* Another callback, none, and a descriptor that is used again */
TEST_F(packets, callback_is_replaced)
{
	struct record other = { 0 };
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, BUF, 0, SEED));
	ASSERT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, receive,
					&self->r));
	ASSERT_EQ(0,
		  sl_set_rx_callback(self->pool, self->s.rx, receive, &other));
	ASSERT_EQ(BUF, sl_send_all(self->s.tx, b.data, BUF, 0));
	EXPECT_EQ(0, dispatch(self->pool, &other, BUF));
	EXPECT_EQ(0, self->r.calls);
	EXPECT_EQ(0, sl_set_rx_callback(self->pool, self->s.rx, NULL, NULL));
	EXPECT_EQ(-1, sl_set_rx_callback(self->pool, self->s.rx, NULL, NULL));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(BUF, sl_send_all(self->s.tx, b.data, BUF, 0));
	EXPECT_EQ(0, sl_dispatch(self->pool, 50));
	EXPECT_EQ(0, sl_drain(self->s.rx, BUF, SEED));
	sl_buf_unmap(&b);
}

TEST_HARNESS_MAIN
