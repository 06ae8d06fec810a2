// SPDX-License-Identifier: GPL-2.0
/*
 * UDP below the socket: devices with and without offloads, fragments, and a
 * router that fills in the checksum
 *
 *   the test's          the peer's           a third
 *   +---------+       +------------+       +---------+
 *   |   sl0 --+-------+-- sl1 sl2 -+-------+-- sl3   |
 *   +---------+       +------------+       +---------+
 *                       198.51.100.1         198.51.100.2
 *                       2001:db8:7::1        2001:db8:7::2
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/ethtool.h>
#include <linux/udp.h>

#include "kselftest_harness.h"
#include "sl_net.h"
#include "sl_udp.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define ROUNDS 8
#define FAR_V4 "198.51.100.2"
#define FAR_V6 "2001:db8:7::2"

FIXTURE(wire)
{
	struct sl_pair p;
	struct sl_addr to;
	struct sl_buf b;
	struct sl_counters c;
	bool missing; /* no such device here */
	unsigned long errors; /* of checksums, seen before */
	int rx_ns;
};

FIXTURE_VARIANT(wire)
{
	int family;
	int mtu;
	unsigned int off; /* ethtool command: not by sl0 */
	bool far; /* behind the router */
	const char *setup; /* shell, in the test's namespace */
	size_t len;
	size_t offset;
	bool lent; /* or the kernel would copy it anyway */
};

FIXTURE_VARIANT_ADD(wire, fragments_v4){
	.family = AF_INET,
	.mtu = 1500,
	.len = 60000,
};

FIXTURE_VARIANT_ADD(wire, fragments_v6_unaligned){
	.family = AF_INET6,
	.mtu = 1500,
	.len = 60000,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(wire, fragments_reordered_v4){
	.family = AF_INET,
	.mtu = 1500,
	.len = 30000,
	.offset = 1003,
	.setup = "tc qdisc add dev sl0 root netem delay 1ms reorder 80%",
};

FIXTURE_VARIANT_ADD(wire, jumbo_v4){
	.family = AF_INET,
	.mtu = 9000,
	.len = 8900,
	.lent = true,
};

FIXTURE_VARIANT_ADD(wire, jumbo_v6_unaligned){
	.family = AF_INET6,
	.mtu = 9000,
	.len = 8900,
	.offset = 1003,
	.lent = true,
};

FIXTURE_VARIANT_ADD(wire, jumbo_delayed_v4){
	.family = AF_INET,
	.mtu = 9000,
	.len = 8192,
	.lent = true,
	.setup = "tc qdisc add dev sl0 root netem delay 30ms duplicate 0%",
};

/* The checksum is made of the program's bytes, while they are copied */
FIXTURE_VARIANT_ADD(wire, no_checksum_offload_v4){
	.family = AF_INET,
	.mtu = 9000,
	.off = ETHTOOL_STXCSUM,
	.len = 8900,
};

FIXTURE_VARIANT_ADD(wire, no_checksum_offload_v6){
	.family = AF_INET6,
	.mtu = 9000,
	.off = ETHTOOL_STXCSUM,
	.len = 8900,
	.offset = 1003,
};

FIXTURE_VARIANT_ADD(wire, no_gather_v4){
	.family = AF_INET,
	.mtu = 9000,
	.off = ETHTOOL_SSG,
	.len = 8900,
};

/* The checksum is made of lent pages, on the way, and looked at by sl3 */
FIXTURE_VARIANT_ADD(wire, router_fills_in_v4){
	.family = AF_INET,
	.mtu = 9000,
	.far = true,
	.len = 8900,
	.lent = true,
};

FIXTURE_VARIANT_ADD(wire, router_fills_in_v6_unaligned){
	.family = AF_INET6,
	.mtu = 9000,
	.far = true,
	.len = 8900,
	.offset = 1003,
	.lent = true,
};

/* Datagrams that the peer counted as broken */
static unsigned long checksum_errors(int family)
{
	unsigned long n = 0, in[8] = {};
	char line[512], name[64];
	FILE *f;

	f = fopen(family == AF_INET ? "/proc/self/net/snmp" :
				      "/proc/self/net/snmp6",
		  "re");
	if (!f)
		return 0;
	/* InDatagrams NoPorts InErrors OutDatagrams ... InCsumErrors */
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Udp: %lu %lu %lu %lu %lu %lu %lu", in, in + 1,
			   in + 2, in + 3, in + 4, in + 5, in + 6) == 7)
			n = in[6];
		if (sscanf(line, "%63s %lu", name, in) == 2 &&
		    !strcmp(name, "Udp6InCsumErrors"))
			n = in[0];
	}
	fclose(f);
	return n;
}

/* The third namespace, and the router's way there without offloads */
static int far_end(const struct sl_veth *v)
{
	int far = sl_netns_new();

	if (far < 0 || sl_netns_enter(v->peer) ||
	    sl_run("ip link add sl2 mtu 9000 type veth peer name sl3 mtu 9000 netns /proc/%d/fd/%d",
		   getpid(), far) ||
	    sl_run("ip addr add 198.51.100.1/24 dev sl2 && "
		   "ip addr add 2001:db8:7::1/64 dev sl2 nodad && "
		   "ip link set sl2 up") ||
	    sl_put("/proc/sys/net/ipv4/ip_forward", "1") ||
	    sl_put("/proc/sys/net/ipv6/conf/all/forwarding", "1") ||
	    sl_ethtool("sl2", ETHTOOL_STXCSUM, 0))
		return -1;
	if (sl_netns_enter(far) ||
	    sl_run("ip addr add " FAR_V4 "/24 dev sl3 && "
		   "ip addr add " FAR_V6 "/64 dev sl3 nodad && "
		   "ip link set sl3 up && "
		   "ip route add default via 198.51.100.1 && "
		   "ip -6 route add default via 2001:db8:7::1"))
		return -1;
	if (sl_netns_enter(v->own) ||
	    sl_run("ip route add default via " SL_PEER_V4 " && "
		   "ip -6 route add default via " SL_PEER_V6))
		return -1;
	return far;
}

static int wire_pair(FIXTURE_DATA(wire) * self,
		     const FIXTURE_VARIANT(wire) * variant)
{
	struct sl_veth v;
	int i;

	if (sl_veth(&v))
		return -1;
	sl_cpu(0);
	self->rx_ns = v.peer;
	if (sl_run("ip link set sl0 mtu %d", variant->mtu) ||
	    sl_netns_enter(v.peer) ||
	    sl_run("ip link set sl1 mtu %d", variant->mtu) ||
	    sl_netns_enter(v.own))
		return -1;
	if (variant->off && sl_ethtool("sl0", variant->off, 0))
		return -1;
	if (variant->setup && sl_run("%s", variant->setup))
		return -1;
	if (variant->far)
		self->rx_ns = far_end(&v);
	if (self->rx_ns < 0 || sl_netns_enter(self->rx_ns))
		return -1;
	if (variant->far)
		sl_address(&self->to, variant->family, FAR_V4, FAR_V6);
	else
		sl_address(&self->to, variant->family, SL_PEER_V4, SL_PEER_V6);
	self->p.rx = sl_udp_receiver(variant->family, &self->to);
	self->errors = checksum_errors(variant->family);
	if (self->p.rx < 0 || sl_netns_enter(v.own))
		return -1;
	self->p.tx = socket(variant->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(self->p.tx, &self->to.sa, self->to.len))
		return -1;
	/* The links take a moment, and so do neighbours */
	for (i = 0; i < 100 && sl_udp_none(self->p.rx) == 0; i++)
		send(self->p.tx, "x", 1, 0);
	while (sl_udp_none(self->p.rx))
		recv(self->p.rx, &(char){ 0 }, 1, 0);
	return i < 100 ? 0 : -1;
}

FIXTURE_SETUP(wire)
{
	self->p.tx = -1;
	self->p.rx = -1;
	if (wire_pair(self, variant)) {
		self->missing = true;
		return;
	}
	ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(wire)
{
	sl_pair_close(&self->p);
}

/* One datagram, of whichever round: its stream, or -1 */
static int receive(FIXTURE_DATA(wire) * self)
{
	static unsigned char got[65536];
	int i;

	if (recv(self->p.rx, got, sizeof(got), 0) != self->b.len)
		return -1;
	for (i = 0; i < ROUNDS; i++)
		if (sl_differs(got, self->b.len, OLD + i) < 0)
			return i;
	return -1;
}

/* The same memory for all, and none has been received before the last */
TEST_F(wire, reuse)
{
	unsigned int seen = 0;
	int i, round;

	if (self->missing)
		SKIP(return, "no such device");
	for (i = 0; i < ROUNDS; i++) {
		sl_fill(self->b.data, self->b.len, OLD + i);
		ASSERT_EQ(self->b.len,
			  send(self->p.tx, self->b.data, self->b.len, 0));
	}
	sl_fill(self->b.data, self->b.len, OLD + ROUNDS);
	for (i = 0; i < ROUNDS; i++) {
		round = receive(self);
		ASSERT_LE(0, round);
		seen |= 1U << round;
	}
	EXPECT_EQ((1U << ROUNDS) - 1, seen);
	EXPECT_EQ(0, sl_udp_none(self->p.rx));
	if (variant->lent) {
		EXPECT_LENT(self->p.tx,
			    ROUNDS * sl_whole(self->b.data, self->b.len));
		EXPECT_NO_RISE(&self->c, "FbRoute");
	} else {
		EXPECT_LENT(self->p.tx, 0);
		EXPECT_LT(0, sl_plain() ? 1 :
					  sl_rise(&self->c, "FbRoute") +
						  sl_rise(&self->c, "FbNoSg"));
	}
	ASSERT_EQ(0, sl_netns_enter(self->rx_ns));
	EXPECT_EQ(self->errors, checksum_errors(variant->family));
}

TEST_HARNESS_MAIN
