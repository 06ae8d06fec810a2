// SPDX-License-Identifier: GPL-2.0
/*
 * Lend pages of the current process: take a reference on each and leave its
 * page table entry read-only and its page marked maybe shared, as fork does.
 * From then on the kernel's own copy-on-write keeps the content: a write fault
 * copies the page while any reference is out, and makes it writable again when
 * the mapping's is the last one.
 *
 * A huge page is lent at the pmd, in pieces of SL_FRAG_MAX.  Pages of files are
 * lent as they are; file.c says which.
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

#include "fault.h"
#include "loan.h"
#include "sockloan.h"

/* Is this mapping one whose pages may be lent? */
static enum sl_reason sl_check_vma(struct sl_loan *loan,
				   struct vm_area_struct *vma)
{
	if (!vma)
		return SL_FB_VMA;
	/* The copy gives the right error. */
	if (!(vma->vm_flags & VM_READ))
		return SL_FB_VMA;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_SHADOW_STACK))
		return SL_FB_VMA;
	if (is_vm_hugetlb_page(vma))
		return SL_FB_VMA;
	/* Its owner tells its own protection from ours by the fault. */
	if (userfaultfd_wp(vma))
		return SL_FB_UFFD;
	if (!arch_vma_access_permitted(vma, false, false, false))
		return SL_FB_PKEY;
	loan->file_why = sl_file_check(vma, loan->file);
	/* Stores of others come by without a fault of ours. */
	if (vma->vm_flags & (VM_SHARED | VM_MAYSHARE))
		return loan->file_why;
	return SL_FB_NONE;
}

/*
 * @pages more pages of the batch, from @page on, all of @folio.  With a reference
 * for each new element, unless their count has overflowed.
 */
static enum sl_reason sl_loan_add(struct sl_loan *loan, struct folio *folio,
				  struct page *page, unsigned int pages)
{
	unsigned int len = pages << PAGE_SHIFT;

	if (folio_test_large(folio) && loan->nr) {
		struct bio_vec *last = &loan->bv[loan->nr - 1];

		if (page_folio(last->bv_page) == folio &&
		    last->bv_page + (last->bv_len >> PAGE_SHIFT) == page &&
		    last->bv_len + len <= SL_FRAG_MAX) {
			last->bv_len += len;
			goto added;
		}
	}
	if (WARN_ON_ONCE(folio_ref_count(folio) <= 0))
		return SL_FB_NOMEM;
	folio_get(folio);
	if (folio == loan->folio)
		loan->refs++;
	bvec_set_page(&loan->bv[loan->nr++], page, len, 0);
added:
	loan->pages += pages;
	return SL_FB_NONE;
}

/* Pages that would have to be protected, when that is not wanted */
static enum sl_reason sl_loan_skip(struct sl_loan *loan, unsigned int pages)
{
	if (loan->pages)
		return SL_FB_ADAPT;
	loan->exclusive |= GENMASK_ULL(loan->skip + pages - 1, loan->skip);
	loan->skip += pages;
	return SL_FB_NONE;
}

/*
 * The references on a large folio that can be explained: one for each entry
 * that maps a page of it, in @ptep's page table, and those of the batch itself.
 * Nobody else can add or remove any of them under the table's lock, which the
 * caller holds.
 */
static unsigned int sl_refs_here(const struct sl_loan *loan, pte_t *ptep,
				 unsigned long addr, struct page *page,
				 struct folio *folio)
{
	unsigned long first = folio_pfn(folio), nr = folio_nr_pages(folio);
	unsigned long before = min(pte_index(addr), page_to_pfn(page) - first);
	unsigned int refs = 0, i;
	pte_t *end;

	for (i = 0; i < loan->nr; i++)
		if (page_folio(loan->bv[i].bv_page) == folio)
			refs++;

	ptep -= before;
	end = ptep + min(nr, PTRS_PER_PTE - pte_index(addr) + before);
	for (; ptep < end; ptep++) {
		pte_t entry = ptep_get(ptep);

		if (pte_present(entry) && !pte_special(entry) &&
		    pte_pfn(entry) - first < nr)
			refs++;
	}
	return refs;
}

/*
 * Write-protect the page under an entry and mark it maybe shared.  Caller holds
 * the page table lock and flushes the TLB before dropping it.
 */
static enum sl_reason sl_protect(struct sl_loan *loan, struct mm_struct *mm,
				 unsigned long addr, pte_t *ptep,
				 struct folio *folio, struct page *page)
{
	unsigned int refs = 1;
	pte_t entry;

	if (folio_test_large(folio)) {
		if (folio != loan->folio) {
			loan->folio = folio;
			loan->refs = sl_refs_here(loan, ptep, addr, page,
						  folio);
		}
		refs = loan->refs;
	}

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
	 *
	 * The count of a large folio is that of all its pages.  A mapping
	 * elsewhere, by another process or after mremap(), is not explained
	 * either.
	 */
	if (folio_ref_count(folio) != refs) {
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

/* Lend the page of an anonymous mapping, or one that was written to. */
static enum sl_reason sl_loan_anon(struct sl_loan *loan, struct mm_struct *mm,
				   unsigned long addr, pte_t *ptep, pte_t entry,
				   struct folio *folio, struct page *page)
{
	enum sl_reason why;

	if (likely(!PageAnonExclusive(page))) {
		/*
		 * Lent before, shared by fork or merged by KSM: read-only
		 * since a flush that came before the lock we hold was dropped.
		 */
		if (WARN_ON_ONCE(pte_write(entry)))
			return SL_FB_SPECIAL;
		if (loan->skip)
			return SL_FB_ADAPT;
		loan->shared++;
		return sl_loan_add(loan, folio, page, 1);
	}
	if (loan->only_shared)
		return sl_loan_skip(loan, 1);
	why = sl_protect(loan, mm, addr, ptep, folio, page);
	if (why)
		return why;
	loan->exclusive |= BIT_ULL(loan->pages);
	loan->protected++;
	return sl_loan_add(loan, folio, page, 1);
}

/* Lend the page under one entry; page table lock held. */
static enum sl_reason sl_loan_entry(struct sl_loan *loan,
				    struct vm_area_struct *vma,
				    unsigned long addr, pte_t *ptep)
{
	pte_t entry = ptep_get(ptep);
	struct folio *folio;
	enum sl_reason why;
	struct page *page;

	/* Not there: swapped out, under migration, never touched. */
	if (!pte_present(entry))
		return SL_FB_ABSENT;
	if (pte_protnone(entry))
		return SL_FB_NUMA;
	if (pte_uffd_wp(entry))
		return SL_FB_UFFD;
	if (sl_pte_devmap(entry))
		return SL_FB_SPECIAL;
	if (sl_should_fail())
		return SL_FB_FORCED;

	page = pte_page(entry);
	folio = page_folio(page);
	if (pte_special(entry)) {
		if (!is_zero_pfn(pte_pfn(entry)))
			return SL_FB_SPECIAL;
		if (loan->skip)
			return SL_FB_ADAPT;
		loan->zero++;
		return sl_loan_add(loan, folio, page, 1);
	}
	if (is_zone_device_page(page))
		return SL_FB_SPECIAL;
	if (likely(folio_test_anon(folio)))
		return sl_loan_anon(loan, vma->vm_mm, addr, ptep, entry, folio,
				    page);

	why = loan->file_why ?: sl_file_page(vma, folio);
	if (why)
		return why;
	if (loan->skip)
		return SL_FB_ADAPT;
	loan->files++;
	return sl_loan_add(loan, folio, page, 1);
}

/*
 * Behind a page that was shared already, lend those like it, at most @max: their
 * entries differ from its entry, at @ptep, in nothing but the page, so that what
 * sl_loan_entry() has found out about that one holds for them.  Most pages of a
 * buffer that is sent again go this way.  Return: how many.
 */
static unsigned int sl_loan_alike(struct sl_loan *loan, pte_t *ptep,
				  unsigned int max)
{
	pgprotval_t like = pgprot_val(pte_pgprot(ptep_get(ptep)));
	struct bio_vec *bv = loan->bv + loan->nr;
	struct folio *folio;
	struct page *page;
	unsigned int n;
	pte_t entry;

	for (n = 0; n < max; n++) {
		entry = ptep_get(++ptep);
		if (pgprot_val(pte_pgprot(entry)) != like || sl_should_fail())
			break;
		page = pte_page(entry);
		folio = page_folio(page);
		if (folio_test_large(folio) || !folio_test_anon(folio) ||
		    PageAnonExclusive(page) || is_zone_device_page(page) ||
		    folio_ref_count(folio) <= 0)
			break;
		folio_get(folio);
		bvec_set_page(bv++, page, PAGE_SIZE, 0);
	}
	loan->nr += n;
	loan->pages += n;
	loan->shared += n;
	return n;
}

/*
 * Write-protect an anonymous huge page at its pmd; as sl_protect().
 *
 * The entry is not cleared but made invalid: MADV_DONTNEED looks at the pmd
 * before it takes the lock, and would pass over an empty one.  To GUP-fast an
 * invalid one is as good as none.
 */
static enum sl_reason sl_protect_huge(struct sl_loan *loan,
				      struct vm_area_struct *vma,
				      unsigned long addr, pmd_t *pmd,
				      struct folio *folio)
{
	pmd_t entry;

	entry = pmdp_establish(vma, addr, pmd, pmd_mkinvalid(*pmd));
	/* The whole folio is mapped by this entry, which is one reference. */
	if (folio_ref_count(folio) != 1) {
		set_pmd_at(vma->vm_mm, addr, pmd, entry);
		loan->unsettled = !folio_test_lru(folio);
		return SL_FB_BUSY;
	}
	if (sl_try_share_anon_pmd(folio)) {
		set_pmd_at(vma->vm_mm, addr, pmd, entry);
		return SL_FB_PINNED;
	}
	set_pmd_at(vma->vm_mm, addr, pmd, pmd_wrprotect(entry));
	return SL_FB_NONE;
}

/* Lend @pages at @addr out of the huge page under @pmd; its lock is held. */
static enum sl_reason sl_loan_huge(struct sl_loan *loan,
				   struct vm_area_struct *vma,
				   unsigned long addr, unsigned int pages,
				   pmd_t *pmd)
{
	unsigned int first = (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT, n;
	struct page *page = pmd_page(*pmd);
	struct folio *folio = page_folio(page);
	enum sl_reason why;

	if (sl_pmd_devmap(*pmd) || is_zone_device_page(page))
		return SL_FB_SPECIAL;
	if (pmd_protnone(*pmd))
		return SL_FB_NUMA;
	if (pmd_uffd_wp(*pmd))
		return SL_FB_UFFD;
	if (sl_should_fail())
		return SL_FB_FORCED;

	if (!folio_test_anon(folio)) {
		/* In an anonymous mapping only the huge zero page is not. */
		if (!vma_is_anonymous(vma)) {
			why = loan->file_why ?: sl_file_page(vma, folio);
			if (why)
				return why;
		}
		if (loan->skip)
			return SL_FB_ADAPT;
		if (vma_is_anonymous(vma))
			loan->zero += pages;
		else
			loan->files += pages;
	} else if (!PageAnonExclusive(page)) {
		if (WARN_ON_ONCE(pmd_write(*pmd)))
			return SL_FB_SPECIAL;
		if (loan->skip)
			return SL_FB_ADAPT;
		loan->shared += pages;
	} else {
		if (loan->only_shared)
			return sl_loan_skip(loan, pages);
		why = sl_protect_huge(loan, vma, addr & HPAGE_PMD_MASK, pmd,
				      folio);
		if (why)
			return why;
		loan->exclusive |= GENMASK_ULL(loan->pages + pages - 1,
					       loan->pages);
		loan->protected++;
	}
	loan->huge += pages;

	for (page += first; pages; page += n, pages -= n) {
		n = min_t(unsigned int, pages, SL_FRAG_MAX >> PAGE_SHIFT);
		why = sl_loan_add(loan, folio, page, n);
		if (why)
			return why;
	}
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
 * Before the page table lock is dropped, and so before anyone can copy a page
 * on a write fault: with a stale writable translation another thread would go
 * on storing to the old page, its stores lost to the program and put on the
 * wire.  Flush also for entries that were read-only: reclaim may have left a
 * flush of a writable one pending.
 */
static void sl_flush(struct sl_loan *loan, struct mm_struct *mm,
		     unsigned int protected_before)
{
	if (loan->protected == protected_before)
		return;
	sl_flush_tlb_mm(mm);
	loan->flushes++;
}

static enum sl_reason sl_loan_pmd(struct sl_loan *loan,
				  struct vm_area_struct *vma,
				  unsigned long addr, unsigned long end,
				  pmd_t *pmd)
{
	unsigned int protected = loan->protected;
	struct mm_struct *mm = vma->vm_mm;
	enum sl_reason why = SL_FB_ABSENT;
	spinlock_t *ptl;	/* of the pmd */

	ptl = pmd_lock(mm, pmd);
	if (likely(pmd_present(*pmd) && pmd_trans_huge(*pmd)))
		why = sl_loan_huge(loan, vma, addr, (end - addr) >> PAGE_SHIFT,
				   pmd);
	sl_flush(loan, mm, protected);
	spin_unlock(ptl);
	return why;
}

/*
 * Lend from @addr on, up to @end or the end of its page table; mmap_lock held.
 * Return: SL_FB_NONE when it got there.
 */
static enum sl_reason sl_loan_table(struct sl_loan *loan,
				    struct vm_area_struct *vma,
				    unsigned long addr, unsigned long end)
{
	unsigned int protected = loan->protected;
	struct mm_struct *mm = vma->vm_mm;
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
	if (pmd_trans_huge(pmdval)) {
		why = sl_loan_pmd(loan, vma, addr, end, pmd);
		goto out;
	}
	if (unlikely(pmd_bad(pmdval))) {
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
	loan->folio = NULL;
	ptep = pte_offset_kernel(&pmdval, addr);
	while (addr < end) {
		unsigned int shared = loan->shared, n = 1;

		why = sl_loan_entry(loan, vma, addr, ptep);
		if (why)
			break;
		if (loan->shared != shared && end - addr > PAGE_SIZE)
			n += sl_loan_alike(loan, ptep,
					   ((end - addr) >> PAGE_SHIFT) - 1);
		ptep += n;
		addr += n * PAGE_SIZE;
	}
	sl_flush(loan, mm, protected);
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
		vma = vma_lookup(mm, addr);
		why = sl_check_vma(loan, vma);
		if (why)
			return why;
		for (; addr < end && addr < vma->vm_end; addr = next) {
			next = min(pmd_addr_end(addr, end), vma->vm_end);
			why = sl_loan_table(loan, vma, addr, next);
			if (why)
				return why;
		}
	}
	return SL_FB_NONE;
}

/**
 * sl_loan_pages - lend a range of the current process's pages
 * @loan: all zero but for @bv, @file and @only_shared
 * @addr: where the range starts, page-aligned
 * @max: its length in pages, SL_LOAN_PAGES at most
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
		from = addr + (loan->pages + loan->skip) * PAGE_SIZE;
		if (mmap_read_lock_killable(mm)) {
			loan->stop = SL_FB_NOMEM;
			break;
		}
		loan->stop = sl_loan_range(loan, mm, from, end);
		mmap_read_unlock(mm);

		from = addr + (loan->pages + loan->skip) * PAGE_SIZE;
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
	if (loan->skip)
		loan->stop = SL_FB_ADAPT;
}
