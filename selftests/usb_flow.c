// SPDX-License-Identifier: GPL-2.0
/*
 * No test, but what usb_link.sh uses: sends lent writes of 64 KiB from one network
 * namespace to another, where they are looked at in the receive window, byte by
 * byte, and released.
 *
 * usage: usb_flow FROM TO ADDRESS MIB [OFFSET]
 *
 * The buffer begins at OFFSET in a page. Prints "mapped N" and "copied N": bytes
 * that the receiver saw in place, and those that were copied into its window.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl_rx.h"

#define PORT 5237
#define WRITE (64 * SL_KIB)
#define STREAM 7

static void check(int line, bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "# usb_flow, line %d: %s\n", line, strerror(errno));
	exit(1);
}

#define CHECK(_ok) check(__LINE__, _ok)

static void enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && !setns(fd, CLONE_NEWNET));
	close(fd);
}

static void receive(int fd, size_t bytes)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct sockloan_poolstat st;
	static struct sl_rxpool pool;
	size_t done;

	CHECK(!sl_rxpool_open(&pool, 4 << 20));
	CHECK(!sl_attach(fd));
	CHECK(!sl_rxpool_join(&pool, fd, 0, 0));
	for (done = 0; done < bytes; done += pool.arg.bytes) {
		CHECK(poll(&p, 1, 60000 * sl_slow()) == 1);
		CHECK(!sl_rxpool_peek(&pool, fd, 0, 1 << 20));
		CHECK(pool.arg.bytes > 0);
		CHECK(!sl_rxpool_check(&pool, done, STREAM));
		CHECK(!sl_rxpool_release(&pool, fd, pool.arg.bytes));
	}
	CHECK(!sl_rxpool_stat(&pool, &st));
	printf("mapped %llu\ncopied %llu\n",
	       (unsigned long long)st.bytes_mapped,
	       (unsigned long long)st.bytes_copied);
	sl_rxpool_close(&pool);
}

/* Every write is of memory of its own: nothing is rewritten while it is lent. */
static void transmit(const struct sockaddr_in *addr, size_t bytes,
		     size_t offset)
{
	char *map = mmap(NULL, bytes + SL_KIB * 64, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t done;
	ssize_t n;
	char end;

	CHECK(map != MAP_FAILED && fd >= 0);
	sl_fill(map + offset, bytes, STREAM);
	CHECK(!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)));
	CHECK(!sl_attach(fd));
	/* Shorter ones come from the system's going to sleep. */
	for (done = 0; done < bytes; done += n) {
		n = bytes - done < WRITE ? bytes - done : WRITE;
		n = send(fd, map + offset + done, n, 0);
		CHECK(n > 0);
	}
	CHECK(!shutdown(fd, SHUT_WR) && recv(fd, &end, 1, 0) == 0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(PORT) };
	size_t bytes, offset;
	int listener, fd, one = 1, status;
	pid_t child;

	if (argc < 5 || inet_pton(AF_INET, argv[3], &addr.sin_addr) != 1) {
		fputs("usage: usb_flow FROM TO ADDRESS MIB [OFFSET]\n", stderr);
		return 2;
	}
	bytes = strtoul(argv[4], NULL, 0) << 20;
	alarm(60 * sl_slow());
	offset = argc > 5 ? strtoul(argv[5], NULL, 0) : 0;

	enter(argv[2]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one,
			  sizeof(one)));
	CHECK(!bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK(!listen(listener, 1));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter(argv[1]);
		transmit(&addr, bytes, offset);
		_exit(0);
	}
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0);
	receive(fd, bytes);
	close(fd);
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
