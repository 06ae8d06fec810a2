// SPDX-License-Identifier: GPL-2.0
/*
 * What takes an attached socket over: kernel TLS, IPV6_ADDRFORM, a sockmap
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_ktls.h"
#include "sl_sockmap.h"

#define LEN (64 * SL_KIB)

FIXTURE(ulp)
{
	struct sl_pair p;
	struct sl_buf b;
};

FIXTURE_VARIANT(ulp)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(ulp, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(ulp, v6){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(ulp, v6_unaligned){
	.family = AF_INET6,
	.offset = 77,
};

FIXTURE_SETUP(ulp)
{
	if (!sl_ktls_there())
		SKIP(return, "no kernel TLS in this kernel");
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, 1));
}

FIXTURE_TEARDOWN(ulp)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

#define SEND_AND_DRAIN(self)                                                \
	do {                                                                \
		ASSERT_EQ(LEN, send((self)->p.tx, (self)->b.data, LEN, 0)); \
		EXPECT_EQ(0, sl_drain((self)->p.rx, LEN, 1));               \
	} while (0)

TEST_F(ulp, tls)
{
	size_t whole = sl_whole(self->b.data, LEN);

	SEND_AND_DRAIN(self);
	EXPECT_LENT(self->p.tx, whole);
	ASSERT_EQ(0, sl_ktls(&self->p));
	SEND_AND_DRAIN(self);
	EXPECT_LENT(self->p.tx, whole);
}

/* Lent pages still unacknowledged when TLS comes */
TEST_F(ulp, tls_over_data_in_flight)
{
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_ulp(self->p.tx, "tls"));
	ASSERT_EQ(0, sl_ktls_keys(self->p.tx, TLS_TX));
	sl_fill(self->b.data, LEN, 2);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, 1));
	ASSERT_EQ(0, sl_ulp(self->p.rx, "tls"));
	ASSERT_EQ(0, sl_ktls_keys(self->p.rx, TLS_RX));
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, 2));
}

TEST_F(ulp, detach_and_attach_with_tls)
{
	if (sl_plain())
		SKIP(return, "nothing is attached");
	ASSERT_EQ(0, sl_ktls(&self->p));
	EXPECT_EQ(0, sl_detach(self->p.tx));
	EXPECT_EQ(-1, sl_attach(self->p.tx));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, sl_attach(self->p.rx));
	EXPECT_EQ(EOPNOTSUPP, errno);
	SEND_AND_DRAIN(self);
}

/* A ULP that is not there leaves everything as it was. */
TEST_F(ulp, unknown)
{
	EXPECT_EQ(-1, sl_ulp(self->p.tx, "nosuchulp"));
	EXPECT_EQ(ENOENT, errno);
	SEND_AND_DRAIN(self);
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, LEN));
}

TEST_F(ulp, tls_not_connected)
{
	int fd = socket(variant->family, SOCK_STREAM, 0);

	ASSERT_LE(0, fd);
	if (!sl_plain())
		ASSERT_EQ(0, sl_attach(fd));
	EXPECT_EQ(-1, sl_ulp(fd, "tls"));
	EXPECT_EQ(ENOTCONN, errno);
	if (!sl_plain()) {
		/* Attached still */
		EXPECT_EQ(-1, sl_attach(fd));
		EXPECT_EQ(EALREADY, errno);
	}
	EXPECT_EQ(0, close(fd));
}

static void *switch_to_tls(void *arg)
{
	return (void *)(long)(sl_ulp(*(int *)arg, "tls") ? errno : 0);
}

/* Two threads at it: one gets there, the other is told. */
TEST_F(ulp, two_threads)
{
	void *one, *two;
	pthread_t a, b;

	ASSERT_EQ(0, pthread_create(&a, NULL, switch_to_tls, &self->p.tx));
	ASSERT_EQ(0, pthread_create(&b, NULL, switch_to_tls, &self->p.tx));
	pthread_join(a, &one);
	pthread_join(b, &two);
	EXPECT_EQ(EEXIST, (long)one + (long)two);
	/* No keys yet: the data goes as it is. */
	SEND_AND_DRAIN(self);
}

/* Without keys TLS passes data on: none may be lost on the way over. */
TEST_F(ulp, tls_while_sending)
{
	enum { ROUNDS = 64 };
	struct sl_buf big;
	struct sl_reader r;
	int i;

	ASSERT_EQ(0, sl_buf_map(&big, ROUNDS * LEN, variant->offset, 1));
	ASSERT_EQ(0, sl_reader_start(&r, self->p.rx, ROUNDS * LEN, 1));
	for (i = 0; i < ROUNDS; i++) {
		pthread_t t;
		void *ret;

		if (i == ROUNDS / 2)
			ASSERT_EQ(0, pthread_create(&t, NULL, switch_to_tls,
						    &self->p.tx));
		ASSERT_EQ(LEN,
			  sl_send_all(self->p.tx, big.data + i * LEN, LEN, 0));
		if (i == ROUNDS / 2 + 3) {
			pthread_join(t, &ret);
			EXPECT_EQ(NULL, ret);
		}
	}
	EXPECT_EQ(0, sl_reader_join(&r));
	EXPECT_LENT_SOME(self->p.tx);
	sl_buf_unmap(&big);
}

/* -- IPV6_ADDRFORM -------------------------------------------------------- */

/* An IPv6 socket connected to ::ffff:127.0.0.1 */
static int mapped_pair(struct sl_pair *p)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	struct sl_addr a;
	int listener = sl_listen(AF_INET, &a);

	if (listener < 0)
		return -1;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	to.sin6_port = a.in.sin_port;
	p->tx = socket(AF_INET6, SOCK_STREAM, 0);
	if (connect(p->tx, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	p->rx = accept(listener, NULL, NULL);
	close(listener);
	return p->rx < 0 ? -1 : 0;
}

static int become_v4(int fd)
{
	int family = PF_INET;

	return setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family,
			  sizeof(family));
}

TEST(addrform)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	struct sl_pair p;
	struct sl_buf b;

	ASSERT_EQ(0, mapped_pair(&p));
	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, 1));
	if (!sl_plain())
		ASSERT_EQ(0, sl_attach(p.tx));
	ASSERT_EQ(LEN, send(p.tx, b.data, LEN, 0));
	EXPECT_LENT(p.tx, LEN);

	ASSERT_EQ(0, become_v4(p.tx));
	ASSERT_EQ(0, getsockname(p.tx, (struct sockaddr *)&name, &len));
	EXPECT_EQ(AF_INET, name.ss_family);

	/* An attached IPv4 socket now */
	ASSERT_EQ(LEN, send(p.tx, b.data, LEN, 0));
	EXPECT_LENT(p.tx, 2 * LEN);
	sl_fill(b.data, LEN, 2);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	sl_pair_close(&p);
	sl_buf_unmap(&b);
}

/* Refused for a socket that talks IPv6: it stays what it was. */
TEST(addrform_refused)
{
	struct sl_pair p;
	struct sl_buf b;

	ASSERT_EQ(0, sl_pair(&p, AF_INET6));
	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, 1));
	EXPECT_EQ(-1, become_v4(p.tx));
	EXPECT_EQ(EADDRNOTAVAIL, errno);
	ASSERT_EQ(LEN, send(p.tx, b.data, LEN, 0));
	EXPECT_LENT(p.tx, LEN);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	sl_pair_close(&p);
	sl_buf_unmap(&b);
}

/* -- sockmap -------------------------------------------------------------- */

/* In a sockmap the socket has another sk_prot under the same ops. */
TEST_F(ulp, sockmap)
{
	size_t whole = sl_whole(self->b.data, LEN);
	struct sl_counters before;
	int map;

	map = sl_sockmap();
	if (map < 0)
		SKIP(return, "no sockmap: %s", strerror(errno));
	ASSERT_EQ(0, sl_sockmap_put(map, self->p.tx));
	sl_count(&before);
	SEND_AND_DRAIN(self);
	EXPECT_LENT(self->p.tx, 0);
	EXPECT_RISE_BY(&before, "FbProto", 1);

	/* Out of it again, it lends. */
	ASSERT_EQ(0, sl_sockmap_take(map));
	SEND_AND_DRAIN(self);
	EXPECT_LENT(self->p.tx, whole);
	close(map);
}

TEST_HARNESS_MAIN
