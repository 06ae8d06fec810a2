// SPDX-License-Identifier: GPL-2.0
/*
 * Packet buffers that programs fill and give away.
 *
 * The buffers are memory of the kernel's, mapped by pfn: nobody can take a
 * reference on a page through the mapping.  So a buffer in flight is one whose
 * pages have references besides the pool's own, and it is free again when the
 * last skb that has it is gone, wherever that was: no completion has to be
 * waited for, nothing is marked zero-copy, and a local receiver gets the pages
 * themselves.  Buffers are looked at when some are asked for.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "pool.h"
#include "rx.h"
#include "sockloan.h"

/* A packet's id: its buffer and, above that, its generation */
#define SL_ID_BUF_BITS		20
#define SL_ID_GENERATIONS	(1u << (32 - SL_ID_BUF_BITS))

static u32 sl_pool_id(const struct sl_pool *pool, u32 i)
{
	return (u32)pool->buf[i].generation << SL_ID_BUF_BITS | i;
}

struct sl_pool *sl_pool_new(void)
{
	struct sl_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL_ACCOUNT);

	if (!pool)
		return NULL;
	kref_init(&pool->ref);
	mutex_init(&pool->setup);
	mutex_init(&pool->lock);
	pool->free_list = SL_BUF_END;
	pool->flight_list = SL_BUF_END;
	spin_lock_init(&pool->event_lock);
	INIT_LIST_HEAD(&pool->sockets);
	INIT_LIST_HEAD(&pool->eventful);
	init_waitqueue_head(&pool->wait);
	sl_window_init(&pool->window);
	return pool;
}

static void sl_pool_free_pages(struct sl_pool *pool)
{
	size_t i, n = (size_t)pool->bufs * pool->pieces;

	/* What is in flight goes with its last skb. */
	for (i = 0; i < n && pool->pages[i]; i++)
		put_page(pool->pages[i]);
	kvfree(pool->pages);
	pool->pages = NULL;
}

static unsigned long sl_pool_size(const struct sl_pool *pool)
{
	return (unsigned long)pool->bufs * (pool->buf_size >> PAGE_SHIFT);
}

/**
 * sl_pool_close - the file is closed, and unmapped
 * @pool: its pool, set up or not
 *
 * Context: process, takes the locks of its sockets.
 */
void sl_pool_close(struct sl_pool *pool)
{
	sl_rx_leave_all(pool);
	if (pool->ready) {
		sl_window_free(&pool->window);
		sl_pool_free_pages(pool);
		kvfree(pool->buf);
		account_locked_vm(pool->mm, pool->locked, false);
		mmdrop(pool->mm);
	}
	sl_pool_put(pool);
}

static void sl_pool_last(struct kref *ref)
{
	struct sl_pool *pool = container_of(ref, struct sl_pool, ref);

	/* Callbacks of its sockets may be looking at it. */
	kfree_rcu(pool, rcu);
}

/* Context: any. */
void sl_pool_put(struct sl_pool *pool)
{
	kref_put(&pool->ref, sl_pool_last);
}

static int sl_pool_get_pages(struct sl_pool *pool, unsigned int order)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	size_t i, n;

	/* Neither is worth killing somebody for. */
	gfp |= order ? __GFP_COMP | __GFP_NORETRY : __GFP_RETRY_MAYFAIL;
	pool->order = order;
	pool->pieces = pool->buf_size >> PAGE_SHIFT >> order;
	n = (size_t)pool->bufs * pool->pieces;
	pool->pages = kvcalloc(n, sizeof(*pool->pages), GFP_KERNEL_ACCOUNT);
	if (!pool->pages)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (fatal_signal_pending(current))
			break;
		pool->pages[i] = alloc_pages(gfp, order);
		if (!pool->pages[i])
			break;
		/* Gone when the page is allocated again, whoever frees it */
		set_page_private(pool->pages[i], SL_POOL_MARK);
		cond_resched();
	}
	if (i == n)
		return 0;
	sl_pool_free_pages(pool);
	return fatal_signal_pending(current) ? -EINTR : -ENOMEM;
}

static int sl_pool_fill(struct sl_pool *pool)
{
	unsigned int order;
	int err;
	u32 i;

	if (!pool->bufs)
		return 0;
	pool->buf = kvcalloc(pool->bufs, sizeof(*pool->buf),
			     GFP_KERNEL_ACCOUNT);
	if (!pool->buf)
		return -ENOMEM;
	/* Not before: a second set-up, without buffers, would find some. */
	pool->free_list = 0;
	for (i = 0; i < pool->bufs; i++)
		pool->buf[i].next = i + 1 < pool->bufs ? i + 1 : SL_BUF_END;

	order = min_t(unsigned int, __ffs(pool->buf_size >> PAGE_SHIFT),
		      SL_BUF_ORDER_MAX);
	err = sl_pool_get_pages(pool, order);
	if (err == -ENOMEM && order)
		err = sl_pool_get_pages(pool, 0);
	if (err) {
		kvfree(pool->buf);
		pool->buf = NULL;
		pool->free_list = SL_BUF_END;
	}
	return err;
}

/* Buffers, a window, or both */
static bool sl_pool_valid(const struct sockloan_pool *arg)
{
	if (!arg->bufs != !arg->buf_size || !(arg->bufs | arg->window))
		return false;
	if (arg->buf_size > SOCKLOAN_BUF_MAX || arg->bufs > SOCKLOAN_BUFS_MAX)
		return false;
	return !arg->window || (arg->window >= SOCKLOAN_WINDOW_MIN &&
				arg->window <= SOCKLOAN_WINDOW_MAX);
}

/* Its memory; RLIMIT_MEMLOCK has been charged. */
static int sl_pool_make(struct sl_pool *pool, u64 window)
{
	int err = sl_pool_fill(pool);

	if (err || !window)
		return err;
	err = sl_window_make(&pool->window, window);
	if (err && pool->bufs) {
		sl_pool_free_pages(pool);
		kvfree(pool->buf);
		pool->buf = NULL;
		pool->free_list = SL_BUF_END;
	}
	return err;
}

/**
 * sl_pool_setup - SOCKLOAN_IOC_POOL
 * @pool: of the file
 * @arg: checked but for its sizes
 *
 * Return: 0 or what the ioctl returns.
 */
int sl_pool_setup(struct sl_pool *pool, struct sockloan_pool *arg)
{
	static atomic64_t last = ATOMIC64_INIT(0);
	int err;

	if (!sl_pool_valid(arg))
		return -EINVAL;
	mutex_lock(&pool->setup);
	err = -EBUSY;
	if (pool->ready)
		goto out;
	pool->buf_size = PAGE_ALIGN(arg->buf_size);
	pool->bufs = arg->bufs;
	/* Not even the table of its pages is worth trying then. */
	err = -ENOMEM;
	pool->locked = sl_pool_size(pool) + sl_window_memory(arg->window);
	if (pool->locked > totalram_pages())
		goto out;
	err = account_locked_vm(current->mm, pool->locked, true);
	if (err)
		goto out;
	err = sl_pool_make(pool, arg->window);
	if (err) {
		account_locked_vm(current->mm, pool->locked, false);
		goto out;
	}
	pool->number = atomic64_inc_return(&last);
	pool->mm = current->mm;
	mmgrab(pool->mm);
	pool->stat.buf_size = pool->buf_size;
	pool->stat.bufs = pool->bufs;
	pool->stat.free = pool->bufs;
	pool->stat.lowest_free = pool->bufs;
	arg->buf_size = pool->buf_size;
	arg->map_size = (u64)pool->bufs * pool->buf_size;
	arg->window = sl_window_length(&pool->window);
	arg->window_offset = arg->window ? SL_WINDOW_OFFSET : 0;
	/* Pairs with sl_pool_ready(). */
	smp_store_release(&pool->ready, true);
out:
	mutex_unlock(&pool->setup);
	return err;
}

/* May the pool be used?  Then all of its set-up is seen. */
bool sl_pool_ready(const struct sl_pool *pool)
{
	/* Pairs with the release in sl_pool_setup(). */
	return smp_load_acquire(&pool->ready);
}

/* -- the mapping -------------------------------------------------------------- */

static unsigned long sl_pool_pfn(const struct sl_pool *pool, pgoff_t page)
{
	return page_to_pfn(pool->pages[page >> pool->order]) +
	       (page & ((1u << pool->order) - 1));
}

/* Map the rest of the buffer as well. */
static vm_fault_t sl_pool_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct sl_pool *pool = vma->vm_private_data;
	unsigned long addr = vmf->address & PAGE_MASK;
	u32 buf_pages = pool->buf_size >> PAGE_SHIFT;
	pgoff_t page = vmf->pgoff, end;
	vm_fault_t ret;

	if (page >= sl_pool_size(pool))
		return VM_FAULT_SIGBUS;
	end = page - page % buf_pages + buf_pages;
	ret = vmf_insert_pfn(vma, addr, sl_pool_pfn(pool, page));
	while (ret == VM_FAULT_NOPAGE && ++page < end) {
		addr += PAGE_SIZE;
		if (addr >= vma->vm_end ||
		    vmf_insert_pfn(vma, addr, sl_pool_pfn(pool, page)) !=
		    VM_FAULT_NOPAGE)
			break;
	}
	return ret;
}

static const struct vm_operations_struct sl_pool_vm_ops = {
	.fault = sl_pool_fault,
};

/**
 * sl_pool_mmap - map the buffers
 * @pool: of the file
 * @vma: where; it holds the file
 *
 * Or the receive window.
 *
 * Return: 0, -ENXIO when the file is no pool, -EINVAL when the mapping is
 * private, or larger than the pool, -EACCES when it is executable.
 */
int sl_pool_mmap(struct sl_pool *pool, struct vm_area_struct *vma)
{
	unsigned long pages = vma_pages(vma);

	if (!sl_pool_ready(pool))
		return -ENXIO;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	if (vma->vm_pgoff >= SL_WINDOW_OFFSET >> PAGE_SHIFT)
		return sl_window_mmap(&pool->window, vma);
	/* A copy of a buffer could not be given away. */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff > sl_pool_size(pool) ||
	    pages > sl_pool_size(pool) - vma->vm_pgoff)
		return -EINVAL;
	sl_vm_flags_mod(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP,
			VM_MAYEXEC);
	vma->vm_private_data = pool;
	vma->vm_ops = &sl_pool_vm_ops;
	return 0;
}

/* -- packets ------------------------------------------------------------------- */

static void sl_pool_push(struct sl_pool *pool, u32 *list, u32 i)
{
	pool->buf[i].next = *list;
	*list = i;
}

static void sl_pool_give(struct sl_pool *pool, u32 i)
{
	pool->buf[i].state = SL_BUF_FREE;
	sl_pool_push(pool, &pool->free_list, i);
	pool->stat.free++;
}

/* Has the network dropped all of its references? */
static bool sl_pool_idle(const struct sl_pool *pool, u32 i)
{
	struct page **page = pool->pages + (size_t)i * pool->pieces;
	u32 n;

	for (n = 0; n < pool->pieces; n++)
		if (page_ref_count(page[n]) != 1)
			return false;
	/*
	 * What others read of the buffer they read before they dropped their
	 * references; what its next user writes comes after the look at those.
	 */
	smp_mb();
	return true;
}

/* Take back what is in flight no longer. */
static void sl_pool_reclaim(struct sl_pool *pool)
{
	u32 *link = &pool->flight_list, i;

	while ((i = *link) != SL_BUF_END) {
		if (!sl_pool_idle(pool, i)) {
			link = &pool->buf[i].next;
			continue;
		}
		*link = pool->buf[i].next;
		pool->stat.in_flight--;
		sl_pool_give(pool, i);
	}
}

/**
 * sl_pool_alloc - allocate packets
 * @pool: a pool that is ready
 * @ids: out: which
 * @count: how many are wanted
 *
 * Return: how many there are.
 */
u32 sl_pool_alloc(struct sl_pool *pool, u32 *ids, u32 count)
{
	u32 n, i;

	mutex_lock(&pool->lock);
	if (pool->stat.free < count)
		sl_pool_reclaim(pool);
	for (n = 0; n < count; n++) {
		i = pool->free_list;
		if (i == SL_BUF_END)
			break;
		pool->free_list = pool->buf[i].next;
		pool->buf[i].state = SL_BUF_HELD;
		pool->buf[i].generation = (pool->buf[i].generation + 1) %
					  SL_ID_GENERATIONS;
		ids[n] = sl_pool_id(pool, i);
	}
	pool->stat.free -= n;
	pool->stat.held += n;
	pool->stat.allocs += n;
	pool->stat.alloc_failures += count - n;
	pool->stat.lowest_free = min(pool->stat.lowest_free, pool->stat.free);
	/* Some may only wait to be freed, on CPUs that have nothing to do. */
	if (n < count && pool->stat.in_flight)
		sl_drain_everywhere();
	mutex_unlock(&pool->lock);
	return n;
}

/* Is @id a packet that the program holds?  Pool locked. */
static int sl_pool_check(struct sl_pool *pool, u32 id)
{
	u32 i = SOCKLOAN_PKT_BUF(id);
	int err = 0;

	if (i >= pool->bufs || id != sl_pool_id(pool, i) ||
	    pool->buf[i].state == SL_BUF_FREE)
		err = -ENOENT;
	else if (pool->buf[i].state != SL_BUF_HELD)
		err = -EBUSY;
	if (err)
		pool->stat.bad_ids++;
	return err;
}

/**
 * sl_pool_free - free a packet
 * @pool: a pool that is ready
 * @id: the packet, as the program says
 *
 * Return: 0; -ENOENT: no such packet; -EBUSY: given away.
 */
int sl_pool_free(struct sl_pool *pool, u32 id)
{
	int err;

	mutex_lock(&pool->lock);
	err = sl_pool_check(pool, id);
	if (!err) {
		pool->stat.held--;
		pool->stat.frees++;
		sl_pool_give(pool, SOCKLOAN_PKT_BUF(id));
	}
	mutex_unlock(&pool->lock);
	return err;
}

/**
 * sl_pool_take - take a packet from the program, to be queued
 * @pool: a pool that is ready
 * @id: the packet, as the program says
 *
 * sl_pool_back() has to follow.
 *
 * Return: as sl_pool_free().
 */
int sl_pool_take(struct sl_pool *pool, u32 id)
{
	int err;

	mutex_lock(&pool->lock);
	err = sl_pool_check(pool, id);
	if (!err)
		pool->buf[SOCKLOAN_PKT_BUF(id)].state = SL_BUF_LEAVING;
	mutex_unlock(&pool->lock);
	return err;
}

/**
 * sl_pool_back - the packet that was taken was queued, or was not
 * @pool: the pool
 * @id: the packet
 * @sent: it was
 * @len: its length, bytes
 */
void sl_pool_back(struct sl_pool *pool, u32 id, bool sent, u32 len)
{
	u32 i = SOCKLOAN_PKT_BUF(id);

	mutex_lock(&pool->lock);
	if (sent) {
		pool->buf[i].state = SL_BUF_FLIGHT;
		sl_pool_push(pool, &pool->flight_list, i);
		pool->stat.held--;
		pool->stat.in_flight++;
		pool->stat.xouts++;
		pool->stat.xout_bytes += len;
	} else {
		pool->buf[i].state = SL_BUF_HELD;
	}
	mutex_unlock(&pool->lock);
}

/**
 * sl_pool_pieces - the memory of a packet
 * @pool: a pool that is ready
 * @id: a packet that was taken
 * @offset: where its data begins in the buffer, bytes
 * @len: length of the data, bytes; the two are within the buffer
 * @bv: out: the pieces, at most SL_BUF_PIECES_MAX, a reference on each
 *
 * Return: how many pieces.
 */
unsigned int sl_pool_pieces(const struct sl_pool *pool, u32 id, u32 offset,
			    u32 len, struct bio_vec *bv)
{
	struct page **page = pool->pages +
			     (size_t)SOCKLOAN_PKT_BUF(id) * pool->pieces;
	u32 piece = PAGE_SIZE << pool->order, size;
	unsigned int nr = 0;

	page += offset / piece;
	offset %= piece;
	while (len) {
		size = min(len, piece - offset);
		get_page(*page);
		bvec_set_page(&bv[nr++], *page++, size, offset);
		len -= size;
		offset = 0;
	}
	return nr;
}

/**
 * sl_pool_stat - SOCKLOAN_IOC_POOLSTAT
 * @pool: a pool that is ready
 * @stat: out: all but its size
 */
void sl_pool_stat(struct sl_pool *pool, struct sockloan_poolstat *stat)
{
	u32 size = stat->size;

	mutex_lock(&pool->lock);
	sl_pool_reclaim(pool);
	if (pool->stat.in_flight)
		sl_drain_everywhere();
	*stat = pool->stat;
	mutex_unlock(&pool->lock);
	sl_window_stat(&pool->window, stat);
	spin_lock_irq(&pool->event_lock);
	stat->sockets = pool->nr_sockets;
	stat->events = pool->events;
	spin_unlock_irq(&pool->event_lock);
	stat->peeks = atomic64_read(&pool->rx.peeks);
	stat->bytes_mapped = atomic64_read(&pool->rx.bytes_mapped);
	stat->bytes_copied = atomic64_read(&pool->rx.bytes_copied);
	stat->bytes_released = atomic64_read(&pool->rx.bytes_released);
	stat->bytes_forwarded = atomic64_read(&pool->rx.bytes_forwarded);
	stat->bytes_forwarded_copied =
		atomic64_read(&pool->rx.bytes_forwarded_copied);
	stat->bad_releases = atomic64_read(&pool->rx.bad_releases);
	stat->window_full = atomic64_read(&pool->rx.window_full);
	stat->size = size;
}
