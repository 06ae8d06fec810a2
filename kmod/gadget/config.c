// SPDX-License-Identifier: GPL-2.0
/*
 * What configfs shows of an instance: the attributes of the kernel's own rndis
 * function, and mtu and offload.  None changes while a function is made of it.
 */
#include <linux/configfs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/usb/cdc.h>

#include "../usb/compat.h"
#include "gadget.h"
#include "kernel.h"

static struct slg_opts *to_opts(struct config_item *item)
{
	return container_of(to_config_group(item), struct slg_opts, instance.group);
}

/* Twelve digits, with a colon or a dot between two bytes or not */
static int parse_addr(const char *page, size_t len, u8 *addr)
{
	const char *end = page + len;
	u8 new[ETH_ALEN];
	unsigned int i;
	int high, low;

	if (len && end[-1] == '\n')
		end--;
	for (i = 0; i < ETH_ALEN; i++) {
		if (i && page < end && (*page == ':' || *page == '.'))
			page++;
		if (end - page < 2)
			return -EINVAL;
		high = hex_to_bin(page[0]);
		low = hex_to_bin(page[1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		new[i] = high << 4 | low;
		page += 2;
	}
	if (page != end || !is_valid_ether_addr(new))
		return -EINVAL;
	ether_addr_copy(addr, new);
	return 0;
}

static int set_dev_addr(struct slg_opts *opts, const char *page, size_t len)
{
	int err = parse_addr(page, len, opts->dev_addr);

	opts->dev_addr_set |= !err;
	return err;
}

static int set_host_addr(struct slg_opts *opts, const char *page, size_t len)
{
	return parse_addr(page, len, opts->host_addr);
}

static int set_ifname(struct slg_opts *opts, const char *page, size_t len)
{
	char name[IFNAMSIZ];
	const char *p;

	if (len && page[len - 1] == '\n')
		len--;
	if (len >= sizeof(name))
		return -E2BIG;
	memcpy(name, page, len);
	name[len] = '\0';
	/* One %d, and nothing else to be put in: there may be such a device. */
	p = strchr(name, '%');
	if (strlen(name) != len || !dev_valid_name(name) || !p || p[1] != 'd' ||
	    strchr(p + 2, '%'))
		return -EINVAL;
	strscpy(opts->ifname, name, sizeof(opts->ifname));
	return 0;
}

static int set_qmult(struct slg_opts *opts, const char *page, size_t len)
{
	u8 value;
	int err = kstrtou8(page, 0, &value);

	if (err || !value)
		return err ?: -EINVAL;
	opts->qmult = value;
	return 0;
}

static int set_mtu(struct slg_opts *opts, const char *page, size_t len)
{
	u32 value;
	int err = kstrtou32(page, 0, &value);

	if (err || value < ETH_MIN_MTU || value > SLG_MTU_MAX)
		return err ?: -ERANGE;
	opts->mtu = value;
	return 0;
}

static int set_offload(struct slg_opts *opts, const char *page, size_t len)
{
	return kstrtobool(page, &opts->offload);
}

static int set_class(struct slg_opts *opts, const char *page, size_t len)
{
	return kstrtou8(page, 16, &opts->class);
}

static int set_subclass(struct slg_opts *opts, const char *page, size_t len)
{
	return kstrtou8(page, 16, &opts->subclass);
}

static int set_protocol(struct slg_opts *opts, const char *page, size_t len)
{
	return kstrtou8(page, 16, &opts->protocol);
}

static int show_ifname(struct slg_opts *opts, char *page)
{
	int n;

	/* It may be renamed meanwhile. */
	rtnl_lock();
	n = sysfs_emit(page, "%s\n", opts->net ? opts->net->name : opts->ifname);
	rtnl_unlock();
	return n;
}

static int show_dev_addr(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%pM\n", opts->dev_addr);
}

static int show_host_addr(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%pM\n", opts->host_addr);
}

static int show_qmult(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%u\n", opts->qmult);
}

static int show_mtu(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%u\n", opts->mtu);
}

static int show_offload(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%u\n", opts->offload);
}

static int show_class(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%02x\n", opts->class);
}

static int show_subclass(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%02x\n", opts->subclass);
}

static int show_protocol(struct slg_opts *opts, char *page)
{
	return sysfs_emit(page, "%02x\n", opts->protocol);
}

static ssize_t show(struct config_item *item, char *page,
		    int (*get)(struct slg_opts *opts, char *page))
{
	struct slg_opts *opts = to_opts(item);
	int n;

	mutex_lock(&opts->lock);
	n = get(opts, page);
	mutex_unlock(&opts->lock);
	return n;
}

static ssize_t store(struct config_item *item, const char *page, size_t len,
		     int (*set)(struct slg_opts *opts, const char *page, size_t len))
{
	struct slg_opts *opts = to_opts(item);
	int err = -EBUSY;

	mutex_lock(&opts->lock);
	if (!opts->refcnt)
		err = set(opts, page, len);
	mutex_unlock(&opts->lock);
	return err ?: len;
}

#define SLG_ATTR(name)								\
static ssize_t slg_##name##_show(struct config_item *item, char *page)		\
{										\
	return show(item, page, show_##name);					\
}										\
										\
static ssize_t slg_##name##_store(struct config_item *item, const char *page,	\
				  size_t len)					\
{										\
	return store(item, page, len, set_##name);				\
}										\
										\
CONFIGFS_ATTR(slg_, name)

SLG_ATTR(dev_addr);
SLG_ATTR(host_addr);
SLG_ATTR(ifname);
SLG_ATTR(qmult);
SLG_ATTR(class);
SLG_ATTR(subclass);
SLG_ATTR(protocol);
SLG_ATTR(mtu);
SLG_ATTR(offload);

static struct configfs_attribute *slg_attrs[] = {
	&slg_attr_dev_addr,
	&slg_attr_host_addr,
	&slg_attr_ifname,
	&slg_attr_qmult,
	&slg_attr_class,
	&slg_attr_subclass,
	&slg_attr_protocol,
	&slg_attr_mtu,
	&slg_attr_offload,
	NULL,
};

static void slg_release(struct config_item *item)
{
	usb_put_function_instance(&to_opts(item)->instance);
}

static struct configfs_item_operations slg_item_ops = {
	.release = slg_release,
};

static const struct config_item_type slg_type = {
	.ct_item_ops = &slg_item_ops,
	.ct_attrs = slg_attrs,
	.ct_owner = THIS_MODULE,
};

static void slg_free_instance(struct usb_function_instance *instance)
{
	struct slg_opts *opts = container_of(instance, struct slg_opts, instance);

	kfree(opts->os_group);
	mutex_destroy(&opts->lock);
	kfree(opts);
}

/**
 * slg_alloc_instance() - what mkdir in a gadget's functions/ makes
 *
 * Return: the instance, or an error as a pointer.
 */
struct usb_function_instance *slg_alloc_instance(void)
{
	struct slg_opts *opts = kzalloc(sizeof(*opts), GFP_KERNEL);
	struct usb_os_desc *desc;
	char *name = "rndis";
	struct config_group *group;

	if (!opts)
		return ERR_PTR(-ENOMEM);
	mutex_init(&opts->lock);
	opts->instance.free_func_inst = slg_free_instance;
	strscpy(opts->ifname, "usb%d", sizeof(opts->ifname));
	eth_random_addr(opts->dev_addr);
	eth_random_addr(opts->host_addr);
	opts->mtu = ETH_DATA_LEN;
	opts->qmult = SLG_QMULT;
	opts->offload = true;
	opts->class = USB_CLASS_COMM;
	opts->subclass = USB_CDC_SUBCLASS_ETHERNET;
	opts->protocol = USB_CDC_PROTO_NONE;

	desc = &opts->os_desc;
	desc->ext_compat_id = opts->compat_id;
	INIT_LIST_HEAD(&desc->ext_prop);
	config_group_init_type_name(&opts->instance.group, "", &slg_type);
	group = usb_os_desc_prepare_interf_dir(&opts->instance.group, 1, &desc, &name, THIS_MODULE);
	if (IS_ERR(group)) {
		slg_free_instance(&opts->instance);
		return ERR_CAST(group);
	}
	opts->os_group = group;
	return &opts->instance;
}
