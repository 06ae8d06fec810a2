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
