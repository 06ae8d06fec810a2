// SPDX-License-Identifier: GPL-2.0
/*
 * A burst: far more than the buffers hold, to a reader who peeks, waits, and
 * releases in odd amounts.  The window has to open again each time.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/tcp.h>

#include "kselftest_harness.h"
#include "sl_rx.h"

#define LEN (16 * SL_MIB)

FIXTURE(burst)
{
	struct sl_pair s;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_VARIANT(burst)
{
	int family;
	int rcvbuf;
	size_t piece; /* of a send */
	size_t window;
	bool copied;
};

FIXTURE_VARIANT_ADD(burst, v4){
	.family = AF_INET,
	.rcvbuf = SL_MIB,
	.piece = 256 * SL_KIB,
	.window = SL_MIB,
};

FIXTURE_VARIANT_ADD(burst, v6_small_buffer){
	.family = AF_INET6,
	.rcvbuf = 32 * SL_KIB,
	.piece = 64 * SL_KIB,
	.window = SL_MIB,
};

FIXTURE_VARIANT_ADD(burst, v4_small_window){
	.family = AF_INET,
	.rcvbuf = SL_MIB,
	.piece = 128 * SL_KIB,
	.window = SOCKLOAN_WINDOW_MIN,
};

FIXTURE_VARIANT_ADD(burst, v6_copied_odd){
	.family = AF_INET6,
	.rcvbuf = 256 * SL_KIB,
	.piece = 10007,
	.window = 256 * SL_KIB,
	.copied = true,
};

FIXTURE_SETUP(burst)
{
	ASSERT_EQ(0,
		  sl_pair_sized(&self->s, variant->family, 0, variant->rcvbuf));
	if (!variant->copied)
		ASSERT_EQ(0, sl_attach(self->s.tx));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, variant->window));
	ASSERT_EQ(0,
		  sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_DATA, 0));
}

FIXTURE_TEARDOWN(burst)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

struct sender {
	pthread_t thread;
	int fd;
	const unsigned char *data;
	size_t piece;
	size_t sent;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;
	size_t n;

	for (; s->sent < LEN; s->sent += n) {
		n = LEN - s->sent < s->piece ? LEN - s->sent : s->piece;
		if (sl_send_all(s->fd, s->data + s->sent, n, 0) != (ssize_t)n)
			break;
	}
	return NULL;
}

/* Wait for more; 0: there was none for very long. */
static int wait_for_more(struct sl_rxpool *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	struct sockloan_event e;

	if (poll(&pfd, 1, SL_TIMEOUT_S * 1000) != 1)
		return 0;
	return read(p->fd, &e, sizeof(e)) == sizeof(e);
}

/* How much to take next, and whether to look at it and wait before */
static size_t odd_amount(uint32_t *random, size_t most, bool *wait)
{
	size_t n;

	*random = *random * 1103515245 + 12345;
	n = *random % (*random >> 31 ? 3000 : 300000) + 1;
	*wait = !(*random % 37);
	return n < most ? n : most;
}

/* By peeks and releases. Returns how much there was. */
static size_t read_pool(FIXTURE_DATA(burst) * self)
{
	uint32_t random = 12345, release = 0;
	size_t done = 0;
	bool wait;

	while (done < LEN) {
		if (sl_rxpool_peek(&self->p, self->s.rx, release, LEN)) {
			release = 0;
			if (errno != EAGAIN || !wait_for_more(&self->p))
				return done;
			continue;
		}
		release = odd_amount(&random, self->p.arg.bytes, &wait);
		if (wait) {
			if (sl_rxpool_check(&self->p, done, 1))
				return done;
			sl_sleep_ms(random % 11);
		}
		done += release;
	}
	return sl_rxpool_release(&self->p, self->s.rx, release) ? 0 : done;
}

/* The same by recv(2) */
static size_t read_plain(FIXTURE_DATA(burst) * self)
{
	unsigned char *buf = malloc(LEN);
	uint32_t random = 12345;
	size_t done = 0;
	ssize_t n = 1;
	bool wait;

	while (done < LEN && n > 0) {
		n = recv(self->s.rx, buf, odd_amount(&random, LEN, &wait), 0);
		if (wait)
			sl_sleep_ms(random % 11);
		done += n;
	}
	free(buf);
	return done;
}

/* What a transfer cost beyond its bytes */
struct cost {
	long long resent; /* segments */
	long long dropped; /* by the receiver, for want of room */
};

/* The sum of what /proc/net/netstat has by these names */
static long long dropped(void)
{
	static const char *const names[] = { "TCPRcvQDrop", "TCPBacklogDrop",
					     "RcvPruned", "OfoPruned",
					     "TCPZeroWindowDrop" };
	char head[8192], line[8192], *name, *value, *h, *l;
	FILE *f = fopen("/proc/net/netstat", "r");
	long long sum = 0;
	int i;

	/* Two lines for each protocol: names, values */
	while (f && fgets(head, sizeof(head), f) &&
	       fgets(line, sizeof(line), f)) {
		name = strtok_r(head, " \n", &h);
		value = strtok_r(line, " \n", &l);
		for (; name && value; name = strtok_r(NULL, " \n", &h),
				      value = strtok_r(NULL, " \n", &l))
			for (i = 0; i < ARRAY_SIZE(names); i++)
				if (!strcmp(name, names[i]))
					sum += atoll(value);
	}
	if (f)
		fclose(f);
	return sum;
}

static struct cost cost_so_far(int fd)
{
	struct tcp_info info = { .tcpi_total_retrans = ~0u };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return (struct cost){ .resent = info.tcpi_total_retrans,
			      .dropped = dropped() };
}

static size_t transfer(FIXTURE_DATA(burst) * self, struct sender *s,
		       size_t (*read)(FIXTURE_DATA(burst) *), struct cost *cost)
{
	struct cost before = cost_so_far(self->s.tx), after;
	size_t done;

	s->sent = 0;
	if (pthread_create(&s->thread, NULL, send_all, s))
		return 0;
	done = read(self);
	pthread_join(s->thread, NULL);
	after = cost_so_far(self->s.tx);
	cost->resent += after.resent - before.resent;
	cost->dropped += after.dropped - before.dropped;
	return s->sent == LEN ? done : 0;
}

/*
 * For a few seconds, or as many as SOCKLOAN_LONG says.  A timer that finds the
 * machine late resends a segment now and then, in either case; a segment that was
 * dropped because nobody opened the window in time would be our doing.
 */
TEST_F_TIMEOUT(burst, slow_reader, 400)
{
	const char *seconds = getenv("SOCKLOAN_LONG");
	uint64_t until = sl_ms() + 1000 * (seconds ? atoi(seconds) : 3);
	struct sender s = { .fd = self->s.tx,
			    .data = self->b.data,
			    .piece = variant->piece };
	struct cost plain = { 0 }, peeks = { 0 };
	int rounds = 0;

	do {
		ASSERT_EQ(0, sl_rxpool_leave(&self->p, self->s.rx));
		ASSERT_EQ(LEN, transfer(self, &s, read_plain, &plain));
		ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx,
					    SOCKLOAN_EVENT_DATA, 0));
		ASSERT_EQ(LEN, transfer(self, &s, read_pool, &peeks));
		rounds++;
	} while (sl_ms() < until);
	TH_LOG("%d rounds; resent %lld by recv(), %lld by peeks; dropped %lld, %lld",
	       rounds, plain.resent, peeks.resent, plain.dropped,
	       peeks.dropped);
	EXPECT_LE(peeks.dropped, plain.dropped);
}

TEST_HARNESS_MAIN
