// SPDX-License-Identifier: GPL-2.0
/*
 * No byte that was not sent to a socket is ever visible in the window.
 *
 * What is sent has the highest bit in every byte.  Free memory, what lies around the data
 * in the sender's pages, and what the sender writes later have not.  So wherever the
 * window can be read there is a byte that was sent, or 0.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_pool.h"
#include "sl_rx.h"
#include "sl_udp.h"

#define PAGE 4096
#define LEN_MAX 60000
#define ROOM (LEN_MAX + 3 * PAGE)
#define WINDOW (512 * SL_KIB)

static const char pattern[8] = { 'l', 'e', 'a', 'k', 'l', 'e', 'a', 'k' };
static const size_t sizes[] = { 1,    100,   1448,  4095,  4096, 4097,
				8192, 20001, 40960, 60000, 3 };
static const size_t offsets[] = { 0, 1000, 4095 };

enum source { PLAIN, LENT, SENDFILE, PACKET };

FIXTURE(disclose)
{
	struct sl_pair s;
	struct sl_rxpool p;
	struct pool out;
	uint32_t id;
	int file;
	unsigned char *map; /* what is sent, with the pattern around it */
	unsigned char *want;
	uint64_t pos;
};

FIXTURE_VARIANT(disclose)
{
	int family;
	bool dgram;
	enum source source;
};

#define VARIANT(_name, _family, _dgram, _source)                       \
	FIXTURE_VARIANT_ADD(disclose, _name)                           \
	{                                                              \
		.family = _family, .dgram = _dgram, .source = _source, \
	}

VARIANT(tcp_v4, AF_INET, false, PLAIN);
VARIANT(tcp_v4_lent, AF_INET, false, LENT);
VARIANT(tcp_v4_file, AF_INET, false, SENDFILE);
VARIANT(tcp_v4_packet, AF_INET, false, PACKET);
VARIANT(tcp_v6, AF_INET6, false, PLAIN);
VARIANT(tcp_v6_lent, AF_INET6, false, LENT);
VARIANT(udp_v4, AF_INET, true, PLAIN);
VARIANT(udp_v4_lent, AF_INET, true, LENT);
VARIANT(udp_v4_packet, AF_INET, true, PACKET);
VARIANT(udp_v6, AF_INET6, true, PLAIN);
VARIANT(udp_v6_lent, AF_INET6, true, LENT);

/* -- the pattern ------------------------------------------------------------------- */

static void fill_pattern(void *to, size_t len)
{
	size_t i;

	for (i = 0; i + sizeof(pattern) <= len; i += sizeof(pattern))
		memcpy((char *)to + i, pattern, sizeof(pattern));
	memcpy((char *)to + i, pattern, len - i);
}

/* Memory that is free after this has the pattern in it. */
static int dirty_pages(size_t len)
{
	pid_t pid = fork();
	char *map;

	if (pid)
		return sl_exited(pid);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		_exit(1);
	fill_pattern(map, len);
	_exit(0);
}

static size_t free_memory(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* So have objects that skbs are made of. */
static int dirty_objects(void)
{
	static char buf[16384];
	int s[2], i;

	fill_pattern(buf, sizeof(buf));
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s))
		return -1;
	for (i = 0; i < 10; i++)
		send(s[0], buf, 64 << i % 9, 0);
	close(s[0]);
	close(s[1]);
	return 0;
}

/* -- looking ------------------------------------------------------------------------ */

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, 1);
}

/* Copy a page, unless nothing is there. */
static bool look(const unsigned char *page, unsigned char *to)
{
	if (sigsetjmp(fault, 1))
		return false;
	memcpy(to, page, PAGE);
	return true;
}

struct seen {
	long pages; /* that could be read */
	long sent; /* bytes of what was sent, or what looks like it */
	long wrong; /* others that are not 0 */
};

static struct seen scan(const struct sl_rxpool *p)
{
	struct sigaction sa = { .sa_handler = on_fault };
	unsigned char buf[PAGE];
	struct seen seen = {};
	size_t at, i;

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	for (at = 0; at < p->p.window; at += PAGE) {
		if (!look(p->map + at, buf))
			continue;
		seen.pages++;
		for (i = 0; i < PAGE; i++) {
			seen.sent += buf[i] >= 0x80;
			seen.wrong += buf[i] && buf[i] < 0x80;
		}
	}
	return seen;
}

/* -- sending ------------------------------------------------------------------------ */

static int open_pair(FIXTURE_DATA(disclose) * self,
		     const FIXTURE_VARIANT(disclose) * variant)
{
	struct sl_addr to;
	int err;

	if (variant->dgram)
		err = sl_udp_pair_plain(&self->s, variant->family, &to, true);
	else
		err = sl_pair_sized(&self->s, variant->family, SL_MIB, SL_MIB);
	if (err || sl_attach(self->s.rx))
		return -1;
	if (variant->source == LENT || variant->source == PACKET)
		return sl_attach(self->s.tx);
	return 0;
}

FIXTURE_SETUP(disclose)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	if (sl_plain())
		SKIP(return, "needs the module");
	ASSERT_EQ(0, dirty_pages(free_memory() / 8 * 5 / sl_slow()));
	ASSERT_EQ(0, dirty_objects());
	ASSERT_EQ(0, open_pair(self, variant));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, WINDOW));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, 0, 0));
	/* One for each, so that none has to come back first */
	ASSERT_EQ(0, pool_open(&self->out, ROOM,
			       ARRAY_SIZE(sizes) * ARRAY_SIZE(offsets)));
	self->file = -1;
	self->map = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, flags, -1, 0);
	self->want = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, flags, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_NE(MAP_FAILED, self->want);
	madvise(self->map, ROOM, MADV_NOHUGEPAGE);
	self->pos = 0;
	self->id = 0;
}

FIXTURE_TEARDOWN(disclose)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	pool_close(&self->out);
	munmap(self->map, ROOM);
	munmap(self->want, ROOM);
}

/* Data in @self->want, and at @to with the pattern on both sides of it */
static void prepare(FIXTURE_DATA(disclose) * self, unsigned char *to,
		    size_t off, size_t len)
{
	size_t i;

	fill_pattern(to, ROOM);
	sl_fill_at(self->want, len, 1, self->pos);
	for (i = 0; i < len; i++)
		self->want[i] |= 0x80;
	memcpy(to + off, self->want, len);
	self->pos += len;
	sl_settle();
}

static ssize_t send_file(FIXTURE_DATA(disclose) * self, size_t off, size_t len)
{
	off_t from = off;

	close(self->file);
	self->file = memfd_create("file", MFD_CLOEXEC);
	prepare(self, self->map, off, len);
	if (write(self->file, self->map, ROOM) != ROOM)
		return -1;
	return sendfile(self->s.tx, self->file, &from, len);
}

static ssize_t send_packet(FIXTURE_DATA(disclose) * self, size_t off,
			   size_t len)
{
	if (pkt_alloc(&self->out, &self->id, 1) != 1)
		return -1;
	prepare(self, pkt_data(&self->out, self->id), off, len);
	return xout(&self->out, self->s.tx, self->id, off, len, 0) < 0 ? -1 :
									 len;
}

static ssize_t send_one(FIXTURE_DATA(disclose) * self,
			const FIXTURE_VARIANT(disclose) * variant, size_t off,
			size_t len)
{
	switch (variant->source) {
	case SENDFILE:
		return send_file(self, off, len);
	case PACKET:
		return send_packet(self, off, len);
	default:
		prepare(self, self->map, off, len);
		return sl_send_all(self->s.tx, self->map + off, len, 0);
	}
}

/* The sender goes on writing to its memory. */
static void overwrite(FIXTURE_DATA(disclose) * self)
{
	fill_pattern(self->map, ROOM);
	fill_pattern(pkt_data(&self->out, self->id), ROOM);
	if (self->file >= 0)
		pwrite(self->file, self->map, ROOM, 0);
}

/* -- tests -------------------------------------------------------------------------- */

/* Does the last peek show @self->want from byte @from on?  Returns 0, or which not. */
static long check(FIXTURE_DATA(disclose) * self, size_t from, size_t len)
{
	const struct sl_rxpool *p = &self->p;
	size_t done = from;
	uint32_t i;

	for (i = 0; i < p->arg.nr; i++) {
		if (p->seg[i].len > len - done ||
		    memcmp(p->map + p->seg[i].offset, self->want + done,
			   p->seg[i].len))
			return done + 1;
		done += p->seg[i].len;
	}
	return done == len ? 0 : -1;
}

static int arrive(FIXTURE_DATA(disclose) * self, size_t len)
{
	int i;

	for (i = 0; i < 1000; i++) {
		if (!sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB) &&
		    self->p.arg.bytes == len)
			return 0;
		sl_sleep_ms(2);
	}
	return -1;
}

static void one_size(struct __test_metadata *_metadata,
		     FIXTURE_DATA(disclose) * self,
		     const FIXTURE_VARIANT(disclose) * variant, size_t off,
		     size_t len)
{
	struct seen seen;

	ASSERT_EQ(0, dirty_pages(4 * SL_MIB));
	ASSERT_EQ(0, dirty_objects());
	ASSERT_EQ(len, send_one(self, variant, off, len));
	memset(self->p.name, 0xff, sizeof(self->p.name));
	ASSERT_EQ(0, arrive(self, len));
	overwrite(self);
	EXPECT_EQ(0, check(self, 0, len));
	seen = scan(&self->p);
	EXPECT_LE(len, seen.sent);
	EXPECT_EQ(0, seen.wrong)
	{
		TH_LOG("%zu bytes at %zu, peeked", len, off);
	}
	if (variant->dgram && variant->family == AF_INET) {
		static const char none[12];

		EXPECT_EQ(sizeof(struct sockaddr_in), self->p.name[0].len);
		EXPECT_EQ(0, memcmp(self->p.name[0].addr + 16, none, 12));
	}
	if (!variant->dgram && len > 3) {
		/* A part of it stays. */
		ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, len / 3));
		ASSERT_EQ(0, dirty_pages(SL_MIB));
		ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, SL_MIB));
		EXPECT_EQ(0, check(self, len / 3, len));
		EXPECT_EQ(0, scan(&self->p).wrong);
		len -= len / 3;
	}
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx,
				       variant->dgram ? 1 : len));
	overwrite(self);
	ASSERT_EQ(0, dirty_pages(4 * SL_MIB));
	EXPECT_EQ(0, scan(&self->p).wrong)
	{
		TH_LOG("%zu bytes at %zu, released", len, off);
	}
}

TEST_F_TIMEOUT(disclose, only_what_was_sent, 120)
{
	struct sockloan_poolstat st;
	struct seen seen;
	size_t i;

	/* A fresh window: what can be read of it is all zeroes. */
	seen = scan(&self->p);
	EXPECT_EQ(WINDOW / PAGE / 4, seen.pages);
	EXPECT_EQ(0, seen.sent + seen.wrong);
	for (i = 0;
	     i<ARRAY_SIZE(sizes) * ARRAY_SIZE(offsets); i += sl_slow()> 1 ? 4 :
									    1)
		one_size(_metadata, self, variant,
			 offsets[i % ARRAY_SIZE(offsets)],
			 sizes[i / ARRAY_SIZE(offsets)]);
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	EXPECT_LT(0, st.bytes_copied);
	/* Or the most interesting part was not tested. */
	if (variant->source == LENT)
		EXPECT_LT(0, st.bytes_mapped);
	if (variant->source == SENDFILE || variant->source == PACKET)
		EXPECT_EQ(0, st.bytes_mapped);
}

/* What is in the window is seen: the pattern, when it is sent. */
TEST_F_TIMEOUT(disclose, would_be_seen, 120)
{
	struct seen seen;

	fill_pattern(self->map, ROOM);
	ASSERT_EQ(8192, sl_send_all(self->s.tx, self->map, 8192, 0));
	ASSERT_EQ(0, arrive(self, 8192));
	seen = scan(&self->p);
	EXPECT_LE(8192, seen.wrong);
	EXPECT_EQ(0, seen.sent);
}

TEST_HARNESS_MAIN
