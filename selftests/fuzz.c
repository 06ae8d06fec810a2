// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls with arguments that are nearly right: the structures are known, each field
 * is now and then a value that tries a limit.  Nothing is expected of single calls
 * but that they come back; the kernel's own checks, and the pools' sums, tell.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "sl_test.h"
#include "sl_udp.h"

#define BUFS 16
#define BUF (20 * SL_KIB)
#define IDS 64
#define CALLS 40000

static const unsigned long commands[] = {
	SOCKLOAN_IOC_ATTACH, SOCKLOAN_IOC_DETACH,   SOCKLOAN_IOC_SOCKSTAT,
	SOCKLOAN_IOC_POOL,   SOCKLOAN_IOC_ALLOC,    SOCKLOAN_IOC_FREE,
	SOCKLOAN_IOC_XOUT,   SOCKLOAN_IOC_ALLOC,    SOCKLOAN_IOC_FREE,
	SOCKLOAN_IOC_XOUT,   SOCKLOAN_IOC_POOLSTAT,
};

/* Any of the structures, and room for a longer one */
union argument {
	uint32_t size;
	struct sockloan_attach attach;
	struct sockloan_sockstat sockstat;
	struct sockloan_pool pool;
	struct sockloan_pkts pkts;
	struct sockloan_xout xout;
	struct sockloan_poolstat poolstat;
	uint32_t word[40];
};

FIXTURE(fuzz)
{
	uint64_t state; /* of the generator */
	int pools[2];
	int fresh; /* a file that may become a pool */
	struct sl_pair tcp, udp;
	int fds[8]; /* what may stand for a socket */
	uint32_t *ids; /* known ones; the page behind is not mapped */
	struct sockloan_pkt *pkts; /* likewise */
	unsigned long long done, failed;
};

FIXTURE_VARIANT(fuzz)
{
	uint64_t seed;
};

FIXTURE_VARIANT_ADD(fuzz, seed_1){
	.seed = 0x9e3779b97f4a7c15,
};

FIXTURE_VARIANT_ADD(fuzz, seed_2){
	.seed = 0xbf58476d1ce4e5b9,
};

FIXTURE_VARIANT_ADD(fuzz, seed_3){
	.seed = 0x94d049bb133111eb,
};

static uint32_t any(FIXTURE_DATA(fuzz) * self)
{
	self->state ^= self->state << 13;
	self->state ^= self->state >> 7;
	self->state ^= self->state << 17;
	return self->state >> 16;
}

static bool one_in(FIXTURE_DATA(fuzz) * self, uint32_t n)
{
	return any(self) % n == 0;
}

/* @right, but now and then another value */
static uint32_t field(FIXTURE_DATA(fuzz) * self, uint32_t right)
{
	static const uint32_t odd[] = {
		0, 1, 2, 7, 8, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff,
	};

	switch (any(self) % 16) {
	case 0:
		return odd[any(self) % ARRAY_SIZE(odd)];
	case 1:
		return right + any(self) % 3 - 1;
	case 2:
		return one_in(self, 4) ? any(self) : right;
	default:
		return right;
	}
}

/* The end of a page with nothing behind it: @len bytes, or too few */
static void *page_end(size_t len)
{
	char *page = mmap(NULL, 2 * sl_page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || munmap(page + sl_page, sl_page))
		return NULL;
	return page + sl_page - len;
}

FIXTURE_SETUP(fuzz)
{
	struct sockloan_pool p = { .size = sizeof(p),
				   .buf_size = BUF,
				   .bufs = BUFS };
	struct sl_addr to;
	int i;

	self->state = variant->seed;
	for (i = 0; i < 2; i++) {
		self->pools[i] = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
		ASSERT_EQ(0, ioctl(self->pools[i], SOCKLOAN_IOC_POOL, &p));
	}
	self->fresh = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, sl_pair_plain(&self->tcp, AF_INET));
	ASSERT_EQ(0, sl_udp_pair_plain(&self->udp, AF_INET6, &to, true));
	ASSERT_EQ(0, sl_nonblock(self->tcp.rx, true));
	ASSERT_EQ(0, sl_nonblock(self->udp.rx, true));
	self->fds[0] = self->fds[1] = self->fds[2] = self->tcp.tx;
	self->fds[3] = self->fds[4] = self->udp.tx;
	self->fds[5] = socket(AF_UNIX, SOCK_STREAM, 0);
	self->fds[6] = self->pools[0];
	self->fds[7] = socket(AF_INET, SOCK_STREAM, 0);
	self->ids = page_end(IDS * sizeof(*self->ids));
	self->pkts = page_end(IDS * sizeof(*self->pkts));
	ASSERT_NE(NULL, self->ids);
	ASSERT_NE(NULL, self->pkts);
}

FIXTURE_TEARDOWN(fuzz)
{
	int i;

	sl_pair_close(&self->tcp);
	sl_pair_close(&self->udp);
	close(self->pools[0]);
	close(self->pools[1]);
	close(self->fresh);
	close(self->fds[5]);
	for (i = 7; i < ARRAY_SIZE(self->fds); i++)
		close(self->fds[i]);
}

static uint64_t address(FIXTURE_DATA(fuzz) * self, void *right)
{
	switch (any(self) % 24) {
	case 0:
		return 0;
	case 1:
		return 0xffff888000000000; /* the kernel's */
	case 2:
		return (uintptr_t)right + any(self) % 4096;
	case 3:
		return UINT64_MAX - any(self) % 16;
	default:
		return (uintptr_t)right;
	}
}

static int a_socket(FIXTURE_DATA(fuzz) * self)
{
	return field(self, self->fds[any(self) % ARRAY_SIZE(self->fds)]);
}

/* Packets out of the ids that were allocated at some time */
static void choose_packets(FIXTURE_DATA(fuzz) * self)
{
	int i;

	for (i = 0; i < 4; i++) {
		self->pkts[i].id = field(self, self->ids[any(self) % IDS]);
		self->pkts[i].offset = field(self, any(self) % BUF);
		self->pkts[i].len = field(self, any(self) % BUF);
	}
}

static unsigned long fill(FIXTURE_DATA(fuzz) * self, union argument *a)
{
	unsigned long command = commands[any(self) % ARRAY_SIZE(commands)];

	memset(a, 0, sizeof(*a));
	a->size = field(self, _IOC_SIZE(command));
	a->word[1] = field(self, 0);
	switch (command) {
	case SOCKLOAN_IOC_ATTACH:
	case SOCKLOAN_IOC_DETACH:
		a->attach.reserved = field(self, 0);
		/* fallthrough */
	case SOCKLOAN_IOC_SOCKSTAT:
		a->attach.fd = a_socket(self);
		break;
	case SOCKLOAN_IOC_POOL:
		/* Little memory, or more than there can be */
		a->pool.buf_size = one_in(self, 8) ? any(self) :
						     any(self) % 65536;
		a->pool.bufs = one_in(self, 8) ? UINT32_MAX : any(self) % 8;
		break;
	case SOCKLOAN_IOC_ALLOC:
	case SOCKLOAN_IOC_FREE:
		a->pkts.count = field(self, 1 + any(self) % 4);
		a->pkts.reserved = field(self, 0);
		a->pkts.ids = address(self, self->ids + any(self) % (IDS - 4));
		break;
	case SOCKLOAN_IOC_XOUT:
		choose_packets(self);
		a->xout.flags = field(self, 0) | SOCKLOAN_XOUT_DONTWAIT;
		a->xout.fd = a_socket(self);
		a->xout.count = field(self, 1 + any(self) % 4);
		a->xout.pkts = address(self, self->pkts);
		break;
	}
	/* The number says how long the structure is; the kernel looks itself. */
	if (one_in(self, 32))
		command ^= any(self) % 256 << _IOC_SIZESHIFT;
	return command;
}

static void drain(int fd)
{
	static char buf[65536];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

static void call(FIXTURE_DATA(fuzz) * self)
{
	union argument a, *at = &a;
	unsigned long command = fill(self, &a);
	int fd;

	fd = self->pools[any(self) % 2];
	if (command == SOCKLOAN_IOC_POOL || one_in(self, 32))
		fd = self->fresh;
	if (one_in(self, 64))
		at = page_end(any(self) % 80);
	if (one_in(self, 256)) {
		close(self->fresh);
		self->fresh = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	}
	self->done++;
	self->failed += ioctl(fd, command, at) < 0;
	if (at != &a)
		munmap((void *)(((uintptr_t)at - 1) & ~(sl_page - 1)), sl_page);
	if (one_in(self, 16)) {
		drain(self->tcp.rx);
		drain(self->udp.rx);
	}
}

TEST_F_TIMEOUT(fuzz, ioctls, 60)
{
	struct sockloan_poolstat st = { .size = sizeof(st) };
	int i, n;

	for (n = 0; n < CALLS / sl_slow(); n++)
		call(self);
	TH_LOG("%llu calls, %llu refused", self->done, self->failed);
	/* Neither all right nor all wrong, or it would show nothing. */
	EXPECT_LT(self->done / 10, self->failed);
	EXPECT_LT(self->failed, self->done * 9 / 10);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ioctl(self->pools[i], SOCKLOAN_IOC_POOLSTAT, &st));
		EXPECT_EQ(BUFS, st.free + st.held + st.in_flight);
		EXPECT_LT(0, st.xouts);
		EXPECT_LT(0, st.bad_ids);
	}
}

TEST_HARNESS_MAIN
