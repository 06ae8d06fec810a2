// SPDX-License-Identifier: GPL-2.0
/* Events of sockets in a pool: each once, none lost, in order */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_rx.h"

#define LEN (64 * SL_KIB)
#define COOKIE 0x1122334455667788ull

FIXTURE(events)
{
	struct sl_pair s;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_VARIANT(events)
{
	int family;
};

FIXTURE_VARIANT_ADD(events, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(events, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, sl_pair_plain(&self->s, variant->family));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, SL_MIB));
	ASSERT_EQ(0, sl_nonblock(self->p.fd, true));
}

FIXTURE_TEARDOWN(events)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

/* The next record; EAGAIN: -1 */
static long next(FIXTURE_DATA(events) * self, struct sockloan_event *e)
{
	ssize_t n = read(self->p.fd, e, sizeof(*e));

	return n == sizeof(*e) ? (long)e->events : -1;
}

/* What has come within a while, all together */
static uint32_t soon(FIXTURE_DATA(events) * self, struct sockloan_event *e)
{
	struct pollfd p = { .fd = self->p.fd, .events = POLLIN };
	uint32_t all = 0;
	int error = 0;

	while (poll(&p, 1, 200) == 1 && next(self, e) > 0) {
		all |= e->events;
		error = e->error ?: error;
	}
	e->error = error;
	return all;
}

/* What is true already is told at once. */
TEST_F(events, at_the_join)
{
	struct sockloan_event e;

	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, shutdown(self->s.tx, SHUT_WR));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	sl_sleep_ms(50);
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_ALL,
				    COOKIE));
	EXPECT_EQ(SOCKLOAN_EVENT_DATA | SOCKLOAN_EVENT_WRITABLE |
			  SOCKLOAN_EVENT_SHUTDOWN,
		  next(self, &e));
	EXPECT_EQ(COOKIE, e.cookie);
	EXPECT_EQ(0, e.error);
	EXPECT_EQ(-1, next(self, &e));
	EXPECT_EQ(EAGAIN, errno);
}

/* However much comes before it is read */
TEST_F(events, coalesced)
{
	struct sockloan_event e;
	int i;

	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_DATA,
				    COOKIE));
	EXPECT_EQ(-1, next(self, &e));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(100, sl_send_all(self->s.tx, self->b.data, 100, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, 5000));
	sl_sleep_ms(50);
	EXPECT_EQ(SOCKLOAN_EVENT_DATA, next(self, &e));
	EXPECT_EQ(-1, next(self, &e));
	ASSERT_EQ(100, sl_send_all(self->s.tx, self->b.data, 100, 0));
	EXPECT_EQ(SOCKLOAN_EVENT_DATA, soon(self, &e));
}

TEST_F(events, shutdown_once)
{
	struct sockloan_event e;

	ASSERT_EQ(0,
		  sl_rxpool_join(&self->p, self->s.rx,
				 SOCKLOAN_EVENT_ALL & ~SOCKLOAN_EVENT_WRITABLE,
				 COOKIE));
	ASSERT_EQ(100, sl_send_all(self->s.tx, self->b.data, 100, 0));
	ASSERT_EQ(0, shutdown(self->s.tx, SHUT_WR));
	EXPECT_EQ(SOCKLOAN_EVENT_DATA | SOCKLOAN_EVENT_SHUTDOWN,
		  soon(self, &e));
	/* The rest of the connection's life brings no second one. */
	shutdown(self->s.rx, SHUT_RDWR);
	EXPECT_EQ(0, soon(self, &e));
}

/* The end alone is no data: neither when it comes, nor for who joins behind it. */
TEST_F(events, shutdown_alone)
{
	uint32_t wanted = SOCKLOAN_EVENT_ALL & ~SOCKLOAN_EVENT_WRITABLE;
	struct sockloan_event e;

	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, wanted, COOKIE));
	ASSERT_EQ(0, shutdown(self->s.tx, SHUT_WR));
	EXPECT_EQ(SOCKLOAN_EVENT_SHUTDOWN, soon(self, &e));
	ASSERT_EQ(0, sl_rxpool_leave(&self->p, self->s.rx));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, wanted, COOKIE));
	EXPECT_EQ(SOCKLOAN_EVENT_SHUTDOWN, soon(self, &e));
}

TEST_F(events, reset_once)
{
	struct linger l = { .l_onoff = 1 };
	struct sockloan_event e;

	ASSERT_EQ(0,
		  sl_rxpool_join(&self->p, self->s.rx,
				 SOCKLOAN_EVENT_ALL & ~SOCKLOAN_EVENT_WRITABLE,
				 COOKIE));
	setsockopt(self->s.tx, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(self->s.tx);
	self->s.tx = -1;
	EXPECT_EQ(SOCKLOAN_EVENT_RESET, soon(self, &e));
	EXPECT_EQ(ECONNRESET, e.error);
	EXPECT_EQ(0, soon(self, &e));
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(ECONNRESET, errno);
}

/* Not as long as there is none, and again when there is */
TEST_F(events, writable)
{
	struct sockloan_event e;
	ssize_t n;

	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx,
				    SOCKLOAN_EVENT_WRITABLE, COOKIE));
	EXPECT_EQ(SOCKLOAN_EVENT_WRITABLE, next(self, &e));
	do {
		n = send(self->s.rx, self->b.data, LEN, MSG_DONTWAIT);
	} while (n > 0);
	ASSERT_EQ(EAGAIN, errno);
	sl_sleep_ms(50);
	while (next(self, &e) > 0)
		;
	do {
		n = recv(self->s.tx, self->b.data, LEN, MSG_DONTWAIT);
	} while (n > 0);
	EXPECT_EQ(SOCKLOAN_EVENT_WRITABLE, soon(self, &e));
}

TEST_F(events, urgent)
{
	struct sockloan_event e;

	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_URGENT,
				    COOKIE));
	ASSERT_EQ(1, send(self->s.tx, "!", 1, MSG_OOB));
	EXPECT_EQ(SOCKLOAN_EVENT_URGENT, soon(self, &e));
	EXPECT_EQ(0, soon(self, &e));
}

static void *send_later(void *arg)
{
	struct sl_pair *s = arg;

	sl_sleep_ms(100);
	send(s->tx, "x", 1, 0);
	return NULL;
}

static void on_alarm(int sig)
{
}

TEST_F(events, read_waits)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = { .it_value.tv_usec = 100000 };
	struct sockloan_event e[4];
	pthread_t thread;

	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_DATA,
				    COOKIE));
	EXPECT_EQ(-1, read(self->p.fd, e, sizeof(*e) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->p.fd, e, sizeof(*e)));
	EXPECT_EQ(EAGAIN, errno);
	sl_nonblock(self->p.fd, false);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	EXPECT_EQ(-1, read(self->p.fd, e, sizeof(e)));
	EXPECT_EQ(EINTR, errno);
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_later, &self->s));
	EXPECT_EQ(sizeof(*e), read(self->p.fd, e, sizeof(e)));
	EXPECT_EQ(SOCKLOAN_EVENT_DATA, e->events);
	pthread_join(thread, NULL);
}

/* They go with the socket's membership. */
TEST_F(events, gone_when_it_leaves)
{
	struct sockloan_event e;

	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_ALL,
				    COOKIE));
	EXPECT_EQ(-1, sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_ALL,
				     COOKIE));
	EXPECT_EQ(EALREADY, errno);
	ASSERT_EQ(0, sl_rxpool_leave(&self->p, self->s.rx));
	EXPECT_EQ(-1, next(self, &e));
	EXPECT_EQ(-1, sl_rxpool_leave(&self->p, self->s.rx));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_ALL,
				    COOKIE));
	close(self->s.rx);
	self->s.rx = -1;
	EXPECT_EQ(-1, next(self, &e));
}

/* A slow reader of many sockets misses nothing. */
TEST_F(events, many_sockets)
{
	enum { N = 200 };
	struct sockloan_event e[64];
	struct sl_pair s[N];
	int seen[N] = {}, i, n, total = 0;

	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, sl_pair_plain(&s[i], variant->family));
		ASSERT_EQ(0, sl_attach(s[i].rx));
		ASSERT_EQ(0, sl_rxpool_join(&self->p, s[i].rx,
					    SOCKLOAN_EVENT_DATA |
						    SOCKLOAN_EVENT_SHUTDOWN,
					    i));
	}
	for (n = 0; n < 3; n++)
		for (i = 0; i < N; i++)
			ASSERT_EQ(100,
				  sl_send_all(s[i].tx, self->b.data, 100, 0));
	for (i = 0; i < N; i++) {
		shutdown(s[i].tx, SHUT_WR);
		ASSERT_EQ(0, sl_wait_arrived(s[i].rx, 300));
	}
	sl_sleep_ms(100);
	while ((n = read(self->p.fd, e, sizeof(e))) > 0) {
		for (i = 0; i < n / (int)sizeof(*e); i++) {
			ASSERT_GT(N, e[i].cookie);
			EXPECT_EQ(SOCKLOAN_EVENT_DATA | SOCKLOAN_EVENT_SHUTDOWN,
				  e[i].events);
			seen[e[i].cookie]++;
			total++;
		}
	}
	EXPECT_EQ(N, total);
	for (i = 0; i < N; i++) {
		EXPECT_EQ(1, seen[i]);
		sl_pair_close(&s[i]);
	}
}

struct talker {
	struct sl_pair *s;
	int n;
	unsigned char *data;
	volatile bool *stop;
};

static void *talk(void *arg)
{
	struct talker *t = arg;
	int i;

	for (i = 0; !*t->stop; i = (i + 1) % t->n)
		if (send(t->s[i].tx, t->data, 64, MSG_NOSIGNAL) != 64)
			break;
	return NULL;
}

/*
 * A program may close a socket at its record, so a read has no second one of it,
 * however fast data comes meanwhile.
 */
TEST_F(events, one_record_of_a_socket_in_a_read)
{
	enum { N = 250, ROUNDS = 400 };
	struct sockloan_event e[N + 6];
	volatile bool stop = false;
	struct sl_pair s[N];
	struct talker t = { s, N, self->b.data, &stop };
	int seen[N] = {}, i, n, round, twice = 0;
	pthread_t thread;

	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, sl_pair_plain(&s[i], variant->family));
		ASSERT_EQ(0, sl_attach(s[i].rx));
		ASSERT_EQ(0, sl_rxpool_join(&self->p, s[i].rx,
					    SOCKLOAN_EVENT_DATA, i));
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, talk, &t));
	sl_nonblock(self->p.fd, false);
	for (round = 1; round <= ROUNDS; round++) {
		/* Long reads, so that much happens meanwhile */
		usleep(8000);
		n = read(self->p.fd, e, sizeof(e));
		ASSERT_LT(0, n);
		for (i = 0; i < n / (int)sizeof(*e); i++) {
			ASSERT_GT(N, e[i].cookie);
			twice += seen[e[i].cookie] == round;
			seen[e[i].cookie] = round;
		}
		for (i = 0; round % 8 == 0 && i < N; i++)
			recv(s[i].rx, NULL, SL_MIB, MSG_TRUNC | MSG_DONTWAIT);
	}
	EXPECT_EQ(0, twice);
	stop = true;
	for (i = 0; i < N; i++)
		shutdown(s[i].rx, SHUT_RDWR);
	pthread_join(thread, NULL);
	for (i = 0; i < N; i++)
		sl_pair_close(&s[i]);
}

TEST_HARNESS_MAIN
