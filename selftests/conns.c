// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: 10,000 connections with loans leave what they found
 *
 * The first connections may make caches grow; after them every page, and every
 * slab object of the network, has to come back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_test.h"

#define LEN (64 * SL_KIB)
#define WARM_UP 1000
#define CONNECTIONS 10000
#define ROUNDS 4

/* One figure out of a file of "name value" lines; -1: not there */
static long long figure(const char *file, const char *format)
{
	long long value = -1;
	char line[512];
	FILE *f = fopen(file, "r");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, format, &value) == 1)
			break;
	fclose(f);
	return value;
}

struct state {
	long long free_pages; /* free, or to be had at once */
	long long anon_pages;
	long long slab_pages;
	long long tcp_objects;
	long long loan_objects; /* struct sl_sock's size class, of the kernel */
	long long tcp_in_use;
	long long attached;
};

static void look(struct state *s)
{
	struct sl_counters c;
	int i;

	/* What RCU, TIME-WAIT and the per-CPU lists still hold comes back. */
	for (i = 0; i < 5; i++)
		sl_sleep_ms(200);
	if (system("echo 3 >/proc/sys/vm/drop_caches"))
		perror("drop_caches");
	s->free_pages = figure("/proc/meminfo", "MemAvailable: %lld") / 4;
	s->anon_pages = figure("/proc/vmstat", "nr_anon_pages %lld");
	s->slab_pages = figure("/proc/vmstat", "nr_slab_unreclaimable %lld");
	s->tcp_objects = figure("/proc/slabinfo", "TCP %lld");
	s->loan_objects = figure("/proc/slabinfo", "kmalloc-cg-192 %lld");
	s->tcp_in_use = figure("/proc/net/sockstat", "TCP: inuse %lld");
	sl_count(&c);
	s->attached = sl_plain() ? 0 : sl_value(&c, "Sockets");
	printf("# free %lld, anon %lld, slab %lld pages; TCP %lld, kmalloc-cg-192 %lld objects; %lld in use, %lld attached\n",
	       s->free_pages, s->anon_pages, s->slab_pages, s->tcp_objects,
	       s->loan_objects, s->tcp_in_use, s->attached);
	fflush(stdout);
}

static void no_linger(int fd)
{
	struct linger l = { .l_onoff = 1 };

	/* No TIME-WAIT: ten thousand ports would not be there. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

/* Every way to end with pages on loan: read, half read, not read at all */
static int connection(int listener, const struct sl_addr *a, struct sl_buf *b,
		      int i)
{
	struct sl_pair p = { .tx = sl_connect(a) };
	int ret = -1;

	p.rx = accept(listener, NULL, NULL);
	if (p.tx < 0 || p.rx < 0)
		return -1;
	if (!sl_plain() && sl_attach(p.tx))
		goto out;
	if (send(p.tx, b->data, LEN, 0) != (ssize_t)LEN)
		goto out;
	if (!sl_plain() && sl_lent(p.tx) != (ssize_t)LEN)
		goto out;
	if (i % 3 < 2 && sl_drain(p.rx, i % 3 ? LEN / 2 : LEN, 1))
		goto out;
	ret = 0;
out:
	no_linger(p.tx);
	sl_pair_close(&p);
	/* The next one finds the buffer exclusive again, or copied. */
	if (i % 2 == 0)
		sl_fill(b->data, LEN, 1);
	return ret;
}

FIXTURE(connections)
{
	struct sl_addr a;
	struct sl_buf b;
	int listener;
};

FIXTURE_VARIANT(connections)
{
	int family;
};

FIXTURE_VARIANT_ADD(connections, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(connections, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(connections)
{
	self->listener = sl_listen(variant->family, &self->a);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
}

FIXTURE_TEARDOWN(connections)
{
	close(self->listener);
	sl_buf_unmap(&self->b);
}

/* What a round of connections kept, by name; NULL: nothing */
static const char *kept(const struct state *before, const struct state *after,
			int count)
{
	if (before->attached != after->attached)
		return "attached sockets";
	if (before->tcp_in_use != after->tcp_in_use)
		return "sockets";
	/* One page in ten connections would show, one object in fifty. */
	if (before->free_pages - after->free_pages >= count / 10)
		return "memory";
	if (after->anon_pages - before->anon_pages >= count / 10)
		return "anonymous pages";
	/* A debug kernel keeps freed objects for a while, and looks for leaks itself. */
	if (access("/sys/kernel/debug/kmemleak", F_OK) &&
	    after->slab_pages - before->slab_pages >= count / 50)
		return "slab pages";
	if (after->tcp_objects - before->tcp_objects >= count / 50)
		return "TCP sockets' objects";
	if (after->loan_objects - before->loan_objects >= count / 50)
		return "the module's objects";
	return NULL;
}

/*
 * The rest of the system takes memory too, and keeps some (per-CPU lists that grow, what
 * a debug kernel notes). Once, that is; a leak takes the same from every round.
 */
TEST_F_TIMEOUT(connections, leave_nothing, 400)
{
	int count = variant->family == AF_INET && sl_slow() == 1 ?
			    CONNECTIONS :
			    CONNECTIONS / 10;
	const char *what = "anything";
	struct state before, after;
	int round, i;

	for (i = 0; i < WARM_UP; i++)
		ASSERT_EQ(0, connection(self->listener, &self->a, &self->b, i));
	look(&before);
	for (round = 0; round < ROUNDS && what; round++) {
		for (i = 0; i < count; i++)
			ASSERT_EQ(0, connection(self->listener, &self->a,
						&self->b, i));
		look(&after);
		what = kept(&before, &after, count);
		if (what)
			printf("# %d connections kept %s\n", count, what);
		before = after;
	}
	EXPECT_EQ(NULL, what);
}

TEST_HARNESS_MAIN
