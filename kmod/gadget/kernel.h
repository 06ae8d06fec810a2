/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel exports to functions of its own, with no header outside its
 * source: the RNDIS state machine of usb_f_rndis.ko (drivers/usb/gadget/function/
 * rndis.h) and configfs' directory for Microsoft's descriptors
 * (drivers/usb/gadget/configfs.h).  All the same from 6.1 to 7.2.
 */
#ifndef _SL_KERNEL_H
#define _SL_KERNEL_H

#include <linux/types.h>

struct config_group;
struct module;
struct net_device;
struct rndis_params;
struct usb_os_desc;

struct rndis_params *rndis_register(void (*resp_avail)(void *v), void *v);
void rndis_deregister(struct rndis_params *params);
int rndis_set_param_dev(struct rndis_params *params, struct net_device *dev, u16 *cdc_filter);
int rndis_set_param_vendor(struct rndis_params *params, u32 vendor, const char *description);
int rndis_set_param_medium(struct rndis_params *params, u32 medium, u32 speed);
void rndis_set_host_mac(struct rndis_params *params, const u8 *addr);
int rndis_signal_connect(struct rndis_params *params);
int rndis_signal_disconnect(struct rndis_params *params);
void rndis_uninit(struct rndis_params *params);
int rndis_msg_parser(struct rndis_params *params, u8 *buf);
u8 *rndis_get_next_response(struct rndis_params *params, u32 *length);
void rndis_free_response(struct rndis_params *params, u8 *buf);

struct config_group *usb_os_desc_prepare_interf_dir(struct config_group *parent, int count,
						    struct usb_os_desc **descs, char **names,
						    struct module *owner);

#endif /* _SL_KERNEL_H */
