// SPDX-License-Identifier: GPL-2.0
/* Plain send(), of plain and of attached sockets; and the table of all mechanisms. */
#include <err.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sockloan.h>

#include "mech.h"

const struct mechanism *const mechanisms[MECHANISMS] = {
	[COPY] = &mech_copy,	   [ZEROCOPY] = &mech_zerocopy,
	[SEND_ZC] = &mech_send_zc, [SENDFILE] = &mech_sendfile,
	[SPLICE] = &mech_splice,   [VMSPLICE] = &mech_vmsplice,
	[LOAN] = &mech_loan,	   [XOUT] = &mech_xout,
};

static uint64_t send_plain(struct conn *conn, const char *buf, size_t len,
			   off_t offset)
{
	ssize_t sent;

	(void)offset;
	for (; len; buf += sent, len -= sent) {
		sent = send(conn->fd, buf, len, MSG_NOSIGNAL);
		if (sent <= 0)
			err(1, "send");
	}
	return 0;
}

static void copy_usage(struct conn *conn, struct usage *usage)
{
	usage->lent = 0;
	usage->copied = conn->made * conn->job->size;
}

const struct mechanism mech_copy = {
	.send = send_plain,
	.usage = copy_usage,
};

static void loan_open(struct conn *conn)
{
	if (sl_attach(conn->fd))
		err(1, "cannot attach (is the module loaded?)");
}

/* Calls below the threshold are in no counter of the socket's. */
static void loan_usage(struct conn *conn, struct usage *usage)
{
	struct sockloan_sockstat stat = { .size = sizeof(stat),
					  .fd = conn->fd };
	int dev = open("/dev/sockloan", O_RDWR | O_CLOEXEC);

	if (dev < 0 || ioctl(dev, SOCKLOAN_IOC_SOCKSTAT, &stat))
		err(1, "statistics of a socket");
	close(dev);
	usage->lent = stat.bytes_lent;
	usage->copied = conn->made * conn->job->size - stat.bytes_lent;
}

const struct mechanism mech_loan = {
	.open = loan_open,
	.send = send_plain,
	.usage = loan_usage,
};
