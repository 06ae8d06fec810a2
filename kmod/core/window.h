/* SPDX-License-Identifier: GPL-2.0 */
/* The receive window of a pool. */
#ifndef _SL_WINDOW_H
#define _SL_WINDOW_H

#include <linux/bits.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct mm_struct;
struct page;
struct sockloan_poolstat;
struct vm_area_struct;

/* Where in the file it begins: behind the largest buffers */
#define SL_WINDOW_OFFSET	BIT_ULL(40)

/**
 * struct sl_window - slots of a page each, in one mapping
 * @map_pages: the first so many are for pages that are mapped where they lie
 * @copy_pages: the next so many are memory of the window's own
 * @copy: that memory
 * @page: what is mapped in each of the first; a reference on it.  Whoever has
 *	set a slot's bit in @used, and nobody else, may look at it
 * @lock: of all that follows
 * @used: slots that are taken, or still mapped
 * @stale: of them, those that nobody needs any more, and that can be unmapped
 * @copy_used: the others that are taken
 * @nr_used: bits in @used
 * @nr_stale: bits in @stale
 * @nr_copy_used: bits in @copy_used
 * @next: where to look for free slots first
 * @copy_next: likewise
 * @generation: of the mapping; slots of an older one are gone
 * @maps: mappings there are: 1, or 2 during mremap()
 * @mm: where it is mapped.  Set and cleared with its mmap_lock held for writing
 * @addr: and at which address
 */
struct sl_window {
	u32 map_pages;
	u32 copy_pages;
	void *copy;
	struct page **page;

	spinlock_t lock;	/* see above */
	unsigned long *used;
	unsigned long *stale;
	unsigned long *copy_used;
	u32 nr_used;
	u32 nr_stale;
	u32 nr_copy_used;
	u32 next;
	u32 copy_next;
	u32 generation;
	unsigned int maps;
	struct mm_struct *mm;
	unsigned long addr;
};

void sl_window_init(struct sl_window *w);
unsigned long sl_window_memory(u64 size);
int sl_window_make(struct sl_window *w, u64 size);
void sl_window_free(struct sl_window *w);
u64 sl_window_length(const struct sl_window *w);
int sl_window_mmap(struct sl_window *w, struct vm_area_struct *vma);
void sl_window_stat(struct sl_window *w, struct sockloan_poolstat *stat);

struct vm_area_struct *sl_window_begin(struct sl_window *w);
void sl_window_end(struct sl_window *w);
void sl_window_trim(struct sl_window *w);
int sl_window_map(struct sl_window *w, struct vm_area_struct *vma,
		  struct page **page, u32 *n);
int sl_window_copy(struct sl_window *w, u32 *n);
void sl_window_drop(struct sl_window *w, u32 generation, u32 slot, u32 n);

/* Memory of a slot for copies */
static inline void *sl_window_memory_of(const struct sl_window *w, u32 slot)
{
	return w->copy + ((size_t)(slot - w->map_pages) << PAGE_SHIFT);
}

#endif /* _SL_WINDOW_H */
