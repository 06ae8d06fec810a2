// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI in numbers, and callers of either word length: programs that were built once
 * go on running.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "sl_caller.h"
#include "sl_test.h"

static const struct {
	const char *name;
	size_t is, want;
} layout[] = {
#define SIZE(_struct, _size)                                       \
	{                                                          \
#_struct, sizeof(struct sockloan_##_struct), _size \
	}
#define FIELD(_struct, _field, _offset, _size)                               \
	{ #_struct "." #_field, offsetof(struct sockloan_##_struct, _field), \
	  _offset },                                                         \
	{                                                                    \
		"length of " #_struct "." #_field,                           \
			sizeof(((struct sockloan_##_struct *)NULL)->_field), \
			_size                                                \
	}
#include "sl_layout.h"
};

static const struct {
	const char *name;
	unsigned int is, want;
} number[] = {
	{ "ATTACH", SOCKLOAN_IOC_ATTACH, 0x4010bc10 },
	{ "DETACH", SOCKLOAN_IOC_DETACH, 0x4010bc11 },
	{ "RUN", SOCKLOAN_IOC_RUN, 0x4008bc12 },
	{ "SOCKSTAT", SOCKLOAN_IOC_SOCKSTAT, 0xc050bc13 },
	{ "POOL", SOCKLOAN_IOC_POOL, 0xc028bc20 },
	{ "ALLOC", SOCKLOAN_IOC_ALLOC, 0x4018bc21 },
	{ "FREE", SOCKLOAN_IOC_FREE, 0x4018bc22 },
	{ "XOUT", SOCKLOAN_IOC_XOUT, 0x4018bc23 },
	{ "POOLSTAT", SOCKLOAN_IOC_POOLSTAT, 0xc0b0bc24 },
	{ "JOIN", SOCKLOAN_IOC_JOIN, 0x4018bc25 },
	{ "LEAVE", SOCKLOAN_IOC_LEAVE, 0x4018bc26 },
	{ "PEEK", SOCKLOAN_IOC_PEEK, 0xc038bc27 },
	{ "RELEASE", SOCKLOAN_IOC_RELEASE, 0x4010bc28 },
	{ "FORWARD", SOCKLOAN_IOC_FORWARD, 0x4018bc29 },
	{ "WINDOWS", SOCKLOAN_IOC_WINDOWS, 0x4020bc2a },
	{ "EVENT_ALL", SOCKLOAN_EVENT_ALL, 31 },
	{ "EVENT_WRITABLE", SOCKLOAN_EVENT_WRITABLE, 2 },
	{ "EVENT_SHUTDOWN", SOCKLOAN_EVENT_SHUTDOWN, 4 },
	{ "EVENT_RESET", SOCKLOAN_EVENT_RESET, 8 },
	{ "EVENT_URGENT", SOCKLOAN_EVENT_URGENT, 16 },
	{ "SEG_MAPPED", SOCKLOAN_SEG_MAPPED, 1 },
	{ "SEG_END", SOCKLOAN_SEG_END, 2 },
	{ "PEEK_EOF", SOCKLOAN_PEEK_EOF, 1 },
	{ "PEEK_URGENT", SOCKLOAN_PEEK_URGENT, 2 },
	{ "PEEK_MORE", SOCKLOAN_PEEK_MORE, 4 },
	{ "XOUT_DONTWAIT", SOCKLOAN_XOUT_DONTWAIT, 1 },
	{ "XOUT_MORE", SOCKLOAN_XOUT_MORE, 2 },
	{ "SOCKSTAT_SIZE_VER0", SOCKLOAN_SOCKSTAT_SIZE_VER0, 64 },
	{ "PKT_BUF", SOCKLOAN_PKT_BUF(0xfff54321), 0x54321 },
};

static bool differs(const char *name, size_t is, size_t want)
{
	if (is == want)
		return false;
	fprintf(stderr, "# %s: %zu instead of %zu\n", name, is, want);
	return true;
}

TEST(sizes)
{
	int i, bad = 0;

	for (i = 0; i < ARRAY_SIZE(layout); i++)
		bad += differs(layout[i].name, layout[i].is, layout[i].want);
	EXPECT_EQ(0, bad);
}

TEST(numbers)
{
	int i, bad = 0;

	for (i = 0; i < ARRAY_SIZE(number); i++)
		bad += differs(number[i].name, number[i].is, number[i].want);
	EXPECT_EQ(0, bad);
}

/* -- callers ----------------------------------------------------------------------- */

/* The same calls, by this program's own numbers */
static long native(uint32_t nr, uintptr_t a, uintptr_t b, uintptr_t c,
		   uintptr_t d, uintptr_t e, uintptr_t f)
{
	long ret = -1;

	switch (nr) {
	case CALLER_OPEN:
		ret = syscall(SYS_openat, AT_FDCWD, a, b, c);
		break;
	case CALLER_READ:
		ret = syscall(SYS_read, a, b, c);
		break;
	case CALLER_IOCTL:
		ret = syscall(SYS_ioctl, a, b, c);
		break;
	case CALLER_MMAP2:
		ret = (long)mmap((void *)a, b, c, d, e, (off_t)f << 12);
		break;
	}
	return ret == -1 ? -errno : ret;
}

FIXTURE(width)
{
	struct sl_pair s;
	struct caller *c;
};

FIXTURE_SETUP(width)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

#ifdef MAP_32BIT
	flags |= MAP_32BIT;
#endif
	if (sl_plain())
		SKIP(return, "needs the module");
	ASSERT_EQ(0, sl_pair_plain(&self->s, AF_INET));
	ASSERT_EQ(CALLER_TX, dup2(self->s.tx, CALLER_TX));
	ASSERT_EQ(CALLER_RX, dup2(self->s.rx, CALLER_RX));
	self->c = mmap(NULL, sizeof(*self->c), PROT_READ | PROT_WRITE, flags,
		       -1, 0);
	ASSERT_NE(MAP_FAILED, self->c);
}

FIXTURE_TEARDOWN(width)
{
	sl_pair_close(&self->s);
	close(CALLER_TX);
	close(CALLER_RX);
	munmap(self->c, sizeof(*self->c));
}

TEST_F(width, native)
{
	EXPECT_EQ(0, caller_run(self->c, native))
	{
		TH_LOG("a line of sl_caller.h");
	}
}

#ifdef __x86_64__

/* Does this kernel let 32-bit programs in?  Without, the call is a fault. */
static bool compat_there(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		/* getpid() */
		_exit(caller_int80(20, 0, 0, 0, 0, 0, 0) != getpid());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

TEST_F(width, compat)
{
	if (!compat_there())
		SKIP(return, "no 32-bit system calls here");
	EXPECT_EQ(0, caller_run(self->c, caller_int80))
	{
		TH_LOG("a line of sl_caller.h");
	}
}

/* A program of 32 bits, with an address space of its own */
TEST_F(width, program)
{
	char path[PATH_MAX] = "";
	pid_t pid;

	ASSERT_LT(0, readlink("/proc/self/exe", path, sizeof(path) - 20));
	strcat(dirname(path), "/caller32");
	if (access(path, X_OK) || !compat_there())
		SKIP(return, "no 32-bit programs here");
	pid = fork();
	if (!pid) {
		execl(path, path, NULL);
		_exit(255);
	}
	EXPECT_EQ(0, sl_exited(pid))
	{
		TH_LOG("a line of sl_caller.h, less 1, modulo 199; 200: the layout");
	}
}

#else

TEST_F(width, compat)
{
	SKIP(return, "for x86-64 only");
}

#endif

TEST_HARNESS_MAIN
