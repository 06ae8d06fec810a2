/* SPDX-License-Identifier: GPL-2.0 */
/* Sends whose completion is told later, in whatever order. */
#ifndef _BENCH_TICKETS_H
#define _BENCH_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

/* So many can be out. */
#define TICKETS 4096

/**
 * struct tickets - of one connection
 * @next: the number of the next one
 * @first: all before this one are done
 * @lent, @copied: bytes of those that are done
 */
struct tickets {
	uint64_t next;
	uint64_t first;
	uint64_t lent;
	uint64_t copied;
	bool done[TICKETS];
	uint32_t bytes[TICKETS];
};

static inline bool tickets_full(const struct tickets *t)
{
	return t->next - t->first == TICKETS;
}

static inline uint64_t tickets_draw(struct tickets *t, uint32_t bytes)
{
	t->done[t->next % TICKETS] = false;
	t->bytes[t->next % TICKETS] = bytes;
	return t->next++;
}

/* False for one that is not out */
static inline bool tickets_done(struct tickets *t, uint64_t ticket, bool copied)
{
	if (ticket < t->first || ticket >= t->next || t->done[ticket % TICKETS])
		return false;
	t->done[ticket % TICKETS] = true;
	*(copied ? &t->copied : &t->lent) += t->bytes[ticket % TICKETS];
	while (t->first < t->next && t->done[t->first % TICKETS])
		t->first++;
	return true;
}

#endif /* _BENCH_TICKETS_H */
