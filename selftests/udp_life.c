// SPDX-License-Identifier: GPL-2.0
/*
 * UDP: what else becomes of a socket: connected elsewhere, attached under
 * senders, taken over
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include "kselftest_harness.h"
#include "sl_sockmap.h"
#include "sl_udp.h"

#define LEN 60000
#define NEW 2
#define OLD 1

FIXTURE(life)
{
	struct sl_pair p;
	struct sl_addr to;
	struct sl_buf b;
	struct sl_counters c;
	size_t whole;
};

FIXTURE_VARIANT(life)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(life, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(life, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, sl_udp_pair(&self->p, variant->family, &self->to, true));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
	self->whole = sl_whole(self->b.data, LEN);
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(life)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

/* One datagram to the receiver, which gets it although it is overwritten */
#define ASSERT_ARRIVES(_self, _fd, _to, _rx)                                 \
	do {                                                                 \
		ASSERT_EQ(LEN, sl_udp_send(_fd, (_self)->b.data, LEN, _to)); \
		sl_fill((_self)->b.data, LEN, NEW);                          \
		ASSERT_EQ(0, sl_udp_recv(_rx, LEN, OLD));                    \
		sl_fill((_self)->b.data, LEN, OLD);                          \
	} while (0)

#define SKIP_PLAIN()                                         \
	do {                                                 \
		if (sl_plain())                              \
			SKIP(return, "nothing is attached"); \
	} while (0)

/* -- attaching --------------------------------------------------------------- */

TEST_F(life, attach_and_detach)
{
	struct sockloan_sockstat st;

	SKIP_PLAIN();
	EXPECT_EQ(-1, sl_attach(self->p.tx));
	EXPECT_EQ(EALREADY, errno);
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	EXPECT_LENT(self->p.tx, self->whole);
	ASSERT_EQ(0, sl_detach(self->p.tx));
	ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
	EXPECT_EQ(SOCKLOAN_STATE_DETACHED, st.state);
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	EXPECT_LENT(self->p.tx, self->whole);
	ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	EXPECT_LENT(self->p.tx, 2 * self->whole);
}

/* Before it is bound, connected, or has sent anything */
TEST_F(life, attached_fresh)
{
	int fd = socket(variant->family, SOCK_DGRAM, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sl_attach(fd));
	ASSERT_ARRIVES(self, fd, &self->to, self->p.rx);
	EXPECT_LENT(fd, self->whole);
	close(fd);
	EXPECT_RISE_BY(&self->c, "Sockets", 0);
}

/* One that receives, too, and answers */
TEST_F(life, both_ways)
{
	struct sl_addr from = { .len = sizeof(from.in6) };

	ASSERT_EQ(0, sl_attach(self->p.rx));
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	ASSERT_EQ(0, getsockname(self->p.tx, &from.sa, &from.len));
	ASSERT_ARRIVES(self, self->p.rx, &from, self->p.tx);
	EXPECT_LENT(self->p.tx, self->whole);
	EXPECT_LENT(self->p.rx, self->whole);
}

static const int others[][3] = {
	{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ AF_INET, SOCK_RAW, IPPROTO_UDP },
	{ AF_INET6, SOCK_RAW, IPPROTO_UDP },
};

TEST(not_udp)
{
	int i, fd;

	SKIP_PLAIN();
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		fd = socket(others[i][0], others[i][1], others[i][2]);
		if (fd < 0)
			continue; /* UDP-Lite has left newer kernels */
		EXPECT_EQ(-1, sl_attach(fd));
		EXPECT_EQ(EOPNOTSUPP, errno);
		close(fd);
	}
}

TEST_F(life, auto_attach)
{
	struct sockloan_sockstat st;
	int fd;

	SKIP_PLAIN();
	ASSERT_EQ(0, sl_sysctl("sockloan/auto", "1"));
	fd = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, sl_sysctl("sockloan/auto", "0"));
	ASSERT_EQ(0, sl_sockstat(fd, &st));
	EXPECT_EQ(SOCKLOAN_STATE_ATTACHED, st.state);
	ASSERT_ARRIVES(self, fd, &self->to, self->p.rx);
	EXPECT_LENT(fd, self->whole);
	close(fd);
	fd = socket(variant->family, SOCK_DGRAM, 0);
	EXPECT_EQ(-1, sl_sockstat(fd, &st));
	EXPECT_EQ(ENOENT, errno);
	close(fd);
	EXPECT_RISE_BY(&self->c, "Sockets", 0);
}

/* In the child that asked for it */
TEST_F(life, run)
{
	struct sockloan_run r = { .size = sizeof(r) };
	pid_t pid;
	int fd;

	SKIP_PLAIN();
	pid = fork();
	if (!pid) {
		if (sl_ioctl(SOCKLOAN_IOC_RUN, &r))
			_exit(1);
		fd = socket(variant->family, SOCK_DGRAM, 0);
		if (sl_udp_send(fd, self->b.data, LEN, &self->to) != LEN)
			_exit(2);
		_exit(sl_lent(fd) == self->whole ? 0 : 3);
	}
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, LEN, OLD));
}

/* -- threads ----------------------------------------------------------------- */

#define SENDERS 4
#define ROUNDS 80
#define PIECE 16384

struct sender {
	pthread_t thread;
	int fd;
	unsigned int id;
	int errors;
};

/* Each datagram names its stream in its first word */
static void *sender_run(void *arg)
{
	struct sender *s = arg;
	struct sl_buf b;
	uint64_t i, seed;

	sl_cpu(s->id);
	if (sl_buf_map(&b, PIECE, 0, 0))
		return NULL;
	for (i = 0; i < ROUNDS; i++) {
		seed = (uint64_t)s->id << 32 | i;
		sl_fill_at(b.data, PIECE, seed, 0);
		memcpy(b.data, &seed, 8);
		if (send(s->fd, b.data, PIECE, 0) != PIECE)
			s->errors++;
	}
	sl_buf_unmap(&b);
	return NULL;
}

/* Receive them all: how many were not exactly one datagram of a sender */
static int check_all(int fd, int nr)
{
	static unsigned char got[65536];
	uint64_t seed;
	int bad = 0;

	while (nr--) {
		if (recv(fd, got, sizeof(got), 0) != PIECE)
			return -1;
		memcpy(&seed, got, 8);
		if (seed >> 32 >= SENDERS || (seed & 0xffffffff) >= ROUNDS ||
		    sl_differs_at(got + 8, PIECE - 8, seed, 8) != -1)
			bad++;
	}
	return bad;
}

static void start(struct __test_metadata *_metadata, struct sender *s, int fd)
{
	int i;

	for (i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){ .fd = fd, .id = i };
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, sender_run,
					    &s[i]));
	}
}

static void finish(struct __test_metadata *_metadata, struct sender *s)
{
	int i;

	for (i = 0; i < SENDERS; i++) {
		pthread_join(s[i].thread, NULL);
		EXPECT_EQ(0, s[i].errors);
	}
}

TEST_F(life, many_senders)
{
	struct sender s[SENDERS];

	start(_metadata, s, self->p.tx);
	EXPECT_EQ(0, check_all(self->p.rx, SENDERS * ROUNDS));
	finish(_metadata, s);
	EXPECT_EQ(0, sl_udp_none(self->p.rx));
	EXPECT_LENT_SOME(self->p.tx);
	EXPECT_RISE_BY(&self->c, "Calls", SENDERS * ROUNDS);
}

struct toggler {
	pthread_t thread;
	int fd;
	atomic_bool stop;
	int errors;
};

static void *toggle(void *arg)
{
	struct toggler *t = arg;

	sl_cpu(1);
	while (!t->stop) {
		if (sl_detach(t->fd))
			t->errors++;
		sched_yield();
		if (sl_attach(t->fd))
			t->errors++;
		sl_sleep_ms(1); /* for some sends to go out lent */
	}
	return NULL;
}

TEST_F(life, toggled_while_sending)
{
	struct toggler t = { .fd = self->p.tx };
	struct sender s[SENDERS];

	start(_metadata, s, self->p.tx);
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, toggle, &t));
	EXPECT_EQ(0, check_all(self->p.rx, SENDERS * ROUNDS));
	finish(_metadata, s);
	t.stop = true;
	pthread_join(t.thread, NULL);
	EXPECT_EQ(0, t.errors);
	EXPECT_EQ(0, sl_udp_none(self->p.rx));
	EXPECT_LENT_SOME(self->p.tx);
}

/* A first attach, with plain sends under way, again and again */
TEST_F(life, attached_while_sending)
{
	struct sender s[SENDERS];
	int round;

	for (round = 0; round < 4; round++) {
		int fd = socket(variant->family, SOCK_DGRAM, 0);

		ASSERT_EQ(0, connect(fd, &self->to.sa, self->to.len));
		start(_metadata, s, fd);
		sched_yield();
		ASSERT_EQ(0, sl_attach(fd));
		EXPECT_EQ(0, check_all(self->p.rx, SENDERS * ROUNDS));
		finish(_metadata, s);
		close(fd);
	}
	EXPECT_EQ(0, sl_udp_none(self->p.rx));
	EXPECT_RISE_BY(&self->c, "Sockets", 0);
}

/* -- connected elsewhere, or to nothing, and taken over ---------------------- */

TEST_F(life, reconnect)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sl_addr second;
	int rx;

	sl_loopback(&second, variant->family);
	rx = sl_udp_receiver(variant->family, &second);
	ASSERT_LE(0, rx);
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	ASSERT_EQ(0, connect(self->p.tx, &none, sizeof(none)));
	EXPECT_EQ(-1, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	ASSERT_ARRIVES(self, self->p.tx, &second, rx);
	ASSERT_EQ(0, connect(self->p.tx, &second.sa, second.len));
	ASSERT_ARRIVES(self, self->p.tx, NULL, rx);
	ASSERT_EQ(0, connect(self->p.tx, &self->to.sa, self->to.len));
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	EXPECT_LENT(self->p.tx, 4 * self->whole);
	close(rx);
}

/* The module lets go of a socket that was taken over when its sock goes */
static bool sockets_gone(const struct sl_counters *since)
{
	uint64_t until = sl_ms() + SL_TIMEOUT_S * 1000;

	while (!sl_plain() && sl_rise(since, "Sockets")) {
		if (sl_ms() > until)
			return false;
		sl_sleep_ms(10);
	}
	return true;
}

/* An IPv6 socket connected to ::ffff:127.0.0.1 becomes an IPv4 one */
TEST_F(life, addrform)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	struct sl_addr a, name = { .len = sizeof(name.in6) };
	int family = PF_INET;
	int rx, tx;

	sl_loopback(&a, AF_INET);
	rx = sl_udp_receiver(AF_INET, &a);
	ASSERT_LE(0, rx);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	mapped.sin6_port = a.in.sin_port;
	tx = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_EQ(0, connect(tx, (struct sockaddr *)&mapped, sizeof(mapped)));
	ASSERT_EQ(0, sl_attach(tx));
	ASSERT_ARRIVES(self, tx, NULL, rx);
	EXPECT_LENT(tx, self->whole);

	ASSERT_EQ(0, setsockopt(tx, IPPROTO_IPV6, IPV6_ADDRFORM, &family,
				sizeof(family)));
	ASSERT_EQ(0, getsockname(tx, &name.sa, &name.len));
	EXPECT_EQ(AF_INET, name.sa.sa_family);
	ASSERT_ARRIVES(self, tx, NULL, rx);
	EXPECT_LENT(tx, 2 * self->whole);
	close(tx);
	close(rx);
	EXPECT_TRUE(sockets_gone(&self->c));
}

/* Not connected any more when it is released, and in the table no more */
TEST_F(life, addrform_and_gone)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	int family = PF_INET;
	int i, tx;

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	mapped.sin6_port = htons(9);
	for (i = 0; i < 20; i++) {
		tx = socket(AF_INET6, SOCK_DGRAM, 0);
		/* Attached before it is connected, or after */
		if (i & 1) {
			ASSERT_EQ(0, sl_attach(tx));
		}
		ASSERT_EQ(0, connect(tx, (struct sockaddr *)&mapped,
				     sizeof(mapped)));
		if (!(i & 1)) {
			ASSERT_EQ(0, sl_attach(tx));
		}
		ASSERT_EQ(0, setsockopt(tx, IPPROTO_IPV6, IPV6_ADDRFORM,
					&family, sizeof(family)));
		close(tx);
	}
	EXPECT_TRUE(sockets_gone(&self->c));
}

/* In a sockmap the socket has another sk_prot under the same ops */
TEST_F(life, sockmap)
{
	int map = sl_sockmap();

	if (map < 0)
		SKIP(return, "no sockmap: %s", strerror(errno));
	ASSERT_EQ(0, sl_sockmap_put(map, self->p.tx));
	sl_count(&self->c);
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	EXPECT_LENT(self->p.tx, 0);
	EXPECT_RISE_BY(&self->c, "FbProto", 1);
	ASSERT_EQ(0, sl_sockmap_take(map));
	ASSERT_ARRIVES(self, self->p.tx, NULL, self->p.rx);
	EXPECT_LENT(self->p.tx, self->whole);
	close(map);
}

TEST_HARNESS_MAIN
