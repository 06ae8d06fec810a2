// SPDX-License-Identifier: GPL-2.0
/*
 * A route that gathers no more, and then does again, while a send waits for room:
 * TCP looks with each call, so that of one batch some pages are lent and others
 * copied, and the references of both have to come out right
 */
#include <signal.h>
#include <string.h>
#include <linux/ethtool.h>

#include "kselftest_harness.h"
#include "sl_net.h"
#include "sl_pool.h"

#define OLD 1
#define SIZE (2 * SL_MIB)
#define STEP (24 * SL_KIB) /* read between two changes */
#define TAINT_BAD_PAGE 32

FIXTURE(gather)
{
	struct sl_pair p;
	long long taint;
	bool missing;
};

FIXTURE_SETUP(gather)
{
	int small = 16 * SL_KIB, window = 32 * SL_KIB;
	struct sl_veth v;

	self->p.tx = -1;
	self->p.rx = -1;
	self->taint = sl_get("/proc/sys/kernel/tainted");
	if (sl_veth(&v)) {
		self->missing = true;
		return;
	}
	/* MD5: what the socket can do is what the device can. */
	ASSERT_EQ(0, sl_veth_pair(&self->p, AF_INET, true, &v));
	ASSERT_EQ(0, setsockopt(self->p.tx, SOL_SOCKET, SO_SNDBUF, &small,
				sizeof(small)));
	ASSERT_EQ(0, setsockopt(self->p.rx, SOL_SOCKET, SO_RCVBUF, &window,
				sizeof(window)));
}

FIXTURE_TEARDOWN(gather)
{
	sl_pair_close(&self->p);
}

/* With the next segment the socket finds out. */
static int gather(bool on)
{
	return sl_ethtool("sl0", ETHTOOL_SSG, on) ||
	       sl_put("/proc/sys/net/ipv4/route/flush", "1");
}

static int bad_page(long long before)
{
	return sl_get("/proc/sys/kernel/tainted") & ~before & TAINT_BAD_PAGE;
}

struct sender {
	pthread_t thread;
	int fd;
	const void *data;
	struct pool *pool;
	uint32_t id;
	ssize_t ret;
};

static void *send_it(void *arg)
{
	struct sender *s = arg;

	if (s->pool)
		s->ret = xout(s->pool, s->fd, s->id, 0, BUF, 0);
	else
		s->ret = sl_send_all(s->fd, s->data, SIZE, 0);
	return NULL;
}

static void nothing(int sig)
{
}

/* Reads all of it in steps, between which the device changes its mind */
static int drain_in_steps(int fd, size_t len)
{
	size_t done;
	int i = 0;

	for (done = 0; done + STEP < len; done += STEP) {
		if (gather(i++ & 1))
			return -1;
		sl_sleep_ms(10);
		if (sl_drain_at(fd, STEP, OLD, done))
			return -1;
	}
	if (gather(true))
		return -1;
	return sl_drain_at(fd, len - done, OLD, done);
}

TEST_F_TIMEOUT(gather, send, 100)
{
	struct sender s = { .fd = self->p.tx };
	struct sl_buf b;

	if (self->missing)
		SKIP(return, "no such device");
	ASSERT_EQ(0, sl_buf_map(&b, SIZE, 0, OLD));
	s.data = b.data;
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, send_it, &s));
	EXPECT_EQ(0, drain_in_steps(self->p.rx, SIZE));
	pthread_join(s.thread, NULL);
	EXPECT_EQ(SIZE, s.ret);
	EXPECT_LENT_SOME(self->p.tx);
	sl_pair_close(&self->p);
	/* A page that was freed is somebody else's by now. */
	EXPECT_EQ(-1, sl_differs(b.data, SIZE, OLD));
	sl_buf_unmap(&b);
	EXPECT_EQ(0, bad_page(self->taint));
}

TEST_F_TIMEOUT(gather, xout, 100)
{
	struct sender s = { .fd = self->p.tx };
	struct pool pool;
	int i;

	if (self->missing)
		SKIP(return, "no such device");
	if (sl_plain())
		SKIP(return, "packets are for attached sockets");
	signal(SIGUSR1, nothing);
	ASSERT_EQ(0, pool_open(&pool, BUF, 2));
	s.pool = &pool;
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(1, pkt_alloc(&pool, &s.id, 1));
		sl_fill_at(pkt_data(&pool, s.id), BUF, OLD, i * BUF);
		ASSERT_EQ(0, gather(false));
		ASSERT_EQ(0, pthread_create(&s.thread, NULL, send_it, &s));
		sl_sleep_ms(100 * sl_slow());
		/* The first call ends with what it has copied. */
		pthread_kill(s.thread, SIGUSR1);
		sl_sleep_ms(20);
		ASSERT_EQ(0, gather(true));
		EXPECT_EQ(0, sl_drain_at(self->p.rx, BUF, OLD, i * BUF));
		pthread_join(s.thread, NULL);
		EXPECT_LE(0, s.ret);
		EXPECT_TRUE(all_free(&pool));
	}
	pool_close(&pool);
	EXPECT_EQ(0, bad_page(self->taint));
}

TEST_HARNESS_MAIN
