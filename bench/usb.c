// SPDX-License-Identifier: GPL-2.0
/*
 * One transfer between two network namespaces that a USB cable connects: how
 * long the processor is busy, with both ends of the cable, and how long it takes.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
	"usage: usb [-b MIB] tcp FROM TO ADDRESS\n"
	"       usb [-s SECONDS] udp FROM TO ADDRESS\n"
	"\n"
	"Sends from network namespace FROM to ADDRESS in TO: over TCP, in lent writes of\n"
	"64 KiB; over UDP, in datagrams of 64 bytes. Prints, for TCP, nanoseconds that\n"
	"the processor was busy per KiB, and MB per second; for UDP, nanoseconds per\n"
	"datagram that arrived, and datagrams per second. For hosts with one CPU that do\n"
	"nothing else.\n"
	"\n"
	"  -b MIB      how much to send (default 64)\n"
	"  -s SECONDS  how long to send (default 0.5)\n";

#define PORT 5236
#define WRITE (64 << 10)
#define WARM_UP (8 << 20)
#define DATAGRAM 64

static void enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "network namespace %s", netns);
	close(fd);
}

static int receiver_socket(int type)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(PORT) };
	int fd = socket(AF_INET, type, 0), one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    (type == SOCK_STREAM && listen(fd, 1)))
		err(1, "receiver's socket");
	return fd;
}

/* Reads everything into one buffer, as a program would that uses it. */
static void drain(int fd)
{
	static char buf[WRITE];
	ssize_t got;

	do
		got = recv(fd, buf, sizeof(buf), 0);
	while (got > 0);
	if (got < 0)
		err(1, "recv");
}

static int connected(int type, const struct in_addr *to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr = *to,
				    .sin_port = htons(PORT) };
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "connection");
	return fd;
}

static void send_all(int fd, const char *buf, size_t bytes)
{
	size_t done;

	for (done = 0; done < bytes; done += WRITE)
		if (send(fd, buf, WRITE, 0) != WRITE)
			err(1, "send");
}

static void tcp(const char *from, const char *to, const struct in_addr *addr,
		size_t bytes)
{
	double start, busy_start, elapsed, used;
	int listener, fd;
	char *buf, end;
	pid_t child;

	enter(to);
	listener = receiver_socket(SOCK_STREAM);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		drain(fd);
		_exit(0);
	}
	enter(from);
	buf = mmap(NULL, WRITE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		err(1, "mmap");
	memset(buf, 1, WRITE);
	fd = connected(SOCK_STREAM, addr);
	if (!attach(fd))
		errx(1, "cannot attach");
	send_all(fd, buf, WARM_UP);
	start = now();
	busy_start = busy();
	send_all(fd, buf, bytes);
	if (shutdown(fd, SHUT_WR) || recv(fd, &end, 1, 0))
		err(1, "end of connection");
	used = busy() - busy_start;
	elapsed = now() - start;
	if (waitpid(child, NULL, 0) < 0)
		err(1, "waitpid");
	printf("%.1f %.1f\n", used * 1e9 / (bytes / 1024.0),
	       bytes / elapsed / 1e6);
}

/* How many datagrams have come when none has for a while. */
static void count(int fd, int out)
{
	struct timeval wait = { .tv_usec = 300000 };
	static char buf[DATAGRAM];
	long long n = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		err(1, "SO_RCVTIMEO");
	for (;;) {
		if (recv(fd, buf, sizeof(buf), 0) >= 0)
			n++;
		else if (errno == EAGAIN && n)
			break;
		else if (errno != EAGAIN)
			err(1, "recv");
	}
	if (write(out, &n, sizeof(n)) != sizeof(n))
		err(1, "pipe");
	_exit(0);
}

static void udp(const char *from, const char *to, const struct in_addr *addr,
		double seconds)
{
	char buf[DATAGRAM] = { 0 };
	double start, busy_start, used;
	int fd, counted[2];
	long long n;
	pid_t child;

	enter(to);
	fd = receiver_socket(SOCK_DGRAM);
	if (pipe(counted))
		err(1, "pipe");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		count(fd, counted[1]);
	}
	enter(from);
	fd = connected(SOCK_DGRAM, addr);
	start = now();
	busy_start = busy();
	while (now() - start < seconds)
		if (send(fd, buf, sizeof(buf), 0) < 0 && errno != ENOBUFS)
			err(1, "send");
	if (read(counted[0], &n, sizeof(n)) != sizeof(n))
		err(1, "the receiver failed");
	used = busy() - busy_start;
	if (waitpid(child, NULL, 0) < 0)
		err(1, "waitpid");
	printf("%.1f %.0f\n", used * 1e9 / n, n / seconds);
}

int main(int argc, char **argv)
{
	size_t bytes = 64 << 20;
	double seconds = 0.5;
	struct in_addr to;
	int option;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "b:s:h")) != -1) {
		switch (option) {
		case 'b':
			bytes = strtoull(optarg, NULL, 0) << 20;
			break;
		case 's':
			seconds = strtod(optarg, NULL);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind + 4 != argc || !bytes || !(seconds > 0) ||
	    inet_pton(AF_INET, argv[optind + 3], &to) != 1) {
		fputs(usage, stderr);
		return 2;
	}
	if (!strcmp(argv[optind], "tcp")) {
		tcp(argv[optind + 1], argv[optind + 2], &to, bytes);
	} else if (!strcmp(argv[optind], "udp")) {
		udp(argv[optind + 1], argv[optind + 2], &to, seconds);
	} else {
		fputs(usage, stderr);
		return 2;
	}
	return 0;
}
