// SPDX-License-Identifier: GPL-2.0
/* Pools to receive through */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sl_rx.h"

/* A pool without buffers, its window mapped */
int sl_rxpool_open(struct sl_rxpool *p, size_t window)
{
	memset(p, 0, sizeof(*p));
	p->p.size = sizeof(p->p);
	p->p.window = window;
	p->fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	if (p->fd < 0 || ioctl(p->fd, SOCKLOAN_IOC_POOL, &p->p))
		return -1;
	p->map = mmap(NULL, p->p.window, PROT_READ, MAP_SHARED, p->fd,
		      p->p.window_offset);
	return p->map == MAP_FAILED ? -1 : 0;
}

void sl_rxpool_close(struct sl_rxpool *p)
{
	munmap(p->map, p->p.window);
	close(p->fd);
}

static int member(struct sl_rxpool *p, unsigned long what, int fd,
		  uint32_t events, uint64_t cookie)
{
	struct sockloan_join arg = {
		.size = sizeof(arg),
		.fd = fd,
		.events = events,
		.cookie = cookie,
	};

	return ioctl(p->fd, what, &arg);
}

int sl_rxpool_join(struct sl_rxpool *p, int fd, uint32_t events,
		   uint64_t cookie)
{
	return member(p, SOCKLOAN_IOC_JOIN, fd, events, cookie);
}

int sl_rxpool_leave(struct sl_rxpool *p, int fd)
{
	return member(p, SOCKLOAN_IOC_LEAVE, fd, 0, 0);
}

int sl_rxpool_peek(struct sl_rxpool *p, int fd, uint32_t release, uint32_t max)
{
	p->arg = (struct sockloan_peek){
		.size = sizeof(p->arg),
		.fd = fd,
		.release = release,
		.max = max,
		.nr = SL_SEGS,
		.segs = (uintptr_t)p->seg,
		.names = (uintptr_t)p->name,
	};
	return ioctl(p->fd, SOCKLOAN_IOC_PEEK, &p->arg);
}

int sl_rxpool_release(struct sl_rxpool *p, int fd, uint32_t count)
{
	struct sockloan_release arg = {
		.size = sizeof(arg),
		.fd = fd,
		.count = count,
	};

	return ioctl(p->fd, SOCKLOAN_IOC_RELEASE, &arg);
}

int sl_rxpool_forward(struct sl_rxpool *p, int from, int to, uint32_t max,
		      uint32_t flags)
{
	struct sockloan_forward arg = {
		.size = sizeof(arg),
		.flags = flags,
		.from = from,
		.to = to,
		.max = max,
	};

	return ioctl(p->fd, SOCKLOAN_IOC_FORWARD, &arg);
}

int sl_rxpool_stat(struct sl_rxpool *p, struct sockloan_poolstat *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	return ioctl(p->fd, SOCKLOAN_IOC_POOLSTAT, st);
}

/*
 * Is what was peeked the stream from byte "from" on?  Returns 0, or the first
 * wrong byte, from 1 on.
 */
int sl_rxpool_check(const struct sl_rxpool *p, size_t from, uint64_t stream)
{
	size_t done = 0;
	uint32_t i;

	for (i = 0; i < p->arg.nr; i++) {
		size_t n = p->seg[i].len;
		unsigned char want[4096];

		while (n) {
			size_t len = n < sizeof(want) ? n : sizeof(want);
			const unsigned char *data =
				p->map + p->seg[i].offset + p->seg[i].len - n;

			sl_fill_at(want, len, stream, from + done);
			if (memcmp(want, data, len))
				return done + 1;
			done += len;
			n -= len;
		}
	}
	return done == p->arg.bytes ? 0 : -1;
}

/* Bytes in the receive queue */
long sl_arrived(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCINQ, &n) ? -1 : n;
}

int sl_wait_arrived(int fd, long n)
{
	int i;

	for (i = 0; i < 1000 && sl_arrived(fd) < n; i++)
		sl_sleep_ms(5);
	return sl_arrived(fd) == n ? 0 : -1;
}
