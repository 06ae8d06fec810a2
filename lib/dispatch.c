// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note
/* The receive callback: what the events are about, as packets */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"

#define SEGS 128
#define EVENTS 64
/* What is peeked at a time behind what the program holds, and in one packet, bytes */
#define AHEAD (1 << 20)
#define PKT_LEN 262144
/* What was refused comes again so much later, ms */
#define RETRY_MS 20

#define WANTED \
	(SOCKLOAN_EVENT_DATA | SOCKLOAN_EVENT_SHUTDOWN | SOCKLOAN_EVENT_RESET)

static int set_callback(struct sl_pool *pool, int fd, sl_rx_callback callback,
			void *arg)
{
	struct sock *s;
	int ret, err;

	/* Another socket may have had this descriptor. */
	sl__forget_sock(pool, fd);
	s = sl__get_sock(pool, fd);
	if (!s)
		return -1;
	s->callback = callback;
	s->arg = arg;
	ret = sl_join(pool, fd, WANTED, s->cookie);
	err = errno;
	s->joined = !ret;
	sl__put_sock(pool, s);
	if (ret)
		sl__forget_sock(pool, fd);
	errno = err;
	return ret;
}

int sl_set_rx_callback(struct sl_pool *pool, int fd, sl_rx_callback callback,
		       void *arg)
{
	int ret;

	if (!callback)
		return sl_leave(pool, fd);
	if (!pool->window) {
		errno = ENODEV;
		return -1;
	}
	ret = set_callback(pool, fd, callback, arg);
	/* It has joined without events, or with another callback. */
	if (ret && errno == EALREADY && !sl_leave(pool, fd))
		ret = set_callback(pool, fd, callback, arg);
	return ret;
}

/* -- packets -------------------------------------------------------------------- */

/*
 * Offer one packet of @nr segments that lie in a row, or are a datagram.  It is on the
 * list of those that are held before the callback may free it.  Returns whether it
 * was accepted.
 */
static bool offer(struct sl_pool *pool, struct sock *s,
		  const struct sockloan_seg *segs, unsigned int nr, size_t skip,
		  size_t len, bool in_pieces)
{
	struct pkt *p = sl__rx_pkt_get(pool, s);
	bool refused;

	if (!p)
		return false;
	p->pub.fd = s->fd;
	p->pub.data = (unsigned char *)sl_seg_data(pool, segs) + skip;
	if (in_pieces) {
		p->gathered = sl__gather(pool, segs, nr, NULL, &len);
		p->pub.data = p->gathered;
	}
	p->pub.len = len;
	p->pub.size = len;
	p->data = p->pub.data;
	p->len = len;
	p->units = s->stream ? len : 1;
	pthread_mutex_lock(&pool->lock);
	s->units += p->units;
	pthread_mutex_unlock(&pool->lock);
	refused = !p->pub.data || s->callback(s->fd, &p->pub, 0, s->arg);

	pthread_mutex_lock(&pool->lock);
	/* One that was freed, or sent on, in the callback was accepted. */
	refused = refused && p->state == PKT_HELD && p->sock == s;
	if (refused) {
		STAILQ_REMOVE(&s->held, p, pkt, next);
		s->units -= p->units;
	}
	pthread_mutex_unlock(&pool->lock);
	if (refused)
		sl__rx_pkt_put(pool, p);
	return !refused;
}

/* Returns packets accepted; -1: one was not. */
static int offer_all(struct sl_pool *pool, struct sock *s,
		     const struct sockloan_seg *segs, unsigned int nr,
		     size_t held)
{
	unsigned int i = 0, n;
	int accepted = 0;
	size_t len, skip;

	while (i < nr && !s->dead) {
		n = sl__run_of(segs + i, nr - i, &len);
		if (!s->stream) {
			bool in_pieces = false;

			while (!(segs[i + n - 1].flags & SOCKLOAN_SEG_END)) {
				in_pieces = true;
				n++;
			}
			if (!held &&
			    !offer(pool, s, segs + i, n, 0, len, in_pieces))
				return -1;
			accepted += !held;
			held -= !!held;
			i += n;
			continue;
		}
		skip = held < len ? held : len;
		held -= skip;
		for (; skip < len && !s->dead; skip += PKT_LEN) {
			size_t part = len - skip < PKT_LEN ? len - skip :
							     PKT_LEN;

			if (!offer(pool, s, segs + i, n, skip, part, false))
				return -1;
			accepted++;
		}
		i += n;
	}
	return accepted;
}

/* All that has arrived.  Returns packets accepted. */
static int deliver_data(struct sl_pool *pool, struct sock *s)
{
	struct sockloan_seg segs[SEGS];
	struct sockloan_peek arg;
	int total = 0, n;
	size_t held;

	s->retry = false;
	while (!s->dead) {
		held = s->units;
		arg = (struct sockloan_peek){ .fd = s->fd,
					      .nr = SEGS,
					      .segs = (uintptr_t)segs };
		if (s->stream)
			arg.max = held < INT_MAX - AHEAD ? held + AHEAD :
							   INT_MAX;
		else
			arg.max = INT_MAX;
		if (sl_peek(pool, &arg)) {
			if (errno == ENOBUFS)
				s->retry = true;
			else if (errno != EAGAIN && errno != ENOENT) {
				s->reset = true;
				s->error = s->error ?: errno;
			}
			break;
		}
		n = offer_all(pool, s, segs, arg.nr, held);
		if (n < 0) {
			s->retry = true;
			break;
		}
		total += n;
		if (!n && arg.state & SOCKLOAN_PEEK_MORE) {
			/* All segments are those of packets that are held. */
			s->retry = true;
			break;
		}
		if (!n) {
			s->shutdown |= !!(arg.state & SOCKLOAN_PEEK_EOF);
			break;
		}
	}
	return total;
}

/* Data first, then, when all of it was accepted, how it ended */
static int deliver(struct sl_pool *pool, struct sock *s)
{
	int n = deliver_data(pool, s);

	if (s->dead || s->retry)
		return n;
	if (s->shutdown && !s->shutdown_told) {
		s->shutdown_told = true;
		s->callback(s->fd, NULL, ESHUTDOWN, s->arg);
		n++;
	}
	if (s->dead)
		return n;
	if (s->reset && !s->reset_told) {
		s->reset_told = true;
		s->callback(s->fd, NULL, s->error ?: ECONNRESET, s->arg);
		n++;
	}
	return n;
}

/* -- dispatch --------------------------------------------------------------------- */

/* A socket in the table with a callback, and a reference on it */
static struct sock *nth_sock(struct sl_pool *pool, unsigned int fd)
{
	struct sock *s = NULL;

	pthread_mutex_lock(&pool->lock);
	if (fd < pool->socks && pool->sock[fd] && pool->sock[fd]->joined) {
		s = pool->sock[fd];
		s->refs++;
	}
	pthread_mutex_unlock(&pool->lock);
	return s;
}

/* Those that have refused something.  @any: whether there are still such */
static int deliver_again(struct sl_pool *pool, bool *any)
{
	unsigned int fd;
	struct sock *s;
	int n = 0;

	*any = false;
	for (fd = 0; fd < pool->socks; fd++) {
		s = nth_sock(pool, fd);
		if (!s)
			continue;
		if (s->retry)
			n += deliver(pool, s);
		*any |= s->retry && !s->dead;
		sl__put_sock(pool, s);
	}
	return n;
}

static int deliver_event(struct sl_pool *pool, const struct sockloan_event *e)
{
	struct sock *s = nth_sock(pool, (uint32_t)e->cookie);
	int n = 0;

	if (!s)
		return 0;
	if (s->cookie == e->cookie) {
		s->shutdown |= !!(e->events & SOCKLOAN_EVENT_SHUTDOWN);
		if (e->events & SOCKLOAN_EVENT_RESET) {
			s->reset = true;
			s->error = e->error;
			/* Of a socket without connections each one is told. */
			s->reset_told &= s->stream;
		}
		n = deliver(pool, s);
	}
	sl__put_sock(pool, s);
	return n;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int sl_dispatch(struct sl_pool *pool, int timeout_ms)
{
	long long until = now_ms() + timeout_ms, left;
	struct sockloan_event events[EVENTS];
	bool again;
	int n, i, wait, total;

	for (;;) {
		total = deliver_again(pool, &again);
		left = timeout_ms < 0 ? INT_MAX : until - now_ms();
		wait = total || left <= 0	? 0 :
		       again && left > RETRY_MS ? RETRY_MS :
		       timeout_ms < 0 && !again ? -1 :
						  (int)left;
		n = sl_read_events(pool, events, EVENTS, wait);
		if (n < 0)
			return total ?: -1;
		for (i = 0; i < n; i++)
			total += deliver_event(pool, &events[i]);
		if (total || (timeout_ms >= 0 && now_ms() >= until))
			return total;
	}
}
