// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds of memory: what is lent, what is copied and for which reason
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "sl_test.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define LEN (256 * SL_KIB)
#define HUGE_PAGE (2 * SL_MIB)

FIXTURE(vma)
{
	struct sl_pair p;
	struct sl_counters c;
};

FIXTURE_VARIANT(vma)
{
	int family;
};

FIXTURE_VARIANT_ADD(vma, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(vma, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(vma)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(vma)
{
	sl_pair_close(&self->p);
}

/* Send it, write something else there, receive what was sent */
#define ASSERT_SURVIVES_REWRITE(_self, _data, _len)                \
	do {                                                       \
		unsigned char *_d = (_data);                       \
		ASSERT_EQ(_len, send((_self)->p.tx, _d, _len, 0)); \
		sl_fill(_d, _len, NEW);                            \
		EXPECT_EQ(-1, sl_differs(_d, _len, NEW));          \
		EXPECT_EQ(0, sl_drain((_self)->p.rx, _len, OLD));  \
	} while (0)

static unsigned char *map(size_t len, int prot, int flags, int fd)
{
	return mmap(NULL, len, prot, flags, fd, 0);
}

/* -- memory that is lent ---------------------------------------------------- */

TEST_F(vma, stack)
{
	unsigned char buf[LEN];

	sl_fill(buf, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, buf, LEN);
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_F(vma, brk_heap)
{
	unsigned char *buf = sbrk(LEN);

	ASSERT_NE((void *)-1, (void *)buf);
	sl_fill(buf, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, buf, LEN);
	EXPECT_LENT(self->p.tx, sl_whole(buf, LEN));
}

TEST_F(vma, bss)
{
	static unsigned char buf[LEN];

	sl_fill(buf, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, buf, LEN);
	EXPECT_LENT(self->p.tx, sl_whole(buf, LEN));
}

TEST_F(vma, mlocked)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	if (mlock(b.data, LEN))
		SKIP(return, "cannot lock memory");
	sl_settle();
	ASSERT_SURVIVES_REWRITE(self, b.data, LEN);
	EXPECT_LENT_SOME(self->p.tx);
	EXPECT_EQ(0, munlock(b.data, LEN));
	EXPECT_EQ(-1, sl_differs(b.data, LEN, NEW));
	sl_buf_unmap(&b);
}

/* Locked while it is on loan: what is locked must be the program's copy */
TEST_F(vma, mlocked_on_loan)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	ASSERT_EQ(LEN, send(self->p.tx, b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	if (mlock(b.data, LEN))
		SKIP(return, "cannot lock memory");
	sl_fill(b.data, LEN, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	EXPECT_EQ(-1, sl_differs(b.data, LEN, NEW));
	sl_buf_unmap(&b);
}

/* A private mapping of a file, once written to, is anonymous memory */
TEST_F(vma, private_file_written)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	unsigned char *p;

	ASSERT_EQ(0, ftruncate(fd, LEN));
	p = map(LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(p, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, p, LEN);
	EXPECT_LENT(self->p.tx, LEN);
	close(fd);
}

/* Only reads of it so far: the zero page */
TEST_F(vma, never_touched)
{
	unsigned char *p, got[4096], zero[4096] = { 0 };
	struct sl_buf b;
	size_t i;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	p = b.data;
	ASSERT_EQ(0, madvise(p, LEN, MADV_DONTNEED));
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	EXPECT_RISE_BY(&self->c, "PagesZero", LEN / sl_page);
	EXPECT_NO_RISE(&self->c, "PagesProtected");
	EXPECT_RISE(&self->c, "FaultIns");
	sl_fill(p, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(p, LEN, NEW));
	for (i = 0; i < LEN; i += sizeof(got)) {
		ASSERT_EQ(0, sl_drain_raw(self->p.rx, got, sizeof(got)));
		ASSERT_EQ(0, memcmp(got, zero, sizeof(got)));
	}
	sl_buf_unmap(&b);
}

/* Some pages never touched among others that were */
TEST_F(vma, touched_here_and_there)
{
	static unsigned char want[LEN], got[LEN];
	struct sl_buf b;
	size_t i;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	for (i = 0; i < LEN; i += 3 * sl_page) {
		ASSERT_EQ(0, madvise(b.data + i, sl_page, MADV_DONTNEED));
	}
	memcpy(want, b.data, LEN);
	for (i = 0; i < LEN; i += 6 * sl_page) {
		ASSERT_EQ(0, madvise(b.data + i, sl_page, MADV_DONTNEED));
	}
	ASSERT_EQ(LEN, send(self->p.tx, b.data, LEN, 0));
	EXPECT_LENT_SOME(self->p.tx);
	EXPECT_RISE(&self->c, "PagesZero");
	sl_fill(b.data, LEN, NEW);
	ASSERT_EQ(0, sl_drain_raw(self->p.rx, got, LEN));
	EXPECT_EQ(0, memcmp(want, got, LEN));
	sl_buf_unmap(&b);
}

/* Read-only before the send, writable again and written afterwards */
TEST_F(vma, read_only)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	ASSERT_EQ(0, mprotect(b.data, LEN, PROT_READ));
	ASSERT_EQ(LEN, send(self->p.tx, b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	ASSERT_EQ(0, mprotect(b.data, LEN, PROT_READ | PROT_WRITE));
	sl_fill(b.data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(b.data, LEN, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	sl_buf_unmap(&b);
}

/* Entries that somebody else has write-protected, to track writes */
TEST_F(vma, soft_dirty)
{
	struct sl_buf b;
	int fd;

	fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	ASSERT_EQ(1, write(fd, "4", 1));
	ASSERT_SURVIVES_REWRITE(self, b.data, LEN);
	EXPECT_LENT(self->p.tx, LEN);

	sl_fill(b.data, LEN, OLD);
	ASSERT_EQ(LEN, send(self->p.tx, b.data, LEN, 0));
	ASSERT_EQ(1, write(fd, "4", 1));
	sl_fill(b.data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(b.data, LEN, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	close(fd);
	sl_buf_unmap(&b);
}

/* Mapped by several areas of different protection, side by side */
TEST_F(vma, several_areas)
{
	struct sl_buf b;
	size_t i;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	for (i = 0; i < LEN; i += 2 * sl_page) {
		ASSERT_EQ(0, mprotect(b.data + i, sl_page, PROT_READ));
	}
	ASSERT_EQ(LEN, send(self->p.tx, b.data, LEN, 0));
	EXPECT_LENT(self->p.tx, LEN);
	ASSERT_EQ(0, mprotect(b.data, LEN, PROT_READ | PROT_WRITE));
	sl_fill(b.data, LEN, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	sl_buf_unmap(&b);
}

/* -- memory that is copied, and why ---------------------------------------- */

/* Nothing is lent, one counter says so, and the data is right all the same */
#define EXPECT_FALLBACK(_self, _name)            \
	do {                                     \
		EXPECT_LENT((_self)->p.tx, 0);   \
		EXPECT_RISE(&(_self)->c, _name); \
	} while (0)

TEST_F(vma, shared_anonymous)
{
	unsigned char *p = map(LEN, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1);

	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(p, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, p, LEN);
	EXPECT_FALLBACK(self, "FbShared");
	munmap(p, LEN);
}

TEST_F(vma, shared_file)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	unsigned char *p;

	ASSERT_EQ(0, ftruncate(fd, LEN));
	p = map(LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(p, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, p, LEN);
	EXPECT_FALLBACK(self, "FbShared");
	munmap(p, LEN);
	close(fd);
}

/* Shared and read-only here: the file is written by other means */
TEST_F(vma, shared_file_read_only)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	unsigned char *p, *w;

	ASSERT_EQ(0, ftruncate(fd, LEN));
	w = map(LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	p = map(LEN, PROT_READ, MAP_SHARED, fd);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_NE(MAP_FAILED, (void *)w);
	sl_fill(w, LEN, OLD);
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));
	sl_fill(w, LEN, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	EXPECT_FALLBACK(self, "FbShared");
	munmap(p, LEN);
	munmap(w, LEN);
	close(fd);
}

TEST_F(vma, private_file)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	unsigned char *p, *w;

	ASSERT_EQ(0, ftruncate(fd, LEN));
	w = map(LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	p = map(LEN, PROT_READ, MAP_PRIVATE, fd);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_NE(MAP_FAILED, (void *)w);
	sl_fill(w, LEN, OLD);
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));
	sl_fill(w, LEN, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	EXPECT_FALLBACK(self, "FbFile");
	munmap(p, LEN);
	munmap(w, LEN);
	close(fd);
}

/* Pages of the file and pages of the program by turns */
TEST_F(vma, private_file_half_written)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	unsigned char *p;
	size_t i;

	ASSERT_EQ(0, ftruncate(fd, LEN));
	p = map(LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(p, LEN, OLD);
	munmap(p, LEN);
	p = map(LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	ASSERT_NE(MAP_FAILED, (void *)p);
	for (i = 0; i < LEN; i += 2 * sl_page)
		sl_fill_at(p + i, sl_page, OLD, i);
	ASSERT_SURVIVES_REWRITE(self, p, LEN);
	EXPECT_RISE(&self->c, "FbFile");
	munmap(p, LEN);
	close(fd);
}

static void hugetlb_pool(const char *pages)
{
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (f) {
		fputs(pages, f);
		fclose(f);
	}
}

TEST_F(vma, hugetlb)
{
	unsigned char *p;

	hugetlb_pool("2");
	p = map(HUGE_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	if (p == MAP_FAILED)
		SKIP(return, "no hugetlb pages");
	sl_fill(p, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, p, LEN);
	EXPECT_FALLBACK(self, "FbVma");
	munmap(p, HUGE_PAGE);
	hugetlb_pool("0");
}

TEST_F(vma, secret)
{
	unsigned char *p;
	int fd;

	fd = syscall(SYS_memfd_secret, 0);
	if (fd < 0)
		SKIP(return, "no secret memory");
	ASSERT_EQ(0, ftruncate(fd, LEN));
	p = map(LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(p, LEN, OLD);
	ASSERT_SURVIVES_REWRITE(self, p, LEN);
	EXPECT_LENT(self->p.tx, 0);
	munmap(p, LEN);
	close(fd);
}

/* The kernel's own pages, mapped into every program */
TEST_F(vma, vdso)
{
	unsigned char *p = (unsigned char *)getauxval(AT_SYSINFO_EHDR);
	unsigned char got[4096];

	if (!p)
		SKIP(return, "no vDSO");
	ASSERT_EQ(sizeof(got), send(self->p.tx, p, sizeof(got), 0));
	ASSERT_EQ(0, sl_drain_raw(self->p.rx, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(p, got, sizeof(got)));
	EXPECT_LENT(self->p.tx, 0);
}

/* Program text and constants */
TEST_F(vma, text)
{
	static const unsigned char constant[4 * 4096] = { 1, 2, 3 };
	unsigned char got[sizeof(constant)];

	ASSERT_EQ(sizeof(got), send(self->p.tx, constant, sizeof(got), 0));
	ASSERT_EQ(0, sl_drain_raw(self->p.rx, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(constant, got, sizeof(got)));
	EXPECT_FALLBACK(self, "FbFile");
}

/* -- holes ------------------------------------------------------------------ */

/*
 * A hole at "hole": the call either fails or is cut short before it, and what
 * arrives is what it said it sent.  The socket is as good as before.
 */
static void send_hole(struct __test_metadata *_metadata,
		      FIXTURE_DATA(vma) * self, struct sl_buf *b, size_t hole)
{
	unsigned char tail[100];
	ssize_t n, sent = 0;

	do {
		errno = 0;
		n = send(self->p.tx, b->data + sent, LEN - sent, 0);
		if (n > 0)
			sent += n;
		ASSERT_LE(sent, (ssize_t)hole);
		/* Plain TCP gets as far as 32 KiB before the hole */
		if (!sent || hole == 0) {
			ASSERT_LE(hole, 64 * SL_KIB);
		}
	} while (n > 0);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EFAULT, errno);
	EXPECT_LE((ssize_t)hole - 64 * (ssize_t)SL_KIB, sent);
	sl_fill(tail, sizeof(tail), NEW);
	ASSERT_EQ(sizeof(tail), send(self->p.tx, tail, sizeof(tail), 0));
	EXPECT_EQ(0, sl_drain(self->p.rx, sent, OLD));
	EXPECT_EQ(0, sl_drain(self->p.rx, sizeof(tail), NEW));
}

TEST_F(vma, prot_none)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	ASSERT_EQ(0, mprotect(b.data, LEN, PROT_NONE));
	send_hole(_metadata, self, &b, 0);
	EXPECT_LENT(self->p.tx, 0);
	sl_buf_unmap(&b);
}

TEST_F(vma, prot_none_in_the_middle)
{
	size_t hole;

	for (hole = sl_page; hole < LEN; hole *= 4) {
		struct sl_buf b;

		ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
		ASSERT_EQ(0, mprotect(b.data + hole, sl_page, PROT_NONE));
		send_hole(_metadata, self, &b, hole);
		sl_buf_unmap(&b);
	}
	EXPECT_LENT_SOME(self->p.tx);
}

TEST_F(vma, prot_none_unaligned)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 1003, OLD));
	ASSERT_EQ(0, mprotect(b.map + 40 * sl_page, sl_page, PROT_NONE));
	send_hole(_metadata, self, &b, 40 * sl_page - 1003);
	EXPECT_LENT_SOME(self->p.tx);
	sl_buf_unmap(&b);
}

TEST_F(vma, not_mapped)
{
	struct sl_buf b;

	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	ASSERT_EQ(0, munmap(b.data, LEN));
	send_hole(_metadata, self, &b, 0);
}

TEST_F(vma, not_mapped_in_the_middle)
{
	size_t hole;

	for (hole = sl_page; hole < LEN; hole *= 4) {
		struct sl_buf b;

		ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
		ASSERT_EQ(0, munmap(b.data + hole, sl_page));
		send_hole(_metadata, self, &b, hole);
		munmap(b.data, hole);
		munmap(b.data + hole + sl_page, LEN - hole - sl_page);
	}
	EXPECT_LENT_SOME(self->p.tx);
}

/* A mapping goes on where its file does not */
TEST_F(vma, beyond_the_file)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	struct sl_buf b = { 0 };

	ASSERT_EQ(0, ftruncate(fd, LEN / 2));
	b.data = map(LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	ASSERT_NE(MAP_FAILED, (void *)b.data);
	sl_fill(b.data, LEN / 2, OLD);
	send_hole(_metadata, self, &b, LEN / 2);
	munmap(b.data, LEN);
	close(fd);
}

/* A kernel address, and one that wraps around */
TEST_F(vma, bad_address)
{
	EXPECT_EQ(-1, send(self->p.tx, (void *)-65536L, 32768, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, send(self->p.tx, (void *)-4096L, 65536, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, send(self->p.tx, NULL, 65536, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, send(self->p.tx, (void *)0x7fffffffe000, SL_MIB, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(4, send(self->p.tx, "abc", 4, 0));
}

TEST_F(vma, protection_key)
{
	struct sl_buf b;
	int key;

	key = pkey_alloc(0, 0);
	if (key < 0)
		SKIP(return, "no protection keys");
	ASSERT_EQ(0, sl_buf_map(&b, LEN, 0, OLD));
	ASSERT_EQ(0, pkey_mprotect(b.data, LEN, PROT_READ | PROT_WRITE, key));
	ASSERT_EQ(0, pkey_set(key, PKEY_DISABLE_ACCESS));
	EXPECT_EQ(-1, send(self->p.tx, b.data, LEN, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_LENT(self->p.tx, 0);
	EXPECT_RISE(&self->c, "FbPkey");

	ASSERT_EQ(0, pkey_set(key, PKEY_DISABLE_WRITE));
	ASSERT_EQ(LEN, send(self->p.tx, b.data, LEN, 0));
	ASSERT_EQ(0, pkey_set(key, 0));
	sl_fill(b.data, LEN, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, OLD));
	pkey_free(key);
	sl_buf_unmap(&b);
}

TEST_HARNESS_MAIN
