/* SPDX-License-Identifier: GPL-2.0 */
/* Lending pages of the current process: the only code on page tables. */
#ifndef _SL_LOAN_H
#define _SL_LOAN_H

#include <linux/bvec.h>
#include <linux/types.h>

#include "stats.h"

/* The pages of one batch: as many as struct sl_loan has bits for */
#define SL_LOAN_PAGES	64

/*
 * The largest piece of a huge page in one frag: what TCP's own frags have, so
 * that every driver gets it anyway.
 */
#define SL_FRAG_MAX	32768

/**
 * struct sl_loan - one batch of lent pages
 * @bv: the pages, in address order, pages of one folio together; a reference
 *	on each element; room for SL_LOAN_PAGES
 * @file: net.sockloan.file
 * @only_shared: protect nothing, lend only what is read-only already
 * @nr: elements of @bv
 * @pages: how many pages they are
 * @skip: with @only_shared: the first so many pages would have to be protected;
 *	then none is lent
 * @exclusive: bit n: page n was the program's alone
 * @protected: pages write-protected for this batch
 * @shared: pages that were read-only and shared already
 * @zero: of a shared zero page
 * @huge: pages that a huge page table entry maps
 * @files: pages of the page cache
 * @fault_ins: 1 when something had to be faulted in first
 * @flushes: TLB flushes done
 * @unsettled: the page that was busy is not on an LRU list
 * @file_why: what sl_file_check() says of the current mapping
 * @folio: the large folio that @refs is for; page table lock
 * @refs: its references that are explained, by entries of this page table or
 *	by @bv
 * @stop: why the page after the last one was not lent; SL_FB_NONE: it was not
 *	asked for
 */
struct sl_loan {
	struct bio_vec *bv;
	unsigned int file;
	bool only_shared;

	unsigned int nr;
	unsigned int pages;
	unsigned int skip;
	u64 exclusive;
	unsigned int protected;
	unsigned int shared;
	unsigned int zero;
	unsigned int huge;
	unsigned int files;
	unsigned int fault_ins;
	unsigned int flushes;
	bool unsettled;
	enum sl_reason file_why;
	const struct folio *folio;
	unsigned int refs;
	enum sl_reason stop;
};

void sl_loan_pages(struct sl_loan *loan, unsigned long addr, unsigned int max);

#endif /* _SL_LOAN_H */
