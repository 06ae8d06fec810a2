// SPDX-License-Identifier: GPL-2.0
/*
 * UDP: what was in the buffer when it was sent is what arrives, one datagram
 * for one datagram
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_udp.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define THRESHOLD 4096

FIXTURE(udp)
{
	struct sl_pair p;
	struct sl_addr addr;
	struct sl_addr *to; /* or NULL, if connected */
	struct sl_buf b;
	struct sl_counters c;
	size_t whole; /* what is lent of one datagram */
	size_t copied; /* what is copied, if anything is lent */
};

FIXTURE_VARIANT(udp)
{
	int family;
	bool connected;
	size_t len;
	size_t offset;
};

#define UDP_VARIANT(_name, _family, _connected, _len, _offset)           \
	FIXTURE_VARIANT_ADD(udp, _name)                                  \
	{                                                                \
		.family = _family, .connected = _connected, .len = _len, \
		.offset = _offset,                                       \
	}

#define UDP_VARIANTS(_name, _len)                                             \
	UDP_VARIANT(v4_##_name, AF_INET, true, _len, 0);                      \
	UDP_VARIANT(v4_##_name##_unconnected_unaligned, AF_INET, false, _len, \
		    1003);                                                    \
	UDP_VARIANT(v6_##_name##_unconnected, AF_INET6, false, _len, 0);      \
	UDP_VARIANT(v6_##_name##_unaligned, AF_INET6, true, _len, 1003)

UDP_VARIANTS(below_threshold, THRESHOLD - 1);
UDP_VARIANTS(threshold, THRESHOLD);
UDP_VARIANTS(8k, 8192);
UDP_VARIANTS(60000, 60000);

UDP_VARIANT(v4_max, AF_INET, true, SL_UDP_MAX_V4, 0);
UDP_VARIANT(v4_max_unaligned, AF_INET, false, SL_UDP_MAX_V4, 1003);
UDP_VARIANT(v6_max_of_lo, AF_INET6, false, SL_UDP_LO_V6, 0);
UDP_VARIANT(v6_max_of_lo_unaligned, AF_INET6, true, SL_UDP_LO_V6, 1003);
/* In two fragments */
UDP_VARIANT(v6_max, AF_INET6, true, SL_UDP_MAX_V6, 0);

static bool fragmented(int family, size_t len)
{
	return family == AF_INET6 && len > SL_UDP_LO_V6;
}

FIXTURE_SETUP(udp)
{
	ASSERT_EQ(0, sl_udp_pair(&self->p, variant->family, &self->addr,
				 variant->connected));
	self->to = variant->connected ? NULL : &self->addr;
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
	if (variant->len >= THRESHOLD &&
	    !fragmented(variant->family, variant->len)) {
		self->whole = sl_whole(self->b.data, self->b.len);
		self->copied = self->b.len - self->whole;
	}
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(udp)
{
	EXPECT_EQ(0, sl_udp_none(self->p.rx));
	sl_pair_close(&self->p);
}

#define SEND(_self)                                                           \
	ASSERT_EQ((_self)->b.len, sl_udp_send((_self)->p.tx, (_self)->b.data, \
					      (_self)->b.len, (_self)->to))

/* "n" datagrams are out, the buffer sent whole each time */
#define EXPECT_LOANS(_self, _n) \
	EXPECT_LENT((_self)->p.tx, (_n) * (_self)->whole)

TEST_F(udp, overwrite)
{
	SEND(self);
	EXPECT_LOANS(self, 1);
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
}

TEST_F(udp, munmap)
{
	SEND(self);
	sl_buf_unmap(&self->b);
	/* Somebody else's data in the memory that was freed */
	ASSERT_EQ(0, sl_buf_map(&self->b, 4 * self->b.len, 0, NEW));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, variant->len, OLD));
	EXPECT_LOANS(self, 1);
}

TEST_F(udp, fork_both_write)
{
	pid_t pid;

	SEND(self);
	pid = fork();
	if (!pid) {
		sl_fill(self->b.data, self->b.len, NEW + 1);
		_exit(sl_differs(self->b.data, self->b.len, NEW + 1) != -1);
	}
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
	EXPECT_LOANS(self, 1);
}

/* The sender, its memory and its socket are gone */
TEST_F(udp, sender_gone)
{
	struct sl_buf b;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(sl_udp_send(self->p.tx, self->b.data, self->b.len,
				  self->to) != self->b.len);
	EXPECT_EQ(0, sl_exited(pid));
	close(self->p.tx);
	self->p.tx = -1;
	sl_buf_unmap(&self->b);
	ASSERT_EQ(0, sl_buf_map(&b, 4 * variant->len, 0, NEW));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, variant->len, OLD));
}

/* Three datagrams wait, each sent from the same memory */
TEST_F(udp, reuse)
{
	int i;

	for (i = 0; i < 3; i++) {
		sl_fill(self->b.data, self->b.len, OLD + i);
		SEND(self);
		EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, OLD + i));
	}
	sl_fill(self->b.data, self->b.len, OLD + 3);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD + i));
	}
	EXPECT_LOANS(self, 3);
}

/* Nothing is left to be protected the second time */
TEST_F(udp, send_unchanged)
{
	size_t pages = self->whole / sl_page;

	if (fragmented(variant->family, variant->len))
		SKIP(return, "nothing is lent");
	SEND(self);
	EXPECT_PROTECTED(self->p.tx, pages);
	sl_count(&self->c);
	SEND(self);
	EXPECT_PROTECTED(self->p.tx, pages);
	EXPECT_RISE_BY(&self->c, "PagesShared", pages);
	EXPECT_NO_RISE(&self->c, "Flushes");
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
	EXPECT_LOANS(self, 2);
}

TEST_F(udp, never_touched)
{
	static const unsigned char zero[65536];
	static unsigned char got[65536];

	ASSERT_EQ(0, madvise(self->b.map, self->b.map_len, MADV_DONTNEED));
	SEND(self);
	sl_fill(self->b.data, self->b.len, NEW);
	ASSERT_EQ(self->b.len, recv(self->p.rx, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(got, zero, self->b.len));
	EXPECT_LOANS(self, 1);
	if (!fragmented(variant->family, variant->len)) {
		EXPECT_RISE_BY(&self->c, "PagesZero", self->whole / sl_page);
	}
}

/* write and send have no address to go to but the connected one */
TEST_F(udp, write_and_send)
{
	if (!variant->connected) {
		ASSERT_EQ(0,
			  connect(self->p.tx, &self->addr.sa, self->addr.len));
	}
	ASSERT_EQ(self->b.len, write(self->p.tx, self->b.data, self->b.len));
	ASSERT_EQ(self->b.len, send(self->p.tx, self->b.data, self->b.len, 0));
	ASSERT_EQ(self->b.len, sl_udp_send(self->p.tx, self->b.data,
					   self->b.len, &self->addr));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
	EXPECT_LOANS(self, 3);
}

/* The calls are counted, and every byte of them as lent or as copied */
TEST_F(udp, counters)
{
	struct sockloan_sockstat st;
	bool large = variant->len >= THRESHOLD;

	if (sl_plain())
		SKIP(return, "nothing is attached");
	SEND(self);
	SEND(self);
	ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
	EXPECT_EQ(SOCKLOAN_STATE_ATTACHED, st.state);
	EXPECT_EQ(2 * self->whole, st.bytes_lent);
	EXPECT_EQ(2 * self->whole / sl_page, st.pages_lent);
	EXPECT_RISE_BY(&self->c, "BytesLent", 2 * self->whole);
	if (fragmented(variant->family, variant->len)) {
		EXPECT_RISE_BY(&self->c, "FbRoute", 2);
	} else {
		EXPECT_EQ(large ? 2 : 0, st.calls);
		EXPECT_EQ(2 * self->copied, st.bytes_copied);
		EXPECT_NO_RISE(&self->c, "FbRoute");
	}
	EXPECT_NO_RISE(&self->c, "SmallCalls");
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->b.len, OLD));
}

/* -- one datagram in many pieces -------------------------------------------- */

#define PARTS_MAX 256

FIXTURE(pieces)
{
	struct sl_pair p;
	struct sl_addr to;
	struct sl_counters c;
	struct sl_buf part[PARTS_MAX];
	struct iovec iov[PARTS_MAX];
	int nr;
	size_t total; /* bytes in all parts */
	size_t whole; /* of them, what can be lent */
};

FIXTURE_VARIANT(pieces)
{
	int family;
	bool connected;
	size_t offset; /* of large pieces */
};

FIXTURE_VARIANT_ADD(pieces, v4){
	.family = AF_INET,
	.connected = true,
};

FIXTURE_VARIANT_ADD(pieces, v4_unconnected_unaligned){
	.family = AF_INET,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(pieces, v6_unconnected){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(pieces, v6_unaligned){
	.family = AF_INET6,
	.connected = true,
	.offset = 1003,
};

FIXTURE_SETUP(pieces)
{
	ASSERT_EQ(0, sl_udp_pair(&self->p, variant->family, &self->to,
				 variant->connected));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(pieces)
{
	EXPECT_EQ(0, sl_udp_none(self->p.rx));
	sl_pair_close(&self->p);
}

/* Append a piece of "len" bytes, "offset" into its first page */
static int add(FIXTURE_DATA(pieces) * self, size_t len, size_t offset)
{
	struct sl_buf *b = &self->part[self->nr];
	struct iovec *v = &self->iov[self->nr++];

	memset(v, 0, sizeof(*v));
	if (!len)
		return 0;
	if (sl_buf_map(b, len, offset, OLD))
		return -1;
	sl_fill_at(b->data, len, OLD, self->total);
	v->iov_base = b->data;
	v->iov_len = len;
	self->total += len;
	if (len >= THRESHOLD)
		self->whole += sl_whole(b->data, len);
	return 0;
}

static struct msghdr message(FIXTURE_DATA(pieces) * self, bool connected)
{
	struct msghdr msg = { .msg_iov = self->iov, .msg_iovlen = self->nr };

	if (!connected) {
		msg.msg_name = &self->to.sa;
		msg.msg_namelen = self->to.len;
	}
	return msg;
}

/* All pieces in one sendmsg, and overwritten: one datagram comes */
static int intact(FIXTURE_DATA(pieces) * self, bool connected)
{
	struct msghdr msg = message(self, connected);
	int i;

	if (sendmsg(self->p.tx, &msg, 0) != (ssize_t)self->total)
		return -1;
	for (i = 0; i < self->nr; i++)
		if (self->iov[i].iov_len)
			sl_fill(self->iov[i].iov_base, self->iov[i].iov_len,
				NEW);
	return sl_udp_recv(self->p.rx, self->total, OLD);
}

#define ASSERT_INTACT(_self) ASSERT_EQ(0, intact(_self, variant->connected))

#define EXPECT_WHOLE(_self)                                                    \
	do {                                                                   \
		EXPECT_LENT((_self)->p.tx, (_self)->whole);                    \
		EXPECT_COPIED((_self)->p.tx, (_self)->total - (_self)->whole); \
	} while (0)

TEST_F(pieces, header)
{
	ASSERT_EQ(0, add(self, 100, 50));
	ASSERT_EQ(0, add(self, 50000, variant->offset));
	ASSERT_INTACT(self);
	EXPECT_WHOLE(self);
}

TEST_F(pieces, header_and_trailer)
{
	ASSERT_EQ(0, add(self, 1, 0));
	ASSERT_EQ(0, add(self, 32768, variant->offset));
	ASSERT_EQ(0, add(self, 3, 4095));
	ASSERT_INTACT(self);
	EXPECT_WHOLE(self);
}

TEST_F(pieces, empty_ones)
{
	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_EQ(0, add(self, 12288, variant->offset));
	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_EQ(0, add(self, 8192, 0));
	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_INTACT(self);
	EXPECT_WHOLE(self);
}

/* Seven times two pages, no two next to each other */
TEST_F(pieces, several_large)
{
	while (self->nr < 7) {
		ASSERT_EQ(0, add(self, 8192, 0));
	}
	ASSERT_INTACT(self);
	EXPECT_WHOLE(self);
}

/* Large together, none of them holds a page */
TEST_F(pieces, all_small)
{
	while (self->nr < 60) {
		ASSERT_EQ(0, add(self, 1000, variant->offset + self->nr * 8));
	}
	ASSERT_INTACT(self);
	EXPECT_LENT(self->p.tx, 0);
}

/* More places than an skb can point at: still one datagram */
TEST_F(pieces, more_than_frags)
{
	while (self->nr < 30) {
		ASSERT_EQ(0, add(self, 40, 8 * self->nr));
		ASSERT_EQ(0, add(self, 4096, 0));
	}
	ASSERT_INTACT(self);
	EXPECT_RISE(&self->c, "FbFrags");
}

TEST_F(pieces, most_pieces)
{
	while (self->nr < PARTS_MAX) {
		ASSERT_EQ(0, add(self, 1 + self->nr % 400, self->nr));
	}
	ASSERT_INTACT(self);
}

/* The same memory several times in one datagram */
TEST_F(pieces, overlapping)
{
	static unsigned char got[65536];
	unsigned char *p;
	struct msghdr msg;

	ASSERT_EQ(0, add(self, 16384, 0));
	p = self->iov[0].iov_base;
	self->iov[1] = (struct iovec){ p + 100, 16384 - 100 };
	self->iov[2] = (struct iovec){ p, 16384 };
	self->nr = 3;
	msg = message(self, variant->connected);
	ASSERT_EQ(3 * 16384 - 100, sendmsg(self->p.tx, &msg, 0));
	sl_fill(p, 16384, NEW);
	ASSERT_EQ(3 * 16384 - 100, recv(self->p.rx, got, sizeof(got), 0));
	EXPECT_EQ(-1, sl_differs_at(got, 16384, OLD, 0));
	EXPECT_EQ(-1, sl_differs_at(got + 16384, 16384 - 100, OLD, 100));
	EXPECT_EQ(-1, sl_differs_at(got + 2 * 16384 - 100, 16384, OLD, 0));
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_F(pieces, writev)
{
	if (!variant->connected) {
		ASSERT_EQ(0, connect(self->p.tx, &self->to.sa, self->to.len));
	}
	ASSERT_EQ(0, add(self, 20, 0));
	ASSERT_EQ(0, add(self, 16384, variant->offset));
	ASSERT_EQ(0, add(self, 20000, 0));
	ASSERT_EQ(self->total, writev(self->p.tx, self->iov, self->nr));
	sl_fill(self->iov[1].iov_base, 16384, NEW);
	sl_fill(self->iov[2].iov_base, 20000, NEW);
	EXPECT_EQ(0, sl_udp_recv(self->p.rx, self->total, OLD));
	EXPECT_WHOLE(self);
}

/* Many messages in one call, large and small by turns */
TEST_F(pieces, sendmmsg)
{
	static const size_t len[] = { 60000, 10, 8192, 4096, 100, 30000 };
	struct mmsghdr mm[ARRAY_SIZE(len)] = {};
	size_t at;
	int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		ASSERT_EQ(0, add(self, len[i], variant->offset));
		mm[i].msg_hdr = message(self, variant->connected);
		mm[i].msg_hdr.msg_iov = &self->iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(ARRAY_SIZE(len),
		  sendmmsg(self->p.tx, mm, ARRAY_SIZE(len), 0));
	for (i = 0; i < ARRAY_SIZE(len); i++)
		sl_fill(self->iov[i].iov_base, len[i], NEW);
	for (i = 0, at = 0; i < ARRAY_SIZE(len); at += len[i++]) {
		EXPECT_EQ(len[i], mm[i].msg_len);
		EXPECT_EQ(0, sl_udp_recv_at(self->p.rx, len[i], OLD, at));
	}
	EXPECT_LENT(self->p.tx, self->whole);
}

TEST_HARNESS_MAIN
