// SPDX-License-Identifier: GPL-2.0
/*
 * The function's life: made of an instance, bound to a controller, turned on and
 * off by the host.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "gadget.h"
#include "kernel.h"

static int make_os_desc(struct slg_function *f)
{
	struct usb_os_desc_table *table;

	if (!f->function.config->cdev->use_os_string)
		return 0;
	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	table->os_desc = &f->opts->os_desc;
	table->if_id = f->control_id;
	f->function.os_desc_table = table;
	f->function.os_desc_n = 1;
	return 0;
}

static void free_os_desc(struct slg_function *f)
{
	kfree(f->function.os_desc_table);
	f->function.os_desc_table = NULL;
	f->function.os_desc_n = 0;
}

static int slg_bind(struct usb_configuration *config, struct usb_function *function)
{
	struct slg_function *f = to_slg(function);
	struct slg_opts *opts = f->opts;
	struct usb_ep *eps[SLG_EPS];
	int err;

	mutex_lock(&opts->lock);
	err = slg_describe(f, config, eps);
	if (err)
		goto err_describe;
	err = make_os_desc(f);
	if (err)
		goto err_os_desc;
	f->link = slg_link_alloc(f, config->cdev->gadget, eps[SLG_IN], eps[SLG_OUT]);
	if (IS_ERR(f->link)) {
		err = PTR_ERR(f->link);
		goto err_link;
	}
	ether_addr_copy(f->host_addr, opts->host_addr);
	err = slg_control_init(f, eps[SLG_NOTIFY_EP]);
	if (err)
		goto err_control;
	err = slg_link_register(f->link, opts->ifname);
	if (err)
		goto err_register;
	opts->net = f->link->net;
	mutex_unlock(&opts->lock);
	return 0;

err_register:
	slg_control_exit(f);
err_control:
	slg_link_free(f->link);
err_link:
	free_os_desc(f);
err_os_desc:
	usb_free_all_descriptors(function);
err_describe:
	f->link = NULL;
	mutex_unlock(&opts->lock);
	return err;
}

static void slg_unbind(struct usb_configuration *config, struct usb_function *function)
{
	struct usb_composite_dev *cdev = config->cdev;
	struct slg_function *f = to_slg(function);

	mutex_lock(&f->opts->lock);
	f->opts->net = NULL;
	mutex_unlock(&f->opts->lock);
	/* A command that the host was sending when it was cut off */
	if (cdev->setup_pending && cdev->req->context == f)
		usb_ep_dequeue(cdev->gadget->ep0, cdev->req);
	slg_link_unregister(f->link);
	slg_control_exit(f);
	slg_link_free(f->link);
	f->link = NULL;
	free_os_desc(f);
	usb_free_all_descriptors(function);
}

static int set_control(struct slg_function *f)
{
	struct usb_ep *notify = f->control.notify;
	int err;

	usb_ep_disable(notify);
	if (!notify->desc) {
		err = config_ep_by_speed(f->link->gadget, &f->function, notify);
		if (err)
			return err;
	}
	return usb_ep_enable(notify);
}

static int set_data(struct slg_function *f)
{
	struct slg_link *link = f->link;
	int err;

	slg_link_down(link);
	err = config_ep_by_speed(link->gadget, &f->function, link->in) ?:
	      config_ep_by_speed(link->gadget, &f->function, link->out);
	if (!err)
		err = slg_link_up(link);
	if (err) {
		link->in->desc = NULL;
		link->out->desc = NULL;
	}
	return err;
}

/* May come from an interrupt, like slg_disable(). */
static int slg_set_alt(struct usb_function *function, unsigned int interface, unsigned int alt)
{
	struct slg_function *f = to_slg(function);

	if (interface == f->control_id)
		return set_control(f);
	if (interface == f->data_id)
		return set_data(f);
	return -EINVAL;
}

static void slg_disable(struct usb_function *function)
{
	struct slg_function *f = to_slg(function);

	slg_control_reset(f);
	slg_link_down(f->link);
	usb_ep_disable(f->control.notify);
	f->control.notify->desc = NULL;
}

static void slg_free(struct usb_function *function)
{
	struct slg_function *f = to_slg(function);

	mutex_lock(&f->opts->lock);
	f->opts->refcnt--;
	mutex_unlock(&f->opts->lock);
	kfree(f);
}

/* One at a time: two could not have the same addresses. */
static struct usb_function *slg_alloc(struct usb_function_instance *instance)
{
	struct slg_opts *opts = container_of(instance, struct slg_opts, instance);
	struct slg_function *f = kzalloc(sizeof(*f), GFP_KERNEL);
	bool busy;

	if (!f)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&opts->lock);
	busy = opts->refcnt;
	if (!busy)
		opts->refcnt = 1;
	mutex_unlock(&opts->lock);
	if (busy) {
		kfree(f);
		return ERR_PTR(-EBUSY);
	}

	f->opts = opts;
	f->function.name = "rndis_loan";
	f->function.bind = slg_bind;
	f->function.unbind = slg_unbind;
	f->function.set_alt = slg_set_alt;
	f->function.setup = slg_control_setup;
	f->function.disable = slg_disable;
	f->function.free_func = slg_free;
	return &f->function;
}

DECLARE_USB_FUNCTION_INIT(rndis_loan, slg_alloc_instance, slg_alloc);

MODULE_DESCRIPTION("RNDIS function that sends frames from where they lie");
MODULE_AUTHOR("The sockloan developers");
MODULE_LICENSE("GPL");
