// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of receiving, read(2), poll(2) and mmap(2), with arguments that are
 * nearly right, while data is sent, received, given away and forwarded, and while
 * sockets and pools come and go.  What a peek shows has to be the head of what is on
 * its way.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "sl_world.h"

#define CALLS 20000

static const unsigned long commands[] = {
	SOCKLOAN_IOC_PEEK,    SOCKLOAN_IOC_PEEK,     SOCKLOAN_IOC_PEEK,
	SOCKLOAN_IOC_PEEK,    SOCKLOAN_IOC_PEEK,     SOCKLOAN_IOC_PEEK,
	SOCKLOAN_IOC_RELEASE, SOCKLOAN_IOC_RELEASE,  SOCKLOAN_IOC_FORWARD,
	SOCKLOAN_IOC_FORWARD, SOCKLOAN_IOC_JOIN,     SOCKLOAN_IOC_JOIN,
	SOCKLOAN_IOC_JOIN,    SOCKLOAN_IOC_LEAVE,    SOCKLOAN_IOC_ATTACH,
	SOCKLOAN_IOC_ATTACH,  SOCKLOAN_IOC_DETACH,   SOCKLOAN_IOC_SOCKSTAT,
	SOCKLOAN_IOC_ALLOC,   SOCKLOAN_IOC_ALLOC,    SOCKLOAN_IOC_FREE,
	SOCKLOAN_IOC_XOUT,    SOCKLOAN_IOC_XOUT,     SOCKLOAN_IOC_POOL,
	SOCKLOAN_IOC_WINDOWS, SOCKLOAN_IOC_POOLSTAT,
};

/* Arrays have a page each; nothing is mapped behind any of them. */
#define PAGE 4096
#define PKTS 64

/* Where an argument lies */
enum place {
	PLAIN,
	CUT, /* by the end of a page */
	FIXED, /* nothing can be written there */
};

FIXTURE(fuzz_rx)
{
	struct sl_world w;
	int other[8]; /* descriptors of nothing that can be received from */
	char *page[5]; /* ids, packets, segments, names, the argument */
	struct sl_counters c;
	unsigned long long done, failed, peeks, forwarded;
};

FIXTURE_VARIANT(fuzz_rx)
{
	uint64_t seed;
};

FIXTURE_VARIANT_ADD(fuzz_rx, seed_1){
	.seed = 0x9e3779b97f4a7c15,
};

FIXTURE_VARIANT_ADD(fuzz_rx, seed_2){
	.seed = 0xbf58476d1ce4e5b9,
};

FIXTURE_VARIANT_ADD(fuzz_rx, seed_3){
	.seed = 0x94d049bb133111eb,
};

#define ids(_self) ((uint32_t *)(_self)->page[0])
#define pkts(_self) ((struct sockloan_pkt *)((_self)->page[1] + PAGE) - PKTS)
#define segs(_self) ((struct sockloan_seg *)((_self)->page[2] + PAGE))
#define names(_self) ((struct sockloan_name *)((_self)->page[3] + PAGE))

FIXTURE_SETUP(fuzz_rx)
{
	struct sl_addr a;
	int i, p[2];

	sl_count(&self->c);
	self->w.f.state = variant->seed;
	ASSERT_EQ(0, sl_world_open(&self->w));
	for (i = 0; i < ARRAY_SIZE(self->page); i++) {
		self->page[i] = sl_fuzz_page_end(PAGE);
		ASSERT_NE(NULL, self->page[i]);
	}
	ASSERT_EQ(0, pipe(p));
	self->other[0] = p[0];
	self->other[1] = p[1];
	self->other[2] = sl_listen(AF_INET, &a);
	sl_attach(self->other[2]);
	self->other[3] = socket(AF_UNIX, SOCK_STREAM, 0);
	self->other[4] = open("/dev/null", O_RDWR);
	self->other[5] = socket(AF_INET, SOCK_STREAM, 0);
	self->other[6] = socket(AF_INET6, SOCK_DGRAM, 0);
	sl_attach(self->other[6]);
	self->other[7] = -1;
}

FIXTURE_TEARDOWN(fuzz_rx)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(self->page); i++)
		munmap(self->page[i], PAGE);
	sl_world_close(&self->w);
}

/* -- arguments -------------------------------------------------------------------- */

static int a_socket(FIXTURE_DATA(fuzz_rx) * self)
{
	struct sl_world *w = &self->w;

	if (one_in(w, 16))
		return self->other[any(w) % ARRAY_SIZE(self->other)];
	if (one_in(w, 64))
		return w->pool[any(w) % SL_W_POOLS].fd;
	return field(w, w->end[any(w) % SL_W_ENDS].fd);
}

/* Some of what was peeked, or is on its way */
static uint32_t an_amount(FIXTURE_DATA(fuzz_rx) * self, int fd)
{
	struct sl_world *w = &self->w;
	struct sl_end *e = sl_end_of(w, fd);
	uint32_t n;

	if (!e)
		return field(w, 1);
	if (e->in.dgram)
		return field(w, 1 + any(w) % 3);
	n = e->nr ? e->seg[any(w) % e->nr].len : e->in.len;
	return field(w, one_in(w, 2) ? n : any(w) % (n + 1));
}

static void fill_xout(FIXTURE_DATA(fuzz_rx) * self, struct sockloan_xout *a)
{
	struct sockloan_pkt *pkt = pkts(self);
	struct sl_world *w = &self->w;
	int i;

	for (i = 0; i < 4; i++) {
		pkt[i].id = field(w, ids(self)[any(w) % 64]);
		pkt[i].offset = field(w, any(w) % SL_W_PACKET);
		pkt[i].len = field(w, any(w) % SL_W_PACKET);
	}
	a->flags = field(w, 0) | SOCKLOAN_XOUT_DONTWAIT;
	a->fd = a_socket(self);
	a->count = field(w, 1 + any(w) % 4);
	a->pkts = address(w, pkt);
}

static void fill_peek(FIXTURE_DATA(fuzz_rx) * self, struct sockloan_peek *a)
{
	struct sl_world *w = &self->w;
	uint32_t nr = 1 + any(w) % SL_W_SEGS;

	a->fd = a_socket(self);
	a->release = one_in(w, 3) ? an_amount(self, a->fd) : 0;
	a->max = field(w, one_in(w, 2) ? SL_MIB : any(w) % SL_W_SENT_MAX);
	a->nr = field(w, nr);
	a->bytes = any(w);
	a->state = any(w);
	a->reserved = one_in(w, 64) ? any(w) : 0;
	a->segs = address(w, segs(self) - nr);
	if (!one_in(w, 3))
		a->names = address(w, names(self) - nr);
}

static void fill_windows(FIXTURE_DATA(fuzz_rx) * self,
			 struct sockloan_windows *a)
{
	struct sl_world *w = &self->w;

	a->fd = a_socket(self);
	a->mss = field(w, 1400);
	a->tx_win = field(w, any(w) % 100);
	a->tx_buf = field(w, a->tx_win * a->mss);
	a->rx_win = field(w, any(w) % 100);
	a->rx_buf = field(w, a->rx_win * a->mss);
}

static void fill_pool(FIXTURE_DATA(fuzz_rx) * self, struct sockloan_pool *a)
{
	struct sl_world *w = &self->w;

	a->buf_size = one_in(w, 8) ? any(w) : any(w) % 65536;
	a->bufs = one_in(w, 8) ? UINT32_MAX : any(w) % 8;
	if (one_in(w, 2))
		a->buf_size = a->bufs = 0;
	if (!one_in(w, 3))
		a->window = field(w, SL_W_WINDOW);
	if (one_in(w, 16))
		a->window |= (uint64_t)any(w) << 32;
}

static unsigned long fill(FIXTURE_DATA(fuzz_rx) * self, union sl_fuzz_arg *a)
{
	struct sl_world *w = &self->w;
	unsigned long command = commands[any(w) % ARRAY_SIZE(commands)];

	memset(a, 0, sizeof(*a));
	switch (command) {
	case SOCKLOAN_IOC_PEEK:
		fill_peek(self, &a->peek);
		break;
	case SOCKLOAN_IOC_RELEASE:
		a->release.fd = a_socket(self);
		a->release.count = an_amount(self, a->release.fd);
		break;
	case SOCKLOAN_IOC_FORWARD:
		a->forward.from = a_socket(self);
		a->forward.to = a_socket(self);
		a->forward.max =
			one_in(w, 2) ? 1 : an_amount(self, a->forward.from);
		break;
	case SOCKLOAN_IOC_JOIN:
		a->join.events = field(w, SOCKLOAN_EVENT_ALL);
		a->join.cookie = (uint64_t)any(w) << 32 | any(w);
		/* fallthrough */
	case SOCKLOAN_IOC_LEAVE:
	case SOCKLOAN_IOC_ATTACH:
	case SOCKLOAN_IOC_DETACH:
	case SOCKLOAN_IOC_SOCKSTAT:
		a->join.fd = a_socket(self);
		break;
	case SOCKLOAN_IOC_POOL:
		fill_pool(self, &a->pool);
		break;
	case SOCKLOAN_IOC_ALLOC:
	case SOCKLOAN_IOC_FREE:
		a->pkts.count = field(w, 1 + any(w) % 4);
		a->pkts.ids = address(w, ids(self) + any(w) % 60);
		break;
	case SOCKLOAN_IOC_XOUT:
		fill_xout(self, &a->xout);
		break;
	case SOCKLOAN_IOC_WINDOWS:
		fill_windows(self, &a->windows);
		break;
	}
	if (command != SOCKLOAN_IOC_XOUT)
		a->word[1] = one_in(w, 16) ? field(w, 0) : 0;
	/* Nobody else reads here: waiting for room would be for ever. */
	if (command == SOCKLOAN_IOC_FORWARD)
		a->forward.flags |= SOCKLOAN_XOUT_DONTWAIT;
	a->size = one_in(w, 8) ? field(w, _IOC_SIZE(command)) :
				 _IOC_SIZE(command);
	return command;
}

/* -- what it has done ------------------------------------------------------------- */

/* Could a peek that failed so have released before? */
static bool released(int err, enum place place)
{
	switch (err) {
	case EINVAL:
	case E2BIG:
	case EBADF:
	case ENOTSOCK:
	case ENOENT:
	case EOPNOTSUPP:
	case ENXIO:
	case ENOTTY:
		return false;
	case EFAULT:
		return place != CUT;
	}
	return true;
}

static void count_release(FIXTURE_DATA(fuzz_rx) * self, int pool, int fd,
			  uint32_t n)
{
	struct sl_world *w = &self->w;
	struct sl_end *e = sl_end_of(w, fd);

	if (pool < 0 && n)
		sl_world_wrong(w, "released what nobody could peek", n);
	else if (n && !e)
		sl_world_wrong(w, "released by what is no socket here", fd);
	else if (n)
		w->pool[pool].released += sl_consumed(w, e, n);
}

static void peeked(FIXTURE_DATA(fuzz_rx) * self, int pool,
		   const struct sockloan_peek *a, uint32_t max, uint32_t room)
{
	struct sl_world *w = &self->w;
	struct sl_end *e = sl_end_of(w, a->fd);

	if (!e || pool < 0 || !w->pool[pool].window) {
		sl_world_wrong(w, "peeked what cannot be peeked", a->fd);
		return;
	}
	if (a->nr > room || a->bytes > max)
		sl_world_wrong(w, "more than there is room for", a->nr);
	if (!a->nr && !(a->state & SOCKLOAN_PEEK_EOF))
		sl_world_wrong(w, "peeked nothing", a->state);
	e->nr = 0;
	e->pool = pool;
	if (a->nr > SL_W_SEGS)
		return;
	memcpy(e->seg, (void *)(uintptr_t)a->segs, a->nr * sizeof(*e->seg));
	sl_check_peek(w, e, a);
	e->nr = a->nr;
	self->peeks += a->nr > 0;
}

static void forwarded(FIXTURE_DATA(fuzz_rx) * self, int pool,
		      const struct sockloan_forward *a, int n)
{
	struct sl_world *w = &self->w;
	struct sl_end *from = sl_end_of(w, a->from), *to = sl_end_of(w, a->to);
	struct sl_end *in;
	size_t len = n;

	if (!from || !to) {
		sl_world_wrong(w, "forwarded what cannot be", a->from);
		return;
	}
	in = &w->end[(to - w->end) ^ 1];
	if (from->in.dgram && from->in.nr)
		len = sl_flow_size(&from->in, 0);
	if (pool >= 0)
		w->pool[pool].forwarded += len;
	self->forwarded += len;
	from->nr = 0;
	if (!from->known) {
		in->known = false;
		return;
	}
	if (!in->known)
		sl_consumed(w, from, n);
	else if (sl_flow_move(&from->in, &in->in, n))
		sl_world_wrong(w, "forwarded more than was there", n);
}

static unsigned char *packet(const struct sl_world_pool *p, uint32_t id)
{
	return p->map + (size_t)SOCKLOAN_PKT_BUF(id) * p->p.buf_size;
}

static void given_away(FIXTURE_DATA(fuzz_rx) * self, int pool,
		       const struct sockloan_xout *a, int n)
{
	struct sl_world *w = &self->w;
	struct sl_end *e = sl_end_of(w, a->fd);
	/* Nobody has written to the buffers of any other pool. */
	static const unsigned char zeroes[SOCKLOAN_BUF_MAX];
	const unsigned char *data = zeroes;
	struct sockloan_pkt pkt;
	int i;

	for (i = 0; i < n && e; i++) {
		memcpy(&pkt, (char *)(uintptr_t)a->pkts + i * sizeof(pkt),
		       sizeof(pkt));
		if (pool >= 0)
			data = packet(&w->pool[pool], pkt.id) + pkt.offset;
		sl_sent(w, e, data, pkt.len);
	}
}

/* Fresh packets get data of their own. */
static void allocated(FIXTURE_DATA(fuzz_rx) * self, int pool,
		      const struct sockloan_pkts *a, int n)
{
	struct sl_world *w = &self->w;
	uint32_t id;
	int i;

	for (i = 0; i < n && pool >= 0; i++) {
		memcpy(&id, (char *)(uintptr_t)a->ids + i * sizeof(id),
		       sizeof(id));
		sl_fill_at(packet(&w->pool[pool], id), SL_W_PACKET, 2,
			   (uint64_t)any(w) * 8);
	}
}

static void note(FIXTURE_DATA(fuzz_rx) * self, int pool, unsigned long command,
		 const union sl_fuzz_arg *was, const union sl_fuzz_arg *a,
		 int ret)
{
	struct sl_world *w = &self->w;
	struct sl_end *e;

	switch (command) {
	case SOCKLOAN_IOC_PEEK:
		count_release(self, pool, a->peek.fd, was->peek.release);
		peeked(self, pool, &a->peek, was->peek.max, was->peek.nr);
		break;
	case SOCKLOAN_IOC_RELEASE:
		count_release(self, pool, a->release.fd, a->release.count);
		break;
	case SOCKLOAN_IOC_FORWARD:
		if (ret)
			forwarded(self, pool, &a->forward, ret);
		break;
	case SOCKLOAN_IOC_JOIN:
	case SOCKLOAN_IOC_LEAVE:
		e = sl_end_of(w, a->join.fd);
		if (!e)
			break;
		e->nr = 0;
		e->member = command == SOCKLOAN_IOC_JOIN ? pool : -1;
		break;
	case SOCKLOAN_IOC_XOUT:
		given_away(self, pool, &a->xout, ret);
		break;
	case SOCKLOAN_IOC_ALLOC:
		allocated(self, pool, &a->pkts, ret);
		break;
	case SOCKLOAN_IOC_WINDOWS:
		e = sl_end_of(w, a->windows.fd);
		if (e)
			e->limited = sl_peer_of(w, e)->limited = true;
		break;
	}
}

/* -- one step --------------------------------------------------------------------- */

/* Most often the one that the socket is in, which is the third word of them all */
static int a_pool(FIXTURE_DATA(fuzz_rx) * self, unsigned long command,
		  const union sl_fuzz_arg *a)
{
	struct sl_end *e = sl_end_of(&self->w, a->peek.fd);

	if (e && e->member >= 0 && !one_in(&self->w, 8) &&
	    (command == SOCKLOAN_IOC_PEEK || command == SOCKLOAN_IOC_RELEASE ||
	     command == SOCKLOAN_IOC_FORWARD))
		return e->member;
	return any(&self->w) % SL_W_POOLS;
}

static void call(FIXTURE_DATA(fuzz_rx) * self)
{
	struct sl_world *w = &self->w;
	enum place place = one_in(w, 32) ? 1 + any(w) % 2 : PLAIN;
	union sl_fuzz_arg a, was, *at = &a;
	unsigned long command = fill(self, &a);
	int pool = a_pool(self, command, &a), fd = w->pool[pool].fd, ret;

	was = a;
	if (command == SOCKLOAN_IOC_POOL || one_in(w, 64)) {
		fd = w->fresh;
		pool = -1;
	}
	if (place != PLAIN) {
		size_t len = place == CUT ? any(w) % _IOC_SIZE(command) :
					    sizeof(a);

		at = (void *)(self->page[4] + PAGE - len);
		memcpy(at, &a, len);
	}
	if (place == FIXED)
		mprotect(self->page[4], PAGE, PROT_READ);
	ret = ioctl(fd, sl_fuzz_number(&w->f, command), at);
	self->done++;
	self->failed += ret < 0;
	if (ret < 0 && command == SOCKLOAN_IOC_PEEK && pool >= 0 &&
	    released(errno, place))
		count_release(self, pool, was.peek.fd, was.peek.release);
	if (place == FIXED)
		mprotect(self->page[4], PAGE, PROT_READ | PROT_WRITE);
	if (ret >= 0)
		note(self, pool, command, &was, at, ret);
}

static void step(FIXTURE_DATA(fuzz_rx) * self)
{
	struct sl_world *w = &self->w;
	struct sl_end *e = &w->end[any(w) % SL_W_ENDS];

	if (e->in.len > SL_W_FULL || e->in.nr > SL_FLOW_DGRAMS / 2 ||
	    one_in(w, 256))
		sl_do_drain(w, e);
	else if (one_in(w, 2))
		sl_do_send(w, sl_peer_of(w, e));
	else if (one_in(w, 8))
		sl_do_recv(w, e, 1 + any(w) % SL_W_SENT_MAX);
	if (one_in(w, 8))
		sl_do_events(w);
	if (one_in(w, 32))
		sl_do_map(w);
	if (one_in(w, 64))
		sl_go_wild(w);
	if (one_in(w, 512))
		sl_conn_reopen(w, any(w) % SL_W_CONNS);
	sl_look_again(w, &w->end[any(w) % SL_W_ENDS]);
	call(self);
}

/* All that was sent arrives, where no windows were set that it cannot arrive in. */
static void empty(FIXTURE_DATA(fuzz_rx) * self)
{
	struct sl_world *w = &self->w;
	struct sl_end *e;

	for (e = w->end; e < w->end + SL_W_ENDS; e++) {
		sl_do_drain(w, e);
		if (e->known && !e->limited && e->in.len + e->in.nr)
			sl_world_wrong(w, "something was lost", e - w->end);
	}
}

TEST_F_TIMEOUT(fuzz_rx, calls, 120)
{
	struct sl_world *w = &self->w;
	int i, n = CALLS / sl_slow();

	for (i = 0; i < n && !w->bad; i++)
		step(self);
	empty(self);
	for (i = 0; i < SL_W_CONNS; i++)
		sl_conn_close(w, i);
	for (i = 0; i < ARRAY_SIZE(self->other); i++)
		close(self->other[i]);
	for (i = 0; i < SL_W_POOLS; i++)
		sl_check_left(w, &w->pool[i]);
	ASSERT_EQ(NULL, w->bad)
	{
		TH_LOG("%s: %lld, after %llu calls", w->bad, w->bad_number,
		       self->done);
	}
	TH_LOG("%llu calls, %llu refused; %llu peeks, %llu mapped, %llu copied, %llu forwarded bytes; %llu events",
	       self->done, self->failed, self->peeks, w->mapped, w->copied,
	       self->forwarded, w->read);
	/* Neither all right nor all wrong, and of everything something */
	EXPECT_LT(self->done / 10, self->failed);
	EXPECT_LT(self->failed, self->done * 9 / 10);
	EXPECT_LT(n / 100, self->peeks);
	EXPECT_LT(0, w->mapped);
	EXPECT_LT(0, w->copied);
	EXPECT_LT(0, self->forwarded);
	EXPECT_LT(0, w->read);
	EXPECT_NO_RISE(&self->c, "Sockets");
}

TEST_HARNESS_MAIN
