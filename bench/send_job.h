/* SPDX-License-Identifier: GPL-2.0 */
/* One job at the sender. */
#ifndef _BENCH_SEND_JOB_H
#define _BENCH_SEND_JOB_H

#include "job.h"
#include "mech.h"

/**
 * struct outcome - what came of a job; bytes, nanoseconds
 * @wall, @busy: from the first call after warming up until all is received; of this machine's
 *	processors
 * @rx_busy: of the receiver's
 * @usage: of what was sent after warming up
 * @checked: looked at by the receiver, and right, warm-up included
 * @rx_mapped, @rx_copied: that the receiver peeked at
 */
struct outcome {
	int64_t wall;
	int64_t busy;
	int64_t rx_busy;
	struct usage usage;
	uint64_t checked;
	uint64_t rx_mapped;
	uint64_t rx_copied;
};

/*
 * With the receiver at @host and @port.  @early: buffers are written to without waiting, as
 * no program may.
 */
void send_job(const struct job *job, const char *host, unsigned int port,
	      bool early, struct outcome *outcome);

#endif /* _BENCH_SEND_JOB_H */
