// SPDX-License-Identifier: GPL-2.0
/*
 * UDP: control messages, notifications and several receivers, on a plain
 * socket and on an attached one the same
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_net.h"
#include "sl_scene.h"
#include "sl_udp.h"

#define LEN 60000
#define NEW 2
#define OLD SL_SCENE_STREAM

FIXTURE(udp_extra)
{
	struct sl_buf b;
};

FIXTURE_VARIANT(udp_extra)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(udp_extra, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(udp_extra, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(udp_extra)
{
	ASSERT_LE(0, sl_netns_new());
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
}

FIXTURE_TEARDOWN(udp_extra)
{
	sl_buf_unmap(&self->b);
}

#define EXPECT_SAME(_scene) \
	EXPECT_TRUE(sl_same_udp(&self->b, variant->family, _scene))

static struct sl_veth veth;
static ssize_t multicast_sent;

static int join(struct sl_addr *group, const char *dev)
{
	struct ipv6_mreq six = { .ipv6mr_interface = if_nametoindex(dev) };
	struct ip_mreqn four = { .imr_ifindex = if_nametoindex(dev) };
	int fd = sl_udp_receiver(group->sa.sa_family, group);

	if (fd < 0)
		return -1;
	four.imr_multiaddr = group->in.sin_addr;
	six.ipv6mr_multiaddr = group->in6.sin6_addr;
	if (group->sa.sa_family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &four,
				  sizeof(four)) ?
			       -1 :
			       fd;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &six,
			  sizeof(six)) ?
		       -1 :
		       fd;
}

/* A new link loses a few datagrams, whatever the socket. */
static bool reaches(int tx, const struct sl_addr *group, const int rx[2])
{
	bool got[2] = { false, false };
	int tries, i;
	char c = 0;

	for (tries = 0; tries < 100 && !(got[0] && got[1]); tries++) {
		if (sl_udp_send(tx, &c, 1, group) != 1)
			return false;
		usleep(20000);
		for (i = 0; i < 2; i++)
			while (recv(rx[i], &c, 1, MSG_DONTWAIT) == 1)
				got[i] = true;
	}
	return got[0] && got[1];
}

/* To a member on this host, and one on the next */
static void multicast(struct sl_scene *s)
{
	struct ip_mreqn four = { .imr_ifindex = if_nametoindex("sl0") };
	int six = four.imr_ifindex;
	struct sl_addr group;
	int rx[2], tx;

	sl_address(&group, s->family, "239.1.2.3", "ff15::123");
	rx[0] = join(&group, "sl0");
	sl_netns_enter(veth.peer);
	rx[1] = join(&group, "sl1");
	sl_netns_enter(veth.own);
	sl_note(s, "members", rx[0] >= 0 && rx[1] >= 0);
	tx = socket(s->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sl_note(s, "interface",
		s->family == AF_INET ?
			setsockopt(tx, IPPROTO_IP, IP_MULTICAST_IF, &four,
				   sizeof(four)) :
			setsockopt(tx, IPPROTO_IPV6, IPV6_MULTICAST_IF, &six,
				   sizeof(six)));
	sl_note(s, "reached", reaches(tx, &group, rx));
	sl_note(s, "attach", sl_scene_attach(s, tx));
	multicast_sent = sl_udp_send(tx, s->b->data, LEN, &group);
	sl_note(s, "send", multicast_sent);
	close(s->p.rx);
	s->p.rx = rx[0];
	sl_note_datagrams(s, 1);
	close(rx[0]);
	s->p.rx = rx[1];
	sl_note_datagrams(s, 1);
	sl_note(s, "loans", !s->attached || sl_plain() || sl_lent(tx) > 0);
	close(tx);
}

TEST_F(udp_extra, multicast)
{
	if (sl_veth(&veth))
		SKIP(return, "no veth");
	ASSERT_EQ(0, sl_run("ip link set sl0 mtu 65535"));
	ASSERT_EQ(0, sl_netns_enter(veth.peer));
	ASSERT_EQ(0, sl_run("ip link set sl1 mtu 65535"));
	ASSERT_EQ(0, sl_netns_enter(veth.own));
	EXPECT_SAME(multicast);
	EXPECT_EQ(LEN, multicast_sent);
}

static void put(struct msghdr *msg, size_t *used, int level, int type,
		const void *data, size_t len)
{
	struct cmsghdr *cmsg = (void *)((char *)msg->msg_control + *used);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	*used += CMSG_SPACE(len);
	msg->msg_controllen = *used;
}

static void note_control(struct sl_scene *s)
{
	static unsigned char got[65536];
	char control[256] = {};
	struct iovec v = { got, sizeof(got) };
	struct sl_addr from;
	struct msghdr msg = {
		.msg_name = &from.sa,
		.msg_namelen = sizeof(from.in6),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int value;

	sl_fill(s->b->data, LEN, NEW);
	sl_note(s, "recvmsg", recvmsg(s->p.rx, &msg, 0));
	sl_note(s, "content", sl_differs(got, LEN, OLD));
	sl_fill(s->b->data, LEN, OLD);
	sl_note(s, "from",
		s->family == AF_INET ? from.in.sin_addr.s_addr :
				       from.in6.sin6_addr.s6_addr[15]);
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		value = 0;
		memcpy(&value, CMSG_DATA(cmsg),
		       cmsg->cmsg_len - CMSG_LEN(0) < 4 ?
			       cmsg->cmsg_len - CMSG_LEN(0) :
			       4);
		sl_note(s, "type", cmsg->cmsg_type);
		sl_note(s, "value", value);
	}
}

/* Source address, TOS and TTL of one datagram */
static void control(struct sl_scene *s)
{
	struct in_pktinfo four = { .ipi_ifindex = 1 };
	struct in6_pktinfo six = { .ipi6_ifindex = 1 };
	char buf[256] __attribute__((aligned(8))) = {};
	struct iovec v[2] = {
		{ s->b->data, 100 },
		{ s->b->data + 100, LEN - 100 },
	};
	struct msghdr msg = {
		.msg_iov = v,
		.msg_iovlen = 2,
		.msg_control = buf,
	};
	int tos = 0x48, ttl = 77, on = 1;
	size_t used = 0;

	if (s->family == AF_INET) {
		setsockopt(s->p.rx, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
		setsockopt(s->p.rx, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
		inet_pton(AF_INET, "127.0.0.9", &four.ipi_spec_dst);
		put(&msg, &used, IPPROTO_IP, IP_PKTINFO, &four, sizeof(four));
		put(&msg, &used, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
		put(&msg, &used, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	} else {
		setsockopt(s->p.rx, IPPROTO_IPV6, IPV6_RECVTCLASS, &on,
			   sizeof(on));
		setsockopt(s->p.rx, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on,
			   sizeof(on));
		six.ipi6_addr = in6addr_loopback;
		put(&msg, &used, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof(six));
		put(&msg, &used, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
		put(&msg, &used, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl,
		    sizeof(ttl));
	}
	sl_note(s, "sendmsg", sendmsg(s->p.tx, &msg, 0));
	note_control(s);
	/* One that makes no sense */
	used = 0;
	put(&msg, &used, IPPROTO_IP, IP_TTL, &(int){ 1000 }, sizeof(int));
	sl_note_call(s, "sendmsg", sendmsg(s->p.tx, &msg, 0), LEN);
	sl_note_loans(s, 4096);
}

TEST_F(udp_extra, control_messages)
{
	EXPECT_SAME(control);
}

/* -- calls that bring their own pages -------------------------------------------- */

static void bring_pages(struct sl_scene *s)
{
	int fd = memfd_create("sendfile", MFD_CLOEXEC);
	off_t off = 0;
	int pfd[2];

	sl_note(s, "pipe", pipe(pfd));
	sl_note(s, "write", write(fd, s->b->data, LEN));
	sl_note(s, "sendfile", sendfile(s->p.tx, fd, &off, 30000));
	sl_note_datagrams(s, 1);
	sl_note(s, "write", write(pfd[1], s->b->data, 20000));
	sl_note(s, "splice", splice(pfd[0], NULL, s->p.tx, NULL, 20000, 0));
	sl_note_datagrams(s, 1);
	/* What they have gathered is not mixed with what is lent next */
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, 0), LEN);
	sl_note_datagrams(s, 1);
	sl_note_loans(s, 4096);
	close(pfd[0]);
	close(pfd[1]);
	close(fd);
}

TEST_F(udp_extra, sendfile_and_splice)
{
	EXPECT_SAME(bring_pages);
}

/* -- the error queue: zero copy and timestamps of the program's own ------------ */

static void note_queue(struct sl_scene *s)
{
	struct pollfd pfd = { .fd = s->p.tx };
	char control[512];
	struct msghdr msg = {};
	struct sock_extended_err *ee;
	struct cmsghdr *cmsg;

	sl_note(s, "poll", poll(&pfd, 1, SL_TIMEOUT_S * 1000));
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	sl_note(s, "recvmsg", recvmsg(s->p.tx, &msg, MSG_ERRQUEUE));
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		sl_note(s, "type", cmsg->cmsg_type);
		if (cmsg->cmsg_level == SOL_SOCKET)
			continue;
		ee = (struct sock_extended_err *)CMSG_DATA(cmsg);
		sl_note(s, "errno", ee->ee_errno);
		sl_note(s, "origin", ee->ee_origin);
		sl_note(s, "code", ee->ee_code);
		sl_note(s, "info", ee->ee_info);
		sl_note(s, "data", ee->ee_data);
	}
	sl_note(s, "no more",
		recvmsg(s->p.tx, &msg, MSG_ERRQUEUE) ? -errno : 0);
}

static void set(struct sl_scene *s, int name, int value)
{
	sl_note(s, "setsockopt",
		setsockopt(s->p.tx, SOL_SOCKET, name, &value, sizeof(value)));
}

/* A program that does not touch its buffer until it is told */
static void zerocopy(struct sl_scene *s)
{
	int i;

	set(s, SO_ZEROCOPY, 1);
	for (i = 0; i < 3; i++) {
		sl_note_call(s, "send",
			     send(s->p.tx, s->b->data, LEN, MSG_ZEROCOPY), LEN);
		sl_note(s, "arrival", sl_udp_recv(s->p.rx, LEN, OLD));
		note_queue(s);
	}
	/* By turns with sends that say nothing */
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, 0), LEN);
	sl_note_datagrams(s, 1);
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, MSG_ZEROCOPY),
		     LEN);
	sl_note(s, "arrival", sl_udp_recv(s->p.rx, LEN, OLD));
	note_queue(s);
	sl_note_loans(s, 4096);
}

TEST_F(udp_extra, msg_zerocopy)
{
	struct sl_counters c;

	sl_count(&c);
	EXPECT_SAME(zerocopy);
	EXPECT_RISE_BY(&c, "FbFlags", 4);
}

/* Without SO_ZEROCOPY the flag is nothing */
static void zerocopy_off(struct sl_scene *s)
{
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, MSG_ZEROCOPY),
		     LEN);
	sl_note_datagrams(s, 1);
}

TEST_F(udp_extra, msg_zerocopy_off)
{
	EXPECT_SAME(zerocopy_off);
}

/* One timestamp for one datagram, numbered as ever */
static void timestamps(struct sl_scene *s)
{
	int i;

	set(s, SO_TIMESTAMPING,
	    SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
	for (i = 0; i < 3; i++) {
		sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, 0), LEN);
		note_queue(s);
		sl_note_datagrams(s, 1);
	}
}

TEST_F(udp_extra, timestamps)
{
	EXPECT_SAME(timestamps);
}

TEST_HARNESS_MAIN
