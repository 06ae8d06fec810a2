// SPDX-License-Identifier: GPL-2.0
/*
 * Attached and detached while others are at work on the socket
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_test.h"

#define LEN (64 * SL_KIB)
#define ROUNDS 100

FIXTURE(toggle)
{
	struct sl_pair p;
	struct sl_buf b;
	struct sl_counters c;
};

FIXTURE_VARIANT(toggle)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(toggle, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(toggle, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(toggle)
{
	if (sl_plain())
		SKIP(return, "nothing is attached");
	ASSERT_EQ(0, sl_pair_plain(&self->p, variant->family));
	ASSERT_EQ(0, sl_buf_map(&self->b, ROUNDS * LEN, variant->offset, 1));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(toggle)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

struct toggler {
	pthread_t thread;
	int fd;
	atomic_bool stop;
	int errors;
};

static void *toggle(void *arg)
{
	struct toggler *t = arg;

	while (!t->stop) {
		if (sl_attach(t->fd) && errno != EALREADY)
			t->errors++;
		sl_sleep_ms(1); /* for some sends to go out lent */
		if (sl_detach(t->fd) && errno != ENOENT)
			t->errors++;
		sched_yield();
	}
	return NULL;
}

/* Have both happened since the test began? */
static bool lent_and_detached(FIXTURE_DATA(toggle) * self)
{
	return sl_rise(&self->c, "BytesLent") > 0 &&
	       sl_rise(&self->c, "Detaches") > 0;
}

/* Two threads toggle, one sends, one reads, until some of it was lent. */
TEST_F(toggle, while_sending)
{
	struct toggler t[2] = { { .fd = self->p.tx }, { .fd = self->p.tx } };
	struct sl_reader r;
	int i, n;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&t[i].thread, NULL, toggle, &t[i]));
	for (n = 0; n < 50 && (!n || !lent_and_detached(self)); n++) {
		ASSERT_EQ(0, sl_reader_start(&r, self->p.rx, ROUNDS * LEN, 1));
		for (i = 0; i < ROUNDS; i++)
			ASSERT_EQ(LEN,
				  sl_send_all(self->p.tx,
					      self->b.data + i * LEN, LEN, 0));
		EXPECT_EQ(0, sl_reader_join(&r));
	}
	for (i = 0; i < 2; i++) {
		t[i].stop = true;
		pthread_join(t[i].thread, NULL);
		EXPECT_EQ(0, t[i].errors);
	}
	EXPECT_RISE(&self->c, "BytesLent");
	EXPECT_RISE(&self->c, "Detaches");
}

static void *send_all(void *arg)
{
	FIXTURE_DATA(toggle) *self = arg;

	return (void *)sl_send_all(self->p.tx, self->b.data, ROUNDS * LEN, 0);
}

/* The sender sits in sendmsg with a full buffer, plain or ours, by then. */
static void while_blocked(FIXTURE_DATA(toggle) * self,
			  struct __test_metadata *_metadata, bool attached)
{
	pthread_t sender;
	void *sent;
	int i;

	if (attached)
		ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_EQ(0, pthread_create(&sender, NULL, send_all, self));
	sl_sleep_ms(200);
	for (i = 0; i < 20; i++) {
		if (!attached || i)
			ASSERT_EQ(0, sl_attach(self->p.tx));
		ASSERT_EQ(0, sl_detach(self->p.tx));
	}
	EXPECT_EQ(0, sl_drain(self->p.rx, ROUNDS * LEN, 1));
	pthread_join(sender, &sent);
	EXPECT_EQ(ROUNDS * LEN, (size_t)sent);
}

TEST_F(toggle, blocked_in_a_plain_send)
{
	while_blocked(self, _metadata, false);
}

TEST_F(toggle, blocked_in_a_lending_send)
{
	while_blocked(self, _metadata, true);
	EXPECT_RISE(&self->c, "BytesLent");
}

/* A descriptor that another process got; the first one is closed. */
TEST_F(toggle, passed_on)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int unix_pair[2];
	pid_t child;

	ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int fd;

		close(self->p.tx);
		if (recvmsg(unix_pair[1], &msg, 0) != 1)
			_exit(1);
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
		if (send(fd, self->b.data, LEN, 0) != (ssize_t)LEN)
			_exit(2);
		_exit(sl_lent(fd) > 0 ? 0 : 3);
	}
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &self->p.tx, sizeof(int));
	ASSERT_EQ(1, sendmsg(unix_pair[0], &msg, 0));
	close(self->p.tx);
	EXPECT_EQ(0, sl_exited(child));
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, 1));
	EXPECT_RISE_BY(&self->c, "Sockets", 0);
	self->p.tx = -1;
}

TEST_HARNESS_MAIN
