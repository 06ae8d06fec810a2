// SPDX-License-Identifier: GPL-2.0
/* Receiving when something else comes in between: errors, less room, other threads */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "kselftest_harness.h"
#include "sl_rx.h"
#include "sl_udp.h"

#define LEN (64 * SL_KIB)
#define WINDOW (4 * SL_MIB)

FIXTURE(dgram)
{
	struct sl_pair s;
	struct sl_addr to;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_VARIANT(dgram)
{
	int family;
};

FIXTURE_VARIANT_ADD(dgram, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(dgram, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(dgram)
{
	ASSERT_EQ(0, sl_udp_pair(&self->s, variant->family, &self->to, true));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, WINDOW));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, 0, 0));
}

FIXTURE_TEARDOWN(dgram)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

static int peek_some(struct sl_rxpool *p, int fd, uint32_t max, uint32_t nr)
{
	p->arg = (struct sockloan_peek){
		.size = sizeof(p->arg),
		.fd = fd,
		.max = max,
		.nr = nr,
		.segs = (uintptr_t)p->seg,
	};
	return ioctl(p->fd, SOCKLOAN_IOC_PEEK, &p->arg);
}

/* What was peeked with more room is not cut. */
TEST_F(dgram, less_room)
{
	struct sl_rxpool *p = &self->p;
	uint32_t nr;

	/* Mapped pages, and a copy behind them */
	ASSERT_EQ(9000, send(self->s.tx, self->b.data, 9000, 0));
	ASSERT_EQ(6000, send(self->s.tx, self->b.data, 6000, 0));
	ASSERT_EQ(0, sl_rxpool_peek(p, self->s.rx, 0, WINDOW));
	EXPECT_EQ(2, p->arg.datagrams);
	nr = p->arg.nr;

	EXPECT_EQ(-1, peek_some(p, self->s.rx, 100, SL_SEGS));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(-1, peek_some(p, self->s.rx, 8999, SL_SEGS));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(0, peek_some(p, self->s.rx, 14999, SL_SEGS));
	EXPECT_EQ(1, p->arg.datagrams);
	EXPECT_EQ(9000, p->arg.bytes);
	EXPECT_EQ(SOCKLOAN_PEEK_MORE, p->arg.state);
	EXPECT_EQ(SOCKLOAN_SEG_END,
		  p->seg[p->arg.nr - 1].flags & SOCKLOAN_SEG_END);
	ASSERT_EQ(0, peek_some(p, self->s.rx, WINDOW, nr - 1));
	EXPECT_EQ(1, p->arg.datagrams);
	EXPECT_EQ(9000, p->arg.bytes);
	if (!sl_plain()) {
		EXPECT_EQ(-1, peek_some(p, self->s.rx, WINDOW, 1));
		EXPECT_EQ(EMSGSIZE, errno);
	}
	ASSERT_EQ(0, peek_some(p, self->s.rx, WINDOW, nr));
	EXPECT_EQ(2, p->arg.datagrams);
	EXPECT_EQ(0, p->arg.state);
}

/* Have an error that recv(2) would return before any data. */
static int provoke(int fd, int family)
{
	struct sl_addr a;
	int one = 1, err;

	sl_loopback(&a, family);
	/* Nobody listens there. */
	if (family == AF_INET)
		a.in.sin_port = htons(9);
	else
		a.in6.sin6_port = htons(9);
	err = family == AF_INET ?
		      setsockopt(fd, SOL_IP, IP_RECVERR, &one, sizeof(one)) :
		      setsockopt(fd, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one));
	return err || sl_udp_send(fd, "x", 1, &a) != 1 ? -1 : 0;
}

/* A release consumes; an error that came in between is told, once. */
TEST_F(dgram, error_before_release)
{
	ASSERT_EQ(100, send(self->s.tx, self->b.data, 100, 0));
	ASSERT_EQ(200, send(self->s.tx, self->b.data, 200, 0));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW));
	EXPECT_EQ(2, self->p.arg.datagrams);
	ASSERT_EQ(0, provoke(self->s.rx, variant->family));
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, 1));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW));
	EXPECT_EQ(1, self->p.arg.datagrams);
	EXPECT_EQ(200, self->p.arg.bytes);
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, 1));
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW));
	EXPECT_EQ(EAGAIN, errno);
}

/* A datagram to @to whose checksum is wrong: long enough to be looked at by recv(2) */
static int send_broken(const struct sl_addr *to)
{
	struct {
		struct udphdr udp;
		char data[500];
	} d = {
		.udp.uh_sport = htons(9),
		.udp.uh_dport = to->in.sin_port,
		.udp.uh_ulen = htons(sizeof(d)),
		.udp.uh_sum = htons(0x1234),
	};
	struct sl_addr a = *to;
	int fd = socket(to->sa.sa_family, SOCK_RAW, IPPROTO_UDP), off = -1;
	ssize_t n;

	if (to->sa.sa_family == AF_INET6) {
		setsockopt(fd, SOL_IPV6, IPV6_CHECKSUM, &off, sizeof(off));
		a.in6.sin6_port = 0;
	}
	n = sendto(fd, &d, sizeof(d), 0, &a.sa, a.len);
	close(fd);
	return n == sizeof(d) ? 0 : -1;
}

/* It is dropped, and the next one gets through. */
TEST_F(dgram, broken)
{
	struct sl_pair out;
	struct sl_addr to;
	int i, n = -1;

	ASSERT_EQ(0, sl_udp_pair(&out, variant->family, &to, true));
	ASSERT_EQ(0, send_broken(&self->to));
	ASSERT_EQ(100, send(self->s.tx, self->b.data, 100, 0));
	for (i = 0; i < 3 && n < 0; i++)
		n = sl_rxpool_forward(&self->p, self->s.rx, out.tx, 1, 0);
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, sl_udp_recv(out.rx, 100, 1));

	ASSERT_EQ(0, send_broken(&self->to));
	ASSERT_EQ(100, send(self->s.tx, self->b.data, 100, 0));
	for (i = 0, n = -1; i < 3 && n < 0; i++)
		n = sl_rxpool_peek(&self->p, self->s.rx, 0, WINDOW);
	ASSERT_EQ(0, n);
	EXPECT_EQ(1, self->p.arg.datagrams);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	sl_pair_close(&out);
}

/* -- streams ----------------------------------------------------------------------- */

FIXTURE(stream)
{
	struct sl_pair s;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_SETUP(stream)
{
	ASSERT_EQ(0, sl_pair_sized(&self->s, AF_INET, SL_MIB, SL_MIB));
	ASSERT_EQ(0, sl_attach(self->s.tx));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, SL_MIB));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, 0, 0));
}

FIXTURE_TEARDOWN(stream)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

/* The urgent mark is not behind bytes that end before it. */
TEST_F(stream, mark_further_on)
{
	struct sl_rxpool *p = &self->p;

	/* A copy, mapped pages, a copy */
	ASSERT_EQ(100, sl_send_all(self->s.tx, self->b.data, 100, 0));
	ASSERT_EQ(8192, sl_send_all(self->s.tx, self->b.data, 8192, 0));
	ASSERT_EQ(100, sl_send_all(self->s.tx, self->b.data, 100, 0));
	ASSERT_EQ(1, send(self->s.tx, "!", 1, MSG_OOB));
	ASSERT_EQ(10, sl_send_all(self->s.tx, self->b.data, 10, 0));
	sl_sleep_ms(50);
	ASSERT_EQ(0, peek_some(p, self->s.rx, LEN, 1));
	if (p->arg.bytes < 8392) {
		EXPECT_EQ(SOCKLOAN_PEEK_MORE, p->arg.state);
	}
	ASSERT_EQ(0, peek_some(p, self->s.rx, 50, SL_SEGS));
	EXPECT_EQ(SOCKLOAN_PEEK_MORE, p->arg.state);
	ASSERT_EQ(0, peek_some(p, self->s.rx, LEN, SL_SEGS));
	EXPECT_EQ(8392, p->arg.bytes);
	EXPECT_EQ(SOCKLOAN_PEEK_URGENT, p->arg.state);
	ASSERT_EQ(0, peek_some(p, self->s.rx, LEN, 1));
	if (p->arg.bytes < 8392)
		EXPECT_EQ(SOCKLOAN_PEEK_MORE, p->arg.state);
}

/* What was peeked before the connection broke stays as it was, and the error comes last. */
TEST_F(stream, reset_while_peeked)
{
	struct linger l = { .l_onoff = 1 };
	int i;

	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN / 2));
	ASSERT_EQ(0,
		  setsockopt(self->s.tx, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(self->s.tx);
	self->s.tx = -1;
	sl_sleep_ms(50);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
		EXPECT_EQ(LEN, self->p.arg.bytes);
		EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	}
	EXPECT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, LEN / 2));
	EXPECT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, LEN - LEN / 2, LEN) ?
			     errno == ECONNRESET ? 0 : errno :
			     -1);
}

TEST_F(stream, end_while_peeked)
{
	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(0, self->p.arg.state);
	ASSERT_EQ(0, shutdown(self->s.tx, SHUT_WR));
	sl_sleep_ms(50);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 1, LEN));
	EXPECT_EQ(LEN - 1, self->p.arg.bytes);
	EXPECT_EQ(SOCKLOAN_PEEK_EOF, self->p.arg.state);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 1, 1));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, LEN - 1, LEN));
	EXPECT_EQ(0, self->p.arg.bytes);
	EXPECT_EQ(SOCKLOAN_PEEK_EOF, self->p.arg.state);
}

/* What the statistics call forwarded has been. */
TEST_F(stream, forwarded_in_part)
{
	struct sockloan_poolstat st;
	size_t done = 0, want;
	struct sl_pair out;
	int n, i;

	ASSERT_EQ(0, sl_pair_sized(&out, AF_INET, 65536, SL_MIB));
	ASSERT_EQ(0, sl_attach(out.tx));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	for (i = 0; i < 1000; i++) {
		want = sl_arrived(self->s.rx);
		n = sl_rxpool_forward(&self->p, self->s.rx, out.tx, 8 * LEN,
				      SOCKLOAN_XOUT_DONTWAIT);
		if (n > 0)
			done += n;
		if (n < 0 && errno == EAGAIN && want)
			ASSERT_EQ(0, sl_drain_raw(out.rx, self->b.data, 1));
		if (!sl_arrived(self->s.rx) || n < 0)
			break;
	}
	ASSERT_LT(0, done);
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	EXPECT_EQ(done, st.bytes_forwarded);
	EXPECT_GE(done, st.bytes_forwarded_copied);
	sl_pair_close(&out);
}

static void *forward(void *arg)
{
	struct sl_rxpool *p = arg;

	/* Waits for room, until the other end is closed. */
	while (sl_rxpool_forward(p, p->arg.fd, p->arg.max, LEN, 0) > 0)
		;
	return NULL;
}

/* Another thread's call that waits for room does not keep a socket in its pool. */
TEST_F(stream, leave_while_forwarding)
{
	struct sl_rxpool other = self->p;
	struct sl_pair out;
	pthread_t thread;
	uint64_t start;
	int i;

	ASSERT_EQ(0, sl_pair_sized(&out, AF_INET, 16384, 16384));
	ASSERT_EQ(0, sl_attach(out.tx));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	other.arg.fd = self->s.rx;
	other.arg.max = out.tx;
	ASSERT_EQ(0, pthread_create(&thread, NULL, forward, &other));
	sl_sleep_ms(300);
	start = sl_ms();
	EXPECT_EQ(0, sl_rxpool_leave(&self->p, self->s.rx));
	/* Not for SO_SNDTIMEO, which the other one waits for */
	EXPECT_GT(SL_TIMEOUT_S * 1000 / 2, sl_ms() - start);
	close(out.rx);
	out.rx = -1;
	pthread_join(thread, NULL);
	sl_pair_close(&out);
}

/* -- two threads, and signals ------------------------------------------------------ */

struct marker {
	struct sl_rxpool *p;
	int to;
	int from;
	int max;
	int ret;
	bool done;
};

static void nothing(int sig)
{
}

static void *forward_once(void *arg)
{
	struct marker *m = arg;

	m->ret = sl_rxpool_forward(m->p, m->from, m->to, m->max, 0);
	__atomic_store_n(&m->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* A call that a signal ends early has consumed what it has sent: at the mark, too. */
TEST_F(stream, signal_at_the_mark)
{
	const size_t len = 8 * LEN, first = 100;
	struct sigaction sa = { .sa_handler = nothing };
	struct marker m = { .p = &self->p, .from = self->s.rx, .max = len };
	struct sl_reader reader;
	struct sl_pair out;
	struct sl_buf b;
	pthread_t thread;
	size_t done;
	int n;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, sl_pair_sized(&out, AF_INET, 16384, 16384));
	ASSERT_EQ(0, sl_attach(out.tx));
	m.to = out.tx;
	ASSERT_EQ(0, sl_buf_map(&b, len, 0, 2));
	ASSERT_EQ(first, sl_send_all(self->s.tx, b.data, first, 0));
	ASSERT_EQ(1, send(self->s.tx, "!", 1, MSG_OOB));
	ASSERT_EQ(len - first,
		  sl_send_all(self->s.tx, b.data + first, len - first, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, first));
	ASSERT_EQ(first,
		  sl_rxpool_forward(&self->p, self->s.rx, out.tx, len, 0));
	sl_sleep_ms(200);
	ASSERT_EQ(0, pthread_create(&thread, NULL, forward_once, &m));
	sl_sleep_ms(300);
	while (!__atomic_load_n(&m.done, __ATOMIC_ACQUIRE)) {
		pthread_kill(thread, SIGUSR1);
		sl_sleep_ms(20);
	}
	pthread_join(thread, NULL);
	ASSERT_LT(0, m.ret);
	ASSERT_GT(len - first, m.ret);
	ASSERT_EQ(0, sl_reader_start(&reader, out.rx, len, 2));
	for (done = first + m.ret; done < len; done += n) {
		n = sl_rxpool_forward(&self->p, self->s.rx, out.tx, len, 0);
		ASSERT_LT(0, n);
	}
	EXPECT_EQ(len, done);
	EXPECT_EQ(0, sl_reader_join(&reader));
	EXPECT_EQ(0, sl_arrived(self->s.rx));
	sl_pair_close(&out);
	sl_buf_unmap(&b);
}

#define NUMBERS (256 * 1024)

struct numbers {
	int tx;
	int rx;
	unsigned char *seen;
};

static void see(struct numbers *w, const uint64_t *word, size_t len)
{
	for (; len >= sizeof(*word); len -= sizeof(*word), word++)
		if (*word < NUMBERS)
			__atomic_store_n(&w->seen[*word], 1, __ATOMIC_RELAXED);
}

/* Whole segments that nothing cuts: no number arrives in part. */
static void *send_numbers(void *arg)
{
	struct numbers *w = arg;
	uint64_t word[512];
	int i, unsent;

	for (i = 0; i < NUMBERS; i++) {
		word[i % 512] = i;
		if (i % 512 != 511)
			continue;
		while (!ioctl(w->tx, SIOCOUTQNSD, &unsent) &&
		       (unsent || sl_arrived(w->rx) > 32768))
			sched_yield();
		if (sl_send_all(w->tx, word, sizeof(word), 0) != sizeof(word))
			break;
	}
	shutdown(w->tx, SHUT_WR);
	return NULL;
}

/*
 * On the other thread's processor and before it: whenever that lets go of the socket's
 * lock, even for a moment, this one is in between sooner or later.
 */
static void *receive_numbers(void *arg)
{
	struct sched_param first = { .sched_priority = 1 };
	struct numbers *w = arg;
	uint64_t word[8];
	ssize_t n;

	sl_cpu(0);
	sched_setscheduler(0, SCHED_FIFO, &first);
	do {
		usleep(50);
		n = recv(w->rx, word, sizeof(word), MSG_DONTWAIT);
		if (n > 0)
			see(w, word, n);
	} while (n);
	return NULL;
}

/* One thread peeks and releases, another receives: nothing is lost between them. */
TEST_F(stream, releases_what_it_has_seen)
{
	struct numbers w = { .tx = self->s.tx, .rx = self->s.rx };
	struct sl_rxpool *p = &self->p;
	pthread_t sender, receiver;
	unsigned int lost = 0, i;

	w.seen = calloc(1, NUMBERS);
	ASSERT_NE(NULL, w.seen);
	ASSERT_EQ(0, sl_cpu(0));
	ASSERT_EQ(0, pthread_create(&receiver, NULL, receive_numbers, &w));
	ASSERT_EQ(0, pthread_create(&sender, NULL, send_numbers, &w));
	for (;;) {
		if (sl_rxpool_peek(p, self->s.rx, 0, 1024)) {
			ASSERT_EQ(EAGAIN, errno);
			continue;
		}
		if (!p->arg.bytes)
			break;
		for (i = 0; i < p->arg.nr; i++)
			see(&w, (void *)(p->map + p->seg[i].offset),
			    p->seg[i].len);
		/* The other one may have received some of it. */
		if (sl_rxpool_release(p, self->s.rx, p->arg.bytes & ~7))
			ASSERT_EQ(EINVAL, errno);
	}
	pthread_join(sender, NULL);
	pthread_join(receiver, NULL);
	for (i = 0; i < NUMBERS; i++)
		lost += !w.seen[i];
	EXPECT_EQ(0, lost);
	free(w.seen);
}

TEST_HARNESS_MAIN
