/* SPDX-License-Identifier: GPL-2.0 */
/* When to lend: the adaptive rule of one socket. */
#ifndef _SL_POLICY_H
#define _SL_POLICY_H

#include <linux/jiffies.h>
#include <linux/types.h>

#include "iter.h"

struct sl_loan;
struct sl_sock;

/* Pages in a region, a power of 2: the bits of a map */
#define SL_REGION_PAGES	16
/* Regions that are remembered: 32 MiB of buffers */
#define SL_REGIONS	512

/**
 * struct sl_region - what was lent of a stretch of SL_REGION_PAGES pages
 * @number: its address in regions, cut off
 * @lent: bit n: page n was lent
 */
struct sl_region {
	u32 number;
	u16 lent;
};

enum sl_policy_state {
	SL_LEND,	/* whatever can be lent */
	SL_COPY,	/* everything is copied, until the time for a probe */
	SL_PROBE,	/* the next batch is a probe */
	SL_LOOK,	/* likewise copied, until the probed pages come again */
};

/**
 * struct sl_policy - the adaptive rule of one socket
 * @regions: SL_LEND: what was lent of late, hashed by address; NULL until the
 *	first loan
 * @state: see there
 * @backoff: how long to copy before the next probe, as a power of 2
 * @lent: SL_LEND: pages lent in this window
 * @rewritten: those among them that had been lent before, and rewritten since
 * @calls: SL_COPY, SL_LOOK: to be passed on, at most; 0 in other states; not
 *	locked
 * @until: likewise, in jiffies
 * @probe: SL_LOOK: where the probed pages are; 0 in other states
 * @probe_end: and where they end
 * @kept: how many were found still shared
 * @lost: how many were found written to
 * @passed: calls that were copied for the rule, unseen; not locked
 * @passed_bytes: likewise
 */
struct sl_policy {
	struct sl_region *regions;
	enum sl_policy_state state;
	u8 backoff;
	unsigned int lent;
	unsigned int rewritten;
	unsigned int calls;
	unsigned long until;
	unsigned long probe;
	unsigned long probe_end;
	unsigned int kept;
	unsigned int lost;
	u64 passed;
	u64 passed_bytes;
};

/**
 * sl_policy_passes - does a send go straight on to the plain one?
 * @sp: the socket's rule
 * @iter: of the send
 * @len: its length, bytes
 *
 * All that a program pays that rewrites its buffers, so without locks: threads
 * that race here lose a count.
 */
static inline bool sl_policy_passes(struct sl_policy *sp,
				    const struct iov_iter *iter, size_t len)
{
	unsigned int calls = READ_ONCE(sp->calls);
	unsigned long probe = READ_ONCE(sp->probe);

	if (!calls || time_after_eq(jiffies, READ_ONCE(sp->until)))
		return false;
	if (unlikely(probe) &&
	    sl_iter_meets(iter, probe, READ_ONCE(sp->probe_end)))
		return false;
	WRITE_ONCE(sp->calls, calls - 1);
	WRITE_ONCE(sp->passed, sp->passed + 1);
	WRITE_ONCE(sp->passed_bytes, sp->passed_bytes + len);
	return true;
}

void sl_policy_prepare(struct sl_sock *ss);
void sl_policy_call(struct sl_sock *ss);
bool sl_policy_batch(struct sl_sock *ss, unsigned int *max);
void sl_policy_note(struct sl_sock *ss, unsigned long addr,
		    const struct sl_loan *loan);
void sl_policy_free(struct sl_sock *ss);

#endif /* _SL_POLICY_H */
