// SPDX-License-Identifier: GPL-2.0
/* One measured stream over loopback: the processes, the sends, the clock. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sockloan.h>

#include "common.h"
#include "flow.h"
#include "zerocopy.h"

/* Sent before the clock starts: opens the congestion window */
#define WARM_UP (16 << 20)
#define BUFS 256

static void run(const char *command)
{
	if (system(command))
		errx(1, "%s failed", command);
}

/*
 * A second namespace behind a veth pair that takes linear skbs of one segment, as a
 * card without offloads: no page of what arrives is full.
 */
static void make_wire(void)
{
	run("ip netns add sl_bench &&"
	    " ip link add sl0 type veth peer name sl1 netns sl_bench &&"
	    " ip addr add 10.99.0.1/24 dev sl0 && ip link set sl0 up &&"
	    " ip -n sl_bench addr add 10.99.0.2/24 dev sl1 &&"
	    " ip -n sl_bench link set sl1 up &&"
	    " ethtool -K sl0 sg off tso off gso off >/dev/null &&"
	    " ip netns exec sl_bench ethtool -K sl1 gro off sg off tso off gso off"
	    " >/dev/null");
}

static void remove_wire(void)
{
	run("ip link del sl0 && ip netns del sl_bench");
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", netns);
	close(fd);
}

static int listener(const struct flow *flow, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd;

	if (flow->segments)
		enter("/run/netns/sl_bench");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (flow->segments)
		enter("/proc/1/ns/net");
	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr->sin_addr.s_addr =
		htonl(flow->segments ? 0x0a630002 : INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) ||
	    getsockname(fd, (struct sockaddr *)addr, &len) || listen(fd, 1))
		err(1, "listener");
	return fd;
}

static int connect_to(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const void *)addr, sizeof(*addr)))
		err(1, "connect");
	return fd;
}

static int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		err(1, "accept");
	close(listener);
	return fd;
}

static pid_t start_receiver(const struct flow *flow, int listener, int word,
			    size_t bytes)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = accept_one(listener);
	flow_receive_start(flow, fd);
	flow_receive(flow, fd, WARM_UP);
	if (write(word, "", 1) != 1)
		err(1, "receiver");
	flow_receive(flow, fd, bytes);
	if (write(word, "", 1) != 1)
		err(1, "receiver");
	exit(0);
}

static pid_t start_proxy(const struct flow *flow, int listener,
			 const struct sockaddr_in *to)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	flow_pass_on(flow, accept_one(listener), connect_to(to));
	exit(0);
}

static void wait_for_word(int word)
{
	char byte;

	if (read(word, &byte, 1) != 1)
		errx(1, "a receiver failed");
}

static void send_buffer(const struct flow *flow, int fd, char *buf, size_t i)
{
	if (flow->refill)
		memset(buf, i, flow->size);
	if (flow->send == ZEROCOPY)
		zerocopy_send(fd, buf, flow->size);
	else if (send(fd, buf, flow->size, 0) != (ssize_t)flow->size)
		err(1, "send");
}

static void send_packet(const struct flow *flow, struct sl_pool *pool, int fd,
			size_t i)
{
	struct sl_pkt *pkt = sl_pkt_alloc(pool, flow->size);

	if (!pkt)
		err(1, "sl_pkt_alloc");
	if (flow->refill)
		memset(pkt->data, i, flow->size);
	pkt->len = flow->size;
	if (sl_xout(fd, pkt) < 0)
		errx(1, "sl_xout");
}

static void send_all(const struct flow *flow, struct sl_pool *pool, int fd,
		     char *buf, size_t bytes)
{
	size_t i, calls = bytes / flow->size;

	for (i = 0; i < calls; i++) {
		if (pool)
			send_packet(flow, pool, fd, i);
		else
			send_buffer(flow, fd, buf, i);
	}
}

static void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0 || status)
		errx(1, "a process failed");
}

double run_flow(const struct flow *flow, bool batch, size_t bytes)
{
	struct sched_param none = { 0 };

	struct sl_pool_options options = { .buf_size = flow->size,
					   .bufs = BUFS,
					   .flags = SL_POOL_NO_WINDOW };
	struct sockaddr_in to, via;
	struct sl_pool *pool = NULL;
	pid_t receiver, proxy = 0;
	int words[2], fd;
	double start;
	char *buf;

	bytes = bytes / flow->size * flow->size;
	if (sched_setscheduler(0, batch ? SCHED_BATCH : SCHED_OTHER, &none))
		err(1, "sched_setscheduler");
	if (flow->segments)
		make_wire();
	fd = listener(flow, &to);
	if (pipe(words))
		err(1, "pipe");
	fflush(NULL);
	receiver = start_receiver(flow, fd, words[1], bytes);
	close(fd);
	close(words[1]);
	if (flow->proxy) {
		fd = listener(flow, &via);
		proxy = start_proxy(flow, fd, &to);
		close(fd);
		to = via;
	}
	fd = connect_to(&to);
	if (flow->send == LEND && !attach(fd))
		errx(1, "cannot attach");
	if (flow->send == ZEROCOPY)
		zerocopy_on(fd);
	if (flow->send == XOUT) {
		pool = sl_pool_open(&options);
		if (!pool || sl_attach(fd))
			err(1, "pool");
	}
	buf = mmap(NULL, flow->size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		err(1, "memory");
	madvise(buf, flow->size, MADV_NOHUGEPAGE);
	memset(buf, 1, flow->size);

	send_all(flow, pool, fd, buf, WARM_UP);
	wait_for_word(words[0]);
	start = now();
	send_all(flow, pool, fd, buf, bytes);
	wait_for_word(words[0]);
	start = now() - start;

	close(fd);
	close(words[0]);
	reap(receiver);
	if (proxy)
		reap(proxy);
	munmap(buf, flow->size);
	if (pool)
		sl_pool_close(pool);
	if (flow->segments)
		remove_wire();
	return bytes / 1e6 / start;
}
