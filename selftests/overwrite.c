// SPDX-License-Identifier: GPL-2.0
/*
 * What a program may do to its buffer right after a send
 *
 * The receiver reads only afterwards, and has to get what was in the buffer
 * when send was called.  What the program reads back is what it wrote.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "sl_variants.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */

FIXTURE(loan)
{
	struct sl_pair p;
	struct sl_buf b;
};

FIXTURE_VARIANT(loan)
{
	SL_AXES;
};

SL_VARIANTS_ALL(loan);

FIXTURE_SETUP(loan)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
	ASSERT_EQ(variant->len, send(self->p.tx, self->b.data, self->b.len, 0));
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, self->b.len));
	EXPECT_COPIED(self->p.tx,
		      self->b.len - sl_whole(self->b.data, self->b.len));
	EXPECT_PROTECTED(self->p.tx,
			 sl_whole(self->b.data, self->b.len) / sl_page);
}

/* Nobody has read yet: all that was sent is still on its way */
FIXTURE_TEARDOWN(loan)
{
	EXPECT_EQ(0, sl_drain(self->p.rx, variant->len, OLD));
	sl_pair_close(&self->p);
}

TEST_F(loan, overwrite)
{
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

/* One word in a page: the rest of the page has to stay as it was */
TEST_F(loan, overwrite_a_word_a_page)
{
	unsigned char *data = self->b.data;
	size_t i;

	for (i = 0; i + 8 <= self->b.len; i += sl_page)
		sl_fill_at(data + i, 8, NEW, i);
	for (i = 0; i + 8 <= self->b.len; i += sl_page) {
		size_t rest = self->b.len - i;

		if (rest > sl_page)
			rest = sl_page;
		ASSERT_EQ(-1, sl_differs_at(data + i, 8, NEW, i));
		ASSERT_EQ(-1,
			  sl_differs_at(data + i + 8, rest - 8, OLD, i + 8));
	}
}

TEST_F(loan, munmap)
{
	EXPECT_EQ(0, munmap(self->b.map, self->b.map_len));
}

/* New memory at the old address */
TEST_F(loan, munmap_mmap)
{
	void *p;

	ASSERT_EQ(0, munmap(self->b.map, self->b.map_len));
	p = mmap(self->b.map, self->b.map_len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->b.map, p);
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

TEST_F(loan, mmap_over)
{
	void *p;

	p = mmap(self->b.map, self->b.map_len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->b.map, p);
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

/* Making pages writable again must not make lent ones writable */
TEST_F(loan, mprotect)
{
	ASSERT_EQ(0, mprotect(self->b.map, self->b.map_len, PROT_READ));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, OLD));
	ASSERT_EQ(0, mprotect(self->b.map, self->b.map_len,
			      PROT_READ | PROT_WRITE));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

TEST_F(loan, mprotect_none)
{
	ASSERT_EQ(0, mprotect(self->b.map, self->b.map_len, PROT_NONE));
	ASSERT_EQ(0, mprotect(self->b.map, self->b.map_len,
			      PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, OLD));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

TEST_F(loan, mremap)
{
	unsigned char *to, *p, *data;

	to = mmap(NULL, self->b.map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		  -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)to);
	p = mremap(self->b.map, self->b.map_len, self->b.map_len,
		   MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, p);
	data = to + variant->offset;
	EXPECT_EQ(-1, sl_differs(data, self->b.len, OLD));
	sl_fill(data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(data, self->b.len, NEW));
}

/* Another buffer is moved on top of the lent one */
TEST_F(loan, mremap_over)
{
	struct sl_buf b;
	void *p;

	ASSERT_EQ(0, sl_buf_map(&b, variant->len, variant->offset, NEW));
	p = mremap(b.map, b.map_len, b.map_len, MREMAP_MAYMOVE | MREMAP_FIXED,
		   self->b.map);
	ASSERT_EQ(self->b.map, p);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	sl_fill(self->b.data, self->b.len, NEW + 1);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW + 1));
}

TEST_F(loan, madvise_dontneed)
{
	size_t i;

	ASSERT_EQ(0, madvise(self->b.map, self->b.map_len, MADV_DONTNEED));
	for (i = 0; i < self->b.len && !self->b.data[i]; i++)
		;
	EXPECT_EQ(self->b.len, i);
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

TEST_F(loan, madvise_free)
{
	ASSERT_EQ(0, madvise(self->b.map, self->b.map_len, MADV_FREE));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

/* Overwritten and sent once more: both streams arrive, in order */
TEST_F(loan, send_again)
{
	sl_fill(self->b.data, self->b.len, NEW);
	ASSERT_EQ(variant->len, send(self->p.tx, self->b.data, self->b.len, 0));
	sl_fill(self->b.data, self->b.len, NEW + 1);
	EXPECT_EQ(0, sl_drain(self->p.rx, variant->len, OLD));
	EXPECT_EQ(0, sl_drain(self->p.rx, variant->len, NEW));
	EXPECT_LENT(self->p.tx, 2 * sl_whole(self->b.data, self->b.len));

	/* The teardown drains once more */
	sl_fill(self->b.data, self->b.len, OLD);
	ASSERT_EQ(variant->len, send(self->p.tx, self->b.data, self->b.len, 0));
}

/* Not overwritten, and sent once more: there is nothing left to protect */
TEST_F(loan, send_unchanged)
{
	struct sl_counters c;
	size_t whole = sl_whole(self->b.data, self->b.len);

	sl_count(&c);
	ASSERT_EQ(variant->len, send(self->p.tx, self->b.data, self->b.len, 0));
	EXPECT_LENT(self->p.tx, 2 * whole);
	EXPECT_PROTECTED(self->p.tx, whole / sl_page);
	EXPECT_RISE_BY(&c, "PagesShared", whole / sl_page);
	EXPECT_NO_RISE(&c, "PagesProtected");
	EXPECT_NO_RISE(&c, "Flushes");
	EXPECT_EQ(0, sl_drain(self->p.rx, variant->len, OLD));

	/* And again with nothing on loan any more */
	ASSERT_EQ(variant->len, send(self->p.tx, self->b.data, self->b.len, 0));
	EXPECT_EQ(0, sl_drain(self->p.rx, variant->len, OLD));
	EXPECT_LENT(self->p.tx, 3 * whole);
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

/* The socket goes first, the buffer is written with the data in flight */
TEST_F(loan, close)
{
	ASSERT_EQ(0, close(self->p.tx));
	self->p.tx = -1;
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
}

FIXTURE(heap)
{
	struct sl_pair p;
};

FIXTURE_VARIANT(heap)
{
	SL_AXES;
};

SL_VARIANTS_FEW(heap);

FIXTURE_SETUP(heap)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
}

FIXTURE_TEARDOWN(heap)
{
	sl_pair_close(&self->p);
}

/* The allocator hands the freed buffer out again, to be filled at once */
TEST_F(heap, free_malloc)
{
	unsigned char *base;
	int round;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, posix_memalign((void **)&base, sl_page,
					    variant->offset + variant->len));
		sl_fill(base + variant->offset, variant->len, round);
		ASSERT_EQ(variant->len, send(self->p.tx, base + variant->offset,
					     variant->len, 0));
		free(base);
	}
	EXPECT_LENT(self->p.tx, 3 * sl_whole((void *)(uintptr_t)variant->offset,
					     variant->len));
	for (round = 0; round < 3; round++) {
		EXPECT_EQ(0, sl_drain(self->p.rx, variant->len, round));
	}
}

TEST_HARNESS_MAIN
