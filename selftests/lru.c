// SPDX-License-Identifier: GPL-2.0
/*
 * A page fresh from a fault waits in its CPU's batch for the LRU lists, and the
 * batch has a reference on it.  That must not keep a small buffer from being
 * lent, even when it was written on another CPU than it is sent from.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_test.h"

FIXTURE(lru)
{
	struct sl_pair p;
	unsigned char *page;
};

FIXTURE_VARIANT(lru)
{
	int family;
	int writer; /* its CPU; the sender's is 0 */
};

FIXTURE_VARIANT_ADD(lru, v4_this_cpu){
	.family = AF_INET,
	.writer = 0,
};

FIXTURE_VARIANT_ADD(lru, v4_another_cpu){
	.family = AF_INET,
	.writer = 1,
};

FIXTURE_VARIANT_ADD(lru, v6_another_cpu){
	.family = AF_INET6,
	.writer = 1,
};

FIXTURE_SETUP(lru)
{
	/* The test itself has to skip: the harness would go on with it. */
	if (sysconf(_SC_NPROCESSORS_ONLN) <= variant->writer)
		return;
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	/* Not sl_buf_map(), which sees to it that pages have settled */
	self->page = mmap(NULL, sl_page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, sl_cpu(variant->writer));
	sl_fill_at(self->page, sl_page, 1, 0);
	ASSERT_EQ(0, sl_cpu(0));
}

FIXTURE_TEARDOWN(lru)
{
	if (!self->page)
		return;
	sl_pair_close(&self->p);
	munmap(self->page, sl_page);
}

TEST_F(lru, lent_soon)
{
	uint64_t end = sl_ms() + 5000;

	if (!self->page)
		SKIP(return, "takes two CPUs");
	do {
		ASSERT_EQ(sl_page, send(self->p.tx, self->page, sl_page, 0));
		EXPECT_EQ(0, sl_drain(self->p.rx, sl_page, 1));
		sl_sleep_ms(1);
	} while (!sl_plain() && sl_lent(self->p.tx) == 0 && sl_ms() < end);
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_HARNESS_MAIN
