// SPDX-License-Identifier: GPL-2.0
/*
 * Loans and what else works on page tables: KSM, userfaultfd, reclaim and
 * compaction
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "sl_mem.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define LEN (128 * SL_KIB)
#define WAIT_MS 10000 /* for a kernel thread to come by */

FIXTURE(mm)
{
	struct sl_pair p;
	struct sl_buf b;
	struct sl_counters c;
};

FIXTURE_VARIANT(mm)
{
	int family;
};

FIXTURE_VARIANT_ADD(mm, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(mm, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(mm)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, OLD));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(mm)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

/* -- KSM -------------------------------------------------------------------- */

#define KSM "/sys/kernel/mm/ksm/"

/* A page of the stream, again and again */
static void fill_alike(unsigned char *p, size_t len)
{
	size_t at;

	for (at = 0; at < len; at += sl_page)
		sl_fill(p + at, sl_page, OLD);
}

static int ksm_on(void)
{
	return sl_put(KSM "sleep_millisecs", "1") ||
			       sl_put(KSM "pages_to_scan", "2000") ||
			       sl_put(KSM "run", "1") ?
		       -1 :
		       0;
}

static void ksm_off(void)
{
	sl_put(KSM "run", "2");
	sl_put(KSM "run", "0");
}

static bool ksm_merged(int pages)
{
	uint64_t until = sl_ms() + WAIT_MS;

	while (sl_get(KSM "pages_sharing") < pages) {
		if (sl_ms() > until)
			return false;
		sl_sleep_ms(20);
	}
	return true;
}

static int drain_alike(int fd, size_t len)
{
	size_t at;

	for (at = 0; at < len; at += sl_page)
		if (sl_drain(fd, sl_page, OLD))
			return -1;
	return 0;
}

TEST_F(mm, ksm_then_send)
{
	fill_alike(self->b.data, LEN);
	if (madvise(self->b.data, LEN, MADV_MERGEABLE) || ksm_on())
		SKIP(return, "no KSM");
	ASSERT_TRUE(ksm_merged(LEN / sl_page - 1));
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	EXPECT_RISE_BY(&self->c, "PagesShared", LEN / sl_page);
	sl_fill(self->b.data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	EXPECT_EQ(0, drain_alike(self->p.rx, LEN));
	ksm_off();
}

/* Merging pages on loan would change what goes out under whoever sent it */
TEST_F(mm, send_then_ksm)
{
	long long scans;

	fill_alike(self->b.data, LEN);
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	if (madvise(self->b.data, LEN, MADV_MERGEABLE) || ksm_on())
		SKIP(return, "no KSM");
	scans = sl_get(KSM "full_scans");
	while (sl_get(KSM "full_scans") < scans + 3)
		sl_sleep_ms(10);
	sl_fill(self->b.data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	EXPECT_EQ(0, drain_alike(self->p.rx, LEN));
	ksm_off();
}

/* -- userfaultfd ------------------------------------------------------------ */

static int uffd_open(__u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd;

	fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!ioctl(fd, UFFDIO_API, &api))
		return fd;
	close(fd);
	return -1;
}

static int uffd_register(int fd, struct sl_buf *b, __u64 mode)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)b->map, b->map_len },
		.mode = mode,
	};

	return ioctl(fd, UFFDIO_REGISTER, &reg);
}

static int uffd_protect(int fd, uintptr_t addr, size_t len, __u64 mode)
{
	struct uffdio_writeprotect wp = {
		.range = { addr, len },
		.mode = mode,
	};

	return ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
}

struct handler {
	pthread_t thread;
	int uffd;
	int faults;
	void *page; /* to answer missing pages with */
};

/* Lets every write through, or brings every missing page, one by one */
static void *handler_run(void *arg)
{
	struct handler *h = arg;
	struct uffdio_copy copy;
	struct uffd_msg msg;
	uintptr_t addr;

	while (read(h->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		if (msg.event != UFFD_EVENT_PAGEFAULT)
			break;
		h->faults++;
		addr = msg.arg.pagefault.address & ~(sl_page - 1);
		if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
			uffd_protect(h->uffd, addr, sl_page, 0);
			continue;
		}
		copy = (struct uffdio_copy){
			.dst = addr,
			.src = (uintptr_t)h->page,
			.len = sl_page,
		};
		ioctl(h->uffd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

#define UFFD_WP UFFDIO_WRITEPROTECT_MODE_WP

/* Write-protected before the send: every page's fault still comes */
TEST_F(mm, uffd_wp)
{
	struct handler h = { 0 };

	h.uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	if (h.uffd < 0 ||
	    uffd_register(h.uffd, &self->b, UFFDIO_REGISTER_MODE_WP))
		SKIP(return, "no userfaultfd write protection");
	ASSERT_EQ(0,
		  uffd_protect(h.uffd, (uintptr_t)self->b.map, LEN, UFFD_WP));
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, 0);
	EXPECT_RISE(&self->c, "FbUffd");
	ASSERT_EQ(0, pthread_create(&h.thread, NULL, handler_run, &h));
	sl_fill(self->b.data, LEN, NEW);
	EXPECT_EQ(LEN / sl_page, h.faults);
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
}

/* Write-protected while on loan: the faults come, and then the copies */
TEST_F(mm, uffd_wp_on_loan)
{
	struct handler h = { 0 };

	h.uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	if (h.uffd < 0)
		SKIP(return, "no userfaultfd write protection");
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	ASSERT_EQ(0, uffd_register(h.uffd, &self->b, UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0,
		  uffd_protect(h.uffd, (uintptr_t)self->b.map, LEN, UFFD_WP));
	ASSERT_EQ(0, pthread_create(&h.thread, NULL, handler_run, &h));
	sl_fill(self->b.data, LEN, NEW);
	EXPECT_EQ(LEN / sl_page, h.faults);
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
}

/* Unprotected while on loan: that must not make lent pages writable */
TEST_F(mm, uffd_unprotect_on_loan)
{
	int fd;

	fd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	if (fd < 0)
		SKIP(return, "no userfaultfd write protection");
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, uffd_register(fd, &self->b, UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, uffd_protect(fd, (uintptr_t)self->b.map, LEN, UFFD_WP));
	ASSERT_EQ(0, uffd_protect(fd, (uintptr_t)self->b.map, LEN, 0));
	sl_fill(self->b.data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	close(fd);
}

/* The send itself waits for pages that another thread brings */
TEST_F(mm, uffd_missing)
{
	struct handler h = { 0 };
	size_t at;

	h.uffd = uffd_open(0);
	if (h.uffd < 0)
		SKIP(return, "no userfaultfd");
	h.page = malloc(sl_page);
	sl_fill(h.page, sl_page, OLD);
	ASSERT_EQ(0, madvise(self->b.data, LEN, MADV_DONTNEED));
	ASSERT_EQ(0, uffd_register(h.uffd, &self->b,
				   UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, pthread_create(&h.thread, NULL, handler_run, &h));
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_EQ(LEN / sl_page, h.faults);
	sl_fill(self->b.data, LEN, NEW);
	for (at = 0; at < LEN; at += sl_page) {
		ASSERT_EQ(0, sl_drain(self->p.rx, sl_page, OLD));
	}
}

/* -- reclaim and compaction -------------------------------------------------- */

TEST_F(mm, swap)
{
	if (sl_swap_on())
		SKIP(return, "no swap");

	/* Sent from swap */
	ASSERT_EQ(0, madvise(self->b.data, LEN, MADV_PAGEOUT));
	EXPECT_LT(0, sl_status_kib("VmSwap"));
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_LENT_SOME(self->p.tx);

	/* Paged out while on loan, as far as that goes */
	ASSERT_EQ(0, madvise(self->b.data, LEN, MADV_PAGEOUT));
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, OLD));
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, madvise(self->b.data, LEN, MADV_PAGEOUT));
	sl_fill(self->b.data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	sl_swap_off();
}

/* Written to swap and read back: what was lent in between was the same */
TEST_F(mm, swap_after_loan)
{
	if (sl_swap_on())
		SKIP(return, "no swap");
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	ASSERT_EQ(0, madvise(self->b.data, LEN, MADV_PAGEOUT));
	EXPECT_LT(0, sl_status_kib("VmSwap"));
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, OLD));
	sl_fill(self->b.data, LEN, NEW);
	ASSERT_EQ(0, madvise(self->b.data, LEN, MADV_PAGEOUT));
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	sl_swap_off();
}

TEST_F(mm, compaction)
{
	ASSERT_EQ(LEN, send(self->p.tx, self->b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	if (sl_put("/proc/sys/vm/compact_memory", "1"))
		SKIP(return, "no compaction");
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, OLD));
	sl_fill(self->b.data, LEN, NEW);
	ASSERT_EQ(0, sl_put("/proc/sys/vm/compact_memory", "1"));
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
}

TEST_HARNESS_MAIN
