// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that something takes over without asking the module
 *
 * Their release does not come by it then, and it has to notice their end all the
 * same: or it stays loaded for ever, and knows socks that were freed.  Unloads the
 * module and loads it again from SOCKLOAN_KO.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/if_pppox.h>

#include "kselftest_harness.h"
#include "sl_ktls.h"
#include "sl_rx.h"
#include "sl_uffd.h"

#define WINDOW (256 * SL_KIB)

/* The end of a sock may have to wait for RCU. */
static int unload(void)
{
	int i;

	for (i = 0; i < 50 * sl_slow(); i++) {
		if (!system("rmmod sockloan 2>/dev/null"))
			return 0;
		sl_sleep_ms(100);
	}
	return -1;
}

static int load(void)
{
	char command[4096];

	snprintf(command, sizeof(command), "insmod %s", getenv("SOCKLOAN_KO"));
	return system(command);
}

/* Nothing is left of any attached socket, and the module can go. */
#define EXPECT_GONE(_before)                         \
	do {                                         \
		ASSERT_EQ(0, settled_rise(_before)); \
		ASSERT_EQ(0, unload());              \
		ASSERT_EQ(0, load());                \
	} while (0)

static long long settled_rise(const struct sl_counters *before)
{
	int i;

	for (i = 0; i < 50 * sl_slow() && sl_rise(before, "Sockets"); i++)
		sl_sleep_ms(100);
	return sl_rise(before, "Sockets");
}

FIXTURE(takeover)
{
	struct sl_counters before;
	struct sl_rxpool pool;
};

FIXTURE_VARIANT(takeover)
{
	bool joined;
};

FIXTURE_VARIANT_ADD(takeover, attached){};

FIXTURE_VARIANT_ADD(takeover, joined){
	.joined = true,
};

FIXTURE_SETUP(takeover)
{
	if (sl_plain())
		SKIP(return, "nothing is attached");
	sl_count(&self->before);
	if (variant->joined)
		ASSERT_EQ(0, sl_rxpool_open(&self->pool, WINDOW));
}

FIXTURE_TEARDOWN(takeover)
{
}

#define JOIN(_fd)                                                             \
	do {                                                                  \
		if (variant->joined)                                          \
			ASSERT_EQ(0, sl_rxpool_join(&self->pool, (_fd),       \
						    SOCKLOAN_EVENT_DATA, 1)); \
	} while (0)

/* Whose closing waits for sockets that it has still */
#define POOL_CLOSE()                                  \
	do {                                          \
		if (variant->joined)                  \
			sl_rxpool_close(&self->pool); \
	} while (0)

static void espintcp(int family, struct __test_metadata *_metadata,
		     FIXTURE_DATA(takeover) * self,
		     const FIXTURE_VARIANT(takeover) * variant)
{
	int fd = socket(family, SOCK_STREAM, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sl_attach(fd));
	JOIN(fd);
	if (sl_ulp(fd, "espintcp")) {
		ASSERT_EQ(ENOENT, errno);
		SKIP(return, "no ESP-in-TCP in this kernel");
	}
	close(fd);
	ASSERT_EQ(0, settled_rise(&self->before));
	POOL_CLOSE();
	EXPECT_GONE(&self->before);
}

/* ESP-in-TCP takes a socket that is not connected. */
TEST_F(takeover, not_connected_v4)
{
	espintcp(AF_INET, _metadata, self, variant);
}

TEST_F(takeover, not_connected_v6)
{
	espintcp(AF_INET6, _metadata, self, variant);
}

/* An IPv6 socket to ::ffff:127.0.0.1 */
static int connect_mapped(int fd, const struct sl_addr *a)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_port = a->in.sin_port,
	};

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

/* Began before the attach, and gets there when the socket is connected. */
static void late(struct slow_option *o, const void *arg,
		 struct __test_metadata *_metadata,
		 FIXTURE_DATA(takeover) * self,
		 const FIXTURE_VARIANT(takeover) * variant)
{
	struct sl_addr a;
	int listener = sl_listen(AF_INET, &a);

	ASSERT_LE(0, listener);
	o->fd = socket(AF_INET6, SOCK_STREAM, 0);
	ASSERT_LE(0, o->fd);
	ASSERT_EQ(0, slow_option_start(o));
	ASSERT_EQ(0, sl_attach(o->fd));
	ASSERT_EQ(0, connect_mapped(o->fd, &a));
	JOIN(o->fd);
	ASSERT_EQ(0, slow_option_end(o, arg));
	close(o->fd);
	close(listener);
	ASSERT_EQ(0, settled_rise(&self->before));
	POOL_CLOSE();
	EXPECT_GONE(&self->before);
}

TEST_F(takeover, under_way_addrform)
{
	struct slow_option o = {
		.level = IPPROTO_IPV6,
		.name = IPV6_ADDRFORM,
		.len = sizeof(int),
	};
	int family = PF_INET;

	late(&o, &family, _metadata, self, variant);
}

TEST_F(takeover, under_way_tls)
{
	struct slow_option o = {
		.level = IPPROTO_TCP,
		.name = TCP_ULP,
		.len = 3,
	};

	if (!sl_ktls_there())
		SKIP(return, "no kernel TLS in this kernel");
	late(&o, "tls", _metadata, self, variant);
}

/*
 * A setsockopt that may replace the ops meets the plain ones, and so does a
 * listen() meanwhile: the children must not have anything of ours.
 */
TEST(listens_meanwhile)
{
	struct slow_option o = {
		.level = IPPROTO_TCP,
		.name = TCP_ULP,
		.len = 9,
	};
	struct sl_counters before;
	struct sl_addr a;
	int peer, child;

	if (sl_plain())
		SKIP(return, "nothing is attached");
	sl_count(&before);
	sl_loopback(&a, AF_INET);
	o.fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, sl_attach(o.fd));
	ASSERT_EQ(0, slow_option_start(&o));
	ASSERT_EQ(0, bind(o.fd, &a.sa, a.len));
	ASSERT_EQ(0, listen(o.fd, 1));
	ASSERT_EQ(0, getsockname(o.fd, &a.sa, &a.len));
	peer = sl_connect(&a);
	child = accept(o.fd, NULL, NULL);
	ASSERT_LE(0, child);
	ASSERT_EQ(-1, slow_option_end(&o, "nosuchulp"));
	close(o.fd);
	EXPECT_GONE(&before);
	/* Does not need what has been unloaded. */
	close(child);
	close(peer);
}

/* -- L2TP ----------------------------------------------------------------- */

/* A PPPoL2TP socket: of a tunnel over @udp (session 0), or of a session in it */
static int pppol2tp(int udp, int session)
{
	struct sockaddr_pppol2tp sa = {
		.sa_family = AF_PPPOX,
		.sa_protocol = PX_PROTO_OL2TP,
		.pppol2tp = {
			.fd = udp,
			.s_tunnel = 1,
			.d_tunnel = 1,
			.s_session = session,
			.d_session = session,
		},
	};
	int fd = socket(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP);

	sa.pppol2tp.addr.sin_family = AF_INET;
	sa.pppol2tp.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.pppol2tp.addr.sin_port = htons(1701);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * A tunnel chains its destructor to the one of the program's socket, on older
 * kernels, and leaves the ops alone: a session keeps the sock, and the way to its
 * end, when the socket has long been released through ours.
 */
TEST(l2tp)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(1701),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int udp, tunnel, session;
	struct sl_counters before;

	if (sl_plain())
		SKIP(return, "nothing is attached");
	if (system("modprobe -q l2tp_ppp"))
		SKIP(return, "no L2TP in this kernel");
	sl_count(&before);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_LE(0, udp);
	ASSERT_EQ(0, connect(udp, (struct sockaddr *)&to, sizeof(to)));
	ASSERT_EQ(0, sl_attach(udp));
	tunnel = pppol2tp(udp, 0);
	ASSERT_LE(0, tunnel);
	session = pppol2tp(udp, 1);
	ASSERT_LE(0, session);
	close(tunnel);
	close(udp);
	sl_sleep_ms(200);
	/* Refused on such kernels.  Where it is not, what follows needs no module. */
	if (!system("rmmod sockloan 2>/dev/null")) {
		close(session);
		sl_sleep_ms(500);
		ASSERT_EQ(0, load());
		return;
	}
	close(session);
	EXPECT_GONE(&before);
}

TEST_HARNESS_MAIN
