// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: connected pairs of sockets
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "sl_test.h"

void sl_loopback(struct sl_addr *a, int family)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET6) {
		a->len = sizeof(a->in6);
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_addr = in6addr_loopback;
	} else {
		a->len = sizeof(a->in);
		a->in.sin_family = AF_INET;
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
}

/* A listener on a free loopback port; *a becomes its address */
int sl_listen(int family, struct sl_addr *a)
{
	int one = 1;
	int fd;

	sl_loopback(a, family);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a->sa, a->len) || listen(fd, 128) ||
	    getsockname(fd, &a->sa, &a->len)) {
		close(fd);
		return -1;
	}
	return fd;
}

int sl_connect(const struct sl_addr *a)
{
	int fd;

	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, &a->sa, a->len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int set_buf(int fd, int forced, int plain, int bytes)
{
	if (!bytes)
		return 0;
	if (!setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)))
		return 0;
	return setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

/*
 * A connected pair that is not attached.  Sizes of 0 leave a buffer to the
 * kernel's autotuning.
 */
int sl_pair_sized(struct sl_pair *p, int family, int sndbuf, int rcvbuf)
{
	struct timeval tv = { .tv_sec = SL_TIMEOUT_S };
	struct sl_addr a;
	int mss = 1400;
	int lfd;

	p->tx = -1;
	p->rx = -1;
	lfd = sl_listen(family, &a);
	if (lfd < 0)
		return -1;
	if (set_buf(lfd, SO_RCVBUFFORCE, SO_RCVBUF, rcvbuf))
		goto out;
	/*
	 * A window smaller than a segment is not used until a timer goes off,
	 * and the segments of the loopback device are large.
	 */
	if (rcvbuf && rcvbuf < SL_ROOM)
		setsockopt(lfd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
	p->tx = sl_connect(&a);
	if (p->tx < 0)
		goto out;
	p->rx = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	if (p->rx < 0)
		goto out_tx;
	close(lfd);
	setsockopt(p->rx, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (set_buf(p->tx, SO_SNDBUFFORCE, SO_SNDBUF, sndbuf))
		goto out_rx;
	return 0;

out_rx:
	close(p->rx);
	lfd = -1;
out_tx:
	close(p->tx);
out:
	if (lfd >= 0)
		close(lfd);
	return -1;
}

int sl_pair_plain(struct sl_pair *p, int family)
{
	return sl_pair_sized(p, family, 0, 0);
}

/* A connected pair, the sending side attached, with room for SL_ROOM bytes */
int sl_pair(struct sl_pair *p, int family)
{
	if (sl_pair_sized(p, family, SL_ROOM, SL_ROOM))
		return -1;
	if (!sl_attach(p->tx))
		return 0;
	perror("# attach");
	sl_pair_close(p);
	return -1;
}

void sl_pair_close(struct sl_pair *p)
{
	if (p->tx >= 0)
		close(p->tx);
	if (p->rx >= 0)
		close(p->rx);
	p->tx = -1;
	p->rx = -1;
}

int sl_nonblock(int fd, bool on)
{
	int fl = fcntl(fd, F_GETFL);

	if (fl < 0)
		return -1;
	return fcntl(fd, F_SETFL, on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK);
}

int sl_lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, ret;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, SIOCGIFFLAGS, &ifr);
	if (!ret) {
		ifr.ifr_flags |= IFF_UP | IFF_RUNNING;
		ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	return ret;
}
