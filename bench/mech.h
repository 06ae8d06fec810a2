/* SPDX-License-Identifier: GPL-2.0 */
/* Every way of sending, behind one table. */
#ifndef _BENCH_MECH_H
#define _BENCH_MECH_H

#include <sys/types.h>

#include "job.h"

/**
 * struct usage - of one connection so far, bytes; -1: the mechanism does not tell
 * @lent: went out from where they lay
 * @copied: were copied by the kernel on the way
 */
struct usage {
	int64_t lent;
	int64_t copied;
};

/**
 * struct conn - one connection, at the sender
 * @fd: data
 * @credit: the receiver writes a byte there for each credit_unit() datagrams
 * @unit: what a byte there is worth, datagrams
 * @room: so many may be sent before the next byte
 * @made: calls so far
 * @file: what a mapped file's pages are of
 * @priv: the mechanism's
 */
struct conn {
	const struct job *job;
	uint64_t thread;
	int fd;
	int credit;
	uint64_t unit;
	uint64_t room;
	uint64_t made;
	int file;
	void *priv;
};

/*
 * UDP drops what the receiver's buffer has no room for: after so many datagrams it says
 * that there is room again.
 */
static inline uint64_t credit_unit(uint64_t room)
{
	return room < 16 ? 1 : 16;
}

/**
 * struct mechanism - one way of sending
 * @open: before the first call
 * @send: all @len bytes at @buf, which are at @offset in the file if they are of one;
 *	  returns a ticket
 * @wait: until the buffer that was sent with this ticket, and what was sent before it,
 *	  may be written to
 * @send_own: instead of these two: call @n, from memory of the mechanism's own
 * @usage: what became of the bytes; NULL: nothing tells
 * @close: after the last
 *
 * NULL: nothing to be done.
 */
struct mechanism {
	void (*open)(struct conn *conn);
	uint64_t (*send)(struct conn *conn, const char *buf, size_t len,
			 off_t offset);
	void (*wait)(struct conn *conn, uint64_t ticket);
	void (*send_own)(struct conn *conn, uint64_t n);
	void (*usage)(struct conn *conn, struct usage *usage);
	void (*close)(struct conn *conn);
};

extern const struct mechanism mech_copy, mech_loan, mech_zerocopy, mech_send_zc,
	mech_sendfile, mech_splice, mech_vmsplice, mech_xout;

extern const struct mechanism *const mechanisms[MECHANISMS];

#endif /* _BENCH_MECH_H */
