// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a program, whatever its pool and its sockets are in the middle of:
 * killed, in a namespace that ends with it, or with its descriptors handed on
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_rx.h"

#define LEN (256 * SL_KIB)
#define BUF (64 * SL_KIB)
#define OLD 1

/* What the program is in the middle of */
enum state {
	JOINED, /* nothing has come */
	EVENT, /* nobody has read it */
	MAPPED, /* peeked, in pages that were lent */
	COPIED, /* peeked, and copied */
	RELEASED, /* in part */
	IN_FLIGHT, /* packets that nobody has read */
	FORWARDING, /* it waits for room */
	READING, /* it waits for events */
};

struct program {
	struct sl_rxpool p;
	struct sl_pair in, out;
	struct sl_buf b;
};

FIXTURE(ending)
{
	struct sl_counters before;
	long long references;
	int up[2]; /* the program is ready */
	int link[2]; /* descriptors go this way */
};

FIXTURE_VARIANT(ending)
{
	enum state state;
};

FIXTURE_VARIANT_ADD(ending, joined){
	.state = JOINED,
};

FIXTURE_VARIANT_ADD(ending, event){
	.state = EVENT,
};

FIXTURE_VARIANT_ADD(ending, mapped){
	.state = MAPPED,
};

FIXTURE_VARIANT_ADD(ending, copied){
	.state = COPIED,
};

FIXTURE_VARIANT_ADD(ending, released){
	.state = RELEASED,
};

FIXTURE_VARIANT_ADD(ending, in_flight){
	.state = IN_FLIGHT,
};

FIXTURE_VARIANT_ADD(ending, forwarding){
	.state = FORWARDING,
};

FIXTURE_VARIANT_ADD(ending, reading){
	.state = READING,
};

FIXTURE_SETUP(ending)
{
	sl_count(&self->before);
	self->references = sl_get("/sys/module/sockloan/refcnt");
	ASSERT_EQ(0, pipe(self->up));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->link));
}

FIXTURE_TEARDOWN(ending)
{
	close(self->up[0]);
	close(self->up[1]);
	close(self->link[0]);
	close(self->link[1]);
}

/* A pool with buffers and a window, and two connections, all ends attached */
static int set_up(struct program *g)
{
	memset(g, 0, sizeof(*g));
	g->p.p.size = sizeof(g->p.p);
	g->p.p.window = SL_MIB;
	g->p.p.buf_size = BUF;
	g->p.p.bufs = 8;
	g->p.fd = open("/dev/sockloan", O_RDWR);
	if (g->p.fd < 0 || ioctl(g->p.fd, SOCKLOAN_IOC_POOL, &g->p.p))
		return -1;
	g->p.map = mmap(NULL, g->p.p.window, PROT_READ, MAP_SHARED, g->p.fd,
			g->p.p.window_offset);
	if (g->p.map == MAP_FAILED ||
	    sl_pair_sized(&g->in, AF_INET, 4 * LEN, 4 * LEN) ||
	    sl_pair_sized(&g->out, AF_INET6, 16384, 16384) ||
	    sl_buf_map(&g->b, LEN, 0, OLD))
		return -1;
	if (sl_attach(g->in.tx) || sl_attach(g->in.rx) || sl_attach(g->out.tx))
		return -1;
	return sl_rxpool_join(&g->p, g->in.rx, SOCKLOAN_EVENT_ALL, 1);
}

static int give_away(struct program *g)
{
	uint32_t ids[4];
	struct sockloan_pkts pkts = { .size = sizeof(pkts),
				      .count = 4,
				      .ids = (uintptr_t)ids };
	struct sockloan_pkt pkt[4];
	struct sockloan_xout xout = { .size = sizeof(xout),
				      .fd = g->in.tx,
				      .count = 4,
				      .pkts = (uintptr_t)pkt };
	int i;

	if (ioctl(g->p.fd, SOCKLOAN_IOC_ALLOC, &pkts) != 4)
		return -1;
	for (i = 0; i < 4; i++)
		pkt[i] = (struct sockloan_pkt){ .id = ids[i], .len = BUF };
	return ioctl(g->p.fd, SOCKLOAN_IOC_XOUT, &xout) == 4 ? 0 : -1;
}

static int arrive(struct program *g, size_t offset)
{
	size_t len = LEN - offset;

	if (sl_send_all(g->in.tx, g->b.data + offset, len, 0) != (ssize_t)len)
		return -1;
	return sl_wait_arrived(g->in.rx, len);
}

/* Into the state; 0 when the program is in it, and has nothing more to do. */
static int reach(struct program *g, enum state state)
{
	switch (state) {
	case JOINED:
	case READING:
		return 0;
	case EVENT:
	case FORWARDING:
		return arrive(g, 0);
	case MAPPED:
		return arrive(g, 0) ?: sl_rxpool_peek(&g->p, g->in.rx, 0, LEN);
	case COPIED:
		return arrive(g, LEN - 1000) ?:
			       sl_rxpool_peek(&g->p, g->in.rx, 0, LEN);
	case RELEASED:
		return arrive(g, 0)				       ?:
			       sl_rxpool_peek(&g->p, g->in.rx, 0, LEN) ?:
			       sl_rxpool_release(&g->p, g->in.rx, LEN / 2 + 7);
	case IN_FLIGHT:
		return give_away(g);
	}
	return -1;
}

static void say(int fd, bool ok)
{
	if (write(fd, ok ? "y" : "n", 1) != 1)
		_exit(1);
}

/* Until it is killed */
static void stay(struct program *g, enum state state)
{
	struct sockloan_event e;

	while (state == FORWARDING &&
	       sl_rxpool_forward(&g->p, g->in.rx, g->out.tx, LEN, 0) != 0)
		;
	/* The first one is that it is writable. */
	while (state == READING && read(g->p.fd, &e, sizeof(e)) > 0)
		;
	pause();
}

static pid_t start(FIXTURE_DATA(ending) * self, enum state state, bool netns,
		   bool hand_on)
{
	struct program g;
	pid_t pid = fork();
	bool ok;

	if (pid)
		return pid;
	if (netns && (unshare(CLONE_NEWNET) || sl_lo_up()))
		_exit(1);
	ok = !set_up(&g) && !reach(&g, state);
	if (ok && hand_on) {
		int fds[] = { g.p.fd, g.in.rx, g.in.tx };
		char control[CMSG_SPACE(sizeof(fds))] = { 0 }, byte = 'x';
		struct iovec iov = { &byte, 1 };
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control,
				      .msg_controllen = sizeof(control) };
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
		ok = sendmsg(self->link[1], &msg, 0) == 1;
	}
	say(self->up[1], ok);
	stay(&g, state);
	_exit(0);
}

static bool ready(FIXTURE_DATA(ending) * self)
{
	char byte = 0;

	return read(self->up[0], &byte, 1) == 1 && byte == 'y';
}

static int kill_it(pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -1;
}

/* Sockets, and references on the module, are as before within a while. */
static int nothing_left(FIXTURE_DATA(ending) * self)
{
	uint64_t until = sl_ms() + 8000 * sl_slow();

	while (sl_ms() < until) {
		if (!sl_rise(&self->before, "Sockets") &&
		    sl_get("/sys/module/sockloan/refcnt") == self->references)
			return 0;
		sl_sleep_ms(20);
	}
	sl_log_counters();
	return -1;
}

TEST_F(ending, killed)
{
	pid_t pid = start(self, variant->state, false, false);

	ASSERT_TRUE(ready(self));
	sl_sleep_ms(50);
	EXPECT_EQ(0, kill_it(pid));
	EXPECT_EQ(0, nothing_left(self));
}

TEST_F(ending, killed_with_its_namespace)
{
	pid_t pid = start(self, variant->state, true, false);

	ASSERT_TRUE(ready(self));
	sl_sleep_ms(50);
	EXPECT_EQ(0, kill_it(pid));
	EXPECT_EQ(0, nothing_left(self));
}

/* What the descriptors that were sent over stand for */
static int take(FIXTURE_DATA(ending) * self, int *fds, size_t len)
{
	char control[CMSG_SPACE(3 * sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;

	if (recvmsg(self->link[0], &msg, 0) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_len != CMSG_LEN(len))
		return -1;
	memcpy(fds, CMSG_DATA(cmsg), len);
	return 0;
}

/*
 * Another program has the pool and the sockets, and goes on where the first one was
 * killed: all that was not released is there, once it has mapped the window.
 */
TEST_F(ending, handed_on)
{
	pid_t pid = start(self, variant->state, false, true);
	struct sl_rxpool p = { .fd = -1 };
	struct sockloan_poolstat st;
	long long arrived;
	int fds[3];

	ASSERT_TRUE(ready(self));
	ASSERT_EQ(0, take(self, fds, sizeof(fds)));
	p.fd = fds[0];
	sl_sleep_ms(50);
	/* It is the other one's as long as that lives. */
	if (variant->state != FORWARDING) {
		EXPECT_EQ(-1, sl_rxpool_peek(&p, fds[1], 0, LEN));
		EXPECT_EQ(ENODEV, errno);
	}
	EXPECT_EQ(0, kill_it(pid));
	p.p.window = SL_MIB + SL_MIB / 4;
	p.map = mmap(NULL, p.p.window, PROT_READ, MAP_SHARED, p.fd, 1ull << 40);
	ASSERT_NE(MAP_FAILED, p.map);
	arrived = sl_arrived(fds[1]);
	if (arrived) {
		EXPECT_EQ(0, sl_rxpool_peek(&p, fds[1], 0, LEN));
		EXPECT_EQ(arrived, p.arg.bytes);
		EXPECT_EQ(0, sl_rxpool_release(&p, fds[1], p.arg.bytes));
		if (variant->state == MAPPED) {
			EXPECT_EQ(LEN, arrived);
		}
	}
	ASSERT_EQ(1, send(fds[2], "x", 1, 0));
	ASSERT_EQ(0, sl_wait_arrived(fds[1], 1));
	ASSERT_EQ(0, sl_rxpool_peek(&p, fds[1], 0, LEN));
	EXPECT_EQ('x', p.map[p.seg[0].offset]);
	ASSERT_EQ(0, sl_rxpool_stat(&p, &st));
	EXPECT_EQ(1, st.sockets);
	EXPECT_EQ(8, st.bufs);
	close(fds[2]);
	close(fds[1]);
	sl_rxpool_close(&p);
	EXPECT_EQ(0, nothing_left(self));
}

TEST_HARNESS_MAIN
