// SPDX-License-Identifier: GPL-2.0
/*
 * The receive window: a mapping, never writable, in which a program looks at what
 * has arrived.
 *
 * It has slots of one page each.  The first ones are for pages that are mapped
 * where they lie, in the skbs; peek.c says which.  Their entries are special ones,
 * and the mapping is VM_IO and VM_PFNMAP: nobody can take a reference through it,
 * and neither fork(), ptrace nor mprotect() gets further than reading.  The window
 * has a reference on each page for as long as it is mapped.
 *
 * Entries are written many at a time.  A slot whose data was released is only
 * marked; when there are many of them they are unmapped together, with one TLB
 * flush for each stretch, and their references dropped after it.
 *
 * Locks: mmap_lock for reading around all work on entries, @lock inside it.  Slots
 * are marked in softirqs, too.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pool.h"
#include "sockloan.h"
#include "window.h"

/* Slots for copies, compared with those that are mapped */
#define SL_WINDOW_COPY_PART	4
/*
 * Stale slots there may be when others are taken or released, if half of the window
 * is not less.  Their pages are charged to nobody, and one may keep a compound page.
 */
#define SL_WINDOW_STALE		256

void sl_window_init(struct sl_window *w)
{
	spin_lock_init(&w->lock);
}

/**
 * sl_window_memory - what a window is charged with
 * @size: of the window, bytes
 *
 * Return: pages of memory of its own.
 */
unsigned long sl_window_memory(u64 size)
{
	return (PAGE_ALIGN(size) >> PAGE_SHIFT) / SL_WINDOW_COPY_PART;
}

/**
 * sl_window_make - allocate a window
 * @w: of a pool that is being set up
 * @size: bytes, SOCKLOAN_WINDOW_MIN to SOCKLOAN_WINDOW_MAX
 *
 * Return: 0 or -ENOMEM.
 */
int sl_window_make(struct sl_window *w, u64 size)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN |
			  __GFP_RETRY_MAYFAIL;
	u32 map = PAGE_ALIGN(size) >> PAGE_SHIFT, copy = sl_window_memory(size);

	w->page = kvcalloc(map, sizeof(*w->page), gfp);
	w->used = kvcalloc(BITS_TO_LONGS(map), sizeof(long), gfp);
	w->stale = kvcalloc(BITS_TO_LONGS(map), sizeof(long), gfp);
	w->copy_used = kvcalloc(BITS_TO_LONGS(copy), sizeof(long), gfp);
	w->copy = __vmalloc((size_t)copy << PAGE_SHIFT, gfp);
	if (!w->page || !w->used || !w->stale || !w->copy_used || !w->copy) {
		sl_window_free(w);
		return -ENOMEM;
	}
	w->map_pages = map;
	w->copy_pages = copy;
	return 0;
}

/* Nothing is mapped any more: the file has been closed. */
void sl_window_free(struct sl_window *w)
{
	vfree(w->copy);
	kvfree(w->copy_used);
	kvfree(w->stale);
	kvfree(w->used);
	kvfree(w->page);
	w->copy = NULL;
	w->copy_used = NULL;
	w->stale = NULL;
	w->used = NULL;
	w->page = NULL;
	w->map_pages = 0;
	w->copy_pages = 0;
}

/* Of the mapping, bytes */
u64 sl_window_length(const struct sl_window *w)
{
	return (u64)(w->map_pages + w->copy_pages) << PAGE_SHIFT;
}

void sl_window_stat(struct sl_window *w, struct sockloan_poolstat *stat)
{
	spin_lock_bh(&w->lock);
	stat->window_pages = w->map_pages;
	stat->window_used = w->nr_used;
	stat->window_stale = w->nr_stale;
	stat->copy_pages = w->copy_pages;
	stat->copy_used = w->nr_copy_used;
	spin_unlock_bh(&w->lock);
}

/* -- the mapping -------------------------------------------------------------- */

/* Only what is memory of the window's own comes by a fault. */
static vm_fault_t sl_window_fault(struct vm_fault *vmf)
{
	struct sl_window *w = vmf->vma->vm_private_data;
	pgoff_t slot = vmf->pgoff - (SL_WINDOW_OFFSET >> PAGE_SHIFT);

	if (slot < w->map_pages || slot - w->map_pages >= w->copy_pages)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK,
			      vmalloc_to_pfn(sl_window_memory_of(w, slot)));
}

/* mremap() has made a second mapping, which it removes after our refusal. */
static void sl_window_opened(struct vm_area_struct *vma)
{
	struct sl_window *w = vma->vm_private_data;

	spin_lock_bh(&w->lock);
	w->maps++;
	spin_unlock_bh(&w->lock);
}

/*
 * The entries are gone and flushed.  With another generation nobody finds his
 * slots any more, and nobody new can come before @maps is 0: the references are
 * ours to drop.
 */
static void sl_window_closed(struct vm_area_struct *vma)
{
	struct sl_window *w = vma->vm_private_data;
	u32 slot;

	spin_lock_bh(&w->lock);
	if (w->maps > 1) {
		w->maps--;
		spin_unlock_bh(&w->lock);
		return;
	}
	w->generation++;
	spin_unlock_bh(&w->lock);

	for_each_set_bit(slot, w->used, w->map_pages) {
		put_page(w->page[slot]);
		cond_resched();
	}

	spin_lock_bh(&w->lock);
	bitmap_zero(w->used, w->map_pages);
	bitmap_zero(w->stale, w->map_pages);
	bitmap_zero(w->copy_used, w->copy_pages);
	w->nr_used = 0;
	w->nr_stale = 0;
	w->nr_copy_used = 0;
	w->mm = NULL;
	w->maps = 0;
	spin_unlock_bh(&w->lock);
}

/* Entries are found by the address that the window was mapped at, as a whole. */
static int sl_window_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int sl_window_moved(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct sl_window_vm_ops = {
	.open = sl_window_opened,
	.close = sl_window_closed,
	.may_split = sl_window_split,
	.mremap = sl_window_moved,
	.fault = sl_window_fault,
};

/**
 * sl_window_mmap - map the window
 * @w: of a pool that is ready
 * @vma: where
 *
 * Return: 0; -EINVAL: there is none, not all of it is mapped, or not shared;
 * -EACCES: to be written; -EBUSY: it is mapped already.
 */
int sl_window_mmap(struct sl_window *w, struct vm_area_struct *vma)
{
	int err = 0;

	if (!w->map_pages || !(vma->vm_flags & VM_MAYSHARE) ||
	    vma->vm_pgoff != SL_WINDOW_OFFSET >> PAGE_SHIFT ||
	    vma_pages(vma) != w->map_pages + w->copy_pages)
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;

	spin_lock_bh(&w->lock);
	if (w->maps) {
		err = -EBUSY;
	} else {
		w->maps = 1;
		w->mm = vma->vm_mm;
		w->addr = vma->vm_start;
	}
	spin_unlock_bh(&w->lock);
	if (err)
		return err;
	/* VM_IO: MADV_DOFORK would undo VM_DONTCOPY */
	sl_vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND |
			VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_private_data = w;
	vma->vm_ops = &sl_window_vm_ops;
	return 0;
}

/* -- slots --------------------------------------------------------------------- */

/**
 * sl_window_begin - begin work on entries
 * @w: a window
 *
 * Return: the mapping, with mmap_lock held until sl_window_end(); NULL when it is
 * not mapped by the current process.
 */
struct vm_area_struct *sl_window_begin(struct sl_window *w)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma = NULL;

	if (!mm || READ_ONCE(w->mm) != mm)
		return NULL;
	mmap_read_lock(mm);
	/* Its mm does not change with mmap_lock held, but may have before. */
	if (w->mm == mm)
		vma = vma_lookup(mm, w->addr);
	if (!vma || vma->vm_ops != &sl_window_vm_ops ||
	    vma->vm_private_data != w) {
		mmap_read_unlock(mm);
		return NULL;
	}
	return vma;
}

void sl_window_end(struct sl_window *w)
{
	mmap_read_unlock(current->mm);
}

/* Take the next stretch of stale slots; 0: there is none. */
static u32 sl_window_next_stale(struct sl_window *w, u32 *slot)
{
	u32 end, n = 0;

	spin_lock_bh(&w->lock);
	*slot = find_next_bit(w->stale, w->map_pages, *slot);
	if (*slot < w->map_pages) {
		end = find_next_zero_bit(w->stale, w->map_pages, *slot);
		n = end - *slot;
		bitmap_clear(w->stale, *slot, n);
		w->nr_stale -= n;
	}
	spin_unlock_bh(&w->lock);
	return n;
}

/*
 * Unmap what is stale.  A page's reference goes after the flush: until then the
 * program can read it.
 */
static void sl_window_reclaim(struct sl_window *w, struct vm_area_struct *vma)
{
	u32 slot = 0, n, i;

	while ((n = sl_window_next_stale(w, &slot))) {
		sl_zap_special(vma, w->addr + ((unsigned long)slot << PAGE_SHIFT),
			       (unsigned long)n << PAGE_SHIFT);
		for (i = slot; i < slot + n; i++)
			put_page(w->page[i]);
		spin_lock_bh(&w->lock);
		bitmap_clear(w->used, slot, n);
		w->nr_used -= n;
		spin_unlock_bh(&w->lock);
		slot += n;
	}
}

static bool sl_window_many_stale(const struct sl_window *w)
{
	return READ_ONCE(w->nr_stale) >
	       min_t(u32, w->map_pages / 2, SL_WINDOW_STALE);
}

/**
 * sl_window_trim - unmap what is stale if there is much of it
 * @w: a window, which the current process need not have mapped
 *
 * Context: process, without mmap_lock.
 */
void sl_window_trim(struct sl_window *w)
{
	struct vm_area_struct *vma;

	if (!sl_window_many_stale(w))
		return;
	vma = sl_window_begin(w);
	if (!vma)
		return;
	sl_window_reclaim(w, vma);
	sl_window_end(w);
}

/*
 * Find @n free bits in a row, or half as many, and so on.
 * Return: the first one, or -ENOBUFS; @n: how many.
 */
static int sl_window_find(unsigned long *map, u32 size, u32 *next, u32 *n)
{
	unsigned long i;

	for (; *n; *n /= 2) {
		i = bitmap_find_next_zero_area(map, size, *next, *n, 0);
		if (i >= size)
			i = bitmap_find_next_zero_area(map, size, 0, *n, 0);
		if (i < size) {
			bitmap_set(map, i, *n);
			*next = i + *n == size ? 0 : i + *n;
			return i;
		}
	}
	return -ENOBUFS;
}

static int sl_window_take(struct sl_window *w, u32 *n)
{
	u32 want = *n;
	int slot;

	spin_lock_bh(&w->lock);
	slot = sl_window_find(w->used, w->map_pages, &w->next, n);
	/* Better all in a row, when that is to be had. */
	if (slot >= 0 && *n < want && w->nr_stale) {
		bitmap_clear(w->used, slot, *n);
		slot = -ENOBUFS;
	}
	if (slot >= 0)
		w->nr_used += *n;
	spin_unlock_bh(&w->lock);
	return slot;
}

struct sl_window_entries {
	struct mm_struct *mm;
	struct page **page;
	pgprot_t prot;
};

static int sl_window_entry(pte_t *pte, unsigned long addr, void *data)
{
	struct sl_window_entries *e = data;

	set_pte_at(e->mm, addr, pte,
		   pte_mkspecial(pfn_pte(page_to_pfn(*e->page++), e->prot)));
	return 0;
}

/**
 * sl_window_map - map pages, in a row
 * @w: a window
 * @vma: from sl_window_begin()
 * @page: the pages, a reference on each, which the window takes over of those that
 *	it maps
 * @n: in: how many; out: how many were mapped
 *
 * The entries were empty and are valid now: there is nothing to flush.
 *
 * Context: process, may sleep.
 * Return: the slot of the first, -ENOBUFS, or -ENOMEM.
 */
int sl_window_map(struct sl_window *w, struct vm_area_struct *vma,
		  struct page **page, u32 *n)
{
	struct sl_window_entries e = {
		.mm = vma->vm_mm,
		.page = page,
		.prot = vma->vm_page_prot,
	};
	u32 want = *n, generation = w->generation;
	int slot, err;

	if (sl_window_many_stale(w))
		sl_window_reclaim(w, vma);
	slot = sl_window_take(w, n);
	if (slot < 0) {
		sl_window_reclaim(w, vma);
		*n = want;
		slot = sl_window_take(w, n);
	}
	if (slot < 0)
		return slot;
	memcpy(w->page + slot, page, *n * sizeof(*page));
	err = apply_to_page_range(vma->vm_mm,
				  w->addr + ((unsigned long)slot << PAGE_SHIFT),
				  (unsigned long)*n << PAGE_SHIFT,
				  sl_window_entry, &e);
	if (err) {
		/* Some may be mapped.  It has the references all the same. */
		sl_window_drop(w, generation, slot, *n);
		return -ENOMEM;
	}
	return slot;
}

/**
 * sl_window_copy - slots to copy to, in a row
 * @w: a window
 * @n: in: how many; out: how many there are
 *
 * Return: the first slot, or -ENOBUFS.
 */
int sl_window_copy(struct sl_window *w, u32 *n)
{
	int slot;

	spin_lock_bh(&w->lock);
	slot = sl_window_find(w->copy_used, w->copy_pages, &w->copy_next, n);
	if (slot >= 0) {
		w->nr_copy_used += *n;
		slot += w->map_pages;
	}
	spin_unlock_bh(&w->lock);
	return slot;
}

/**
 * sl_window_drop - slots are not needed any more
 * @w: the window
 * @generation: of the window when they were taken
 * @slot: the first
 * @n: how many, all of one kind
 *
 * Context: any.
 */
void sl_window_drop(struct sl_window *w, u32 generation, u32 slot, u32 n)
{
	if (!n)
		return;
	spin_lock_bh(&w->lock);
	if (generation != w->generation) {
		/* They went with the mapping. */
	} else if (slot < w->map_pages) {
		bitmap_set(w->stale, slot, n);
		w->nr_stale += n;
	} else {
		bitmap_clear(w->copy_used, slot - w->map_pages, n);
		w->nr_copy_used -= n;
	}
	spin_unlock_bh(&w->lock);
}
