// SPDX-License-Identifier: GPL-2.0
/*
 * UDP: many datagrams out of one send (UDP_SEGMENT), and one datagram out of
 * many sends (MSG_MORE, UDP_CORK)
 */
#include <errno.h>
#include <string.h>
#include <linux/udp.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_net.h"
#include "sl_scene.h"
#include "sl_udp.h"

#define OLD 1
#define NEW 2

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static int set(int fd, int name, int value)
{
	return setsockopt(fd, IPPROTO_UDP, name, &value, sizeof(value));
}

/* One send that brings its segment size along */
static ssize_t send_segments(int fd, struct iovec *iov, int nr, uint16_t size)
{
	char control[CMSG_SPACE(sizeof(uint16_t))] = {};
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = nr,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
	return sendmsg(fd, &msg, 0);
}

/* -- UDP_SEGMENT ------------------------------------------------------------ */

FIXTURE(gso)
{
	struct sl_pair p;
	struct sl_addr to;
	struct sl_buf b;
	struct sl_counters c;
	bool missing; /* no such device here */
};

FIXTURE_VARIANT(gso)
{
	int family;
	bool cmsg; /* or a socket option */
	bool veth; /* MTU 1500, or the loopback device */
	bool split; /* the sending device has no offload */
	uint16_t segment;
	size_t len;
	size_t offset;
};

FIXTURE_VARIANT_ADD(gso, v4){
	.family = AF_INET,
	.segment = 1400,
	.len = 40 * 1400,
};

FIXTURE_VARIANT_ADD(gso, v4_cmsg_odd_last){
	.family = AF_INET,
	.cmsg = true,
	.segment = 1400,
	.len = 60000,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(gso, v6_cmsg_large_segments){
	.family = AF_INET6,
	.cmsg = true,
	.segment = 8192,
	.len = 60000,
};

FIXTURE_VARIANT_ADD(gso, v6_odd_segments_unaligned){
	.family = AF_INET6,
	.segment = 1111,
	.len = 50001,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(gso, v4_veth){
	.family = AF_INET,
	.veth = true,
	.segment = 1472,
	.len = 60000,
};

FIXTURE_VARIANT_ADD(gso, v6_veth_cmsg_unaligned){
	.family = AF_INET6,
	.veth = true,
	.cmsg = true,
	.segment = 1400,
	.len = 60000,
	.offset = 1003,
};

/* Cut up in software, by whole skbs of lent frags */
FIXTURE_VARIANT_ADD(gso, v4_veth_split){
	.family = AF_INET,
	.veth = true,
	.split = true,
	.segment = 1472,
	.len = 60000,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(gso, v6_veth_split){
	.family = AF_INET6,
	.veth = true,
	.split = true,
	.segment = 1000,
	.len = 60000,
};

/* A receiver in the peer namespace, a connected sender in ours */
static int veth_pair(struct sl_pair *p, int family, struct sl_addr *to)
{
	struct sl_veth v;

	if (sl_veth(&v) || sl_netns_enter(v.peer))
		return -1;
	sl_cpu(0);
	sl_address(to, family, SL_PEER_V4, SL_PEER_V6);
	p->rx = sl_udp_receiver(family, to);
	if (p->rx < 0 || sl_netns_enter(v.own))
		return -1;
	p->tx = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (p->tx < 0 || connect(p->tx, &to->sa, to->len))
		return -1;
	/* Its neighbour is known, and the link up, once one has arrived */
	if (send(p->tx, "x", 1, 0) != 1 || recv(p->rx, &(char){ 0 }, 1, 0) != 1)
		return -1;
	return sl_attach(p->tx);
}

FIXTURE_SETUP(gso)
{
	if (variant->veth) {
		self->missing = veth_pair(&self->p, variant->family, &self->to);
		if (self->missing)
			return;
		if (variant->split) {
			ASSERT_EQ(
				0,
				sl_run("ethtool -K sl0 tx-udp-segmentation off"));
		}
	} else {
		ASSERT_EQ(0, sl_udp_pair(&self->p, variant->family, &self->to,
					 true));
	}
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
	if (!variant->cmsg) {
		ASSERT_EQ(0, set(self->p.tx, UDP_SEGMENT, variant->segment));
	}
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(gso)
{
	sl_pair_close(&self->p);
}

#define REQUIRE_VETH(_self)                      \
	do {                                     \
		if ((_self)->missing)            \
			SKIP(return, "no veth"); \
	} while (0)

static ssize_t send_gso(FIXTURE_DATA(gso) * self,
			const FIXTURE_VARIANT(gso) * variant, struct iovec *iov,
			int nr)
{
	return variant->cmsg ?
		       send_segments(self->p.tx, iov, nr, variant->segment) :
		       writev(self->p.tx, iov, nr);
}

/* Datagrams of the segment's size, the last one with what is left */
static int arrives(FIXTURE_DATA(gso) * self,
		   const FIXTURE_VARIANT(gso) * variant)
{
	size_t at, n;

	for (at = 0; at < variant->len; at += n) {
		n = variant->len - at;
		if (n > variant->segment)
			n = variant->segment;
		if (sl_udp_recv_at(self->p.rx, n, OLD, at))
			return -1;
	}
	return sl_udp_none(self->p.rx);
}

TEST_F(gso, overwrite)
{
	struct iovec v = { self->b.data, self->b.len };

	REQUIRE_VETH(self);
	ASSERT_EQ(variant->len, send_gso(self, variant, &v, 1));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_EQ(0, arrives(self, variant));
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, self->b.len));
	EXPECT_NO_RISE(&self->c, "FbRoute");
}

/* Cut elsewhere than where the program did */
TEST_F(gso, pieces)
{
	struct iovec v[3] = {
		{ self->b.data, 100 },
		{ self->b.data + 100, 30000 },
		{ self->b.data + 30100, self->b.len - 30100 },
	};

	REQUIRE_VETH(self);
	ASSERT_EQ(variant->len, send_gso(self, variant, v, 3));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, arrives(self, variant));
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_F(gso, one_segment)
{
	struct iovec v = { self->b.data, variant->segment };

	REQUIRE_VETH(self);
	ASSERT_EQ(variant->segment, send_gso(self, variant, &v, 1));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, variant->segment, OLD));
}

/* A receiver that takes them together gets them together, or by and by */
TEST_F(gso, udp_gro)
{
	static unsigned char got[65536];
	struct iovec v = { self->b.data, self->b.len };
	size_t at = 0;
	ssize_t n;

	REQUIRE_VETH(self);
	ASSERT_EQ(0, set(self->p.rx, UDP_GRO, 1));
	ASSERT_EQ(variant->len, send_gso(self, variant, &v, 1));
	sl_fill(self->b.data, self->b.len, NEW);
	while (at < variant->len) {
		n = recv(self->p.rx, got, sizeof(got), 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(-1, sl_differs_at(got, n, OLD, at));
		at += n;
	}
	EXPECT_EQ(variant->len, at);
}

/* -- MSG_MORE and UDP_CORK, side by side with a plain socket ---------------- */

FIXTURE(cork)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(cork)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(cork, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(cork, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(cork)
{
	ASSERT_EQ(0, sl_buf_map(&self->b, 128 * SL_KIB, variant->offset,
				SL_SCENE_STREAM));
}

FIXTURE_TEARDOWN(cork)
{
	sl_buf_unmap(&self->b);
}

#define EXPECT_SAME(_scene) \
	EXPECT_TRUE(sl_same_udp(&self->b, variant->family, _scene))

static void note_send(struct sl_scene *s, size_t at, size_t len, int flags)
{
	sl_note_call(s, "send", send(s->p.tx, s->b->data + at, len, flags),
		     len);
}

static void more(struct sl_scene *s)
{
	note_send(s, 0, 20000, MSG_MORE);
	sl_note(s, "held back", sl_udp_none(s->p.rx));
	note_send(s, 20000, 20000, MSG_MORE);
	note_send(s, 40000, 10000, 0);
	sl_note_datagrams(s, 1);
}

TEST_F(cork, more_large)
{
	EXPECT_SAME(more);
}

static void small_and_large(struct sl_scene *s)
{
	note_send(s, 0, 20, MSG_MORE);
	note_send(s, 20, 40000, 0);
	note_send(s, 0, 40000, MSG_MORE);
	note_send(s, 40000, 20, 0);
	note_send(s, 0, 20, MSG_MORE);
	note_send(s, 20, 40000, MSG_MORE);
	note_send(s, 40020, 20, 0);
	sl_note_datagrams(s, 3);
}

TEST_F(cork, more_small_and_large)
{
	EXPECT_SAME(small_and_large);
}

/* Changed between the pieces and the end, which is where a loan would show */
static void rewritten(struct sl_scene *s)
{
	note_send(s, 0, 16384, MSG_MORE);
	sl_fill(s->b->data, 16384, NEW);
	note_send(s, 0, 16384, MSG_MORE);
	sl_fill(s->b->data, 16384, NEW + 1);
	note_send(s, 0, 100, 0);
	sl_note_datagrams(s, 1);
}

TEST_F(cork, more_rewritten)
{
	EXPECT_SAME(rewritten);
}

static void option(struct sl_scene *s)
{
	sl_note(s, "cork", set(s->p.tx, UDP_CORK, 1));
	note_send(s, 0, 30000, 0);
	note_send(s, 30000, 10, 0);
	note_send(s, 30010, 20000, 0);
	sl_note(s, "held back", sl_udp_none(s->p.rx));
	sl_note(s, "uncork", set(s->p.tx, UDP_CORK, 0));
	sl_note_datagrams(s, 1);
	note_send(s, 0, 60000, 0);
	sl_note_datagrams(s, 1);
	sl_note_loans(s, 4096);
}

TEST_F(cork, udp_cork)
{
	EXPECT_SAME(option);
}

/* The piece that makes it too large fails, and takes the datagram along */
static void too_large(struct sl_scene *s)
{
	note_send(s, 0, 40000, MSG_MORE);
	note_send(s, 0, 40000, MSG_MORE);
	note_send(s, 100, 20000, 0);
	sl_note_datagrams(s, 1);
}

TEST_F(cork, too_large)
{
	EXPECT_SAME(too_large);
}

static void closed(struct sl_scene *s)
{
	note_send(s, 0, 40000, MSG_MORE);
	close(s->p.tx);
	s->p.tx = -1;
	sl_note_datagrams(s, 0);
}

TEST_F(cork, closed)
{
	EXPECT_SAME(closed);
}

/* Segments gathered from several sends */
static void segments(struct sl_scene *s)
{
	sl_note(s, "segment", set(s->p.tx, UDP_SEGMENT, 8000));
	note_send(s, 0, 8192, MSG_MORE);
	note_send(s, 8192, 20000, MSG_MORE);
	note_send(s, 28192, 1000, 0);
	sl_note_datagrams(s, 4);
}

TEST_F(cork, segments)
{
	EXPECT_SAME(segments);
}

/* Nothing of a corked datagram that is not GSO is lent: it is said why */
TEST_F(cork, counted)
{
	struct sl_counters c;
	struct sl_addr to;
	struct sl_pair p;

	ASSERT_EQ(0, sl_udp_pair(&p, variant->family, &to, true));
	sl_count(&c);
	ASSERT_EQ(20000, send(p.tx, self->b.data, 20000, MSG_MORE));
	EXPECT_LT(0, sl_plain() ?
			     1 :
			     sl_rise(&c, "FbFlags") + sl_rise(&c, "FbRoute"));
	EXPECT_LENT(p.tx, 0);
	ASSERT_EQ(1, send(p.tx, self->b.data, 1, 0));
	sl_pair_close(&p);
}

/* -- two threads on one socket ----------------------------------------------- */

#define PIECE 8192
#define ROUNDS 100

struct corker {
	pthread_t thread;
	int fd;
	unsigned int id;
	bool cork;
	int errors;
};

/* A piece names its stream in its first word */
static void fill_piece(unsigned char *p, uint64_t seed)
{
	memcpy(p, &seed, 8);
	sl_fill_at(p + 8, PIECE - 8, seed, 0);
}

static bool piece_ok(const unsigned char *p)
{
	uint64_t seed;

	memcpy(&seed, p, 8);
	return sl_differs_at(p + 8, PIECE - 8, seed, 0) == -1;
}

static void *corker_run(void *arg)
{
	struct corker *c = arg;
	struct sl_buf b;
	int i;

	sl_cpu(c->id);
	if (sl_buf_map(&b, PIECE, 0, 0))
		return NULL;
	for (i = 0; i < ROUNDS; i++) {
		fill_piece(b.data, (uint64_t)c->id << 32 | i);
		if (send(c->fd, b.data, PIECE,
			 c->cork && i % 3 != 2 ? MSG_MORE : 0) != PIECE)
			c->errors++;
	}
	/* Push what may be left */
	fill_piece(b.data, (uint64_t)c->id << 32 | i);
	if (send(c->fd, b.data, PIECE, 0) != PIECE)
		c->errors++;
	return NULL;
}

struct receiver {
	pthread_t thread;
	int fd;
	int expected; /* pieces */
	int datagrams, pieces, bad;
};

static void *receiver_run(void *arg)
{
	unsigned char got[65536];
	struct receiver *r = arg;
	ssize_t n, at;

	sl_cpu(1);
	while (r->pieces < r->expected) {
		n = recv(r->fd, got, sizeof(got), 0);
		if (n <= 0)
			break;
		r->datagrams++;
		for (at = 0; at + PIECE <= n; at += PIECE) {
			r->pieces++;
			r->bad += !piece_ok(got + at);
		}
		r->bad += at != n;
	}
	return NULL;
}

/* Every datagram is made of whole pieces; alone, of a single one */
static void race(struct __test_metadata *_metadata, int family, bool cork)
{
	struct receiver r = { .expected = 3 * (ROUNDS + 1) };
	struct corker c[3];
	struct sl_addr to;
	struct sl_pair p;
	int i;

	ASSERT_EQ(0, sl_udp_pair(&p, family, &to, true));
	r.fd = p.rx;
	ASSERT_EQ(0, pthread_create(&r.thread, NULL, receiver_run, &r));
	for (i = 0; i < 3; i++) {
		c[i] = (struct corker){
			.fd = p.tx,
			.id = i + 1,
			.cork = cork && !i,
		};
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, corker_run,
					    &c[i]));
	}
	for (i = 0; i < 3; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(0, c[i].errors);
	}
	pthread_join(r.thread, NULL);
	EXPECT_EQ(r.expected, r.pieces);
	EXPECT_EQ(0, r.bad);
	if (!cork) {
		EXPECT_EQ(r.expected, r.datagrams);
	}
	EXPECT_LENT_SOME(p.tx);
	sl_pair_close(&p);
}

TEST_F(cork, threads)
{
	race(_metadata, variant->family, false);
}

TEST_F(cork, threads_one_corks)
{
	race(_metadata, variant->family, true);
}

TEST_HARNESS_MAIN
