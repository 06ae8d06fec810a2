// SPDX-License-Identifier: GPL-2.0
/* Sends with MSG_ZEROCOPY, as kernel documentation asks programs to do them. */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "zerocopy.h"

void zerocopy_on(int fd)
{
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		err(1, "SO_ZEROCOPY");
}

static void reap(int fd, bool wait)
{
	char control[128];
	struct msghdr msg = { .msg_control = control };
	struct pollfd poll_fd = { .fd = fd };

	if (wait && poll(&poll_fd, 1, -1) < 0)
		err(1, "poll");
	do {
		msg.msg_controllen = sizeof(control);
	} while (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0);
	if (errno != EAGAIN)
		err(1, "completions");
}

void zerocopy_send(int fd, const char *buf, size_t size)
{
	ssize_t sent;

	while (size) {
		sent = send(fd, buf, size, MSG_ZEROCOPY);
		if (sent < 0 && errno != ENOBUFS)
			err(1, "send");
		/* ENOBUFS: so many completions are out that none fits. */
		reap(fd, sent < 0);
		if (sent > 0) {
			buf += sent;
			size -= sent;
		}
	}
}
