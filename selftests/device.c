// SPDX-License-Identifier: GPL-2.0
/*
 * Loans below the socket: small packets, lost and duplicated packets, real
 * device paths, and devices that cannot gather
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <linux/ethtool.h>

#include "kselftest_harness.h"
#include "sl_net.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define PIECE (60 * SL_KIB) /* not a multiple of the chunk */
#define PIECES 12

FIXTURE(device)
{
	struct sl_pair p;
	struct sl_counters c;
	bool missing; /* no such device or queue here */
};

FIXTURE_VARIANT(device)
{
	const char *mtu; /* of lo, or NULL */
	const char *setup; /* shell, in the test's namespace */
	bool veth;
	int family;
	bool no_gather; /* of the device */
	bool md5; /* no segmentation offload either */
	size_t offset;
};

FIXTURE_VARIANT_ADD(device, lo_small_mtu_v4){
	.mtu = "1500",
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(device, lo_small_mtu_v6_unaligned){
	.mtu = "1500",
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(device, lossy_v4){
	.setup = "tc qdisc add dev lo root netem delay 1ms loss 3% duplicate 2%",
	.mtu = "9000",
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(device, reordering_v6){
	.setup = "tc qdisc add dev lo root netem delay 1ms reorder 80%",
	.mtu = "9000",
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(device, veth_v4){
	.veth = true,
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(device, veth_v6_lossy_unaligned){
	.setup = "tc qdisc add dev sl0 root netem delay 1ms loss 3%",
	.veth = true,
	.family = AF_INET6,
	.offset = 1003,
};

/* Below the socket, TCP gathers for a device that cannot... */
FIXTURE_VARIANT_ADD(device, no_gather_v4){
	.veth = true,
	.family = AF_INET,
	.no_gather = true,
};

FIXTURE_VARIANT_ADD(device, md5_v6){
	.veth = true,
	.family = AF_INET6,
	.md5 = true,
};

/* ...unless the socket has segmentation offload turned off, as MD5 does */
FIXTURE_VARIANT_ADD(device, no_gather_md5_v4){
	.veth = true,
	.family = AF_INET,
	.no_gather = true,
	.md5 = true,
};

FIXTURE_VARIANT_ADD(device, no_gather_md5_v6){
	.veth = true,
	.family = AF_INET6,
	.no_gather = true,
	.md5 = true,
};

FIXTURE_SETUP(device)
{
	struct sl_veth v;

	/* What is set up here is torn down with its namespace */
	self->p.tx = -1;
	self->p.rx = -1;
	if (variant->veth) {
		if (sl_veth(&v)) {
			self->missing = true;
			return;
		}
		if (variant->no_gather) {
			ASSERT_EQ(0, sl_ethtool("sl0", ETHTOOL_SSG, 0));
		}
	} else {
		ASSERT_LE(0, sl_netns_new());
	}
	if (variant->mtu) {
		ASSERT_EQ(0, sl_run("ip link set lo mtu %s", variant->mtu));
	}
	if (variant->setup && sl_run("%s", variant->setup)) {
		self->missing = true;
		return;
	}
	if (variant->veth) {
		ASSERT_EQ(0, sl_veth_pair(&self->p, variant->family,
					  variant->md5, &v));
	} else {
		ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	}
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(device)
{
	sl_pair_close(&self->p);
}

#define REQUIRE_DEVICE(_self)                                                  \
	do {                                                                   \
		if ((_self)->missing)                                          \
			SKIP(return, "no such device or queueing discipline"); \
	} while (0)

/* What should have been lent of "n" pieces, or why it was not */
#define EXPECT_LENT_PIECES(_self, _b, _n)                                  \
	do {                                                               \
		if (variant->no_gather && variant->md5) {                  \
			EXPECT_LENT((_self)->p.tx, 0);                     \
			EXPECT_RISE(&(_self)->c, "FbNoSg");                \
		} else {                                                   \
			EXPECT_LENT((_self)->p.tx,                         \
				    (_n)*sl_whole((_b)->data, (_b)->len)); \
		}                                                          \
	} while (0)

/* One buffer, filled and sent again and again while none of it has arrived */
TEST_F(device, reuse)
{
	struct sl_buf b;
	int i;

	REQUIRE_DEVICE(self);
	ASSERT_EQ(0, sl_buf_map(&b, PIECE, variant->offset, 0));
	for (i = 0; i < PIECES; i++) {
		sl_fill(b.data, PIECE, OLD + i);
		ASSERT_EQ(PIECE, sl_send_all(self->p.tx, b.data, PIECE, 0));
	}
	sl_fill(b.data, PIECE, OLD + PIECES);
	for (i = 0; i < PIECES; i++) {
		EXPECT_EQ(0, sl_drain(self->p.rx, PIECE, OLD + i));
	}
	EXPECT_LENT_PIECES(self, &b, PIECES);
	sl_buf_unmap(&b);
}

/* The sender is gone before the data is acknowledged */
TEST_F(device, killed)
{
	struct sl_buf b;
	pid_t pid;

	REQUIRE_DEVICE(self);
	pid = fork();
	if (!pid) {
		if (sl_buf_map(&b, SL_MIB, variant->offset, OLD) ||
		    sl_send_all(self->p.tx, b.data, b.len, 0) != b.len)
			_exit(1);
		raise(SIGKILL);
	}
	EXPECT_EQ(-1, sl_exited(pid));
	close(self->p.tx);
	self->p.tx = -1;
	/* Somebody else's data in the memory that was freed */
	ASSERT_EQ(0, sl_buf_map(&b, 4 * SL_MIB, 0, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, SL_MIB, OLD));
	EXPECT_EQ(0, sl_drain_eof(self->p.rx));
	sl_buf_unmap(&b);
}

TEST_HARNESS_MAIN
