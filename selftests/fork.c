// SPDX-License-Identifier: GPL-2.0
/*
 * Copy-on-write of fork meets copy-on-write of a loan
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "sl_variants.h"

#define OLD 1 /* the stream that was sent */
#define PARENT 2 /* what the parent writes over it */
#define CHILD 3 /* what the child does */

FIXTURE(fork)
{
	struct sl_pair p;
	struct sl_buf b;
	int to_child[2];
	int to_parent[2];
};

FIXTURE_VARIANT(fork)
{
	SL_AXES;
};

SL_VARIANTS_FEW(fork);

FIXTURE_SETUP(fork)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
	ASSERT_EQ(0, pipe(self->to_child));
	ASSERT_EQ(0, pipe(self->to_parent));
}

FIXTURE_TEARDOWN(fork)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
	close(self->to_child[0]);
	close(self->to_child[1]);
	close(self->to_parent[0]);
	close(self->to_parent[1]);
}

static int lend(FIXTURE_DATA(fork) * self)
{
	ssize_t n = send(self->p.tx, self->b.data, self->b.len, 0);

	return n == self->b.len ? 0 : -1;
}

/* Overwrite the buffer, and see that it holds what was written */
static int rewrite(FIXTURE_DATA(fork) * self, int stream)
{
	sl_fill(self->b.data, self->b.len, stream);
	return sl_differs(self->b.data, self->b.len, stream) == -1 ? 0 : -1;
}

static int holds(FIXTURE_DATA(fork) * self, int stream)
{
	return sl_differs(self->b.data, self->b.len, stream) == -1;
}

static void tell(int pfd[2])
{
	if (write(pfd[1], "", 1) != 1)
		_exit(99);
}

static void await(int pfd[2])
{
	char c;

	if (read(pfd[0], &c, 1) != 1)
		_exit(98);
}

#define EXPECT_ARRIVES(_self, _sends)                                          \
	do {                                                                   \
		int _i;                                                        \
		for (_i = 0; _i < (_sends); _i++)                              \
			EXPECT_EQ(0, sl_drain((_self)->p.rx, (_self)->b.len,   \
					      OLD));                           \
		EXPECT_LENT((_self)->p.tx, (_sends)*sl_whole((_self)->b.data,  \
							     (_self)->b.len)); \
	} while (0)

/* Both at the same time */
TEST_F(fork, both_write)
{
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid)
		_exit(!holds(self, OLD) || rewrite(self, CHILD));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_TRUE(holds(self, PARENT));
	EXPECT_ARRIVES(self, 1);
}

TEST_F(fork, child_writes_first)
{
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid) {
		if (rewrite(self, CHILD))
			_exit(1);
		tell(self->to_parent);
		await(self->to_child);
		_exit(!holds(self, CHILD));
	}
	await(self->to_parent);
	EXPECT_TRUE(holds(self, OLD));
	EXPECT_EQ(0, rewrite(self, PARENT));
	tell(self->to_child);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_ARRIVES(self, 1);
}

TEST_F(fork, parent_writes_first)
{
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid) {
		await(self->to_child);
		_exit(!holds(self, OLD) || rewrite(self, CHILD));
	}
	EXPECT_EQ(0, rewrite(self, PARENT));
	tell(self->to_child);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_TRUE(holds(self, PARENT));
	EXPECT_ARRIVES(self, 1);
}

/* The page has one mapping again when the parent writes, and is on loan */
TEST_F(fork, child_exits_first)
{
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_ARRIVES(self, 1);
}

TEST_F(fork, fork_before_send)
{
	pid_t pid;

	pid = fork();
	if (!pid) {
		await(self->to_child);
		if (!holds(self, OLD) || rewrite(self, CHILD))
			_exit(1);
		tell(self->to_parent);
		await(self->to_child);
		_exit(!holds(self, CHILD));
	}
	ASSERT_EQ(0, lend(self));
	tell(self->to_child);
	await(self->to_parent);
	EXPECT_TRUE(holds(self, OLD));
	EXPECT_EQ(0, rewrite(self, PARENT));
	tell(self->to_child);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_ARRIVES(self, 1);
}

/* Shared with a child there is nothing to protect */
TEST_F(fork, shared_already)
{
	struct sl_counters c;
	pid_t pid;

	pid = fork();
	if (!pid) {
		await(self->to_child);
		_exit(!holds(self, OLD));
	}
	sl_count(&c);
	ASSERT_EQ(0, lend(self));
	EXPECT_NO_RISE(&c, "PagesProtected");
	EXPECT_RISE_BY(&c, "PagesShared",
		       sl_whole(self->b.data, self->b.len) / sl_page);
	EXPECT_EQ(0, rewrite(self, PARENT));
	tell(self->to_child);
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_ARRIVES(self, 1);
}

TEST_F(fork, child_sends)
{
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (lend(self) || rewrite(self, CHILD))
			_exit(1);
		tell(self->to_parent);
		_exit(0);
	}
	await(self->to_parent);
	EXPECT_TRUE(holds(self, OLD));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_ARRIVES(self, 1);
}

/* The same pages from both sides of the fork */
TEST_F(fork, both_send)
{
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid)
		_exit(lend(self) || rewrite(self, CHILD));
	EXPECT_EQ(0, sl_exited(pid));
	ASSERT_EQ(0, lend(self));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_ARRIVES(self, 3);
}

static void generation(FIXTURE_DATA(fork) * self, int left)
{
	pid_t pid;

	if (!left)
		return;
	pid = fork();
	if (!pid) {
		if (!holds(self, OLD) || lend(self))
			_exit(1);
		generation(self, left - 1);
		_exit(rewrite(self, CHILD + left) ? 2 : 0);
	}
	if (sl_exited(pid))
		_exit(3);
}

TEST_F(fork, generations)
{
	ASSERT_EQ(0, lend(self));
	generation(self, 3);
	EXPECT_TRUE(holds(self, OLD));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_ARRIVES(self, 4);
}

TEST_F(fork, vfork_exec)
{
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = vfork();
	if (!pid) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_TRUE(holds(self, OLD));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_ARRIVES(self, 1);
}

/* A child of vfork writes to its parent's memory */
TEST_F(fork, vfork_write)
{
	pid_t pid;

	ASSERT_EQ(0, lend(self));
	pid = vfork();
	if (!pid) {
		sl_fill(self->b.data, self->b.len, CHILD);
		_exit(0);
	}
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_TRUE(holds(self, CHILD));
	EXPECT_ARRIVES(self, 1);
}

/* The address space that the pages came from is gone */
TEST_F(fork, exec_after_send)
{
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (rewrite(self, OLD) || lend(self))
			_exit(1);
		execl("/bin/true", "true", (char *)NULL);
		_exit(2);
	}
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_ARRIVES(self, 1);
}

TEST_F(fork, killed_after_send)
{
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (rewrite(self, OLD) || lend(self))
			_exit(1);
		raise(SIGKILL);
	}
	EXPECT_EQ(-1, sl_exited(pid));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_ARRIVES(self, 1);
}

TEST_F(fork, dontfork)
{
	pid_t pid;

	ASSERT_EQ(0, madvise(self->b.map, self->b.map_len, MADV_DONTFORK));
	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_ARRIVES(self, 1);
}

TEST_F(fork, wipeonfork)
{
	pid_t pid;

	ASSERT_EQ(0, madvise(self->b.map, self->b.map_len, MADV_WIPEONFORK));
	ASSERT_EQ(0, lend(self));
	pid = fork();
	if (!pid)
		_exit(self->b.data[0] || self->b.data[self->b.len - 1] ||
		      rewrite(self, CHILD));
	EXPECT_EQ(0, rewrite(self, PARENT));
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_ARRIVES(self, 1);
}

/* -- forking all the time, in another thread ------------------------------- */

struct storm {
	pthread_t thread;
	struct sl_buf b;
	bool stop;
	int forks;
	int bad;
};

/* Memory that a child got at its birth is nobody else's to change */
static int child_of_storm(struct sl_buf *b)
{
	uint64_t *word = (uint64_t *)b->data;
	size_t step = sl_page / sizeof(*word);
	size_t n = b->len / sizeof(*word);
	uint64_t seen[64];
	size_t i;

	for (i = 0; i * step < n; i++)
		seen[i] = word[i * step];
	sched_yield();
	for (i = 0; i * step < n; i++)
		if (word[i * step] != seen[i])
			return 1;
	for (i = 0; i * step < n; i++)
		word[i * step] = ~0ULL;
	for (i = 0; i * step < n; i++)
		if (word[i * step] != ~0ULL)
			return 2;
	return 0;
}

static void *storm_run(void *arg)
{
	struct storm *s = arg;
	pid_t pid;

	sl_cpu(1);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		pid = fork();
		if (!pid)
			_exit(child_of_storm(&s->b));
		if (pid < 0 || sl_exited(pid))
			s->bad++;
		s->forks++;
	}
	return NULL;
}

TEST(fork_while_sending)
{
	struct storm s = { 0 };
	struct sl_pair p;
	uint64_t until;
	int round = 0;

	ASSERT_EQ(0, sl_pair(&p, AF_INET));
	ASSERT_EQ(0, sl_buf_map(&s.b, 32 * sl_page, 0, 0));
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, storm_run, &s));
	sl_cpu(0);
	for (until = sl_ms() + 2000; sl_ms() < until; round++) {
		ASSERT_EQ(s.b.len, send(p.tx, s.b.data, s.b.len, 0));
		ASSERT_EQ(-1, sl_differs(s.b.data, s.b.len, round));
		sl_fill(s.b.data, s.b.len, round + 1);
		ASSERT_EQ(-1, sl_differs(s.b.data, s.b.len, round + 1));
		ASSERT_EQ(0, sl_drain(p.rx, s.b.len, round));
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(s.thread, NULL);
	EXPECT_EQ(0, s.bad);
	EXPECT_LE(10, s.forks);
	EXPECT_LE(10, round);
	EXPECT_LT(round * s.b.len / 2,
		  sl_plain() ? round * s.b.len : sl_lent(p.tx));
	sl_pair_close(&p);
	sl_buf_unmap(&s.b);
}

TEST_HARNESS_MAIN
