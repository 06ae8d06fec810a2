// SPDX-License-Identifier: GPL-2.0
/*
 * The adaptive rule: a program that rewrites its buffers is copied, one that
 * does not is lent, and one that changes is followed
 *
 * Nothing here looks at a clock.  Bounds are wide, as the rule does: on a slow
 * machine it probes more often, as seen from a program that counts its sends.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "sl_udp.h"

#define TCP_LEN (64 * SL_KIB)
#define UDP_LEN (56 * SL_KIB)
#define WARM_UP 128 /* sends */
#define ROUNDS 256 /* sends that are looked at */
#define FOLLOWED 1024 /* sends: 64 MiB */

FIXTURE(adapt)
{
	struct sl_pair p;
	struct sl_counters c;
	struct sl_addr to;
	size_t len;
	uint64_t round; /* also the stream to be sent */
};

FIXTURE_VARIANT(adapt)
{
	int family;
	bool udp;
};

FIXTURE_VARIANT_ADD(adapt, tcp_v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(adapt, tcp_v6){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(adapt, udp_v4){
	.family = AF_INET,
	.udp = true,
};

static int open_pair(struct sl_pair *p, int family, bool udp)
{
	struct sl_addr to;

	return udp ? sl_udp_pair(p, family, &to, true) : sl_pair(p, family);
}

FIXTURE_SETUP(adapt)
{
	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sysctl("sockloan/adapt", "1"));
	}
	ASSERT_EQ(0, open_pair(&self->p, variant->family, variant->udp));
	self->len = variant->udp ? UDP_LEN : TCP_LEN;
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(adapt)
{
	sl_pair_close(&self->p);
	sl_sysctl("sockloan/adapt", "0");
}

/* Send so many bytes and receive them; 0 if they are the stream's */
static int pass(const struct sl_pair *p, const void *data, size_t len,
		uint64_t seed, bool udp)
{
	if (send(p->tx, data, len, 0) != (ssize_t)len)
		return -1;
	return udp ? sl_udp_recv(p->rx, len, seed) : sl_drain(p->rx, len, seed);
}

/* Per cent of what was sent since "since" bytes had been lent */
static long long share(int fd, long long since, size_t bytes)
{
	return (sl_lent(fd) - since) * 100 / (long long)bytes;
}

/* "n" sends of the same bytes out of the same memory: 0, or -1 on wrong data */
static int steady(const struct sl_pair *p, struct sl_buf *b, int n, bool udp,
		  uint64_t seed)
{
	while (n--)
		if (pass(p, b->data, b->len, seed, udp))
			return -1;
	return 0;
}

/* "n" sends, each of another stream out of the same memory */
static int rewriting(const struct sl_pair *p, struct sl_buf *b, int n, bool udp,
		     uint64_t *round)
{
	while (n--) {
		sl_fill_at(b->data, b->len, ++*round, 0);
		if (pass(p, b->data, b->len, *round, udp))
			return -1;
	}
	return 0;
}

/* "n" sends, each with another first word */
static int heading(const struct sl_pair *p, struct sl_buf *b, int n, bool udp,
		   uint64_t *round)
{
	static unsigned char got[TCP_LEN];

	while (n--) {
		++*round;
		memcpy(b->data, round, sizeof(*round));
		if (send(p->tx, b->data, b->len, 0) != (ssize_t)b->len ||
		    recv(p->rx, got, b->len, udp ? 0 : MSG_WAITALL) !=
			    (ssize_t)b->len ||
		    memcmp(got, round, sizeof(*round)) ||
		    memcmp(got + sizeof(*round), b->data + sizeof(*round),
			   b->len - sizeof(*round)))
			return -1;
	}
	return 0;
}

/* What share of the next sends is lent */
#define EXPECT_SHARE(_op, _percent, _self, _n, _sends)                       \
	do {                                                                 \
		long long _before = sl_plain() ? 0 : sl_lent((_self)->p.tx); \
		ASSERT_EQ(0, _sends);                                        \
		if (!sl_plain()) {                                           \
			EXPECT_##_op(_percent, share((_self)->p.tx, _before, \
						     (_n) * (_self)->len));  \
		}                                                            \
	} while (0)

TEST_F(adapt, rewriting)
{
	struct sockloan_sockstat st;
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, 0));
	ASSERT_EQ(0,
		  rewriting(&self->p, &b, WARM_UP, variant->udp, &self->round));
	EXPECT_SHARE(GT, 25, self, ROUNDS,
		     rewriting(&self->p, &b, ROUNDS, variant->udp,
			       &self->round));
	EXPECT_RISE(&self->c, "Backoffs");
	EXPECT_RISE(&self->c, "Probes");
	EXPECT_RISE(&self->c, "PagesRewritten");
	EXPECT_RISE(&self->c, "FbAdapt");
	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
		EXPECT_LT(0, st.backoffs);
		EXPECT_LT(0, st.pages_rewritten);
		EXPECT_EQ((WARM_UP + ROUNDS) * self->len,
			  st.bytes_lent + st.bytes_copied);
		EXPECT_RISE_BY(&self->c, "Backoffs", st.backoffs);
		EXPECT_RISE_BY(&self->c, "PagesRewritten", st.pages_rewritten);
	}
	sl_buf_unmap(&b);
}

TEST_F(adapt, steady)
{
	struct sockloan_sockstat st;
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, 1));
	EXPECT_SHARE(LT, 97, self, ROUNDS,
		     steady(&self->p, &b, ROUNDS, variant->udp, 1));
	EXPECT_NO_RISE(&self->c, "Backoffs");
	EXPECT_NO_RISE(&self->c, "FbAdapt");
	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
		EXPECT_EQ(0, st.backoffs);
		EXPECT_EQ(0, st.pages_rewritten);
	}
	sl_buf_unmap(&b);
}

/* A header is written into the first page each time, the rest stays */
TEST_F(adapt, first_page_rewritten)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, 1));
	EXPECT_SHARE(LT, 80, self, ROUNDS,
		     heading(&self->p, &b, ROUNDS, variant->udp, &self->round));
	sl_buf_unmap(&b);
}

/* The probe finds its first page written to, and the others not. */
TEST_F(adapt, only_first_page_from_now_on)
{
	struct sl_buf b;
	long long before;
	int n;

	ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, 1));
	ASSERT_EQ(0,
		  rewriting(&self->p, &b, WARM_UP, variant->udp, &self->round));
	for (n = 0; n < FOLLOWED && !sl_plain(); n += 32) {
		before = sl_lent(self->p.tx);
		ASSERT_EQ(0, heading(&self->p, &b, 32, variant->udp,
				     &self->round));
		if (share(self->p.tx, before, 32 * self->len) > 80)
			break;
	}
	EXPECT_GT(FOLLOWED, n);
	sl_buf_unmap(&b);
}

/* Several buffers in turn, all rewritten */
TEST_F(adapt, rotating_rewritten)
{
	struct sl_buf b[8];
	int i, n;

	for (i = 0; i < ARRAY_SIZE(b); i++) {
		ASSERT_EQ(0, sl_buf_map(&b[i], self->len, 0, 0));
	}
	for (n = 0; n < WARM_UP; n++) {
		ASSERT_EQ(0, rewriting(&self->p, &b[n % 8], 1, variant->udp,
				       &self->round));
	}
	EXPECT_SHARE(GT, 40, self, ROUNDS, ({
			     int bad = 0;

			     for (n = 0; n < ROUNDS; n++)
				     bad |= rewriting(&self->p, &b[n % 8], 1,
						      variant->udp,
						      &self->round);
			     bad;
		     }));
	EXPECT_RISE(&self->c, "Backoffs");
}

/* Once they are not any more, what was seen before must not count. */
TEST_F(adapt, rotating_no_more)
{
	struct sl_buf b[16];
	long long before;
	int i, n;

	for (i = 0; i < ARRAY_SIZE(b); i++) {
		ASSERT_EQ(0, sl_buf_map(&b[i], self->len, 0, 0));
	}
	for (n = 0; n < WARM_UP; n++) {
		ASSERT_EQ(0, rewriting(&self->p, &b[n % 16], 1, variant->udp,
				       &self->round));
	}
	for (n = 0; n < FOLLOWED && !sl_plain(); n += 16) {
		before = sl_lent(self->p.tx);
		for (i = 0; i < ARRAY_SIZE(b); i++) {
			ASSERT_EQ(0, steady(&self->p, &b[i], 1, variant->udp,
					    self->round - 15 + i));
		}
		if (share(self->p.tx, before, 16 * self->len) > 97)
			break;
	}
	EXPECT_GT(FOLLOWED, n);
}

/* Several buffers in turn, filled once */
TEST_F(adapt, rotating_steady)
{
	struct sl_buf b[8];
	int i, n;

	for (i = 0; i < ARRAY_SIZE(b); i++) {
		ASSERT_EQ(0, sl_buf_map(&b[i], self->len, 0, i));
	}
	EXPECT_SHARE(LT, 97, self, ROUNDS, ({
			     int bad = 0;

			     for (n = 0; n < ROUNDS; n++)
				     bad |= steady(&self->p, &b[n % 8], 1,
						   variant->udp, n % 8);
			     bad;
		     }));
	EXPECT_NO_RISE(&self->c, "Backoffs");
}

/* New memory each time, at the old address or not: right, whatever is done */
TEST_F(adapt, fresh_memory)
{
	struct sl_buf b;
	uint64_t i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, i));
		ASSERT_EQ(0, pass(&self->p, b.data, b.len, i, variant->udp));
		sl_buf_unmap(&b);
	}
	if (!sl_plain()) {
		EXPECT_EQ(ROUNDS * self->len,
			  sl_lent(self->p.tx) + sl_copied(self->p.tx));
	}
}

/* Both ways, within so many bytes */
TEST_F(adapt, habit_changes)
{
	struct sl_buf b;
	long long before;
	int n;

	ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, 1));
	ASSERT_EQ(0,
		  rewriting(&self->p, &b, WARM_UP, variant->udp, &self->round));
	EXPECT_RISE(&self->c, "Backoffs");

	/* No more: until 32 sends in a row are lent */
	for (n = 0; n < FOLLOWED && !sl_plain(); n += 32) {
		before = sl_lent(self->p.tx);
		ASSERT_EQ(0,
			  steady(&self->p, &b, 32, variant->udp, self->round));
		if (share(self->p.tx, before, 32 * self->len) >= 99)
			break;
	}
	EXPECT_GT(FOLLOWED, n);
	EXPECT_SHARE(LT, 97, self, 64,
		     steady(&self->p, &b, 64, variant->udp, self->round));

	/* And again: mostly copied before long */
	ASSERT_EQ(0,
		  rewriting(&self->p, &b, WARM_UP, variant->udp, &self->round));
	EXPECT_SHARE(GT, 25, self, ROUNDS,
		     rewriting(&self->p, &b, ROUNDS, variant->udp,
			       &self->round));
	sl_buf_unmap(&b);
}

/* What one socket's program does is nothing to another socket */
TEST_F(adapt, independent)
{
	struct sockloan_sockstat st;
	struct sl_buf one, two;
	struct sl_pair p;
	int i;

	ASSERT_EQ(0, open_pair(&p, variant->family, variant->udp));
	ASSERT_EQ(0, sl_buf_map(&one, self->len, 0, 0));
	ASSERT_EQ(0, sl_buf_map(&two, self->len, 0, 1));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, rewriting(&self->p, &one, 1, variant->udp,
				       &self->round));
		ASSERT_EQ(0, steady(&p, &two, 1, variant->udp, 1));
	}
	EXPECT_LENT(p.tx, ROUNDS * self->len);
	if (!sl_plain()) {
		EXPECT_GT(50, share(self->p.tx, 0, ROUNDS * self->len));
		ASSERT_EQ(0, sl_sockstat(p.tx, &st));
		EXPECT_EQ(0, st.backoffs);
		ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
		EXPECT_LT(0, st.backoffs);
	}
	sl_pair_close(&p);
	sl_buf_unmap(&one);
	sl_buf_unmap(&two);
}

TEST_F(adapt, off)
{
	struct sl_buf b;

	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sysctl("sockloan/adapt", "0"));
	}
	ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, 0));
	EXPECT_SHARE(LT, 90, self, ROUNDS,
		     rewriting(&self->p, &b, ROUNDS, variant->udp,
			       &self->round));
	EXPECT_NO_RISE(&self->c, "Backoffs");
	EXPECT_NO_RISE(&self->c, "FbAdapt");
	sl_buf_unmap(&b);
}

/* Turned off and on in the middle: what is learnt is forgotten or kept */
TEST_F(adapt, switched)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, self->len, 0, 0));
	ASSERT_EQ(0,
		  rewriting(&self->p, &b, WARM_UP, variant->udp, &self->round));
	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sysctl("sockloan/adapt", "0"));
	}
	EXPECT_SHARE(LT, 90, self, 64,
		     rewriting(&self->p, &b, 64, variant->udp, &self->round));
	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sysctl("sockloan/adapt", "1"));
	}
	ASSERT_EQ(0,
		  rewriting(&self->p, &b, WARM_UP, variant->udp, &self->round));
	EXPECT_SHARE(GT, 25, self, ROUNDS,
		     rewriting(&self->p, &b, ROUNDS, variant->udp,
			       &self->round));
	sl_buf_unmap(&b);
}

TEST(adapt_sysctl)
{
	char value[16];

	if (sl_plain())
		SKIP(return, "needs the module");
	ASSERT_EQ(0, sl_sysctl("sockloan/adapt", "1"));
	EXPECT_EQ(-1, sl_sysctl("sockloan/adapt", "2"));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, sl_sysctl("sockloan/adapt", "-1"));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, sl_sysctl_read("sockloan/adapt", value, sizeof(value)));
	EXPECT_STREQ("1", value);
}

/* On in a namespace that nobody has touched */
TEST(adapt_default)
{
	char value[16];

	if (sl_plain())
		SKIP(return, "needs the module");
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, sl_sysctl_read("sockloan/adapt", value, sizeof(value)));
	EXPECT_STREQ("1", value);
}

TEST_HARNESS_MAIN
