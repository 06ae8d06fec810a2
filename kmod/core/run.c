// SPDX-License-Identifier: GPL-2.0
/*
 * Processes whose new sockets are attached: `sockloan run`.
 *
 * A process is known by its signal_struct, which all its threads share and
 * execve(2) keeps.  The scheduler's fork and exit tracepoints pass the mark on
 * and take it away.
 */
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "sockloan.h"

/**
 * struct sl_mark - a marked process
 * @node: in sl_marks
 * @signal: which; only compared, never followed
 * @rcu: sl_run_marked() reads under RCU
 */
struct sl_mark {
	struct hlist_node node;
	const struct signal_struct *signal;
	struct rcu_head rcu;
};

static DEFINE_HASHTABLE(sl_marks, 8);
static DEFINE_SPINLOCK(sl_marks_lock);	/* changes of sl_marks */
static atomic_t sl_mark_count;

static struct tracepoint *sl_tp_fork, *sl_tp_exit;
static DEFINE_MUTEX(sl_run_mutex);	/* registration */
static bool sl_run_armed;

static struct sl_mark *sl_mark_find(const struct signal_struct *signal)
{
	struct sl_mark *mark;

	hash_for_each_possible_rcu(sl_marks, mark, node, (unsigned long)signal,
				   lockdep_is_held(&sl_marks_lock))
		if (mark->signal == signal)
			return mark;
	return NULL;
}

/* Context: any. */
static int sl_mark_add(const struct signal_struct *signal, gfp_t gfp)
{
	struct sl_mark *mark = kmalloc(sizeof(*mark), gfp);
	unsigned long flags;

	if (!mark)
		return -ENOMEM;
	mark->signal = signal;

	spin_lock_irqsave(&sl_marks_lock, flags);
	if (sl_mark_find(signal)) {
		kfree(mark);
	} else {
		hash_add_rcu(sl_marks, &mark->node, (unsigned long)signal);
		atomic_inc(&sl_mark_count);
	}
	spin_unlock_irqrestore(&sl_marks_lock, flags);
	return 0;
}

static void sl_mark_del(const struct signal_struct *signal)
{
	struct sl_mark *mark;
	unsigned long flags;

	spin_lock_irqsave(&sl_marks_lock, flags);
	mark = sl_mark_find(signal);
	if (mark) {
		hash_del_rcu(&mark->node);
		atomic_dec(&sl_mark_count);
		kfree_rcu(mark, rcu);
	}
	spin_unlock_irqrestore(&sl_marks_lock, flags);
}

/* Is the current process marked?  Context: any but NMI. */
bool sl_run_marked(void)
{
	bool marked;

	if (!atomic_read(&sl_mark_count))
		return false;
	rcu_read_lock();
	marked = sl_mark_find(current->signal);
	rcu_read_unlock();
	return marked;
}

static void sl_run_fork(void *data, struct task_struct *parent,
			struct task_struct *child)
{
	if (child->signal == parent->signal || !sl_run_marked())
		return;
	if (sl_mark_add(child->signal, GFP_ATOMIC | __GFP_NOWARN))
		pr_warn_ratelimited("sockloan: out of memory, process %d runs without sockloan\n",
				    child->pid);
}

static void sl_run_task_exit(void *data, SL_EXIT_PARAMS)
{
	/* do_exit() has counted this thread out already. */
	if (!atomic_read(&p->signal->live) && atomic_read(&sl_mark_count))
		sl_mark_del(p->signal);
}

static void sl_run_find_tracepoint(struct tracepoint *tp, void *priv)
{
	if (!strcmp(tp->name, "sched_process_fork"))
		sl_tp_fork = tp;
	else if (!strcmp(tp->name, "sched_process_exit"))
		sl_tp_exit = tp;
}

static int sl_run_arm(void)
{
	int err = 0;

	mutex_lock(&sl_run_mutex);
	if (sl_run_armed)
		goto out;
	err = -EOPNOTSUPP;
	if (!sl_tp_fork || !sl_tp_exit)
		goto out;
	/* Exit first: a mark must never outlive its process. */
	err = tracepoint_probe_register(sl_tp_exit, sl_run_task_exit, NULL);
	if (err)
		goto out;
	err = tracepoint_probe_register(sl_tp_fork, sl_run_fork, NULL);
	if (err) {
		tracepoint_probe_unregister(sl_tp_exit, sl_run_task_exit, NULL);
		goto out;
	}
	sl_run_armed = true;
out:
	mutex_unlock(&sl_run_mutex);
	return err;
}

/**
 * sl_run_mark - attach every socket that this process makes from now on
 *
 * Children that it forks from now on are marked with it.
 *
 * Context: process, may sleep.
 * Return: 0, -EOPNOTSUPP, -ENOMEM.
 */
int sl_run_mark(void)
{
	int err;

	err = sl_create_enable();
	if (err)
		return err;
	err = sl_run_arm();
	if (err)
		return err;
	return sl_mark_add(current->signal, GFP_KERNEL);
}

void __init sl_run_init(void)
{
	for_each_kernel_tracepoint(sl_run_find_tracepoint, NULL);
}

void sl_run_exit(void)
{
	struct hlist_node *next;
	struct sl_mark *mark;
	int bucket;

	if (sl_run_armed) {
		tracepoint_probe_unregister(sl_tp_fork, sl_run_fork, NULL);
		tracepoint_probe_unregister(sl_tp_exit, sl_run_task_exit, NULL);
		tracepoint_synchronize_unregister();
	}
	hash_for_each_safe(sl_marks, bucket, next, mark, node)
		kfree(mark);
}
