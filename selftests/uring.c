// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring: sends that are made at once, by its workers, by its polling thread,
 * in a chain, and when there is room again
 */
#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_ring.h"
#include "sl_udp.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */

FIXTURE(uring)
{
	struct sl_pair p;
	struct sl_buf b;
	struct sl_ring r;
	struct sl_addr to;
	size_t whole;
};

FIXTURE_VARIANT(uring)
{
	int family;
	bool udp;
	unsigned int setup; /* flags of the ring */
	unsigned int sqe; /* flags of each request */
	size_t offset;
};

FIXTURE_VARIANT_ADD(uring, tcp_v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(uring, tcp_v6_worker){
	.family = AF_INET6,
	.sqe = IOSQE_ASYNC,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(uring, tcp_v4_sqpoll){
	.family = AF_INET,
	.setup = IORING_SETUP_SQPOLL,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(uring, tcp_v6_sqpoll_worker){
	.family = AF_INET6,
	.setup = IORING_SETUP_SQPOLL,
	.sqe = IOSQE_ASYNC,
};

FIXTURE_VARIANT_ADD(uring, udp_v4){
	.family = AF_INET,
	.udp = true,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(uring, udp_v6_worker){
	.family = AF_INET6,
	.udp = true,
	.sqe = IOSQE_ASYNC,
};

FIXTURE_VARIANT_ADD(uring, udp_v4_sqpoll){
	.family = AF_INET,
	.udp = true,
	.setup = IORING_SETUP_SQPOLL,
};

FIXTURE_SETUP(uring)
{
	if (sl_ring_open(&self->r, variant->setup))
		return;
	if (variant->udp) {
		ASSERT_EQ(0, sl_udp_pair(&self->p, variant->family, &self->to,
					 true));
	} else {
		ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	}
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->udp ? 60000 : 300 * SL_KIB,
				variant->offset, OLD));
	self->whole = sl_whole(self->b.data, self->b.len);
}

FIXTURE_TEARDOWN(uring)
{
	if (self->r.fd >= 0)
		sl_ring_close(&self->r);
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

#define REQUIRE_RING(_self)                          \
	do {                                         \
		if ((_self)->r.fd < 0)               \
			SKIP(return, "no io_uring"); \
	} while (0)

static int receive_at(FIXTURE_DATA(uring) * self, bool udp, size_t len,
		      size_t pos)
{
	return udp ? sl_udp_recv_at(self->p.rx, len, OLD, pos) :
		     sl_drain_at(self->p.rx, len, OLD, pos);
}

/* Overwritten as soon as it is said to be done, it arrives as it was */
static int intact(FIXTURE_DATA(uring) * self, bool udp)
{
	sl_fill(self->b.data, self->b.len, NEW);
	return receive_at(self, udp, self->b.len, 0);
}

static int submit(FIXTURE_DATA(uring) * self,
		  const FIXTURE_VARIANT(uring) * variant, int op,
		  const void *addr, unsigned int len)
{
	struct io_uring_sqe *sqe;

	sqe = sl_ring_queue(&self->r, op, self->p.tx, addr, len);
	sqe->flags = variant->sqe;
	if (!variant->udp)
		sqe->msg_flags = MSG_WAITALL;
	if (sl_ring_submit(&self->r, 1))
		return -errno;
	return sl_ring_result(&self->r, NULL);
}

TEST_F(uring, send)
{
	REQUIRE_RING(self);
	ASSERT_EQ(self->b.len, submit(self, variant, IORING_OP_SEND,
				      self->b.data, self->b.len));
	EXPECT_EQ(0, intact(self, variant->udp));
	EXPECT_LENT(self->p.tx, self->whole);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

TEST_F(uring, sendmsg)
{
	struct iovec v[2] = {
		{ self->b.data, 100 },
		{ self->b.data + 100, self->b.len - 100 },
	};
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 2 };

	REQUIRE_RING(self);
	ASSERT_EQ(self->b.len,
		  submit(self, variant, IORING_OP_SENDMSG, &msg, 1));
	EXPECT_EQ(0, intact(self, variant->udp));
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_F(uring, send_again)
{
	int i;

	REQUIRE_RING(self);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(self->b.len, submit(self, variant, IORING_OP_SEND,
					      self->b.data, self->b.len));
		EXPECT_EQ(0, intact(self, variant->udp));
		sl_fill(self->b.data, self->b.len, OLD);
	}
	EXPECT_LENT(self->p.tx, 4 * self->whole);
}

/* Several parts of the buffer in a chain, which goes out in order */
TEST_F(uring, linked)
{
	size_t part = 5 * sl_page, pos = 0;
	struct io_uring_sqe *sqe;
	int i, n = 3;

	REQUIRE_RING(self);
	for (i = 0; i < n; i++) {
		sqe = sl_ring_queue(&self->r, IORING_OP_SEND, self->p.tx,
				    self->b.data + i * part / 2, part);
		sqe->flags = variant->sqe | (i < n - 1 ? IOSQE_IO_LINK : 0);
		if (!variant->udp)
			sqe->msg_flags = MSG_WAITALL;
	}
	ASSERT_EQ(0, sl_ring_submit(&self->r, n));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(part, sl_ring_result(&self->r, NULL));
	}
	sl_fill(self->b.data, self->b.len, NEW);
	for (i = 0; i < n; i++, pos += part / 2) {
		ASSERT_EQ(0, receive_at(self, variant->udp, part, pos));
	}
	EXPECT_LENT_SOME(self->p.tx);
}

/* Several at once from memory that is not there */
TEST_F(uring, bad_address)
{
	REQUIRE_RING(self);
	EXPECT_EQ(-EFAULT, submit(self, variant, IORING_OP_SEND, NULL, 50000));
	EXPECT_EQ(-EFAULT, submit(self, variant, IORING_OP_SEND,
				  (void *)-65536L, 50000));
	ASSERT_EQ(self->b.len, submit(self, variant, IORING_OP_SEND,
				      self->b.data, self->b.len));
	EXPECT_EQ(0, intact(self, variant->udp));
}

/* -- a send buffer that is full -------------------------------------------------- */

#define BIG (4 * SL_MIB)
#define SMALL (128 * 1024)

FIXTURE(uring_full)
{
	struct sl_pair p;
	struct sl_buf b;
	struct sl_ring r;
};

FIXTURE_VARIANT(uring_full)
{
	unsigned int setup;
	unsigned int sqe;
};

FIXTURE_VARIANT_ADD(uring_full, inline){};

FIXTURE_VARIANT_ADD(uring_full, worker){
	.sqe = IOSQE_ASYNC,
};

FIXTURE_VARIANT_ADD(uring_full, sqpoll){
	.setup = IORING_SETUP_SQPOLL,
};

FIXTURE_SETUP(uring_full)
{
	if (sl_ring_open(&self->r, variant->setup))
		return;
	ASSERT_EQ(0, sl_pair_sized(&self->p, AF_INET, SMALL, SMALL));
	ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_EQ(0, sl_buf_map(&self->b, BIG, 0, OLD));
}

FIXTURE_TEARDOWN(uring_full)
{
	if (self->r.fd >= 0)
		sl_ring_close(&self->r);
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

/* In one request, which waits for room time and again */
TEST_F(uring_full, waitall)
{
	struct io_uring_sqe *sqe;
	struct sl_reader reader;

	REQUIRE_RING(self);
	sqe = sl_ring_queue(&self->r, IORING_OP_SEND, self->p.tx, self->b.data,
			    BIG);
	sqe->flags = variant->sqe;
	sqe->msg_flags = MSG_WAITALL;
	ASSERT_EQ(0, sl_ring_submit(&self->r, 0));
	ASSERT_EQ(0, sl_reader_start(&reader, self->p.rx, BIG, OLD));
	ASSERT_EQ(BIG, sl_ring_result(&self->r, NULL));
	sl_fill(self->b.data, BIG, NEW);
	EXPECT_EQ(0, sl_reader_join(&reader));
	EXPECT_LENT_SOME(self->p.tx);
}

/* As much as goes each time; the buffer changes as soon as it is said */
TEST_F(uring_full, short_counts)
{
	struct sl_reader reader;
	struct io_uring_sqe *sqe;
	size_t done = 0;
	int n;

	REQUIRE_RING(self);
	ASSERT_EQ(0, sl_reader_start(&reader, self->p.rx, BIG, OLD));
	while (done < BIG) {
		sqe = sl_ring_queue(&self->r, IORING_OP_SEND, self->p.tx,
				    self->b.data + done, BIG - done);
		sqe->flags = variant->sqe;
		ASSERT_EQ(0, sl_ring_submit(&self->r, 1));
		n = sl_ring_result(&self->r, NULL);
		ASSERT_LT(0, n);
		sl_fill(self->b.data + done, n, NEW);
		done += n;
	}
	EXPECT_EQ(0, sl_reader_join(&reader));
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_HARNESS_MAIN
