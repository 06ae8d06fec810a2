/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernel versions, for the USB modules.  No other file of
 * theirs may look at LINUX_VERSION_CODE.
 */
#ifndef _SL_USB_COMPAT_H
#define _SL_USB_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/version.h>
/* hex_to_bin() has a header of its own since 6.4. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <linux/hex.h>
#endif

/* A relative timer whose function runs in softirq context */
static inline void sl_hrtimer_setup_soft(struct hrtimer *timer,
					 enum hrtimer_restart (*function)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	timer->function = function;
#endif
}

#endif /* _SL_USB_COMPAT_H */
