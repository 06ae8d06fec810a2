/* SPDX-License-Identifier: GPL-2.0 */
/*
 * USB gadgets, as configfs has them
 */
#ifndef _TOOLS_GADGETFS_H
#define _TOOLS_GADGETFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define GADGETS_PATH "/sys/kernel/config/usb_gadget"
#define UDCS_PATH "/sys/class/udc"
#define FUNCTION_LOAN "rndis_loan"
#define FUNCTION_STOCK "rndis"
#define GADGET_VALUE_SIZE (NAME_MAX + 2)

/**
 * struct gadget - one to be made
 * @name: of its directory
 * @function: FUNCTION_LOAN or FUNCTION_STOCK
 * @dev_addr: hardware address of the interface here; NULL: a random one
 * @host_addr: of the host's
 * @mtu: 0 leaves it
 */
struct gadget {
	const char *name;
	const char *function;
	const char *dev_addr;
	const char *host_addr;
	int mtu;
};

int gadgetfs_begin(const char *function, bool *mounted);
void gadgetfs_unmount(void);
bool gadgetfs_exists(const char *name);
int gadgetfs_make(const struct gadget *gadget, bool *made);
int gadgetfs_bind(const struct gadget *gadget, const char *udc);
int gadgetfs_remove(const char *name);
bool gadgetfs_is_ours(const char *name);
int gadgetfs_read(const char *name, const char *attribute, char *value);
int gadgetfs_read_of(const char *name, const char *instance,
		     const char *attribute, char *value);

/* udc.c */
int udc_choose(const char *wanted, char *udc);
int udc_read(const char *udc, const char *attribute, char *value);

#endif /* _TOOLS_GADGETFS_H */
