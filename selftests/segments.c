// SPDX-License-Identifier: GPL-2.0
/*
 * How TCP cuts the stream into segments, and when they go: the same as plain
 */
#include <string.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_scene.h"

#define LEN (256 * SL_KIB)
#define OLD SL_SCENE_STREAM

FIXTURE(segments)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(segments)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(segments, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(segments, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(segments)
{
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
}

FIXTURE_TEARDOWN(segments)
{
	sl_buf_unmap(&self->b);
}

#define EXPECT_SAME(_scene) \
	EXPECT_TRUE(sl_same(&self->b, variant->family, SL_ROOM, _scene))

static void set(struct sl_scene *s, int name, int value)
{
	sl_note(s, "setsockopt",
		setsockopt(s->p.tx, IPPROTO_TCP, name, &value, sizeof(value)));
}

/*
 * How much is there to be received.  The loopback device delivers at once, but
 * for when its soft interrupt is put off; nothing else comes so soon.
 */
static void note_unread(struct sl_scene *s)
{
	int n = -1, before, same = 0;

	while (same < 3) {
		before = n;
		ioctl(s->p.rx, FIONREAD, &n);
		same = n == before ? same + 1 : 0;
		sl_sleep_ms(4);
	}
	sl_note(s, "unread", n);
}

/* All of the buffer was sent, and nothing else */
static void note_arrival(struct sl_scene *s)
{
	sl_note_arrival(s, LEN);
	note_unread(s);
}

static void more(struct sl_scene *s)
{
	size_t part = 3 * sl_page + 100;

	/* Held back for the rest of a segment, until there is more */
	sl_note_call(s, "more", send(s->p.tx, s->b->data, part, MSG_MORE),
		     part);
	note_unread(s);
	sl_note_call(s, "more",
		     send(s->p.tx, s->b->data + part, sl_page, MSG_MORE),
		     sl_page);
	note_unread(s);
	part += sl_page;
	sl_note_call(s, "rest", send(s->p.tx, s->b->data + part, LEN - part, 0),
		     LEN - part);
	note_unread(s);
	note_arrival(s);
	sl_note_loans(s, 1);
}

TEST_F(segments, msg_more)
{
	EXPECT_SAME(more);
}

static void cork(struct sl_scene *s)
{
	size_t part = 5 * sl_page;

	set(s, TCP_CORK, 1);
	sl_note_call(s, "corked", write(s->p.tx, s->b->data, part), part);
	note_unread(s);
	sl_note_call(s, "corked", write(s->p.tx, s->b->data + part, LEN - part),
		     LEN - part);
	set(s, TCP_CORK, 0);
	note_unread(s);
	note_arrival(s);
	sl_note_loans(s, 1);
}

TEST_F(segments, tcp_cork)
{
	EXPECT_SAME(cork);
}

/* Everything goes out at once, odd ends and all */
static void nodelay(struct sl_scene *s)
{
	size_t at, n;

	set(s, TCP_NODELAY, 1);
	for (at = 0; at < LEN; at += n) {
		n = 5 * sl_page + 77;
		if (n > LEN - at)
			n = LEN - at;
		sl_note_call(s, "send", send(s->p.tx, s->b->data + at, n, 0),
			     n);
		note_unread(s);
	}
	note_arrival(s);
	sl_note_loans(s, 1);
}

TEST_F(segments, tcp_nodelay)
{
	EXPECT_SAME(nodelay);
}

/*
 * A small piece goes into one segment with what follows: count them.  Where
 * pages and copies are joined may cost one more, but not one for each piece.
 */
static int segments[2];

static void pieces(struct sl_scene *s)
{
	struct iovec v[16];
	struct tcp_info ti;
	socklen_t len = sizeof(ti);
	size_t at = 0;
	int i;

	for (i = 0; i < 16; i++) {
		v[i].iov_base = s->b->data + at;
		v[i].iov_len = i & 1 ? LEN / 8 - 100 : 100;
		at += v[i].iov_len;
	}
	set(s, TCP_NODELAY, 1);
	sl_note_call(s, "writev", writev(s->p.tx, v, 16), LEN);
	note_arrival(s);
	memset(&ti, 0, sizeof(ti));
	getsockopt(s->p.tx, IPPROTO_TCP, TCP_INFO, &ti, &len);
	segments[s->attached] = ti.tcpi_data_segs_out;
}

TEST_F(segments, count)
{
	EXPECT_SAME(pieces);
	EXPECT_LT(0, segments[0]);
	EXPECT_LE(segments[1], segments[0] + 1);
}

static void eor(struct sl_scene *s)
{
	size_t half = LEN / 2 + 33;

	sl_note_call(s, "send", send(s->p.tx, s->b->data, half, MSG_EOR), half);
	sl_note_call(s, "send",
		     send(s->p.tx, s->b->data + half, LEN - half, MSG_EOR),
		     LEN - half);
	note_arrival(s);
	sl_note_loans(s, 1);
}

TEST_F(segments, msg_eor)
{
	EXPECT_SAME(eor);
}

TEST_HARNESS_MAIN
