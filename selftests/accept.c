// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets accepted from an attached listener
 *
 * accept(2) gives the listener's proto_ops to the new socket before the
 * module's accept runs, and releases it through them when that fails.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_test.h"

#define LEN (64 * SL_KIB)
#define STORM 400 /* connections a thread */

FIXTURE(accept)
{
	struct sl_addr a;
	struct sl_buf b;
	struct sl_counters c;
	int listener;
};

FIXTURE_VARIANT(accept)
{
	int family;
};

FIXTURE_VARIANT_ADD(accept, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(accept, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(accept)
{
	if (sl_plain())
		SKIP(return, "nothing is attached");
	self->listener = sl_listen(variant->family, &self->a);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, sl_attach(self->listener));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(accept)
{
	if (self->listener >= 0)
		close(self->listener);
	sl_buf_unmap(&self->b);
}

/* One accepted connection: the accepted end is what sends. */
static int pair_up(int listener, const struct sl_addr *a, struct sl_pair *p)
{
	p->rx = sl_connect(a);
	if (p->rx < 0)
		return -1;
	p->tx = accept(listener, NULL, NULL);
	return p->tx < 0 ? -1 : 0;
}

TEST_F(accept, inherits)
{
	struct sl_pair p;

	ASSERT_EQ(0, pair_up(self->listener, &self->a, &p));
	EXPECT_RISE_BY(&self->c, "Inherited", 1);
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(p.tx, LEN);
	sl_fill(self->b.data, LEN, 2);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	/* Itself, not the listener's */
	EXPECT_EQ(0, sl_lent(self->listener));
	sl_pair_close(&p);
}

TEST_F(accept, outlives_the_listener)
{
	struct sl_pair p;

	ASSERT_EQ(0, pair_up(self->listener, &self->a, &p));
	ASSERT_EQ(0, close(self->listener));
	self->listener = -1;
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(p.tx, LEN);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	sl_pair_close(&p);
}

TEST_F(accept, detached_listener)
{
	struct sl_pair p;

	ASSERT_EQ(0, sl_detach(self->listener));
	ASSERT_EQ(0, pair_up(self->listener, &self->a, &p));
	EXPECT_EQ(-1, sl_lent(p.tx));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	/* A plain socket, which can be attached */
	EXPECT_EQ(0, sl_attach(p.tx));
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(p.tx, LEN);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	sl_pair_close(&p);
}

/* Waited in the queue since before the attach */
TEST_F(accept, connected_before_attach)
{
	struct sl_pair p;

	ASSERT_EQ(0, sl_detach(self->listener));
	p.rx = sl_connect(&self->a);
	ASSERT_LE(0, p.rx);
	ASSERT_EQ(0, sl_attach(self->listener));
	p.tx = accept(self->listener, NULL, NULL);
	ASSERT_LE(0, p.tx);
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(p.tx, LEN);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	sl_pair_close(&p);
}

static void ignore(int sig)
{
}

/* Each leaves a new socket that has our ops and no sock. */
TEST_F(accept, failures)
{
	struct sigaction sa = { .sa_handler = ignore };
	struct rlimit limit, none;
	struct sl_pair p;
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, sl_nonblock(self->listener, true));
		EXPECT_EQ(-1, accept(self->listener, NULL, NULL));
		EXPECT_EQ(EAGAIN, errno);
	}
	ASSERT_EQ(0, sl_nonblock(self->listener, false));
	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 0);
	EXPECT_EQ(-1, accept(self->listener, NULL, NULL));
	EXPECT_EQ(EINTR, errno);

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-1, accept(self->listener, NULL, NULL));
	EXPECT_EQ(EMFILE, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));

	p.rx = sl_connect(&self->a);
	EXPECT_EQ(-1, accept(self->listener, (void *)1, &(socklen_t){ 16 }));
	EXPECT_EQ(EFAULT, errno);
	close(p.rx);

	/* A connected socket is no listener; its own state stays. */
	ASSERT_EQ(0, pair_up(self->listener, &self->a, &p));
	EXPECT_EQ(-1, accept(p.tx, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(p.tx, LEN);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	sl_pair_close(&p);
	/* None of the failed ones is left. */
	EXPECT_RISE_BY(&self->c, "Sockets", 0);
}

/* -- storms --------------------------------------------------------------- */

struct storm {
	struct sl_addr a;
	int listener;
	atomic_int accepted;
	atomic_int failed;
	atomic_bool stop;
};

static void *acceptor(void *arg)
{
	struct storm *s = arg;
	struct sl_buf b;
	int fd;

	if (sl_buf_map(&b, LEN, 0, 1))
		return NULL;
	for (;;) {
		fd = accept(s->listener, NULL, NULL);
		if (fd < 0)
			break;
		if (send(fd, b.data, 2 * sl_page, MSG_NOSIGNAL) !=
		    (ssize_t)(2 * sl_page))
			s->failed++;
		s->accepted++;
		close(fd);
	}
	sl_buf_unmap(&b);
	return NULL;
}

static void *connector(void *arg)
{
	struct storm *s = arg;
	int i, fd;

	for (i = 0; i < STORM; i++) {
		fd = sl_connect(&s->a);
		if (fd < 0)
			break;
		/* Every other one leaves at once. */
		if (i % 2 && sl_drain(fd, 2 * sl_page, 1))
			s->failed++;
		close(fd);
	}
	return NULL;
}

static void *toggler(void *arg)
{
	struct storm *s = arg;

	while (!s->stop) {
		sl_detach(s->listener);
		sched_yield();
		sl_attach(s->listener);
		sched_yield();
	}
	return NULL;
}

static void storm(struct storm *s, bool toggle, bool close_early,
		  struct __test_metadata *_metadata)
{
	pthread_t acceptors[2], connectors[2], t;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&acceptors[i], NULL, acceptor, s));
		ASSERT_EQ(0,
			  pthread_create(&connectors[i], NULL, connector, s));
	}
	if (toggle)
		ASSERT_EQ(0, pthread_create(&t, NULL, toggler, s));
	if (close_early) {
		while (s->accepted < STORM / 2)
			sl_sleep_ms(1);
		shutdown(s->listener, SHUT_RDWR);
	}
	for (i = 0; i < 2; i++)
		pthread_join(connectors[i], NULL);
	while (!close_early && s->accepted < 2 * STORM)
		sl_sleep_ms(1);
	s->stop = true;
	if (toggle)
		pthread_join(t, NULL);
	shutdown(s->listener, SHUT_RDWR);
	for (i = 0; i < 2; i++)
		pthread_join(acceptors[i], NULL);
}

TEST_F(accept, storm)
{
	struct storm s = { .a = self->a, .listener = self->listener };

	storm(&s, false, false, _metadata);
	EXPECT_EQ(2 * STORM, s.accepted);
	EXPECT_EQ(0, s.failed);
	EXPECT_RISE_BY(&self->c, "Inherited", 2 * STORM);
	EXPECT_RISE_BY(&self->c, "BytesLent", 2 * STORM * 2 * sl_page);
}

TEST_F(accept, storm_with_detaches)
{
	struct storm s = { .a = self->a, .listener = self->listener };

	storm(&s, true, false, _metadata);
	EXPECT_EQ(2 * STORM, s.accepted);
	EXPECT_EQ(0, s.failed);
	EXPECT_RISE(&self->c, "Inherited");
	EXPECT_RISE(&self->c, "Detaches");
}

TEST_F(accept, storm_on_a_listener_that_goes)
{
	struct storm s = { .a = self->a, .listener = self->listener };

	storm(&s, false, true, _metadata);
	EXPECT_LE(STORM / 2, s.accepted);
}

TEST_HARNESS_MAIN
