/* SPDX-License-Identifier: GPL-2.0 */
/* Every way of receiving. */
#ifndef _BENCH_RECEIVE_HOW_H
#define _BENCH_RECEIVE_HOW_H

#include "job.h"

struct sl_pool;

/**
 * struct rx_conn - one connection, at the receiver
 * @index: of all the job's
 * @fd: data
 * @credit: UDP: where to write a byte for each @unit datagrams
 * @pos: bytes so far
 * @datagrams: UDP: so far
 * @buf: recv()'s
 * @map: ZCRECV's
 * @pool: PEEK's
 * @peeked: bytes or datagrams that were looked at and are to be released
 * @checked: bytes that were looked at and are right
 * @fail: where to say why it cannot go on; does not return
 */
struct rx_conn {
	const struct job *job;
	uint64_t index;
	int fd;
	int credit;
	uint64_t unit;
	uint64_t pos;
	uint64_t datagrams;
	char *buf;
	char *map;
	struct sl_pool *pool;
	uint32_t peeked;
	uint64_t checked;
	void (*fail)(const char *format, ...)
		__attribute__((format(printf, 1, 2), noreturn));
};

void rx_open(struct rx_conn *conn);

/* What @calls of the sender send */
void rx_receive(struct rx_conn *conn, uint64_t calls);

/* Bytes that PEEK mapped, and that it copied, or zeroes */
void rx_usage(const struct rx_conn *conn, uint64_t *mapped, uint64_t *copied);

#endif /* _BENCH_RECEIVE_HOW_H */
