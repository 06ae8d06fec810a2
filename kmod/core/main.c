// SPDX-License-Identifier: GPL-2.0
/* Starts and stops everything, in order. */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "fault.h"
#include "ops.h"
#include "sockloan.h"

static int __init sl_init(void)
{
	int err;

	if (!sl_can_flush()) {
		pr_err("sockloan: no way to flush the TLB of a Xen PV guest on this kernel; use PVH or HVM\n");
		return -ENODEV;
	}
	err = sl_ops_init();
	if (err)
		return err;
	err = sl_drain_init();
	if (err)
		return err;
	err = sl_attach_init();
	if (err)
		goto err_attach;
	err = sl_tls_init();
	if (err)
		goto err_tls;
	sl_run_init();
	sl_create_init();
	err = sl_net_init();
	if (err)
		goto err_net;
	err = sl_dev_init();
	if (err)
		goto err_dev;
	sl_fault_init();
	/* Nothing can fail any more: sockets may be attached. */
	sl_create_allow();

	pr_info("sockloan: loaded; nothing is lent until a socket is attached, see sockloan(8)\n");
	return 0;

err_dev:
	sl_net_exit();
err_net:
	sl_create_exit();
	sl_run_exit();
	sl_tls_exit();
err_tls:
	sl_attach_exit();
err_attach:
	sl_drain_exit();
	return err;
}

static void __exit sl_exit(void)
{
	sl_fault_exit();
	sl_dev_exit();
	sl_create_exit();
	sl_run_exit();
	sl_tls_exit();
	/*
	 * The last reference was dropped by code of ours, which may still have
	 * its return to execute: in a softirq (the first wait), or in a task
	 * that was preempted there (the second).
	 */
	synchronize_rcu();
	synchronize_rcu_tasks();
	sl_net_exit();
	sl_attach_exit();
	sl_drain_exit();
}

module_init(sl_init);
module_exit(sl_exit);

MODULE_DESCRIPTION("Lend user pages to the network instead of copying them");
MODULE_AUTHOR("The sockloan developers");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
