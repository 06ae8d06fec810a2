// SPDX-License-Identifier: GPL-2.0
/* Datagrams looked at in the receive window, and released */
#include <string.h>

#include "kselftest_harness.h"
#include "sl_rx.h"
#include "sl_udp.h"

#define WINDOW (4 * SL_MIB)

FIXTURE(receive_dgram)
{
	struct sl_pair s;
	struct sl_addr to;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_VARIANT(receive_dgram)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(receive_dgram, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(receive_dgram, v6){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(receive_dgram, v4_unaligned){
	.family = AF_INET,
	.offset = 77,
};

FIXTURE_SETUP(receive_dgram)
{
	ASSERT_EQ(0, sl_udp_pair(&self->s, variant->family, &self->to, true));
	ASSERT_EQ(0, sl_buf_map(&self->b, 65536, variant->offset, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, WINDOW));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, 0, 0));
}

FIXTURE_TEARDOWN(receive_dgram)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

/* Of every size, each as a whole, with the sender's name, and nothing behind it */
TEST_F(receive_dgram, sizes)
{
	static const size_t sizes[] = { 0,     1,     1472,  4095,  4096, 4097,
					20000, 40960, 61440, 65487, 65507 };
	struct sl_addr from = { .len = sizeof(from.in6) };
	int i, n;

	ASSERT_EQ(0, getsockname(self->s.tx, &from.sa, &from.len));
	for (i = 0; i < (int)(sizeof(sizes) / sizeof(*sizes)); i++) {
		ASSERT_EQ(sizes[i],
			  send(self->s.tx, self->b.data, sizes[i], 0));
		for (n = 0; n < 2; n++) {
			ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0,
						    WINDOW));
			EXPECT_EQ(1, self->p.arg.datagrams);
			EXPECT_EQ(sizes[i], self->p.arg.bytes);
			EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
			EXPECT_TRUE(self->p.seg[self->p.arg.nr - 1].flags &
				    SOCKLOAN_SEG_END);
			EXPECT_EQ(from.len, self->p.name[0].len);
			EXPECT_EQ(0,
				  memcmp(self->p.name[0].addr, &from.sa,
					 variant->family == AF_INET ? 8 : 24));
		}
		ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, 1));
		EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW));
		EXPECT_EQ(EAGAIN, errno);
	}
}

/* Whole pages of an aligned datagram are mapped, and stay what they were. */
TEST_F(receive_dgram, maps_what_was_lent)
{
	struct sockloan_poolstat st;

	ASSERT_EQ(61440, send(self->s.tx, self->b.data, 61440, 0));
	sl_fill(self->b.data, 65536, 2);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW));
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	if (!sl_plain() && !variant->offset)
		EXPECT_EQ(61440, st.bytes_mapped);
}

/* Several in one peek; recv(2) in between takes the first. */
TEST_F(receive_dgram, several)
{
	int i;

	for (i = 0; i < 30; i++)
		ASSERT_EQ(100 + i, send(self->s.tx, self->b.data, 100 + i, 0));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW));
	EXPECT_EQ(30, self->p.arg.datagrams);
	EXPECT_EQ(0, self->p.arg.state);
	EXPECT_EQ(100, self->p.seg[0].len);
	EXPECT_EQ(101, self->p.seg[1].len);
	EXPECT_EQ(0, sl_udp_recv(self->s.rx, 100, 1));
	EXPECT_EQ(0, sl_udp_recv(self->s.rx, 101, 1));
	EXPECT_EQ(-1, sl_rxpool_release(&self->p, self->s.rx, 31));
	EXPECT_EQ(EINVAL, errno);
	for (i = 2; i < 30; i++) {
		ASSERT_EQ(0,
			  sl_rxpool_peek(&self->p, self->s.rx, i > 2, WINDOW));
		EXPECT_EQ(100 + i, self->p.seg[0].len);
	}
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, 1));
	EXPECT_EQ(0, sl_udp_none(self->s.rx));
}

/* One that is longer than wanted stays, whole. */
TEST_F(receive_dgram, too_long)
{
	ASSERT_EQ(5000, send(self->s.tx, self->b.data, 5000, 0));
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, 4999));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, 5000));
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	EXPECT_EQ(0, sl_udp_recv(self->s.rx, 5000, 1));
}

TEST_HARNESS_MAIN
