// SPDX-License-Identifier: GPL-2.0
/* Streams looked at in the receive window, and released */
#include <string.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "sl_rx.h"

#define PAGE 4096
#define LEN (256 * SL_KIB)
#define OLD 1
#define NEW 2

FIXTURE(receive)
{
	struct sl_pair s;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_VARIANT(receive)
{
	int family;
	size_t offset;
	bool copied;
};

FIXTURE_VARIANT_ADD(receive, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(receive, v6){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(receive, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(receive, v4_copied){
	.family = AF_INET,
	.copied = true,
};

FIXTURE_SETUP(receive)
{
	ASSERT_EQ(0,
		  sl_pair_sized(&self->s, variant->family, 4 * LEN, 4 * LEN));
	if (!variant->copied)
		ASSERT_EQ(0, sl_attach(self->s.tx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, 4 * LEN));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, 0, 7));
}

FIXTURE_TEARDOWN(receive)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

/* Send all of the buffer, and wait until it has arrived. */
static void send_all(struct __test_metadata *_metadata,
		     FIXTURE_DATA(receive) * self)
{
	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
}

/* The same again and again, whatever the sender does to its buffer */
TEST_F(receive, consumes_nothing)
{
	int i;

	send_all(_metadata, self);
	sl_fill(self->b.data, LEN, NEW);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
		EXPECT_EQ(LEN, self->p.arg.bytes);
		EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, OLD));
	}
	EXPECT_EQ(LEN, sl_arrived(self->s.rx));
	EXPECT_EQ(0, sl_drain(self->s.rx, LEN, OLD));
}

/* All of it is mapped where it was lent and lies well. */
TEST_F(receive, maps_what_was_lent)
{
	struct sockloan_poolstat st;

	send_all(_metadata, self);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	ASSERT_EQ(LEN, self->p.arg.bytes);
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	EXPECT_EQ(LEN, st.bytes_mapped + st.bytes_copied);
	if (variant->copied || sl_plain())
		return;
	/* The head and the tail of an unaligned buffer */
	EXPECT_GE(variant->offset ? 2 * PAGE : 0, st.bytes_copied);
}

/* In odd amounts, with a look between them */
TEST_F(receive, releases_any_prefix)
{
	size_t done = 0, n = 1;

	send_all(_metadata, self);
	sl_fill(self->b.data, LEN, NEW);
	while (done < LEN) {
		ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
		ASSERT_EQ(LEN - done, self->p.arg.bytes);
		ASSERT_EQ(0, sl_rxpool_check(&self->p, done, OLD));
		n = (n * 7 + 13) % 9973;
		if (n > LEN - done)
			n = LEN - done;
		ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, n));
		done += n;
	}
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(EAGAIN, errno);
}

/* Refused as a whole */
TEST_F(receive, releases_no_more_than_was_peeked)
{
	struct sockloan_poolstat st;

	send_all(_metadata, self);
	EXPECT_EQ(-1, sl_rxpool_release(&self->p, self->s.rx, 1));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, 5000));
	EXPECT_EQ(5000, self->p.arg.bytes);
	EXPECT_TRUE(self->p.arg.state & SOCKLOAN_PEEK_MORE);
	EXPECT_EQ(-1, sl_rxpool_release(&self->p, self->s.rx, LEN + 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(LEN, sl_arrived(self->s.rx));
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	EXPECT_EQ(2, st.bad_releases);
}

/* recv(2) in between is a release. */
TEST_F(receive, mixes_with_recv)
{
	send_all(_metadata, self);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	ASSERT_EQ(0, sl_drain(self->s.rx, 10001, OLD));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(LEN - 10001, self->p.arg.bytes);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 10001, OLD));
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, 20000));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 7, LEN));
	EXPECT_EQ(LEN - 30008, self->p.arg.bytes);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 30008, OLD));
}

/* Behind the last data comes the end, for ever. */
TEST_F(receive, end)
{
	int i;

	send_all(_metadata, self);
	shutdown(self->s.tx, SHUT_WR);
	sl_sleep_ms(20);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(LEN, self->p.arg.bytes);
	EXPECT_EQ(SOCKLOAN_PEEK_EOF, self->p.arg.state);
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, LEN));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
		EXPECT_EQ(0, self->p.arg.bytes);
		EXPECT_EQ(SOCKLOAN_PEEK_EOF, self->p.arg.state);
	}
}

/* Pages that were released do not stay in the window for long, however large it is. */
TEST_F(receive, gives_pages_back)
{
	struct sockloan_poolstat st;
	struct sl_rxpool p;
	int i;

	ASSERT_EQ(0, sl_rxpool_leave(&self->p, self->s.rx));
	ASSERT_EQ(0, sl_rxpool_open(&p, 8 * SL_MIB));
	ASSERT_EQ(0, sl_rxpool_join(&p, self->s.rx, 0, 0));
	for (i = 0; i < 8; i++) {
		send_all(_metadata, self);
		ASSERT_EQ(0, sl_rxpool_peek(&p, self->s.rx, 0, LEN));
		ASSERT_EQ(0, sl_rxpool_release(&p, self->s.rx, LEN));
		ASSERT_EQ(0, sl_rxpool_stat(&p, &st));
		EXPECT_GE(256, st.window_stale);
	}
	if (!variant->offset)
		EXPECT_LE(256 * PAGE, st.bytes_mapped);
	sl_rxpool_close(&p);
}

TEST_HARNESS_MAIN
