// SPDX-License-Identifier: GPL-2.0
/*
 * ethtool: the counters, and what usbnet has.
 */
#include <linux/ethtool.h>

#include "rndis.h"

static int rl_get_sset_count(struct net_device *net, int set)
{
	return set == ETH_SS_STATS ? SL_RNDIS_STATS : -EOPNOTSUPP;
}

static void rl_get_strings(struct net_device *net, u32 set, u8 *data)
{
	if (set == ETH_SS_STATS)
		sl_rndis_stat_strings(data);
}

static void rl_get_stats(struct net_device *net, struct ethtool_stats *stats, u64 *data)
{
	sl_rndis_stat_values(&rl_netdev(net)->stats, data);
}

const struct ethtool_ops rl_ethtool_ops = {
	.get_link		= ethtool_op_get_link,
	.get_drvinfo		= usbnet_get_drvinfo,
	.get_msglevel		= usbnet_get_msglevel,
	.set_msglevel		= usbnet_set_msglevel,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_sset_count		= rl_get_sset_count,
	.get_strings		= rl_get_strings,
	.get_ethtool_stats	= rl_get_stats,
};
