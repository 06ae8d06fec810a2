// SPDX-License-Identifier: GPL-2.0
/*
 * Sends on connections that are shut down, reset, or not there: the same as
 * plain, down to the number of signals
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

#include "kselftest_harness.h"
#include "sl_scene.h"

#define LEN (2 * SL_MIB)
#define SMALL (64 * 1024) /* socket buffers */
#define SOON_MS 150 /* by then a send is blocked */
#define OLD SL_SCENE_STREAM
#define NEW 2

FIXTURE(shutdown)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(shutdown)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(shutdown, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(shutdown, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(shutdown)
{
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
}

FIXTURE_TEARDOWN(shutdown)
{
	sl_buf_unmap(&self->b);
}

#define EXPECT_SAME(_scene) \
	EXPECT_TRUE(sl_same(&self->b, variant->family, SMALL, _scene))

static void shut_wr(struct sl_scene *s)
{
	shutdown(s->p.tx, SHUT_WR);
}

static void shut_before(struct sl_scene *s)
{
	shut_wr(s);
	sl_note_call(s, "send", sl_scene_send(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nosignal", sl_scene_send(s, MSG_NOSIGNAL), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "write", write(s->p.tx, s->b->data, LEN), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "small", send(s->p.tx, "a", 1, 0), 1);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

TEST_F(shutdown, before)
{
	EXPECT_SAME(shut_before);
}

static void shut_during(struct sl_scene *s)
{
	struct sl_later l;
	ssize_t n;

	sl_later(&l, s, SOON_MS, shut_wr);
	n = sl_scene_send(s, 0);
	sl_note_call(s, "progress", n, LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	sl_note_call(s, "next", sl_scene_send(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_arrival(s, n);
	sl_note(s, "end", sl_drain_eof(s->p.rx));
}

TEST_F(shutdown, during)
{
	EXPECT_SAME(shut_during);
}

static void shut_without_progress(struct sl_scene *s)
{
	size_t n = sl_scene_stuff(s, 0);
	struct sl_later l;

	sl_later(&l, s, SOON_MS, shut_wr);
	sl_note_call(s, "none", sl_scene_send(s, 0), LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
	sl_note_arrival(s, n);
	sl_note(s, "end", sl_drain_eof(s->p.rx));
}

TEST_F(shutdown, without_progress)
{
	EXPECT_SAME(shut_without_progress);
}

/* The peer sends no more; we do */
static void half_closed(struct sl_scene *s)
{
	struct sl_reader r;

	shutdown(s->p.rx, SHUT_WR);
	sl_sleep_ms(20);
	sl_reader_start(&r, s->p.rx, LEN, OLD);
	sl_note_call(s, "send", sl_scene_send(s, 0), LEN);
	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "stream", sl_reader_join(&r));
	sl_note_loans(s, SMALL / 2);
}

TEST_F(shutdown, half_closed)
{
	EXPECT_SAME(half_closed);
}

/* -- reset ----------------------------------------------------------------- */

/* Closed with data unread, a connection is reset */
static void reset(struct sl_scene *s)
{
	close(s->p.rx);
	s->p.rx = -1;
}

static void note_reset(struct sl_scene *s)
{
	sl_note_call(s, "next", sl_scene_send(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "next", sl_scene_send(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nosignal", sl_scene_send(s, MSG_NOSIGNAL), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

static void reset_during(struct sl_scene *s)
{
	struct sl_later l;

	sl_later(&l, s, SOON_MS, reset);
	sl_note_call(s, "progress", sl_scene_send(s, 0), LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	note_reset(s);
}

TEST_F(shutdown, reset_during)
{
	EXPECT_SAME(reset_during);
}

static void reset_so_error(struct sl_scene *s)
{
	struct sl_later l;

	sl_later(&l, s, SOON_MS, reset);
	sl_note_call(s, "progress", sl_scene_send(s, 0), LEN);
	sl_later_end(&l);
	sl_note_so_error(s);
	note_reset(s);
}

TEST_F(shutdown, reset_so_error)
{
	EXPECT_SAME(reset_so_error);
}

static void reset_without_progress(struct sl_scene *s)
{
	struct sl_later l;

	sl_scene_stuff(s, 0);
	sl_later(&l, s, SOON_MS, reset);
	sl_note_call(s, "none", sl_scene_send(s, 0), LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	note_reset(s);
}

TEST_F(shutdown, reset_without_progress)
{
	EXPECT_SAME(reset_without_progress);
}

static void reset_before(struct sl_scene *s)
{
	send(s->p.tx, "a", 1, 0);
	reset(s);
	sl_sleep_ms(20);
	note_reset(s);
}

TEST_F(shutdown, reset_before)
{
	EXPECT_SAME(reset_before);
}

/* In order, but it does not want any more */
static void closed(struct sl_scene *s)
{
	close(s->p.rx);
	s->p.rx = -1;
	sl_sleep_ms(20);
	sl_note_call(s, "first", send(s->p.tx, s->b->data, 8192, 0), 8192);
	sl_sleep_ms(20);
	note_reset(s);
}

TEST_F(shutdown, closed)
{
	EXPECT_SAME(closed);
}

/* -- not connected --------------------------------------------------------- */

static void replace_tx(struct sl_scene *s, int fd)
{
	close(s->p.tx);
	s->p.tx = fd;
	sl_scene_attach(s, fd);
}

static void unconnected(struct sl_scene *s)
{
	replace_tx(s, socket(s->family, SOCK_STREAM, 0));
	sl_note_call(s, "send", sl_scene_send(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nosignal", sl_scene_send(s, MSG_NOSIGNAL), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nonblock", sl_scene_send(s, MSG_DONTWAIT), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

TEST_F(shutdown, unconnected)
{
	EXPECT_SAME(unconnected);
}

static void listening(struct sl_scene *s)
{
	struct sl_addr a;

	replace_tx(s, sl_listen(s->family, &a));
	sl_note_call(s, "send", sl_scene_send(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

TEST_F(shutdown, listening)
{
	EXPECT_SAME(listening);
}

static void on_alarm(int sig)
{
}

/* The listener's queue is full: our SYN is not answered */
static void connecting(struct sl_scene *s)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = { .it_value.tv_usec = SOON_MS * 1000 };
	struct timeval tv = { .tv_usec = 300 * 1000 };
	struct sl_addr a;
	int lfd, fill[3], i;

	lfd = sl_listen(s->family, &a);
	listen(lfd, 0);
	for (i = 0; i < 3; i++) {
		fill[i] = socket(s->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], &a.sa, a.len);
	}
	replace_tx(s, socket(s->family, SOCK_STREAM | SOCK_NONBLOCK, 0));
	sl_note(s, "connect", connect(s->p.tx, &a.sa, a.len));
	sl_note_call(s, "nonblock", sl_scene_send(s, 0), LEN);
	sl_nonblock(s->p.tx, false);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	sl_note_call(s, "signal", sl_scene_send(s, 0), LEN);
	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	sl_note_call(s, "time-out", sl_scene_send(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
	for (i = 0; i < 3; i++)
		close(fill[i]);
	close(lfd);
}

TEST_F(shutdown, connecting)
{
	struct sl_counters c;

	sl_count(&c);
	EXPECT_SAME(connecting);
	EXPECT_RISE(&c, "FbState");
}

/* A blocking connect elsewhere, and a send that waits for it */
static void refused(struct sl_scene *s)
{
	struct sl_addr a;
	int lfd;

	lfd = sl_listen(s->family, &a);
	close(lfd);
	replace_tx(s, socket(s->family, SOCK_STREAM | SOCK_NONBLOCK, 0));
	sl_note_call(s, "connect", connect(s->p.tx, &a.sa, a.len), 0);
	sl_sleep_ms(20);
	note_reset(s);
}

TEST_F(shutdown, refused)
{
	EXPECT_SAME(refused);
}

TEST_HARNESS_MAIN
