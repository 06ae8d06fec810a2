// SPDX-License-Identifier: GPL-2.0
/* io_uring's SEND_ZC, its notifications read. */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mech.h"
#include "ring.h"
#include "tickets.h"

/* Completions that can be out: a send has two */
#define OUT 128

/* From 6.2 on a notification says, when asked to, whether the data was copied. */
#define REPORT_USAGE (1U << 3)
#define ZC_COPIED (1U << 31)

/**
 * struct sending - of one connection
 * @report: what to ask notifications for
 * @result: of the send that is waited for, by @waiting
 */
struct sending {
	struct ring ring;
	struct tickets tickets;
	unsigned int report;
	bool waiting;
	int result;
};

static void send_zc_open(struct conn *conn)
{
	struct sending *s = calloc(1, sizeof(*s));

	if (!s)
		err(1, "memory");
	ring_open(&s->ring, 2 * OUT);
	s->report = REPORT_USAGE;
	conn->priv = s;
}

/* Reads what there is; waits until there is something if @wait. */
static void reap(struct sending *s, bool wait)
{
	struct io_uring_cqe cqe;

	ring_enter(&s->ring, false, wait);
	while (ring_take(&s->ring, &cqe)) {
		if (!(cqe.flags & IORING_CQE_F_NOTIF)) {
			s->waiting = false;
			s->result = cqe.res;
			s->tickets.bytes[cqe.user_data % TICKETS] =
				cqe.res > 0 ? cqe.res : 0;
			if (cqe.flags & IORING_CQE_F_MORE)
				continue;
		}
		if (!tickets_done(&s->tickets, cqe.user_data,
				  (unsigned int)cqe.res & ZC_COPIED))
			errx(1, "a notification of what is not out");
	}
}

/* One request; how many bytes it took, or -errno */
static int request(struct conn *conn, const char *buf, size_t len)
{
	struct sending *s = conn->priv;
	uint64_t ticket;

	while (s->tickets.next - s->tickets.first >= OUT)
		reap(s, true);
	ticket = tickets_draw(&s->tickets, len);
	*s->ring.sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_SEND_ZC,
		.fd = conn->fd,
		.addr = (uintptr_t)buf,
		.len = len,
		.ioprio = s->report,
		.msg_flags = MSG_WAITALL | MSG_NOSIGNAL,
		.user_data = ticket,
	};
	s->waiting = true;
	ring_enter(&s->ring, true, true);
	while (s->waiting)
		reap(s, s->waiting);
	return s->result;
}

static uint64_t send_zc_send(struct conn *conn, const char *buf, size_t len,
			     off_t offset)
{
	struct sending *s = conn->priv;
	int sent;

	(void)offset;
	while (len) {
		sent = request(conn, buf, len);
		if (sent == -EINVAL && s->report) {
			s->report = 0;
			continue;
		}
		if (sent <= 0)
			errx(1, "SEND_ZC: %s", strerror(-sent));
		buf += sent;
		len -= sent;
	}
	return s->tickets.next;
}

static void send_zc_wait(struct conn *conn, uint64_t ticket)
{
	struct sending *s = conn->priv;

	while (s->tickets.first < ticket)
		reap(s, true);
}

static void send_zc_usage(struct conn *conn, struct usage *usage)
{
	struct sending *s = conn->priv;

	send_zc_wait(conn, s->tickets.next);
	usage->lent = s->report ? (int64_t)s->tickets.lent : -1;
	usage->copied = s->report ? (int64_t)s->tickets.copied : -1;
}

static void send_zc_close(struct conn *conn)
{
	struct sending *s = conn->priv;

	ring_close(&s->ring);
	free(s);
}

const struct mechanism mech_send_zc = {
	.open = send_zc_open,
	.send = send_zc_send,
	.wait = send_zc_wait,
	.usage = send_zc_usage,
	.close = send_zc_close,
};
