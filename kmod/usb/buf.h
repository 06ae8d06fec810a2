/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SL_BUF_H
#define _SL_BUF_H

#include "sl_rndis.h"

bool sl_rndis_buf_ready(struct sl_rndis_buf *buf);
void sl_rndis_buf_settle(struct sl_rndis_buf *buf);
void sl_rndis_buf_copy(const struct sl_rndis_buf *buf, u32 from, void *to, u32 len);
int sl_rndis_buf_copy_pages(const struct sl_rndis_buf *buf, u32 from, u32 len,
			    struct sk_buff *skb);
int sl_rndis_buf_give(struct sl_rndis_buf *buf, u32 from, u32 len, struct sk_buff *skb);

#endif /* _SL_BUF_H */
