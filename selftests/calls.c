// SPDX-License-Identifier: GPL-2.0
/*
 * Every call that sends, with every shape of iovec
 *
 * Each test lays one stream out over several pieces of memory, sends it with
 * one call, overwrites all of it, and only then receives.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_ring.h"
#include "sl_variants.h"

#define OLD 1
#define NEW 2
#define PARTS_MAX 64

FIXTURE(call)
{
	struct sl_pair p;
	struct sl_buf part[PARTS_MAX];
	struct iovec iov[PARTS_MAX];
	int nr;
	size_t total; /* bytes in all parts */
	size_t whole; /* of them, what can be lent */
};

FIXTURE_VARIANT(call)
{
	SL_AXES;
};

SL_VARIANTS_FEW(call);

FIXTURE_SETUP(call)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
}

FIXTURE_TEARDOWN(call)
{
	sl_pair_close(&self->p);
}

/* Append a piece of "len" bytes, "offset" into its first page */
static int add(FIXTURE_DATA(call) * self, size_t len, size_t offset)
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
	self->whole += sl_whole(b->data, len);
	return 0;
}

/* Overwrite it all; 0 if the stream arrives as it was */
static int intact(FIXTURE_DATA(call) * self)
{
	int i;

	for (i = 0; i < self->nr; i++)
		if (self->iov[i].iov_len)
			sl_fill(self->iov[i].iov_base, self->iov[i].iov_len,
				NEW);
	return sl_drain(self->p.rx, self->total, OLD);
}

#define ASSERT_INTACT(_self)                                                   \
	do {                                                                   \
		ASSERT_EQ(0, intact(_self));                                   \
		EXPECT_LENT((_self)->p.tx, (_self)->whole);                    \
		EXPECT_COPIED((_self)->p.tx, (_self)->total - (_self)->whole); \
	} while (0)

TEST_F(call, write)
{
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total,
		  write(self->p.tx, self->iov[0].iov_base, self->total));
	ASSERT_INTACT(self);
}

TEST_F(call, send)
{
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total, send(self->p.tx, self->iov[0].iov_base,
				    self->total, MSG_NOSIGNAL));
	ASSERT_INTACT(self);
}

TEST_F(call, sendto)
{
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total, sendto(self->p.tx, self->iov[0].iov_base,
				      self->total, 0, NULL, 0));
	ASSERT_INTACT(self);
}

/* TCP pays no attention to the address */
TEST_F(call, sendto_address)
{
	struct sl_addr a;

	sl_loopback(&a, variant->family);
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total, sendto(self->p.tx, self->iov[0].iov_base,
				      self->total, 0, &a.sa, a.len));
	ASSERT_INTACT(self);
}

TEST_F(call, sendmsg)
{
	struct msghdr msg = { .msg_iov = self->iov, .msg_iovlen = 1 };

	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total, sendmsg(self->p.tx, &msg, 0));
	ASSERT_INTACT(self);
}

TEST_F(call, sendmsg_header)
{
	struct msghdr msg = { .msg_iov = self->iov, .msg_iovlen = 2 };

	ASSERT_EQ(0, add(self, 100, 50));
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total, sendmsg(self->p.tx, &msg, 0));
	ASSERT_INTACT(self);
}

TEST_F(call, sendmsg_trailer)
{
	struct msghdr msg = { .msg_iov = self->iov, .msg_iovlen = 2 };

	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(0, add(self, 100, 50));
	ASSERT_EQ(self->total, sendmsg(self->p.tx, &msg, 0));
	ASSERT_INTACT(self);
}

/* Empty pieces first, last and in between */
TEST_F(call, sendmsg_empty_pieces)
{
	struct msghdr msg = { .msg_iov = self->iov, .msg_iovlen = 7 };

	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_EQ(0, add(self, 100, 50));
	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(0, add(self, 3 * sl_page, 0));
	ASSERT_EQ(0, add(self, 0, 0));
	ASSERT_EQ(self->total, sendmsg(self->p.tx, &msg, 0));
	ASSERT_INTACT(self);
}

TEST_F(call, writev)
{
	ASSERT_EQ(0, add(self, 17, 0));
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(0, add(self, 5000, 3000));
	ASSERT_EQ(0, add(self, 2 * sl_page, 0));
	ASSERT_EQ(self->total, writev(self->p.tx, self->iov, self->nr));
	ASSERT_INTACT(self);
}

TEST_F(call, pwritev2)
{
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(0, add(self, 17, 0));
	ASSERT_EQ(self->total,
		  pwritev2(self->p.tx, self->iov, self->nr, -1, 0));
	ASSERT_INTACT(self);
}

/* A piece for each page, each from another place */
TEST_F(call, writev_page_by_page)
{
	size_t left;

	for (left = variant->len; left && self->nr < PARTS_MAX;
	     left -= sl_page) {
		ASSERT_EQ(0, add(self, sl_page, 0));
	}
	ASSERT_EQ(self->total, writev(self->p.tx, self->iov, self->nr));
	ASSERT_INTACT(self);
}

/* Pieces that together are large, of which none holds a whole page */
TEST_F(call, writev_small_pieces)
{
	while (self->nr < PARTS_MAX) {
		ASSERT_EQ(0, add(self, 1000, self->nr * 8));
	}
	ASSERT_EQ(0, self->whole);
	ASSERT_EQ(self->total, writev(self->p.tx, self->iov, self->nr));
	ASSERT_INTACT(self);
}

/* The same memory in several pieces of one call, overlapping */
TEST_F(call, writev_overlap)
{
	struct iovec v[3];
	size_t len = 4 * sl_page;
	unsigned char *p;

	ASSERT_EQ(0, add(self, len, 0));
	p = self->iov[0].iov_base;
	v[0] = (struct iovec){ p, len };
	v[1] = (struct iovec){ p + 100, len - 100 };
	v[2] = (struct iovec){ p, len };
	ASSERT_EQ(3 * len - 100, writev(self->p.tx, v, 3));
	sl_fill(p, len, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, len, OLD));
	EXPECT_EQ(0, sl_drain_at(self->p.rx, len - 100, OLD, 100));
	EXPECT_EQ(0, sl_drain(self->p.rx, len, OLD));
	EXPECT_LENT(self->p.tx, 3 * len - sl_page);
}

TEST_F(call, sendmmsg)
{
	struct mmsghdr mm[3] = {
		{ .msg_hdr = { .msg_iov = self->iov, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = self->iov + 1, .msg_iovlen = 2 } },
		{ .msg_hdr = { .msg_iov = self->iov + 3, .msg_iovlen = 1 } },
	};

	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(0, add(self, 100, 50));
	ASSERT_EQ(0, add(self, 2 * sl_page, 0));
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(3, sendmmsg(self->p.tx, mm, 3, 0));
	EXPECT_EQ(variant->len, mm[0].msg_len);
	EXPECT_EQ(100 + 2 * sl_page, mm[1].msg_len);
	EXPECT_EQ(variant->len, mm[2].msg_len);
	ASSERT_INTACT(self);
}

/* -- calls that bring their own pages: nothing to lend, right all the same -- */

TEST_F(call, sendfile)
{
	off_t off = 0;
	int fd;

	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	fd = memfd_create("sendfile", MFD_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(self->total, write(fd, self->iov[0].iov_base, self->total));
	ASSERT_EQ(self->total, sendfile(self->p.tx, fd, &off, self->total));
	EXPECT_EQ(0, intact(self));
	EXPECT_LENT(self->p.tx, 0);
	close(fd);
}

TEST_F(call, splice)
{
	size_t done;
	ssize_t n;
	int pfd[2];

	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(0, pipe2(pfd, O_CLOEXEC));
	for (done = 0; done < self->total; done += n) {
		n = write(pfd[1], (char *)self->iov[0].iov_base + done,
			  self->total - done < 65536 ? self->total - done :
						       65536);
		ASSERT_GT(n, 0);
		ASSERT_EQ(n, splice(pfd[0], NULL, self->p.tx, NULL, n, 0));
	}
	EXPECT_EQ(0, intact(self));
	EXPECT_LENT(self->p.tx, 0);
	close(pfd[0]);
	close(pfd[1]);
}

/* -- io_uring ------------------------------------------------------------ */

TEST_F(call, io_uring_send)
{
	struct sl_ring r;

	if (sl_ring_open(&r, 0))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total, sl_ring_do(&r, IORING_OP_SEND, self->p.tx,
					  self->iov[0].iov_base, self->total));
	ASSERT_INTACT(self);
	sl_ring_close(&r);
}

TEST_F(call, io_uring_sendmsg)
{
	struct msghdr msg = { .msg_iov = self->iov, .msg_iovlen = 2 };
	struct sl_ring r;

	if (sl_ring_open(&r, 0))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, add(self, 100, 50));
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(self->total,
		  sl_ring_do(&r, IORING_OP_SENDMSG, self->p.tx, &msg, 1));
	ASSERT_INTACT(self);
	sl_ring_close(&r);
}

TEST_F(call, io_uring_writev)
{
	struct sl_ring r;

	if (sl_ring_open(&r, 0))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, add(self, variant->len, variant->offset));
	ASSERT_EQ(0, add(self, 5000, 3000));
	ASSERT_EQ(self->total, sl_ring_do(&r, IORING_OP_WRITEV, self->p.tx,
					  self->iov, self->nr));
	ASSERT_INTACT(self);
	sl_ring_close(&r);
}

TEST_HARNESS_MAIN
