// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations and loans that fail, one by one, on every way to send
 *
 * Each way is gone again and again: with the first thing that can fail failing,
 * then the second, and so on, until nothing is left to fail.  A send then says
 * an error that a plain socket's says as well, or what it says has arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <linux/udp.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_ring.h"
#include "sl_udp.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define LEN (56 * SL_KIB)
#define SEGMENT 8000
#define DEBUGFS "/sys/kernel/debug/"
#define FAIL_LOAN DEBUGFS "sockloan/fail_loan/"
#define NTH "/proc/thread-self/fail-nth"
#define NTH_MAX 2000
#define ERRNO_MAX 200

static bool injection_there(void)
{
	return !access(DEBUGFS "failslab", F_OK) && !access(NTH, F_OK);
}

/* Also what may wait for memory, and without a word in the log */
static void injection_on(void)
{
	sl_put(DEBUGFS "failslab/ignore-gfp-wait", "N");
	sl_put(DEBUGFS "failslab/verbose", "0");
	sl_put(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	sl_put(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N");
	sl_put(DEBUGFS "fail_page_alloc/min-order", "0");
	sl_put(DEBUGFS "fail_page_alloc/verbose", "0");
	sl_put(FAIL_LOAN "verbose", "0");
}

/* Have the n-th thing fail that this thread comes by */
static void fail_nth(int n)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", n);
	sl_put(NTH, value);
}

/* Stop it: had anything failed? */
static bool failed_nth(int fd)
{
	char value[16] = "";
	bool failed;

	failed = pread(fd, value, sizeof(value) - 1, 0) > 0 && !atoi(value);
	if (!failed)
		fail_nth(0);
	return failed;
}

/* -- the ways to send; each returns what it sent, or -errno --------------------- */

static ssize_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static ssize_t way_send(int fd, struct sl_buf *b, struct sl_ring *r)
{
	return result(send(fd, b->data, b->len, 0));
}

static ssize_t way_dontwait(int fd, struct sl_buf *b, struct sl_ring *r)
{
	return result(send(fd, b->data, b->len, MSG_DONTWAIT));
}

static ssize_t way_writev(int fd, struct sl_buf *b, struct sl_ring *r)
{
	struct iovec v[3] = {
		{ b->data, 100 },
		{ b->data + 100, b->len - 9000 },
		{ b->data + b->len - 8900, 8900 },
	};

	return result(writev(fd, v, 3));
}

static ssize_t way_uring(int fd, struct sl_buf *b, struct sl_ring *r)
{
	return sl_ring_do(r, IORING_OP_SEND, fd, b->data, b->len);
}

typedef ssize_t (*way_fn)(int fd, struct sl_buf *b, struct sl_ring *r);

FIXTURE(inject)
{
	struct sl_counters c;
	struct sl_buf b;
	long long users; /* of the module */
	int nth; /* this thread's file */
	bool errnos[ERRNO_MAX]; /* what the plain socket said */
	int runs; /* until nothing failed any more */
};

FIXTURE_VARIANT(inject)
{
	int family;
	bool udp;
	bool gso;
	bool adapt; /* the rule allocates, too */
	bool absent; /* memory to be faulted in: zeroes */
	size_t offset;
	way_fn way;
};

#define INJECT_VARIANT(_name, ...)         \
	FIXTURE_VARIANT_ADD(inject, _name) \
	{                                  \
		__VA_ARGS__                \
	}

INJECT_VARIANT(tcp_send, .family = AF_INET, .way = way_send);
INJECT_VARIANT(tcp_send_unaligned, .family = AF_INET6, .offset = 1003,
	       .way = way_send);
INJECT_VARIANT(tcp_dontwait, .family = AF_INET, .way = way_dontwait);
INJECT_VARIANT(tcp_writev, .family = AF_INET6, .offset = 1003,
	       .way = way_writev);
INJECT_VARIANT(tcp_absent, .family = AF_INET, .absent = true, .way = way_send);
INJECT_VARIANT(tcp_uring, .family = AF_INET, .way = way_uring);
INJECT_VARIANT(tcp_first_loan, .family = AF_INET, .adapt = true,
	       .way = way_send);
INJECT_VARIANT(udp_send, .family = AF_INET, .udp = true, .way = way_send);
INJECT_VARIANT(udp_send_unaligned, .family = AF_INET6, .udp = true,
	       .offset = 1003, .way = way_send);
INJECT_VARIANT(udp_dontwait, .family = AF_INET6, .udp = true,
	       .way = way_dontwait);
INJECT_VARIANT(udp_writev, .family = AF_INET, .udp = true, .offset = 1003,
	       .way = way_writev);
INJECT_VARIANT(udp_absent, .family = AF_INET, .udp = true, .absent = true,
	       .way = way_send);
INJECT_VARIANT(udp_gso, .family = AF_INET, .udp = true, .gso = true,
	       .way = way_send);
INJECT_VARIANT(udp_gso_unaligned, .family = AF_INET6, .udp = true, .gso = true,
	       .offset = 1003, .way = way_writev);
INJECT_VARIANT(udp_uring, .family = AF_INET6, .udp = true, .way = way_uring);
INJECT_VARIANT(udp_first_loan, .family = AF_INET, .udp = true, .adapt = true,
	       .way = way_send);

FIXTURE_SETUP(inject)
{
	injection_on();
	self->nth = open(NTH, O_RDONLY | O_CLOEXEC);
	self->users = sl_get("/sys/module/sockloan/refcnt");
	if (variant->adapt && !sl_plain()) {
		ASSERT_EQ(0, sl_sysctl("sockloan/adapt", "1"));
	}
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(inject)
{
	fail_nth(0);
	sl_buf_unmap(&self->b);
	sl_sysctl("sockloan/adapt", "0");
}

#define REQUIRE_INJECTION()                                                \
	do {                                                               \
		if (!injection_there())                                    \
			SKIP(return, "no fault injection in this kernel"); \
	} while (0)

/* What a send of "n" bytes said has arrived, and nothing else */
static int arrived(const struct sl_pair *p, const FIXTURE_VARIANT(inject) * v,
		   uint64_t seed, ssize_t n)
{
	ssize_t at, part;

	if (!v->udp)
		return sl_drain(p->rx, n > 0 ? n : 0, seed);
	for (at = 0; at < n; at += part) {
		part = v->gso && n - at > SEGMENT ? SEGMENT : n - at;
		if (sl_udp_recv_at(p->rx, part, seed, at))
			return -1;
	}
	return sl_udp_none(p->rx);
}

static int open_pair(struct sl_pair *p, const FIXTURE_VARIANT(inject) * v,
		     bool attached)
{
	int segment = SEGMENT;
	struct sl_addr to;
	int ret;

	if (v->udp)
		ret = sl_udp_pair_plain(p, v->family, &to, true);
	else
		ret = sl_pair_sized(p, v->family, SL_ROOM, SL_ROOM);
	if (!ret && v->gso)
		ret = setsockopt(p->tx, IPPROTO_UDP, UDP_SEGMENT, &segment,
				 sizeof(segment));
	if (!ret && attached)
		ret = sl_attach(p->tx);
	return ret;
}

/* One send, of which the n-th thing that can fail fails: did one? */
static bool once(FIXTURE_DATA(inject) * self, const FIXTURE_VARIANT(inject) * v,
		 struct sl_pair *p, struct sl_ring *r, int n, ssize_t *sent)
{
	if (v->absent)
		madvise(self->b.map, self->b.map_len, MADV_DONTNEED);
	else
		sl_fill(self->b.data, LEN, OLD);
	fail_nth(n);
	*sent = v->way(p->tx, &self->b, r);
	return failed_nth(self->nth);
}

/* What was in the buffer has arrived, so far as it was sent */
static int check(FIXTURE_DATA(inject) * self, const FIXTURE_VARIANT(inject) * v,
		 struct sl_pair *p, ssize_t sent)
{
	static unsigned char got[LEN], zero[LEN];

	sl_fill(self->b.data, LEN, NEW);
	if (!v->absent)
		return arrived(p, v, OLD, sent);
	if (sent <= 0)
		return 0;
	if (recv(p->rx, got, sent, MSG_WAITALL) != sent)
		return -1;
	return memcmp(got, zero, sent) ? -1 : 0;
}

/*
 * Every n until nothing fails.  Each with sockets of its own, so that nothing
 * is there already that the first send needs.
 */
static void all(struct __test_metadata *_metadata, FIXTURE_DATA(inject) * self,
		const FIXTURE_VARIANT(inject) * variant, bool attached)
{
	struct sl_ring r = { .fd = -1 };
	struct sl_pair p;
	ssize_t sent;
	bool failed;
	int n;

	for (n = 1; n < NTH_MAX; n++) {
		ASSERT_EQ(0, open_pair(&p, variant, attached));
		if (variant->way == way_uring) {
			ASSERT_EQ(0, sl_ring_open(&r, 0));
		}
		failed = once(self, variant, &p, &r, n, &sent);
		ASSERT_EQ(0, check(self, variant, &p, sent))
		{
			TH_LOG("failure %d, sent %zd", n, sent);
		}
		if (sent < 0 && !attached)
			self->errnos[-sent] = true;
		/*
		 * Which allocation is the n-th is not the same on both sides,
		 * and io_uring has caches. That memory is short may be said.
		 */
		self->errnos[ENOMEM] = true;
		self->errnos[ENOBUFS] = true;
		if (sent < 0 && attached) {
			EXPECT_TRUE(self->errnos[-sent])
			{
				TH_LOG("failure %d: error %zd", n, -sent);
			}
		}
		/* The socket is as good as before */
		if (variant->way != way_uring) {
			once(self, variant, &p, &r, 0, &sent);
			ASSERT_EQ(LEN, sent);
			ASSERT_EQ(0, check(self, variant, &p, sent));
		} else {
			sl_ring_close(&r);
		}
		sl_pair_close(&p);
		if (!failed)
			break;
	}
	EXPECT_LT(1, n);
	EXPECT_GT(NTH_MAX, n);
	self->runs = n;
}

/* Everything goes when the sockets go, at once or after a grace period */
static bool all_gone(FIXTURE_DATA(inject) * self)
{
	uint64_t until = sl_ms() + SL_TIMEOUT_S * 1000;

	while (!sl_plain() &&
	       (sl_rise(&self->c, "Sockets") ||
		sl_get("/sys/module/sockloan/refcnt") != self->users)) {
		if (sl_ms() > until)
			return false;
		sl_sleep_ms(10);
	}
	return true;
}

TEST_F_TIMEOUT(inject, every_failure, 200)
{
	REQUIRE_INJECTION();
	all(_metadata, self, variant, false);
	all(_metadata, self, variant, true);
	EXPECT_RISE(&self->c, "BytesLent");
	EXPECT_RISE(&self->c, "FbForced");
	EXPECT_TRUE(all_gone(self));
}

/* -- the attach itself ------------------------------------------------------------ */

TEST_F_TIMEOUT(inject, attach, 100)
{
	struct sl_pair p;
	bool failed;
	int n, ret;

	REQUIRE_INJECTION();
	if (sl_plain())
		SKIP(return, "nothing is attached");
	if (variant->way != way_send || variant->absent)
		SKIP(return, "once a protocol is enough");
	for (n = 1; n < NTH_MAX; n++) {
		ASSERT_EQ(0, open_pair(&p, variant, false));
		sl_fill(self->b.data, LEN, OLD);
		fail_nth(n);
		ret = sl_attach(p.tx) ? errno : 0;
		failed = failed_nth(self->nth);
		/* Opening the device may fail as well, or reading the argument */
		EXPECT_TRUE(!ret || ret == ENOMEM || ret == ENFILE ||
			    ret == EFAULT);
		ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
		ASSERT_EQ(0, check(self, variant, &p, LEN));
		EXPECT_EQ(ret ? ENOENT : 0, sl_detach(p.tx) ? errno : 0);
		sl_pair_close(&p);
		if (!failed)
			break;
	}
	EXPECT_LT(1, n);
	EXPECT_GT(NTH_MAX, n);
	EXPECT_TRUE(all_gone(self));
}

/* -- the knob of our own ------------------------------------------------------------ */

static void knob(const char *probability)
{
	sl_put(FAIL_LOAN "task-filter", "1");
	sl_put("/proc/self/make-it-fail", "1");
	sl_put(FAIL_LOAN "verbose", "0");
	sl_put(FAIL_LOAN "interval", "1");
	sl_put(FAIL_LOAN "times", "-1");
	sl_put(FAIL_LOAN "probability", probability);
}

static void knob_off(void)
{
	sl_put(FAIL_LOAN "probability", "0");
	sl_put(FAIL_LOAN "task-filter", "0");
	sl_put("/proc/self/make-it-fail", "0");
}

/* "n" sends with loans that fail so often */
static int with_knob(FIXTURE_DATA(inject) * self,
		     const FIXTURE_VARIANT(inject) * v, struct sl_pair *p,
		     const char *probability, int n)
{
	struct sl_ring r;
	int bad = 0;
	ssize_t sent;

	if (sl_ring_open(&r, 0))
		return -1;
	knob(probability);
	while (n--) {
		once(self, v, p, &r, 0, &sent);
		bad |= sent != LEN || check(self, v, p, sent);
	}
	knob_off();
	sl_ring_close(&r);
	return bad;
}

TEST_F(inject, knob)
{
	struct sl_pair p;
	long long lent;

	REQUIRE_INJECTION();
	if (sl_plain())
		SKIP(return, "needs the module");
	if (variant->adapt)
		SKIP(return, "the adaptive rule copies what is sent here");
	ASSERT_EQ(0, access(FAIL_LOAN "probability", W_OK));
	ASSERT_EQ(0, open_pair(&p, variant, true));
	EXPECT_EQ(0, with_knob(self, variant, &p, "100", 5));
	EXPECT_LENT(p.tx, 0);
	EXPECT_RISE(&self->c, "FbForced");
	EXPECT_EQ(0, with_knob(self, variant, &p, "10", 40));
	lent = sl_lent(p.tx);
	EXPECT_EQ(0, with_knob(self, variant, &p, "0", 5));
	EXPECT_LT(lent, sl_lent(p.tx));
	sl_pair_close(&p);
	EXPECT_TRUE(all_gone(self));
}

TEST_HARNESS_MAIN
