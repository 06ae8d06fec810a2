// SPDX-License-Identifier: GPL-2.0
/* Events and callbacks where the connection, or another thread, does the unusual */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <netinet/tcp.h>

#include "kselftest_harness.h"
#include "sl_rx.h"

#define COOKIE 5
#define ENDS (SOCKLOAN_EVENT_SHUTDOWN | SOCKLOAN_EVENT_RESET)

FIXTURE(odd)
{
	struct sl_rxpool p;
	struct sl_addr a;
	int listener;
};

FIXTURE_VARIANT(odd)
{
	int family;
};

FIXTURE_VARIANT_ADD(odd, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(odd, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(odd)
{
	self->listener = sl_listen(variant->family, &self->a);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, sl_rxpool_open(&self->p, SL_MIB));
}

FIXTURE_TEARDOWN(odd)
{
	sl_rxpool_close(&self->p);
	close(self->listener);
}

/* A record within @ms: its events; 0: none */
static uint32_t event_within(struct sl_rxpool *p, int ms)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	struct sockloan_event e;

	if (poll(&pfd, 1, ms) != 1 || read(p->fd, &e, sizeof(e)) != sizeof(e))
		return 0;
	return e.events;
}

static int connected(FIXTURE_DATA(odd) * self, struct sl_pair *s)
{
	s->tx = sl_connect(&self->a);
	s->rx = accept(self->listener, NULL, NULL);
	return s->tx < 0 || s->rx < 0 ? -1 : 0;
}

/* Data and the end in one segment, which TCP reports the other way round */
static void *send_and_end(void *arg)
{
	int fd = *(int *)arg, one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &one, sizeof(one));
	if (send(fd, "data", 4, 0) == 4)
		shutdown(fd, SHUT_WR);
	return NULL;
}

TEST_F_TIMEOUT(odd, no_data_behind_the_end, 60)
{
	uint32_t all, now;
	pthread_t thread;
	struct sl_pair s;
	int i;

	for (i = 0; i < 300 / sl_slow(); i++) {
		ASSERT_EQ(0, connected(self, &s));
		ASSERT_EQ(0, sl_attach(s.rx));
		ASSERT_EQ(0, sl_rxpool_join(&self->p, s.rx,
					    SOCKLOAN_EVENT_DATA |
						    SOCKLOAN_EVENT_SHUTDOWN,
					    COOKIE));
		ASSERT_EQ(0,
			  pthread_create(&thread, NULL, send_and_end, &s.tx));
		for (all = 0; !(all & SOCKLOAN_EVENT_SHUTDOWN); all |= now) {
			now = event_within(&self->p, SL_TIMEOUT_S * 1000);
			ASSERT_NE(0, now);
		}
		pthread_join(thread, NULL);
		ASSERT_EQ(SOCKLOAN_EVENT_DATA | SOCKLOAN_EVENT_SHUTDOWN, all);
		ASSERT_EQ(0, event_within(&self->p, i % 16 ? 0 : 20));
		sl_pair_close(&s);
	}
}

/* Each connection of a socket has an end, and each that is refused an error. */
TEST_F(odd, told_again_of_the_next_connection)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = socket(variant->family, SOCK_STREAM, 0), peer, i;
	struct sl_addr refused;

	close(sl_listen(variant->family, &refused));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sl_attach(fd));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, fd, ENDS, COOKIE));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, connect(fd, &self->a.sa, self->a.len));
		peer = accept(self->listener, NULL, NULL);
		ASSERT_LE(0, peer);
		EXPECT_EQ(0, event_within(&self->p, 0));
		close(peer);
		EXPECT_EQ(SOCKLOAN_EVENT_SHUTDOWN,
			  event_within(&self->p, 5000));
		ASSERT_EQ(0, connect(fd, &none, sizeof(none)));
		while (event_within(&self->p, 20))
			;
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(-1, connect(fd, &refused.sa, refused.len));
		EXPECT_EQ(ECONNREFUSED, errno);
		EXPECT_EQ(SOCKLOAN_EVENT_RESET, event_within(&self->p, 5000));
		EXPECT_EQ(0, event_within(&self->p, 0));
	}
	close(fd);
}

/* When it is told, the byte is there. */
TEST_F(odd, urgent_when_the_byte_is_there)
{
	int size = 16384, told = 0, rounds;
	char data[4096], byte = 0;
	struct sl_pair s;

	setsockopt(self->listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	ASSERT_EQ(0, connected(self, &s));
	ASSERT_EQ(0, sl_attach(s.rx));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, s.rx, SOCKLOAN_EVENT_URGENT,
				    COOKIE));
	/* Far more than the receiver's window, then the byte */
	memset(data, 1, sizeof(data));
	ASSERT_EQ(0, sl_nonblock(s.tx, true));
	while (send(s.tx, data, sizeof(data), 0) > 0)
		;
	for (rounds = 0; rounds < 200 && !told; rounds++) {
		if (byte != '!' && send(s.tx, "!", 1, MSG_OOB) == 1)
			byte = '!';
		if (recv(s.rx, data, sizeof(data), MSG_DONTWAIT) < 0)
			sl_sleep_ms(2);
		told = event_within(&self->p, 0);
	}
	while (!told && recv(s.rx, data, sizeof(data), 0) > 0)
		told = event_within(&self->p, 0);
	EXPECT_EQ(SOCKLOAN_EVENT_URGENT, told);
	EXPECT_EQ(1, recv(s.rx, data, 1, MSG_OOB | MSG_DONTWAIT));
	EXPECT_EQ('!', data[0]);
	sl_pair_close(&s);
}

/* -- joining, while another thread makes a listener of the socket ------------------ */

struct joiner {
	pthread_t thread;
	struct sl_rxpool *p;
	int fd; /* what to join; -1: nothing yet */
	bool stop;
};

static void *join_and_leave(void *arg)
{
	struct joiner *j = arg;
	int fd;

	while (!__atomic_load_n(&j->stop, __ATOMIC_ACQUIRE)) {
		fd = __atomic_load_n(&j->fd, __ATOMIC_ACQUIRE);
		if (fd < 0)
			continue;
		sl_rxpool_join(j->p, fd, SOCKLOAN_EVENT_ALL, COOKIE);
		sl_rxpool_leave(j->p, fd);
	}
	return NULL;
}

/* Children that come of it have callbacks that work, and can join a pool themselves. */
TEST_F_TIMEOUT(odd, join_while_listening_begins, 60)
{
	uint64_t until = sl_ms() + 2000;
	struct joiner j = { .p = &self->p, .fd = -1 };
	struct sl_addr a;
	struct sl_pair s;
	socklen_t len;
	char byte;
	int fd;

	ASSERT_EQ(0, pthread_create(&j.thread, NULL, join_and_leave, &j));
	do {
		fd = socket(variant->family, SOCK_STREAM, 0);
		sl_loopback(&a, variant->family);
		ASSERT_EQ(0, bind(fd, &a.sa, a.len));
		ASSERT_EQ(0, sl_attach(fd));
		__atomic_store_n(&j.fd, fd, __ATOMIC_RELEASE);
		ASSERT_EQ(0, listen(fd, 1));
		__atomic_store_n(&j.fd, -1, __ATOMIC_RELEASE);
		len = sizeof(a.in6);
		ASSERT_EQ(0, getsockname(fd, &a.sa, &len));
		s.tx = sl_connect(&a);
		s.rx = accept(fd, NULL, NULL);
		ASSERT_LE(0, s.rx);
		ASSERT_EQ(1, send(s.tx, "x", 1, 0));
		ASSERT_EQ(0, sl_rxpool_join(&self->p, s.rx, SOCKLOAN_EVENT_ALL,
					    COOKIE));
		ASSERT_EQ(1, recv(s.rx, &byte, 1, 0));
		sl_pair_close(&s);
		close(fd);
	} while (sl_ms() < until);
	__atomic_store_n(&j.stop, true, __ATOMIC_RELEASE);
	pthread_join(j.thread, NULL);
}

/* A listen() that is refused, on a socket that is in use */
TEST_F_TIMEOUT(odd, listening_refused_under_traffic, 60)
{
	uint64_t until = sl_ms() + 2000;
	struct joiner j = { .p = &self->p };
	struct sl_pair s;
	char byte;

	ASSERT_EQ(0, connected(self, &s));
	ASSERT_EQ(0, sl_attach(s.rx));
	j.fd = s.rx;
	ASSERT_EQ(0, pthread_create(&j.thread, NULL, join_and_leave, &j));
	do {
		ASSERT_EQ(1, send(s.tx, "x", 1, 0));
		ASSERT_EQ(-1, listen(s.rx, 1));
		ASSERT_EQ(1, recv(s.rx, &byte, 1, 0));
	} while (sl_ms() < until);
	__atomic_store_n(&j.stop, true, __ATOMIC_RELEASE);
	pthread_join(j.thread, NULL);
	/* And it can still join. */
	EXPECT_EQ(0,
		  sl_rxpool_join(&self->p, s.rx, SOCKLOAN_EVENT_DATA, COOKIE));
	ASSERT_EQ(1, send(s.tx, "x", 1, 0));
	EXPECT_EQ(SOCKLOAN_EVENT_DATA, event_within(&self->p, 5000));
	sl_pair_close(&s);
}

TEST_HARNESS_MAIN
