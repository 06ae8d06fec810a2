/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * libsockloan: packet pools, receiving without a copy, and the calls of embedded
 * stacks, over ordinary TCP and UDP sockets of Linux
 *
 * Calls return -1 (or NULL) and set errno unless they say otherwise; each has a
 * manual page.  A pool may be used by several threads; what is about one socket
 * (its packets, its callback) by one thread at a time.
 */
#ifndef _SOCKLOAN_H
#define _SOCKLOAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <linux/sockloan.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sl_pool;
struct iovec;

/* -- sockets and pools ------------------------------------------------------- */

/* Zeroes are defaults: 64 buffers of 64 KiB, a receive window of 8 MiB */
struct sl_pool_options {
	size_t buf_size; /* bytes */
	unsigned int bufs;
	size_t window; /* bytes */
	unsigned int flags; /* SL_POOL_* */
};

#define SL_POOL_NO_BUFS 1 /* to receive only */
#define SL_POOL_NO_WINDOW 2 /* to send only */

int sl_attach(int fd);
int sl_detach(int fd);
struct sl_pool *sl_pool_open(const struct sl_pool_options *options);
int sl_pool_close(struct sl_pool *pool);
int sl_pool_fd(const struct sl_pool *pool); /* to poll(2) for events */
int sl_pool_stat(struct sl_pool *pool, struct sockloan_poolstat *stat);

struct sl_windows {
	unsigned int mss; /* bytes; 0: the socket's own */
	unsigned int tx_buf, tx_win; /* bytes, segments */
	unsigned int rx_buf, rx_win;
};

int sl_set_windows(int fd, const struct sl_windows *windows);

/* -- packets: InterNiche ------------------------------------------------------ */

struct sl_pkt {
	unsigned char *data; /* nb_prot; read-only in a received packet */
	size_t len; /* nb_plen */
	size_t size; /* of the buffer; of a received packet its len */
	int fd; /* where it was received; else -1 */
};

struct sl_pkt *sl_pkt_alloc(struct sl_pool *pool, size_t size);
int sl_pkt_allocv(struct sl_pool *pool, size_t size, struct sl_pkt **pkts,
		  unsigned int count);
int sl_pkt_free(struct sl_pkt *pkt);
int sl_xout(int fd, struct sl_pkt *pkt); /* < 0: -errno, 0: sent, > 0: queued */
int sl_xoutv(int fd, struct sl_pkt **pkts, unsigned int count);

/*
 * Returns 0 to accept the packet, which sl_pkt_free() or sl_xout() gives back;
 * otherwise it stays queued and comes again.  A packet of NULL comes with a code:
 * ESHUTDOWN, or ECONNRESET or another error of the connection.
 */
typedef int (*sl_rx_callback)(int fd, struct sl_pkt *pkt, int code, void *arg);

int sl_set_rx_callback(struct sl_pool *pool, int fd, sl_rx_callback callback,
		       void *arg);
int sl_dispatch(struct sl_pool *pool, int timeout_ms);

/* -- receiving and sending in place: FreeRTOS+TCP ----------------------------- */

ssize_t sl_recv_zc(struct sl_pool *pool, int fd, const void **data);
ssize_t sl_recvv_zc(struct sl_pool *pool, int fd, struct iovec *iov, int *count,
		    struct sockaddr *from, socklen_t *fromlen);
int sl_release(struct sl_pool *pool, int fd, size_t n);
void *sl_tx_head(struct sl_pool *pool, int fd, size_t *room);
ssize_t sl_tx_commit(struct sl_pool *pool, int fd, size_t n);

/* -- the ioctls themselves ---------------------------------------------------- */

int sl_join(struct sl_pool *pool, int fd, unsigned int events, uint64_t cookie);
int sl_leave(struct sl_pool *pool, int fd);
int sl_peek(struct sl_pool *pool, struct sockloan_peek *peek);
const void *sl_seg_data(const struct sl_pool *pool,
			const struct sockloan_seg *seg);
ssize_t sl_forward(struct sl_pool *pool, int from, int to, size_t max,
		   unsigned int flags);
int sl_read_events(struct sl_pool *pool, struct sockloan_event *events,
		   unsigned int count, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* _SOCKLOAN_H */
