// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: namespaces and devices
 */
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "sl_net.h"

/*
 * Loopback up, and everything lent: a test of the adaptive rule, which copies
 * what is rewritten too often, turns it on again.
 */
int sl_netns_prepare(void)
{
	if (!sl_plain() && sl_sysctl("sockloan/adapt", "0"))
		fprintf(stderr, "# no net.sockloan.adapt\n");
	return sl_lo_up();
}

/* Go into a new namespace: its descriptor */
int sl_netns_new(void)
{
	if (unshare(CLONE_NEWNET) || sl_netns_prepare())
		return -1;
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

int sl_netns_enter(int ns)
{
	return setns(ns, CLONE_NEWNET);
}

/* A shell command, in the namespace that we are in */
int sl_run(const char *format, ...)
{
	char command[512], line[600];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "{ %s; } >/dev/null 2>&1", command);
	return system(line) ? -1 : 0;
}

static int veth_end(const char *dev, const char *v4, const char *v6)
{
	return sl_run("ip addr add %s/24 dev %s && "
		      "ip addr add %s/64 dev %s nodad && ip link set %s up",
		      v4, dev, v6, dev, dev);
}

/* Two new namespaces with devices between them; we are in v->own then */
int sl_veth(struct sl_veth *v)
{
	v->peer = sl_netns_new();
	v->own = sl_netns_new();
	if (v->own < 0 || v->peer < 0)
		return -1;
	if (sl_run("ip link add sl0 type veth peer name sl1 netns /proc/%d/fd/%d",
		   getpid(), v->peer) ||
	    veth_end("sl0", SL_OWN_V4, SL_OWN_V6) || sl_netns_enter(v->peer))
		return -1;
	if (veth_end("sl1", SL_PEER_V4, SL_PEER_V6))
		return -1;
	return sl_netns_enter(v->own);
}

void sl_address(struct sl_addr *a, int family, const char *v4, const char *v6)
{
	sl_loopback(a, family);
	if (family == AF_INET6)
		inet_pton(AF_INET6, v6, &a->in6.sin6_addr);
	else
		inet_pton(AF_INET, v4, &a->in.sin_addr);
}

/* Set one of a device's features */
int sl_ethtool(const char *dev, unsigned int cmd, unsigned int value)
{
	struct ethtool_value v = { .cmd = cmd, .data = value };
	struct ifreq ifr = { .ifr_data = (void *)&v };
	int fd, ret;

	strncpy(ifr.ifr_name, dev, IFNAMSIZ - 1);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ret = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return ret;
}

static int sign(int fd, int family, const char *v4, const char *v6)
{
	struct tcp_md5sig md5 = { .tcpm_keylen = 4, .tcpm_key = "key" };
	struct sl_addr a;

	sl_address(&a, family, v4, v6);
	memcpy(&md5.tcpm_addr, &a.sa, a.len);
	return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &md5, sizeof(md5));
}

static int peer_listen(struct sl_addr *a, int family, bool md5)
{
	int room = SL_ROOM;
	int fd;

	sl_address(a, family, SL_PEER_V4, SL_PEER_V6);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if ((md5 && sign(fd, family, SL_OWN_V4, SL_OWN_V6)) ||
	    bind(fd, &a->sa, a->len) || listen(fd, 1) ||
	    getsockname(fd, &a->sa, &a->len))
		return -1;
	return fd;
}

static int own_connect(const struct sl_addr *a, bool md5)
{
	int room = SL_ROOM;
	int fd, i;

	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (md5 && sign(fd, a->sa.sa_family, SL_PEER_V4, SL_PEER_V6))
		return -1;
	/* The link takes a moment */
	for (i = 0; i < 100; i++) {
		if (!connect(fd, &a->sa, a->len))
			return fd;
		sl_sleep_ms(20);
	}
	close(fd);
	return -1;
}

/*
 * A listener in the peer namespace, our end attached in ours; "md5": signed, which
 * takes segmentation offload from the sockets
 */
int sl_veth_pair(struct sl_pair *p, int family, bool md5,
		 const struct sl_veth *v)
{
	struct timeval tv = { .tv_sec = SL_TIMEOUT_S };
	struct sl_addr a;
	int lfd;

	if (sl_netns_enter(v->peer))
		return -1;
	lfd = peer_listen(&a, family, md5);
	if (lfd < 0 || sl_netns_enter(v->own))
		return -1;
	p->tx = own_connect(&a, md5);
	if (p->tx < 0)
		return -1;
	p->rx = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	close(lfd);
	setsockopt(p->rx, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return p->rx < 0 ? -1 : sl_attach(p->tx);
}
