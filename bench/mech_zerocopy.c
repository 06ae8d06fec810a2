// SPDX-License-Identifier: GPL-2.0
/* send(MSG_ZEROCOPY), its completions read as kernel documentation asks programs to. */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
/* Wants what is above. */
#include <linux/errqueue.h>

#include "mech.h"
#include "tickets.h"

#define WAIT_MS 60000

static void zerocopy_open(struct conn *conn)
{
	int one = 1;

	if (setsockopt(conn->fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		err(1, "SO_ZEROCOPY");
	conn->priv = calloc(1, sizeof(struct tickets));
	if (!conn->priv)
		err(1, "memory");
}

/* The kernel counts in 32 bits. */
static void note(struct tickets *tickets, const struct sock_extended_err *e)
{
	bool copied = e->ee_code & SO_EE_CODE_ZEROCOPY_COPIED;
	uint32_t count = e->ee_data - e->ee_info + 1;
	uint64_t ticket;

	ticket = tickets->first + (e->ee_info - (uint32_t)tickets->first);
	for (; count; count--)
		if (!tickets_done(tickets, ticket++, copied))
			errx(1, "a completion of what is not out");
}

static void reap(struct conn *conn)
{
	char control[128];
	struct msghdr msg = { .msg_control = control };
	struct sock_extended_err *e;
	struct cmsghdr *c;

	for (;;) {
		msg.msg_controllen = sizeof(control);
		if (recvmsg(conn->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
			e = (struct sock_extended_err *)CMSG_DATA(c);
			if (e->ee_errno ||
			    e->ee_origin != SO_EE_ORIGIN_ZEROCOPY)
				errx(1, "no completion, error %u", e->ee_errno);
			note(conn->priv, e);
		}
	}
	if (errno != EAGAIN)
		err(1, "completions");
}

static void wait_for_some(struct conn *conn)
{
	struct tickets *tickets = conn->priv;
	struct pollfd p = { .fd = conn->fd };
	uint64_t first = tickets->first;

	if (tickets->first == tickets->next)
		errx(1,
		     "no room for completions though none is out (net.core.optmem_max)");
	while (reap(conn), tickets->first == first) {
		if (poll(&p, 1, WAIT_MS) <= 0)
			errx(1, "no completion in %d s", WAIT_MS / 1000);
		if (p.revents & POLLHUP)
			errx(1, "the connection is closed");
	}
}

static uint64_t zerocopy_send(struct conn *conn, const char *buf, size_t len,
			      off_t offset)
{
	struct tickets *tickets = conn->priv;
	ssize_t sent;

	(void)offset;
	while (len) {
		if (tickets_full(tickets))
			wait_for_some(conn);
		sent = send(conn->fd, buf, len, MSG_ZEROCOPY | MSG_NOSIGNAL);
		if (sent > 0) {
			tickets_draw(tickets, sent);
			buf += sent;
			len -= sent;
			reap(conn);
		} else if (sent < 0 && errno == ENOBUFS) {
			wait_for_some(conn);
		} else {
			err(1, "send");
		}
	}
	return tickets->next;
}

static void zerocopy_wait(struct conn *conn, uint64_t ticket)
{
	struct tickets *tickets = conn->priv;

	while (tickets->first < ticket)
		wait_for_some(conn);
}

static void zerocopy_usage(struct conn *conn, struct usage *usage)
{
	struct tickets *tickets = conn->priv;

	zerocopy_wait(conn, tickets->next);
	usage->lent = tickets->lent;
	usage->copied = tickets->copied;
}

static void zerocopy_close(struct conn *conn)
{
	free(conn->priv);
}

const struct mechanism mech_zerocopy = {
	.open = zerocopy_open,
	.send = zerocopy_send,
	.wait = zerocopy_wait,
	.usage = zerocopy_usage,
	.close = zerocopy_close,
};
