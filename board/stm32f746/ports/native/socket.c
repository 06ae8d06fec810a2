// SPDX-License-Identifier: GPL-2.0
/*
 * The line to the peer: a Unix socket.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "native.h"

static int listener = -1, peer = -1;

_Noreturn static void fail(const char *path)
{
	fprintf(stderr, "board: cannot listen at '%s': %s\n", path,
		strerror(errno));
	exit(EXIT_FAILURE);
}

void line_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		fail(path);
	}
	strcpy(address.sun_path, path);
	listener =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Of an earlier run */
	unlink(path);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 1))
		fail(path);
}

bool line_connected(void)
{
	return peer >= 0;
}

bool line_accept(void)
{
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return peer >= 0;
}

void line_hang_up(void)
{
	close(peer);
	peer = -1;
}

int line_read(uint8_t *data, int count)
{
	ssize_t n = read(peer, data, count);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

int line_write(const uint8_t *data, int count)
{
	ssize_t n = send(peer, data, count, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

void line_wait(bool to_write, int ms)
{
	struct pollfd fd = { .fd = peer >= 0 ? peer : listener,
			     .events = POLLIN };

	if (to_write)
		fd.events |= POLLOUT;
	poll(&fd, 1, ms);
}
