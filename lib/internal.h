/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What the files of libsockloan share */
#ifndef SL_INTERNAL_H
#define SL_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "sockloan.h"

/* Received packets that a program can hold, all sockets of a pool together */
#define RX_PKTS 4096
/* What a datagram can hold */
#define DGRAM_MAX 65536

enum pkt_state { PKT_FREE, PKT_HELD, PKT_FREED };

/*
 * A packet.  One out of a buffer is claimed, by its state, before the kernel is asked to
 * take it: as soon as that has, another thread may allocate the same buffer.  All of a
 * received one is under the pool's lock.
 */
struct pkt {
	struct sl_pkt pub; /* first: what the program has */
	struct sl_pool *pool;
	enum pkt_state state;
	uint32_t id; /* of one out of a buffer */
	struct sock *sock; /* of a received one: where, */
	size_t units; /* and what of it is to be released, */
	const unsigned char *data; /* and where that lies; */
	size_t len; /* the program may send less of it on */
	void *gathered; /* a copy of a datagram that was in pieces */
	STAILQ_ENTRY(pkt) next;
};

STAILQ_HEAD(pkt_list, pkt);

/* A socket that has a callback, or a packet being filled */
struct sock {
	int fd;
	bool stream;
	bool joined;
	bool dead; /* forgotten, but there are packets of it, or it is at work */
	unsigned int refs; /* packets, and whoever is at work; the pool's lock */
	uint64_t cookie;
	sl_rx_callback callback;
	void *arg;
	bool retry; /* something was refused, or there was no room for it */
	bool shutdown, reset; /* to be told behind the last data */
	bool shutdown_told, reset_told;
	int error;
	struct pkt_list held; /* in the order of the stream; the pool's lock */
	size_t units; /* in them: bytes, or datagrams */
	struct pkt *tx; /* being filled */
	void *bounce; /* of sl_recv_zc(): a datagram in pieces */
};

struct sl_pool {
	int fd;
	size_t buf_size;
	unsigned int bufs;
	unsigned char *map;
	size_t map_size;
	const unsigned char *window;
	size_t window_size;
	struct pkt *pkt; /* one for each buffer */
	pthread_mutex_t lock; /* of all that follows */
	struct pkt *rx; /* RX_PKTS of them */
	struct pkt_list rx_free;
	struct sock **sock; /* by file descriptor */
	unsigned int socks;
	uint32_t generation; /* of cookies */
	LIST_ENTRY(sl_pool) node;
};

/*
 * With a prefix of their own: the static library's programs see them, too.
 *
 * socket.c
 */
int sl__attached_ioctl(int dev, int fd, unsigned long cmd, void *arg);
bool sl__is_stream(int fd);

/* pool.c */
struct pkt *sl__find_pkt(struct sl_pkt *pub);

/* pkt.c */
struct sock *sl__get_sock(struct sl_pool *pool, int fd);
void sl__put_sock(struct sl_pool *pool, struct sock *s);
void sl__forget_sock(struct sl_pool *pool, int fd);
void sl__free_sock(struct sock *s);
struct pkt *sl__rx_pkt_get(struct sl_pool *pool, struct sock *s);
void sl__rx_pkt_put(struct sl_pool *pool, struct pkt *p);

/* recv.c */
void *sl__gather(const struct sl_pool *pool, const struct sockloan_seg *segs,
		 unsigned int nr, void *to, size_t *len);
unsigned int sl__run_of(const struct sockloan_seg *segs, unsigned int nr,
			size_t *len);

#endif /* SL_INTERNAL_H */
