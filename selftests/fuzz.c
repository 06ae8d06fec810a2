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

#include "kselftest_harness.h"
#include "sl_fuzz.h"
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

FIXTURE(fuzz)
{
	struct sl_fuzz f;
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

FIXTURE_SETUP(fuzz)
{
	struct sockloan_pool p = { .size = sizeof(p),
				   .buf_size = BUF,
				   .bufs = BUFS };
	struct sl_addr to;
	int i;

	self->f.state = variant->seed;
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
	self->ids = sl_fuzz_page_end(IDS * sizeof(*self->ids));
	self->pkts = sl_fuzz_page_end(IDS * sizeof(*self->pkts));
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

static int a_socket(FIXTURE_DATA(fuzz) * self)
{
	return sl_fuzz_field(
		&self->f,
		self->fds[sl_fuzz_any(&self->f) % ARRAY_SIZE(self->fds)]);
}

/* Packets out of the ids that were allocated at some time */
static void choose_packets(FIXTURE_DATA(fuzz) * self)
{
	int i;

	for (i = 0; i < 4; i++) {
		self->pkts[i].id = sl_fuzz_field(
			&self->f, self->ids[sl_fuzz_any(&self->f) % IDS]);
		self->pkts[i].offset =
			sl_fuzz_field(&self->f, sl_fuzz_any(&self->f) % BUF);
		self->pkts[i].len =
			sl_fuzz_field(&self->f, sl_fuzz_any(&self->f) % BUF);
	}
}

static unsigned long fill(FIXTURE_DATA(fuzz) * self, union sl_fuzz_arg *a)
{
	unsigned long command =
		commands[sl_fuzz_any(&self->f) % ARRAY_SIZE(commands)];

	memset(a, 0, sizeof(*a));
	a->size = sl_fuzz_field(&self->f, _IOC_SIZE(command));
	a->word[1] = sl_fuzz_field(&self->f, 0);
	switch (command) {
	case SOCKLOAN_IOC_ATTACH:
	case SOCKLOAN_IOC_DETACH:
		a->attach.reserved = sl_fuzz_field(&self->f, 0);
		/* fallthrough */
	case SOCKLOAN_IOC_SOCKSTAT:
		a->attach.fd = a_socket(self);
		break;
	case SOCKLOAN_IOC_POOL:
		/* Little memory, or more than there can be */
		a->pool.buf_size = sl_fuzz_one_in(&self->f, 8) ?
					   sl_fuzz_any(&self->f) :
					   sl_fuzz_any(&self->f) % 65536;
		a->pool.bufs = sl_fuzz_one_in(&self->f, 8) ?
				       UINT32_MAX :
				       sl_fuzz_any(&self->f) % 8;
		break;
	case SOCKLOAN_IOC_ALLOC:
	case SOCKLOAN_IOC_FREE:
		a->pkts.count =
			sl_fuzz_field(&self->f, 1 + sl_fuzz_any(&self->f) % 4);
		a->pkts.reserved = sl_fuzz_field(&self->f, 0);
		a->pkts.ids = sl_fuzz_address(
			&self->f,
			self->ids + sl_fuzz_any(&self->f) % (IDS - 4));
		break;
	case SOCKLOAN_IOC_XOUT:
		choose_packets(self);
		a->xout.flags = sl_fuzz_field(&self->f, 0) |
				SOCKLOAN_XOUT_DONTWAIT;
		a->xout.fd = a_socket(self);
		a->xout.count =
			sl_fuzz_field(&self->f, 1 + sl_fuzz_any(&self->f) % 4);
		a->xout.pkts = sl_fuzz_address(&self->f, self->pkts);
		break;
	}
	return sl_fuzz_number(&self->f, command);
}

static void drain(int fd)
{
	static char buf[65536];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

static void call(FIXTURE_DATA(fuzz) * self)
{
	union sl_fuzz_arg a, *at = &a;
	unsigned long command = fill(self, &a);
	int fd;

	fd = self->pools[sl_fuzz_any(&self->f) % 2];
	if (command == SOCKLOAN_IOC_POOL || sl_fuzz_one_in(&self->f, 32))
		fd = self->fresh;
	if (sl_fuzz_one_in(&self->f, 64))
		at = sl_fuzz_page_end(sl_fuzz_any(&self->f) % 80);
	if (sl_fuzz_one_in(&self->f, 256)) {
		close(self->fresh);
		self->fresh = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	}
	self->done++;
	self->failed += ioctl(fd, command, at) < 0;
	if (at != &a)
		sl_fuzz_unmap_page(at);
	if (sl_fuzz_one_in(&self->f, 16)) {
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
