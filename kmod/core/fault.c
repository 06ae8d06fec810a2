// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/sockloan/fail_loan: the kernel's fault attributes for the
 * loan of a page.  Each hit makes one page, or one huge page, refuse.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "fault.h"

static DECLARE_FAULT_ATTR(sl_fail_loan);
static struct dentry *sl_fault_dir;

bool sl_should_fail(void)
{
	return should_fail(&sl_fail_loan, 1);
}

/* A debugging aid: the module works without. */
void __init sl_fault_init(void)
{
	sl_fault_dir = debugfs_create_dir("sockloan", NULL);
	fault_create_debugfs_attr("fail_loan", sl_fault_dir, &sl_fail_loan);
}

void sl_fault_exit(void)
{
	debugfs_remove_recursive(sl_fault_dir);
}
