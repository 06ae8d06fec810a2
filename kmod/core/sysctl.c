// SPDX-License-Identifier: GPL-2.0
/* net.sockloan.*: the settings of one network namespace. */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "sockloan.h"

static unsigned int sl_threshold_min = SL_THRESHOLD_MIN;
static unsigned int sl_int_max = INT_MAX;

/* auto: the hook on socket creation is set on the first use. */
static int sl_sysctl_auto(SL_CTL_TABLE *table, int write, void *buffer,
			  size_t *lenp, loff_t *ppos)
{
	u8 *value = table->data;
	u8 new = READ_ONCE(*value);
	struct ctl_table tmp = {
		.procname = table->procname,
		.data = &new,
		.maxlen = sizeof(new),
		.mode = table->mode,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	};
	int err;

	err = proc_dou8vec_minmax(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (new) {
		err = sl_create_enable();
		if (err)
			return err;
	}
	WRITE_ONCE(*value, new);
	return 0;
}

/* chunk: whole pages */
static int sl_sysctl_chunk(SL_CTL_TABLE *table, int write, void *buffer,
			   size_t *lenp, loff_t *ppos)
{
	unsigned int *value = table->data;
	unsigned int new = READ_ONCE(*value);
	struct ctl_table tmp = {
		.procname = table->procname,
		.data = &new,
		.maxlen = sizeof(new),
		.mode = table->mode,
	};
	int err;

	err = proc_douintvec(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (!new || new > SL_CHUNK_MAX || !IS_ALIGNED(new, PAGE_SIZE)) {
		pr_info_ratelimited("sockloan: net.sockloan.chunk takes a multiple of %lu up to %lu bytes, not %u\n",
				    PAGE_SIZE, SL_CHUNK_MAX, new);
		return -EINVAL;
	}
	WRITE_ONCE(*value, new);
	return 0;
}

#define SL_CTL_COUNT	5

static const struct ctl_table sl_ctl_template[SL_CTL_COUNT + 1] = {
	{
		.procname = "auto",
		.data = (void *)offsetof(struct sl_net, auto_attach),
		.maxlen = sizeof(u8),
		.mode = 0644,
		.proc_handler = sl_sysctl_auto,
	},
	{
		.procname = "threshold",
		.data = (void *)offsetof(struct sl_net, threshold),
		.maxlen = sizeof(unsigned int),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = &sl_threshold_min,
		.extra2 = &sl_int_max,
	},
	{
		.procname = "chunk",
		.data = (void *)offsetof(struct sl_net, chunk),
		.maxlen = sizeof(unsigned int),
		.mode = 0644,
		.proc_handler = sl_sysctl_chunk,
	},
	{
		.procname = "adapt",
		.data = (void *)offsetof(struct sl_net, adapt),
		.maxlen = sizeof(u8),
		.mode = 0644,
		.proc_handler = proc_dou8vec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	},
	{
		.procname = "file",
		.data = (void *)offsetof(struct sl_net, file),
		.maxlen = sizeof(u8),
		.mode = 0644,
		.proc_handler = proc_dou8vec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_TWO,
	},
	{ }
};

int sl_sysctl_init(struct net *net, struct sl_net *sn)
{
	int i;

	sn->ctl = kmemdup(sl_ctl_template, sizeof(sl_ctl_template), GFP_KERNEL);
	if (!sn->ctl)
		return -ENOMEM;
	for (i = 0; i < SL_CTL_COUNT; i++)
		sn->ctl[i].data = (void *)sn + (unsigned long)sn->ctl[i].data;

	sn->ctl_header = sl_register_net_sysctl(net, "net/sockloan", sn->ctl,
						SL_CTL_COUNT);
	if (!sn->ctl_header) {
		kfree(sn->ctl);
		return -ENOMEM;
	}
	return 0;
}

void sl_sysctl_exit(struct sl_net *sn)
{
	unregister_net_sysctl_table(sn->ctl_header);
	kfree(sn->ctl);
}
