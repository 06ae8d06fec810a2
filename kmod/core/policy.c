// SPDX-License-Identifier: GPL-2.0
/*
 * The adaptive rule: a loan is a bet that the program will not write to the
 * page soon.  Won, it saves a copy now and at every later send of the page; lost,
 * it has cost page table work, a TLB flush and a write fault, which is three
 * times a copy.
 *
 * A page that was lent before, and is exclusive to the program again, has been
 * written to.  When there are many of those, the socket's sends are passed on to
 * the plain sendmsg.  After so many calls, a few pages are lent as a probe.  If
 * they are still shared when the program sends them again, or if it does not,
 * lending goes on; if they have been written to, it is twice as long until the
 * next probe.
 *
 * A fresh mapping at the address of an old one looks like a rewritten one.
 *
 * The constants are measured: Documentation/figures.rst.
 */
#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "loan.h"
#include "policy.h"
#include "sockloan.h"

/* Pages in a window, and the part of them that must not have been rewritten */
#define SL_WINDOW	32
#define SL_WINDOW_PART	8

/* Pages in a probe, and likewise */
#define SL_PROBE_PAGES	8
#define SL_PROBE_PART	4

/*
 * Calls between two probes: from the first to the longest wait.  The longest is
 * for the cost of a probe, about one call's, to vanish; the time is for a socket
 * that sends seldom to be followed all the same.
 */
#define SL_COPY_CALLS	32
#define SL_BACKOFF_MAX	4
#define SL_COPY_TIME	(HZ / 4)

/* What may go by until the probed pages are sent again */
#define SL_LOOK_CALLS	4096
#define SL_LOOK_TIME	(HZ / 2)

/**
 * sl_policy_prepare - have memory for what is lent
 * @ss: a socket that lends
 *
 * Without, everything is lent.
 *
 * Context: process, may sleep.
 */
void sl_policy_prepare(struct sl_sock *ss)
{
	struct sl_region *regions;

	if (likely(READ_ONCE(ss->policy.regions)))
		return;
	regions = kcalloc(SL_REGIONS, sizeof(*regions),
			  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	/* Datagram sockets have several senders. */
	if (cmpxchg(&ss->policy.regions, NULL, regions))
		kfree(regions);
}

/* Pass on what comes, up to so many calls, or for so long. */
static void sl_policy_pass(struct sl_policy *sp, enum sl_policy_state state,
			   unsigned int calls, unsigned long time)
{
	sp->state = state;
	WRITE_ONCE(sp->until, jiffies + time);
	WRITE_ONCE(sp->calls, calls);
}

static void sl_policy_window_start(struct sl_policy *sp)
{
	sp->lent = 0;
	sp->rewritten = 0;
}

/*
 * Lend again.  What was lent before is forgotten: of pages that are exclusive now
 * nobody knows whether the program still rewrites them, as they were copied since.
 */
static void sl_policy_resume(struct sl_policy *sp)
{
	sp->state = SL_LEND;
	WRITE_ONCE(sp->calls, 0);
	WRITE_ONCE(sp->probe, 0);
	memset(sp->regions, 0, SL_REGIONS * sizeof(*sp->regions));
	sl_policy_window_start(sp);
}

static bool sl_policy_expired(const struct sl_policy *sp)
{
	return !READ_ONCE(sp->calls) || time_after_eq(jiffies, sp->until);
}

/**
 * sl_policy_call - a send begins that is not passed on
 * @ss: its socket; lock of its policy held
 */
void sl_policy_call(struct sl_sock *ss)
{
	struct sl_policy *sp = &ss->policy;

	if (sp->state == SL_COPY && sl_policy_expired(sp)) {
		sp->state = SL_PROBE;
		WRITE_ONCE(sp->calls, 0);
		SL_INC(sl_net(sock_net(ss->sk)), PROBES);
	} else if (sp->state == SL_LOOK && sl_policy_expired(sp)) {
		sl_policy_resume(sp);
	}
}

/**
 * sl_policy_batch - is a batch of pages to be lent at any price?
 * @ss: the socket; lock of its policy held
 * @max: pages in the batch; made less when so many are too many
 *
 * Return: false when only what is shared already is to be lent.
 */
bool sl_policy_batch(struct sl_sock *ss, unsigned int *max)
{
	struct sl_policy *sp = &ss->policy;

	if (sp->state == SL_LEND)
		return true;
	if (sp->state != SL_PROBE)
		return false;
	*max = min_t(unsigned int, *max, SL_PROBE_PAGES);
	return true;
}

/* Remember what was lent. Return: the pages that had been rewritten. */
static unsigned int sl_policy_regions(struct sl_policy *sp, unsigned long addr,
				      const struct sl_loan *loan)
{
	unsigned long page = addr >> PAGE_SHIFT;
	unsigned int done = 0, total = loan->pages;
	unsigned int rewritten = 0;

	while (done < total) {
		unsigned int first = page % SL_REGION_PAGES;
		unsigned int n = min(SL_REGION_PAGES - first, total - done);
		u32 number = page / SL_REGION_PAGES;
		struct sl_region *r;
		u16 mask, exclusive;

		r = &sp->regions[hash_32(number, ilog2(SL_REGIONS))];
		mask = GENMASK(first + n - 1, first);
		exclusive = mask & ((loan->exclusive >> done) << first);
		if (r->number != number) {
			r->number = number;
			r->lent = 0;
		}
		rewritten += hweight16(exclusive & r->lent);
		r->lent |= mask;
		page += n;
		done += n;
	}
	return rewritten;
}

/* The program rewrites: copy, and longer each time that this is found. */
static void sl_policy_lost(struct sl_policy *sp)
{
	WRITE_ONCE(sp->probe, 0);
	sl_policy_pass(sp, SL_COPY, SL_COPY_CALLS << sp->backoff, SL_COPY_TIME);
	sp->backoff = min(sp->backoff + 1, SL_BACKOFF_MAX);
}

static void sl_policy_probed(struct sl_policy *sp, unsigned long addr,
			     unsigned int pages)
{
	sp->kept = 0;
	sp->lost = 0;
	WRITE_ONCE(sp->probe_end, addr + pages * PAGE_SIZE);
	WRITE_ONCE(sp->probe, addr);
	sl_policy_pass(sp, SL_LOOK, SL_LOOK_CALLS, SL_LOOK_TIME);
}

static void sl_policy_rewritten(struct sl_sock *ss, unsigned int pages)
{
	if (!pages)
		return;
	ss->pages_rewritten += pages;
	SL_ADD(sl_net(sock_net(ss->sk)), PAGES_REWRITTEN, pages);
}

/* SL_LEND: @pages were lent, @rewritten of them not for the first time. */
static void sl_policy_window(struct sl_sock *ss, unsigned int pages,
			     unsigned int rewritten)
{
	struct sl_policy *sp = &ss->policy;

	sl_policy_rewritten(ss, rewritten);
	sp->lent += pages;
	sp->rewritten += rewritten;
	if (sp->lent < SL_WINDOW)
		return;
	if (sp->rewritten > sp->lent / SL_WINDOW_PART) {
		sl_policy_lost(sp);
		ss->backoffs++;
		SL_INC(sl_net(sock_net(ss->sk)), BACKOFFS);
		return;
	}
	if (!sp->rewritten && sp->backoff)
		sp->backoff--;
	sl_policy_window_start(sp);
}

/* Of @pages pages from @addr on, how many are of the probe? */
static unsigned int sl_policy_overlap(const struct sl_policy *sp,
				      unsigned long addr, unsigned int pages)
{
	unsigned long from = max(addr, sp->probe);
	unsigned long to = min(addr + pages * PAGE_SIZE, sp->probe_end);

	return from < to ? (to - from) >> PAGE_SHIFT : 0;
}

/* SL_LOOK: does @loan tell how the probe went? */
static void sl_policy_verdict(struct sl_sock *ss, unsigned long addr,
			      const struct sl_loan *loan)
{
	struct sl_policy *sp = &ss->policy;
	unsigned int lost = sl_policy_overlap(sp, addr, loan->skip);
	unsigned int probed = (sp->probe_end - sp->probe) >> PAGE_SHIFT;

	sl_policy_rewritten(ss, lost);
	sp->lost += lost;
	sp->kept += sl_policy_overlap(sp, addr, loan->pages);
	if (sp->kept + sp->lost < probed)
		return;
	if (sp->lost > probed / SL_PROBE_PART)
		sl_policy_lost(sp);
	else
		sl_policy_resume(sp);
}

/**
 * sl_policy_note - a batch was lent, or passed over
 * @ss: the socket; lock of its policy held
 * @addr: where it starts
 * @loan: what became of it
 *
 * Context: any.
 */
void sl_policy_note(struct sl_sock *ss, unsigned long addr,
		    const struct sl_loan *loan)
{
	struct sl_policy *sp = &ss->policy;
	unsigned int rewritten = 0;

	if (!sp->regions)
		return;
	switch (sp->state) {
	case SL_LEND:
		/* Sent again and still shared: there is nothing to learn. */
		if (loan->exclusive)
			rewritten = sl_policy_regions(sp, addr, loan);
		sl_policy_window(ss, loan->pages, rewritten);
		break;
	case SL_PROBE:
		if (loan->pages)
			sl_policy_probed(sp, addr, loan->pages);
		break;
	case SL_LOOK:
		sl_policy_verdict(ss, addr, loan);
		break;
	case SL_COPY:
		break;
	}
}

void sl_policy_free(struct sl_sock *ss)
{
	kfree(ss->policy.regions);
}
