/* SPDX-License-Identifier: GPL-2.0 */
/* Lending pages of the current process: the only code on page tables. */
#ifndef _SL_LOAN_H
#define _SL_LOAN_H

#include <linux/bvec.h>

#include "stats.h"

/**
 * struct sl_loan - one batch of lent pages
 * @bv: the pages, a reference held on each; whole pages, in address order
 * @nr: how many
 * @protected: entries write-protected for this batch
 * @shared: entries that were read-only and shared already
 * @zero: of the shared zero page
 * @fault_ins: 1 when something had to be faulted in first
 * @flushes: TLB flushes done
 * @unsettled: the page that was busy is not on an LRU list
 * @stop: why the page after the last one was not lent; SL_FB_NONE: it was not
 *	asked for
 */
struct sl_loan {
	struct bio_vec *bv;
	unsigned int nr;
	unsigned int protected;
	unsigned int shared;
	unsigned int zero;
	unsigned int fault_ins;
	unsigned int flushes;
	bool unsettled;
	enum sl_reason stop;
};

void sl_loan_pages(struct sl_loan *loan, unsigned long addr, unsigned int max);
void sl_loan_put(struct sl_loan *loan);

#endif /* _SL_LOAN_H */
