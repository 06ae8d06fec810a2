// SPDX-License-Identifier: GPL-2.0
/* The receive window: never writable, and nothing in it that was not sent here */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_mem.h"
#include "sl_pool.h"
#include "sl_ring.h"
#include "sl_rx.h"

#define PAGE 4096
#define LEN (64 * SL_KIB)
#define MARK 0x5a

FIXTURE(window)
{
	struct sl_pair s;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_SETUP(window)
{
	ASSERT_EQ(0, sl_pair_sized(&self->s, AF_INET, SL_MIB, SL_MIB));
	ASSERT_EQ(0, sl_attach(self->s.tx));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, SL_MIB));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, 0, 0));
}

FIXTURE_TEARDOWN(window)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

static void fill_window(struct __test_metadata *_metadata,
			FIXTURE_DATA(window) * self)
{
	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_EQ(10, sl_send_all(self->s.tx, self->b.data, 10, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN + 10));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
	ASSERT_EQ(LEN + 10, self->p.arg.bytes);
}

static int map_fails(const struct sl_rxpool *p, size_t len, int prot, int flags,
		     off_t off)
{
	void *map = mmap(NULL, len, prot, flags, p->fd, off);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, len);
	return 0;
}

TEST_F(window, mmap)
{
	struct sl_rxpool *p = &self->p;
	off_t off = p->p.window_offset;

	EXPECT_EQ(EACCES, map_fails(p, p->p.window, PROT_READ | PROT_WRITE,
				    MAP_SHARED, off));
	EXPECT_EQ(EACCES, map_fails(p, p->p.window, PROT_READ | PROT_EXEC,
				    MAP_SHARED, off));
	EXPECT_EQ(EINVAL,
		  map_fails(p, p->p.window, PROT_READ, MAP_PRIVATE, off));
	EXPECT_EQ(EINVAL, map_fails(p, PAGE, PROT_READ, MAP_SHARED, off));
	EXPECT_EQ(EINVAL,
		  map_fails(p, p->p.window, PROT_READ, MAP_SHARED, off + PAGE));
	EXPECT_EQ(EBUSY, map_fails(p, p->p.window, PROT_READ, MAP_SHARED, off));
}

/* Every way to write to it, or to have it elsewhere */
TEST_F(window, never_writable)
{
	struct iovec local = { .iov_base = "x", .iov_len = 1 }, remote;
	unsigned char *map = self->p.map;
	size_t len = self->p.p.window;
	int fd;

	fill_window(_metadata, self);
	EXPECT_EQ(-1, mprotect(map, len, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(map, len, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(map, PAGE, PROT_NONE));
	EXPECT_EQ(-1, munmap(map + PAGE, PAGE));
	EXPECT_EQ(MAP_FAILED, mremap(map, len, 2 * len, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(map, 0, len, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED,
		  mremap(map, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
			 (char *)map + 64 * len));
	EXPECT_EQ(-1, madvise(map, len, MADV_DOFORK));
	EXPECT_EQ(-1, madvise(map, len, MADV_DONTNEED));
	fd = open("/proc/self/mem", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, "x", 1, (off_t)(map + self->p.seg[0].offset)));
	close(fd);
	remote.iov_base = map + self->p.seg[0].offset;
	remote.iov_len = 1;
	EXPECT_EQ(-1, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(LEN + 1, sl_rxpool_check(&self->p, 0, 1));
	/* And the sender's memory is as it was. */
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, 1));
}

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, 1);
}

/* Is there anything at this address?  -1: no, else the byte */
static int look(const volatile unsigned char *at)
{
	struct sigaction sa = { .sa_handler = on_fault };

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	if (sigsetjmp(fault, 1))
		return -1;
	return *at;
}

/* A child, and a tracer, see nothing, and cannot peek. */
TEST_F(window, others)
{
	int status;
	pid_t pid;

	fill_window(_metadata, self);
	pid = fork();
	if (!pid) {
		int bad = 0;

		bad |= look(self->p.map + self->p.seg[0].offset) != -1;
		bad |= (!sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB) ||
			errno != ENODEV)
		       << 1;
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(bad);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(LEN + 1, sl_rxpool_check(&self->p, 0, 1));
}

/* Pages of it are nobody's to keep. */
TEST_F(window, no_references)
{
	struct iovec iov;
	int pipefd[2];

	fill_window(_metadata, self);
	ASSERT_EQ(0, pipe(pipefd));
	iov.iov_base = self->p.map + self->p.seg[0].offset;
	iov.iov_len = PAGE;
	EXPECT_EQ(-1, vmsplice(pipefd[1], &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* All of the window that can be read at all holds no byte of the pattern. */
static long scan(FIXTURE_DATA(window) * self)
{
	size_t at, i;
	long seen = 0;

	for (at = 0; at < self->p.p.window; at += PAGE) {
		if (look(self->p.map + at) < 0)
			continue;
		for (i = 0; i < PAGE - 16; i++)
			if (self->p.map[at + i] == MARK &&
			    !memcmp(self->p.map + at + i,
				    self->p.map + at + i + 1, 15))
				seen++;
	}
	return seen;
}

/* Memory that is free now has a pattern in it. */
static void dirty_free_memory(void)
{
	size_t len = 256 * SL_MIB;
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(map, MARK, len);
	munmap(map, len);
}

TEST_F(window, nothing_but_what_was_sent)
{
	static const size_t sizes[] = { 1,    100,  1448, 4095, 4096,
					4097, 8192, 9000, LEN };
	struct sl_rxpool p;
	unsigned int i;

	dirty_free_memory();
	EXPECT_EQ(0, scan(self));
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		dirty_free_memory();
		if (i % 2)
			sl_detach(self->s.tx);
		else
			sl_attach(self->s.tx);
		ASSERT_EQ(sizes[i],
			  sl_send_all(self->s.tx, self->b.data, sizes[i], 0));
		ASSERT_EQ(0, sl_wait_arrived(self->s.rx, sizes[i]));
		ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
		EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
		EXPECT_EQ(0, scan(self));
		ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, sizes[i]));
		dirty_free_memory();
		EXPECT_EQ(0, scan(self));
	}
	/* A fresh one is all zeroes where it can be read. */
	dirty_free_memory();
	ASSERT_EQ(0, sl_rxpool_open(&p, SL_MIB));
	for (i = 0; i < p.p.window; i += PAGE)
		EXPECT_GE(0, look(p.map + i));
	sl_rxpool_close(&p);
}

static uint64_t mapped(FIXTURE_DATA(window) * self)
{
	struct sockloan_poolstat st;

	sl_rxpool_stat(&self->p, &st);
	return st.bytes_mapped;
}

/* Pages that others can still write to are copied: of a file ... */
TEST_F(window, files_are_copied)
{
	int fd = memfd_create("file", 0);

	ASSERT_EQ(LEN, write(fd, self->b.data, LEN));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	ASSERT_EQ(LEN, sendfile(self->s.tx, fd, NULL, LEN));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	EXPECT_EQ(0, mapped(self));
	close(fd);
}

/* ... of a program that gave them to a pipe ... */
TEST_F(window, spliced_pages_are_copied)
{
	struct iovec iov = { .iov_base = self->b.data, .iov_len = LEN };
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(LEN, vmsplice(p[1], &iov, 1, 0));
	ASSERT_EQ(LEN, splice(p[0], NULL, self->s.tx, NULL, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
	ASSERT_EQ(0, mapped(self));
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	memset(self->b.data, MARK, LEN);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	close(p[0]);
	close(p[1]);
}

/* How many pages of the buffer have been swapped out, according to pagemap */
static int swapped(const struct sl_buf *b)
{
	uint64_t entry[LEN / PAGE] = { 0 };
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned int i;
	int n = 0;

	if (fd < 0)
		return -1;
	if (pread(fd, entry, sizeof(entry),
		  (uintptr_t)b->data / PAGE * sizeof(*entry)) != sizeof(entry))
		n = -1;
	close(fd);
	for (i = 0; n >= 0 && i < LEN / PAGE; i++)
		n += entry[i] >> 62 & 1;
	return n;
}

/* Have the kernel unmap all of the buffer: somebody has references, so no more. */
static int swap_out(const struct sl_buf *b)
{
	int i;

	for (i = 0; i < 100 && swapped(b) != LEN / PAGE; i++) {
		if (madvise(b->data, LEN, MADV_PAGEOUT))
			return -1;
		sl_sleep_ms(5);
	}
	return swapped(b) == LEN / PAGE ? 0 : -1;
}

/* ... and that are on their way to swap, from where they come back writable ... */
TEST_F(window, swapped_pages_are_copied)
{
	struct iovec iov = { .iov_base = self->b.data, .iov_len = LEN };
	int p[2];

	if (sl_swap_on())
		SKIP(return, "no swap to be had");
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(LEN, vmsplice(p[1], &iov, 1, 0));
	ASSERT_EQ(LEN, splice(p[0], NULL, self->s.tx, NULL, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, swap_out(&self->b));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
	EXPECT_EQ(0, mapped(self));
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	memset(self->b.data, MARK, LEN);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	close(p[0]);
	close(p[1]);
	sl_swap_off();
}

/* Lent ones may go there afterwards: they come back read-only, until nobody has them. */
TEST_F(window, lent_pages_are_swapped)
{
	if (sl_swap_on())
		SKIP(return, "no swap to be had");
	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
	EXPECT_EQ(LEN, mapped(self));
	ASSERT_EQ(0, swap_out(&self->b));
	memset(self->b.data, MARK, LEN);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, LEN));
	sl_swap_off();
}

/* ... of the kernel, when a program can map them again ... */
TEST_F(window, rings_are_copied)
{
	struct iovec iov = { .iov_len = PAGE };
	struct sl_ring r;
	int p[2];

	if (sl_ring_open(&r, 0))
		SKIP(return, "no io_uring");
	memset(r.sqe, 1, PAGE);
	iov.iov_base = r.sqe;
	ASSERT_EQ(0, pipe(p));
	if (vmsplice(p[1], &iov, 1, 0) != PAGE)
		SKIP(return, "this kernel's rings cannot be sent");
	/* Behind other data: the pieces may end up in one skb. */
	ASSERT_EQ(10, sl_send_all(self->s.tx, self->b.data, 10, 0));
	ASSERT_EQ(PAGE, splice(p[0], NULL, self->s.tx, NULL, PAGE, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, 10 + PAGE));
	ASSERT_EQ(0, munmap(r.sqe, r.sqe_len));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
	EXPECT_EQ(0, mapped(self));
	r.sqe = mmap(NULL, r.sqe_len, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd,
		     IORING_OFF_SQES);
	ASSERT_NE(MAP_FAILED, (void *)r.sqe);
	memset(r.sqe, MARK, PAGE);
	/* The last byte is the ring's, as it was when it was sent. */
	EXPECT_EQ(1, self->p.map[self->p.seg[self->p.arg.nr - 1].offset +
				 self->p.seg[self->p.arg.nr - 1].len - 1]);
	close(p[0]);
	close(p[1]);
	sl_ring_close(&r);
}

/* ... and of a pool. */
TEST_F(window, buffers_are_copied)
{
	struct pool pool;
	uint32_t id;

	ASSERT_EQ(0, pool_open(&pool, BUF, BUFS));
	ASSERT_EQ(1, pkt_alloc(&pool, &id, 1));
	sl_fill_at(pkt_data(&pool, id), BUF, 1, 0);
	ASSERT_LE(0, xout(&pool, self->s.tx, id, 0, BUF, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, BUF));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
	ASSERT_EQ(0, mapped(self));
	memset(pool.map, MARK, BUF * BUFS);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	pool_close(&pool);
}

TEST_HARNESS_MAIN
