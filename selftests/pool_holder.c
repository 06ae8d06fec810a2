// SPDX-License-Identifier: GPL-2.0
/*
 * No test, but what command_pool.sh looks at: a process with a pool in a state
 * that does not change, a connection that is busy, and an idle datagram socket
 *
 * usage: pool_holder [DEVICE]
 *
 * Prints lines of a name, a blank and a number; the last one is "ready 1".
 * SIGUSR1 makes the socket leave the pool, and is answered by "left 1".
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "sl_pool.h"
#include "sl_rx.h"

#define DATA 10000 /* sent through the pool, */
#define DONE 4096 /* and released */

static struct pool pool;
static struct sl_rxpool rxpool;
static struct sl_pair joined, busy;
static volatile sig_atomic_t leave;

static void on_usr1(int sig)
{
	leave = 1;
}

static void say(const char *name, unsigned long long value)
{
	printf("%s %llu\n", name, value);
}

static void check(int line, bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "# pool_holder, line %d: %s\n", line, strerror(errno));
	exit(1);
}

#define CHECK(_ok) check(__LINE__, _ok)

static unsigned long long inode(int fd)
{
	struct stat st;

	CHECK(!fstat(fd, &st));
	return st.st_ino;
}

static void open_pool(const char *device)
{
	pool.p = (struct sockloan_pool){
		.size = sizeof(pool.p),
		.buf_size = BUF,
		.bufs = BUFS,
		.window = SL_MIB,
	};
	pool.fd = open(device, O_RDWR | O_CLOEXEC);
	CHECK(pool.fd >= 0);
	CHECK(!ioctl(pool.fd, SOCKLOAN_IOC_POOL, &pool.p));
	pool.map = mmap(NULL, pool.p.map_size, PROT_READ | PROT_WRITE,
			MAP_SHARED, pool.fd, 0);
	CHECK(pool.map != MAP_FAILED);
	rxpool.fd = pool.fd;
	rxpool.p = pool.p;
	rxpool.map = mmap(NULL, pool.p.window, PROT_READ, MAP_SHARED, pool.fd,
			  pool.p.window_offset);
	CHECK(rxpool.map != MAP_FAILED);
}

/* Two connections, both ends of both attached */
static void open_sockets(void)
{
	CHECK(!sl_pair_sized(&joined, AF_INET, SL_MIB, SL_MIB));
	CHECK(!sl_attach(joined.tx) && !sl_attach(joined.rx));
	CHECK(!sl_rxpool_join(&rxpool, joined.rx, 0, 7));
	CHECK(!sl_pair_sized(&busy, AF_INET6, SL_MIB, SL_MIB));
	CHECK(!sl_attach(busy.tx) && !sl_attach(busy.rx));
}

static int open_datagram(void)
{
	struct sl_addr a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sl_loopback(&a, AF_INET);
	CHECK(fd >= 0 && !bind(fd, &a.sa, a.len) && !sl_attach(fd));
	return fd;
}

/* Every counter of the pool that "sockloan pool" shows is to be more than 0. */
static void use_pool(void)
{
	uint32_t id[BUFS], more[BUFS];
	struct sl_buf b;
	int n;

	CHECK(pkt_alloc(&pool, id, 4) == 4);
	CHECK(pkt_alloc(&pool, more, BUFS) == BUFS - 4);
	for (n = 0; n < BUFS - 4; n++)
		CHECK(pkt_free(&pool, more[n]) == 1);
	CHECK(pkt_free(&pool, more[0]) == -1);
	CHECK(xout(&pool, joined.tx, id[0], 0, DATA, 0) == 1);
	CHECK(!sl_wait_arrived(joined.rx, DATA));
	CHECK(!sl_rxpool_peek(&rxpool, joined.rx, 0, DATA));
	CHECK(rxpool.arg.bytes == DATA);
	CHECK(!sl_rxpool_release(&rxpool, joined.rx, DONE));
	CHECK(sl_rxpool_release(&rxpool, joined.rx, DATA) == -1);
	/* As long as what has arrived is there its buffer is in flight. */
	CHECK(sl_rxpool_forward(&rxpool, joined.rx, joined.tx, 100, 0) == 100);
	/* What is lent can be mapped; copied, it may share an skb with a packet. */
	CHECK(!sl_buf_map(&b, BUF, 0, 1));
	CHECK(sl_send_all(joined.tx, b.data, BUF, 0) == BUF);
	CHECK(!sl_detach(joined.tx));
	CHECK(!sl_wait_arrived(joined.rx, DATA - DONE + BUF));
	CHECK(!sl_rxpool_peek(&rxpool, joined.rx, 0, DATA + BUF));
}

static void say_pool(void)
{
	struct sockloan_poolstat st = { .size = sizeof(st) };

	CHECK(!ioctl(pool.fd, SOCKLOAN_IOC_POOLSTAT, &st));
	say("buf_size", st.buf_size);
	say("bufs", st.bufs);
	say("free", st.free);
	say("held", st.held);
	say("in_flight", st.in_flight);
	say("lowest_free", st.lowest_free);
	say("window_pages", st.window_pages);
	say("window_used", st.window_used);
	say("window_stale", st.window_stale);
	say("copy_pages", st.copy_pages);
	say("copy_used", st.copy_used);
	say("xout_bytes", st.xout_bytes);
	say("bytes_mapped", st.bytes_mapped);
	say("bytes_copied", st.bytes_copied);
	say("bytes_released", st.bytes_released);
	say("bytes_forwarded", st.bytes_forwarded);
	say("alloc_failures", st.alloc_failures);
	say("bad_ids", st.bad_ids);
	say("bad_releases", st.bad_releases);
	say("window_full", st.window_full);
}

/* A copy of this process, with all descriptors, that does not outlive it */
static void fork_idle(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid) {
		say("child", pid);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void be_busy(void)
{
	static char sink[BUF];
	struct sl_buf b;

	CHECK(!sl_buf_map(&b, BUF, 0, 1));
	for (;;) {
		CHECK(sl_send_all(busy.tx, b.data, BUF, 0) == BUF);
		CHECK(!sl_drain_raw(busy.rx, sink, BUF));
		sl_sleep_ms(10);
		if (!leave)
			continue;
		leave = 0;
		CHECK(!sl_rxpool_leave(&rxpool, joined.rx));
		say("left", 1);
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGUSR1, on_usr1);
	/* A name that takes care to print */
	prctl(PR_SET_NAME, "pool \"holder\"");
	open_pool(argc > 1 ? argv[1] : "/dev/sockloan");
	open_sockets();
	say("datagram_ino", inode(open_datagram()));
	CHECK(dup(pool.fd) >= 0);
	use_pool();
	say("fd", pool.fd);
	say("joined_ino", inode(joined.rx));
	say("joined_peer_ino", inode(joined.tx));
	say("busy_ino", inode(busy.tx));
	say("busy_fd", busy.tx);
	say("busy_peer_ino", inode(busy.rx));
	say_pool();
	fork_idle();
	say("ready", 1);
	be_busy();
}
