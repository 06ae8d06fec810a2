// SPDX-License-Identifier: GPL-2.0
/*
 * The two ends of a measurement over a network card: how long the sending
 * processor is busy per KiB, which is its time less the time that it idles.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "zerocopy.h"

static const char usage[] =
	"usage: nic receive\n"
	"       nic send [-b MIB] [-r ROUNDS] ADDRESS\n"
	"\n"
	"One discards what it is sent, until the other end has done.  The other sends\n"
	"to ADDRESS by plain send(), from an attached socket, and with MSG_ZEROCOPY in\n"
	"turn, and prints how long its processor was busy per KiB.  For hosts with one\n"
	"CPU that do nothing else.\n"
	"\n"
	"  -b MIB      how much to send each time (default 128)\n"
	"  -r ROUNDS   default 2\n";

#define PORT 5234
#define WARM_UP (16 << 20)

enum how { COPY, LOAN, ZEROCOPY, HOWS };

static struct sockaddr_in address(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
}

/* One connection after the other; an empty one is the last. */
static void receive(void)
{
	struct sockaddr_in addr = address();
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd;
	static char buf[128 << 10];
	ssize_t got;
	long long all;

	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listener, 1))
		err(1, "receiver's socket");
	do {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		all = 0;
		do {
			got = recv(fd, buf, sizeof(buf), MSG_TRUNC);
			all += got;
		} while (got > 0);
		if (got < 0)
			err(1, "recv");
		close(fd);
	} while (all);
}

/* The other host may not be up yet. */
static int connection(const struct in_addr *to)
{
	struct sockaddr_in addr = address();
	double give_up = now() + 300;
	int fd;

	addr.sin_addr = *to;
	for (;;) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0)
			err(1, "socket");
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return fd;
		if (now() > give_up)
			err(1, "connect");
		close(fd);
		sleep(1);
	}
}

static void send_all(int fd, enum how how, const char *buf, size_t size,
		     size_t bytes)
{
	size_t done;

	for (done = 0; done < bytes; done += size) {
		if (how == ZEROCOPY)
			zerocopy_send(fd, buf, size);
		else if (send(fd, buf, size, 0) != (ssize_t)size)
			err(1, "send");
	}
}

static void drain(int fd)
{
	int left;

	for (;;) {
		if (ioctl(fd, SIOCOUTQ, &left))
			err(1, "SIOCOUTQ");
		if (!left)
			return;
		usleep(1000);
	}
}

/* Returns when the peer has got everything. */
static void finish(int fd)
{
	char byte;

	if (shutdown(fd, SHUT_WR) || recv(fd, &byte, 1, 0))
		err(1, "end of connection");
	close(fd);
}

/* Busy nanoseconds per KiB */
static double cost(const struct in_addr *to, enum how how, size_t size,
		   size_t bytes)
{
	char *buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = connection(to);
	double start;

	if (buf == MAP_FAILED)
		err(1, "mmap");
	memset(buf, 1, size);
	if (how == LOAN && !attach(fd))
		errx(1, "cannot attach");
	if (how == ZEROCOPY)
		zerocopy_on(fd);
	send_all(fd, how, buf, size, WARM_UP);
	drain(fd);
	start = busy();
	send_all(fd, how, buf, size, bytes);
	finish(fd);
	munmap(buf, size);
	return (busy() - start) * 1e9 / (bytes / 1024.0);
}

static void row(const struct in_addr *to, size_t size, size_t bytes, int rounds)
{
	double costs[HOWS] = { 0 };
	enum how how;
	int i;

	for (i = 0; i < rounds; i++) {
		for (how = 0; how < HOWS; how++)
			costs[how] += cost(to, how, size, bytes) / rounds;
		fprintf(stderr, "%zu bytes, round %d of %d\n", size, i + 1,
			rounds);
	}
	printf("%8zu %9.1f %9.1f %9.1f %10.3f %10.3f\n", size, costs[COPY],
	       costs[LOAN], costs[ZEROCOPY], costs[LOAN] / costs[COPY],
	       costs[LOAN] / costs[ZEROCOPY]);
	fflush(stdout);
}

static void measure(const char *to_name, size_t bytes, int rounds)
{
	struct in_addr to;
	size_t size;

	if (inet_pton(AF_INET, to_name, &to) != 1)
		errx(2, "no IPv4 address: %s", to_name);
	/* Code and caches on both ends */
	cost(&to, COPY, 64 << 10, WARM_UP);
	printf("sender's busy time, ns per KiB; targets 0.7 and 0.9\n");
	printf("%8s %9s %9s %9s %10s %10s\n", "", "", "", "MSG_", "loan /",
	       "loan / MSG_");
	printf("%8s %9s %9s %9s %10s %10s\n", "bytes", "copy", "loan",
	       "ZEROCOPY", "copy", "ZEROCOPY");
	for (size = 64 << 10; size <= 256 << 10; size *= 4)
		row(&to, size, bytes, rounds);
	finish(connection(&to));
}

int main(int argc, char **argv)
{
	size_t bytes = 128 << 20;
	int option, rounds = 2;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "b:r:h")) != -1) {
		switch (option) {
		case 'b':
			bytes = strtoull(optarg, NULL, 0) << 20;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind + 1 == argc && !strcmp(argv[optind], "receive")) {
		receive();
	} else if (optind + 2 == argc && !strcmp(argv[optind], "send") &&
		   bytes && rounds > 0) {
		measure(argv[optind + 1], bytes, rounds);
	} else {
		fputs(usage, stderr);
		return 2;
	}
	return 0;
}
