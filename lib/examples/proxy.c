// SPDX-License-Identifier: GPL-2.0
/*
 * A TCP proxy that copies nothing
 *
 * The pages that a packet was received in are sent on by the other socket of the
 * pair, and released.  One pool, one thread, any number of connections.  SIGTERM or
 * SIGINT: prints how much was forwarded and how much of that was copied, and ends.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sockloan.h>

#include "net.h"

static const char usage[] = "usage: proxy PORT HOST PORT\n"
			    "\n"
			    "Passes connections to PORT on to HOST's PORT.\n";

#define TURN (1 << 20)
#define FDS 65536

/* By file descriptor: the other end, and whether its direction has ended */
static struct side {
	int peer;
	bool done;
	bool again; /* its turn was over before its data was */
} side[FDS];

static struct sl_pool *pool;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static void part(int fd)
{
	int ends[] = { fd, side[fd].peer }, i;

	for (i = 0; i < 2; i++) {
		sl_leave(pool, ends[i]);
		close(ends[i]);
		side[ends[i]].peer = -1;
	}
}

/* From @fd to its peer, as far as it goes.  False: the pair is gone. */
static bool pass(int fd)
{
	struct side *s = &side[fd];
	ssize_t n = 0, sum = 0;

	s->again = false;
	if (s->done)
		return true;
	while (sum < TURN && (n = sl_forward(pool, fd, s->peer, TURN,
					     SOCKLOAN_XOUT_DONTWAIT)) > 0)
		sum += n;
	s->again = n > 0;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	if (!n) {
		s->done = true;
		shutdown(s->peer, SHUT_WR);
		if (!side[s->peer].done)
			return true;
	} else if (errno != ECONNRESET && errno != EPIPE) {
		warn("connection %d", fd);
	}
	part(fd);
	return false;
}

static void serve(const struct sockloan_event *event)
{
	int fd = event->cookie;

	/* Closed for another event of the same lot */
	if (side[fd].peer < 0)
		return;
	/* A broken one is parted from when its data is passed on, or at once. */
	if ((event->events & SOCKLOAN_EVENT_RESET) && side[fd].done)
		part(fd);
	else if (pass(fd) && (event->events & SOCKLOAN_EVENT_WRITABLE))
		pass(side[fd].peer);
}

static bool again(void)
{
	bool any = false;
	int fd;

	for (fd = 0; fd < FDS; fd++)
		if (side[fd].peer >= 0 && side[fd].again && pass(fd))
			any |= side[fd].again;
	return any;
}

static void welcome(int in, const char *host, const char *port)
{
	int out = connect_to(host, port), ends[] = { in, out }, i;

	if (out < 0) {
		warn("%s, port %s", host, port);
		close(in);
		return;
	}
	if (in >= FDS || out >= FDS)
		errx(1, "too many connections");
	side[in] = (struct side){ .peer = out };
	side[out] = (struct side){ .peer = in };
	for (i = 0; i < 2; i++) {
		fcntl(ends[i], F_SETFL, fcntl(ends[i], F_GETFL) | O_NONBLOCK);
		if (sl_join(pool, ends[i], SOCKLOAN_EVENT_ALL, ends[i])) {
			warn("join");
			part(in);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	struct sl_pool_options options = { .flags = SL_POOL_NO_BUFS };
	struct sockloan_event events[64];
	struct sockloan_poolstat stat;
	bool busy = false;
	struct pollfd p[2];
	int fd, n, i;

	if (argc != 4) {
		bool help = argc > 1 && !strcmp(argv[1], "--help");

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	for (i = 0; i < FDS; i++)
		side[i].peer = -1;
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal },
		  NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	pool = sl_pool_open(&options);
	if (!pool)
		err(1, "/dev/sockloan");
	p[0] = (struct pollfd){ .fd = listen_on(argv[1]), .events = POLLIN };
	p[1] = (struct pollfd){ .fd = sl_pool_fd(pool), .events = POLLIN };
	while (!stop) {
		if (poll(p, 2, busy ? 0 : -1) < 0)
			continue;
		if (p[0].revents && (fd = accept_from(p[0].fd)) >= 0)
			welcome(fd, argv[2], argv[3]);
		n = p[1].revents ? sl_read_events(pool, events, 64, 0) : 0;
		for (i = 0; i < n; i++)
			serve(&events[i]);
		busy = (busy || n) && again();
	}
	if (sl_pool_stat(pool, &stat))
		err(1, "statistics");
	printf("%llu bytes forwarded, %llu of them copied\n",
	       (unsigned long long)stat.bytes_forwarded,
	       (unsigned long long)stat.bytes_forwarded_copied);
	return 0;
}
