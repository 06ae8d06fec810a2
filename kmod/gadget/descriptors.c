// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors: those of the kernel's own rndis function, which hosts know.  Each
 * function has a copy to put its numbers in.
 */
#include <linux/slab.h>
#include <linux/usb/cdc.h>

#include "gadget.h"

#define SLG_STATUS_BYTES	8
#define SLG_STATUS_MS		32
#define SLG_LIST_MAX		14

/**
 * struct slg_descs - descriptors of one function
 * @iad: both interfaces belong together
 * @control: interface for commands
 * @header: the CDC header, then what CDC ACM has, for old hosts
 * @call: see @header
 * @acm: see @header
 * @both: see @header
 * @data: interface for frames
 * @notify: endpoints by speed: full, high, super
 * @in: likewise
 * @out: likewise
 * @notify_comp: the super speed endpoints' companions
 * @bulk_comp: likewise
 * @list: what of it there is, by speed
 */
struct slg_descs {
	struct usb_interface_assoc_descriptor iad;
	struct usb_interface_descriptor control;
	struct usb_cdc_header_desc header;
	struct usb_cdc_call_mgmt_descriptor call;
	struct usb_cdc_acm_descriptor acm;
	struct usb_cdc_union_desc both;
	struct usb_interface_descriptor data;
	struct usb_endpoint_descriptor notify[3];
	struct usb_endpoint_descriptor in[3];
	struct usb_endpoint_descriptor out[3];
	struct usb_ss_ep_comp_descriptor notify_comp;
	struct usb_ss_ep_comp_descriptor bulk_comp;
	struct usb_descriptor_header *list[3][SLG_LIST_MAX];
};

#define SLG_ENDPOINT(direction, type, size, interval) {		\
	.bLength = USB_DT_ENDPOINT_SIZE,			\
	.bDescriptorType = USB_DT_ENDPOINT,			\
	.bEndpointAddress = (direction),			\
	.bmAttributes = (type),					\
	.wMaxPacketSize = cpu_to_le16(size),			\
	.bInterval = (interval),				\
}

#define SLG_NOTIFY(interval)	\
	SLG_ENDPOINT(USB_DIR_IN, USB_ENDPOINT_XFER_INT, SLG_STATUS_BYTES, interval)
#define SLG_BULK(direction, size)	\
	SLG_ENDPOINT(direction, USB_ENDPOINT_XFER_BULK, size, 0)

static const struct slg_descs slg_template = {
	.iad = {
		.bLength = sizeof(struct usb_interface_assoc_descriptor),
		.bDescriptorType = USB_DT_INTERFACE_ASSOCIATION,
		.bInterfaceCount = 2,
	},
	.control = {
		.bLength = USB_DT_INTERFACE_SIZE,
		.bDescriptorType = USB_DT_INTERFACE,
		.bNumEndpoints = 1,
		.bInterfaceClass = USB_CLASS_COMM,
		.bInterfaceSubClass = USB_CDC_SUBCLASS_ACM,
		.bInterfaceProtocol = USB_CDC_ACM_PROTO_VENDOR,
	},
	.header = {
		.bLength = sizeof(struct usb_cdc_header_desc),
		.bDescriptorType = USB_DT_CS_INTERFACE,
		.bDescriptorSubType = USB_CDC_HEADER_TYPE,
		.bcdCDC = cpu_to_le16(0x0110),
	},
	.call = {
		.bLength = sizeof(struct usb_cdc_call_mgmt_descriptor),
		.bDescriptorType = USB_DT_CS_INTERFACE,
		.bDescriptorSubType = USB_CDC_CALL_MANAGEMENT_TYPE,
	},
	.acm = {
		.bLength = sizeof(struct usb_cdc_acm_descriptor),
		.bDescriptorType = USB_DT_CS_INTERFACE,
		.bDescriptorSubType = USB_CDC_ACM_TYPE,
	},
	.both = {
		.bLength = sizeof(struct usb_cdc_union_desc),
		.bDescriptorType = USB_DT_CS_INTERFACE,
		.bDescriptorSubType = USB_CDC_UNION_TYPE,
	},
	.data = {
		.bLength = USB_DT_INTERFACE_SIZE,
		.bDescriptorType = USB_DT_INTERFACE,
		.bNumEndpoints = 2,
		.bInterfaceClass = USB_CLASS_CDC_DATA,
	},
	.notify = {
		SLG_NOTIFY(SLG_STATUS_MS),
		SLG_NOTIFY(USB_MS_TO_HS_INTERVAL(SLG_STATUS_MS)),
		SLG_NOTIFY(USB_MS_TO_HS_INTERVAL(SLG_STATUS_MS)),
	},
	.in = {
		SLG_BULK(USB_DIR_IN, 0),
		SLG_BULK(USB_DIR_IN, 512),
		SLG_BULK(USB_DIR_IN, 1024),
	},
	.out = {
		SLG_BULK(USB_DIR_OUT, 0),
		SLG_BULK(USB_DIR_OUT, 512),
		SLG_BULK(USB_DIR_OUT, 1024),
	},
	.notify_comp = {
		.bLength = USB_DT_SS_EP_COMP_SIZE,
		.bDescriptorType = USB_DT_SS_ENDPOINT_COMP,
		.wBytesPerInterval = cpu_to_le16(SLG_STATUS_BYTES),
	},
	.bulk_comp = {
		.bLength = USB_DT_SS_EP_COMP_SIZE,
		.bDescriptorType = USB_DT_SS_ENDPOINT_COMP,
	},
};

static struct usb_string slg_string_defs[] = {
	{ .s = "RNDIS Communications Control" },
	{ .s = "RNDIS Ethernet Data" },
	{ .s = "RNDIS" },
	{ }
};

static struct usb_gadget_strings slg_string_table = {
	.language = 0x0409,
	.strings = slg_string_defs,
};

static struct usb_gadget_strings *slg_strings[] = {
	&slg_string_table,
	NULL,
};

/* Puts a speed's descriptors in order; 0 is full, 1 high, 2 super speed. */
static void make_list(struct slg_descs *d, unsigned int speed)
{
	struct usb_descriptor_header **at = d->list[speed];
	bool super = speed == 2;

	*at++ = (void *)&d->iad;
	*at++ = (void *)&d->control;
	*at++ = (void *)&d->header;
	*at++ = (void *)&d->call;
	*at++ = (void *)&d->acm;
	*at++ = (void *)&d->both;
	*at++ = (void *)&d->notify[speed];
	if (super)
		*at++ = (void *)&d->notify_comp;
	*at++ = (void *)&d->data;
	*at++ = (void *)&d->in[speed];
	if (super)
		*at++ = (void *)&d->bulk_comp;
	*at++ = (void *)&d->out[speed];
	if (super)
		*at++ = (void *)&d->bulk_comp;
	*at = NULL;
}

static int number(struct slg_function *f, struct usb_configuration *config, struct slg_descs *d)
{
	struct usb_string *strings;
	int id;

	strings = usb_gstrings_attach(config->cdev, slg_strings, ARRAY_SIZE(slg_string_defs));
	if (IS_ERR(strings))
		return PTR_ERR(strings);
	d->control.iInterface = strings[0].id;
	d->data.iInterface = strings[1].id;
	d->iad.iFunction = strings[2].id;

	id = usb_interface_id(config, &f->function);
	if (id < 0)
		return id;
	f->control_id = id;
	id = usb_interface_id(config, &f->function);
	if (id < 0)
		return id;
	f->data_id = id;

	d->iad.bFirstInterface = f->control_id;
	d->control.bInterfaceNumber = f->control_id;
	d->both.bMasterInterface0 = f->control_id;
	d->data.bInterfaceNumber = f->data_id;
	d->both.bSlaveInterface0 = f->data_id;
	d->call.bDataInterface = f->data_id;
	return 0;
}

/* Takes an endpoint; its address is the same at all speeds. */
static struct usb_ep *take_ep(struct usb_gadget *gadget, struct usb_endpoint_descriptor *descs)
{
	struct usb_ep *ep = usb_ep_autoconfig(gadget, &descs[0]);

	descs[1].bEndpointAddress = descs[0].bEndpointAddress;
	descs[2].bEndpointAddress = descs[0].bEndpointAddress;
	return ep;
}

/**
 * slg_describe() - get numbers and endpoints, and make descriptors
 * @f: the function
 * @config: the configuration that it is in
 * @eps: the endpoints: in, out, notify
 *
 * Return: 0 or an error; then there is nothing to free.
 */
int slg_describe(struct slg_function *f, struct usb_configuration *config,
		 struct usb_ep *eps[SLG_EPS])
{
	struct usb_gadget *gadget = config->cdev->gadget;
	struct slg_descs *d;
	unsigned int i;
	int err;

	/* The USB core makes copies of it. */
	d = kmemdup(&slg_template, sizeof(slg_template), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	d->iad.bFunctionClass = f->opts->class;
	d->iad.bFunctionSubClass = f->opts->subclass;
	d->iad.bFunctionProtocol = f->opts->protocol;
	for (i = 0; i < ARRAY_SIZE(d->list); i++)
		make_list(d, i);
	err = number(f, config, d);
	if (err)
		goto out;

	eps[SLG_IN] = take_ep(gadget, d->in);
	eps[SLG_OUT] = take_ep(gadget, d->out);
	eps[SLG_NOTIFY_EP] = take_ep(gadget, d->notify);
	err = -ENODEV;
	if (eps[SLG_IN] && eps[SLG_OUT] && eps[SLG_NOTIFY_EP])
		err = usb_assign_descriptors(&f->function, d->list[0], d->list[1], d->list[2],
					     d->list[2]);
out:
	kfree(d);
	return err;
}
