/* SPDX-License-Identifier: GPL-2.0 */
/* One measured transfer over loopback. */
#ifndef _BENCH_TRANSFER_H
#define _BENCH_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

enum memory {
	SMALL_PAGES, /* anonymous, kept clear of huge pages */
	UNTOUCHED, /* anonymous, never written */
	HUGE_PAGES, /* anonymous, aligned to huge pages and advised */
	MAPPED_FILE, /* a tmpfs file, mapped for reading */
};

enum how {
	BY_SEND,
	BY_SENDFILE, /* of a MAPPED_FILE */
	BY_ZEROCOPY, /* send() with MSG_ZEROCOPY */
};

/**
 * struct transfer - what to send, and what becomes of it
 * @size: bytes a call
 * @offset: where in its first page the buffer starts
 * @buffers: sent one after the other, then from the start (0: one)
 * @memory: what they are made of
 * @rewrite: of 16 pages, so many are written anew before each call
 * @fresh: each call sends a new mapping, filled and unmapped again
 * @once: a buffer as large as the transfer: each page is sent a single time
 * @udp: one datagram a call, rather than a TCP stream
 * @reads: the receiver reads what it gets; it discards it with MSG_TRUNC else
 * @connections: the calls go round so many (0: one), each with its receiver
 * @how: the system call
 * @lend: the sending sockets are attached
 * @batch: under SCHED_BATCH, so that waking the receiver up does not make it
 *	   preempt the sender
 */
struct transfer {
	size_t size;
	size_t offset;
	size_t buffers;
	enum memory memory;
	unsigned int rewrite;
	bool fresh;
	bool once;
	bool udp;
	bool reads;
	int connections;
	enum how how;
	bool lend;
	bool batch;
};

/**
 * struct result - what a transfer came to
 * @rate: MB/s, warm-up left out
 * @lent: which part of the bytes went out in lent pages, 0 to 1
 */
struct result {
	double rate;
	double lent;
};

/* False when such a socket cannot be attached. */
bool run_transfer(const struct transfer *transfer, size_t bytes,
		  struct result *result);

#endif /* _BENCH_TRANSFER_H */
