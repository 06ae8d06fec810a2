// SPDX-License-Identifier: GPL-2.0
/*
 * Loans and everything else that moves pages about: pipes, splice, receiving
 * into memory on loan, and zero-copy receive on the other side
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/tcp.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_variants.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */

FIXTURE(pipe)
{
	struct sl_pair p;
	struct sl_buf b;
	struct sl_counters c;
	int pipe[2];
	unsigned char *got;
};

FIXTURE_VARIANT(pipe)
{
	SL_AXES;
};

SL_VARIANTS_FEW(pipe);

FIXTURE_SETUP(pipe)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC));
	/*
	 * A page takes a slot, or two when it is cut where an skb ends; beyond
	 * a megabyte it takes CAP_SYS_RESOURCE.
	 */
	ASSERT_LE(2 * (int)self->b.map_len,
		  fcntl(self->pipe[0], F_SETPIPE_SZ, 2 * (int)self->b.map_len));
	self->got = malloc(variant->len);
	ASSERT_NE(NULL, self->got);
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(pipe)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
	close(self->pipe[0]);
	close(self->pipe[1]);
	free(self->got);
}

static int lend(FIXTURE_DATA(pipe) * self)
{
	ssize_t n = send(self->p.tx, self->b.data, self->b.len, 0);

	return n == self->b.len ? 0 : -1;
}

static int rewrite(FIXTURE_DATA(pipe) * self)
{
	sl_fill(self->b.data, self->b.len, NEW);
	return sl_differs(self->b.data, self->b.len, NEW) == -1 ? 0 : -1;
}

/* Read "len" bytes, or splice or vmsplice them, however many calls it takes */
static int read_all(int fd, unsigned char *to, size_t len)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < len; done += n) {
		n = read(fd, to + done, len - done);
		if (n <= 0)
			return -1;
	}
	return 0;
}

static int splice_all(int from, int to, size_t len)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < len; done += n) {
		n = splice(from, NULL, to, NULL, len - done, 0);
		if (n <= 0)
			return -1;
	}
	return 0;
}

static int vmsplice_all(int fd, unsigned char *data, size_t len)
{
	struct iovec v;
	size_t done;
	ssize_t n;

	for (done = 0; done < len; done += n) {
		v.iov_base = data + done;
		v.iov_len = len - done;
		n = vmsplice(fd, &v, 1, 0);
		if (n <= 0)
			return -1;
	}
	return 0;
}

#define EXPECT_ARRIVES(_self)                                               \
	do {                                                                \
		EXPECT_EQ(0, sl_drain((_self)->p.rx, (_self)->b.len, OLD)); \
		EXPECT_LENT((_self)->p.tx,                                  \
			    sl_whole((_self)->b.data, (_self)->b.len));     \
	} while (0)

/* Pages in a pipe have references nobody can account for: they are copied */
TEST_F(pipe, vmsplice_then_send)
{
	ASSERT_EQ(0, vmsplice_all(self->pipe[1], self->b.data, self->b.len));
	ASSERT_EQ(0, lend(self));
	EXPECT_EQ(0, rewrite(self));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_LENT(self->p.tx, 0);
	if (sl_whole(self->b.data, self->b.len)) {
		EXPECT_RISE(&self->c, "FbBusy");
	}
	/* As without a loan, the pipe has the very pages of the program */
	ASSERT_EQ(0, read_all(self->pipe[0], self->got, self->b.len));
	EXPECT_EQ(-1, sl_differs(self->got, self->b.len, NEW));
}

/* Which of the two the pipe gets is nobody's promise, page by page */
TEST_F(pipe, send_then_vmsplice)
{
	size_t at, n;

	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(0, vmsplice_all(self->pipe[1], self->b.data, self->b.len));
	EXPECT_EQ(0, rewrite(self));
	EXPECT_ARRIVES(self);
	ASSERT_EQ(0, read_all(self->pipe[0], self->got, self->b.len));
	for (at = 0; at < self->b.len; at += n) {
		n = sl_page - (variant->offset + at) % sl_page;
		if (n > self->b.len - at)
			n = self->b.len - at;
		if (sl_differs_at(self->got + at, n, OLD, at) < 0)
			continue;
		ASSERT_EQ(-1, sl_differs_at(self->got + at, n, NEW, at));
	}
}

TEST_F(pipe, vmsplice_into_lent)
{
	sl_fill(self->got, self->b.len, NEW);
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len, write(self->pipe[1], self->got, self->b.len));
	ASSERT_EQ(0, vmsplice_all(self->pipe[0], self->b.data, self->b.len));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_ARRIVES(self);
}

TEST_F(pipe, read_into_lent)
{
	sl_fill(self->got, self->b.len, NEW);
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len, write(self->pipe[1], self->got, self->b.len));
	ASSERT_EQ(0, read_all(self->pipe[0], self->b.data, self->b.len));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_ARRIVES(self);
}

TEST_F(pipe, read_file_into_lent)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	ASSERT_GE(fd, 0);
	sl_fill(self->got, self->b.len, NEW);
	ASSERT_EQ(self->b.len, write(fd, self->got, self->b.len));
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len, pread(fd, self->b.data, self->b.len, 0));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_ARRIVES(self);
	close(fd);
}

/* Received into the very memory that it was sent from */
TEST_F(pipe, receive_into_lent)
{
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(0, sl_drain_raw(self->p.rx, self->b.data, self->b.len));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, OLD));
	EXPECT_EQ(0, rewrite(self));
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, self->b.len));
}

TEST_F(pipe, receive_shifted)
{
	size_t half = self->b.len / 2;

	ASSERT_EQ(0, lend(self));
	/* The second half of the buffer becomes the stream's first */
	ASSERT_EQ(0, sl_drain_raw(self->p.rx, self->b.data + half, half));
	EXPECT_EQ(-1, sl_differs(self->b.data, half, OLD));
	EXPECT_EQ(-1, sl_differs(self->b.data + half, half, OLD));
	EXPECT_EQ(0, sl_drain_at(self->p.rx, half, OLD, half));
}

/* The receiver keeps the lent pages in a pipe */
TEST_F(pipe, receiver_splices)
{
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(0, splice_all(self->p.rx, self->pipe[1], self->b.len));
	EXPECT_EQ(0, rewrite(self));
	ASSERT_EQ(0, read_all(self->pipe[0], self->got, self->b.len));
	EXPECT_EQ(-1, sl_differs(self->got, self->b.len, OLD));
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, self->b.len));
}

/* And sends them on, over another attached socket */
TEST_F(pipe, receiver_forwards)
{
	struct sl_pair on;

	ASSERT_EQ(0, sl_pair(&on, variant->family));
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(0, splice_all(self->p.rx, self->pipe[1], self->b.len));
	ASSERT_EQ(0, splice_all(self->pipe[0], on.tx, self->b.len));
	EXPECT_EQ(0, rewrite(self));
	sl_buf_unmap(&self->b);
	EXPECT_EQ(0, sl_drain(on.rx, variant->len, OLD));
	sl_pair_close(&on);
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, NEW));
}

/*
 * A receiver may map what it received.  What it maps must never be memory
 * that is still the sender's.
 */
TEST_F(pipe, receiver_maps)
{
	struct tcp_zerocopy_receive zc = { 0 };
	socklen_t zc_len = sizeof(zc);
	unsigned char *map;

	map = mmap(NULL, self->b.map_len, PROT_READ, MAP_SHARED, self->p.rx, 0);
	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, lend(self));
	zc.address = (uintptr_t)map;
	zc.length = self->b.map_len;
	EXPECT_EQ(0, getsockopt(self->p.rx, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE,
				&zc, &zc_len));
	EXPECT_EQ(0, rewrite(self));
	EXPECT_EQ(-1, sl_differs(map, zc.length, OLD));
	EXPECT_EQ(0, sl_drain_at(self->p.rx, self->b.len - zc.length, OLD,
				 zc.length));
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, self->b.len));
	munmap(map, self->b.map_len);
}

/* Looked at twice, and changed in between */
TEST_F(pipe, receiver_peeks)
{
	ssize_t n;

	ASSERT_EQ(0, lend(self));
	n = recv(self->p.rx, self->got, self->b.len, MSG_PEEK | MSG_WAITALL);
	ASSERT_LT(0, n);
	EXPECT_EQ(-1, sl_differs(self->got, n, OLD));
	EXPECT_EQ(0, rewrite(self));
	n = recv(self->p.rx, self->got, self->b.len, MSG_PEEK);
	ASSERT_LT(0, n);
	EXPECT_EQ(-1, sl_differs(self->got, n, OLD));
	EXPECT_ARRIVES(self);
}

TEST_HARNESS_MAIN
