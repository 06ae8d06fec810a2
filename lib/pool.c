// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note
/* Pools: opening, closing, which packet is of which */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "internal.h"

#define DEFAULT_BUF 65536
#define DEFAULT_BUFS 64
/* With these a pool stays below the usual RLIMIT_MEMLOCK of 8 MiB. */
#define DEFAULT_WINDOW (8 << 20)

static LIST_HEAD(, sl_pool) pools = LIST_HEAD_INITIALIZER(pools);
static pthread_rwlock_t pools_lock = PTHREAD_RWLOCK_INITIALIZER;

/* Everything that sl_pool_open() got so far */
static void destroy(struct sl_pool *pool)
{
	unsigned int i;

	for (i = 0; pool->rx && i < RX_PKTS; i++) {
		free(pool->rx[i].gathered);
		/* Forgotten ones with packets out are in no table. */
		if (pool->rx[i].sock && pool->rx[i].sock->dead &&
		    !--pool->rx[i].sock->refs)
			sl__free_sock(pool->rx[i].sock);
	}
	for (i = 0; i < pool->socks; i++)
		if (pool->sock[i])
			sl__free_sock(pool->sock[i]);
	if (pool->map)
		munmap(pool->map, pool->map_size);
	if (pool->window)
		munmap((void *)pool->window, pool->window_size);
	if (pool->fd >= 0)
		close(pool->fd);
	pthread_mutex_destroy(&pool->lock);
	free(pool->sock);
	free(pool->rx);
	free(pool->pkt);
	free(pool);
}

static int map_bufs(struct sl_pool *pool, const struct sockloan_pool *arg)
{
	unsigned int i;
	void *map;

	map = mmap(NULL, arg->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   pool->fd, 0);
	if (map == MAP_FAILED)
		return -1;
	pool->map = map;
	pool->map_size = arg->map_size;
	pool->buf_size = arg->buf_size;
	pool->bufs = arg->bufs;
	pool->pkt = calloc(arg->bufs, sizeof(*pool->pkt));
	if (!pool->pkt)
		return -1;
	for (i = 0; i < arg->bufs; i++)
		pool->pkt[i].pool = pool;
	return 0;
}

static int map_window(struct sl_pool *pool, const struct sockloan_pool *arg)
{
	unsigned int i;
	void *map;

	map = mmap(NULL, arg->window, PROT_READ, MAP_SHARED, pool->fd,
		   arg->window_offset);
	if (map == MAP_FAILED)
		return -1;
	pool->window = map;
	pool->window_size = arg->window;
	pool->rx = calloc(RX_PKTS, sizeof(*pool->rx));
	if (!pool->rx)
		return -1;
	for (i = 0; i < RX_PKTS; i++) {
		pool->rx[i].pool = pool;
		STAILQ_INSERT_TAIL(&pool->rx_free, &pool->rx[i], next);
	}
	return 0;
}

static int set_up(struct sl_pool *pool, const struct sl_pool_options *o)
{
	struct sockloan_pool arg = { .size = sizeof(arg) };

	if (o->flags & ~(SL_POOL_NO_BUFS | SL_POOL_NO_WINDOW) ||
	    o->buf_size > SOCKLOAN_BUF_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (!(o->flags & SL_POOL_NO_BUFS)) {
		arg.buf_size = o->buf_size ?: DEFAULT_BUF;
		arg.bufs = o->bufs ?: DEFAULT_BUFS;
	}
	if (!(o->flags & SL_POOL_NO_WINDOW))
		arg.window = o->window ?: DEFAULT_WINDOW;
	pool->fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (pool->fd < 0 || ioctl(pool->fd, SOCKLOAN_IOC_POOL, &arg))
		return -1;
	if (arg.map_size && map_bufs(pool, &arg))
		return -1;
	return arg.window ? map_window(pool, &arg) : 0;
}

struct sl_pool *sl_pool_open(const struct sl_pool_options *options)
{
	static const struct sl_pool_options defaults;
	struct sl_pool *pool = calloc(1, sizeof(*pool));
	int err;

	if (!pool)
		return NULL;
	pool->fd = -1;
	pthread_mutex_init(&pool->lock, NULL);
	STAILQ_INIT(&pool->rx_free);
	if (set_up(pool, options ?: &defaults)) {
		err = errno;
		destroy(pool);
		errno = err;
		return NULL;
	}
	pthread_rwlock_wrlock(&pools_lock);
	LIST_INSERT_HEAD(&pools, pool, node);
	pthread_rwlock_unlock(&pools_lock);
	return pool;
}

int sl_pool_close(struct sl_pool *pool)
{
	pthread_rwlock_wrlock(&pools_lock);
	LIST_REMOVE(pool, node);
	pthread_rwlock_unlock(&pools_lock);
	destroy(pool);
	return 0;
}

int sl_pool_fd(const struct sl_pool *pool)
{
	return pool->fd;
}

int sl_pool_stat(struct sl_pool *pool, struct sockloan_poolstat *stat)
{
	*stat = (struct sockloan_poolstat){ .size = sizeof(*stat) };
	return ioctl(pool->fd, SOCKLOAN_IOC_POOLSTAT, stat);
}

static bool is_one_of(const struct pkt *p, const struct pkt *first, size_t n)
{
	uintptr_t off = (uintptr_t)p - (uintptr_t)first;

	return first && off < n * sizeof(*p) && off % sizeof(*p) == 0;
}

/* The packet that @pub is; NULL: none, whatever it points to. */
struct pkt *sl__find_pkt(struct sl_pkt *pub)
{
	struct pkt *p = (struct pkt *)pub;
	struct sl_pool *pool;

	pthread_rwlock_rdlock(&pools_lock);
	LIST_FOREACH(pool, &pools, node)
	if (is_one_of(p, pool->pkt, pool->bufs) ||
	    is_one_of(p, pool->rx, RX_PKTS))
		break;
	pthread_rwlock_unlock(&pools_lock);
	if (!pool)
		errno = EINVAL;
	return pool ? p : NULL;
}
