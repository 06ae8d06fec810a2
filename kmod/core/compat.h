/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that differs between kernel versions and architectures.  No
 * other file may look at LINUX_VERSION_CODE.
 */
#ifndef _SL_COMPAT_H
#define _SL_COMPAT_H

#include <linux/bvec.h>
#include <linux/kvm_types.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/rmap.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/uio.h>
#include <linux/version.h>
/* Folio batches: the header's own name changes, those that include it do not. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/writeback.h>
#else
#include <linux/pagevec.h>
#endif
#include <net/ip.h>
#include <net/net_namespace.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#include <net/rps.h>
#endif
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>

#ifdef CONFIG_X86_64
#include <asm/invpcid.h>
#include <asm/tlbflush.h>
#endif

/* For arrays too large to be cleared on the stack, as distributions have it */
#if __has_attribute(uninitialized)
#define SL_UNINITIALIZED	__attribute__((uninitialized))
#else
#define SL_UNINITIALIZED
#endif

/* A workqueue says which it is since 6.17. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define SL_WQ_PERCPU		WQ_PERCPU
#else
#define SL_WQ_PERCPU		0
#endif

/* Something for NAPIs to be of: an allocated one since 6.10 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
static inline struct net_device *sl_dummy_netdev(void)
{
	return alloc_netdev_dummy(0);
}

static inline void sl_dummy_netdev_free(struct net_device *dev)
{
	free_netdev(dev);
}
#else
static inline struct net_device *sl_dummy_netdev(void)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
}

static inline void sl_dummy_netdev_free(struct net_device *dev)
{
	kfree(dev);
}
#endif

/* User shadow stacks came with 6.6. */
#ifndef VM_SHADOW_STACK
#define VM_SHADOW_STACK		VM_NONE
#endif

static inline void sl_vm_flags_mod(struct vm_area_struct *vma,
				   unsigned long set, unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/* proto_ops.accept got an argument structure */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define SL_ACCEPT_PARAMS	struct proto_accept_arg *arg
#define SL_ACCEPT_ARGS		arg
#else
#define SL_ACCEPT_PARAMS	int flags, bool kern
#define SL_ACCEPT_ARGS		flags, kern
#endif

/* sysctl handlers got a const table */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define SL_CTL_TABLE		const struct ctl_table
#else
#define SL_CTL_TABLE		struct ctl_table
#endif

/* The caller's table has one empty entry behind the @n used ones. */
static inline struct ctl_table_header *
sl_register_net_sysctl(struct net *net, const char *path,
		       struct ctl_table *table, size_t n)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return register_net_sysctl_sz(net, path, table, n);
#else
	return register_net_sysctl(net, path, table);
#endif
}

/* The tracepoint sched_process_exit says whether the thread group is gone. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define SL_EXIT_PARAMS		struct task_struct *p, bool group_dead
#else
#define SL_EXIT_PARAMS		struct task_struct *p
#endif

/* The user segment under the iterator: where it goes on, what is left of it. */
static inline void __user *sl_iter_addr(const struct iov_iter *i)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return iter_iov_addr(i);
#else
	if (iter_is_ubuf(i))
		return i->ubuf + i->iov_offset;
	return i->iov->iov_base + i->iov_offset;
#endif
}

static inline const struct iovec *sl_iter_iov(const struct iov_iter *i)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return iter_iov(i);
#else
	return i->iov;
#endif
}

/* Empty this CPU's batches of pages on their way to the LRU lists. */
static inline void sl_lru_drain(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	struct folio_batch fbatch;

	folio_batch_init(&fbatch);
	__folio_batch_release(&fbatch);
#else
	struct pagevec pvec;

	pagevec_init(&pvec);
	__pagevec_release(&pvec);
#endif
}

/*
 * Mark an exclusive anonymous page as maybe shared; the caller has cleared
 * its page table entry.  Fails when the page may be pinned.
 */
static inline int sl_try_share_anon(struct page *page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return folio_try_share_anon_rmap_pte(page_folio(page), page);
#else
	return page_try_share_anon_rmap(page);
#endif
}

/* The same for a huge page mapped by a pmd, which is invalid meanwhile. */
static inline int sl_try_share_anon_pmd(struct folio *folio)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return folio_try_share_anon_rmap_pmd(folio, &folio->page);
#else
	return page_try_share_anon_rmap(&folio->page);
#endif
}

static inline bool sl_pmd_devmap(pmd_t pmd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return false;	/* is_zone_device_page() tells */
#else
	return pmd_devmap(pmd);
#endif
}

static inline bool sl_pte_devmap(pte_t pte)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return false;	/* is_zone_device_page() tells */
#else
	return pte_devmap(pte);
#endif
}

/* Does what is sent now go into a datagram with what was sent before? */
static inline bool sl_udp_corked(struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->pending) || udp_test_bit(CORK, sk);
}

static inline u32 sl_sk_tsflags(const struct sock *sk)
{
	return READ_ONCE(sk->sk_tsflags);
}

/* UDP-Lite is gone from newer kernels. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
#define SL_UDP_INC(sk, field)	UDP_INC_STATS(sock_net(sk), field)
#else
#define SL_UDP_INC(sk, field)	UDP_INC_STATS(sock_net(sk), field, 0)
#endif

/* Can the CPU read what is in its frags? */
static inline bool sl_skb_readable(const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return skb_frags_readable(skb);
#else
	return true;
#endif
}

/* Unmap part of a mapping of special entries, and flush it. */
static inline void sl_zap_special(struct vm_area_struct *vma, unsigned long addr,
				  unsigned long size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
	zap_special_vma_range(vma, addr, size);
#else
	zap_vma_ptes(vma, addr, size);
#endif
}

#ifdef CONFIG_X86_64
/*
 * Newer kernels export __flush_tlb_all() to KVM alone: its instructions, then.
 * Either empties the TLB whole.  Interrupts are off.
 */
#ifdef EXPORT_SYMBOL_FOR_KVM
static inline void sl_flush_this_cpu(void *unused)
{
	unsigned long cr4;

	if (cpu_feature_enabled(X86_FEATURE_INVPCID)) {
		invpcid_flush_all();
		return;
	}
	cr4 = native_read_cr4();
	asm volatile("mov %0, %%cr4" : : "r" (cr4 ^ X86_CR4_PGE) : "memory");
	asm volatile("mov %0, %%cr4" : : "r" (cr4) : "memory");
}

/* A Xen PV guest would have to ask its hypervisor. */
static inline bool sl_can_flush(void)
{
	return !boot_cpu_has(X86_FEATURE_XENPV);
}
#else
static inline void sl_flush_this_cpu(void *unused)
{
	__flush_tlb_all();
}

static inline bool sl_can_flush(void)
{
	return true;
}
#endif

/*
 * Flush user translations of @mm on every CPU that may hold some.  x86 exports
 * no flush of a user range.  (A kprobe would find flush_tlb_mm_range(), but
 * objtool removes the ENDBR of functions that nobody calls indirectly: with
 * IBT such a call is fatal.)
 *
 * The increment is the full barrier between the caller's page table writes
 * and our read of mm_cpumask, and makes a CPU that switches to @mm later flush
 * whatever its PCID kept: the protocol of flush_tlb_mm_range().
 */
static inline void sl_flush_tlb_mm(struct mm_struct *mm)
{
	atomic64_inc_return(&mm->context.tlb_gen);
#ifdef X86_FEATURE_INVLPGB
	/* Global address space ids: mm_cpumask is not kept, flush everywhere. */
	if (cpu_feature_enabled(X86_FEATURE_INVLPGB)) {
		on_each_cpu(sl_flush_this_cpu, NULL, 1);
		return;
	}
#endif
	on_each_cpu_mask(mm_cpumask(mm), sl_flush_this_cpu, NULL, 1);
}
#else
#error "sockloan: no exported way to flush user translations is known here"
#endif

/* Flags that only the kernel itself gives to sendmsg */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define SL_MSG_INTERNAL		MSG_SPLICE_PAGES
#else
#define SL_MSG_INTERNAL		(MSG_SENDPAGE_NOTLAST | MSG_SENDPAGE_NOPOLICY | \
				 MSG_SENDPAGE_DECRYPTED)
#endif

/* Nobody completes our skbs; see push.c. */
static inline void sl_ubuf_complete(struct sk_buff *skb, struct ubuf_info *uarg,
				    bool success)
{
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
static const struct ubuf_info_ops sl_ubuf_ops __maybe_unused = {
	.complete = sl_ubuf_complete,
};

#define SL_UBUF_INIT		.ops = &sl_ubuf_ops
#else
#define SL_UBUF_INIT		.callback = sl_ubuf_complete
#endif

/* msghdr.sg_from_iter; later kernels account for what it adds themselves. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define SL_SG_PARAMS \
	struct sk_buff *skb, struct iov_iter *from, size_t length

static inline void sl_sg_charge(struct sk_buff *skb, unsigned int truesize)
{
}
#else
#define SL_SG_PARAMS \
	struct sock *sk, struct sk_buff *skb, struct iov_iter *from, \
	size_t length

#define sl_sg_charge(skb, truesize)	sl_sg_charge_sk(sk, skb, truesize)

static inline void sl_sg_charge_sk(struct sock *sk, struct sk_buff *skb,
				   unsigned int truesize)
{
	if (sk->sk_type != SOCK_STREAM) {
		refcount_add(truesize, &sk->sk_wmem_alloc);
		return;
	}
	sk_wmem_queued_add(sk, truesize);
	/* A pure zero-copy skb is user memory only: tcp_wmem_free_skb() */
	if (!skb_zcopy_pure(skb))
		sk_mem_charge(sk, truesize);
}
#endif

#endif /* _SL_COMPAT_H */
