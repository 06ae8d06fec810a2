// SPDX-License-Identifier: GPL-2.0
/*
 * sl_rndis.ko: what usb_f_rndis_loan.ko and rndis_loan.ko share.
 */
#include <linux/ethtool.h>
#include <linux/module.h>

#include "sl_rndis.h"

#define SL_RNDIS_STRING(name)	#name,
static const char sl_rndis_strings[][ETH_GSTRING_LEN] = {
	SL_RNDIS_COUNTERS(SL_RNDIS_STRING)
};

/**
 * sl_rndis_stat_strings() - the names of the counters, for ethtool
 * @data: of SL_RNDIS_STATS times ETH_GSTRING_LEN bytes
 */
void sl_rndis_stat_strings(u8 *data)
{
	memcpy(data, sl_rndis_strings, sizeof(sl_rndis_strings));
}
EXPORT_SYMBOL_GPL(sl_rndis_stat_strings);

/**
 * sl_rndis_stat_values() - the counters, for ethtool
 * @stats: where they are counted
 * @data: of SL_RNDIS_STATS members
 *
 * Each has one writer, who may go on meanwhile.
 */
void sl_rndis_stat_values(const struct sl_rndis_stats *stats, u64 *data)
{
	const u64 *from = (const u64 *)stats;
	unsigned int i;

	for (i = 0; i < SL_RNDIS_STATS; i++)
		data[i] = READ_ONCE(from[i]);
}
EXPORT_SYMBOL_GPL(sl_rndis_stat_values);

MODULE_DESCRIPTION("RNDIS transfers that carry frames from where they lie");
MODULE_AUTHOR("The sockloan developers");
MODULE_LICENSE("GPL");
