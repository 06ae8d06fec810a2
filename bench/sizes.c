// SPDX-License-Identifier: GPL-2.0
/*
 * Sends of many sizes over loopback TCP, from a plain and from an attached
 * socket in turn; the ratio of their rates.  For the instruction-count mode of
 * vm/run: anywhere else the figures are as noisy as the machine.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/sockloan.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: sizes [-w] [-r] [-b BYTES] [-s SIZE]\n"
	"\n"
	"Prints, for sends of 64 bytes to 1 MiB, the rate of a plain socket, of an\n"
	"attached one, and the ratio of the two.\n"
	"\n"
	"  -w        write the whole buffer anew before every send\n"
	"  -r        the receiver reads the data (it discards it with MSG_TRUNC else)\n"
	"  -b BYTES  how much to send for each figure (default 64 MiB)\n"
	"  -s SIZE   only sends of SIZE bytes\n";

/* Bytes sent before they are received, rounds before the clock starts */
#define BATCH	(128 << 10)
#define WARM_UP	20

static bool rewrite, reader;
static size_t total = 64 << 20;

static void attach(int fd)
{
	struct sockloan_attach arg = { .size = sizeof(arg), .fd = fd };
	int dev = open("/dev/sockloan", O_RDWR | O_CLOEXEC);

	if (dev < 0 || ioctl(dev, SOCKLOAN_IOC_ATTACH, &arg))
		err(1, "/dev/sockloan");
	close(dev);
}

/* A connected pair whose buffers hold a batch. */
static void connection(int *from, int *to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int buffers = 8 << 20, one = 1;

	*from = socket(AF_INET, SOCK_STREAM, 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || *from < 0 ||
	    bind(listener, (struct sockaddr *)&addr, len) ||
	    listen(listener, 1) ||
	    setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &buffers,
		       sizeof(buffers)) ||
	    setsockopt(*from, SOL_SOCKET, SO_SNDBUFFORCE, &buffers,
		       sizeof(buffers)) ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) ||
	    connect(*from, (struct sockaddr *)&addr, len))
		err(1, "connection");
	*to = accept(listener, NULL, NULL);
	if (*to < 0)
		err(1, "accept");
	close(listener);
	setsockopt(*from, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void receive(int fd, char *buf, size_t size, size_t want)
{
	ssize_t got;

	for (; want; want -= got) {
		got = recv(fd, buf, want < size ? want : size,
			   reader ? 0 : MSG_TRUNC);
		if (got <= 0)
			err(1, "recv");
	}
}

/*
 * MB/s.  One process sends a batch and receives it, so that no wake-ups and
 * task switches are in the figure.
 */
static double rate(size_t size, bool attached)
{
	size_t batch = size > BATCH ? 1 : BATCH / size;
	size_t rounds = total / (batch * size), i, k;
	struct timespec start, end;
	char *buf, *in;
	int from, to;

	/* 20,000 calls are enough for the small ones. */
	if (batch > 1 && rounds * batch > 20000)
		rounds = 20000 / batch;
	connection(&from, &to);
	/* Small enough to stay clear of huge pages. */
	buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	in = malloc(BATCH);
	if (buf == MAP_FAILED || !in)
		err(1, "memory");
	memset(buf, 1, size);
	memset(in, 1, BATCH);
	if (attached)
		attach(from);

	/* The first rounds open the congestion window. */
	for (i = 0; i < rounds + WARM_UP; i++) {
		if (i == WARM_UP)
			clock_gettime(CLOCK_MONOTONIC, &start);
		for (k = 0; k < batch; k++) {
			if (rewrite)
				memset(buf, i + k, size);
			if (send(from, buf, size, 0) != (ssize_t)size)
				err(1, "send");
		}
		receive(to, in, BATCH, batch * size);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	close(from);
	close(to);
	munmap(buf, size);
	free(in);
	return rounds * batch * size / 1e6 /
	       (end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	double plain, lent;
	size_t only = 0, size;
	int option;

	while ((option = getopt(argc, argv, "wrb:s:h")) != -1) {
		switch (option) {
		case 'w':
			rewrite = true;
			break;
		case 'r':
			reader = true;
			break;
		case 'b':
			total = strtoull(optarg, NULL, 0);
			break;
		case 's':
			only = strtoull(optarg, NULL, 0);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	printf("%s, receiver %s\n",
	       rewrite ? "rewritten before every send" : "sent again and again",
	       reader ? "reads" : "discards");
	printf("%8s %10s %10s %7s\n", "bytes", "plain MB/s", "lent MB/s",
	       "ratio");
	for (size = 64; size <= 1 << 20; size *= size < 1024 ? 4 : 2) {
		if (only)
			size = only;
		plain = rate(size, false);
		lent = rate(size, true);
		printf("%8zu %10.1f %10.1f %7.3f\n", size, plain, lent,
		       lent / plain);
		fflush(stdout);
		if (only)
			break;
	}
	return 0;
}
