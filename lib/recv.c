// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note
/* Receiving in place: joining, looking, releasing, sending on */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "internal.h"

/* Pieces that sl_recv_zc() and sl_recvv_zc() look at */
#define SEGS 128
#define EVENTS_MAX (1U << 20)

int sl_join(struct sl_pool *pool, int fd, unsigned int events, uint64_t cookie)
{
	struct sockloan_join arg = {
		.size = sizeof(arg),
		.fd = fd,
		.events = events,
		.cookie = cookie,
	};

	return sl__attached_ioctl(pool->fd, fd, SOCKLOAN_IOC_JOIN, &arg);
}

int sl_leave(struct sl_pool *pool, int fd)
{
	struct sockloan_join arg = { .size = sizeof(arg), .fd = fd };

	sl__forget_sock(pool, fd);
	return ioctl(pool->fd, SOCKLOAN_IOC_LEAVE, &arg);
}

int sl_peek(struct sl_pool *pool, struct sockloan_peek *arg)
{
	arg->size = sizeof(*arg);
	return ioctl(pool->fd, SOCKLOAN_IOC_PEEK, arg);
}

const void *sl_seg_data(const struct sl_pool *pool,
			const struct sockloan_seg *seg)
{
	return pool->window + seg->offset;
}

/*
 * A peek that joins the pool when the socket has not, and waits as recv() does,
 * by recv().
 */
static int peek(struct sl_pool *pool, int fd, struct sockloan_peek *arg)
{
	uint32_t nr = arg->nr;
	char byte;

	arg->fd = fd;
	while (sl_peek(pool, arg)) {
		if (errno == ENOENT) {
			if (sl_join(pool, fd, 0, 0) && errno != EALREADY)
				return -1;
		} else if (errno != EAGAIN ||
			   recv(fd, &byte, 1, MSG_PEEK) < 0) {
			return -1;
		}
		arg->nr = nr;
	}
	return 0;
}

/* How many segments lie one behind the other, and how long they are together */
unsigned int sl__run_of(const struct sockloan_seg *segs, unsigned int nr,
			size_t *len)
{
	unsigned int i;

	*len = 0;
	for (i = 0; i < nr; i++) {
		if (i && segs[i].offset != segs[i - 1].offset + segs[i - 1].len)
			break;
		*len += segs[i].len;
		if (segs[i].flags & SOCKLOAN_SEG_END)
			return i + 1;
	}
	return i;
}

/* A datagram in pieces, into one; @to: NULL: memory of its own */
void *sl__gather(const struct sl_pool *pool, const struct sockloan_seg *segs,
		 unsigned int nr, void *to, size_t *len)
{
	unsigned char *p = to ?: malloc(DGRAM_MAX);
	unsigned int i;

	*len = 0;
	for (i = 0; p && i < nr; i++) {
		memcpy(p + *len, sl_seg_data(pool, &segs[i]), segs[i].len);
		*len += segs[i].len;
	}
	return p;
}

/* -- the calls ------------------------------------------------------------------ */

ssize_t sl_recv_zc(struct sl_pool *pool, int fd, const void **data)
{
	struct sockloan_seg segs[SEGS];
	struct sockloan_peek arg = {
		.max = INT_MAX,
		.nr = SEGS,
		.segs = (uintptr_t)segs,
	};
	unsigned int nr;
	struct sock *s;
	size_t len;

	if (peek(pool, fd, &arg))
		return -1;
	*data = pool->window;
	if (!arg.nr)
		return 0;
	*data = sl_seg_data(pool, segs);
	nr = sl__run_of(segs, arg.nr, &len);
	if (!arg.datagrams || segs[nr - 1].flags & SOCKLOAN_SEG_END)
		return len;

	s = sl__get_sock(pool, fd);
	if (!s)
		return -1;
	while (!(segs[nr++].flags & SOCKLOAN_SEG_END))
		;
	s->bounce = sl__gather(pool, segs, nr, s->bounce, &len);
	*data = s->bounce;
	sl__put_sock(pool, s);
	return *data ? (ssize_t)len : -1;
}

ssize_t sl_recvv_zc(struct sl_pool *pool, int fd, struct iovec *iov, int *count,
		    struct sockaddr *from, socklen_t *fromlen)
{
	struct sockloan_name names[SEGS];
	struct sockloan_seg segs[SEGS];
	struct sockloan_peek arg = {
		.max = INT_MAX,
		.nr = SEGS,
		.segs = (uintptr_t)segs,
		.names = from ? (uintptr_t)names : 0,
	};
	unsigned int i, nr;
	bool whole = false;
	ssize_t bytes = 0;
	size_t len;
	int n = 0;

	if (*count < 1) {
		errno = EINVAL;
		return -1;
	}
	if (peek(pool, fd, &arg))
		return -1;
	for (i = 0; i < arg.nr && n < *count && !whole; i += nr) {
		nr = sl__run_of(segs + i, arg.nr - i, &len);
		iov[n].iov_base = (void *)sl_seg_data(pool, &segs[i]);
		iov[n++].iov_len = len;
		bytes += len;
		whole = segs[i + nr - 1].flags & SOCKLOAN_SEG_END;
	}
	if (arg.datagrams && !whole) {
		errno = EMSGSIZE;
		return -1;
	}
	*count = n;
	if (from && arg.datagrams) {
		memcpy(from, names[0].addr,
		       *fromlen < names[0].len ? *fromlen : names[0].len);
		*fromlen = names[0].len;
	}
	return bytes;
}

int sl_release(struct sl_pool *pool, int fd, size_t n)
{
	struct sockloan_release arg = {
		.size = sizeof(arg),
		.fd = fd,
		.count = n,
	};

	if (n > UINT32_MAX) {
		errno = EINVAL;
		return -1;
	}
	return n ? ioctl(pool->fd, SOCKLOAN_IOC_RELEASE, &arg) : 0;
}

ssize_t sl_forward(struct sl_pool *pool, int from, int to, size_t max,
		   unsigned int flags)
{
	struct sockloan_forward arg = {
		.size = sizeof(arg),
		.flags = flags,
		.from = from,
		.to = to,
		.max = max < INT_MAX ? max : INT_MAX,
	};
	int ret = sl__attached_ioctl(pool->fd, to, SOCKLOAN_IOC_FORWARD, &arg);

	/* The one that has received has not joined yet. */
	if (ret < 0 && errno == ENOENT && !sl_join(pool, from, 0, 0))
		ret = sl__attached_ioctl(pool->fd, to, SOCKLOAN_IOC_FORWARD,
					 &arg);
	return ret;
}

int sl_read_events(struct sl_pool *pool, struct sockloan_event *events,
		   unsigned int count, int timeout_ms)
{
	struct pollfd p = { .fd = pool->fd, .events = POLLIN };
	ssize_t n;

	if (count < 1 || count > EVENTS_MAX) {
		errno = EINVAL;
		return -1;
	}
	n = poll(&p, 1, timeout_ms);
	if (n <= 0)
		return n;
	if (!(p.revents & POLLIN)) {
		errno = ENXIO;
		return -1;
	}
	/* Another thread may have been faster: the file must not wait for more. */
	n = read(pool->fd, events, count * sizeof(*events));
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	return n / sizeof(*events);
}
