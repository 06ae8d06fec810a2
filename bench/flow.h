/* SPDX-License-Identifier: GPL-2.0 */
/* One measured stream over loopback: how it is sent, passed on, and received. */
#ifndef _BENCH_FLOW_H
#define _BENCH_FLOW_H

#include <stdbool.h>
#include <stddef.h>

enum send_how {
	SEND, /* send() of a plain socket */
	LEND, /* of an attached one */
	ZEROCOPY, /* with MSG_ZEROCOPY */
	XOUT, /* packets of a pool */
};

enum proxy_how {
	NO_PROXY,
	COPIES, /* recv() and send() */
	FORWARDS, /* SOCKLOAN_IOC_FORWARD */
};

enum receive_how {
	RECV,
	DISCARD, /* recv() with MSG_TRUNC */
	PEEK, /* in a pool's window, then released */
	REMAP, /* TCP_ZEROCOPY_RECEIVE */
};

/**
 * struct flow - what is sent, and what becomes of it
 * @size: bytes a call
 * @refill: all of the buffer is written before each call
 * @segments: small ones, in skbs of their own: a small MTU, no segmentation offload
 * @send: by the sender
 * @proxy: between the two
 * @receive: by the receiver
 */
struct flow {
	size_t size;
	bool refill;
	bool segments;
	enum send_how send;
	enum proxy_how proxy;
	enum receive_how receive;
};

/*
 * Returns MB/s, warm-up left out.  @batch: all under SCHED_BATCH, so that nobody preempts
 * another by being woken up.
 */
double run_flow(const struct flow *flow, bool batch, size_t bytes);

/* flow_receive.c: @bytes from a connected socket; the second one: and send them on */
void flow_receive(const struct flow *flow, int fd, size_t bytes);
void flow_receive_start(const struct flow *flow, int fd);
void flow_pass_on(const struct flow *flow, int from, int to);

#endif /* _BENCH_FLOW_H */
