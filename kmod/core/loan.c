// SPDX-License-Identifier: GPL-2.0
/*
 * Lend pages of the current process: take a reference on each and leave its
 * page table entry read-only and its page marked maybe shared, as fork does.
 * From then on the kernel's own copy-on-write keeps the content: a write fault
 * copies the page while any reference is out, and makes it writable again when
 * the mapping's is the last one.
 *
 * Locks: mmap_lock for reading, and the lock of one page table at a time.
 */
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/userfaultfd_k.h>

#include "loan.h"
#include "sockloan.h"

/* Is this mapping one whose pages may be lent? */
static enum sl_reason sl_check_vma(struct vm_area_struct *vma,
				   unsigned long addr)
{
	if (!vma || vma->vm_start > addr)
		return SL_FB_VMA;
	/* The copy gives the right error. */
	if (!(vma->vm_flags & VM_READ))
		return SL_FB_VMA;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_SHADOW_STACK))
		return SL_FB_VMA;
	if (is_vm_hugetlb_page(vma))
		return SL_FB_VMA;
	/* Stores of others come by without a fault of ours. */
	if (vma->vm_flags & (VM_SHARED | VM_MAYSHARE))
		return SL_FB_SHARED;
	/* Its owner tells its own protection from ours by the fault. */
	if (userfaultfd_wp(vma))
		return SL_FB_UFFD;
	if (!arch_vma_access_permitted(vma, false, false, false))
		return SL_FB_PKEY;
	return SL_FB_NONE;
}

/*
 * Write-protect the page under an entry and mark it maybe shared.  Caller holds
 * the page table lock and flushes the TLB before dropping it.
 */
static enum sl_reason sl_protect(struct sl_loan *loan, struct mm_struct *mm,
				 unsigned long addr, pte_t *ptep,
				 struct page *page)
{
	struct folio *folio = page_folio(page);
	pte_t entry;

	/*
	 * With the entry clear, GUP-fast takes no new reference: it looks at
	 * the entry again after taking one and backs off.  Its atomic
	 * increment and our atomic exchange order the two sides, so what it
	 * took before is in the count that we read.
	 */
	entry = ptep_get_and_clear(mm, addr, ptep);

	/*
	 * The page is exclusive to this entry, which is one reference.  Any
	 * other may be direct I/O that writes to the page (plain references up
	 * to 6.4), or ptrace: after a copy-on-write its data would land in the
	 * page that we lent, not in the program's.
	 *
	 * The swap cache has a reference too, and so has a CPU's batch of
	 * pages on their way to the LRU lists.  Neither can be told from the
	 * others safely: between a look at the count and one at the flags a
	 * page can enter or leave both.  One load of the count decides; the
	 * caller has the batches drained.
	 */
	if (folio_ref_count(folio) != 1) {
		set_pte_at(mm, addr, ptep, entry);
		loan->unsettled = !folio_test_lru(folio);
		return SL_FB_BUSY;
	}

	/* Fails when pinned; orders against GUP-fast pinning by itself. */
	if (sl_try_share_anon(page)) {
		set_pte_at(mm, addr, ptep, entry);
		return SL_FB_PINNED;
	}

	/*
	 * A dirty bit that the CPU set until the exchange is in @entry; after
	 * it, setting it takes a walk that finds the entry clear and faults.
	 */
	set_pte_at(mm, addr, ptep, pte_wrprotect(entry));
	return SL_FB_NONE;
}

/* Lend the page under one entry; page table lock held. */
static enum sl_reason sl_loan_entry(struct sl_loan *loan, struct mm_struct *mm,
				    unsigned long addr, pte_t *ptep)
{
	pte_t entry = ptep_get(ptep);
	struct page *page;
	enum sl_reason why;

	/* Not there: swapped out, under migration, never touched. */
	if (!pte_present(entry))
		return SL_FB_ABSENT;
	if (pte_protnone(entry))
		return SL_FB_NUMA;
	if (pte_uffd_wp(entry))
		return SL_FB_UFFD;
	if (pte_special(entry)) {
		if (!is_zero_pfn(pte_pfn(entry)))
			return SL_FB_SPECIAL;
		page = pte_page(entry);
		if (!try_get_page(page))
			return SL_FB_NOMEM;
		loan->zero++;
		goto lent;
	}
	if (sl_pte_devmap(entry) || !pfn_valid(pte_pfn(entry)))
		return SL_FB_SPECIAL;

	page = pte_page(entry);
	if (is_zone_device_page(page))
		return SL_FB_SPECIAL;
	if (PageTransCompound(page))
		return SL_FB_HUGE;
	if (!PageAnon(page))
		return SL_FB_FILE;

	if (!PageKsm(page) && PageAnonExclusive(page)) {
		why = sl_protect(loan, mm, addr, ptep, page);
		if (why)
			return why;
		loan->protected++;
		goto get;
	}
	/*
	 * Lent before, shared by fork or merged by KSM: read-only since a flush
	 * that came before the lock we hold was dropped.
	 */
	if (WARN_ON_ONCE(pte_write(entry)))
		return SL_FB_SPECIAL;
	loan->shared++;
get:
	if (!try_get_page(page))
		return SL_FB_NOMEM;
lent:
	bvec_set_page(&loan->bv[loan->nr], page, PAGE_SIZE, 0);
	loan->nr++;
	return SL_FB_NONE;
}

/* Find the page table of @addr; NULL, and why, when there is none. */
static pmd_t *sl_find_pmd(struct mm_struct *mm, unsigned long addr,
			  enum sl_reason *why)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	*why = SL_FB_ABSENT;
	if (pgd_none(*pgd) || unlikely(pgd_bad(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d) || unlikely(p4d_bad(*p4d)))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud))
		return NULL;
	if (unlikely(pud_trans_huge(*pud) || pud_bad(*pud))) {
		*why = SL_FB_HUGE;
		return NULL;
	}
	return pmd_offset(pud, addr);
}

/*
 * Lend from @addr on, up to @end or the end of its page table; mmap_lock held.
 * Return: SL_FB_NONE when it got there.
 */
static enum sl_reason sl_loan_table(struct sl_loan *loan, struct mm_struct *mm,
				    unsigned long addr, unsigned long end)
{
	unsigned int protected = loan->protected;
	enum sl_reason why;
	spinlock_t *ptl;	/* of the page table at @addr */
	pmd_t *pmd, pmdval;
	pte_t *ptep;

	pmd = sl_find_pmd(mm, addr, &why);
	if (!pmd)
		return why;

	/*
	 * Page tables can go under mmap_lock for reading on newer kernels;
	 * they are freed after an RCU grace period, so that the lock in one is
	 * safe to take and the look at the pmd after that decides.
	 */
	rcu_read_lock();
	pmdval = READ_ONCE(*pmd);
	if (!pmd_present(pmdval)) {
		why = SL_FB_ABSENT;	/* or a huge page under migration */
		goto out;
	}
	if (pmd_trans_huge(pmdval) || unlikely(pmd_bad(pmdval))) {
		why = SL_FB_HUGE;
		goto out;
	}
	ptl = pte_lockptr(mm, &pmdval);
	spin_lock(ptl);
	if (unlikely(pmd_val(pmdval) != pmd_val(READ_ONCE(*pmd)))) {
		why = SL_FB_ABSENT;
		goto out_unlock;
	}

	why = SL_FB_NONE;
	for (ptep = pte_offset_kernel(&pmdval, addr); addr < end;
	     ptep++, addr += PAGE_SIZE) {
		why = sl_loan_entry(loan, mm, addr, ptep);
		if (why)
			break;
	}

	/*
	 * Before the lock is dropped, and so before anyone can copy a page on
	 * a write fault: with a stale writable translation another thread
	 * would go on storing to the old page, its stores lost to the program
	 * and put on the wire.  Flush also for entries that were read-only:
	 * reclaim may have left a flush of a writable one pending.
	 */
	if (loan->protected != protected) {
		sl_flush_tlb_mm(mm);
		loan->flushes++;
	}
out_unlock:
	spin_unlock(ptl);
out:
	rcu_read_unlock();
	return why;
}

static enum sl_reason sl_loan_range(struct sl_loan *loan, struct mm_struct *mm,
				    unsigned long addr, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long next;
	enum sl_reason why;

	/*
	 * A guest's second page table, or a device's, could still write.
	 * Whoever registers a notifier takes mmap_lock for writing first, and
	 * maps pages only after that, breaking the share.
	 */
	if (mm_has_notifiers(mm))
		return SL_FB_NOTIFIER;

	while (addr < end) {
		vma = find_vma(mm, addr);
		why = sl_check_vma(vma, addr);
		if (why)
			return why;
		for (; addr < end && addr < vma->vm_end; addr = next) {
			next = min(pmd_addr_end(addr, end), vma->vm_end);
			why = sl_loan_table(loan, mm, addr, next);
			if (why)
				return why;
		}
	}
	return SL_FB_NONE;
}

/**
 * sl_loan_pages - lend a range of the current process's pages
 * @loan: all zero but for @bv, which has room for @max
 * @addr: where the range starts, page-aligned
 * @max: its length in pages
 *
 * Lends what it can from @addr on and stops at the first page that may not be
 * lent; loan->stop says why.  What is lent keeps its content, whatever the
 * program does, until sl_loan_put() and the last reference taken by others.
 *
 * Context: process, may sleep; takes mmap_lock, faults pages in.
 */
void sl_loan_pages(struct sl_loan *loan, unsigned long addr, unsigned int max)
{
	unsigned long end = addr + max * PAGE_SIZE;
	struct mm_struct *mm = current->mm;
	bool drained = false;
	unsigned long from;

	for (;;) {
		from = addr + loan->nr * PAGE_SIZE;
		if (mmap_read_lock_killable(mm)) {
			loan->stop = SL_FB_NOMEM;
			return;
		}
		loan->stop = sl_loan_range(loan, mm, from, end);
		mmap_read_unlock(mm);

		from = addr + loan->nr * PAGE_SIZE;
		if (loan->stop == SL_FB_ABSENT && !loan->fault_ins) {
			loan->fault_ins = 1;
			/* What cannot be read is found absent again. */
			fault_in_readable((const char __user *)from,
					  end - from);
			continue;
		}
		if (loan->stop == SL_FB_BUSY && !drained) {
			drained = true;
			sl_lru_drain();
			continue;
		}
		break;
	}
	/* Written on another CPU, it may wait in that one's batch for ever. */
	if (loan->stop == SL_FB_BUSY && loan->unsettled)
		sl_drain_everywhere();
}

/* Drop the references of a batch; the protocol has its own. */
void sl_loan_put(struct sl_loan *loan)
{
	unsigned int i;

	for (i = 0; i < loan->nr; i++)
		put_page(loan->bv[i].bv_page);
	loan->nr = 0;
}
