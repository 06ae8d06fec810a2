// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note
/* Packets: allocated, received, given back; and the sockets that they are of */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "internal.h"

#define BATCH 64

/* -- sockets ----------------------------------------------------------------- */

/* What is known of @fd, made if need be; with a reference */
struct sock *sl__get_sock(struct sl_pool *pool, int fd)
{
	struct sock *s = NULL, **table;
	unsigned int n;

	if (fd < 0) {
		errno = EBADF;
		return NULL;
	}
	pthread_mutex_lock(&pool->lock);
	if ((unsigned int)fd >= pool->socks) {
		n = fd + BATCH;
		table = realloc(pool->sock, n * sizeof(*table));
		if (!table)
			goto out;
		memset(table + pool->socks, 0,
		       (n - pool->socks) * sizeof(*table));
		pool->sock = table;
		pool->socks = n;
	}
	s = pool->sock[fd];
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			goto out;
		s->fd = fd;
		s->refs = 1;
		s->stream = sl__is_stream(fd);
		s->cookie = (uint64_t)++pool->generation << 32 | fd;
		STAILQ_INIT(&s->held);
		pool->sock[fd] = s;
	}
	s->refs++;
out:
	pthread_mutex_unlock(&pool->lock);
	return s;
}

void sl__free_sock(struct sock *s)
{
	free(s->bounce);
	free(s);
}

void sl__put_sock(struct sl_pool *pool, struct sock *s)
{
	bool last;

	pthread_mutex_lock(&pool->lock);
	last = !--s->refs;
	pthread_mutex_unlock(&pool->lock);
	if (last)
		sl__free_sock(s);
}

/* Its packets that are out stay until they are freed. */
void sl__forget_sock(struct sl_pool *pool, int fd)
{
	struct sock *s = NULL;

	pthread_mutex_lock(&pool->lock);
	if (fd >= 0 && (unsigned int)fd < pool->socks) {
		s = pool->sock[fd];
		pool->sock[fd] = NULL;
	}
	if (s)
		s->dead = true;
	pthread_mutex_unlock(&pool->lock);
	if (!s)
		return;
	if (s->tx)
		sl_pkt_free(&s->tx->pub);
	s->tx = NULL;
	sl__put_sock(pool, s);
}

/* -- received packets --------------------------------------------------------- */

/* One behind all that @s has; NULL: too many are out */
struct pkt *sl__rx_pkt_get(struct sl_pool *pool, struct sock *s)
{
	struct pkt *p;

	pthread_mutex_lock(&pool->lock);
	p = STAILQ_FIRST(&pool->rx_free);
	if (p) {
		STAILQ_REMOVE_HEAD(&pool->rx_free, next);
		p->state = PKT_HELD;
		p->sock = s;
		p->gathered = NULL;
		s->refs++;
		STAILQ_INSERT_TAIL(&s->held, p, next);
	}
	pthread_mutex_unlock(&pool->lock);
	return p;
}

/* Back to those that are free; the caller has taken it off its socket's list. */
void sl__rx_pkt_put(struct sl_pool *pool, struct pkt *p)
{
	struct sock *s = p->sock;

	free(p->gathered);
	p->gathered = NULL;
	pthread_mutex_lock(&pool->lock);
	p->state = PKT_FREE;
	p->sock = NULL;
	STAILQ_INSERT_HEAD(&pool->rx_free, p, next);
	pthread_mutex_unlock(&pool->lock);
	sl__put_sock(pool, s);
}

/*
 * Release what is freed, from the first packet on: a socket's data goes in order.
 * @forwarded: of these units the kernel has seen to it
 */
static int release_freed(struct sl_pool *pool, struct sock *s, size_t forwarded)
{
	struct pkt_list done = STAILQ_HEAD_INITIALIZER(done);
	size_t units = 0;
	struct pkt *p;
	int ret = 0;

	pthread_mutex_lock(&pool->lock);
	while ((p = STAILQ_FIRST(&s->held)) && p->state == PKT_FREED) {
		STAILQ_REMOVE_HEAD(&s->held, next);
		STAILQ_INSERT_TAIL(&done, p, next);
		units += p->units;
	}
	s->units -= units;
	pthread_mutex_unlock(&pool->lock);

	if (units > forwarded && !s->dead)
		ret = sl_release(pool, s->fd, units - forwarded);
	while ((p = STAILQ_FIRST(&done))) {
		STAILQ_REMOVE_HEAD(&done, next);
		sl__rx_pkt_put(pool, p);
	}
	return ret;
}

/* Marks it as freed; false: it is not the program's. */
static bool mark_freed(struct pkt *p)
{
	bool held;

	pthread_mutex_lock(&p->pool->lock);
	held = p->state == PKT_HELD;
	if (held)
		p->state = PKT_FREED;
	pthread_mutex_unlock(&p->pool->lock);
	if (!held)
		errno = ENOENT;
	return held;
}

static int free_received(struct pkt *p, size_t forwarded)
{
	struct sl_pool *pool = p->pool;
	struct sock *s = p->sock;
	int ret;

	if (!mark_freed(p))
		return -1;
	/* The socket's last reference may be this packet's. */
	pthread_mutex_lock(&pool->lock);
	s->refs++;
	pthread_mutex_unlock(&pool->lock);
	ret = release_freed(pool, s, forwarded);
	sl__put_sock(pool, s);
	return ret;
}

/* -- buffers ------------------------------------------------------------------ */

/* Not by @pub, which the program can write to */
static bool is_received(const struct pkt *p)
{
	return p->pool->rx && p >= p->pool->rx && p < p->pool->rx + RX_PKTS;
}

/* Take it from the program; false: it is not the program's. */
static bool claim(struct pkt *p)
{
	enum pkt_state held = PKT_HELD;

	return __atomic_compare_exchange_n(&p->state, &held, PKT_FREE, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The kernel has not taken it. */
static void give_back(struct pkt *p)
{
	__atomic_store_n(&p->state, PKT_HELD, __ATOMIC_RELEASE);
}

int sl_pkt_allocv(struct sl_pool *pool, size_t size, struct sl_pkt **pkts,
		  unsigned int count)
{
	uint32_t ids[BATCH];
	struct sockloan_pkts arg = { .size = sizeof(arg),
				     .ids = (uintptr_t)ids };
	unsigned int done = 0;
	int n, i;

	if (size > pool->buf_size) {
		errno = EMSGSIZE;
		return -1;
	}
	while (done < count) {
		arg.count = count - done < BATCH ? count - done : BATCH;
		n = ioctl(pool->fd, SOCKLOAN_IOC_ALLOC, &arg);
		if (n < 0)
			return done ? (int)done : -1;
		for (i = 0; i < n; i++) {
			uint32_t buf = SOCKLOAN_PKT_BUF(ids[i]);
			struct pkt *p = &pool->pkt[buf];

			p->id = ids[i];
			p->pub.data = pool->map + buf * pool->buf_size;
			p->pub.len = 0;
			p->pub.size = pool->buf_size;
			p->pub.fd = -1;
			give_back(p);
			pkts[done++] = &p->pub;
		}
		if ((unsigned int)n < arg.count)
			break;
	}
	return done;
}

struct sl_pkt *sl_pkt_alloc(struct sl_pool *pool, size_t size)
{
	struct sl_pkt *pkt;

	return sl_pkt_allocv(pool, size, &pkt, 1) == 1 ? pkt : NULL;
}

int sl_pkt_free(struct sl_pkt *pkt)
{
	struct pkt *p = sl__find_pkt(pkt);
	struct sockloan_pkts arg = { .size = sizeof(arg), .count = 1 };

	if (!p)
		return -1;
	if (is_received(p))
		return free_received(p, 0);
	if (!claim(p)) {
		errno = ENOENT;
		return -1;
	}
	arg.ids = (uintptr_t)&p->id;
	if (ioctl(p->pool->fd, SOCKLOAN_IOC_FREE, &arg) == 1)
		return 0;
	give_back(p);
	return -1;
}

/* -- sending ------------------------------------------------------------------ */

/* Claims a packet and describes it.  Returns 0 or -errno. */
static int prepare(struct pkt *p, struct sockloan_pkt *arg)
{
	const unsigned char *buf;
	size_t off;

	if (!claim(p))
		return -ENOENT;
	buf = p->pool->map + SOCKLOAN_PKT_BUF(p->id) * p->pool->buf_size;
	off = p->pub.data - buf;
	/* What does not fit the fields does not fit the buffer. */
	if (off > p->pool->buf_size || p->pub.len > p->pool->buf_size) {
		give_back(p);
		return -EMSGSIZE;
	}
	*arg = (struct sockloan_pkt){ .id = p->id,
				      .offset = off,
				      .len = p->pub.len };
	return 0;
}

/* Buffers of one pool.  Returns how many were accepted, or -errno. */
static int xout_bufs(int fd, struct pkt **p, unsigned int count, int *result)
{
	struct sockloan_pkt arg[BATCH];
	struct sockloan_xout xout = { .size = sizeof(xout),
				      .fd = fd,
				      .pkts = (uintptr_t)arg };
	unsigned int taken = 0;
	int n = 0;

	while (!n && xout.count < count) {
		n = prepare(p[xout.count], &arg[xout.count]);
		xout.count += !n;
	}
	if (!xout.count)
		return n;
	n = sl__attached_ioctl(p[0]->pool->fd, fd, SOCKLOAN_IOC_XOUT, &xout);
	if (n < 0)
		n = -errno;
	else
		taken = n;
	if (taken)
		*result = arg[taken - 1].result;
	for (; taken < xout.count; taken++)
		give_back(p[taken]);
	return n;
}

/* How much of a socket's data was not sent yet, bytes */
static int unsent(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQNSD, &n) || n < 0 ? 0 : n;
}

/*
 * A received packet.  At the head of its socket's queue its pages are sent; behind
 * others, which a program that keeps the order has not, its bytes, and so they are
 * when the program has cut something off.
 */
static int xout_received(int fd, struct pkt *p)
{
	struct sl_pkt *pub = &p->pub;
	bool stream = p->sock->stream, first;
	ssize_t n;

	pthread_mutex_lock(&p->pool->lock);
	first = STAILQ_FIRST(&p->sock->held) == p && !p->sock->dead &&
		pub->data == p->data && pub->len == p->len;
	pthread_mutex_unlock(&p->pool->lock);
	if (first)
		n = sl_forward(p->pool, pub->fd, fd, stream ? pub->len : 1, 0);
	else
		n = send(fd, pub->data, pub->len, MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	if (!stream) {
		free_received(p, first ? 1 : 0);
		return 0;
	}
	if (first) {
		/* The kernel has released it; the rest is the program's still. */
		pthread_mutex_lock(&p->pool->lock);
		p->units -= n;
		p->sock->units -= n;
		p->data += n;
		p->len -= n;
		pthread_mutex_unlock(&p->pool->lock);
	}
	pub->data += n;
	pub->len -= n;
	pub->size = pub->len;
	if (pub->len)
		return -EAGAIN;
	free_received(p, 0);
	return unsent(fd);
}

int sl_xout(int fd, struct sl_pkt *pkt)
{
	struct pkt *p = sl__find_pkt(pkt);
	int result = 0, n;

	if (!p)
		return -EINVAL;
	if (is_received(p))
		return p->state == PKT_HELD ? xout_received(fd, p) : -ENOENT;
	n = xout_bufs(fd, &p, 1, &result);
	return n < 0 ? n : result;
}

int sl_xoutv(int fd, struct sl_pkt **pkts, unsigned int count)
{
	unsigned int done = 0, n;
	struct pkt *p[BATCH];
	int ret = 0, result;

	while (done < count && ret >= 0) {
		for (n = 0; n < BATCH && done + n < count; n++) {
			p[n] = sl__find_pkt(pkts[done + n]);
			if (!p[n] || is_received(p[n]) ||
			    p[n]->pool != p[0]->pool)
				break;
		}
		if (!n) {
			/* Not out of a buffer, or not the program's */
			ret = sl_xout(fd, pkts[done]);
			done += ret >= 0;
			continue;
		}
		ret = xout_bufs(fd, p, n, &result);
		if (ret > 0)
			done += ret;
		if (ret >= 0 && (unsigned int)ret < n)
			break;
	}
	if (done)
		return done;
	errno = -ret;
	return count ? -1 : 0;
}
