// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: UDP
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <poll.h>
#include <sched.h>

#include "sl_udp.h"

/* A roomy socket on a free port of address *a, which becomes complete */
int sl_udp_receiver(int family, struct sl_addr *a)
{
	struct timeval tv = { .tv_sec = SL_TIMEOUT_S };
	int room = SL_ROOM;
	int fd;

	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (!bind(fd, &a->sa, a->len) && !getsockname(fd, &a->sa, &a->len))
		return fd;
	close(fd);
	return -1;
}

/*
 * A sender, which is not attached, and a receiver with the address *to.  The
 * calling thread stays on its CPU from now on: datagrams that are sent on
 * several overtake each other.
 */
int sl_udp_pair_plain(struct sl_pair *p, int family, struct sl_addr *to,
		      bool connected)
{
	int room = SL_ROOM;

	sl_cpu(sched_getcpu());
	p->tx = -1;
	sl_loopback(to, family);
	p->rx = sl_udp_receiver(family, to);
	if (p->rx < 0)
		return -1;
	p->tx = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(p->tx, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (p->tx >= 0 && (!connected || !connect(p->tx, &to->sa, to->len)))
		return 0;
	sl_pair_close(p);
	return -1;
}

int sl_udp_pair(struct sl_pair *p, int family, struct sl_addr *to,
		bool connected)
{
	if (sl_udp_pair_plain(p, family, to, connected))
		return -1;
	if (!sl_attach(p->tx))
		return 0;
	perror("# attach");
	sl_pair_close(p);
	return -1;
}

/* One datagram, to an address or, with NULL, where the socket is connected */
ssize_t sl_udp_send(int fd, const void *buf, size_t len,
		    const struct sl_addr *to)
{
	return sendto(fd, buf, len, 0, to ? &to->sa : NULL, to ? to->len : 0);
}

static unsigned char *receive(int fd, ssize_t *n)
{
	static __thread unsigned char buf[65536];

	do {
		*n = recv(fd, buf, sizeof(buf), MSG_TRUNC);
	} while (*n < 0 && errno == EINTR);
	return buf;
}

/* One datagram: 0 if it is "len" bytes of the stream from byte "pos" on */
int sl_udp_recv_at(int fd, size_t len, uint64_t seed, uint64_t pos)
{
	unsigned char *got;
	long long at;
	ssize_t n;

	got = receive(fd, &n);
	if (n != (ssize_t)len) {
		fprintf(stderr, "# datagram of %zd bytes, not %zu: %s\n", n,
			len, n < 0 ? strerror(errno) : "cut or joined");
		return -1;
	}
	at = sl_differs_at(got, len, seed, pos);
	if (at < 0)
		return 0;
	fprintf(stderr, "# datagram differs at byte %lld\n", at);
	return -1;
}

int sl_udp_recv(int fd, size_t len, uint64_t seed)
{
	return sl_udp_recv_at(fd, len, seed, 0);
}

/* One datagram: its length, and a number that depends on all of its bytes */
ssize_t sl_udp_digest(int fd, uint64_t *digest)
{
	unsigned char *got;
	ssize_t n, i;

	got = receive(fd, &n);
	*digest = 0xcbf29ce484222325ULL;
	for (i = 0; i < n; i++)
		*digest = (*digest ^ got[i]) * 0x100000001b3ULL;
	return n;
}

/* 0 if there is no datagram left: the loopback device delivers at once */
int sl_udp_none(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 30) ? -1 : 0;
}
