/* SPDX-License-Identifier: GPL-2.0 */
/* What is sent and received in one measurement, as both ends know it. */
#ifndef _BENCH_JOB_H
#define _BENCH_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum transport { TCP, UDP, TRANSPORTS };

enum mechanism_name {
	COPY, /* send() */
	ZEROCOPY, /* send(MSG_ZEROCOPY) */
	SEND_ZC, /* io_uring's */
	SENDFILE,
	SPLICE, /* file to pipe to socket */
	VMSPLICE, /* memory to pipe to socket */
	LOAN, /* send() of an attached socket */
	XOUT, /* packets of a pool */
	MECHANISMS
};

enum pattern {
	SAME, /* one buffer, never written after its first filling */
	ROTATE, /* several of them in turn */
	REWRITE, /* all of it is written before each call */
	PART, /* one page of every 16 is */
	FRESH, /* mapped, filled, sent, unmapped */
	MAPPED, /* windows of a mapped file in turn */
	PATTERNS
};

enum rx {
	RECV,
	TRUNC, /* discarded by recv(MSG_TRUNC) */
	ZCRECV, /* TCP_ZEROCOPY_RECEIVE */
	PEEK, /* looked at in a pool's window */
	RXS
};

extern const char *const transport_names[TRANSPORTS];
extern const char *const mechanism_names[MECHANISMS];
extern const char *const pattern_names[PATTERNS];
extern const char *const rx_names[RXS];

#define PAGE 4096
/* Of PART, one page of so many is written. */
#define PART_PAGES 16
/* The largest packet, and what content repeats after: see content.h */
#define PACKET (256 << 10)
#define MAX_SIZE (64 << 20)
#define MAX_DATAGRAM 65507
#define MAX_CONNECTIONS 256

/**
 * struct job - one measurement
 * @size: bytes a call
 * @buffers: so many each thread goes through in turn
 * @connections: thread t sends on the connections t, t + @threads, ... in turn
 * @warm_up, @calls: on each connection, before the clock starts and after
 * @check: the receiver looks at every byte
 * @batch: all under SCHED_BATCH, so that nobody preempts another by being woken up
 */
struct job {
	enum transport transport;
	enum mechanism_name mechanism;
	enum pattern pattern;
	enum rx rx;
	size_t size;
	uint64_t buffers;
	uint64_t connections;
	uint64_t threads;
	uint64_t warm_up;
	uint64_t calls;
	bool check;
	bool batch;
};

/* Why nobody can want this; NULL: one can. */
const char *job_nonsense(const struct job *job);

/* For the control connection; the second is false for what the first did not make. */
void job_print(const struct job *job, char *line, size_t room);
bool job_parse(struct job *job, char *line);

/* How many connections a thread has */
uint64_t job_share(const struct job *job, uint64_t thread);

/* Under SCHED_BATCH if @job says so */
void job_schedule(const struct job *job);

#endif /* _BENCH_JOB_H */
