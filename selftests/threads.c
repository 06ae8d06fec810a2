// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that write to a buffer while other threads send it
 *
 * Every word that is written is a counter with one owner, who only ever adds
 * one.  Around each increment the owner says so elsewhere, in memory that is
 * never sent:
 *
 *	begun[w] = v + 1;  buf[w] = v + 1;  done[w] = v + 1;
 *
 * So what a call may have sent for a word lies between done[w] when the call
 * began and begun[w] when it returned: less is stale, more was written after
 * the call returned and went out all the same.  And a word that its owner
 * does not find as it left it is a lost update: a CPU wrote through a stale
 * translation into a page that somebody else had already copied.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "sl_mem.h"

#define SLOTS 4 /* words of each owner in each page */
#define OWNERS_MAX 4
#define PAGES_MAX 64
#define WORDS_MAX (OWNERS_MAX * PAGES_MAX * SLOTS)
#define BURST 3 /* sends before anything is received */
#define ROUNDS_MIN 10
#define RUN_MS_MAX 20000

struct owner {
	pthread_t thread;
	struct arena *arena;
	int nr; /* which words, and which CPU */
	bool sends;
	struct sl_pair p; /* if it sends */
	unsigned long passes; /* over all of its words */
	unsigned long rounds; /* of sending */
	char error[160];
};

struct arena {
	unsigned char *data;
	unsigned char *huge; /* page that it is in, or NULL */
	size_t len;
	int pages;
	int owners;
	bool stop;
	uint64_t begun[WORDS_MAX];
	uint64_t done[WORDS_MAX];
	struct owner owner[OWNERS_MAX];
};

static int run_ms(void)
{
	const char *s = getenv("SOCKLOAN_RUN_MS");

	return s ? atoi(s) : 1500;
}

/* Where word "slot" of an owner lies in a page: near both ends and within */
static size_t word_at(const struct arena *a, int owner, int page, int slot)
{
	size_t gap = sl_page / SLOTS;

	return page * sl_page + slot * gap + (slot & 1 ? gap - 64 : 0) +
	       owner * 8;
}

static int word_nr(const struct arena *a, int owner, int page, int slot)
{
	return (owner * a->pages + page) * SLOTS + slot;
}

static bool stopped(struct arena *a)
{
	return __atomic_load_n(&a->stop, __ATOMIC_RELAXED);
}

static void fail(struct owner *o, const char *what, int owner, int page,
		 int slot, uint64_t got, uint64_t low, uint64_t high)
{
	if (!o->error[0])
		snprintf(o->error, sizeof(o->error),
			 "%s: owner %d page %d word %d: %llu, not %llu to %llu",
			 what, owner, page, slot, (unsigned long long)got,
			 (unsigned long long)low, (unsigned long long)high);
	__atomic_store_n(&o->arena->stop, true, __ATOMIC_RELAXED);
}

/* Add one to each of our words, each of which nobody else may have changed */
static void pass(struct owner *o)
{
	struct arena *a = o->arena;
	int page, slot, nr;
	uint64_t *word, v;

	for (page = 0; page < a->pages; page++) {
		for (slot = 0; slot < SLOTS; slot++) {
			nr = word_nr(a, o->nr, page, slot);
			word = (uint64_t *)(a->data +
					    word_at(a, o->nr, page, slot));
			v = __atomic_load_n(word, __ATOMIC_RELAXED);
			if (v != a->done[nr])
				fail(o, "lost update", o->nr, page, slot, v,
				     a->done[nr], a->done[nr]);
			v = a->done[nr] + 1;
			__atomic_store_n(&a->begun[nr], v, __ATOMIC_SEQ_CST);
			__atomic_store_n(word, v, __ATOMIC_SEQ_CST);
			__atomic_store_n(&a->done[nr], v, __ATOMIC_SEQ_CST);
		}
	}
	sl_settle();
	__atomic_add_fetch(&o->passes, 1, __ATOMIC_RELEASE);
}

/*
 * A copy is no more atomic than its loads: take a word whose every byte it
 * had at some time during the call.
 */
static bool torn(uint64_t got, uint64_t low, uint64_t high)
{
	uint64_t v;
	int byte;

	if (high - low > 4096)
		return true;
	for (byte = 0; byte < 64; byte += 8) {
		for (v = low; v <= high; v++)
			if ((uint8_t)(v >> byte) == (uint8_t)(got >> byte))
				break;
		if (v > high)
			return false;
	}
	return true;
}

static void compare(struct owner *o, const unsigned char *got,
		    const uint64_t *low, const uint64_t *high)
{
	struct arena *a = o->arena;
	int owner, page, slot, nr;
	uint64_t v;

	for (owner = 0; owner < a->owners; owner++) {
		for (page = 0; page < a->pages; page++) {
			for (slot = 0; slot < SLOTS; slot++) {
				nr = word_nr(a, owner, page, slot);
				memcpy(&v, got + word_at(a, owner, page, slot),
				       sizeof(v));
				if (v >= low[nr] && v <= high[nr])
					continue;
				if (v < low[nr] && !torn(v, low[nr], high[nr]))
					fail(o, "stale data sent", owner, page,
					     slot, v, low[nr], high[nr]);
				if (v > high[nr] && !torn(v, low[nr], high[nr]))
					fail(o, "sent after return", owner,
					     page, slot, v, low[nr], high[nr]);
			}
		}
	}
}

/* Until every other owner has written all of its words once more */
static void wait_for_passes(struct owner *o)
{
	struct arena *a = o->arena;
	unsigned long from[OWNERS_MAX];
	int i;

	for (i = 0; i < a->owners; i++)
		from[i] =
			__atomic_load_n(&a->owner[i].passes, __ATOMIC_ACQUIRE);
	for (i = 0; i < a->owners; i++)
		while (!a->owner[i].sends && !stopped(a) &&
		       __atomic_load_n(&a->owner[i].passes, __ATOMIC_ACQUIRE) <
			       from[i] + 2)
			sched_yield();
}

static void snapshot(uint64_t *to, uint64_t *from)
{
	int i;

	for (i = 0; i < WORDS_MAX; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_SEQ_CST);
}

static void send_round(struct owner *o, unsigned char *got)
{
	static __thread uint64_t low[BURST][WORDS_MAX], high[BURST][WORDS_MAX];
	struct arena *a = o->arena;
	ssize_t n;
	int i;

	/* Stores to what is on loan have split it: make it whole again */
	if (a->huge)
		madvise(a->huge, SL_HUGE, MADV_COLLAPSE);
	for (i = 0; i < BURST; i++) {
		snapshot(low[i], a->done);
		n = send(o->p.tx, a->data, a->len, 0);
		snapshot(high[i], a->begun);
		if (n != a->len) {
			fail(o, "send", o->nr, 0, 0, n, a->len, a->len);
			return;
		}
		pass(o);
	}
	wait_for_passes(o);
	for (i = 0; i < BURST; i++) {
		if (sl_drain_raw(o->p.rx, got, a->len)) {
			fail(o, "recv", o->nr, 0, 0, 0, a->len, a->len);
			return;
		}
		compare(o, got, low[i], high[i]);
	}
	__atomic_add_fetch(&o->rounds, 1, __ATOMIC_RELAXED);
}

static void *owner_run(void *arg)
{
	struct owner *o = arg;
	unsigned char *got;

	sl_cpu(o->nr);
	got = malloc(o->arena->len);
	while (!stopped(o->arena)) {
		if (o->sends)
			send_round(o, got);
		else
			pass(o);
	}
	free(got);
	return NULL;
}

FIXTURE(threads)
{
	struct arena *a;
	struct sl_buf b;
	struct sl_counters c;
};

FIXTURE_VARIANT(threads)
{
	int family;
	size_t pages;
	size_t offset;
	int senders;
	int writers;
	bool huge;
};

FIXTURE_VARIANT_ADD(threads, v4_1_sender_1_writer){
	.family = AF_INET,
	.pages = 16,
	.senders = 1,
	.writers = 1,
};

FIXTURE_VARIANT_ADD(threads, v4_1_page_1_sender_1_writer){
	.family = AF_INET,
	.pages = 1,
	.senders = 1,
	.writers = 1,
};

FIXTURE_VARIANT_ADD(threads, v6_64_pages_1_sender_2_writers){
	.family = AF_INET6,
	.pages = 64,
	.senders = 1,
	.writers = 2,
};

FIXTURE_VARIANT_ADD(threads, v4_2_senders){
	.family = AF_INET,
	.pages = 16,
	.senders = 2,
	.writers = 0,
};

FIXTURE_VARIANT_ADD(threads, v6_2_senders_2_writers){
	.family = AF_INET6,
	.pages = 16,
	.senders = 2,
	.writers = 2,
};

FIXTURE_VARIANT_ADD(threads, v4_unaligned_2_senders_1_writer){
	.family = AF_INET,
	.pages = 17,
	.offset = 1000,
	.senders = 2,
	.writers = 1,
};

FIXTURE_VARIANT_ADD(threads, v4_huge_1_sender_1_writer){
	.family = AF_INET,
	.pages = 16,
	.senders = 1,
	.writers = 1,
	.huge = true,
};

static int map_huge(struct sl_buf *b, size_t len, size_t offset)
{
	b->map = sl_huge_map(SL_HUGE, 0);
	b->map_len = SL_HUGE;
	b->data = b->map + 7 * sl_page + offset;
	b->len = len;
	return b->map ? 0 : -1;
}

FIXTURE_SETUP(threads)
{
	struct arena *a;
	int i;

	a = calloc(1, sizeof(*a));
	ASSERT_NE(NULL, a);
	self->a = a;
	a->pages = variant->pages;
	a->len = a->pages * sl_page;
	a->owners = variant->senders + variant->writers;
	if (variant->huge) {
		ASSERT_EQ(0, map_huge(&self->b, a->len, variant->offset));
		a->huge = self->b.map;
	} else {
		ASSERT_EQ(0, sl_buf_map(&self->b, a->len, variant->offset, 0));
	}
	a->data = self->b.data;
	sl_count(&self->c);
	memset(a->data, 0, a->len);
	for (i = 0; i < a->owners; i++) {
		a->owner[i].arena = a;
		a->owner[i].nr = i;
		a->owner[i].sends = i < variant->senders;
		if (a->owner[i].sends) {
			ASSERT_EQ(0, sl_pair(&a->owner[i].p, variant->family));
		}
	}
}

FIXTURE_TEARDOWN(threads)
{
	int i;

	for (i = 0; i < variant->senders; i++)
		sl_pair_close(&self->a->owner[i].p);
	sl_buf_unmap(&self->b);
	free(self->a);
}

static bool enough_rounds(struct arena *a)
{
	int i;

	for (i = 0; i < a->owners; i++)
		if (a->owner[i].sends &&
		    __atomic_load_n(&a->owner[i].rounds, __ATOMIC_RELAXED) <
			    ROUNDS_MIN)
			return false;
	return true;
}

TEST_F_TIMEOUT(threads, write_while_sending, 60)
{
	struct arena *a = self->a;
	long long sent;
	int i;

	for (i = 0; i < a->owners; i++) {
		ASSERT_EQ(0, pthread_create(&a->owner[i].thread, NULL,
					    owner_run, &a->owner[i]));
	}
	for (i = 0; !stopped(a) && i < RUN_MS_MAX &&
		    (i < run_ms() || !enough_rounds(a));
	     i += 50)
		sl_sleep_ms(50);
	__atomic_store_n(&a->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < a->owners; i++) {
		pthread_join(a->owner[i].thread, NULL);
		EXPECT_EQ(0, a->owner[i].error[0])
		TH_LOG("%s", a->owner[i].error);
		EXPECT_LE(ROUNDS_MIN, a->owner[i].passes);
	}
	for (i = 0; i < variant->senders; i++) {
		EXPECT_LE(ROUNDS_MIN, a->owner[i].rounds);
		/* Much of it has to have been on loan, or this proves little */
		sent = (long long)a->owner[i].rounds * BURST * a->len;
		EXPECT_LT(sent / 4,
			  sl_plain() ? sent : sl_lent(a->owner[i].p.tx))
		sl_log_counters();
		TH_LOG("%lu rounds, %lu passes, lent %lld of %lld",
		       a->owner[i].rounds, a->owner[i].passes,
		       sl_plain() ? 0 : sl_lent(a->owner[i].p.tx), sent);
	}
	if (variant->huge) {
		EXPECT_LT(a->pages * ROUNDS_MIN / 2,
			  sl_plain() ? 1000 : sl_rise(&self->c, "PagesHuge"));
	}
}

/* -- the buffer is dropped and refilled while another thread sends it ----- */

struct churn {
	pthread_t thread;
	unsigned char *data;
	size_t len;
	bool stop;
	unsigned long passes;
	bool lost;
};

/* Each page says where in the buffer it belongs, beside a count */
static uint64_t tag(size_t at, unsigned long pass)
{
	return (at / sl_page + 1) << 48 | (pass & 0xffffffff);
}

static void *churn_run(void *arg)
{
	struct churn *c = arg;
	uint64_t *w;
	size_t at;

	sl_cpu(1);
	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		for (at = 0; at < c->len; at += sl_page) {
			w = (uint64_t *)(c->data + at);
			__atomic_store_n(w, tag(at, c->passes),
					 __ATOMIC_RELAXED);
			if (__atomic_load_n(w, __ATOMIC_RELAXED) !=
			    tag(at, c->passes))
				c->lost = true;
		}
		madvise(c->data, c->len / 2, MADV_DONTNEED);
		mprotect(c->data, c->len, PROT_READ);
		mprotect(c->data, c->len, PROT_READ | PROT_WRITE);
		madvise(c->data + c->len / 2, c->len / 2, MADV_DONTNEED);
		__atomic_add_fetch(&c->passes, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Every page is as it was at some time: empty, or with its own tag */
static bool churned(const unsigned char *got, size_t len)
{
	size_t at, i;
	uint64_t v;

	for (at = 0; at < len; at += sl_page) {
		memcpy(&v, got + at, sizeof(v));
		if (v && v >> 48 != at / sl_page + 1)
			return false;
		for (i = sizeof(v); i < sl_page; i++)
			if (got[at + i])
				return false;
	}
	return true;
}

TEST(drop_while_sending)
{
	struct churn c = { .len = 32 * sl_page };
	unsigned char *got;
	struct sl_pair p;
	struct sl_buf b;
	long rounds = 0;
	uint64_t until;

	got = malloc(c.len);
	ASSERT_NE(NULL, got);
	ASSERT_EQ(0, sl_pair(&p, AF_INET));
	ASSERT_EQ(0, sl_buf_map(&b, c.len, 0, 0));
	memset(b.data, 0, b.len);
	c.data = b.data;
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, churn_run, &c));
	sl_cpu(0);
	for (until = sl_ms() + run_ms();
	     sl_ms() < until ||
	     __atomic_load_n(&c.passes, __ATOMIC_RELAXED) < ROUNDS_MIN;
	     rounds++) {
		ASSERT_EQ(c.len, send(p.tx, b.data, c.len, 0));
		ASSERT_EQ(0, sl_drain_raw(p.rx, got, c.len));
		ASSERT_TRUE(churned(got, c.len));
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELAXED);
	pthread_join(c.thread, NULL);
	EXPECT_FALSE(c.lost);
	EXPECT_LE(ROUNDS_MIN, rounds);
	EXPECT_LE(ROUNDS_MIN, c.passes);
	EXPECT_LENT_SOME(p.tx);
	sl_pair_close(&p);
	sl_buf_unmap(&b);
	free(got);
}

TEST_HARNESS_MAIN
