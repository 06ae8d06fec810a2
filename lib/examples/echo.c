// SPDX-License-Identifier: GPL-2.0
/*
 * An echo server that copies nothing, on the way in or out
 *
 * What arrives is sent back by SOCKLOAN_IOC_FORWARD: the pages that it lies in are
 * put into new packets, then released, which opens the window again.  All
 * connections are in one pool, and are served when its events say so.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sockloan.h>

#include "net.h"

static const char usage[] = "usage: echo PORT\n"
			    "\n"
			    "Sends back what it is sent.\n";

/* As much as a connection gets before the others have their turn, bytes */
#define TURN (1 << 20)

static struct sl_pool *pool;

static void serve(int fd, unsigned int events)
{
	ssize_t n = 0, sum = 0;

	/*
	 * EAGAIN: nothing is there, or there is no room for it.  Either event comes
	 * when that changes.
	 */
	while (sum < TURN &&
	       (n = sl_forward(pool, fd, fd, TURN, SOCKLOAN_XOUT_DONTWAIT)) > 0)
		sum += n;
	if (n > 0 ||
	    (n < 0 && errno == EAGAIN && !(events & SOCKLOAN_EVENT_RESET))) {
		/* Events come once: ask for another one when the turn is over. */
		if (n > 0 && (sl_leave(pool, fd) ||
			      sl_join(pool, fd, SOCKLOAN_EVENT_ALL, fd)))
			warn("join");
		return;
	}
	if (n < 0 && errno != ECONNRESET && errno != EPIPE)
		warn("connection %d", fd);
	/* Out of the pool, then closed: no event of it comes any more. */
	sl_leave(pool, fd);
	close(fd);
}

static void welcome(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (sl_join(pool, fd, SOCKLOAN_EVENT_ALL, fd)) {
		warn("join");
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct sl_pool_options options = { .flags = SL_POOL_NO_BUFS };
	struct sockloan_event events[64];
	struct pollfd p[2];
	int fd, n, i;

	if (argc != 2 || argv[1][0] == '-') {
		bool help = argc > 1 && !strcmp(argv[1], "--help");

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	pool = sl_pool_open(&options);
	if (!pool)
		err(1, "/dev/sockloan");
	p[0] = (struct pollfd){ .fd = listen_on(argv[1]), .events = POLLIN };
	p[1] = (struct pollfd){ .fd = sl_pool_fd(pool), .events = POLLIN };
	for (;;) {
		if (poll(p, 2, -1) < 0)
			err(1, "poll");
		if (p[0].revents && (fd = accept_from(p[0].fd)) >= 0)
			welcome(fd);
		if (!p[1].revents)
			continue;
		n = sl_read_events(pool, events, 64, 0);
		for (i = 0; i < n; i++)
			serve(events[i].cookie, events[i].events);
	}
}
