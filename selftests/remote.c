// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to memory on loan that do not come from the program's own stores,
 * and pages that somebody has pinned
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_variants.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */

FIXTURE(remote)
{
	struct sl_pair p;
	struct sl_buf b;
	struct sl_counters c;
	unsigned char *other; /* NEW, shared with children */
};

FIXTURE_VARIANT(remote)
{
	SL_AXES;
};

SL_VARIANTS_FEW(remote);

FIXTURE_SETUP(remote)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
	self->other = mmap(NULL, variant->len, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->other);
	sl_fill(self->other, variant->len, NEW);
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(remote)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
	munmap(self->other, variant->len);
}

static int lend(FIXTURE_DATA(remote) * self)
{
	ssize_t n = send(self->p.tx, self->b.data, self->b.len, 0);

	return n == self->b.len ? 0 : -1;
}

#define EXPECT_ARRIVES(_self)                                               \
	do {                                                                \
		EXPECT_EQ(0, sl_drain((_self)->p.rx, (_self)->b.len, OLD)); \
		EXPECT_LENT((_self)->p.tx,                                  \
			    sl_whole((_self)->b.data, (_self)->b.len));     \
	} while (0)

TEST_F(remote, proc_self_mem)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len, pwrite(fd, self->other, self->b.len,
				      (uintptr_t)self->b.data));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_ARRIVES(self);
	close(fd);
}

/* Through a mapping that is read-only, as debuggers do */
TEST_F(remote, proc_self_mem_forced)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ssize_t n;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(0, mprotect(self->b.map, self->b.map_len, PROT_READ));
	n = pwrite(fd, self->other, self->b.len, (uintptr_t)self->b.data);
	EXPECT_EQ(self->b.len, n);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_ARRIVES(self);
	close(fd);
}

TEST_F(remote, process_vm_writev)
{
	struct iovec to = { self->b.data, self->b.len };
	struct iovec from = { self->other, self->b.len };
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid)
		_exit(process_vm_writev(getppid(), &from, 1, &to, 1, 0) !=
		      self->b.len);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_ARRIVES(self);
}

TEST_F(remote, process_vm_readv)
{
	struct iovec from = { self->b.data, self->b.len };
	struct iovec to = { self->other, self->b.len };
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid)
		_exit(process_vm_readv(getppid(), &to, 1, &from, 1, 0) !=
		      self->b.len);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(-1, sl_differs(self->other, self->b.len, OLD));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_ARRIVES(self);
}

/* A debugger changes a word in every page after its child's send */
TEST_F(remote, ptrace_poke)
{
	uintptr_t first, at, word;
	int status;
	pid_t pid;

	first = ((uintptr_t)self->b.data + 7) & ~7UL;
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		if (lend(self))
			_exit(1);
		raise(SIGSTOP);
		for (at = first; at + 8 < first + self->b.len; at += sl_page)
			if (*(uintptr_t *)at != ~at)
				_exit(2);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	for (at = first; at + 8 < first + self->b.len; at += sl_page) {
		ASSERT_EQ(0, ptrace(PTRACE_POKEDATA, pid, at, ~at));
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, pid, at, 0);
		ASSERT_EQ(~at, word);
	}
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, OLD));
	EXPECT_ARRIVES(self);
}

/* -- pinned pages ---------------------------------------------------------- */

static int pin(struct sl_buf *b)
{
	struct iovec v = { b->map, b->map_len };
	struct io_uring_params p;
	int fd;

	memset(&p, 0, sizeof(p));
	fd = syscall(SYS_io_uring_setup, 4, &p);
	if (fd < 0)
		return -1;
	if (!syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &v, 1))
		return fd;
	close(fd);
	return -1;
}

/* A device may write to pinned pages at any time: they are copied */
TEST_F(remote, pinned)
{
	int fd = pin(&self->b);

	if (fd < 0)
		SKIP(return, "no registered buffers");
	ASSERT_EQ(0, lend(self));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_LENT(self->p.tx, 0);
	if (sl_whole(self->b.data, self->b.len)) {
		EXPECT_LT(0, sl_plain() ? 1 :
					  sl_rise(&self->c, "FbPinned") +
						  sl_rise(&self->c, "FbBusy"));
	}
	close(fd);
}

/* Pinned while on loan: the pin is of the program's page, not of the lent */
TEST_F(remote, pinned_on_loan)
{
	int fd;

	ASSERT_EQ(0, lend(self));
	fd = pin(&self->b);
	if (fd < 0)
		SKIP(return, "no registered buffers");
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, self->b.len));
	ASSERT_EQ(0, lend(self));
	EXPECT_LENT(self->p.tx, sl_whole(self->b.data, self->b.len));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	close(fd);
}

TEST_HARNESS_MAIN
