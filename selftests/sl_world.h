/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets and pools that come and go, and what is on its way between them */
#ifndef SL_WORLD_H
#define SL_WORLD_H

#include <sys/types.h>

#include "sl_flow.h"
#include "sl_fuzz.h"

#define SL_W_POOLS 2
#define SL_W_PACKET (20 * SL_KIB) /* a buffer of a pool */
#define SL_W_PACKETS 16
#define SL_W_WINDOW (512 * SL_KIB)
#define SL_W_CONNS 5
#define SL_W_ENDS (2 * SL_W_CONNS)
#define SL_W_WILD 8 /* this end's connection is treated badly */
#define SL_W_SEGS 64
#define SL_W_STREAM (4 * SL_MIB)
#define SL_W_SENT_MAX 65536
#define SL_W_FULL (256 * SL_KIB) /* on its way, before it has to be read */

struct sl_end {
	int fd;
	bool known; /* "in" is all that is on its way here */
	bool limited; /* its windows were set */
	in_port_t port; /* its own, as in a sockaddr */
	struct sl_flow in;
	/* The last peek, for as long as it holds */
	struct sockloan_seg seg[SL_W_SEGS];
	uint32_t nr;
	int pool; /* where that was */
	int member; /* of a pool; -1: of none that is known */
};

struct sl_world_pool {
	int fd;
	struct sockloan_pool p;
	unsigned char *map; /* of the buffers */
	unsigned char *window; /* NULL: not mapped */
	/* What its statistics have to say */
	unsigned long long forwarded, released, events;
};

struct sl_world {
	struct sl_fuzz f;
	struct sl_world_pool pool[SL_W_POOLS];
	int fresh; /* a file that may become a pool */
	struct sl_end end[SL_W_ENDS];
	struct sl_buf b; /* what is sent */
	char *events; /* one page; nothing is mapped behind it */
	unsigned long long read; /* events */
	unsigned long long mapped, copied; /* bytes, by pools that are gone */
	const char *bad; /* what is wrong, and with which number */
	long long bad_number;
};

void sl_world_wrong(struct sl_world *w, const char *what, long long n);
int sl_world_open(struct sl_world *w);
void sl_world_close(struct sl_world *w);

int sl_conn_open(struct sl_world *w, int n);
void sl_conn_close(struct sl_world *w, int n);
void sl_conn_reopen(struct sl_world *w, int n);
struct sl_end *sl_end_of(struct sl_world *w, int fd);
struct sl_end *sl_peer_of(struct sl_world *w, struct sl_end *e);
void sl_sent(struct sl_world *w, struct sl_end *e, const void *data,
	     size_t len);
long sl_consumed(struct sl_world *w, struct sl_end *e, size_t n);
void sl_do_send(struct sl_world *w, struct sl_end *e);
ssize_t sl_do_recv(struct sl_world *w, struct sl_end *e, size_t max);
void sl_do_drain(struct sl_world *w, struct sl_end *e);
void sl_go_wild(struct sl_world *w);
void sl_world_unmap(struct sl_world *w, struct sl_world_pool *p);
void sl_do_map(struct sl_world *w);
void sl_do_events(struct sl_world *w);
void sl_check_peek(struct sl_world *w, struct sl_end *e,
		   const struct sockloan_peek *a);
void sl_look_again(struct sl_world *w, struct sl_end *e);
void sl_check_left(struct sl_world *w, struct sl_world_pool *p);

static inline uint32_t any(struct sl_world *w)
{
	return sl_fuzz_any(&w->f);
}

static inline bool one_in(struct sl_world *w, uint32_t n)
{
	return sl_fuzz_one_in(&w->f, n);
}

static inline uint32_t field(struct sl_world *w, uint32_t right)
{
	return sl_fuzz_field(&w->f, right);
}

static inline uint64_t address(struct sl_world *w, void *right)
{
	return sl_fuzz_address(&w->f, right);
}

#endif /* SL_WORLD_H */
