// SPDX-License-Identifier: GPL-2.0
/* The connection on which the two ends agree: lines of text. */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "control.h"

void control_keepalive(int fd)
{
	int on = 1, idle = PATIENCE / 4, patience = PATIENCE * 1000;

	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience,
		       sizeof(patience)))
		err(1, "keepalive");
}

void control_say(struct control *control, const char *format, ...)
{
	char line[LINE];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		n = strlen(line);
	line[n++] = '\n';
	if (send(control->fd, line, n, MSG_NOSIGNAL) != n)
		err(1, "%s is gone", control->peer);
}

static bool take_line(struct control *control, char *line)
{
	char *end = memchr(control->buf, '\n', control->have);
	size_t len;

	if (!end)
		return false;
	len = end - control->buf;
	memcpy(line, control->buf, len);
	line[len] = 0;
	control->have -= len + 1;
	memmove(control->buf, end + 1, control->have);
	return true;
}

bool control_hear(struct control *control, char *line, int seconds)
{
	struct pollfd p = { .fd = control->fd, .events = POLLIN };
	ssize_t got;
	int n;

	while (!take_line(control, line)) {
		if (control->have == sizeof(control->buf))
			return false;
		do
			n = poll(&p, 1, seconds < 0 ? -1 : seconds * 1000);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return false;
		got = recv(control->fd, control->buf + control->have,
			   sizeof(control->buf) - control->have, 0);
		if (got <= 0)
			return false;
		control->have += got;
	}
	return true;
}
