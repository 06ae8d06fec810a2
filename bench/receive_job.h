/* SPDX-License-Identifier: GPL-2.0 */
/* One job at the receiver, in a process of its own. */
#ifndef _BENCH_RECEIVE_JOB_H
#define _BENCH_RECEIVE_JOB_H

/*
 * Hears what to do on the connection @fd and does it, listening for data on @port (0: any).
 * Returns an exit status.
 */
int receive_job(int fd, unsigned int port);

#endif /* _BENCH_RECEIVE_JOB_H */
