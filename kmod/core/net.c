// SPDX-License-Identifier: GPL-2.0
/* Per network namespace: counters and settings. */
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "sockloan.h"

unsigned int sl_net_id __read_mostly;

static int __net_init sl_net_start(struct net *net)
{
	struct sl_net *sn = sl_net(net);
	int err;

	sn->threshold = SL_THRESHOLD_DEFAULT;
	sn->chunk = SL_CHUNK_DEFAULT;
	sn->adapt = 1;
	sn->file = SL_FILE_NEVER;

	err = sl_stats_init(net, sn);
	if (err)
		return err;
	err = sl_sysctl_init(net, sn);
	if (err)
		sl_stats_exit(net, sn);
	return err;
}

static void __net_exit sl_net_stop(struct net *net)
{
	struct sl_net *sn = sl_net(net);

	sl_sysctl_exit(sn);
	sl_stats_exit(net, sn);
}

static struct pernet_operations sl_net_ops = {
	.init = sl_net_start,
	.exit = sl_net_stop,
	.id = &sl_net_id,
	.size = sizeof(struct sl_net),
};

int __init sl_net_init(void)
{
	return register_pernet_subsys(&sl_net_ops);
}

void sl_net_exit(void)
{
	unregister_pernet_subsys(&sl_net_ops);
}
