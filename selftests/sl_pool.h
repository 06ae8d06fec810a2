/* SPDX-License-Identifier: GPL-2.0 */
/* Packet pools, opened and mapped. */
#ifndef SL_POOL_H
#define SL_POOL_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "sl_test.h"

#define BUF (64 * SL_KIB)
#define BUFS 8

/* An open pool, mapped */
struct pool {
	int fd;
	struct sockloan_pool p;
	unsigned char *map;
};

static inline int pool_open(struct pool *pool, uint32_t buf_size, uint32_t bufs)
{
	memset(pool, 0, sizeof(*pool));
	pool->p.size = sizeof(pool->p);
	pool->p.buf_size = buf_size;
	pool->p.bufs = bufs;
	pool->fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	if (pool->fd < 0 || ioctl(pool->fd, SOCKLOAN_IOC_POOL, &pool->p))
		return -1;
	pool->map = mmap(NULL, pool->p.map_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, pool->fd, 0);
	return pool->map == MAP_FAILED ? -1 : 0;
}

static inline void pool_close(struct pool *pool)
{
	munmap(pool->map, pool->p.map_size);
	close(pool->fd);
}

static inline int pkts(struct pool *pool, unsigned long what, uint32_t *ids,
		       uint32_t count)
{
	struct sockloan_pkts arg = {
		.size = sizeof(arg),
		.count = count,
		.ids = (uintptr_t)ids,
	};

	return ioctl(pool->fd, what, &arg);
}

static inline int pkt_alloc(struct pool *pool, uint32_t *ids, uint32_t count)
{
	return pkts(pool, SOCKLOAN_IOC_ALLOC, ids, count);
}

static inline int pkt_free(struct pool *pool, uint32_t id)
{
	return pkts(pool, SOCKLOAN_IOC_FREE, &id, 1);
}

static inline unsigned char *pkt_data(struct pool *pool, uint32_t id)
{
	return pool->map + (size_t)SOCKLOAN_PKT_BUF(id) * pool->p.buf_size;
}

static inline int xout_all(struct pool *pool, int fd, struct sockloan_pkt *pkt,
			   uint32_t count, uint32_t flags)
{
	struct sockloan_xout arg = {
		.size = sizeof(arg),
		.flags = flags,
		.fd = fd,
		.count = count,
		.pkts = (uintptr_t)pkt,
	};

	return ioctl(pool->fd, SOCKLOAN_IOC_XOUT, &arg);
}

static inline int xout(struct pool *pool, int fd, uint32_t id, uint32_t offset,
		       uint32_t len, uint32_t flags)
{
	struct sockloan_pkt pkt = { .id = id, .offset = offset, .len = len };

	return xout_all(pool, fd, &pkt, 1, flags);
}

static inline struct sockloan_poolstat stat_of(struct pool *pool)
{
	struct sockloan_poolstat st = { .size = sizeof(st) };

	if (ioctl(pool->fd, SOCKLOAN_IOC_POOLSTAT, &st))
		memset(&st, 0xff, sizeof(st));
	return st;
}

/* What is acknowledged may still be on its way through RCU and per-CPU lists. */
static inline bool all_free(struct pool *pool)
{
	int i;

	for (i = 0; i < 400 * sl_slow(); i++) {
		if (stat_of(pool).free == pool->p.bufs)
			return true;
		sl_sleep_ms(5);
	}
	return false;
}

#define EXPECT_ERRNO(_err, _call)       \
	do {                            \
		errno = 0;              \
		EXPECT_EQ(-1, (_call)); \
		EXPECT_EQ(_err, errno); \
	} while (0)

#endif /* SL_POOL_H */
