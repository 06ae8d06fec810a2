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

#define LEN (2 * SL_MIB)
#define SMALL (64 * 1024) /* socket buffers */
#define SOON_MS 150 /* by then a send is blocked */
#define OLD SL_SCENE_STREAM
#define NEW 2

FIXTURE(blocking)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(blocking)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(blocking, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(blocking, v6_unaligned){
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

/* -- non-blocking ---------------------------------------------------------- */

static void dontwait(struct sl_scene *s)
{
	ssize_t n = sl_scene_send(s, MSG_DONTWAIT);

	sl_note_call(s, "first", n, LEN);
	n = sl_scene_stuff(s, n);
	sl_note_call(s, "full", sl_scene_send(s, MSG_DONTWAIT), LEN);
	sl_note_call(s, "empty", write(s->p.tx, "", 0), 0);
	sl_note_arrival(s, n);
	/* And there is room again */
	sl_note_call(s, "again", sl_scene_send(s, MSG_DONTWAIT), LEN);
	sl_note_loans(s, SMALL / 2);
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
	n = sl_scene_stuff(s, n);
	sl_note_call(s, "full", writev(s->p.tx, v, 2), LEN);
	sl_note_call(s, "full", write(s->p.tx, s->b->data, LEN), LEN);
	sl_note_call(s, "full", write(s->p.tx, s->b->data, 1), 1);
	sl_note_arrival(s, n);
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
	sl_note_loans(s, SMALL / 2);
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
	n = sl_scene_stuff(s, 0);
	sl_note(s, "full", epoll_wait(fd, &ev, 1, 0));
	sl_note(s, "full", poll(&pfd, 1, 0));
	sl_note_arrival(s, n);
	sl_note(s, "room", epoll_wait(fd, &ev, 1, SL_TIMEOUT_S * 1000));
	sl_note(s, "room", poll(&pfd, 1, SL_TIMEOUT_S * 1000));
	sl_note_arrival(s, sl_scene_stuff(s, 0));
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
	n = sl_scene_send(s, MSG_DONTWAIT);
	sl_note_call(s, "first", n, LEN);
	n = sl_scene_stuff(s, n);
	sl_note_call(s, "full", sl_scene_send(s, MSG_DONTWAIT), LEN);
	sl_note_arrival(s, n);
}

TEST_F(blocking, notsent_lowat)
{
	EXPECT_SAME(lowat);
}

/* What is not acknowledged here and what is unread there is what was sent */
static void outq(struct sl_scene *s)
{
	int out = -1, unsent = -1, in = -1;
	size_t n = sl_scene_stuff(s, 0);

	ioctl(s->p.tx, SIOCOUTQ, &out);
	ioctl(s->p.tx, SIOCOUTQNSD, &unsent);
	ioctl(s->p.rx, FIONREAD, &in);
	sl_note(s, "sum", (size_t)out + in == n);
	sl_note(s, "unsent", unsent > 0 && unsent <= out);
	sl_note_arrival(s, n);
	ioctl(s->p.tx, SIOCOUTQ, &out);
	sl_note(s, "drained", out);
}

TEST_F(blocking, siocoutq)
{
	EXPECT_SAME(outq);
}

/* -- blocking, all the way ------------------------------------------------- */

static void into_reader(struct sl_scene *s)
{
	struct sl_reader r;
	int i;

	sl_reader_start(&r, s->p.rx, LEN, OLD);
	sl_note_call(s, "send", sl_scene_send(s, 0), LEN);
	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "stream", sl_reader_join(&r));
	sl_note_loans(s, LEN / 2);

	/* With the smallest send buffer there is */
	i = 1;
	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDBUF, &i, sizeof(i));
	sl_fill(s->b->data, LEN, OLD);
	sl_reader_start(&r, s->p.rx, LEN / 8, OLD);
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN / 8, 0), LEN / 8);
	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "stream", sl_reader_join(&r));
}

TEST_F(blocking, into_reader)
{
	EXPECT_SAME(into_reader);
}

/* -- time outs and signals ------------------------------------------------- */

/*
 * About 300 ms: more when the machine is busy, and less when an emulated one catches up
 * with ticks that it has missed
 */
static void note_time(struct sl_scene *s, uint64_t start)
{
	uint64_t ms = sl_ms() - start;

	sl_note(s, "time", ms >= 100 && ms < 5000);
	if (ms < 100 || ms >= 5000)
		fprintf(stderr, "# it took %llu ms\n", (unsigned long long)ms);
}

static void sndtimeo(struct sl_scene *s)
{
	struct timeval tv = { .tv_usec = 300 * 1000 };
	uint64_t start = sl_ms();
	ssize_t n;

	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	n = sl_scene_send(s, 0);
	sl_note_call(s, "progress", n, LEN);
	note_time(s, start);
	n = sl_scene_stuff(s, n);
	start = sl_ms();
	sl_note_call(s, "none", sl_scene_send(s, 0), LEN);
	note_time(s, start);
	sl_note_arrival(s, n);
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
	n = sl_scene_send(s, 0);
	sl_note_call(s, "progress", n, LEN);
	n = sl_scene_stuff(s, n);
	alarm_soon(0);
	sl_note_call(s, "none", sl_scene_send(s, 0), LEN);
	sl_note_arrival(s, n);
}

TEST_F(blocking, interrupted)
{
	EXPECT_SAME(interrupted);
}

static long rest; /* what sl_drain() said of it */

static void read_rest(struct sl_scene *s)
{
	rest = sl_drain(s->p.rx, LEN, OLD);
}

/* Blocked without progress, restarted, and read from only then */
static void restarted(struct sl_scene *s)
{
	size_t n = sl_scene_stuff(s, 0);
	struct sl_later l;

	alarm_soon(SA_RESTART);
	sl_later(&l, s, 2 * SOON_MS, read_rest);
	sl_note_call(s, "send", send(s->p.tx, s->b->data + n, LEN - n, 0),
		     LEN - n);
	sl_later_end(&l);
	sl_note(s, "stream", rest);
}

TEST_F(blocking, restarted)
{
	EXPECT_SAME(restarted);
}

/* With a time-out on the socket nothing is restarted */
static void interrupted_with_timeo(struct sl_scene *s)
{
	struct timeval tv = { .tv_sec = SL_TIMEOUT_S };
	size_t n = sl_scene_stuff(s, 0);

	setsockopt(s->p.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	alarm_soon(SA_RESTART);
	sl_note_call(s, "none", sl_scene_send(s, 0), LEN);
	sl_note_arrival(s, n);
}

TEST_F(blocking, interrupted_with_timeo)
{
	EXPECT_SAME(interrupted_with_timeo);
}

TEST_HARNESS_MAIN
