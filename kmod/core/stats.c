// SPDX-License-Identifier: GPL-2.0
/* /proc/net/sockloan: the counters of one network namespace. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/ip.h>

#include "sockloan.h"

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
	SNMP_MIB_ITEM("Flushes", SL_FLUSHES),
	SNMP_MIB_ITEM("FaultIns", SL_FAULT_INS),
	SL_REASONS(SL_REASON_ITEM)
};

static int sl_proc_show(struct seq_file *seq, void *v)
{
	struct sl_net *sn = sl_net(seq->private);
	int i;

	for (i = 0; i < ARRAY_SIZE(sl_mib_list); i++)
		seq_printf(seq, "%-24s\t%lu\n", sl_mib_list[i].name,
			   snmp_fold_field(sn->mib, sl_mib_list[i].entry));
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
