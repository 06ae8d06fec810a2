/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All ioctls of a connection once, with the system calls of either word length.  Also
 * for a program without a C library.
 */
#ifndef SL_CALLER_H
#define SL_CALLER_H

#include <stddef.h>
#include <stdint.h>
#include <linux/sockloan.h>

#define CALLER_TX 200 /* descriptors of a connected pair of TCP sockets */
#define CALLER_RX 201
#define CALLER_LEN 5000
#define CALLER_COOKIE 0x1122334455667788ULL

/* Numbers of i386 */
#define CALLER_READ 3
#define CALLER_OPEN 5
#define CALLER_IOCTL 54
#define CALLER_MMAP2 192

/* -errno, or what the call returns */
typedef long (*caller_sys)(uint32_t nr, uintptr_t a, uintptr_t b, uintptr_t c,
			   uintptr_t d, uintptr_t e, uintptr_t f);

/* All that addresses are given of: in memory that 32 bits reach */
struct caller {
	char path[16];
	caller_sys sys;
	int fd;
	unsigned char *buffers;
	unsigned char *window;
	union {
		uint32_t size;
		struct sockloan_attach attach;
		struct sockloan_sockstat sockstat;
		struct sockloan_pool pool;
		struct sockloan_pkts pkts;
		struct sockloan_xout xout;
		struct sockloan_poolstat poolstat;
		struct sockloan_join join;
		struct sockloan_peek peek;
		struct sockloan_release release;
		struct sockloan_forward forward;
		struct sockloan_windows windows;
		uint64_t word[24];
	};
	uint32_t ids[2];
	struct sockloan_pkt pkt;
	struct sockloan_seg seg[8];
	struct sockloan_name name[8];
	struct sockloan_event event[4];
};

static inline long caller_ioctl(struct caller *c, uint32_t cmd, uint32_t size)
{
	c->size = size;
	return c->sys(CALLER_IOCTL, c->fd, cmd, (uintptr_t)c->word, 0, 0, 0);
}

#define CALLER_DO(_c, _cmd, _struct) \
	caller_ioctl(_c, SOCKLOAN_IOC_##_cmd, sizeof(struct sockloan_##_struct))

static inline void caller_clear(struct caller *c)
{
	unsigned int i;

	for (i = 0; i < sizeof(c->word) / sizeof(*c->word); i++)
		c->word[i] = 0;
}

/* Pattern of byte @i: does not repeat with a page */
static inline unsigned char caller_byte(unsigned int i)
{
	return i * 7 + i / 251;
}

#define CALLER_CHECK(_what)              \
	do {                             \
		if (!(_what))            \
			return __LINE__; \
	} while (0)

static inline int caller_setup(struct caller *c)
{
	long ret;

	c->fd = c->sys(CALLER_OPEN, (uintptr_t)c->path, 2, 0, 0, 0, 0);
	CALLER_CHECK(c->fd >= 0);
	caller_clear(c);
	c->attach.fd = CALLER_TX;
	CALLER_CHECK(CALLER_DO(c, ATTACH, attach) == 0);
	CALLER_CHECK(CALLER_DO(c, ATTACH, attach) == -114); /* EALREADY */
	c->attach.fd = CALLER_RX;
	CALLER_CHECK(CALLER_DO(c, ATTACH, attach) == 0);

	caller_clear(c);
	c->pool.buf_size = 8000;
	c->pool.bufs = 2;
	c->pool.window = 65536;
	CALLER_CHECK(CALLER_DO(c, POOL, pool) == 0);
	CALLER_CHECK(c->pool.buf_size == 8192);
	CALLER_CHECK(c->pool.map_size == 16384);
	CALLER_CHECK(c->pool.window == 81920);
	CALLER_CHECK(c->pool.window_offset == 1ULL << 40);
	ret = c->sys(CALLER_MMAP2, 0, 16384, 3, 1, c->fd, 0);
	CALLER_CHECK(ret > 0 || ret < -4095);
	c->buffers = (unsigned char *)ret;
	ret = c->sys(CALLER_MMAP2, 0, 81920, 1, 1, c->fd, 1UL << 28);
	CALLER_CHECK(ret > 0 || ret < -4095);
	c->window = (unsigned char *)ret;
	return 0;
}

/* A packet of CALLER_LEN bytes */
static inline int caller_send(struct caller *c)
{
	unsigned int buf, i;

	caller_clear(c);
	c->pkts.count = 1;
	c->pkts.ids = (uintptr_t)c->ids;
	CALLER_CHECK(CALLER_DO(c, ALLOC, pkts) == 1);
	buf = SOCKLOAN_PKT_BUF(c->ids[0]);
	CALLER_CHECK(buf < 2);
	for (i = 0; i < CALLER_LEN; i++)
		c->buffers[buf * 8192 + 100 + i] = caller_byte(i);
	c->pkt.id = c->ids[0];
	c->pkt.offset = 100;
	c->pkt.len = CALLER_LEN;
	c->pkt.result = -1;
	caller_clear(c);
	c->xout.fd = CALLER_TX;
	c->xout.count = 1;
	c->xout.pkts = (uintptr_t)&c->pkt;
	CALLER_CHECK(CALLER_DO(c, XOUT, xout) == 1);
	CALLER_CHECK(c->pkt.result >= 0);
	return 0;
}

static inline long caller_peek(struct caller *c)
{
	caller_clear(c);
	c->peek.fd = CALLER_RX;
	c->peek.max = 65536;
	c->peek.nr = 8;
	c->peek.segs = (uintptr_t)c->seg;
	c->peek.names = (uintptr_t)c->name;
	return CALLER_DO(c, PEEK, peek);
}

/* Wait for the event, and compare the data. */
static inline int caller_receive(struct caller *c)
{
	unsigned int done = 0, i, k;
	long ret;

	do {
		ret = c->sys(CALLER_READ, c->fd, (uintptr_t)c->event,
			     sizeof(c->event), 0, 0, 0);
		CALLER_CHECK(ret == sizeof(c->event[0]));
		CALLER_CHECK(c->event[0].cookie == CALLER_COOKIE);
		CALLER_CHECK(!c->event[0].error);
	} while (!(c->event[0].events & SOCKLOAN_EVENT_DATA));
	CALLER_CHECK(caller_peek(c) == 0);
	CALLER_CHECK(c->peek.bytes == CALLER_LEN);
	CALLER_CHECK(!c->peek.datagrams && !c->peek.state);
	for (i = 0; i < c->peek.nr; i++)
		for (k = 0; k < c->seg[i].len; k++)
			CALLER_CHECK(c->window[c->seg[i].offset + k] ==
				     caller_byte(done++));
	CALLER_CHECK(done == CALLER_LEN);
	caller_clear(c);
	c->release.fd = CALLER_RX;
	c->release.count = CALLER_LEN + 1;
	CALLER_CHECK(CALLER_DO(c, RELEASE, release) == -22); /* EINVAL */
	c->release.count = CALLER_LEN;
	CALLER_CHECK(CALLER_DO(c, RELEASE, release) == 0);
	CALLER_CHECK(caller_peek(c) == -11); /* EAGAIN */
	return 0;
}

static inline int caller_forward(struct caller *c)
{
	caller_clear(c);
	c->forward.from = CALLER_RX;
	c->forward.to = CALLER_RX;
	c->forward.max = 65536;
	CALLER_CHECK(CALLER_DO(c, FORWARD, forward) == CALLER_LEN);
	caller_clear(c);
	c->windows.fd = CALLER_TX;
	c->windows.mss = 1400;
	c->windows.tx_buf = 65536;
	c->windows.tx_win = 10;
	CALLER_CHECK(CALLER_DO(c, WINDOWS, windows) == 0);
	c->windows.tx_win = 100;
	CALLER_CHECK(CALLER_DO(c, WINDOWS, windows) == -22); /* EINVAL */
	return 0;
}

static inline int caller_statistics(struct caller *c)
{
	caller_clear(c);
	CALLER_CHECK(CALLER_DO(c, POOLSTAT, poolstat) == 0);
	CALLER_CHECK(c->poolstat.buf_size == 8192 && c->poolstat.bufs == 2);
	CALLER_CHECK(c->poolstat.allocs == 2 && c->poolstat.xouts == 2);
	CALLER_CHECK(c->poolstat.xout_bytes == 2 * CALLER_LEN);
	CALLER_CHECK(c->poolstat.bytes_released == CALLER_LEN);
	CALLER_CHECK(c->poolstat.bytes_forwarded == CALLER_LEN);
	CALLER_CHECK(c->poolstat.sockets == 1);
	CALLER_CHECK(c->poolstat.bad_releases == 1);
	CALLER_CHECK(c->poolstat.window_pages == 16);
	CALLER_CHECK(c->poolstat.copy_pages == 4);
	caller_clear(c);
	c->sockstat.fd = CALLER_TX;
	CALLER_CHECK(CALLER_DO(c, SOCKSTAT, sockstat) == 0);
	CALLER_CHECK(c->sockstat.state == SOCKLOAN_STATE_ATTACHED);
	return 0;
}

static inline int caller_leave(struct caller *c)
{
	caller_clear(c);
	c->join.fd = CALLER_RX;
	CALLER_CHECK(CALLER_DO(c, LEAVE, join) == 0);
	CALLER_CHECK(CALLER_DO(c, LEAVE, join) == -2); /* ENOENT */
	caller_clear(c);
	c->pkts.count = 1;
	c->pkts.ids = (uintptr_t)c->ids;
	CALLER_CHECK(CALLER_DO(c, FREE, pkts) < 0);
	caller_clear(c);
	c->attach.fd = CALLER_TX;
	CALLER_CHECK(CALLER_DO(c, DETACH, attach) == 0);
	c->attach.reserved = 1;
	CALLER_CHECK(CALLER_DO(c, DETACH, attach) == -22); /* EINVAL */
	return 0;
}

/* Returns 0, or the number of the line that something is wrong in. */
static inline int caller_run(struct caller *c, caller_sys sys)
{
	static const char path[] = "/dev/sockloan";
	unsigned int i;
	int line;

	c->sys = sys;
	for (i = 0; i < sizeof(path); i++)
		c->path[i] = path[i];
	line = caller_setup(c);
	if (line)
		return line;
	caller_clear(c);
	c->join.fd = CALLER_RX;
	c->join.events = SOCKLOAN_EVENT_DATA;
	c->join.cookie = CALLER_COOKIE;
	CALLER_CHECK(CALLER_DO(c, JOIN, join) == 0);
	CALLER_CHECK(CALLER_DO(c, JOIN, join) == -114); /* EALREADY */
	line = caller_send(c);
	if (!line)
		line = caller_receive(c);
	if (!line)
		line = caller_send(c);
	if (!line)
		line = caller_forward(c);
	if (!line)
		line = caller_statistics(c);
	return line ? line : caller_leave(c);
}

#if defined(__x86_64__) || defined(__i386__)
/*
 * The way of a 32-bit program into the kernel, whatever this one is.  The stack of a
 * 64-bit program has something below its end.
 */
static inline long caller_int80(uint32_t nr, uintptr_t a, uintptr_t b,
				uintptr_t c, uintptr_t d, uintptr_t e,
				uintptr_t f)
{
	uint32_t args[] = { nr, a, b, c, d, e, f };
#ifdef __x86_64__
	long ret = (long)args;

	asm volatile("lea -128(%%rsp), %%rsp\n\t"
		     "push %%rbp\n\t"
		     "push %%rbx\n\t"
		     "mov 4(%%rax), %%ebx\n\t"
		     "mov 8(%%rax), %%ecx\n\t"
		     "mov 12(%%rax), %%edx\n\t"
		     "mov 16(%%rax), %%esi\n\t"
		     "mov 20(%%rax), %%edi\n\t"
		     "mov 24(%%rax), %%ebp\n\t"
		     "mov (%%rax), %%eax\n\t"
		     "int $0x80\n\t"
		     "pop %%rbx\n\t"
		     "pop %%rbp\n\t"
		     "lea 128(%%rsp), %%rsp"
		     : "+a"(ret)
		     :
		     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
		       "memory", "cc");
#else
	int32_t ret = (int32_t)args;

	asm volatile("push %%ebp\n\t"
		     "push %%ebx\n\t"
		     "mov 4(%%eax), %%ebx\n\t"
		     "mov 8(%%eax), %%ecx\n\t"
		     "mov 12(%%eax), %%edx\n\t"
		     "mov 16(%%eax), %%esi\n\t"
		     "mov 20(%%eax), %%edi\n\t"
		     "mov 24(%%eax), %%ebp\n\t"
		     "mov (%%eax), %%eax\n\t"
		     "int $0x80\n\t"
		     "pop %%ebx\n\t"
		     "pop %%ebp"
		     : "+a"(ret)
		     :
		     : "ecx", "edx", "esi", "edi", "memory", "cc");
#endif
	/* An error, or what may be an address */
	if ((int32_t)ret < 0 && (int32_t)ret > -4096)
		return (int32_t)ret;
	return (uint32_t)ret;
}
#endif

#endif /* SL_CALLER_H */
