// SPDX-License-Identifier: GPL-2.0
/* Counters, and /proc/net/sockloan for those of one network namespace. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/ip.h>

#include "loan.h"
#include "sockloan.h"
#include "trace.h"

#define SL_REASON_ITEM(name, text) \
	SNMP_MIB_ITEM(text, SL_FALLBACK + SL_FB_##name - 1),

static const struct snmp_mib sl_mib_list[] = {
	SNMP_MIB_ITEM("Sockets", SL_SOCKETS),
	SNMP_MIB_ITEM("Attaches", SL_ATTACHES),
	SNMP_MIB_ITEM("Detaches", SL_DETACHES),
	SNMP_MIB_ITEM("Inherited", SL_INHERITED),
	SNMP_MIB_ITEM("Calls", SL_CALLS),
	SNMP_MIB_ITEM("SmallCalls", SL_SMALL_CALLS),
	SNMP_MIB_ITEM("BytesLent", SL_BYTES_LENT),
	SNMP_MIB_ITEM("BytesCopied", SL_BYTES_COPIED),
	SNMP_MIB_ITEM("PagesLent", SL_PAGES_LENT),
	SNMP_MIB_ITEM("PagesProtected", SL_PAGES_PROTECTED),
	SNMP_MIB_ITEM("PagesShared", SL_PAGES_SHARED),
	SNMP_MIB_ITEM("PagesZero", SL_PAGES_ZERO),
	SNMP_MIB_ITEM("PagesHuge", SL_PAGES_HUGE),
	SNMP_MIB_ITEM("PagesFile", SL_PAGES_FILE),
	SNMP_MIB_ITEM("PagesRewritten", SL_PAGES_REWRITTEN),
	SNMP_MIB_ITEM("Flushes", SL_FLUSHES),
	SNMP_MIB_ITEM("FaultIns", SL_FAULT_INS),
	SNMP_MIB_ITEM("Backoffs", SL_BACKOFFS),
	SNMP_MIB_ITEM("Probes", SL_PROBES),
	SL_REASONS(SL_REASON_ITEM)
};

/**
 * sl_stats_loan - count one batch
 * @ss: the socket; its counters' lock held
 * @sn: its namespace
 * @loan: the batch
 * @sent: how many bytes of it the protocol took, or an error
 */
void sl_stats_loan(struct sl_sock *ss, struct sl_net *sn,
		   const struct sl_loan *loan, int sent)
{
	if (sent > 0) {
		ss->bytes_lent += sent;
		ss->pages_lent += DIV_ROUND_UP(sent, PAGE_SIZE);
		SL_ADD(sn, BYTES_LENT, sent);
		SL_ADD(sn, PAGES_LENT, DIV_ROUND_UP(sent, PAGE_SIZE));
	}
	if (loan->shared)
		SL_ADD(sn, PAGES_SHARED, loan->shared);
	if (loan->protected) {
		ss->pages_protected += loan->protected;
		SL_ADD(sn, PAGES_PROTECTED, loan->protected);
		SL_ADD(sn, FLUSHES, loan->flushes);
	}
	if (loan->huge)
		SL_ADD(sn, PAGES_HUGE, loan->huge);
	if (loan->files)
		SL_ADD(sn, PAGES_FILE, loan->files);
	if (loan->zero)
		SL_ADD(sn, PAGES_ZERO, loan->zero);
	if (loan->fault_ins)
		SL_INC(sn, FAULT_INS);
}

/**
 * sl_stats_fallback - count something that was not lent
 * @ss: the socket; its counters' lock held
 * @sn: its namespace
 * @addr: where it is, or 0
 * @bytes: how much it is
 * @why: the reason
 */
void sl_stats_fallback(struct sl_sock *ss, struct sl_net *sn,
		       unsigned long addr, size_t bytes, enum sl_reason why)
{
	SNMP_INC_STATS(sn->mib, SL_FALLBACK + why - 1);
	ss->fallbacks++;
	trace_sockloan_fallback(ss->sk, addr, bytes, why);
}

/* As snmp_fold_field(), which newer kernels do not export */
static unsigned long sl_fold(const struct sl_net *sn, int entry)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += snmp_get_cpu_field(sn->mib, cpu, entry);
	return sum;
}

static int sl_proc_show(struct seq_file *seq, void *v)
{
	struct sl_net *sn = sl_net(seq->private);
	int i;

	for (i = 0; i < ARRAY_SIZE(sl_mib_list); i++)
		seq_printf(seq, "%-24s\t%lu\n", sl_mib_list[i].name,
			   sl_fold(sn, sl_mib_list[i].entry));
	return 0;
}

int sl_stats_init(struct net *net, struct sl_net *sn)
{
	BUILD_BUG_ON(ARRAY_SIZE(sl_mib_list) != __SL_COUNTER_MAX);

	sn->mib = alloc_percpu(struct sl_mib);
	if (!sn->mib)
		return -ENOMEM;
	if (!proc_create_net_single("sockloan", 0444, net->proc_net,
				    sl_proc_show, NULL)) {
		free_percpu(sn->mib);
		return -ENOMEM;
	}
	return 0;
}

void sl_stats_exit(struct net *net, struct sl_net *sn)
{
	remove_proc_entry("sockloan", net->proc_net);
	free_percpu(sn->mib);
}
