// SPDX-License-Identifier: GPL-2.0
/*
 * Drain the batches of pages on their way to the LRU lists, on every CPU.
 *
 * A page in such a batch has a reference that keeps it from being lent.  On a
 * busy machine it is gone soon, but the few pages of a small buffer, written
 * once, may stay for ever.  So when a loan meets one, the batches are drained in
 * the background, now and then, for the next send to find it settled.
 */
#include <linux/cpu.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "sockloan.h"

#define SL_DRAIN_PERIOD		(HZ / 10)

static DEFINE_PER_CPU(struct work_struct, sl_drain_works);
static struct workqueue_struct *sl_drain_wq;
static unsigned long sl_drain_next;	/* jiffies; racing writers are fine */

static void sl_drain_this_cpu(struct work_struct *work)
{
	sl_lru_drain();
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

	sl_drain_wq = alloc_workqueue("sockloan", SL_WQ_PERCPU, 0);
	if (!sl_drain_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		INIT_WORK(per_cpu_ptr(&sl_drain_works, cpu), sl_drain_this_cpu);
	sl_drain_next = jiffies;
	return 0;
}

void sl_drain_exit(void)
{
	destroy_workqueue(sl_drain_wq);
}
