// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note
/* Sending in place: a buffer that is filled, and what is ready of it committed */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>

#include "internal.h"

/*
 * A buffer for a socket that waits in send(2) as well.  Nothing tells when one has been
 * acknowledged: look again every millisecond.
 */
static struct sl_pkt *wait_for_buffer(struct sl_pool *pool, int fd)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);
	struct sl_pkt *pkt;
	long long left = LLONG_MAX;
	int flags;

	for (;;) {
		pkt = sl_pkt_alloc(pool, 0);
		if (pkt || errno != ENOBUFS)
			return pkt;
		if (!pool->bufs)
			break;
		if (left == LLONG_MAX) {
			flags = fcntl(fd, F_GETFL);
			if (flags < 0 || flags & O_NONBLOCK)
				break;
			if (!getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
					&len) &&
			    (tv.tv_sec || tv.tv_usec))
				left = tv.tv_sec * 1000LL + tv.tv_usec / 1000;
		}
		if (left-- <= 0)
			break;
		if (nanosleep(&ms, NULL))
			return NULL;
	}
	errno = ENOBUFS;
	return NULL;
}

void *sl_tx_head(struct sl_pool *pool, int fd, size_t *room)
{
	struct sock *s = sl__get_sock(pool, fd);
	struct sl_pkt *pkt;
	void *head = NULL;

	if (!s)
		return NULL;
	if (!s->tx) {
		pkt = wait_for_buffer(pool, fd);
		s->tx = (struct pkt *)pkt;
	}
	if (s->tx) {
		head = s->tx->pub.data;
		*room = s->tx->pub.size;
	}
	sl__put_sock(pool, s);
	return head;
}

ssize_t sl_tx_commit(struct sl_pool *pool, int fd, size_t n)
{
	struct sock *s = sl__get_sock(pool, fd);
	int ret = 0;

	if (!s)
		return -1;
	if (n && (!s->tx || n > s->tx->pub.size)) {
		ret = -EINVAL;
	} else if (n) {
		s->tx->pub.len = n;
		ret = sl_xout(fd, &s->tx->pub);
		if (ret >= 0)
			s->tx = NULL;
	}
	sl__put_sock(pool, s);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return n;
}
