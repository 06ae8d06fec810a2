// SPDX-License-Identifier: GPL-2.0
/* sendfile(), splice() of a file through a pipe, vmsplice() of memory through one. */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mech.h"

/* As large as anybody may make one */
#define PIPE (1 << 20)

static uint64_t sendfile_send(struct conn *conn, const char *buf, size_t len,
			      off_t offset)
{
	ssize_t sent;

	(void)buf;
	for (; len; len -= sent) {
		sent = sendfile(conn->fd, conn->file, &offset, len);
		if (sent <= 0)
			err(1, "sendfile");
	}
	return 0;
}

const struct mechanism mech_sendfile = {
	.send = sendfile_send,
};

static void pipe_open(struct conn *conn)
{
	int *ends = malloc(2 * sizeof(*ends));

	if (!ends || pipe2(ends, O_CLOEXEC) ||
	    fcntl(ends[1], F_SETPIPE_SZ, PIPE) < 0)
		err(1, "pipe");
	conn->priv = ends;
}

static void pipe_close(struct conn *conn)
{
	int *ends = conn->priv;

	close(ends[0]);
	close(ends[1]);
	free(ends);
}

/* @len bytes, which are in the pipe; there are more to come, perhaps. */
static void drain(struct conn *conn, size_t len, bool more)
{
	int *ends = conn->priv;
	unsigned int flags = SPLICE_F_MOVE | (more ? SPLICE_F_MORE : 0);
	ssize_t n;

	for (; len; len -= n) {
		n = splice(ends[0], NULL, conn->fd, NULL, len, flags);
		if (n <= 0)
			err(1, "splice to a socket");
	}
}

static uint64_t splice_send(struct conn *conn, const char *buf, size_t len,
			    off_t offset)
{
	int *ends = conn->priv;
	ssize_t n;

	(void)buf;
	for (; len; len -= n) {
		n = splice(conn->file, &offset, ends[1], NULL, len,
			   SPLICE_F_MOVE);
		if (n <= 0)
			err(1, "splice from a file");
		drain(conn, n, (size_t)n < len);
	}
	return 0;
}

const struct mechanism mech_splice = {
	.open = pipe_open,
	.send = splice_send,
	.close = pipe_close,
};

static uint64_t vmsplice_send(struct conn *conn, const char *buf, size_t len,
			      off_t offset)
{
	int *ends = conn->priv;
	struct iovec v;
	ssize_t n;

	(void)offset;
	for (; len; buf += n, len -= n) {
		v = (struct iovec){ (char *)buf, len };
		/* The pipe is empty: it takes what it has room for. */
		n = vmsplice(ends[1], &v, 1, SPLICE_F_NONBLOCK);
		if (n <= 0)
			err(1, "vmsplice");
		drain(conn, n, (size_t)n < len);
	}
	return 0;
}

const struct mechanism mech_vmsplice = {
	.open = pipe_open,
	.send = vmsplice_send,
	.close = pipe_close,
};
