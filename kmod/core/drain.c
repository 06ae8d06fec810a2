// SPDX-License-Identifier: GPL-2.0
/*
 * Drain what every CPU puts off: batches of pages on their way to the LRU lists, and
 * skbs that other CPUs have given back to it.
 *
 * A page in such a batch has a reference that keeps it from being lent.  On a
 * busy machine it is gone soon, but the few pages of a small buffer, written
 * once, may stay for ever.  So when a loan meets one, the batches are drained in
 * the background, now and then, for the next send to find it settled.
 *
 * An skb that is received on one CPU and was allocated on another one goes back there,
 * to be freed by the next softirq of the network's, which on an idle machine may never
 * come.  So packets of a pool would stay in flight, and with a small pool all of them.
 * A poll of nothing, by a NAPI of our own, is such a softirq.
 */
#include <linux/cpu.h>
#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "sockloan.h"

#define SL_DRAIN_PERIOD		(HZ / 10)

static DEFINE_PER_CPU(struct work_struct, sl_drain_works);
static DEFINE_PER_CPU(struct napi_struct, sl_drain_napis);
static struct net_device *sl_drain_dev;	/* of these; it is no device */
static struct workqueue_struct *sl_drain_wq;
static unsigned long sl_drain_next;	/* jiffies; racing writers are fine */

static int sl_drain_poll(struct napi_struct *napi, int budget)
{
	napi_complete_done(napi, 0);
	return 0;
}

static void sl_drain_this_cpu(struct work_struct *work)
{
	sl_lru_drain();
	/* The softirq runs at the end of this. */
	local_bh_disable();
	napi_schedule(this_cpu_ptr(&sl_drain_napis));
	local_bh_enable();
}

static void sl_drain_all(struct work_struct *work)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		queue_work_on(cpu, sl_drain_wq,
			      per_cpu_ptr(&sl_drain_works, cpu));
	cpus_read_unlock();
}

static DECLARE_WORK(sl_drain_all_work, sl_drain_all);

/* Context: any. */
void sl_drain_everywhere(void)
{
	if (time_before(jiffies, READ_ONCE(sl_drain_next)))
		return;
	WRITE_ONCE(sl_drain_next, jiffies + SL_DRAIN_PERIOD);
	queue_work(sl_drain_wq, &sl_drain_all_work);
}

int __init sl_drain_init(void)
{
	int cpu;

	sl_drain_dev = sl_dummy_netdev();
	if (!sl_drain_dev)
		return -ENOMEM;
	sl_drain_wq = alloc_workqueue("sockloan", SL_WQ_PERCPU, 0);
	if (!sl_drain_wq) {
		sl_dummy_netdev_free(sl_drain_dev);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		struct napi_struct *napi = per_cpu_ptr(&sl_drain_napis, cpu);

		INIT_WORK(per_cpu_ptr(&sl_drain_works, cpu), sl_drain_this_cpu);
		netif_napi_add(sl_drain_dev, napi, sl_drain_poll);
		napi_enable(napi);
	}
	sl_drain_next = jiffies;
	return 0;
}

void sl_drain_exit(void)
{
	int cpu;

	/* Waits for the works, behind which no poll is started. */
	destroy_workqueue(sl_drain_wq);
	for_each_possible_cpu(cpu) {
		napi_disable(per_cpu_ptr(&sl_drain_napis, cpu));
		netif_napi_del(per_cpu_ptr(&sl_drain_napis, cpu));
	}
	sl_dummy_netdev_free(sl_drain_dev);
}
