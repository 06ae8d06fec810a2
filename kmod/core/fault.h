/* SPDX-License-Identifier: GPL-2.0 */
/* Loans that fail on request, on kernels with fault injection. */
#ifndef _SL_FAULT_H
#define _SL_FAULT_H

#include <linux/types.h>

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
bool sl_should_fail(void);
void sl_fault_init(void);
void sl_fault_exit(void);
#else
static inline bool sl_should_fail(void)
{
	return false;
}

static inline void sl_fault_init(void)
{
}

static inline void sl_fault_exit(void)
{
}
#endif

#endif /* _SL_FAULT_H */
