// SPDX-License-Identifier: GPL-2.0
/* Sockets and pools that end in every order */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_ktls.h"
#include "sl_rx.h"
#include "sl_sockmap.h"
#include "sl_udp.h"

#define LEN (64 * SL_KIB)

FIXTURE(member)
{
	struct sl_pair s;
	struct sl_rxpool p;
	struct sl_buf b;
};

FIXTURE_SETUP(member)
{
	ASSERT_EQ(0, sl_pair_sized(&self->s, AF_INET6, SL_MIB, SL_MIB));
	ASSERT_EQ(0, sl_attach(self->s.tx));
	ASSERT_EQ(0, sl_attach(self->s.rx));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, SL_MIB));
	ASSERT_EQ(0,
		  sl_rxpool_join(&self->p, self->s.rx, SOCKLOAN_EVENT_ALL, 1));
	ASSERT_EQ(LEN, sl_send_all(self->s.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	ASSERT_EQ(LEN, self->p.arg.bytes);
}

FIXTURE_TEARDOWN(member)
{
	sl_rxpool_close(&self->p);
	sl_pair_close(&self->s);
	sl_buf_unmap(&self->b);
}

/* What was peeked stays readable while its slots are not taken again. */
TEST_F(member, socket_first)
{
	struct sockloan_poolstat st;

	close(self->s.rx);
	self->s.rx = -1;
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	EXPECT_EQ(0, st.sockets);
	EXPECT_EQ(st.window_used, st.window_stale);
	EXPECT_EQ(0, st.copy_used);
}

TEST_F(member, pool_first)
{
	sl_rxpool_close(&self->p);
	EXPECT_EQ(0, sl_drain(self->s.rx, LEN, 1));
	ASSERT_EQ(0, sl_rxpool_open(&self->p, SL_MIB));
	EXPECT_EQ(0, sl_rxpool_join(&self->p, self->s.rx, 0, 0));
}

/* The descriptor alone is not the pool's end: its mapping holds it. */
TEST_F(member, mapping_last)
{
	close(self->p.fd);
	self->p.fd = -1;
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
}

TEST_F(member, mapping_first)
{
	ASSERT_EQ(0, munmap(self->p.map, self->p.p.window));
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(ENODEV, errno);
	self->p.map = mmap(NULL, self->p.p.window, PROT_READ, MAP_SHARED,
			   self->p.fd, self->p.p.window_offset);
	ASSERT_NE(MAP_FAILED, self->p.map);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(LEN, self->p.arg.bytes);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
}

TEST_F(member, two_pools)
{
	struct sl_rxpool p;

	ASSERT_EQ(0, sl_rxpool_open(&p, SL_MIB));
	EXPECT_EQ(-1, sl_rxpool_join(&p, self->s.rx, 0, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, sl_rxpool_peek(&p, self->s.rx, 0, LEN));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, sl_rxpool_leave(&self->p, self->s.rx));
	ASSERT_EQ(0, sl_rxpool_join(&p, self->s.rx, 0, 0));
	ASSERT_EQ(0, sl_rxpool_peek(&p, self->s.rx, 0, LEN));
	EXPECT_EQ(0, sl_rxpool_check(&p, 0, 1));
	sl_rxpool_close(&p);
}

/* Killed in the middle of everything: run.sh's next test finds the module well. */
TEST_F(member, killed)
{
	int i;

	for (i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (!pid) {
			struct sl_rxpool p;
			struct sl_pair s;

			if (sl_rxpool_open(&p, SL_MIB) ||
			    sl_pair_plain(&s, AF_INET) || sl_attach(s.rx) ||
			    sl_attach(s.tx) ||
			    sl_rxpool_join(&p, s.rx, SOCKLOAN_EVENT_ALL, 0))
				_exit(1);
			for (;;) {
				send(s.tx, self->b.data, LEN, MSG_DONTWAIT);
				if (sl_rxpool_peek(&p, s.rx, 0, LEN))
					continue;
				sl_rxpool_release(&p, s.rx,
						  p.arg.bytes / 2 + 1);
			}
		}
		ASSERT_LT(0, pid);
		sl_sleep_ms(100 + 13 * i);
		ASSERT_EQ(0, waitpid(pid, NULL, WNOHANG));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
}

/* Only what can be received from */
TEST_F(member, who_may_join)
{
	struct sl_addr a;
	struct sl_pair s;
	int fd;

	ASSERT_EQ(0, sl_pair_plain(&s, AF_INET));
	EXPECT_EQ(-1, sl_rxpool_join(&self->p, s.rx, 0, 0));
	EXPECT_EQ(ESRCH, errno);
	sl_pair_close(&s);
	sl_loopback(&a, AF_INET);
	fd = sl_listen(AF_INET, &a);
	ASSERT_EQ(0, sl_attach(fd));
	EXPECT_EQ(-1, sl_rxpool_join(&self->p, fd, 0, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
	EXPECT_EQ(-1, sl_rxpool_join(&self->p, self->p.fd, 0, 0));
	EXPECT_EQ(ENOTSOCK, errno);
	EXPECT_EQ(-1, sl_rxpool_join(&self->p, -1, 0, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, sl_rxpool_join(&self->p, self->s.rx, 1 << 30, 0));
	EXPECT_EQ(EINVAL, errno);
}

/* One that begins to listen has left; what it accepts is none of the pool's. */
TEST_F(member, listens)
{
	struct sl_addr a;
	int fd, peer, child;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, sl_attach(fd));
	ASSERT_EQ(0, sl_rxpool_join(&self->p, fd, SOCKLOAN_EVENT_ALL, 2));
	sl_loopback(&a, AF_INET);
	ASSERT_EQ(0, bind(fd, &a.sa, a.len));
	ASSERT_EQ(0, listen(fd, 1));
	EXPECT_EQ(-1, sl_rxpool_leave(&self->p, fd));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, getsockname(fd, &a.sa, &a.len));
	peer = sl_connect(&a);
	ASSERT_LE(0, peer);
	child = accept(fd, NULL, NULL);
	ASSERT_LE(0, child);
	EXPECT_EQ(0, sl_rxpool_join(&self->p, child, 0, 0));
	ASSERT_EQ(100, sl_send_all(peer, self->b.data, 100, 0));
	ASSERT_EQ(0, sl_wait_arrived(child, 100));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, child, 0, LEN));
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	close(child);
	close(peer);
	close(fd);
}

/* A second connection of the same socket is not mistaken for the first. */
TEST_F(member, connects_again)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sl_addr a;
	int fd, peer;

	ASSERT_EQ(0, connect(self->s.rx, &none, sizeof(none)));
	/* As recv(2): first what the unread data had caused. */
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(ENOTCONN, errno);
	sl_loopback(&a, AF_INET6);
	fd = sl_listen(AF_INET6, &a);
	ASSERT_EQ(0, connect(self->s.rx, &a.sa, a.len));
	peer = accept(fd, NULL, NULL);
	sl_fill(self->b.data, LEN, 2);
	ASSERT_EQ(LEN, sl_send_all(peer, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_wait_arrived(self->s.rx, LEN));
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(LEN, self->p.arg.bytes);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 2));
	close(peer);
	close(fd);
}

/* Taken over by others while it is a member */
TEST_F(member, tls)
{
	if (!sl_ktls_there())
		SKIP(return, "no kernel TLS here");
	ASSERT_EQ(0, sl_drain(self->s.rx, LEN, 1));
	ASSERT_EQ(0, sl_ktls(&self->s));
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(100, sl_send_all(self->s.tx, self->b.data, 100, 0));
	EXPECT_EQ(0, sl_drain(self->s.rx, 100, 1));
}

TEST_F(member, sockmap)
{
	int map = sl_sockmap();

	if (map < 0)
		SKIP(return, "no sockmap here");
	ASSERT_EQ(0, sl_sockmap_put(map, self->s.rx));
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(0, sl_sockmap_take(map));
	EXPECT_EQ(0, sl_drain(self->s.rx, LEN, 1));
	close(map);
}

/* Urgent data stops a peek, and is never in it. */
TEST_F(member, urgent)
{
	char c;

	ASSERT_EQ(1, send(self->s.tx, "!", 1, MSG_OOB));
	ASSERT_EQ(100, sl_send_all(self->s.tx, self->b.data, 100, 0));
	sl_sleep_ms(100);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, 0, 2 * LEN));
	EXPECT_EQ(LEN, self->p.arg.bytes);
	EXPECT_EQ(SOCKLOAN_PEEK_URGENT, self->p.arg.state);
	ASSERT_EQ(0, sl_rxpool_peek(&self->p, self->s.rx, LEN, 2 * LEN));
	EXPECT_EQ(100, self->p.arg.bytes);
	EXPECT_EQ(0, sl_rxpool_check(&self->p, 0, 1));
	ASSERT_EQ(1, recv(self->s.rx, &c, 1, MSG_OOB));
	EXPECT_EQ('!', c);
	ASSERT_EQ(0, sl_rxpool_release(&self->p, self->s.rx, 100));
	EXPECT_EQ(-1, sl_rxpool_peek(&self->p, self->s.rx, 0, LEN));
	EXPECT_EQ(EAGAIN, errno);
}

/* Many connections, one pool: as much is free as before. */
TEST_F_TIMEOUT(member, connections, 120)
{
	struct sockloan_poolstat st;
	struct sl_pair s;
	int i;

	for (i = 0; i < 2000; i++) {
		ASSERT_EQ(0, sl_pair_plain(&s, i % 2 ? AF_INET : AF_INET6));
		ASSERT_EQ(0, sl_attach(s.tx));
		ASSERT_EQ(0, sl_attach(s.rx));
		ASSERT_EQ(0, sl_rxpool_join(&self->p, s.rx, SOCKLOAN_EVENT_ALL,
					    i));
		ASSERT_EQ(LEN, sl_send_all(s.tx, self->b.data, LEN, 0));
		ASSERT_EQ(0, sl_rxpool_peek(&self->p, s.rx, 0, LEN));
		if (i % 3)
			ASSERT_EQ(0, sl_rxpool_release(&self->p, s.rx,
						       self->p.arg.bytes));
		sl_pair_close(&s);
	}
	ASSERT_EQ(0, sl_rxpool_stat(&self->p, &st));
	EXPECT_EQ(1, st.sockets);
	EXPECT_EQ(0, st.copy_used);
	EXPECT_GE(LEN / 4096, st.window_used - st.window_stale);
	EXPECT_EQ(0, st.window_full);
}

TEST_HARNESS_MAIN
