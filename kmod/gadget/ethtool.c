// SPDX-License-Identifier: GPL-2.0
/* What ethtool shows of the network device. */
#include <linux/ethtool.h>

#include "gadget.h"

/* One counter of the function's own, behind the shared ones */
static const char slg_refused[ETH_GSTRING_LEN] = "commands_refused";

static void slg_get_drvinfo(struct net_device *net, struct ethtool_drvinfo *info)
{
	struct slg_link *link = netdev_priv(net);

	strscpy(info->driver, "usb_f_rndis_loan", sizeof(info->driver));
	strscpy(info->bus_info, dev_name(&link->gadget->dev), sizeof(info->bus_info));
}

static int slg_get_sset_count(struct net_device *net, int set)
{
	return set == ETH_SS_STATS ? SL_RNDIS_STATS + 1 : -EOPNOTSUPP;
}

static void slg_get_strings(struct net_device *net, u32 set, u8 *data)
{
	if (set != ETH_SS_STATS)
		return;
	sl_rndis_stat_strings(data);
	memcpy(data + SL_RNDIS_STATS * ETH_GSTRING_LEN, slg_refused, ETH_GSTRING_LEN);
}

static void slg_get_stats(struct net_device *net, struct ethtool_stats *stats, u64 *data)
{
	struct slg_link *link = netdev_priv(net);

	sl_rndis_stat_values(&link->stats, data);
	data[SL_RNDIS_STATS] = READ_ONCE(link->control->refused);
}

const struct ethtool_ops slg_ethtool_ops = {
	.get_drvinfo = slg_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = slg_get_sset_count,
	.get_strings = slg_get_strings,
	.get_ethtool_stats = slg_get_stats,
};
