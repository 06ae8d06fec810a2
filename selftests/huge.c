// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages: lent as they are, and kept whole until the program writes
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_mem.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define LEN SL_HUGE
#define PAGES ((long long)(LEN / sl_page))

FIXTURE(huge)
{
	struct sl_pair p;
	struct sl_counters c;
	unsigned char *data;
};

FIXTURE_VARIANT(huge)
{
	int family;
};

FIXTURE_VARIANT_ADD(huge, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(huge, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(huge)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	self->data = sl_huge_map(LEN, OLD);
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(huge)
{
	sl_pair_close(&self->p);
}

#define REQUIRE_HUGE(_self)                                     \
	do {                                                    \
		if (!(_self)->data)                             \
			SKIP(return, "no huge page to be had"); \
	} while (0)

/* Send it all, which is lent out of the huge page and does not split it */
#define LEND(_self)                                                         \
	do {                                                                \
		ASSERT_EQ(LEN, send((_self)->p.tx, (_self)->data, LEN, 0)); \
		EXPECT_LENT((_self)->p.tx, LEN);                            \
		EXPECT_RISE_BY(&(_self)->c, "PagesHuge", PAGES);            \
		EXPECT_NO_RISE(&(_self)->c, "FbHuge");                      \
		EXPECT_TRUE(sl_is_huge((_self)->data));                     \
	} while (0)

#define EXPECT_ARRIVES(_self) EXPECT_EQ(0, sl_drain((_self)->p.rx, LEN, OLD))

TEST_F(huge, overwrite)
{
	REQUIRE_HUGE(self);
	LEND(self);
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
}

/* The parts of it that are not written stay what they were */
TEST_F(huge, overwrite_a_word_a_page)
{
	size_t i;

	REQUIRE_HUGE(self);
	LEND(self);
	for (i = 0; i < LEN; i += 16 * sl_page)
		sl_fill_at(self->data + i, 8, NEW, i);
	for (i = 0; i < LEN; i += 16 * sl_page) {
		ASSERT_EQ(-1, sl_differs_at(self->data + i, 8, NEW, i));
		ASSERT_EQ(-1, sl_differs_at(self->data + i + 8,
					    16 * sl_page - 8, OLD, i + 8));
	}
	EXPECT_ARRIVES(self);
}

/* Acknowledged and not written to: it is whole, before and after */
TEST_F(huge, stays_whole)
{
	int i;

	REQUIRE_HUGE(self);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(LEN, send(self->p.tx, self->data, LEN, 0));
		EXPECT_ARRIVES(self);
		EXPECT_TRUE(sl_is_huge(self->data));
	}
	EXPECT_LENT(self->p.tx, 3 * LEN);
	EXPECT_RISE_BY(&self->c, "PagesHuge", 3 * PAGES);
	EXPECT_RISE(&self->c, "PagesShared");
}

/* Written after everything has been acknowledged: nobody else needs it */
TEST_F(huge, overwrite_after_ack)
{
	REQUIRE_HUGE(self);
	LEND(self);
	EXPECT_ARRIVES(self);
	sl_settle();
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	ASSERT_EQ(LEN, send(self->p.tx, self->data, LEN, 0));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, NEW));
	EXPECT_LENT(self->p.tx, 2 * LEN);
}

/* Sent while it is on loan, with changes in between */
TEST_F(huge, rewritten_in_flight)
{
	int i;

	REQUIRE_HUGE(self);
	for (i = 0; i < 2; i++) {
		sl_fill(self->data, SL_MIB, OLD + i);
		ASSERT_EQ(SL_MIB, send(self->p.tx, self->data, SL_MIB, 0));
	}
	sl_fill(self->data, SL_MIB, OLD + 2);
	EXPECT_EQ(0, sl_drain(self->p.rx, SL_MIB, OLD));
	EXPECT_EQ(0, sl_drain(self->p.rx, SL_MIB, OLD + 1));
	EXPECT_EQ(-1, sl_differs(self->data, SL_MIB, OLD + 2));
	EXPECT_EQ(-1, sl_differs_at(self->data + SL_MIB, SL_MIB, OLD, SL_MIB));
}

/* Small parts of it, from anywhere in it */
TEST_F(huge, in_parts)
{
	static const struct {
		size_t at, len;
	} part[] = {
		{ 0, 4096 },	      { 4096, 65536 },	  { 1003, 20000 },
		{ LEN - 8192, 8192 }, { 777777, 300000 },
	};
	size_t whole = 0;
	int i;

	REQUIRE_HUGE(self);
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		ASSERT_EQ(part[i].len, send(self->p.tx, self->data + part[i].at,
					    part[i].len, 0));
		whole += sl_whole(self->data + part[i].at, part[i].len);
	}
	EXPECT_LENT(self->p.tx, whole);
	EXPECT_RISE_BY(&self->c, "PagesHuge", whole / sl_page);
	EXPECT_TRUE(sl_is_huge(self->data));
	sl_fill(self->data, LEN, NEW);
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		EXPECT_EQ(0, sl_drain_at(self->p.rx, part[i].len, OLD,
					 part[i].at));
	}
}

TEST_F(huge, fork)
{
	pid_t pid;

	REQUIRE_HUGE(self);
	LEND(self);
	pid = fork();
	if (!pid) {
		sl_fill(self->data, LEN, NEW + 1);
		_exit(sl_differs(self->data, LEN, NEW + 1) != -1);
	}
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
}

/* Shared with a child already: lent all the same */
TEST_F(huge, child_alive)
{
	int pfd[2];
	pid_t pid;
	char c;

	REQUIRE_HUGE(self);
	ASSERT_EQ(0, pipe(pfd));
	pid = fork();
	if (!pid) {
		close(pfd[1]);
		_exit(read(pfd[0], &c, 1) != 0 ||
		      sl_differs(self->data, LEN, OLD) != -1);
	}
	LEND(self);
	sl_fill(self->data, LEN, NEW);
	close(pfd[1]);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
}

/* -- half of it is changed while it is lent ------------------------------------ */

TEST_F(huge, munmap_half)
{
	REQUIRE_HUGE(self);
	LEND(self);
	ASSERT_EQ(0, munmap(self->data + LEN / 2, LEN / 2));
	sl_fill(self->data, LEN / 2, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN / 2, NEW));
	EXPECT_ARRIVES(self);
}

TEST_F(huge, dontneed_half)
{
	size_t i;

	REQUIRE_HUGE(self);
	LEND(self);
	ASSERT_EQ(0, madvise(self->data, LEN / 2, MADV_DONTNEED));
	for (i = 0; i < LEN / 2 && !self->data[i]; i++)
		;
	EXPECT_EQ(LEN / 2, i);
	EXPECT_EQ(-1,
		  sl_differs_at(self->data + LEN / 2, LEN / 2, OLD, LEN / 2));
	sl_fill(self->data, LEN, NEW);
	EXPECT_ARRIVES(self);
}

TEST_F(huge, free)
{
	REQUIRE_HUGE(self);
	LEND(self);
	ASSERT_EQ(0, madvise(self->data, LEN, MADV_FREE));
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
}

TEST_F(huge, mprotect)
{
	REQUIRE_HUGE(self);
	LEND(self);
	ASSERT_EQ(0, mprotect(self->data, LEN, PROT_READ));
	ASSERT_EQ(0, mprotect(self->data, LEN, PROT_READ | PROT_WRITE));
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
}

TEST_F(huge, mprotect_half)
{
	REQUIRE_HUGE(self);
	LEND(self);
	ASSERT_EQ(0, mprotect(self->data, LEN / 2, PROT_NONE));
	sl_fill(self->data + LEN / 2, LEN / 2, NEW);
	ASSERT_EQ(0, mprotect(self->data, LEN / 2, PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, sl_differs(self->data, LEN / 2, OLD));
	sl_fill(self->data, LEN / 2, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN / 2, NEW));
	EXPECT_EQ(-1, sl_differs(self->data + LEN / 2, LEN / 2, NEW));
	EXPECT_ARRIVES(self);
}

/* As a whole, to where it is a huge page again, and to where it cannot be */
TEST_F(huge, mremap)
{
	unsigned char *to = sl_huge_area(LEN), *odd, *p;

	REQUIRE_HUGE(self);
	ASSERT_NE(NULL, to);
	LEND(self);
	p = mremap(self->data, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, p);
	EXPECT_EQ(-1, sl_differs(p, LEN, OLD));
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));

	odd = sl_huge_area(2 * LEN) + 5 * sl_page;
	p = mremap(p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, odd);
	ASSERT_EQ(odd, p);
	EXPECT_EQ(-1, sl_differs(p, LEN, OLD));
	ASSERT_EQ(LEN / 2, send(self->p.tx, p, LEN / 2, 0));
	sl_fill(p, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(p, LEN, NEW));
	EXPECT_ARRIVES(self);
	EXPECT_ARRIVES(self);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN / 2, OLD));
}

/* -- mapped by small entries ------------------------------------------------- */

/* Part of it was unmapped before: what is left is lent page by page */
TEST_F(huge, split_by_munmap)
{
	size_t len = LEN - 3 * sl_page;

	REQUIRE_HUGE(self);
	ASSERT_EQ(0, munmap(self->data + len, LEN - len));
	ASSERT_EQ(len, send(self->p.tx, self->data, len, 0));
	EXPECT_LENT_SOME(self->p.tx);
	sl_fill(self->data, len, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, len, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, len, OLD));
}

TEST_F(huge, split_by_mprotect)
{
	REQUIRE_HUGE(self);
	ASSERT_EQ(0, mprotect(self->data + 7 * sl_page, sl_page, PROT_READ));
	ASSERT_EQ(LEN, send(self->p.tx, self->data, LEN, 0));
	EXPECT_LENT_SOME(self->p.tx);
	ASSERT_EQ(0, mprotect(self->data, LEN, PROT_READ | PROT_WRITE));
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
}

/* Split while it is on loan, and lent again */
TEST_F(huge, split_on_loan)
{
	REQUIRE_HUGE(self);
	LEND(self);
	ASSERT_EQ(0, mprotect(self->data + 7 * sl_page, sl_page, PROT_READ));
	ASSERT_EQ(SL_MIB, send(self->p.tx, self->data, SL_MIB, 0));
	ASSERT_EQ(0, mprotect(self->data, LEN, PROT_READ | PROT_WRITE));
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
	EXPECT_EQ(0, sl_drain(self->p.rx, SL_MIB, OLD));
}

/* Small pages on loan when the kernel makes a huge one of them */
TEST_F(huge, collapse_on_loan)
{
	REQUIRE_HUGE(self);
	ASSERT_EQ(0, madvise(self->data, LEN, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, madvise(self->data, LEN, MADV_DONTNEED));
	sl_fill(self->data, LEN, OLD);
	ASSERT_FALSE(sl_is_huge(self->data));
	sl_count(&self->c);
	ASSERT_EQ(LEN, send(self->p.tx, self->data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	EXPECT_NO_RISE(&self->c, "PagesHuge");

	ASSERT_EQ(0, madvise(self->data, LEN, MADV_HUGEPAGE));
	if (madvise(self->data, LEN, MADV_COLLAPSE) && errno == EINVAL)
		SKIP(return, "no MADV_COLLAPSE");
	EXPECT_EQ(-1, sl_differs(self->data, LEN, OLD));
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);

	/* With nothing on loan it can be done, and is lent as such */
	sl_fill(self->data, LEN, OLD);
	sl_settle();
	if (madvise(self->data, LEN, MADV_COLLAPSE) || !sl_is_huge(self->data))
		return;
	ASSERT_EQ(LEN, send(self->p.tx, self->data, LEN, 0));
	EXPECT_RISE(&self->c, "PagesHuge");
	sl_fill(self->data, LEN, NEW);
	EXPECT_ARRIVES(self);
}

/* From a huge page on into small ones */
TEST_F(huge, and_small)
{
	unsigned char *p = sl_huge_area(2 * LEN);
	size_t len = 700 * SL_KIB;

	REQUIRE_HUGE(self);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, madvise(p + LEN, LEN, MADV_NOHUGEPAGE));
	sl_fill(p, 2 * LEN, OLD);
	if (!sl_is_huge(p))
		SKIP(return, "no huge page to be had");
	ASSERT_EQ(2 * len, send(self->p.tx, p + LEN - len, 2 * len, 0));
	EXPECT_LENT(self->p.tx, 2 * len);
	EXPECT_RISE_BY(&self->c, "PagesHuge", len / sl_page);
	sl_fill(p, 2 * LEN, NEW);
	EXPECT_EQ(0, sl_drain_at(self->p.rx, 2 * len, OLD, LEN - len));
}

/* -- writes that are not the program's own stores ------------------------------ */

TEST_F(huge, proc_self_mem)
{
	unsigned char *other = malloc(LEN);
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	REQUIRE_HUGE(self);
	ASSERT_GE(fd, 0);
	LEND(self);
	sl_fill(other, LEN, NEW);
	ASSERT_EQ(LEN, pwrite(fd, other, LEN, (uintptr_t)self->data));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
	close(fd);
	free(other);
}

TEST_F(huge, process_vm_writev)
{
	struct iovec to = { self->data, LEN }, from = { NULL, LEN };
	pid_t pid;

	REQUIRE_HUGE(self);
	from.iov_base = malloc(LEN);
	sl_fill(from.iov_base, LEN, NEW);
	LEND(self);
	pid = fork();
	if (!pid)
		_exit(process_vm_writev(getppid(), &from, 1, &to, 1, 0) != LEN);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);
	free(from.iov_base);
}

TEST_F(huge, pageout)
{
	REQUIRE_HUGE(self);
	if (sl_swap_on())
		SKIP(return, "no swap");
	LEND(self);
	ASSERT_EQ(0, madvise(self->data, LEN, MADV_PAGEOUT));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, OLD));
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_ARRIVES(self);

	/* Off loan; whatever is in swap comes back to be lent */
	ASSERT_EQ(0, madvise(self->data, LEN, MADV_PAGEOUT));
	ASSERT_EQ(LEN, send(self->p.tx, self->data, LEN, 0));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, NEW));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	munmap(self->data, LEN);
	sl_swap_off();
}

/* -- never touched -------------------------------------------------------------- */

/* Bytes that are all zero arrive */
static int zeroes(int fd, size_t len)
{
	static unsigned char got[65536];
	static const unsigned char zero[65536];
	size_t n;

	for (; len; len -= n) {
		n = len < sizeof(got) ? len : sizeof(got);
		if (sl_drain_raw(fd, got, n) || memcmp(got, zero, n))
			return -1;
	}
	return 0;
}

TEST_F(huge, never_touched)
{
	unsigned char *p = sl_huge_area(LEN);
	long long rss;

	REQUIRE_HUGE(self);
	ASSERT_NE(NULL, p);
	rss = sl_status_kib("RssAnon");
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	EXPECT_RISE_BY(&self->c, "PagesZero", PAGES);
	if (!sl_plain()) {
		EXPECT_EQ(0, sl_huge_kib(p));
		EXPECT_GT(256, sl_status_kib("RssAnon") - rss);
	}
	sl_fill(p, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(p, LEN, NEW));
	EXPECT_EQ(0, zeroes(self->p.rx, LEN));
}

TEST_F(huge, never_touched_small)
{
	long long rss;
	struct sl_buf b;

	REQUIRE_HUGE(self);
	ASSERT_EQ(0, sl_buf_map(&b, SL_MIB, 0, OLD));
	ASSERT_EQ(0, madvise(b.data, SL_MIB, MADV_DONTNEED));
	rss = sl_status_kib("RssAnon");
	ASSERT_EQ(SL_MIB, send(self->p.tx, b.data, SL_MIB, 0));
	EXPECT_LENT(self->p.tx, SL_MIB);
	EXPECT_RISE_BY(&self->c, "PagesZero", SL_MIB / sl_page);
	if (!sl_plain()) {
		EXPECT_GT(256, sl_status_kib("RssAnon") - rss);
	}
	sl_fill(b.data, SL_MIB, NEW);
	EXPECT_EQ(0, zeroes(self->p.rx, SL_MIB));
	sl_buf_unmap(&b);
}

/* -- folios of several pages, on kernels that have them -------------------------- */

#define MULTI "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"

FIXTURE(folio)
{
	struct sl_pair p;
	struct sl_counters c;
	struct sl_buf b;
};

FIXTURE_SETUP(folio)
{
	ASSERT_EQ(0, sl_pair(&self->p, AF_INET));
	if (sl_put(MULTI, "always"))
		return;
	ASSERT_EQ(0, sl_buf_map(&self->b, SL_MIB, 0, 0));
	/* The helper wants small pages */
	ASSERT_EQ(0, madvise(self->b.data, SL_MIB, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->b.data, SL_MIB, MADV_HUGEPAGE));
	sl_fill(self->b.data, SL_MIB, OLD);
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(folio)
{
	sl_put(MULTI, "never");
	sl_pair_close(&self->p);
}

#define REQUIRE_FOLIOS(_self)                                \
	do {                                                 \
		if (!(_self)->b.data)                        \
			SKIP(return, "no folios of 64 KiB"); \
	} while (0)

TEST_F(folio, overwrite)
{
	REQUIRE_FOLIOS(self);
	ASSERT_EQ(SL_MIB, send(self->p.tx, self->b.data, SL_MIB, 0));
	EXPECT_LENT(self->p.tx, SL_MIB);
	sl_fill(self->b.data, SL_MIB, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, SL_MIB, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, SL_MIB, OLD));
}

/* A page in the middle of a folio is not the first that it is lent from */
TEST_F(folio, in_parts)
{
	size_t at;

	REQUIRE_FOLIOS(self);
	for (at = sl_page; at + 3 * sl_page <= SL_MIB; at += 13 * sl_page) {
		ASSERT_EQ(3 * sl_page,
			  send(self->p.tx, self->b.data + at, 3 * sl_page, 0));
	}
	sl_fill(self->b.data, SL_MIB, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, SL_MIB, NEW));
	for (at = sl_page; at + 3 * sl_page <= SL_MIB; at += 13 * sl_page) {
		EXPECT_EQ(0, sl_drain_at(self->p.rx, 3 * sl_page, OLD, at));
	}
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_F(folio, unmapped_in_part)
{
	REQUIRE_FOLIOS(self);
	ASSERT_EQ(SL_MIB, send(self->p.tx, self->b.data, SL_MIB, 0));
	ASSERT_EQ(0, munmap(self->b.data + 5 * sl_page, 7 * sl_page));
	sl_fill(self->b.data, 5 * sl_page, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, SL_MIB, OLD));
}

TEST_HARNESS_MAIN
