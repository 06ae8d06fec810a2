// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: sockets and pools that come and go, and
 * a model of what is on its way to each socket, which all that succeeds is played on
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "sl_udp.h"
#include "sl_world.h"

void sl_world_wrong(struct sl_world *w, const char *what, long long n)
{
	if (w->bad)
		return;
	w->bad = what;
	w->bad_number = n;
}

/* -- sockets ---------------------------------------------------------------------- */

/* Two datagram sockets that are connected to each other */
static int connect_dgrams(struct sl_pair *p, int family)
{
	int room = SL_ROOM;
	struct sl_addr to, from;

	if (sl_udp_pair_plain(p, family, &to, true))
		return -1;
	/* That has made one end roomy. */
	from.len = sizeof(from.in6);
	return setsockopt(p->tx, SOL_SOCKET, SO_RCVBUFFORCE, &room,
			  sizeof(room)) ||
	       getsockname(p->tx, &from.sa, &from.len) ||
	       connect(p->rx, &from.sa, from.len);
}

static int end_start(struct sl_end *e, int fd, bool dgram)
{
	struct sl_addr a = { .len = sizeof(a.in6) };

	e->fd = fd;
	e->known = true;
	e->limited = false;
	e->member = -1;
	e->nr = 0;
	sl_flow_reset(&e->in, dgram);
	if (getsockname(fd, &a.sa, &a.len) || sl_nonblock(fd, true))
		return -1;
	e->port = a.in.sin_port;
	return 0;
}

/* Connection @n: two of TCP, two of UDP, and a wild one of TCP */
int sl_conn_open(struct sl_world *w, int n)
{
	int family = n % 2 ? AF_INET6 : AF_INET;
	bool dgram = n / 2 == 1;
	struct sl_pair p;

	if (dgram ? connect_dgrams(&p, family) :
		    sl_pair_sized(&p, family, SL_W_FULL, SL_W_FULL))
		return -1;
	if (end_start(&w->end[2 * n], p.tx, dgram) ||
	    end_start(&w->end[2 * n + 1], p.rx, dgram))
		return -1;
	return one_in(w, 8) ? 0 : sl_attach(p.tx) || sl_attach(p.rx);
}

void sl_conn_close(struct sl_world *w, int n)
{
	int i;

	for (i = 2 * n; i < 2 * n + 2; i++) {
		close(w->end[i].fd);
		w->end[i].fd = -1;
		w->end[i].nr = 0;
	}
}

void sl_conn_reopen(struct sl_world *w, int n)
{
	sl_conn_close(w, n);
	if (sl_conn_open(w, n))
		sl_world_wrong(w, "opening a connection", errno);
}

struct sl_end *sl_end_of(struct sl_world *w, int fd)
{
	int i;

	for (i = 0; i < SL_W_ENDS; i++)
		if (w->end[i].fd == fd)
			return &w->end[i];
	return NULL;
}

struct sl_end *sl_peer_of(struct sl_world *w, struct sl_end *e)
{
	return &w->end[(e - w->end) ^ 1];
}

/* @len bytes were sent by @e. */
void sl_sent(struct sl_world *w, struct sl_end *e, const void *data, size_t len)
{
	if (sl_flow_put(&sl_peer_of(w, e)->in, data, len))
		sl_world_wrong(w, "more was sent than there is room for", len);
}

/* Bytes of a stream, or datagrams, were received.  Returns how many bytes. */
long sl_consumed(struct sl_world *w, struct sl_end *e, size_t n)
{
	long bytes;

	if (n)
		e->nr = 0;
	if (!e->known)
		return e->in.dgram ? 0 : n;
	bytes = sl_flow_drop(&e->in, n);
	if (bytes < 0)
		sl_world_wrong(w, "more was received than was sent", n);
	return bytes;
}

void sl_do_send(struct sl_world *w, struct sl_end *e)
{
	size_t len = one_in(w, 3) ? any(w) % 3000 : any(w) % SL_W_SENT_MAX, off;
	ssize_t n;

	if (one_in(w, 2))
		len = len / sl_page * sl_page;
	if (e->in.dgram && len > 65000)
		len = 65000;
	off = any(w) % (SL_W_STREAM - SL_W_SENT_MAX);
	if (!one_in(w, 3))
		off = off / sl_page * sl_page;
	n = send(e->fd, w->b.data + off, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 && (n || e->in.dgram))
		sl_sent(w, e, w->b.data + off, n);
}

/* Once, at most @max bytes.  Returns what recv(2) does. */
ssize_t sl_do_recv(struct sl_world *w, struct sl_end *e, size_t max)
{
	static unsigned char buf[SL_W_SENT_MAX];
	/* A datagram's length, however much of it there is room for */
	ssize_t n = recv(e->fd, buf, max,
			 MSG_DONTWAIT | (e->in.dgram ? MSG_TRUNC : 0));

	if (n < 0 || (!n && !e->in.dgram))
		return -1;
	if (e->known && !sl_flow_is(&e->in, 0, buf, (size_t)n < max ? n : max))
		sl_world_wrong(w, "recv() has something else", n);
	if (e->known && e->in.dgram && e->in.nr &&
	    (size_t)n != sl_flow_size(&e->in, 0))
		sl_world_wrong(w, "a datagram has another length", n);
	sl_consumed(w, e, e->in.dgram ? 1 : n);
	return n;
}

/* Until it is empty, if that can be */
void sl_do_drain(struct sl_world *w, struct sl_end *e)
{
	struct pollfd pfd = { .fd = e->fd, .events = POLLIN };

	while (!w->bad && e->known && e->in.len + e->in.nr) {
		if (sl_do_recv(w, e, SL_W_SENT_MAX) < 0 &&
		    poll(&pfd, 1, 100) < 1)
			break;
		if (pfd.revents & (POLLERR | POLLHUP))
			break;
	}
	/* Its windows were made too small for that. */
	if (e->in.len > SL_W_FULL || e->in.nr > SL_FLOW_DGRAMS / 2)
		sl_conn_reopen(w, (e - w->end) / 2);
}

/* Things that happen to a connection whose bytes are not followed any more */
void sl_go_wild(struct sl_world *w)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sl_end *e = &w->end[SL_W_WILD + any(w) % 2];
	int on = any(w) % 2;

	e->known = false;
	sl_peer_of(w, e)->known = false;
	e->nr = 0;
	sl_peer_of(w, e)->nr = 0;
	switch (any(w) % 6) {
	case 0:
		send(e->fd, w->b.data, 1 + any(w) % 100,
		     MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 1:
		setsockopt(e->fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
		break;
	case 2:
		shutdown(e->fd, any(w) % 3);
		break;
	case 3:
		connect(e->fd, &none, sizeof(none));
		break;
	case 4:
		listen(e->fd, 1);
		break;
	case 5:
		sl_conn_reopen(w, SL_W_WILD / 2);
		break;
	}
}

/* -- pools ------------------------------------------------------------------------ */

static void forget_peeks(struct sl_world *w, struct sl_world_pool *p)
{
	int i;

	for (i = 0; i < SL_W_ENDS; i++)
		if (w->end[i].pool == p - w->pool)
			w->end[i].nr = 0;
}

static int window_map(struct sl_world_pool *p)
{
	p->window = mmap(NULL, p->p.window, PROT_READ, MAP_SHARED, p->fd,
			 p->p.window_offset);
	if (p->window == MAP_FAILED)
		p->window = NULL;
	return p->window ? 0 : -1;
}

void sl_world_unmap(struct sl_world *w, struct sl_world_pool *p)
{
	forget_peeks(w, p);
	if (p->window && munmap(p->window, p->p.window))
		sl_world_wrong(w, "munmap() of a window", errno);
	p->window = NULL;
}

static int rxpool_open(struct sl_world_pool *p)
{
	struct sockloan_pool arg = { .size = sizeof(arg),
				     .buf_size = SL_W_PACKET,
				     .bufs = SL_W_PACKETS,
				     .window = SL_W_WINDOW };

	p->fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (p->fd < 0 || ioctl(p->fd, SOCKLOAN_IOC_POOL, &arg))
		return -1;
	p->p = arg;
	p->map = mmap(NULL, arg.map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      p->fd, 0);
	return p->map == MAP_FAILED ? -1 : window_map(p);
}

/* Do the statistics add up? */
static void check_sums(struct sl_world *w, const struct sl_world_pool *p)
{
	struct sockloan_poolstat st = { .size = sizeof(st) };

	if (ioctl(p->fd, SOCKLOAN_IOC_POOLSTAT, &st))
		sl_world_wrong(w, "no statistics", errno);
	w->mapped += st.bytes_mapped;
	w->copied += st.bytes_copied;
	if (st.free + st.held + st.in_flight != SL_W_PACKETS)
		sl_world_wrong(w, "buffers in flight", st.in_flight);
	if (st.window_stale > st.window_used ||
	    st.window_used > st.window_pages || st.copy_used > st.copy_pages)
		sl_world_wrong(w, "slots in use", st.window_used);
	if (st.bytes_released > st.bytes_mapped + st.bytes_copied ||
	    st.bytes_released != p->released)
		sl_world_wrong(w, "bytes released", st.bytes_released);
	if (st.bytes_forwarded != p->forwarded)
		sl_world_wrong(w, "bytes forwarded",
			       st.bytes_forwarded - p->forwarded);
	if (st.events != p->events)
		sl_world_wrong(w, "events", st.events - p->events);
}

/* The descriptor first, or one of the mappings */
static void rxpool_close(struct sl_world *w, struct sl_world_pool *p)
{
	int first = any(w) % 2, i;

	check_sums(w, p);
	for (i = 0; i < SL_W_ENDS; i++)
		if (w->end[i].member == p - w->pool)
			w->end[i].member = -1;
	p->forwarded = 0;
	p->released = 0;
	p->events = 0;
	if (first)
		close(p->fd);
	munmap(p->map, p->p.map_size);
	sl_world_unmap(w, p);
	if (!first)
		close(p->fd);
}

/* Mappings that are nearly right, and go again at once */
static void try_mmap(struct sl_world *w, struct sl_world_pool *p)
{
	size_t len = (one_in(w, 2) ? p->p.window : p->p.map_size) +
		     (one_in(w, 3) ? (any(w) % 3 - 1) * sl_page : 0);
	off_t off = (one_in(w, 2) ? p->p.window_offset : 0) +
		    (one_in(w, 3) ? any(w) % 100 * sl_page : 0);
	int prot = one_in(w, 3) ? any(w) % 8 : PROT_READ;
	int flags = one_in(w, 4) ? MAP_PRIVATE : MAP_SHARED;
	volatile char *map;

	if (one_in(w, 16))
		off = (off_t)any(w) << (12 + any(w) % 20);
	if (one_in(w, 8))
		flags |= MAP_POPULATE;
	map = mmap(NULL, len, prot, flags, one_in(w, 8) ? w->fresh : p->fd,
		   off);
	if (map != MAP_FAILED)
		munmap((void *)map, len);
}

void sl_do_map(struct sl_world *w)
{
	struct sl_world_pool *p = &w->pool[any(w) % SL_W_POOLS];

	switch (any(w) % 16) {
	case 0:
		sl_world_unmap(w, p);
		break;
	case 1:
		/* A part of it cannot go. */
		if (p->window && !munmap(p->window + sl_page, sl_page))
			sl_world_wrong(w, "a part of a window was unmapped", 0);
		break;
	case 2:
		rxpool_close(w, p);
		if (rxpool_open(p))
			sl_world_wrong(w, "opening a pool", errno);
		break;
	case 3:
		close(w->fresh);
		w->fresh =
			open("/dev/sockloan", O_RDWR | O_CLOEXEC | O_NONBLOCK);
		break;
	default:
		if (!p->window && window_map(p))
			sl_world_wrong(w, "mmap() of a window", errno);
		try_mmap(w, p);
	}
}

void sl_do_events(struct sl_world *w)
{
	static const size_t lens[] = { 0,  15,	16,   17,
				       32, 160, 4096, SIZE_MAX / 2 };
	size_t len = lens[any(w) % (sizeof(lens) / sizeof(*lens))], i;
	int n = any(w) % SL_W_POOLS, fd = w->pool[n].fd;
	char *end = w->events + sl_page;
	char *to = (char *)(uintptr_t)address(
		w, end - (len < sl_page ? len : sl_page));
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct sockloan_event e;
	ssize_t got;

	poll(&pfd, 1, 0);
	got = read(fd, to, len);
	if (got < 0) {
		if (errno == EAGAIN && (pfd.revents & POLLIN))
			sl_world_wrong(
				w, "poll() told of events, read() of none", 0);
		return;
	}
	if (!got || got % sizeof(e))
		sl_world_wrong(w, "a part of a record was read", got);
	for (i = 0; i < got / sizeof(e); i++) {
		memcpy(&e, to + i * sizeof(e), sizeof(e));
		if (!e.events || (e.events & ~SOCKLOAN_EVENT_ALL))
			sl_world_wrong(w, "no such events", e.events);
		if (!e.error != !(e.events & SOCKLOAN_EVENT_RESET))
			sl_world_wrong(
				w, "an error without a reset, or the other way",
				e.error);
	}
	w->read += i;
	w->pool[n].events += i;
}

/* -- what was peeked --------------------------------------------------------------- */

/* Does the window show, from its segment *i on, one piece that ends so? */
static size_t check_piece(struct sl_world *w, struct sl_end *e,
			  const struct sockloan_peek *a, uint32_t *i,
			  size_t done)
{
	const struct sl_world_pool *p = &w->pool[e->pool];
	size_t len = 0;
	bool end = false;

	while (*i < a->nr && !end) {
		const struct sockloan_seg *s = &e->seg[(*i)++];

		end = s->flags & SOCKLOAN_SEG_END;
		if (s->offset > p->p.window || s->len > p->p.window - s->offset)
			sl_world_wrong(w, "a segment outside of the window",
				       s->offset);
		else if (e->known && !sl_flow_is(&e->in, done + len,
						 p->window + s->offset, s->len))
			sl_world_wrong(w, "a segment shows something else",
				       done + len);
		len += s->len;
	}
	if (e->in.dgram != end)
		sl_world_wrong(w, "the last segment", *i);
	return len;
}

static void check_name(struct sl_world *w, struct sl_end *e, const char *at)
{
	struct sockloan_name name;
	struct sl_addr a;

	memcpy(&name, at, sizeof(name));
	memcpy(&a.in6, name.addr, sizeof(a.in6));
	if (name.len != (a.sa.sa_family == AF_INET ? sizeof(a.in) :
						     sizeof(a.in6)) ||
	    a.in.sin_port != sl_peer_of(w, e)->port)
		sl_world_wrong(w, "the name of a datagram", name.len);
}

/* What the last peek of this socket has shown: still the head of what is to come? */
void sl_check_peek(struct sl_world *w, struct sl_end *e,
		   const struct sockloan_peek *a)
{
	uint32_t i = 0, dgrams = 0;
	size_t done = 0, len;

	while (!w->bad && i < a->nr) {
		len = check_piece(w, e, a, &i, done);
		if (e->known && e->in.dgram && !w->bad &&
		    (dgrams >= e->in.nr || len != sl_flow_size(&e->in, dgrams)))
			sl_world_wrong(w, "the length of a datagram", len);
		if (e->in.dgram && a->names)
			check_name(
				w, e,
				(char *)(uintptr_t)a->names +
					dgrams * sizeof(struct sockloan_name));
		dgrams += e->in.dgram;
		done += len;
	}
	if (!w->bad && (done != a->bytes || dgrams != a->datagrams))
		sl_world_wrong(w, "not as much as it says", done);
}

/* A peek that holds is what it was, whatever has happened meanwhile. */
void sl_look_again(struct sl_world *w, struct sl_end *e)
{
	struct sockloan_peek a = { .nr = e->nr };
	uint32_t i = 0;
	size_t done = 0;

	while (!w->bad && i < e->nr)
		done += check_piece(w, e, &a, &i, done);
}

/* -- all together ------------------------------------------------------------------ */

/* Nothing stays when all sockets are closed. */
void sl_check_left(struct sl_world *w, struct sl_world_pool *p)
{
	struct sockloan_poolstat st = { .size = sizeof(st) };
	int i;

	/* What is acknowledged may still be on its way through per-CPU lists. */
	for (i = 0; i < 400 * sl_slow(); i++) {
		ioctl(p->fd, SOCKLOAN_IOC_POOLSTAT, &st);
		if (!st.in_flight)
			break;
		sl_sleep_ms(5);
	}
	if (st.in_flight)
		sl_world_wrong(w, "still in flight", st.in_flight);
	if (st.sockets)
		sl_world_wrong(w, "sockets that are closed", st.sockets);
	if (st.copy_used)
		sl_world_wrong(w, "copies without a socket", st.copy_used);
	if (st.window_used != st.window_stale)
		sl_world_wrong(w, "slots without a socket", st.window_used);
	check_sums(w, p);
	sl_world_unmap(w, p);
	ioctl(p->fd, SOCKLOAN_IOC_POOLSTAT, &st);
	if (st.window_used || st.window_stale)
		sl_world_wrong(w, "slots without a mapping", st.window_used);
}

int sl_world_open(struct sl_world *w)
{
	int i;

	w->bad = NULL;
	w->read = 0;
	w->mapped = 0;
	w->copied = 0;
	w->fresh = -1;
	w->events = (char *)sl_fuzz_page_end(0) - sl_page;
	if (sl_buf_map(&w->b, SL_W_STREAM, 0, 1))
		return -1;
	for (i = 0; i < SL_W_POOLS; i++) {
		memset(&w->pool[i], 0, sizeof(w->pool[i]));
		if (rxpool_open(&w->pool[i]))
			return -1;
	}
	for (i = 0; i < SL_W_ENDS; i++)
		if (sl_flow_init(&w->end[i].in))
			return -1;
	for (i = 0; i < SL_W_CONNS; i++)
		if (sl_conn_open(w, i))
			return -1;
	return 0;
}

void sl_world_close(struct sl_world *w)
{
	int i;

	for (i = 0; i < SL_W_CONNS; i++)
		sl_conn_close(w, i);
	for (i = 0; i < SL_W_ENDS; i++)
		sl_flow_free(&w->end[i].in);
	for (i = 0; i < SL_W_POOLS; i++)
		rxpool_close(w, &w->pool[i]);
	close(w->fresh);
	sl_buf_unmap(&w->b);
	munmap(w->events, sl_page);
}
