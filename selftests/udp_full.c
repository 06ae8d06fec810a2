// SPDX-License-Identifier: GPL-2.0
/*
 * UDP: a send buffer or a queue that is full, on a plain socket and on an
 * attached one the same
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "kselftest_harness.h"
#include "sl_net.h"
#include "sl_scene.h"
#include "sl_udp.h"

#define LEN 40000
#define DELAY "400ms"

FIXTURE(udp_full)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(udp_full)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(udp_full, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(udp_full, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(udp_full)
{
	ASSERT_LE(0, sl_netns_new());
	ASSERT_EQ(0,
		  sl_buf_map(&self->b, LEN, variant->offset, SL_SCENE_STREAM));
}

FIXTURE_TEARDOWN(udp_full)
{
	sl_buf_unmap(&self->b);
}

/* A device that takes its time keeps what was sent on the sender's account */
static int slow_down(const char *delay, int limit)
{
	return sl_run("tc qdisc add dev lo root netem delay %s limit %d", delay,
		      limit);
}

#define EXPECT_SAME(_scene)                                                  \
	do {                                                                 \
		if (slow_down(DELAY, 1000))                                  \
			SKIP(return, "no netem");                            \
		EXPECT_TRUE(sl_same_udp(&self->b, variant->family, _scene)); \
	} while (0)

static void note_send(struct sl_scene *s)
{
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, 0), LEN);
}

static void set(struct sl_scene *s, int level, int name, int value)
{
	sl_note(s, "setsockopt",
		setsockopt(s->p.tx, level, name, &value, sizeof(value)));
}

/* Send until it stops; how many went is up to the size of skbs */
static int until_error(struct sl_scene *s, int flags)
{
	ssize_t n;
	int i;

	for (i = 0; i < 100; i++) {
		n = send(s->p.tx, s->b->data, LEN, flags);
		if (n != LEN)
			break;
	}
	sl_note_call(s, "send", n, LEN);
	sl_note(s, "some went", i > 0);
	return i;
}

/* All of them arrive, although the buffer has changed */
static void drain(struct sl_scene *s, int nr)
{
	sl_fill(s->b->data, s->b->len, ~SL_SCENE_STREAM);
	while (nr--)
		if (sl_udp_recv(s->p.rx, LEN, SL_SCENE_STREAM))
			sl_note(s, "bad datagram", nr);
	sl_note(s, "no more", sl_udp_none(s->p.rx));
	sl_fill(s->b->data, s->b->len, SL_SCENE_STREAM);
}

static void dontwait(struct sl_scene *s)
{
	set(s, SOL_SOCKET, SO_SNDBUF, 100000);
	drain(s, until_error(s, MSG_DONTWAIT));
	sl_nonblock(s->p.tx, true);
	drain(s, until_error(s, 0));
	sl_note_loans(s, 4096);
}

TEST_F(udp_full, dontwait)
{
	EXPECT_SAME(dontwait);
}

static void timeout(struct sl_scene *s)
{
	struct timeval tv = { .tv_usec = 20000 };

	set(s, SOL_SOCKET, SO_SNDBUF, 100000);
	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	drain(s, until_error(s, 0));
	sl_note_loans(s, 4096);
}

TEST_F(udp_full, timeout)
{
	EXPECT_SAME(timeout);
}

/* It waits, and goes on when there is room */
static void wait_for_room(struct sl_scene *s)
{
	int i;

	set(s, SOL_SOCKET, SO_SNDBUF, 100000);
	for (i = 0; i < 8; i++) {
		note_send(s);
		sl_fill(s->b->data, s->b->len, SL_SCENE_STREAM + i + 1);
	}
	sl_note_datagrams(s, 8);
	sl_note_loans(s, 8 * 4096);
}

TEST_F(udp_full, wait)
{
	EXPECT_SAME(wait_for_room);
}

static void nothing(int sig)
{
}

static void interrupted(struct sl_scene *s)
{
	struct itimerval it = {
		.it_value.tv_usec = 50000,
		.it_interval.tv_usec = 50000,
	};
	struct sigaction sa = { .sa_handler = nothing };

	sigaction(SIGALRM, &sa, NULL);
	set(s, SOL_SOCKET, SO_SNDBUF, 100000);
	setitimer(ITIMER_REAL, &it, NULL);
	until_error(s, 0);
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, NULL);
}

TEST_F(udp_full, signal)
{
	if (slow_down("20s", 1000))
		SKIP(return, "no netem");
	EXPECT_TRUE(sl_same_udp(&self->b, variant->family, interrupted));
}

/* -- attached and detached with a sender inside, waiting for room ---------------- */

#define MANY 12

static void *send_many(void *arg)
{
	struct sl_scene *s = arg;
	long i;

	sl_cpu(1);
	for (i = 0; i < MANY; i++)
		if (send(s->p.tx, s->b->data, LEN, 0) != LEN)
			break;
	return (void *)i;
}

static void toggled(struct sl_scene *s)
{
	pthread_t sender;
	void *sent;
	int i;

	set(s, SOL_SOCKET, SO_SNDBUF, 100000);
	pthread_create(&sender, NULL, send_many, s);
	for (i = 0; i < 10 && s->attached; i++) {
		sl_sleep_ms(50);
		if (sl_detach(s->p.tx))
			sl_note(s, "detach", -errno);
		sl_sleep_ms(50);
		if (sl_attach(s->p.tx))
			sl_note(s, "attach", -errno);
	}
	pthread_join(sender, &sent);
	sl_note(s, "sent", (long)sent);
	drain(s, MANY);
}

TEST_F(udp_full, toggled_while_waiting)
{
	EXPECT_SAME(toggled);
}

/* A queue that drops says so only to who has asked */
static void drops(struct sl_scene *s)
{
	bool v4 = s->family == AF_INET;
	int i;

	for (i = 0; i < 4; i++)
		note_send(s);
	set(s, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR,
	    1);
	for (i = 0; i < 4; i++)
		note_send(s);
	sl_note_so_error(s);
}

TEST_F(udp_full, queue_drops)
{
	if (slow_down("20s", 2))
		SKIP(return, "no netem");
	EXPECT_TRUE(sl_same_udp(&self->b, variant->family, drops));
}

TEST_HARNESS_MAIN
