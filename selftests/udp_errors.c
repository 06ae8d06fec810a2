// SPDX-License-Identifier: GPL-2.0
/*
 * UDP: errors, on a plain socket and on an attached one the same
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/udp.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_net.h"
#include "sl_scene.h"
#include "sl_udp.h"

#define LEN (128 * SL_KIB)

FIXTURE(udp_errors)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(udp_errors)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(udp_errors, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(udp_errors, v4_unaligned){
	.family = AF_INET,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(udp_errors, v6){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(udp_errors, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(udp_errors)
{
	ASSERT_LE(0, sl_netns_new());
	ASSERT_EQ(0,
		  sl_buf_map(&self->b, LEN, variant->offset, SL_SCENE_STREAM));
}

FIXTURE_TEARDOWN(udp_errors)
{
	sl_buf_unmap(&self->b);
}

#define EXPECT_SAME(_scene) \
	EXPECT_TRUE(sl_same_udp(&self->b, variant->family, _scene))

static void note_send(struct sl_scene *s, size_t len, int flags)
{
	sl_note_call(s, "send", send(s->p.tx, s->b->data, len, flags), len);
}

static void note_sendto(struct sl_scene *s, int fd, size_t len,
			const struct sl_addr *to)
{
	sl_note_call(s, "sendto", sl_udp_send(fd, s->b->data, len, to), len);
}

static void set(struct sl_scene *s, int level, int name, int value)
{
	sl_note(s, "setsockopt",
		setsockopt(s->p.tx, level, name, &value, sizeof(value)));
}

/* What has arrived in spite of all */
static void note_left_over(struct sl_scene *s)
{
	uint64_t digest;

	while (sl_udp_none(s->p.rx)) {
		sl_note(s, "left over", sl_udp_digest(s->p.rx, &digest));
		sl_note(s, "content", digest);
	}
}

/*
 * Whatever went wrong before, the next ones arrive and are lent, at the latest
 * when the route that would have copied is tried again.
 */
static void note_recovery(struct sl_scene *s)
{
	bool lends = s->attached && !sl_plain();
	long long lent = lends ? sl_lent(s->p.tx) : 0;
	int i, bad = 0;

	note_left_over(s);
	for (i = 0; i < (lends && sl_lent(s->p.tx) == lent ? 80 : 3); i++) {
		bad += send(s->p.tx, s->b->data, 40000, 0) != 40000;
		bad += sl_udp_recv(s->p.rx, 40000, SL_SCENE_STREAM) != 0;
	}
	sl_note(s, "after that", bad);
	sl_note_loans(s, lent + 8 * (long long)sl_page);
}

/* One more socket, not connected, as attached as the scene's own */
static int another(struct sl_scene *s)
{
	int fd = socket(s->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sl_note(s, "attach", sl_scene_attach(s, fd));
	return fd;
}

/* -- sizes ------------------------------------------------------------------- */

/* From the last that fits to the first that does not */
static void sizes(struct sl_scene *s)
{
	size_t max = s->family == AF_INET ? SL_UDP_MAX_V4 : SL_UDP_MAX_V6;

	note_send(s, max, 0);
	sl_note_datagrams(s, 1);
	note_send(s, max + 1, 0);
	note_send(s, 65535, 0);
	note_send(s, 65536, 0);
	note_send(s, LEN, 0);
	sl_note_datagrams(s, 0);
	sl_note_so_error(s);
	note_recovery(s);
}

TEST_F(udp_errors, too_large)
{
	EXPECT_SAME(sizes);
}

static void dont_fragment(struct sl_scene *s)
{
	bool v4 = s->family == AF_INET;

	set(s, v4 ? IPPROTO_IP : IPPROTO_IPV6,
	    v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, IP_PMTUDISC_DO);
	note_send(s, 9000 - 28, 0);
	note_send(s, 9000 - 48, 0);
	note_send(s, 9000, 0);
	note_send(s, 60000, 0);
	note_send(s, 8192, 0);
	sl_note_datagrams(s, v4 ? 3 : 2);
	sl_note_loans(s, 4096);
}

TEST_F(udp_errors, dont_fragment)
{
	ASSERT_EQ(0, sl_run("ip link set lo mtu 9000"));
	EXPECT_SAME(dont_fragment);
}

/* In fragments, none of which could be lent: whole, and copied */
static void fragments(struct sl_scene *s)
{
	note_send(s, 60000, 0);
	note_send(s, 4096, 0);
	sl_note_datagrams(s, 2);
	sl_note(s, "not lent", !s->attached || sl_plain() || !sl_lent(s->p.tx));
}

TEST_F(udp_errors, fragments)
{
	struct sl_counters c;

	ASSERT_EQ(0, sl_run("ip link set lo mtu 1500"));
	sl_count(&c);
	EXPECT_SAME(fragments);
	EXPECT_RISE(&c, "FbRoute");
}

/* More segments, or larger ones, than there may be */
static void bad_segments(struct sl_scene *s)
{
	set(s, IPPROTO_UDP, UDP_SEGMENT, 10);
	note_send(s, 60000, 0);
	set(s, IPPROTO_UDP, UDP_SEGMENT, 8192);
	set(s, SOL_SOCKET, SO_NO_CHECK, 1);
	note_send(s, 60000, 0);
	set(s, SOL_SOCKET, SO_NO_CHECK, 0);
	sl_note_datagrams(s, 0);
	set(s, IPPROTO_UDP, UDP_SEGMENT, 0);
	note_recovery(s);
}

TEST_F(udp_errors, segments)
{
	EXPECT_SAME(bad_segments);
}

/* Without a checksum to be filled in */
static void no_checksum(struct sl_scene *s)
{
	set(s, SOL_SOCKET, SO_NO_CHECK, 1);
	note_send(s, 60000, 0);
	sl_note_datagrams(s, 1);
	set(s, SOL_SOCKET, SO_NO_CHECK, 0);
	note_recovery(s);
}

TEST_F(udp_errors, no_checksum)
{
	EXPECT_SAME(no_checksum);
}

/* -- routes and peers ---------------------------------------------------------- */

static void routes(struct sl_scene *s)
{
	static const char *const v4[] = {
		"198.51.100.1",
		"203.0.113.1",
		"203.0.113.65",
		"203.0.113.129",
	};
	static const char *const v6[] = {
		"2001:db8:9::1",
		"2001:db8:1::1",
		"2001:db8:2::1",
		"2001:db8:3::1",
	};
	int fd = another(s);
	struct sl_addr to;
	int i;

	for (i = 0; i < ARRAY_SIZE(v4); i++) {
		sl_address(&to, s->family, v4[i], v6[i]);
		to.in.sin_port = htons(9);
		note_sendto(s, fd, 60000, &to);
		note_sendto(s, fd, 100, &to);
		sl_note(s, "connect", connect(fd, &to.sa, to.len) ? -errno : 0);
	}
	/* No worse for all this */
	note_sendto(s, fd, 60000, &s->to);
	sl_note_datagrams(s, 1);
	close(fd);
}

TEST_F(udp_errors, no_route)
{
	ASSERT_EQ(0, sl_run("ip route add unreachable 203.0.113.0/26"));
	ASSERT_EQ(0, sl_run("ip route add prohibit 203.0.113.64/26"));
	ASSERT_EQ(0, sl_run("ip route add blackhole 203.0.113.128/26"));
	ASSERT_EQ(0, sl_run("ip -6 route add unreachable 2001:db8:1::/48"));
	ASSERT_EQ(0, sl_run("ip -6 route add prohibit 2001:db8:2::/48"));
	ASSERT_EQ(0, sl_run("ip -6 route add blackhole 2001:db8:3::/48"));
	EXPECT_SAME(routes);
}

/* What the peer's host says arrives with the next call, or in the queue */
static void refused(struct sl_scene *s)
{
	close(s->p.rx);
	note_send(s, 60000, 0);
	sl_sleep_ms(20);
	note_send(s, 60000, 0);
	sl_sleep_ms(20);
	sl_note_so_error(s);
	note_send(s, 60000, 0);
	sl_sleep_ms(20);
	note_send(s, 100, 0);
	s->p.rx = sl_udp_receiver(s->family, &s->to);
	sl_note(s, "receiver", s->p.rx >= 0);
	note_send(s, 60000, 0);
	note_recovery(s);
}

TEST_F(udp_errors, refused)
{
	EXPECT_SAME(refused);
}

static void note_errqueue(struct sl_scene *s)
{
	char control[256], data[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct sock_extended_err *ee;
	struct cmsghdr *cmsg;
	ssize_t n;

	n = recvmsg(s->p.tx, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
	sl_note(s, "errqueue", n < 0 ? -errno : n);
	cmsg = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	for (; cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_type != IP_RECVERR &&
		    cmsg->cmsg_type != IPV6_RECVERR)
			continue;
		ee = (struct sock_extended_err *)CMSG_DATA(cmsg);
		sl_note(s, "error", ee->ee_errno);
		sl_note(s, "origin", ee->ee_origin);
		sl_note(s, "type", ee->ee_type);
		sl_note(s, "code", ee->ee_code);
		sl_note(s, "info", ee->ee_info);
	}
}

static void recverr(struct sl_scene *s)
{
	bool v4 = s->family == AF_INET;

	set(s, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR,
	    1);
	/* Told by our own host, and by the peer's */
	set(s, v4 ? IPPROTO_IP : IPPROTO_IPV6,
	    v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, IP_PMTUDISC_DO);
	note_send(s, 60000, 0);
	note_errqueue(s);
	note_errqueue(s);
	close(s->p.rx);
	note_send(s, 8192, 0);
	sl_sleep_ms(20);
	note_errqueue(s);
	note_errqueue(s);
	note_send(s, 8192, 0);
	s->p.rx = -1;
}

TEST_F(udp_errors, recverr)
{
	ASSERT_EQ(0, sl_run("ip link set lo mtu 9000"));
	EXPECT_SAME(recverr);
}

static void broadcast(struct sl_scene *s)
{
	struct sl_addr to;
	int fd;

	sl_address(&to, AF_INET, "127.255.255.255", NULL);
	to.in.sin_port = s->to.in.sin_port;
	fd = another(s);
	note_sendto(s, fd, 60000, &to);
	note_sendto(s, fd, 100, &to);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &(int){ 1 }, sizeof(int));
	note_sendto(s, fd, 60000, &to);
	note_sendto(s, fd, 60000, &s->to);
	sl_note_datagrams(s, 1);
	close(fd);
}

TEST_F(udp_errors, broadcast)
{
	if (variant->family != AF_INET)
		SKIP(return, "IPv6 has none");
	EXPECT_SAME(broadcast);
}

static void destination(struct sl_scene *s)
{
	struct sl_addr bad = s->to;
	int fd = another(s);

	note_sendto(s, fd, 60000, NULL);
	note_sendto(s, fd, 100, NULL);
	bad.sa.sa_family = AF_UNIX;
	note_sendto(s, fd, 60000, &bad);
	bad = s->to;
	bad.len = 3;
	note_sendto(s, fd, 60000, &bad);
	bad = s->to;
	bad.in.sin_port = 0;
	note_sendto(s, fd, 60000, &bad);
	note_sendto(s, fd, 60000, &s->to);
	sl_note_datagrams(s, 1);
	close(fd);
}

TEST_F(udp_errors, destination)
{
	EXPECT_SAME(destination);
}

static void oob(struct sl_scene *s)
{
	note_send(s, 60000, MSG_OOB);
	sl_note_datagrams(s, 0);
	note_recovery(s);
}

TEST_F(udp_errors, oob)
{
	EXPECT_SAME(oob);
}

static void shut(struct sl_scene *s)
{
	sl_note(s, "shutdown", shutdown(s->p.tx, SHUT_WR));
	note_send(s, 60000, 0);
	note_send(s, 60000, MSG_NOSIGNAL);
	note_send(s, 100, 0);
	sl_note_sigpipes(s);
	sl_note_datagrams(s, 0);
}

TEST_F(udp_errors, shutdown)
{
	EXPECT_SAME(shut);
}

/* -- memory that is not there ---------------------------------------------------- */

/* A page of the buffer, counted from its first whole one, for a while */
static void protect(struct sl_scene *s, size_t page, int prot)
{
	mprotect(s->b->map + (page + 1) * sl_page, sl_page, prot);
}

static void hole_at(struct sl_scene *s, size_t page)
{
	struct iovec v[2] = {
		{ s->b->data, 100 },
		{ s->b->data + 100, 60000 - 100 },
	};

	protect(s, page, PROT_NONE);
	note_send(s, 60000, 0);
	sl_note_call(s, "writev", writev(s->p.tx, v, 2), 60000);
	note_send(s, 20000, MSG_MORE);
	note_send(s, 60000 - 20000, 0);
	protect(s, page, PROT_READ | PROT_WRITE);
	/* What MSG_MORE has left, if anything, and nothing of the failed */
	note_send(s, 1, 0);
	note_recovery(s);
}

static void hole_at_the_beginning(struct sl_scene *s)
{
	mprotect(s->b->map, sl_page, PROT_NONE);
	note_send(s, 60000, 0);
	mprotect(s->b->map, sl_page, PROT_READ | PROT_WRITE);
	sl_note_datagrams(s, 0);
	hole_at(s, 0);
}

TEST_F(udp_errors, hole_at_the_beginning)
{
	EXPECT_SAME(hole_at_the_beginning);
}

static void hole_in_the_middle(struct sl_scene *s)
{
	hole_at(s, 6);
}

TEST_F(udp_errors, hole_in_the_middle)
{
	EXPECT_SAME(hole_in_the_middle);
}

static void hole_at_the_end(struct sl_scene *s)
{
	/* The page that byte 59999 is in */
	hole_at(s, (size_t)(s->b->data + 59999 - s->b->map) / sl_page - 1);
}

TEST_F(udp_errors, hole_at_the_end)
{
	EXPECT_SAME(hole_at_the_end);
}

/* A second piece that is not there at all, in part, or not a user's */
static void second_piece(struct sl_scene *s)
{
	void *const bad[] = {
		NULL,
		(void *)-65536L,
		s->b->map + s->b->map_len - 2 * sl_page,
	};
	struct iovec v[2] = { { s->b->data, 30000 }, { NULL, 20000 } };
	int i;

	mprotect(s->b->map + s->b->map_len - sl_page, sl_page, PROT_NONE);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		v[1].iov_base = bad[i];
		sl_note_call(s, "writev", writev(s->p.tx, v, 2), 50000);
	}
	mprotect(s->b->map + s->b->map_len - sl_page, sl_page,
		 PROT_READ | PROT_WRITE);
	sl_note_datagrams(s, 0);
	note_recovery(s);
}

TEST_F(udp_errors, second_piece)
{
	EXPECT_SAME(second_piece);
}

/* Several messages: those before the bad one are out */
static void mmsg(struct sl_scene *s)
{
	struct iovec v[3] = {
		{ s->b->data, 40000 },
		{ NULL, 40000 },
		{ s->b->data, 8192 },
	};
	struct mmsghdr mm[3] = {
		{ .msg_hdr = { .msg_iov = v, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = v + 1, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = v + 2, .msg_iovlen = 1 } },
	};

	sl_note(s, "sendmmsg", sendmmsg(s->p.tx, mm, 3, 0));
	sl_note_datagrams(s, 1);
	sl_note(s, "sendmmsg", sendmmsg(s->p.tx, mm + 1, 2, 0) ? -errno : 0);
	sl_note(s, "sendmmsg", sendmmsg(s->p.tx, mm + 2, 1, 0));
	sl_note_datagrams(s, 1);
}

TEST_F(udp_errors, sendmmsg)
{
	EXPECT_SAME(mmsg);
}

TEST_HARNESS_MAIN
