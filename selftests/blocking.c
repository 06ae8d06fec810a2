// SPDX-License-Identifier: GPL-2.0
/*
 * Sends that block, are cut short, interrupted or refused: the same as plain
 *
 * The buffers are so small that a large send does not get far while nobody
 * receives.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_scene.h"

#define LEN		(2 * SL_MIB)
#define SMALL		(64 * 1024)	/* socket buffers */
#define SOON_MS		150		/* by then a send is blocked */
#define OLD		SL_SCENE_STREAM
#define NEW		2

FIXTURE(blocking)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(blocking)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(blocking, v4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(blocking, v6_unaligned)
{
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(blocking)
{
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
}

FIXTURE_TEARDOWN(blocking)
{
	sl_buf_unmap(&self->b);
}

#define EXPECT_SAME(_scene) \
	EXPECT_TRUE(sl_same(&self->b, variant->family, SMALL, _scene))

static ssize_t send_large(struct sl_scene *s, int flags)
{
	return send(s->p.tx, s->b->data, LEN, flags);
}

/* Send from byte "done" on until nothing more goes in: how far it got */
static size_t stuff(struct sl_scene *s, size_t done)
{
	int idle;
	ssize_t n;

	/*
	 * Acknowledgments, and the first window probe after 200 ms, may make
	 * some more room.
	 */
	for (idle = 0; idle < 3; idle++) {
		n = send(s->p.tx, s->b->data + done, LEN - done, MSG_DONTWAIT);
		if (n > 0) {
			done += n;
			idle = 0;
		}
		sl_sleep_ms(80);
	}
	return done;
}

/* What was sent has to arrive as it was, however little it was */
static void note_arrival(struct sl_scene *s, size_t len)
{
	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "arrival", sl_drain(s->p.rx, len, OLD));
	sl_fill(s->b->data, LEN, OLD);
}

/* In the attached scene a good deal must have been lent */
static void note_loans(struct sl_scene *s)
{
	sl_note(s, "loans", !s->attached || sl_plain() ||
		sl_lent(s->p.tx) >= SMALL / 2);
}

/* -- non-blocking ------------------------------------------------------------ */

static void dontwait(struct sl_scene *s)
{
	ssize_t n = send_large(s, MSG_DONTWAIT);

	sl_note_call(s, "first", n, LEN);
	n = stuff(s, n);
	sl_note_call(s, "full", send_large(s, MSG_DONTWAIT), LEN);
	sl_note_call(s, "empty", write(s->p.tx, "", 0), 0);
	note_arrival(s, n);
	/* And there is room again */
	sl_note_call(s, "again", send_large(s, MSG_DONTWAIT), LEN);
	note_loans(s);
}

TEST_F(blocking, dontwait)
{
	EXPECT_SAME(dontwait);
}

static void nonblock(struct sl_scene *s)
{
	struct iovec v[2] = { { s->b->data, 100 },
			      { s->b->data + 100, LEN - 100 } };
	ssize_t n;

	sl_nonblock(s->p.tx, true);
	n = writev(s->p.tx, v, 2);
	sl_note_call(s, "first", n, LEN);
	n = stuff(s, n);
	sl_note_call(s, "full", writev(s->p.tx, v, 2), LEN);
	sl_note_call(s, "full", write(s->p.tx, s->b->data, LEN), LEN);
	sl_note_call(s, "full", write(s->p.tx, s->b->data, 1), 1);
	note_arrival(s, n);
}

TEST_F(blocking, nonblock)
{
	EXPECT_SAME(nonblock);
}

/* Little by little: every byte of every short count is right */
static void trickle(struct sl_scene *s)
{
	static unsigned char got[8192];
	size_t sent = 0, seen = 0;
	ssize_t n;

	while (seen < LEN) {
		n = send(s->p.tx, s->b->data + sent, LEN - sent, MSG_DONTWAIT);
		if (n > 0) {
			sl_fill(s->b->data + sent, n, NEW);
			sent += n;
		} else if (n < 0 && errno != EAGAIN) {
			sl_note_call(s, "send", n, LEN);
			return;
		}
		n = recv(s->p.rx, got, sizeof(got), 0);
		if (n <= 0 || sl_differs_at(got, n, OLD, seen) >= 0) {
			sl_note(s, "wrong", seen);
			return;
		}
		seen += n;
	}
	sl_note(s, "sent", sent);
	note_loans(s);
}

TEST_F(blocking, trickle)
{
	EXPECT_SAME(trickle);
}

/* Wakeups: writable only when there is room, and edge-triggered only once */
static void epollet(struct sl_scene *s)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	struct pollfd pfd = { .fd = s->p.tx, .events = POLLOUT };
	int fd = epoll_create1(EPOLL_CLOEXEC);
	size_t n;

	epoll_ctl(fd, EPOLL_CTL_ADD, s->p.tx, &ev);
	sl_note(s, "at first", epoll_wait(fd, &ev, 1, 0));
	n = stuff(s, 0);
	sl_note(s, "full", epoll_wait(fd, &ev, 1, 0));
	sl_note(s, "full", poll(&pfd, 1, 0));
	note_arrival(s, n);
	sl_note(s, "room", epoll_wait(fd, &ev, 1, SL_TIMEOUT_S * 1000));
	sl_note(s, "room", poll(&pfd, 1, SL_TIMEOUT_S * 1000));
	note_arrival(s, stuff(s, 0));
	sl_note(s, "room", epoll_wait(fd, &ev, 1, SL_TIMEOUT_S * 1000));
	close(fd);
}

TEST_F(blocking, epollet)
{
	EXPECT_SAME(epollet);
}

static void lowat(struct sl_scene *s)
{
	int lowat = 16384;
	ssize_t n;

	setsockopt(s->p.tx, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
		   sizeof(lowat));
	n = send_large(s, MSG_DONTWAIT);
	sl_note_call(s, "first", n, LEN);
	n = stuff(s, n);
	sl_note_call(s, "full", send_large(s, MSG_DONTWAIT), LEN);
	note_arrival(s, n);
}

TEST_F(blocking, notsent_lowat)
{
	EXPECT_SAME(lowat);
}

/* What is not acknowledged here and what is unread there is what was sent */
static void outq(struct sl_scene *s)
{
	int out = -1, unsent = -1, in = -1;
	size_t n = stuff(s, 0);

	ioctl(s->p.tx, SIOCOUTQ, &out);
	ioctl(s->p.tx, SIOCOUTQNSD, &unsent);
	ioctl(s->p.rx, FIONREAD, &in);
	sl_note(s, "sum", (size_t)out + in == n);
	sl_note(s, "unsent", unsent > 0 && unsent <= out);
	note_arrival(s, n);
	ioctl(s->p.tx, SIOCOUTQ, &out);
	sl_note(s, "drained", out);
}

TEST_F(blocking, siocoutq)
{
	EXPECT_SAME(outq);
}

/* -- blocking, all the way ---------------------------------------------------- */

static void into_reader(struct sl_scene *s)
{
	struct sl_reader r;
	int i;

	sl_reader_start(&r, s->p.rx, LEN, OLD);
	sl_note_call(s, "send", send_large(s, 0), LEN);
	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "stream", sl_reader_join(&r));
	if (s->attached)
		sl_note(s, "loans", sl_plain() ||
			sl_lent(s->p.tx) >= LEN / 2);
	else
		sl_note(s, "loans", 1);

	/* With the smallest send buffer there is */
	i = 1;
	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDBUF, &i, sizeof(i));
	sl_fill(s->b->data, LEN, OLD);
	sl_reader_start(&r, s->p.rx, LEN / 8, OLD);
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN / 8, 0),
		     LEN / 8);
	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "stream", sl_reader_join(&r));
}

TEST_F(blocking, into_reader)
{
	EXPECT_SAME(into_reader);
}

/* -- time outs and signals ----------------------------------------------------- */

static void sndtimeo(struct sl_scene *s)
{
	struct timeval tv = { .tv_usec = 300 * 1000 };
	uint64_t start = sl_ms();
	ssize_t n;

	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	n = send_large(s, 0);
	sl_note_call(s, "progress", n, LEN);
	sl_note(s, "time", sl_ms() - start >= 290 && sl_ms() - start < 3000);
	n = stuff(s, n);
	start = sl_ms();
	sl_note_call(s, "none", send_large(s, 0), LEN);
	sl_note(s, "time", sl_ms() - start >= 290 && sl_ms() - start < 3000);
	note_arrival(s, n);
	sl_note_sigpipes(s);
}

TEST_F(blocking, sndtimeo)
{
	EXPECT_SAME(sndtimeo);
}

static void on_alarm(int sig)
{
}

static void alarm_soon(int sa_flags)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = sa_flags };
	struct itimerval it = { .it_value.tv_usec = SOON_MS * 1000 };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void interrupted(struct sl_scene *s)
{
	ssize_t n;

	alarm_soon(0);
	n = send_large(s, 0);
	sl_note_call(s, "progress", n, LEN);
	n = stuff(s, n);
	alarm_soon(0);
	sl_note_call(s, "none", send_large(s, 0), LEN);
	note_arrival(s, n);
}

TEST_F(blocking, interrupted)
{
	EXPECT_SAME(interrupted);
}

static void read_rest(struct sl_scene *s)
{
	sl_note(s, "stream", sl_drain(s->p.rx, LEN, OLD));
}

/* Blocked without progress, restarted, and read from only then */
static void restarted(struct sl_scene *s)
{
	size_t n = stuff(s, 0);
	struct sl_later l;

	alarm_soon(SA_RESTART);
	sl_later(&l, s, 2 * SOON_MS, read_rest);
	sl_note_call(s, "send", send(s->p.tx, s->b->data + n, LEN - n, 0),
		     LEN - n);
	sl_later_end(&l);
}

TEST_F(blocking, restarted)
{
	EXPECT_SAME(restarted);
}

/* With a time-out on the socket nothing is restarted */
static void interrupted_with_timeo(struct sl_scene *s)
{
	struct timeval tv = { .tv_sec = SL_TIMEOUT_S };
	size_t n = stuff(s, 0);

	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	alarm_soon(SA_RESTART);
	sl_note_call(s, "none", send_large(s, 0), LEN);
	note_arrival(s, n);
}

TEST_F(blocking, interrupted_with_timeo)
{
	EXPECT_SAME(interrupted_with_timeo);
}

/* -- shutdown ------------------------------------------------------------------ */

static void shut_wr(struct sl_scene *s)
{
	shutdown(s->p.tx, SHUT_WR);
}

static void shut_before(struct sl_scene *s)
{
	shut_wr(s);
	sl_note_call(s, "send", send_large(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nosignal", send_large(s, MSG_NOSIGNAL), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "write", write(s->p.tx, s->b->data, LEN), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "small", send(s->p.tx, "a", 1, 0), 1);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

TEST_F(blocking, shutdown_before)
{
	EXPECT_SAME(shut_before);
}

static void shut_during(struct sl_scene *s)
{
	struct sl_later l;
	ssize_t n;

	sl_later(&l, s, SOON_MS, shut_wr);
	n = send_large(s, 0);
	sl_note_call(s, "progress", n, LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	sl_note_call(s, "next", send_large(s, 0), LEN);
	sl_note_sigpipes(s);
	note_arrival(s, n);
	sl_note(s, "end", sl_drain_eof(s->p.rx));
}

TEST_F(blocking, shutdown_during)
{
	EXPECT_SAME(shut_during);
}

static void shut_without_progress(struct sl_scene *s)
{
	size_t n = stuff(s, 0);
	struct sl_later l;

	sl_later(&l, s, SOON_MS, shut_wr);
	sl_note_call(s, "none", send_large(s, 0), LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
	note_arrival(s, n);
	sl_note(s, "end", sl_drain_eof(s->p.rx));
}

TEST_F(blocking, shutdown_without_progress)
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
	sl_note_call(s, "send", send_large(s, 0), LEN);
	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "stream", sl_reader_join(&r));
	note_loans(s);
}

TEST_F(blocking, half_closed)
{
	EXPECT_SAME(half_closed);
}

/* -- reset --------------------------------------------------------------------- */

/* Closed with data unread, a connection is reset */
static void reset(struct sl_scene *s)
{
	close(s->p.rx);
	s->p.rx = -1;
}

static void note_reset(struct sl_scene *s)
{
	sl_note_call(s, "next", send_large(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "next", send_large(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nosignal", send_large(s, MSG_NOSIGNAL), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

static void reset_during(struct sl_scene *s)
{
	struct sl_later l;

	sl_later(&l, s, SOON_MS, reset);
	sl_note_call(s, "progress", send_large(s, 0), LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	note_reset(s);
}

TEST_F(blocking, reset_during)
{
	EXPECT_SAME(reset_during);
}

static void reset_so_error(struct sl_scene *s)
{
	struct sl_later l;

	sl_later(&l, s, SOON_MS, reset);
	sl_note_call(s, "progress", send_large(s, 0), LEN);
	sl_later_end(&l);
	sl_note_so_error(s);
	note_reset(s);
}

TEST_F(blocking, reset_so_error)
{
	EXPECT_SAME(reset_so_error);
}

static void reset_without_progress(struct sl_scene *s)
{
	struct sl_later l;

	stuff(s, 0);
	sl_later(&l, s, SOON_MS, reset);
	sl_note_call(s, "none", send_large(s, 0), LEN);
	sl_later_end(&l);
	sl_note_sigpipes(s);
	note_reset(s);
}

TEST_F(blocking, reset_without_progress)
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

TEST_F(blocking, reset_before)
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

TEST_F(blocking, closed)
{
	EXPECT_SAME(closed);
}

/* -- not connected -------------------------------------------------------------- */

static void replace_tx(struct sl_scene *s, int fd)
{
	close(s->p.tx);
	s->p.tx = fd;
	sl_scene_attach(s, fd);
}

static void unconnected(struct sl_scene *s)
{
	replace_tx(s, socket(s->family, SOCK_STREAM, 0));
	sl_note_call(s, "send", send_large(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nosignal", send_large(s, MSG_NOSIGNAL), LEN);
	sl_note_sigpipes(s);
	sl_note_call(s, "nonblock", send_large(s, MSG_DONTWAIT), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

TEST_F(blocking, unconnected)
{
	EXPECT_SAME(unconnected);
}

static void listening(struct sl_scene *s)
{
	struct sl_addr a;

	replace_tx(s, sl_listen(s->family, &a));
	sl_note_call(s, "send", send_large(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
}

TEST_F(blocking, listening)
{
	EXPECT_SAME(listening);
}

/* The listener's queue is full: our SYN is not answered */
static void connecting(struct sl_scene *s)
{
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
	sl_note_call(s, "nonblock", send_large(s, 0), LEN);
	sl_nonblock(s->p.tx, false);
	alarm_soon(0);
	sl_note_call(s, "signal", send_large(s, 0), LEN);
	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	sl_note_call(s, "time-out", send_large(s, 0), LEN);
	sl_note_sigpipes(s);
	sl_note_so_error(s);
	for (i = 0; i < 3; i++)
		close(fill[i]);
	close(lfd);
}

TEST_F(blocking, connecting)
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

TEST_F(blocking, refused)
{
	EXPECT_SAME(refused);
}

TEST_HARNESS_MAIN
