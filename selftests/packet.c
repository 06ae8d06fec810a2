// SPDX-License-Identifier: GPL-2.0
/* Packets of a pool given away to sockets: whose they are when */
#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "sl_pool.h"
#include "sl_udp.h"

FIXTURE(packet)
{
	struct pool p;
	struct sl_pair s;
	uint32_t id;
};

FIXTURE_VARIANT(packet)
{
	int family;
	bool udp;
};

FIXTURE_VARIANT_ADD(packet, tcp_v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(packet, tcp_v6){
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(packet, udp_v4){
	.family = AF_INET,
	.udp = true,
};

FIXTURE_VARIANT_ADD(packet, udp_v6){
	.family = AF_INET6,
	.udp = true,
};

FIXTURE_SETUP(packet)
{
	struct sl_addr to;

	ASSERT_EQ(0, pool_open(&self->p, BUF, BUFS));
	ASSERT_EQ(1, pkt_alloc(&self->p, &self->id, 1));
	if (variant->udp) {
		ASSERT_EQ(0, sl_udp_pair_plain(&self->s, variant->family, &to,
					       true));
	} else {
		ASSERT_EQ(0, sl_pair_plain(&self->s, variant->family));
	}
	/* Packets are no loans of the program's memory: also with SOCKLOAN_PLAIN */
	ASSERT_EQ(0, sl_attach(self->s.tx));
}

FIXTURE_TEARDOWN(packet)
{
	sl_pair_close(&self->s);
	pool_close(&self->p);
}

/* The data of one packet, however it is read */
static int arrives(int fd, size_t len, uint64_t seed)
{
	int type = 0;
	socklen_t tlen = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &tlen);
	if (type == SOCK_DGRAM)
		return sl_udp_recv(fd, len, seed);
	return sl_drain(fd, len, seed);
}

#define LENGTH(_variant) ((_variant)->udp ? 60000 : BUF)

TEST_F(packet, arrives_and_comes_back)
{
	uint32_t len = LENGTH(variant), again;

	sl_fill(pkt_data(&self->p, self->id), len, 1);
	EXPECT_EQ(1, xout(&self->p, self->s.tx, self->id, 0, len, 0));
	/* Nobody has read it yet. */
	EXPECT_EQ(1, stat_of(&self->p).in_flight);
	EXPECT_EQ(0, stat_of(&self->p).held);
	EXPECT_ERRNO(EBUSY, pkt_free(&self->p, self->id));
	EXPECT_ERRNO(EBUSY, xout(&self->p, self->s.tx, self->id, 0, len, 0));
	EXPECT_EQ(0, arrives(self->s.rx, len, 1));
	EXPECT_TRUE(all_free(&self->p));
	EXPECT_ERRNO(ENOENT, pkt_free(&self->p, self->id));
	EXPECT_EQ(BUFS, pkts(&self->p, SOCKLOAN_IOC_ALLOC,
			     (uint32_t[BUFS]){ 0 }, BUFS));
	EXPECT_ERRNO(ENOBUFS, pkt_alloc(&self->p, &again, 1));
	EXPECT_EQ(1, stat_of(&self->p).xouts);
	EXPECT_EQ(len, stat_of(&self->p).xout_bytes);
}

/* The pages themselves, with no copy on the way: a late change is seen. */
TEST_F(packet, is_not_copied)
{
	uint32_t len = LENGTH(variant);

	sl_fill(pkt_data(&self->p, self->id), len, 1);
	ASSERT_EQ(1, xout(&self->p, self->s.tx, self->id, 0, len, 0));
	sl_fill(pkt_data(&self->p, self->id), len, 2);
	EXPECT_EQ(0, arrives(self->s.rx, len, 2));
}

TEST_F(packet, any_part_of_the_buffer)
{
	static const uint32_t parts[][2] = {
		{ 0, 1 },	 { 1, 4096 },	   { 4095, 2 },
		{ 5000, 30000 }, { 32767, 32769 }, { 65535, 1 },
	};
	int i;

	sl_fill(pkt_data(&self->p, self->id), BUF, 1);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		uint32_t id;

		ASSERT_EQ(1, pkt_alloc(&self->p, &id, 1));
		sl_fill(pkt_data(&self->p, id), BUF, 9);
		sl_fill(pkt_data(&self->p, id) + parts[i][0], parts[i][1], i);
		EXPECT_EQ(1, xout(&self->p, self->s.tx, id, parts[i][0],
				  parts[i][1], 0));
		EXPECT_EQ(0, arrives(self->s.rx, parts[i][1], i));
	}
}

/* Received on another CPU, and nothing else happens there: yet it comes back. */
TEST_F(packet, comes_back_from_an_idle_machine)
{
	uint32_t len = LENGTH(variant), ids[BUFS];
	uint64_t until;
	int i, n = 0;

	ASSERT_EQ(1, pkt_free(&self->p, self->id));
	ASSERT_EQ(BUFS, pkt_alloc(&self->p, ids, BUFS));
	for (i = 0; i < BUFS; i++) {
		ASSERT_EQ(0, sl_cpu(0));
		sl_fill(pkt_data(&self->p, ids[i]), len, 1);
		ASSERT_EQ(1, xout(&self->p, self->s.tx, ids[i], 0, len, 0));
		ASSERT_EQ(0, sl_cpu(1));
		ASSERT_EQ(0, arrives(self->s.rx, len, 1));
	}
	until = sl_ms() + 2000 * sl_slow();
	while (n < BUFS && sl_ms() < until) {
		i = pkt_alloc(&self->p, ids, BUFS - n);
		n += i > 0 ? i : 0;
		sl_sleep_ms(10);
	}
	EXPECT_EQ(BUFS, n);
}

TEST_F(packet, beyond_the_buffer)
{
	int tx = self->s.tx;

	EXPECT_ERRNO(EINVAL, xout(&self->p, tx, self->id, 0, 0, 0));
	EXPECT_ERRNO(EMSGSIZE, xout(&self->p, tx, self->id, 0, BUF + 1, 0));
	EXPECT_ERRNO(EMSGSIZE, xout(&self->p, tx, self->id, BUF, 1, 0));
	EXPECT_ERRNO(EMSGSIZE, xout(&self->p, tx, self->id, UINT32_MAX, 2, 0));
	EXPECT_ERRNO(EMSGSIZE, xout(&self->p, tx, self->id, 2, UINT32_MAX, 0));
	EXPECT_ERRNO(EINVAL, xout(&self->p, tx, self->id, 0, 1, 4));
	if (variant->udp)
		EXPECT_ERRNO(EMSGSIZE, xout(&self->p, tx, self->id, 0, BUF, 0));
	/* Still the program's, and whole. */
	EXPECT_EQ(1, pkt_free(&self->p, self->id));
}

TEST_F(packet, wrong_sockets)
{
	int pipes[2], plain = socket(variant->family, SOCK_STREAM, 0);

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_ERRNO(ENOTSOCK, xout(&self->p, pipes[0], self->id, 0, 1, 0));
	EXPECT_ERRNO(EBADF, xout(&self->p, 9999, self->id, 0, 1, 0));
	EXPECT_ERRNO(ESRCH, xout(&self->p, plain, self->id, 0, 1, 0));
	ASSERT_EQ(0, sl_attach(plain));
	EXPECT_ERRNO(EPIPE, xout(&self->p, plain, self->id, 0, 1, 0));
	EXPECT_ERRNO(EPIPE, xout(&self->p, plain, self->id, 0, BUF,
				 SOCKLOAN_XOUT_DONTWAIT));
	close(plain);
	plain = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_ERRNO(EOPNOTSUPP, xout(&self->p, plain, self->id, 0, 1, 0));
	close(plain);
	plain = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, sl_attach(plain));
	EXPECT_ERRNO(EDESTADDRREQ, xout(&self->p, plain, self->id, 0, 1, 0));
	close(plain);
	close(pipes[0]);
	close(pipes[1]);
	EXPECT_EQ(1, pkt_free(&self->p, self->id));
}

TEST_F(packet, several_in_one_call)
{
	struct sockloan_pkt pkt[4] = {};
	uint32_t ids[3];
	int i;

	ASSERT_EQ(3, pkt_alloc(&self->p, ids, 3));
	for (i = 0; i < 3; i++) {
		pkt[i].id = ids[i];
		pkt[i].len = 20000;
		pkt[i].result = 99;
		sl_fill(pkt_data(&self->p, ids[i]), 20000, i + 1);
	}
	pkt[3].id = 0xfff00000;
	pkt[3].len = 1;
	EXPECT_EQ(3, xout_all(&self->p, self->s.tx, pkt, 4, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_LE(0, pkt[i].result);
		EXPECT_EQ(0, arrives(self->s.rx, 20000, i + 1));
	}
	EXPECT_EQ(-ENOENT, pkt[3].result);
	EXPECT_EQ(1, stat_of(&self->p).held);
}

TEST_F(packet, no_room)
{
	uint32_t id;
	int sent = 0;

	if (variant->udp)
		SKIP(return, "what has no room is dropped");
	/* Nobody reads; each stays in flight. */
	do {
		if (pkt_alloc(&self->p, &id, 1) != 1)
			break;
		sl_fill(pkt_data(&self->p, id), BUF, sent);
	} while (xout(&self->p, self->s.tx, id, 0, BUF,
		      SOCKLOAN_XOUT_DONTWAIT) == 1 &&
		 ++sent);
	if (stat_of(&self->p).free) {
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(1, pkt_free(&self->p, id));
	}
	EXPECT_EQ(sent, stat_of(&self->p).in_flight);
	for (id = 0; id < sent; id++)
		EXPECT_EQ(0, arrives(self->s.rx, BUF, id));
}

TEST_F(packet, small_send_buffer)
{
	int size = 20000, i;
	struct sl_reader r;
	uint32_t id;

	if (variant->udp)
		SKIP(return, "a stream's");
	ASSERT_EQ(0, setsockopt(self->s.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	EXPECT_ERRNO(EMSGSIZE, xout(&self->p, self->s.tx, self->id, 0, BUF,
				    SOCKLOAN_XOUT_DONTWAIT));
	/* It waits, and goes as a whole. */
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, sl_reader_start(&r, self->s.rx, BUF, i));
		while (pkt_alloc(&self->p, &id, 1) != 1)
			sl_sleep_ms(1);
		sl_fill(pkt_data(&self->p, id), BUF, i);
		EXPECT_EQ(1, xout(&self->p, self->s.tx, id, 0, BUF, 0));
		EXPECT_EQ(0, sl_reader_join(&r));
	}
}

TEST_F(packet, end_of_the_connection)
{
	if (variant->udp)
		SKIP(return, "a stream's");
	sl_fill(pkt_data(&self->p, self->id), BUF, 1);
	ASSERT_EQ(0, shutdown(self->s.tx, SHUT_WR));
	/* An error, no signal; the packet is still the program's. */
	EXPECT_ERRNO(EPIPE, xout(&self->p, self->s.tx, self->id, 0, BUF, 0));
	EXPECT_ERRNO(EPIPE, xout(&self->p, self->s.tx, self->id, 0, BUF,
				 SOCKLOAN_XOUT_DONTWAIT));
	EXPECT_EQ(1, pkt_free(&self->p, self->id));
}

TEST_F(packet, outlives_the_pool)
{
	uint32_t len = LENGTH(variant);

	sl_fill(pkt_data(&self->p, self->id), len, 5);
	ASSERT_EQ(1, xout(&self->p, self->s.tx, self->id, 0, len, 0));
	pool_close(&self->p);
	EXPECT_EQ(0, arrives(self->s.rx, len, 5));
	ASSERT_EQ(0, pool_open(&self->p, BUF, BUFS));
}

TEST_F(packet, outlives_its_program)
{
	uint32_t len = LENGTH(variant);
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		struct pool p;
		uint32_t id;

		if (pool_open(&p, BUF, BUFS) || pkt_alloc(&p, &id, 1) != 1)
			_exit(1);
		sl_fill(pkt_data(&p, id), len, 6);
		if (xout(&p, self->s.tx, id, 0, len, 0) != 1)
			_exit(2);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(0, arrives(self->s.rx, len, 6));
}

/* A buffer that is used again and again never shows anything but its packet. */
TEST_F(packet, used_again_and_again)
{
	uint32_t len = LENGTH(variant), id;
	int i;

	for (i = 0; i < 200 / sl_slow(); i++) {
		while (pkt_alloc(&self->p, &id, 1) != 1)
			sl_sleep_ms(1);
		sl_fill(pkt_data(&self->p, id), len, i);
		ASSERT_EQ(1, xout(&self->p, self->s.tx, id, 0, len, 0));
		ASSERT_EQ(0, arrives(self->s.rx, len, i));
	}
	EXPECT_EQ(1, pkt_free(&self->p, self->id));
	EXPECT_TRUE(all_free(&self->p));
}

TEST_HARNESS_MAIN
